"""A court with one case on the whole road: lots published, bidders with deposits, a real desk that sells.

Everything happens by the use cases of those who do it, and the relay carries what they tell.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import select, text

from appraisal.assets import service as assets
from appraisal.assets.rules import Measure
from appraisal.assets.schemas import RegisterSeizure
from appraisal.cases.rules import Subject
from auction.announcements.service import find_versions
from auction.lots import handlers as lot_handlers
from auction.lots import service as lots
from auction.statistics import handlers as statistics_handlers
from bidding.desk.desk import Desk, DeskOptions
from bidding.desk.rules import Kind as BidKind
from bidding.desk.submissions import Submission
from bidding.registration import handlers as registration_handlers
from bidding.registration import service as registration
from bidding.registration.rules import BidderKind
from bidding.registration.schemas import Register
from kernel.actors import Actor, Role, platform
from kernel.audit import AuditEntry
from kernel.database import Database
from kernel.ddl import APP_ROLE
from kernel.identity.service import create_staff
from kernel.money import Fen
from kernel.outbox import Relay
from settlement.annulment import service as annulment
from settlement.annulment.rules import Ground
from settlement.annulment.schemas import AnnulmentView, AnnulSale
from settlement.completion import case_money, defaults
from settlement.completion import handlers as completion_handlers
from settlement.completion import service as completion
from settlement.completion.sale_schemas import AddCost, DeclareDefault, DefaultDeclared, PayeeIn, RuleSale, ServeRuling
from settlement.deposits import handlers as deposit_handlers
from settlement.deposits import service as deposits
from settlement.deposits.schemas import OwnDeposit
from tests.appraisal.support import QUICK_PASSWORDS, Court, link_person, make_decision, party_of, today
from tests.auction.support import Place, fill_in, make_place, make_published_lot, make_terms, notify, publish
from tests.settlement.support import bank_relay, credit, notice
from tests.support.house import call, frozen, opened
from tests.support.keys import KEYRING

SERIAL = count(1)
YUAN = 100


@dataclass
class Bidder:
    """A person who takes part, with the bank account they pay from."""

    actor: Actor
    name: str
    account: str
    registrations: dict[UUID, UUID] = field(default_factory=dict)


@dataclass
class Hall:
    """One case with its court, and the means to bring a lot from publication to the creditors."""

    database: Database
    place: Place
    relay: Relay

    @property
    def court(self) -> Court:
        return self.place.court

    @property
    def case_id(self) -> UUID:
        return self.place.case.id

    async def lot(self, **terms: Any) -> UUID:
        """A published lot: start 70,000.00, deposit 7,000.00, balance due in 10 days unless `terms` say otherwise."""
        lot_id = await make_published_lot(self.place, **terms)
        await self.relay.settle()
        return lot_id

    async def bidder(self, name: str = "王小明", account: str | None = None) -> Bidder:
        """A person with a confirmed name."""
        number = next(SERIAL)
        person = await create_staff(
            self.database,
            QUICK_PASSWORDS,
            username=f"bidder-{number}",
            real_name=name,
            password="a long password",
            roles=[Role.BIDDER],
            court_code=None,
        )
        actor = Actor(person.id, person.username, frozenset({Role.BIDDER}), None, "127.0.0.1", uuid4())
        return Bidder(actor, name, account or f"6222{number:012d}")

    async def register(self, bidder: Bidder, lot_id: UUID, kind: BidderKind = BidderKind.ORDINARY) -> OwnDeposit:
        """Register and learn the account to pay the deposit to."""
        async with self.database.reading(bidder.actor) as tx:
            accepts = (await find_versions(tx, [lot_id]))[lot_id]
        wanted = Register(kind=kind, accepts=accepts, declares_eligible=True)
        own = await registration.register(self.database, call(bidder.actor), lot_id, wanted)
        bidder.registrations[lot_id] = own.registration_id
        await self.relay.settle()
        return await self.deposit(bidder, lot_id)

    async def deposit(self, bidder: Bidder, lot_id: UUID) -> OwnDeposit:
        return await deposits.show_own(self.database, bidder.actor, lot_id)

    async def pay(self, bidder: Bidder, account_no: str, amount_fen: int) -> None:
        """The bank reports a payment of the bidder, and everything that follows from it happens."""
        await credit(self.database, notice(f"T{next(SERIAL)}", account_no, amount_fen, bidder.name, bidder.account))
        await self.relay.settle()

    async def admitted(self, lot_id: UUID, name: str = "王小明") -> Bidder:
        """A bidder whose deposit is held."""
        bidder = await self.bidder(name)
        own = await self.register(bidder, lot_id)
        await self.pay(bidder, own.account_no, own.due_fen)
        return bidder

    async def exempt(self, lot_id: UUID) -> Bidder:
        """The applicant, whose claims in the case exceed the deposit, so that nothing is due (R-BID-05), registered."""
        bidder = await self.bidder()
        await link_person(self.database, self.place.case, "applicant", bidder.actor.person)
        await self.register(bidder, lot_id, BidderKind.APPLICANT)
        return bidder

    async def sell(self, lot_id: UUID, *bids: tuple[Bidder, int]) -> None:
        """Open the lot, let the desk take these bids in order, and close it at its end."""
        async with self.database.reading(self.place.judge) as tx:
            lot = await lots.get_lot(tx, lot_id)
        assert lot.opens_at is not None
        assert lot.scheduled_end is not None
        clock = frozen(self.database)
        clock.set(max(clock.now(), lot.opens_at + timedelta(hours=1)))
        async with self.desk() as desk:
            for bidder, price_fen in bids:
                sent = Submission(
                    lot_id=lot_id,
                    kind=BidKind.BID,
                    key=uuid4(),
                    ingress_at=clock.now(),
                    registration_id=bidder.registrations[lot_id],
                    price_fen=Fen(price_fen),
                    confirm_fen=Fen(price_fen),
                )
                answer = await desk.submit(sent)
                assert answer.refusal is None, answer.refusal
        clock.set(lot.scheduled_end + timedelta(seconds=1))
        async with self.desk():
            pass

    async def sold_off(self, lot_id: UUID, price_fen: int, outbid_fen: int = 0) -> tuple[Bidder, Bidder]:
        """The lot sold by sell-off, whose bidders prepay the whole start price (R-SELL-04): the buyer, and who was
        outbid, if anybody is to be.
        """
        async with self.database.transaction(self.place.judge) as tx:
            made_sell_off = text("UPDATE bidding.lot SET method = 'sell_off' WHERE lot_id = :lot")
            await tx.session.execute(made_sell_off, {"lot": lot_id})
        buyer = await self.admitted(lot_id)
        loser = await self.admitted(lot_id, "李四") if outbid_fen else buyer
        bids = [(loser, outbid_fen), (buyer, price_fen)] if outbid_fen else [(buyer, price_fen)]
        await self.sell(lot_id, *bids)
        frozen(self.database).advance(timedelta(hours=2))  # the first bid gave it 24 hours of its own (R-SELL-05)
        async with self.desk():
            pass
        await self.relay.settle()
        return buyer, loser

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[Desk]:
        """A desk that runs while the body does; it opens and closes what is due when it starts."""
        desk = Desk(self.database.url, self.database.clock, KEYRING, DeskOptions(exclusive=True))
        await desk.start()
        try:
            yield desk
        finally:
            await desk.stop()

    async def sold(self, lot_id: UUID, price_fen: int, name: str = "王小明") -> Bidder:
        """The lot sold to a bidder at this price, its sale opened."""
        buyer = await self.admitted(lot_id, name)
        await self.sell(lot_id, (buyer, price_fen))
        await self.relay.settle()
        return buyer

    async def pay_balance(self, buyer: Bidder, lot_id: UUID) -> None:
        """The buyer pays what is missing of the price."""
        sale = await completion.show_sale(self.database, buyer.actor, lot_id)
        await self.pay(buyer, sale.account_no, sale.missing_fen)

    async def decide(self, subject: Subject, facts: dict[str, str | int] | None = None) -> UUID:
        return (await make_decision(self.database, self.court, self.place.case, subject, facts=facts)).id

    async def rule_and_serve(self, lot_id: UUID) -> None:
        """The sale ruling, served on the buyer today."""
        ruling = RuleSale(decision_id=await self.decide(Subject.SALE_RULING))
        await completion.rule_sale(self.database, call(self.court.judge), lot_id, ruling)
        await self.serve(lot_id)

    async def serve(self, lot_id: UUID) -> None:
        served = ServeRuling(served_on=today(self.database), method="direct", proof="送达回证")  # type: ignore[arg-type]
        await completion.serve_ruling(self.database, call(self.court.clerk), lot_id, served)
        await self.relay.settle()

    async def default(self, lot_id: UUID) -> DefaultDeclared:
        """The panel declares the buyer in default."""
        wanted = DeclareDefault(decision_id=await self.decide(Subject.DEFAULT))
        declared = await defaults.declare_default(self.database, call(self.court.judge), lot_id, wanted)
        await self.relay.settle()
        return declared

    async def annul(self, lot_id: UUID, ground: Ground = Ground.FALSE_DESCRIPTION) -> AnnulmentView:
        """The panel annuls the sale."""
        decision_id = await self.decide(Subject.ANNULMENT)
        wanted = AnnulSale(ground=ground, reasons="拍卖公告严重失实", decision_id=decision_id)
        view = await annulment.annul_sale(self.database, call(self.court.judge), lot_id, wanted)
        await self.relay.settle()
        return view

    async def seize_for_two(self) -> None:
        """The applicant's seizure takes effect, the other creditor's waits behind it."""
        for rank, ref in ((1, "applicant"), (2, "creditor")):
            wanted = RegisterSeizure(
                measure=Measure.SEIZE,
                party_id=party_of(self.place.case, ref).id,
                from_on=date(2025, 1, rank),
                to_on=date(2026, 12, 1),
                rank=rank,
                waiting=rank > 1,
            )
            await assets.register_seizure(self.database, call(self.court.clerk), self.place.asset_id, wanted)

    async def publish_resale(self, first_lot_id: UUID, resale_lot_id: UUID, **terms: Any) -> None:
        """Complete the ordered draft and publish it."""
        wanted = await make_terms(self.place, round="resale", previous_lot_id=first_lot_id, **terms)
        await lots.change_terms(self.database, call(self.court.clerk), resale_lot_id, wanted)
        await fill_in(self.place, resale_lot_id)
        for ref in ("applicant", "debtor", "tenant"):
            await notify(self.place, resale_lot_id, ref)
        frozen(self.database).advance(timedelta(days=3))
        await publish(self.place, resale_lot_id)
        await self.relay.settle()

    async def cost(self, amount_fen: int, kind: str = "sale_cost", lot_id: UUID | None = None) -> None:
        """A registered cost of the case."""
        wanted = AddCost(
            kind=kind,  # type: ignore[arg-type]
            name="费用",
            amount_fen=Fen(amount_fen),
            payee=PayeeIn(holder="辅助机构", number="62170001"),
            document="发票",
            lot_id=lot_id,
        )
        await case_money.add_cost(self.database, call(self.court.staff(Role.MAKER)), self.case_id, wanted)

    async def trail(self, action: str) -> list[dict[str, Any]]:
        """What the audit trail says of this action, oldest first."""
        told = select(AuditEntry.facts).where(AuditEntry.action == action).order_by(AuditEntry.id)
        async with self.database.reading(platform("test")) as tx:
            return [msgspec.json.decode(facts) for facts in await tx.session.scalars(told)]

    def pass_days(self, days: int) -> None:
        frozen(self.database).advance(timedelta(days=days))


@asynccontextmanager
async def hall(url: str, **place: Any) -> AsyncIterator[Hall]:
    """A court with a case and an asset whose price is fixed, and every handler of the road listening.

    The database user is the application's, which may not change or delete what is append-only.
    """
    async with opened(url.replace("postgres@", f"{APP_ROLE}@", 1)) as database:
        relay = bank_relay(database)
        for module in (
            lot_handlers,
            statistics_handlers,
            registration_handlers,
            deposit_handlers,
            completion_handlers,
        ):
            module.subscribe(relay)
        yield Hall(database, await make_place(database, **place), relay)
