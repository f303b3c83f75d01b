"""The load generator: a process of its own with one real WebSocket for each bidder and watcher.

Each bidder has one unanswered bid at most. Prices come from one counter per lot, one increment further at each send,
always with `confirm`. Every acknowledgement is kept and written to a file, to be looked up in the database afterwards.
"""

import asyncio
import gc
import secrets
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import msgspec

from app.bench.client import Client, Target, percentiles_ms, play
from app.bench.ground import INCREMENT_FEN, START_FEN, Ticket

DRAIN_S = 5.0
"""How long to wait at the end for answers that are still out."""


class Plan(msgspec.Struct, frozen=True):
    """What to do. `bidders` are (lot index, session token); `rate` 0 is as fast as answers come."""

    host: str
    port: int
    lots: list[str]
    bidders: list[tuple[int, str]]
    watchers: int
    rate: int
    warm_up_s: float
    seconds: float
    start_fen: int
    increment_fen: int
    acks_file: str
    sent_file: str
    """When each accepted bid was sent, by its `seq`; of one lot."""

    def target(self, lot: int) -> Target:
        return Target(self.host, self.port, self.lots[lot])


class Outcome(msgspec.Struct):
    """What was seen. Counts and latencies are those of the measured seconds; acks on file are all."""

    accepted: int = 0
    refused: int = 0
    refusals: dict[str, int] = msgspec.field(default_factory=dict)
    measured_s: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    unanswered: int = 0
    acks_on_file: int = 0
    watched_events: int = 0
    cpu_s: float = 0.0
    begin_s: float = 0.0
    """On the clock that all processes of this machine share."""
    frames: int = 0
    """Text frames that arrived at all sockets of this process."""


class _Refused(msgspec.Struct):
    key: str | None
    code: str


class _Events(msgspec.Struct):
    to: int
    from_: int = msgspec.field(name="from")


_read_refused = msgspec.json.Decoder(_Refused).decode
_read_events = msgspec.json.Decoder(_Events).decode


