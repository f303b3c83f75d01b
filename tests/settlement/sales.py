"""Sales with real money: published, registered for, paid for, bid on at a real desk, completed or defaulted."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from itertools import count
from typing import Any
from uuid import UUID

from app.platform import SUBSCRIBERS
from appraisal.cases.rules import Subject
from auction import api as auction
from auction.lots import service as lots
from auction.lots.rules import Round
from bidding import api as bidding
from bidding.desk.desk import Desk, DeskOptions
from bidding.desk.rules import Kind
from bidding.desk.submissions import Submission
from bidding.registration import service as registration
from bidding.registration.rules import BidderKind
from bidding.registration.schemas import Register
from kernel.actors import Actor, Role, platform
from kernel.clock import beijing_day
from kernel.database import Database
from kernel.identity.service import create_staff
from kernel.ids import ordered_id, random_id
from kernel.money import Fen
from kernel.outbox import Relay
from settlement.completion import service as completion
from settlement.completion.sale_schemas import DeclareDefault, RuleSale, SaleView, ServeRuling
from settlement.deposits import service as deposits
from tests.appraisal.support import QUICK_PASSWORDS, make_decision
from tests.auction import support
from tests.auction.support import Place
from tests.settlement.support import credit, notice
from tests.support.house import call, frozen

PEOPLE = count(1)


@dataclass(frozen=True)
class Market:
    """A court's place with the relay that all handlers of the platform listen to, and a desk on demand."""

    place: Place
    relay: Relay

    @property
    def database(self) -> Database:
        return self.place.database

    async def sell(self, lot_id: UUID, price_fen: int) -> Actor:
        """A published lot is sold to somebody new at `price_fen`; the clock stands at its end."""
        lot = await self._lot(lot_id)
        await self.relay.settle()
        buyer = await self._bidder(lot_id)
        async with self._desk() as desk:
            frozen(self.database).set(lot.opens_at)
            answer = await desk.submit(await self._bid(lot_id, buyer, price_fen))
            assert answer.accepted, answer.refusal
            frozen(self.database).set(lot.scheduled_end)
            async with asyncio.timeout(10):
                while (await self._result(lot_id)).status != "sold":
                    await asyncio.sleep(0.02)
        await self.relay.settle()
        return buyer

    async def pay_balance(self, lot_id: UUID, buyer: Actor) -> SaleView:
        """The buyer pays what is missing."""
        sale = await completion.show_sale(self.database, buyer, lot_id)
        await credit(self.database, notice(f"balance-{lot_id}", sale.account_no, sale.missing_fen))
        await self.relay.settle()
        return await completion.show_sale(self.database, buyer, lot_id)

    async def serve(self, lot_id: UUID) -> SaleView:
        """The ruling is made and served: the price is in the case account."""
        decision = await self._decide(Subject.SALE_RULING)
        await completion.rule_sale(self.database, call(self.place.judge), lot_id, RuleSale(decision_id=decision))
        today = beijing_day(self.database.clock.now())
        wanted = ServeRuling(served_on=today, method="electronic", proof="送达回证")
        return await completion.serve_ruling(self.database, call(self.place.clerk), lot_id, wanted)

    async def complete(self, lot_id: UUID, price_fen: int) -> SaleView:
        """Sold, paid and served."""
        await self.pay_balance(lot_id, await self.sell(lot_id, price_fen))
        return await self.serve(lot_id)

    async def default(self, lot_id: UUID, **terms: Any) -> UUID:
        """The buyer lets the day pass: the default is declared and the resale published with `terms`."""
        lot = await self._lot(lot_id)
        frozen(self.database).advance(timedelta(days=lot.balance_due_days + 1))
        decision = DeclareDefault(decision_id=await self._decide(Subject.DEFAULT))
        declared = await completion.declare_default(self.database, call(self.place.judge), lot_id, decision)
        resale = declared.resale_lot_id
        wanted = await support.make_terms(self.place, round=Round.RESALE, previous_lot_id=lot_id, **terms)
        await lots.change_terms(self.database, call(self.place.clerk), resale, wanted)
        await support.fill_in(self.place, resale)
        for ref in ("applicant", "debtor"):
            await support.notify(self.place, resale, ref)
        frozen(self.database).advance(timedelta(days=3))
        await support.publish(self.place, resale)
        return resale

    async def _lot(self, lot_id: UUID) -> Any:
        async with self.database.reading(platform("test")) as tx:
            return await auction.get_lot(tx, lot_id)

    async def _result(self, lot_id: UUID) -> bidding.LotResult:
        async with self.database.reading(platform("test")) as tx:
            return await bidding.get_result(tx, lot_id)

    async def _decide(self, subject: Subject) -> UUID:
        return (await make_decision(self.database, self.place.court, self.place.case, subject)).id

    async def _bidder(self, lot_id: UUID) -> Actor:
        """Somebody with a real name who has registered and whose deposit is held."""
        number = next(PEOPLE)
        person = await create_staff(
            self.database,
            QUICK_PASSWORDS,
            username=f"bidder-{number}",
            real_name=f"买受人{number}",
            password="a long password",
            roles=[Role.BIDDER],
            court_code=None,
        )
        who = Actor(person.id, person.username, frozenset({Role.BIDDER}), None, "127.0.0.1", random_id())
        published = await self._lot(lot_id)
        wanted = Register(kind=BidderKind.ORDINARY, accepts=str(published.announcement_version), declares_eligible=True)
        await registration.register(self.database, call(who), lot_id, wanted)
        await self.relay.settle()
        own = await deposits.show_own(self.database, who, lot_id)
        await credit(self.database, notice(f"deposit-{number}-{lot_id}", own.account_no, own.due_fen))
        await self.relay.settle()
        return who

    async def _bid(self, lot_id: UUID, who: Actor, price_fen: int) -> Submission:
        async with self.database.reading(who) as tx:
            own = await bidding.find_own_registration(tx, lot_id, who.person)
        assert own is not None
        return Submission(
            lot_id=lot_id,
            kind=Kind.BID,
            key=ordered_id(),
            ingress_at=self.database.clock.now(),
            registration_id=own.id,
            price_fen=Fen(price_fen),
            confirm_fen=Fen(price_fen),
        )

    @asynccontextmanager
    async def _desk(self) -> AsyncIterator[Desk]:
        desk = Desk(self.database.url, self.database.clock, DeskOptions(exclusive=True))
        await desk.start()
        try:
            yield desk
        finally:
            await desk.stop()


def make_market(place: Place) -> Market:
    """The place with a relay that every handler of the platform listens to."""
    relay = Relay(place.database)
    for name in SUBSCRIBERS:
        if find_spec(name):
            importlib.import_module(name).subscribe(relay)
    return Market(place, relay)
