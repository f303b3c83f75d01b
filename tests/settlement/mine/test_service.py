"""My place: one reading tells a bidder everything of their own auctions, and nothing of anybody else's."""

import pytest

from auction.catalogue import service as catalogue
from kernel.actors import Role
from settlement.mine import service
from settlement.papers import service as papers
from tests.settlement.hall import hall
from tests.support.house import actor, call

pytestmark = pytest.mark.anyio

PRICE = 80_000_00


async def test_from_the_deposit_to_the_ruling(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer, loser = await place.bidder("王小明"), await place.admitted(lot_id, "李四")
        await place.register(buyer, lot_id)
        (waiting,) = (await service.show_mine(place.database, buyer.actor)).auctions
        assert (waiting.state, waiting.code, waiting.admitted_at) == ("awaiting_deposit", None, None)
        assert waiting.deposit is not None
        assert (waiting.deposit.state, waiting.deposit.missing_fen) == ("awaiting", 7_000_00)

        await place.pay(buyer, waiting.deposit.account_no, waiting.deposit.missing_fen)
        await place.sell(lot_id, (loser, PRICE - 500_00), (buyer, PRICE))
        await place.relay.settle()
        await papers.write_payment_notice(place.database, call(place.court.clerk), lot_id)
        await papers.write_confirmation(place.database, call(place.court.clerk), lot_id)
        (won,) = (await service.show_mine(place.database, buyer.actor)).auctions
        assert (won.lot.outcome, won.bids.accepted, won.bids.highest_fen, won.bids.leads) == ("sold", 1, PRICE, True)
        assert won.sale is not None
        assert (won.sale.missing_fen, won.sale.state) == (PRICE - 7_000_00, "awaiting_balance")
        assert {paper.kind for paper in won.papers} == {"confirmation", "payment_notice"}
        assert won.code == won.lot.leader

        (lost,) = (await service.show_mine(place.database, loser.actor)).auctions
        assert (lost.sale, lost.bids.leads, lost.code == lost.lot.leader) == (None, False, False)
        assert [paper.kind for paper in lost.papers] == ["confirmation"]
        assert lost.deposit is not None
        assert lost.deposit.state == "released"
        assert [refund.amount_fen for refund in lost.deposit.refunds] == [7_000_00]

        await place.pay_balance(buyer, lot_id)
        await place.rule_and_serve(lot_id)
        (served,) = (await service.show_mine(place.database, buyer.actor)).auctions
        assert served.sale is not None
        assert served.sale.state == "served"
        assert (await service.show_mine(place.database, actor(Role.BIDDER))).auctions == ()
        assert (await catalogue.show_lot(place.database, actor(), lot_id)).status == "sold"
