"""The doors of the application and the town behind them: a court whose road has been walked, and strangers to it."""

import inspect
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from litestar.handlers import HTTPRouteHandler
from sqlalchemy import text

from appraisal.assets import service as assets
from appraisal.assets.rules import Measure
from appraisal.assets.schemas import RegisterSeizure
from auction.announcements import service as announcements
from auction.announcements.rules import DocumentKind
from auction.enquiries import service as enquiries
from auction.enquiries.rules import EnquiryKind
from auction.enquiries.schemas import Ask
from auction.sale_groups import service as sale_groups
from auction.sale_groups.schemas import MakeGroup
from bidding import api as bidding
from kernel.actors import Role, platform
from kernel.clock import beijing_day
from kernel.ids import ordered_id
from kernel.money import Fen
from kernel.web import SAFE_METHODS, anyone
from settlement.distribution.models import Taking
from settlement.ledger import service as ledger
from settlement.ledger.rules import Kind
from settlement.payouts import withholding
from settlement.payouts.rules import Ground
from settlement.payouts.schemas import Withhold
from tests.appraisal.support import make_claim, party_of, today
from tests.auction.support import Place as AuctionPlace
from tests.auction.support import decide, hold, make_draft, make_place
from tests.settlement.distribution.road import make_road, parties
from tests.settlement.hall import Hall
from tests.support.house import actor, call
from tests.support.shapes import example
from tests.support.web import Browser, Site, signed_in

OF_THE_FRAMEWORK = "/schema"
"""The framework's own routes: public, read-only, and tested by name."""


