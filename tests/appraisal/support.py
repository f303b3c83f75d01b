"""Makes courts, cases, assets and decisions as their users do: through the use cases, on the clock of the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from uuid import UUID

from appraisal.assets import service as assets
from appraisal.assets.rules import AssetKind
from appraisal.assets.schemas import AssetView, RegisterAsset
from appraisal.cases import service as cases
from appraisal.cases import store as case_store
from appraisal.cases.rules import PartyKind, PartyRole, Subject
from appraisal.cases.schemas import AccountIn, CaseView, DecisionView, OpenCase, PartyIn, PartyView, RecordDecision
from appraisal.claims import service as claims
from appraisal.claims.rules import ClaimKind
from appraisal.claims.schemas import ClaimView, RegisterClaim
from appraisal.reference_price import service as reference_price
from appraisal.reference_price.rules import Method
from appraisal.reference_price.schemas import FixPrice
from kernel.actors import Actor, Role, platform
from kernel.clock import beijing_day
from kernel.database import Database
from kernel.identity.passwords import Passwords
from kernel.identity.service import create_staff
from kernel.identity.store import find_court
from kernel.money import Fen
from tests.support.house import actor, call

NUMBERS = count(1)
"""Keeps names and case numbers of one test run apart."""

QUICK_PASSWORDS = Passwords(1_024)
PANEL = ("审判长王某", "审判员李某", "审判员赵某")

APPLICANT = PartyIn(
    ref="applicant",
    role=PartyRole.ENFORCEMENT_APPLICANT,
    name="某银行股份有限公司",
    kind=PartyKind.ENTERPRISE,
    account=AccountIn(holder="某银行股份有限公司", number="310066000018888", bank="某银行上海分行"),
)
DEBTOR = PartyIn(ref="debtor", role=PartyRole.DEBTOR, name="张某", kind=PartyKind.PERSON)
CREDITOR = PartyIn(
    ref="creditor",
    role=PartyRole.CREDITOR,
    name="李某",
    kind=PartyKind.PERSON,
    account=AccountIn(holder="李某", number="6222020200112233445", bank="某银行上海分行"),
)
PARTIES = (APPLICANT, DEBTOR, CREDITOR)


@dataclass(frozen=True)
class Court:
    """A court with somebody for each role; any number of others by `staff`."""

    id: UUID
    code: str
    name: str
    clerk: Actor
    judge: Actor

    def staff(self, *roles: Role) -> Actor:
        """Another person of this court with these roles."""
        return actor(*roles, court=self.id)


def today(database: Database) -> date:
    """The day in Beijing by the test's clock."""
    return beijing_day(now(database))


def now(database: Database) -> datetime:
    return database.clock.now()


async def make_court(database: Database, name: str = "上海市浦东新区人民法院") -> Court:
    """A court with a clerk and a judge."""
    number = next(NUMBERS)
    code = f"court-{number}"
    clerk = await create_staff(
        database,
        QUICK_PASSWORDS,
        username=f"clerk-{number}",
        real_name="书记员",
        password="a long password",
        roles=[Role.CLERK],
        court_code=code,
        court_name=name,
    )
    async with database.reading(platform("test")) as tx:
        court = await find_court(tx, code)
    assert court is not None
    return Court(
        id=court.id,
        code=code,
        name=name,
        clerk=actor(Role.CLERK, court=court.id, person=clerk.id, name=clerk.username),
        judge=actor(Role.JUDGE, court=court.id, name=f"judge-{number}"),
    )


async def make_case(
    database: Database, court: Court, *, case_no: str | None = None, parties: tuple[PartyIn, ...] = PARTIES
) -> CaseView:
    """A case of the court: a bank against a person, with another creditor."""
    wanted = OpenCase(case_no=case_no or f"（2025）沪0115执{next(NUMBERS)}号", parties=parties)
    return await cases.open_case(database, call(court.clerk), wanted)


def party_of(case: CaseView, ref: str) -> PartyView:
    """The party with this short name."""
    return next(party for party in case.parties if party.ref == ref)


async def link_person(database: Database, case: CaseView, ref: str, person_id: UUID | None) -> None:
    """The party's account is this person's from now on, or nobody's, as the court's link leaves the row."""
    async with database.transaction(platform("test")) as tx:
        await case_store.set_person(tx, party_of(case, ref).id, person_id)


async def make_unpriced_asset(
    database: Database,
    court: Court,
    case: CaseView,
    *,
    kind: AssetKind = AssetKind.IMMOVABLE,
    title: str = "上海市浦东新区某路100号401室",
    details: Mapping[str, str] | None = None,
) -> AssetView:
    """An asset of the case without a reference price."""
    wanted = RegisterAsset(
        kind=kind,
        title=title,
        description="建筑面积 89.50 平方米",
        place="上海市浦东新区",
        details=dict(details or {"occupation": "空置", "defects": "无"}),
    )
    return await assets.register_asset(database, call(court.clerk), case.id, wanted)


async def make_asset(
    database: Database,
    court: Court,
    case: CaseView,
    *,
    price_fen: int = 100_000_000,
    kind: AssetKind = AssetKind.IMMOVABLE,
    title: str = "上海市浦东新区某路100号401室",
    details: Mapping[str, str] | None = None,
) -> AssetView:
    """An asset of the case with a reference price that the parties agreed on today."""
    asset = await make_unpriced_asset(database, court, case, kind=kind, title=title, details=details)
    wanted = FixPrice(method=Method.PARTY_AGREEMENT, price_fen=Fen(price_fen), fixed_on=today(database))
    await reference_price.fix_price(database, call(court.judge), asset.id, wanted)
    return asset


async def make_decision(
    database: Database,
    court: Court,
    case: CaseView,
    subject: Subject | str = Subject.LOT_TERMS,
    facts: Mapping[str, str | int] | None = None,
) -> DecisionView:
    """A decision of the panel, made today."""
    wanted = RecordDecision(
        subject=Subject(subject),
        made_on=today(database),
        members=PANEL,
        text="经合议庭评议，决定如下。",
        facts=dict(facts or {}),
    )
    return await cases.record_decision(database, call(court.judge), case.id, wanted)


async def make_claim(
    database: Database,
    court: Court,
    case: CaseView,
    ref: str = "applicant",
    *,
    kind: ClaimKind = ClaimKind.ORDINARY,
    asset_id: UUID | None = None,
    title_no: str | None = None,
    rank_on: date | None = None,
    sealed_on: date | None = None,
    costs_fen: int = 0,
    interest_fen: int = 0,
    principal_fen: int = 100_000_000,
    doubled_fen: int = 0,
) -> ClaimView:
    """A claim of the party `ref`, of principal alone unless told otherwise."""
    wanted = RegisterClaim(
        party_id=party_of(case, ref).id,
        kind=kind,
        asset_id=asset_id,
        title_no=title_no or f"（2024）沪0115民初{next(NUMBERS)}号",
        rank_on=rank_on,
        sealed_on=sealed_on,
        costs_fen=Fen(costs_fen),
        interest_fen=Fen(interest_fen),
        principal_fen=Fen(principal_fen),
        doubled_fen=Fen(doubled_fen),
    )
    return await claims.register_claim(database, call(court.clerk), case.id, wanted)
