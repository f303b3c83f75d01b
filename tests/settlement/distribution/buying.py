"""A creditor of the case who bought, and how the panel lets them set the price off."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from appraisal.cases import store as cases_store
from appraisal.cases.rules import Subject
from appraisal.claims.rules import ClaimKind
from kernel.actors import platform
from kernel.database import Tx
from settlement.completion import service as completion
from settlement.completion.sale_schemas import SaleView, SetPriceOff
from settlement.distribution import current, handlers, setting_off
from settlement.distribution import service as distribution
from settlement.payouts import handlers as payout_handlers
from tests.appraisal.support import PARTIES, make_claim, party_of
from tests.auction.support import TENANT
from tests.settlement.distribution.road import road_of
from tests.settlement.distribution.test_taking import BANK
from tests.settlement.hall import Bidder, Hall, hall
from tests.settlement.support import within
from tests.support.house import call

YUAN = 100
PRICE, DEPOSIT, COST = 80_000_00, 7_000_00, 2_000_01
MORTGAGE = 30_000_00
SET_OFF, APPLICANT_GETS = 14_400_00, 33_599_99
"""47,999.99 over claims of 30,000.00 and 70,000.00: 14,399.997 and 33,599.993, the odd fen to the larger remainder."""
BALANCE = PRICE - DEPOSIT - SET_OFF


@dataclass
class Bought:
    """A thing that one of the case's creditors bought."""

    place: Hall
    lot_id: UUID
    buyer: Bidder

    def party(self, ref: str) -> UUID:
        return party_of(self.place.place.case, ref).id

    async def set_off(self, lot_id: UUID | None = None, **facts: str | int) -> SaleView:
        """The panel lets 李某 set the price off, unless `facts` say otherwise."""
        decision_id = await self.place.decide(Subject.SET_OFF, dict(facts or {"set_off_for": "李某"}))
        return await self.by(decision_id, lot_id)

    async def by(self, decision_id: UUID, lot_id: UUID | None = None) -> SaleView:
        wanted, judge = SetPriceOff(decision_id=decision_id), self.place.court.judge
        sale = await setting_off.set_price_off(self.place.database, call(judge), lot_id or self.lot_id, wanted)
        await self.place.relay.settle()
        return sale

    async def sale(self) -> SaleView:
        return await completion.show_sale(self.place.database, self.buyer.actor, self.lot_id)

    async def pay(self, amount_fen: int) -> SaleView:
        await self.place.pay(self.buyer, (await self.sale()).account_no, amount_fen)
        return await self.sale()


def of_creditors(url: str) -> Any:
    return hall(url, parties=(*PARTIES, TENANT, BANK))


async def link(place: Hall, ref: str, buyer: Bidder) -> None:
    """The account of the buyer is the party's own."""
    party_id = party_of(place.place.case, ref).id

    async def set_person(tx: Tx) -> None:
        await cases_store.set_person(tx, party_id, buyer.actor.person)

    await within(place.database, set_person)


async def claim(place: Hall, ref: str, principal_fen: int, **terms: Any) -> None:
    await make_claim(place.database, place.court, place.place.case, ref, principal_fen=principal_fen, **terms)


async def bought(place: Hall, *, fee: bool = True, linked: bool = True) -> Bought:
    """Sold to 李某 for 80,000.00; costs of 2,000.01 and a mortgage of 30,000.00 stand before two ordinary claims."""
    for module in (handlers, payout_handlers):
        module.subscribe(place.relay)
    await claim(place, "bank", MORTGAGE, kind=ClaimKind.SECURED, asset_id=place.place.asset_id)
    await claim(place, "applicant", 70_000_00)
    await claim(place, "creditor", 30_000_00)
    lot_id = await place.lot()
    buyer = await place.sold(lot_id, PRICE, "李某")
    await place.cost(COST, lot_id=lot_id)
    if fee:
        await road_of(place.place).set_fee()
    if linked:
        await link(place, "creditor", buyer)
    return Bought(place, lot_id, buyer)


async def set_offs_of(place: Hall) -> int:
    """What a plan drafted now would set off."""
    case_id = place.case_id
    async with place.database.reading(platform("test")) as tx:
        case = await distribution.appraisal.get_case(tx, case_id)
        return sum(each.amount_fen for each in (await current.current_basis(tx, case)).set_offs)