@dataclass(frozen=True)
class Door:
    """One route: its method, its path as declared, and who may pass."""

    method: str
    path: str
    handler: HTTPRouteHandler = field(repr=False, compare=False)

    @property
    def struct(self) -> Any:
        """The struct of its body, or None."""
        data = self.handler.parsed_fn_signature.parameters.get("data")
        return data.annotation if data else None

    @property
    def body(self) -> Any:
        return example(self.struct) if self.struct else None

    @property
    def takes_key(self) -> bool:
        return "call" in self.handler.parsed_fn_signature.parameters

    @property
    def roles(self) -> frozenset[Role] | None:
        """Who may pass: None for everybody, an empty set for everybody signed in."""
        (guard,) = self.handler.guards or ()
        if guard is anyone:
            return None
        return frozenset(inspect.getclosurevars(guard).nonlocals["roles"])

    @property
    def ids(self) -> list[str]:
        return re.findall(r"{(\w+):uuid}", self.path)

    def at(self, **values: object) -> str:
        """The path with these ids, and unknown ones for the rest."""
        chosen = {"platform": "wang01", "release": "x", "path": "x", **values}
        return re.sub(r"{(\w+):\w+}", lambda found: str(chosen.get(found[1], uuid4())), self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def doors_of(site: Site) -> list[Door]:
    """All routes but the answers to OPTIONS that the framework adds."""
    return [
        Door(method, route.path, handler)
        for route in site.app.routes
        for handler in getattr(route, "route_handlers", ())
        for method in sorted(handler.http_methods)
        if method != "OPTIONS" and not route.path.startswith(OF_THE_FRAMEWORK)
    ]


@dataclass
class Town:
    """A site with a court whose road has been walked to its end, and people who are not of that court."""

    site: Site
    doors: list[Door]
    real: dict[str, object] = field(default_factory=dict)
    """One existing thing of each kind, all of courts where nobody of `browser` serves."""
    _people: dict[frozenset[Role], Browser] = field(default_factory=dict)

    async def browser(self, *roles: Role) -> Browser:
        """Somebody of another court with exactly these roles."""
        wanted = frozenset(roles)
        if wanted not in self._people:
            self._people[wanted] = await signed_in(self.site, *sorted(wanted), court="elsewhere")
        return self._people[wanted]

    async def fitting(self, door: Door) -> Browser:
        """Somebody whom the guard lets pass."""
        return await self.browser(*sorted(door.roles or [Role.BIDDER])[:1])

    def commands(self, *, with_body: bool = False) -> list[Door]:
        return [door for door in self.doors if door.method not in SAFE_METHODS and (door.struct or not with_body)]

    def first_of_each_struct(self) -> list[Door]:
        """One command for each body there is: its fields are decoded alike wherever it is sent."""
        return list({door.struct: door for door in reversed(self.commands(with_body=True))}.values())

    async def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        async with self.site.database.reading(platform("test")) as tx:
            named = text(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                " WHERE schemaname IN ('kernel', 'appraisal', 'auction', 'bidding', 'settlement')"
            )
            tables = (await tx.session.scalars(named)).all()
            return {table: await tx.session.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables}


async def build(site: Site) -> dict[str, object]:
    """A lot sold, another drafted, a plan and its payment, each by the use cases of its officers."""
    database = site.database
    hall = Hall(database, await make_place(database), site.parts.relay)
    group = await make_group(hall.place)
    sold = await hall.lot(sale_group_id=group)
    asked_first = Ask(kind=EnquiryKind.QUESTION, words="能否贷款？")
    enquiry = await enquiries.ask(database, call(actor(Role.BIDDER)), sold, asked_first)
    await hall.sold(sold, 80_000_00)
    road = await make_road(database)
    await make_claim(database, road.court, road.case, "A", principal_fen=50_000)
    await road.bring_money(50_000)
    plan = await road.confirmed()
    asked = await withholding.withhold(
        database,
        call(road.maker),
        plan.id,
        Withhold(payee_kind="party", payee_id=road.id_of("A"), ground=Ground.NOT_COLLECTED, reason="未领取"),
    )
    objected = await make_road(database, *parties("A", "B"))
    for ref in ("A", "B"):
        await make_claim(database, objected.court, objected.case, ref, principal_fen=50_000)
    await objected.bring_money(50_000)
    in_dispute = await objected.serve_all(await objected.decide(await objected.draft()))
    in_dispute = await objected.object_to(in_dispute, "A")
    place = await make_place(database)
    draft = await make_draft(place)
    document = await announcements.attach_document(
        database, call(place.clerk), draft, kind=DocumentKind.OTHER, name="a.txt", content="文".encode()
    )
    day = beijing_day(database.clock.now())
    seizure = await assets.register_seizure(
        database,
        call(place.clerk),
        place.asset_id,
        RegisterSeizure(
            measure=Measure.SEIZE,
            party_id=party_of(place.case, "applicant").id,
            from_on=day,
            to_on=day + timedelta(days=300),
            rank=1,
            waiting=False,
        ),
    )
    return {
        "case_id": place.case.id,
        "asset_id": place.asset_id,
        "seizure_id": seizure.id,
        "hold_id": await hold(place),
        "lot_id": sold,
        "group_id": group,
        "draft_id": draft,
        "document_id": document.id,
        "enquiry_id": enquiry.id,
        "plan_id": plan.id,
        "withholding_id": asked.id,
        "objection_id": in_dispute.objections[0].id,
        "batch_id": (await road.make(plan)).id,
        "registration_id": await registration_of(hall, sold),
        "taking_id": await taking_of(hall, draft),
    }


async def make_group(place: AuctionPlace) -> UUID:
    """A sale group of the case; bidding knows it once a lot of it is published."""
    wanted = MakeGroup(target_fen=100_000_00, decision_id=await decide(place))
    return (await sale_groups.make_group(place.database, call(place.judge), place.case.id, wanted)).id


async def taking_of(hall: Hall, lot_id: UUID) -> UUID:
    """A creditor who takes a thing in satisfaction; that its round failed matters to no door."""
    case, now = hall.place.case, hall.database.clock.now()
    async with hall.database.transaction(platform("test")) as tx:
        account = await ledger.open_account(tx, Kind.LOT, "taken", case_id=case.id, lot_id=lot_id)
        row = Taking(
            id=ordered_id(),
            lot_id=lot_id,
            case_id=case.id,
            asset_id=hall.place.asset_id,
            title="汽车一辆",
            party_id=case.parties[0].id,
            account_id=account.id,
            price_fen=Fen(1),
            entitlement_fen=Fen(0),
            pay_in_fen=Fen(1),
            due_on=today(hall.database),
            decision_id=ordered_id(),
            state="awaiting",
            decided_at=now,
        )
        tx.session.add(row)
        await tx.session.flush()
        return row.id


async def registration_of(hall: Hall, lot_id: UUID) -> UUID:
    """The buyer's registration."""
    async with hall.database.reading(platform("test")) as tx:
        found = (await bidding.get_result(tx, lot_id)).registration_id
        assert found is not None
        return found


async def attempt(browser: Browser, door: Door, path: str | None = None, **headers: str | None) -> httpx.Response:
    """Knock at the door as our pages do, with a readable body where it wants one."""
    path = path or door.at()
    if door.method == "GET":
        return await browser.send("GET", path)
    if door.path.endswith("/documents"):
        return await browser.post(f"{path}?kind=other", "文".encode(), **({"x_file_name": "a.txt"} | headers))
    return await browser.post(path, door.body, **headers)


def told(answer: httpx.Response) -> tuple[int, str | None]:
    """Status and code; no code where nothing was refused."""
    return answer.status_code, answer.json().get("code") if answer.status_code >= 400 else None