class Load:
    """All sockets of the run, the price counters, and what came back."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.prices = [plan.start_fen] * len(plan.lots)
        self.acks: list[tuple[int, str, int, int, float]] = []
        """(lot index, key, seq, price, when it was sent)."""
        self.frames = 0
        self.latencies: list[float] = []
        self.outcome = Outcome()
        self.begin = self.end = float("inf")
        self.sending = False
        self.idle: deque[Bidder] = deque()

    def next_price(self, lot: int) -> int:
        price = self.prices[lot]
        self.prices[lot] = price + self.plan.increment_fen
        return price

    def answered(self, bidder: "Bidder", accepted: bool, code: str = "") -> None:
        now = time.perf_counter()
        if self.begin <= now < self.end:
            if accepted:
                self.outcome.accepted += 1
                self.latencies.append(now - bidder.sent_at)
            else:
                self.outcome.refused += 1
                self.outcome.refusals[code] = self.outcome.refusals.get(code, 0) + 1
        if not self.sending:
            return
        if self.plan.rate:
            self.idle.append(bidder)
        else:
            bidder.send()

    async def pace(self) -> None:
        """With a rate: let idle bidders send, so many a second in all."""
        started, sent = time.perf_counter(), 0
        while self.sending:
            due = int((time.perf_counter() - started) * self.plan.rate) - sent
            for _ in range(min(due, len(self.idle))):
                self.idle.popleft().send()
            sent += due
            next_s = started + (sent + 1) / self.plan.rate
            await asyncio.sleep(max(0.001, next_s - time.perf_counter()))


class Bidder(Client):
    """Sends a bid, waits for its answer, sends the next."""

    def __init__(self, load: Load, lot: int, token: str) -> None:
        super().__init__(load.plan.target(lot), token)
        self._load = load
        self._lot = lot
        noise = secrets.token_hex(10)
        self._prefix = f"{noise[:8]}-{noise[8:12]}-4{noise[12:15]}-8{noise[15:18]}-"
        self._number = 0
        self._price = 0
        self.key = ""
        self.sent_at = 0.0
        self.waiting = False

    def send(self) -> None:
        self._number += 1
        self.key = key = f"{self._prefix}{self._number:012x}"
        self._price = price = self._load.next_price(self._lot)
        self.waiting = True
        self.sent_at = time.perf_counter()
        self.text(b'{"t":"bid","key":"%b","price_fen":%d,"confirm":%d}' % (key.encode(), price, price))

    def message(self, payload: bytes) -> None:
        self._load.frames += 1
        if payload.startswith(b'{"t":"ack"'):
            seq = _seq_of(payload, self.key)
            self._load.acks.append((self._lot, self.key, seq, self._price, self.sent_at))
            self.waiting = False
            self._load.answered(self, True)
        elif payload.startswith(b'{"t":"refused"'):
            refused = _read_refused(payload)
            assert refused.key == self.key, refused
            self.waiting = False
            self._load.answered(self, False, refused.code)


def _seq_of(ack: bytes, key: str) -> int:
    """The number in an acknowledgement, which must be the one of `key`; its receipt is looked at by nobody here."""
    before = b'{"t":"ack","key":"%b","seq":' % key.encode()
    assert ack.startswith(before), ack
    return int(ack[len(before) : ack.index(b",", len(before))])


class Watcher(Client):
    """Only looks; counts the events it was told of."""

    def __init__(self, load: Load, lot: int) -> None:
        super().__init__(load.plan.target(lot), None)
        self._load = load

    def message(self, payload: bytes) -> None:
        self._load.frames += 1
        if payload.startswith(b'{"t":"events"'):
            events = _read_events(payload)
            self._load.outcome.watched_events += events.to - events.from_ + 1


async def bid(plan: Plan) -> Outcome:
    """Run the plan."""
    load = Load(plan)
    bidders = [Bidder(load, lot, session) for lot, session in plan.bidders]
    watchers = [Watcher(load, number % len(plan.lots)) for number in range(plan.watchers)]
    for socket in [*bidders, *watchers]:
        await socket.connect()
    gc.collect()
    gc.disable()
    load.sending = True
    pacing = asyncio.create_task(load.pace()) if plan.rate else None
    load.begin = time.perf_counter() + plan.warm_up_s
    load.end = load.begin + plan.seconds
    for bidder in bidders:
        if plan.rate:
            load.idle.append(bidder)
        else:
            bidder.send()
    await asyncio.sleep(plan.warm_up_s)
    cpu_before, frames_before = time.process_time(), load.frames
    await asyncio.sleep(plan.seconds)
    load.outcome.cpu_s = round(time.process_time() - cpu_before, 2)
    load.outcome.frames = load.frames - frames_before
    load.sending = False
    if pacing is not None:
        await pacing
    for _ in range(int(DRAIN_S / 0.05)):
        if not any(bidder.waiting for bidder in bidders):
            break
        await asyncio.sleep(0.05)
    load.outcome.unanswered = sum(bidder.waiting for bidder in bidders)
    for open_socket in [*bidders, *watchers]:
        open_socket.close()
    return finish(load)


def finish(load: Load) -> Outcome:
    """Write the acknowledgements down and sum up."""
    outcome = load.outcome
    outcome.measured_s = load.plan.seconds
    outcome.begin_s = load.begin
    outcome.p50_ms, outcome.p99_ms = percentiles_ms(load.latencies)
    lines = (f"{load.plan.lots[lot]}\t{key}\t{seq}\t{price}\n" for lot, key, seq, price, _ in load.acks)
    Path(load.plan.acks_file).write_text("".join(lines))
    Path(load.plan.sent_file).write_text("".join(f"{seq}\t{when:.6f}\n" for *_, seq, _, when in load.acks))
    outcome.acks_on_file = len(load.acks)
    return outcome


def plan_of(
    tickets: list[Ticket], port: int, folder: Path, *, watchers: int, rate: int, warm_up_s: float, seconds: float
) -> Plan:
    """A plan for the bidders of `tickets` against the server on `port`; what it leaves behind lies in `folder`."""
    lots = sorted({str(ticket.lot_id) for ticket in tickets})
    return Plan(
        host="127.0.0.1",
        port=port,
        lots=lots,
        bidders=[(lots.index(str(ticket.lot_id)), ticket.token) for ticket in tickets],
        watchers=watchers,
        rate=rate,
        warm_up_s=warm_up_s,
        seconds=seconds,
        start_fen=START_FEN,
        increment_fen=INCREMENT_FEN,
        acks_file=str(folder / "acks.tsv"),
        sent_file=str(folder / "sent.tsv"),
    )


def played(plan: Plan) -> Outcome:
    """What came of the plan, run by a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "app.bench.load"], input=msgspec.json.encode(plan), stdout=subprocess.PIPE, check=True
    )
    return msgspec.json.decode(done.stdout, type=Outcome)


if __name__ == "__main__":
    play(Plan, bid)
