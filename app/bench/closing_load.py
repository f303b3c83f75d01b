"""Who bids at the last moment: a process of its own, one real WebSocket for each lot with a bid still waiting.

Each has bid once before, too little, so that the server knows who sits behind the socket, as it does of people who have
been bidding. Then all send within a moment just before the end, those with too little first and the good bids behind.
"""

import asyncio
import gc
import time
from typing import Literal
from uuid import uuid4

import msgspec

from app.bench.client import Client, Target, play

ENTER_AT_ONCE = 32
READY_WITHIN_S = 30.0
ANSWERED_WITHIN_S = 60.0
LEAD = 0.4
"""Of the time in which all are answered: by then each is received, and most still wait."""
SHORTEST_LEAD_S, LONGEST_LEAD_S = 0.3, 0.5


class Plan(msgspec.Struct, frozen=True):
    """What to do. `bidders` are (lot, session token, price) in the order in which they send, `lead_s` before the end
    (epoch); without that, so long before it that most must wait."""

    host: str
    port: int
    bidders: list[tuple[str, str, int]]
    too_little_fen: int
    ends_at: float
    lead_s: float | None


class Outcome(msgspec.Struct):
    """What was seen. `late_s`: the last answer, after the end; `waited`: answers that came after it."""

    ready_before_s: float = 0.0
    lead_s: float = 0.0
    sent_within_s: float = 0.0
    accepted: int = 0
    refusals: dict[str, int] = msgspec.field(default_factory=dict)
    unanswered: int = 0
    waited: int = 0
    last_answer_s: float = 0.0
    cpu_s: float = 0.0


class _Answer(msgspec.Struct):
    t: Literal["ack", "refused"]
    key: str
    code: str = ""


_read = msgspec.json.Decoder(_Answer).decode
ANSWERS = (b'{"t":"ack"', b'{"t":"refused"')


class Latecomer(Client):
    """Sends one bid and keeps what was answered, and when."""

    def __init__(self, target: Target, token: str, price_fen: int) -> None:
        super().__init__(target, token)
        self.price_fen = price_fen
        self.key = ""
        self.answer: _Answer | None = None
        self.answered_at = 0.0
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, price_fen: int) -> None:
        self.key, self.answer = str(uuid4()), None
        self.answered = asyncio.get_running_loop().create_future()
        self.text(b'{"t":"bid","key":"%b","price_fen":%d,"confirm":%d}' % (self.key.encode(), price_fen, price_fen))

    def message(self, payload: bytes) -> None:
        if payload.startswith(ANSWERS):
            answer = _read(payload)
            assert answer.key == self.key, answer
            self.answer, self.answered_at = answer, time.time()
            self.answered.set_result(None)


async def bid(plan: Plan) -> Outcome:
    """Run the plan."""
    outcome, turn = Outcome(), asyncio.Semaphore(ENTER_AT_ONCE)
    bidders = [Latecomer(Target(plan.host, plan.port, lot), token, price) for lot, token, price in plan.bidders]

    async def enter(bidder: Latecomer) -> None:
        async with turn:
            await bidder.connect()
            bidder.send(plan.too_little_fen)
            await asyncio.wait_for(bidder.answered, READY_WITHIN_S)

    await asyncio.gather(*map(enter, bidders))
    gc.collect()
    gc.disable()
    outcome.lead_s = await _rehearse(plan, bidders) if plan.lead_s is None else plan.lead_s
    send_at = plan.ends_at - outcome.lead_s
    outcome.ready_before_s = round(send_at - time.time(), 2)
    await asyncio.sleep(max(0.0, send_at - time.time()))
    began = time.time()
    for bidder in bidders:
        bidder.send(bidder.price_fen)
    outcome.sent_within_s = round(time.time() - began, 3)
    if bidders:
        await asyncio.wait([bidder.answered for bidder in bidders], timeout=plan.ends_at - began + ANSWERED_WITHIN_S)
    _sum_up(plan, bidders, outcome)
    for bidder in bidders:
        bidder.close()
    return outcome


async def _rehearse(plan: Plan, bidders: list[Latecomer]) -> float:
    """All send at once a bid that is too little, well before the end: how long they take tells the lead.

    Twice, since the first time is slow.
    """
    took = []
    for _ in range(2):
        began = time.time()
        for bidder in bidders:
            bidder.send(plan.too_little_fen)
        await asyncio.wait_for(asyncio.gather(*(bidder.answered for bidder in bidders)), READY_WITHIN_S)
        took.append(time.time() - began)
        await asyncio.sleep(1)
    return round(min(max(SHORTEST_LEAD_S, LEAD * min(took)), LONGEST_LEAD_S), 3)


def _sum_up(plan: Plan, bidders: list[Latecomer], outcome: Outcome) -> None:
    outcome.cpu_s = round(time.process_time(), 2)
    for bidder in bidders:
        if bidder.answer is None:
            outcome.unanswered += 1
            continue
        outcome.last_answer_s = max(outcome.last_answer_s, round(bidder.answered_at - plan.ends_at, 3))
        outcome.waited += bidder.answered_at > plan.ends_at
        if bidder.answer.t == "ack":
            outcome.accepted += 1
        else:
            outcome.refusals[bidder.answer.code] = outcome.refusals.get(bidder.answer.code, 0) + 1


if __name__ == "__main__":
    play(Plan, bid)
