"""Joint bidders (联合竞买): confirmed together before bidding begins, one code, one deposit, all of them buy."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec import json
from sqlalchemy import update

from bidding import api
from bidding.desk import commands
from bidding.desk.models import Lot
from bidding.registration import confirmations, service
from bidding.registration.errors import (
    BarredFromSale,
    BiddingHasBegun,
    IdentitySealed,
    NotTheApplicant,
    TakesPartAlready,
)
from bidding.registration.rules import BidderKind, rank_of_buyers, shares
from bidding.registration.schemas import ConfirmAgent, ConfirmJointBidders, JointBidder, JointBiddersView
from kernel.actors import Actor, platform
from kernel.database import Database
from kernel.decoding import decode
from kernel.errors import Malformed, NotFound, Refusal
from tests.appraisal.support import make_case, make_court, make_decision
from tests.bidding.registration.test_agents import JUDGE, person
from tests.bidding.registration.test_service import grant
from tests.bidding.support import DEPOSIT_FEN, OPENS, admitted, applicants, ordinary, publish
from tests.support.house import call, frozen, opened

pytestmark = pytest.mark.anyio

PARTS = {"first": 3, "second": 2, "third": 1}


async def three(database: Database) -> list[Actor]:
    names = {"first": "张三", "second": "李四", "third": "王五"}
    return [await person(database, username, name) for username, name in names.items()]


async def confirm(database: Database, lot_id: UUID, *names: str, judge: Actor = JUDGE) -> JointBiddersView:
    bidders = tuple(JointBidder(username=name, parts=PARTS.get(name, 1)) for name in names or PARTS)
    wanted = ConfirmJointBidders(bidders=bidders, proof="联合竞买协议")
    return await confirmations.confirm_joint_bidders(database, call(judge), lot_id, wanted)


async def test_one_bids_and_all_of_them_buy(database_url: str) -> None:
    """One code and one deposit, which any of them may pay; after the end, and not before, all are named."""
    async with opened(database_url) as database:
        first, second, third = await three(database)
        await person(database, "stranger", "赵六")
        lot_id = await publish(database)
        told = await confirm(database, lot_id)
        assert [(each.username, each.share) for each in told.bidders] == [
            ("first", "1/2"),
            ("second", "1/3"),
            ("third", "1/6"),
        ]
        _, own = await admitted(database, lot_id, first)
        assert own.deposit_due_fen == DEPOSIT_FEN
        async with database.reading(platform("test")) as tx:
            assert len(await api.list_registrations(tx, lot_id)) == 1
            paid = [await api.is_payer(tx, own.registration_id, name) for name in ("张三", "李四", "王 五", "赵六")]
            assert paid == [True, True, True, False], "R-BID-04"
        with pytest.raises(IdentitySealed):
            async with database.transaction(platform("test")) as tx:
                await api.reveal_buyers(tx, [own.registration_id], "test")
        async with database.transaction(platform("test")) as tx:
            await tx.session.execute(update(Lot).values(status="closed", outcome="failed"))
            revealed = await api.reveal_buyers(tx, [own.registration_id], "test")
        assert [(buyer.person_id, buyer.share) for buyer in revealed[own.registration_id]] == [
            (first.person, "1/2"),
            (second.person, "1/3"),
            (third.person, "1/6"),
        ]


async def test_none_of_them_takes_part_in_that_lot_otherwise(database_url: str) -> None:
    async with opened(database_url) as database:
        first, second, third = await three(database)
        await person(database, "stranger", "赵六")
        lot_id, other = await publish(database), await publish(database)
        await confirm(database, lot_id)
        for companion in (second, third):
            with pytest.raises(TakesPartAlready):
                await service.register(database, call(companion), lot_id, ordinary())
        with pytest.raises(TakesPartAlready):
            await confirm(database, lot_id, "stranger", "third")
        for agent, principal in (("second", "stranger"), ("stranger", "second"), ("first", "stranger")):
            wanted = ConfirmAgent(agent=agent, principal=principal, proof="授权委托书")
            with pytest.raises(TakesPartAlready):
                await confirmations.confirm_agent(database, call(JUDGE), lot_id, wanted)
        await service.register(database, call(first), lot_id, ordinary())
        await service.register(database, call(second), other, ordinary())
        with pytest.raises(TakesPartAlready):
            await confirm(database, other)


async def test_they_are_confirmed_before_bidding_begins(database_url: str) -> None:
    async with opened(database_url) as database:
        await three(database)
        in_time, too_late = await publish(database), await publish(database)
        frozen(database).set(OPENS - timedelta(milliseconds=1))
        await confirm(database, in_time)
        frozen(database).set(OPENS)
        with pytest.raises(BiddingHasBegun):
            await confirm(database, too_late)
        with pytest.raises(NotFound):
            await confirm(database, in_time, "first", "nobody")


async def test_one_who_is_barred_bars_them_all(database_url: str) -> None:
    async with opened(database_url) as database:
        first, _, third = await three(database)
        lot_id = await publish(database, barred_person_ids=(third.person,))
        await confirm(database, lot_id)
        with pytest.raises(BarredFromSale):
            await service.register(database, call(first), lot_id, ordinary())


async def test_only_applicants_together_are_spared_the_deposit(database_url: str) -> None:
    """R-BID-05 names the applicant alone; companions who are none do not profit from the claim."""
    async with opened(database_url) as database:
        first, second, third = await three(database)
        two = await applicants(database, (first, 150_000), (second, 0))
        mixed = await publish(database, case_id=two.id)
        await confirm(database, mixed)
        with pytest.raises(NotTheApplicant):
            await service.register(database, call(first), mixed, ordinary(BidderKind.APPLICANT))
        three_of_them = await applicants(database, (first, 100_000), (second, 50_000), (third, 0))
        whole = await publish(database, case_id=three_of_them.id)
        await confirm(database, whole)
        own = await service.register(database, call(first), whole, ordinary(BidderKind.APPLICANT))
        assert own.deposit_due_fen == 50_000


async def test_they_have_priority_once_all_of_them_have(database_url: str) -> None:
    """The most junior rank counts, granted before the registration or after it."""
    async with opened(database_url) as database:
        court = await make_court(database)
        case = await make_case(database, court)
        decision = await make_decision(database, court, case, "priority")
        first, second, third = await three(database)
        lot_id = await publish(database, case_id=case.id, court_id=court.id)
        await confirm(database, lot_id, judge=court.judge)
        await grant(database, court.judge, lot_id, first, 1, decision.id)
        _, own = await admitted(database, lot_id, first)
        assert own.priority_rank is None
        await grant(database, court.judge, lot_id, second, 3, decision.id)
        assert (await service.show_own(database, first, lot_id)).priority_rank is None
        await grant(database, court.judge, lot_id, third, 2, decision.id)
        after = await service.show_own(database, first, lot_id)
        assert (after.priority_rank, str(after.code)[0]) == (3, "P")


async def test_confirming_waits_for_who_is_registering(database_url: str) -> None:
    """The lot's lock decides between them; without it both find the other absent, and one stands behind two."""
    async with opened(database_url) as database:
        _, second, _ = await three(database)
        lot_id = await publish(database)
        async with database.transaction(second) as tx:
            await commands.lock_lot(tx, lot_id)
            async with asyncio.TaskGroup() as group:
                both = [
                    group.create_task(refusal_of(confirm(database, lot_id))),
                    group.create_task(refusal_of(service.register(database, call(second), lot_id, ordinary()))),
                ]
                await asyncio.sleep(0.2)
                assert not any(task.done() for task in both)
                await tx.session.commit()
        assert sorted(task.result() for task in both) == ["", "takes-part-already"]


