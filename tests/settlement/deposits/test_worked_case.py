"""W-04 on the real road: what a creditor who bids has to pay of a deposit of 200,000.00 (R-BID-05)."""

import pytest

from bidding.registration.rules import BidderKind
from kernel.actors import platform
from kernel.money import Fen
from settlement import verify
from tests.appraisal.support import link_person, make_claim
from tests.settlement.hall import hall
from tests.settlement.support import money_inside

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("kind", "claim_fen", "due_fen"),
    [
        (BidderKind.ORDINARY, None, 200_000_00),
        (BidderKind.APPLICANT, 150_000_00, 50_000_00),
        (BidderKind.APPLICANT, 200_000_00, 0),
        (BidderKind.APPLICANT, 250_000_00, 0),
        (BidderKind.OTHER_CREDITOR, 900_000_00, 200_000_00),
    ],
)
async def test_w04_the_applicant_alone_is_spared(
    database_url: str, kind: BidderKind, claim_fen: int | None, due_fen: int
) -> None:
    async with hall(database_url, reference_price_fen=Fen(2_000_000_00)) as place:
        lot_id = await place.lot(start_price_fen=Fen(1_500_000_00), deposit_fen=Fen(200_000_00))
        bidder = await place.bidder()
        if claim_fen is not None:
            ref = "applicant" if kind is BidderKind.APPLICANT else "creditor"
            await link_person(place.database, place.place.case, ref, bidder.actor.person)
            await make_claim(place.database, place.court, place.place.case, ref, principal_fen=claim_fen)
        own = await place.register(bidder, lot_id, kind)
        assert (own.due_fen, own.state) == (due_fen, "awaiting" if due_fen else "exempt")
        if due_fen:
            await place.pay(bidder, own.account_no, due_fen - 1)
            assert (await place.deposit(bidder, lot_id)).state == "awaiting", "one fen short"
            await place.pay(bidder, own.account_no, 1)
            assert (await place.deposit(bidder, lot_id)).state == "held"
        await place.sell(lot_id, (bidder, 1_500_000_00))
        await place.relay.settle()
        assert await money_inside(place.database) == ({"lot": due_fen} if due_fen else {})
        async with place.database.reading(platform("verify")) as tx:
            assert await verify.faults(tx) == []
