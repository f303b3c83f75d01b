"""Joint bidders on the real road: any of them pays, all are named and read the sale, all are barred (R-CLOSE-01)."""

import pytest
from sqlalchemy import select

from auction.lots.models import Lot
from bidding.registration import confirmations
from bidding.registration.schemas import ConfirmJointBidders, JointBidder
from kernel.actors import platform, visitor
from kernel.errors import NotFound
from settlement import verify
from settlement.completion import service as completion
from tests.settlement.hall import hall
from tests.settlement.support import money_inside
from tests.support.house import call

pytestmark = pytest.mark.anyio

PRICE, DEPOSIT = 80_000_00, 7_000_00


async def test_several_buy_together(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        first, second, stranger = [await place.bidder(name) for name in ("张三", "李四", "赵六")]
        bidders = tuple(JointBidder(username=each.actor.name, parts=parts) for each, parts in ((first, 2), (second, 1)))
        wanted = ConfirmJointBidders(bidders=bidders, proof="联合竞买协议")
        await confirmations.confirm_joint_bidders(place.database, call(place.court.judge), lot_id, wanted)

        own = await place.register(first, lot_id)
        await place.pay(stranger, own.account_no, DEPOSIT)
        assert (await place.deposit(first, lot_id)).state != "held", "R-BID-04: in another's name"
        await place.pay(second, own.account_no, DEPOSIT)
        assert (await place.deposit(first, lot_id)).state == "held", "a companion may pay"

        await place.sell(lot_id, (first, PRICE))
        await place.relay.settle()
        told = await completion.show_confirmation(place.database, visitor("anybody"), lot_id)
        assert told.buyer_name == "张三（2/3）、李四（1/3）"
        assert told.text.startswith(told.buyer_name)
        for buyer in (first, second):
            sale = await completion.show_sale(place.database, buyer.actor, lot_id)
            assert sale.missing_fen == PRICE - DEPOSIT
        with pytest.raises(NotFound):
            await completion.show_sale(place.database, stranger.actor, lot_id)

        place.pass_days(11)
        resale_id = (await place.default(lot_id)).resale_lot_id
        async with place.database.reading(platform("test")) as tx:
            barred = await tx.session.scalar(select(Lot.barred_person_ids).where(Lot.id == resale_id))
            assert await verify.faults(tx) == []
        assert barred == sorted([first.actor.person, second.actor.person])
        assert (await money_inside(place.database))["pending"] == DEPOSIT