async def refusal_of(work: object) -> str:
    try:
        await work  # type: ignore[misc]
    except Refusal as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize(
    ("bidders", "path"),
    [
        ([], "$.bidders"),
        ([{"username": "a", "parts": 1}], "$.bidders"),
        ([{"username": "a", "parts": 1}, {"username": "A", "parts": 1}], "$.bidders"),
        ([{"username": "a", "parts": 1}, {"username": "b", "parts": 0}], "$.bidders[1].parts"),
        ([{"username": "a", "parts": 1}, {"username": "b", "parts": 0.5}], "$.bidders[1].parts"),
        ([{"username": "a", "parts": 1}, {"username": "b", "parts": "1"}], "$.bidders[1].parts"),
        ([{"username": "a", "parts": 1}, {"username": "b"}], "$.bidders[1].parts"),
        ([{"username": str(n), "parts": 1} for n in range(51)], "$.bidders"),
    ],
)
def test_malformed(bidders: object, path: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode(json.encode({"bidders": bidders, "proof": "x"}), ConfirmJointBidders)
    assert caught.value.facts["path"] == path


def test_shares_are_exact() -> None:
    assert shares([1, 1, 1]) == ["1/3"] * 3
    assert shares([50, 25, 25]) == ["1/2", "1/4", "1/4"]
    assert shares([]) == []


def test_the_most_junior_rank_counts() -> None:
    assert rank_of_buyers([1]) == 1
    assert rank_of_buyers([1, 3, 2]) == 3
    assert rank_of_buyers([1, None]) is None
    assert rank_of_buyers([None]) is None
