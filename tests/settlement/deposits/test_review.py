"""The review after a sale (row 92): who has a payer or an address in common; bids are accepted all the same."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from kernel.actors import Role, platform
from kernel.clock import real_now
from kernel.errors import Forbidden, NotFound, Refusal
from kernel.identity.models import LoginSession
from kernel.ids import ordered_id, token
from settlement.deposits.review import review_lot
from settlement.deposits.rules import in_common
from settlement.deposits.schemas import Review, ReviewLot
from tests.appraisal.support import make_court
from tests.settlement.hall import Bidder, Hall, hall
from tests.support.house import call

pytestmark = pytest.mark.anyio


async def signed_in_from(place: Hall, bidder: Bidder, address: str) -> None:
    """One more sign-in of the bidder."""
    now = real_now()
    session = LoginSession(
        id=ordered_id(),
        token_hash=token().encode()[:32],
        person_id=bidder.actor.person,
        address=address,
        started_at=now,
        expires_at=now + timedelta(hours=1),
    )
    async with place.database.transaction(platform("test")) as tx:
        tx.session.add(session)


async def review(place: Hall, lot_id: UUID, who: object = None) -> Review:
    judge = who or place.court.judge
    return await review_lot(place.database, call(judge), lot_id, ReviewLot(reason="当事人反映串通竞买"))  # type: ignore[arg-type]


async def codes(place: Hall, *bidders: Bidder) -> tuple[str, ...]:
    ids = {registration for bidder in bidders for registration in bidder.registrations.values()}
    async with place.database.reading(platform("test")) as tx:
        rows = await tx.session.execute(text("SELECT id, code FROM bidding.registration"))
        return tuple(sorted(code for registration_id, code in rows if registration_id in ids))


async def test_what_bidders_have_in_common_is_reported_after_the_end(database_url: str) -> None:
    """Two are paid for from one account and two sign in at one place: all are admitted and bid like anybody."""
    async with hall(database_url) as place:
        lot_id = await place.lot()
        one, two, three, alone = [await place.bidder(name) for name in ("张三", "李四", "王五", "赵六")]
        two = replace(two, account=one.account)
        for bidder, address in ((one, "10.0.0.1"), (two, "10.0.0.2"), (three, "10.0.0.2"), (alone, "10.0.0.3")):
            await signed_in_from(place, bidder, address)
            own = await place.register(bidder, lot_id)
            await place.pay(bidder, own.account_no, own.due_fen)
            assert (await place.deposit(bidder, lot_id)).state == "held"
        with pytest.raises(Refusal) as sealed:
            await review(place, lot_id)
        assert sealed.value.code == "identity-sealed"
        await place.sell(lot_id, (one, 70_000_00), (two, 75_000_00))
        await place.relay.settle()

        found = await review(place, lot_id)
        assert found.same_payer == (await codes(place, one, two),)
        assert found.same_address == (await codes(place, two, three),)
        async with place.database.reading(platform("test")) as tx:
            opened = await tx.session.execute(text("SELECT purpose, actor_id FROM bidding.identity_access"))
            looked = [actor for purpose, actor in opened if purpose == "当事人反映串通竞买"]
            status = await tx.session.scalar(text("SELECT outcome FROM bidding.lot"))
        assert looked == [place.court.judge.person_id] * 4, "each link that was opened left its row"
        assert status == "sold", "a report changes nothing"


async def test_only_a_judge_of_the_court_looks(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        with pytest.raises(Forbidden):
            await review(place, lot_id, place.court.clerk)
        with pytest.raises(Forbidden):
            await review(place, lot_id, place.court.staff(Role.OPERATOR))
        with pytest.raises(NotFound):
            await review(place, lot_id, (await make_court(place.database)).judge)


def test_groups_are_named_once() -> None:
    assert in_common({}) == ()
    assert in_common({"A": {"x"}, "B": {"y"}, "C": set()}) == ()
    assert in_common({"B": {"x", "y"}, "A": {"y", "x"}, "C": {"z"}}) == (("A", "B"),)
    assert in_common({"A": {"x"}, "B": {"x", "y"}, "C": {"y"}}) == (("A", "B"), ("B", "C"))
