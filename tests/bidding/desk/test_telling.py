"""Answers are told in slices beside the next batch: in the order of commits, and to the last."""

import asyncio
from collections import Counter

import pytest

from bidding.desk import desk as desks
from bidding.desk.submissions import Answer
from bidding.desk.telling import Telling
from tests.bidding.desk.house import START, STEP, House, code_of, desk_of, house

pytestmark = pytest.mark.anyio

BIDS = 60


async def ended_at_the_first_answer(place: House) -> tuple[Counter[str], int]:
    """What bidders hear whose desk ends while the answers of one batch are being told; and how many bids stand."""
    lot = await place.lot()
    bidder = await place.bidder(lot, "B1")
    async with desk_of(place) as desk:
        await place.settled(lot, "open")
        answers: list[Answer] = []
        heard = asyncio.Event()

        def hear(answer: Answer) -> None:
            if not answers:  # as a foreign epoch ends it
                asyncio.get_running_loop().call_soon(desk._end)
            answers.append(answer)
            if len(answers) == BIDS:
                heard.set()

        for number in range(BIDS):
            price = START + number * STEP
            desk.enter(place.bid(lot, bidder, price, confirm=price), hear)
        await asyncio.wait_for(heard.wait(), 5)
    return Counter(code_of(answer) for answer in answers), (await place.row(lot))["bids"]


async def test_a_desk_that_ends_tells_first_what_it_has_committed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "TOLD_A_TURN", 1)
    async with house(database_url) as place:
        heard, stand = await ended_at_the_first_answer(place)
    assert heard == {"accepted": stand}


async def test_without_it_committed_bids_would_be_told_busy(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above."""
    monkeypatch.setattr(desks, "TOLD_A_TURN", 1)
    monkeypatch.setattr(Telling, "finish", lambda _: None)
    async with house(database_url) as place:
        heard, stand = await ended_at_the_first_answer(place)
    assert heard["busy"] > 0
    assert stand == BIDS


async def test_answers_come_in_the_order_of_commits(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the batches and the slices are."""
    monkeypatch.setattr(desks, "MAX_BIDS", 7)
    monkeypatch.setattr(desks, "WORTH_A_BATCH", 1)
    monkeypatch.setattr(desks, "TOLD_A_TURN", 2)
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        await place.settled(lot, "open")
        heard: list[int | None] = []
        for number in range(BIDS):
            price = START + number * STEP
            desk.enter(place.bid(lot, bidder, price, confirm=price), lambda answer: heard.append(answer.seq))
        async with asyncio.timeout(10):
            while len(heard) < BIDS:
                await asyncio.sleep(0.01)
        assert heard == list(range(2, BIDS + 2))
        batches = await place.db.fetchval("SELECT count(DISTINCT batch) FROM bidding.submission WHERE kind = 'bid'")
        assert batches >= BIDS // 7


async def test_a_bidder_who_cannot_be_told_keeps_nobody_waiting(database_url: str) -> None:
    async with house(database_url) as place, desk_of(place) as desk:
        lot = await place.lot()
        bidder = await place.bidder(lot, "B1")
        await place.settled(lot, "open")

        def broken(_: Answer) -> None:
            raise ConnectionResetError

        desk.enter(place.bid(lot, bidder, START), broken)
        answer = await asyncio.wait_for(desk.submit(place.bid(lot, bidder, START + STEP, confirm=START + STEP)), 5)
        assert code_of(answer) == "accepted"
        assert desk.serving
