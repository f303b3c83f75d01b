"""`auction bench close`: thousands of lots that end at one instant, their waiting bids, and the money behind them.

Every lot has a leader and the held deposits of all its bidders. Just before the end bids arrive through real sockets
faster than they are decided: half of the lots get one that is too little, further lots a good one, which extends them.
The server is `auction serve` in a process of its own on an embedded database of its own, PostgreSQL as durable as it
is. Seconds count from the end that the lots have; what is done is read from committed rows.
"""

import asyncio
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import text

from app.bench.closing_ground import LEADING_FEN, Closing, lay_out
from app.bench.closing_load import Outcome, Plan
from app.bench.ground import INCREMENT_FEN
from app.bench.processes import cpu_s, family_cpu_s
from app.bench.stage import LIMITS, Served, durability, folder_for_data, not_durable, postgres_in, say, server
from app.migrate import migrate
from bidding.desk.rules import EXTENSION
from kernel.actors import platform
from kernel.clock import SystemClock
from kernel.database import Database
from settlement.ledger import verify as ledger_verify

RAISED = LIMITS | {"AUCTION_HOLE_SECONDS": "60"}
"""The server starts within the lots' last minutes: the seconds that its start takes would be an outage, and freeze
them."""

FULL_LOTS, FULL_EXTENDED, FULL_BIDDERS = 10_000, 1_000, 5
CLOSED_WITHIN_S = 5.0
SETTLED_WITHIN_S = 10.0
EVERY_S = 0.3
"""Between two looks, which cost the database some milliseconds each."""


class Options(msgspec.Struct, frozen=True):
    """The command line. `extended` lots end with a good bid waiting and close later, beside the `lots` that close."""

    lots: int = FULL_LOTS
    extended: int = FULL_EXTENDED
    bidders_per_lot: int = FULL_BIDDERS
    lead_ms: int | None = None
    """How long before the end the waiting bids are sent; without it a rehearsal tells."""
    patience_s: int = 300
    """How long after the end the money is waited for."""
    ahead_s: int | None = None
    """How long before the end the lots are there: leading bids, the server's start and the sockets take their time."""
    data_dir: str = ".data"

    @property
    def waiting(self) -> int:
        """Bids that wait at the end: too little on half of the lots that close, good ones on those that do not."""
        return self.lots // 2 + self.extended

    @property
    def ends_in(self) -> timedelta:
        return timedelta(seconds=self.ahead_s or 20 + self.lots // 500 + self.waiting // 100)


class Progress(msgspec.Struct, frozen=True):
    """What is committed so far; `closed` is not counted again once it is all."""

    closed: int
    released: int
    applied: int
    sales: int


class Settled(msgspec.Struct):
    """Seconds from the end until the last of each was seen committed; None: not within the patience."""

    closed_s: float | None = None
    released_s: float | None = None
    applied_s: float | None = None
    server_cpu_s: float = 0.0
    postgres_cpu_s: float = 0.0


def main_bench_close(options: Options) -> int:
    """Run the benchmark; exit code 1 if a lot closed early or wrong, the books do not balance, or money is missing."""
    with folder_for_data(options.data_dir) as folder:
        report = _measure(options, folder)
    print(msgspec.json.encode(report).decode(), flush=True)
    return 1 if report["faults"] else 0


def _measure(options: Options, folder: Path) -> dict[str, Any]:
    with postgres_in(folder) as postgres:
        migrate(postgres.dsn())
        number = options.lots + options.extended
        keys = folder / "signing-keys.json"
        lots, ends_at = asyncio.run(lay_out(postgres.dsn(), keys, number, options.bidders_per_lot, options.ends_in))
    with server(folder, RAISED) as served:
        left = (ends_at - datetime.now(UTC)).total_seconds()
        say(f"{len(lots)} lots with {options.bidders_per_lot} deposits each end in {left:.0f} s, port {served.port}")
        outcome, settled = asyncio.run(_close(options, folder, lots, ends_at, served))
    with postgres_in(folder) as postgres:
        say("all done or given up; now the books")
        found = asyncio.run(_look_up(postgres.dsn(), options, ends_at))
    return _report(options, folder, outcome, settled, found)


async def _close(
    options: Options, folder: Path, lots: list[Closing], ends_at: datetime, served: Served
) -> tuple[Outcome, Settled]:
    plan = Plan(
        host="127.0.0.1",
        port=served.port,
        bidders=_bidders(options, lots),
        too_little_fen=LEADING_FEN,
        ends_at=ends_at.timestamp(),
        lead_s=None if options.lead_ms is None else options.lead_ms / 1000,
    )
    load = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.bench.closing_load", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    loading = asyncio.create_task(load.communicate(msgspec.json.encode(plan)))
    postgres = postgres_in(folder)
    db = await asyncpg.connect(postgres.dsn())
    try:
        await asyncio.sleep(max(0.0, ends_at.timestamp() - 1 - time.time()))
        settled = await _watch(options, db, ends_at.timestamp(), served, postgres.pid)
    finally:
        await db.close()
    told, _ = await loading
    return msgspec.json.decode(told, type=Outcome), settled


def _bidders(options: Options, lots: list[Closing]) -> list[tuple[str, str, int]]:
    """Half of the lots that close with too little, then the further lots with a good bid."""
    waiting = [(lot, int(LEADING_FEN)) for lot in lots[: options.lots // 2]]
    waiting += [(lot, LEADING_FEN + INCREMENT_FEN) for lot in lots[options.lots :]]
    return [(str(lot.lot_id), lot.rival.token, price) for lot, price in waiting]


PROGRESS = """
    SELECT CASE WHEN $1 THEN 0 ELSE (SELECT count(*) FROM bidding.lot WHERE closed_at IS NOT NULL) END,
           count(*) FILTER (WHERE outcome = 'released'), count(*) FILTER (WHERE outcome = 'applied'),
           (SELECT count(*) FROM settlement.sale)
    FROM settlement.hold_end
"""


async def _watch(options: Options, db: Any, end_s: float, served: Served, postgres: int | None) -> Settled:
    """Look several times a second what is committed, until all is or the patience ends."""
    settled = Settled()
    assert postgres is not None
    server_cpu_s, postgres_cpu_s = cpu_s(served.pid), family_cpu_s(postgres)
    while None in (settled.closed_s, settled.released_s, settled.applied_s):
        await asyncio.sleep(EVERY_S)
        done = Progress(*await db.fetchrow(PROGRESS, settled.closed_s is not None))
        since_s = round(time.time() - end_s, 2)
        if settled.closed_s is None and done.closed >= options.lots:
            settled.closed_s = since_s
        if settled.released_s is None and done.released >= options.lots * (options.bidders_per_lot - 1):
            settled.released_s = since_s
        if settled.applied_s is None and done.sales >= options.lots and done.applied >= options.lots:
            settled.applied_s = since_s
        if since_s > options.patience_s:
            say(f"given up: {done}")
            break
    settled.server_cpu_s = round(cpu_s(served.pid) - server_cpu_s, 2)
    settled.postgres_cpu_s = round(family_cpu_s(postgres) - postgres_cpu_s, 2)
    return settled


class Found(msgspec.Struct):
    """What stands in the tables afterwards."""

    closed: int
    sold: int
    frozen: int
    early: int
    late_p99_ms: float
    extended: int
    wrong_ends: int
    entered_late: int
    released: int
    applied: int
    orders: int
    sales: int
    unbalanced: list[str]
    settings: dict[str, str]


LOTS = """
    SELECT count(*) FILTER (WHERE status = 'closed'), count(*) FILTER (WHERE outcome = 'sold'),
           count(*) FILTER (WHERE status = 'frozen'),
           count(*) FILTER (WHERE status = 'closed' AND (closed_at < ends_at OR decided_at < ends_at)),
           coalesce(extract(epoch FROM percentile_disc(0.99) WITHIN GROUP (ORDER BY decided_at - ends_at)
                                       FILTER (WHERE status = 'closed')) * 1000, 0)::float8,
           count(*) FILTER (WHERE status = 'open' AND ends_at > $1::timestamptz),
           count(*) FILTER (WHERE ends_at IS DISTINCT FROM coalesce(b.received_at + $2::interval, $1))
    FROM bidding.lot l LEFT JOIN (
        SELECT lot_id, max(received_at) AS received_at FROM bidding.submission
        WHERE kind = 'bid' AND seq IS NOT NULL AND received_at >= $1::timestamptz - $2::interval
        GROUP BY lot_id) b USING (lot_id)
"""
ENTERED_LATE = "SELECT count(*) FROM bidding.submission WHERE kind = 'bid' AND received_at >= $1"
MONEY = """
    SELECT count(*) FILTER (WHERE e.outcome = 'released' AND o.amount_fen = h.amount_fen),
           count(*) FILTER (WHERE e.outcome = 'applied' AND t.amount_fen = h.amount_fen AND p.id IS NOT NULL),
           (SELECT count(*) FROM settlement.payment_order WHERE reason = 'deposits.released'),
           (SELECT count(*) FROM settlement.sale)
    FROM settlement.hold_end e
    JOIN settlement.hold h ON h.id = e.hold_id
    JOIN settlement.deposit d USING (registration_id)
    LEFT JOIN settlement.payment_order o ON o.from_account = d.account_id
    LEFT JOIN settlement.entry n ON n.natural_key = 'deposits.applied:' || h.id
    LEFT JOIN settlement.transfer t ON t.entry_id = n.id
    LEFT JOIN settlement.hold p ON p.registration_id = h.registration_id AND p.stage = 'price' AND p.part = h.part
"""
PATIENCE = text("SET LOCAL idle_in_transaction_session_timeout = '5min'")


async def _look_up(url: str, options: Options, ends_at: datetime) -> Found:
    """Count what was closed, extended and moved, and let the ledger prove its books."""
    database = Database(url, SystemClock())
    db = await asyncpg.connect(url)
    try:
        async with database.reading(platform("bench")) as tx:
            await tx.session.execute(PATIENCE)
            unbalanced = await ledger_verify.faults(tx)
        closed, sold, frozen, early, late_p99_ms, extended, wrong_ends = (await db.fetch(LOTS, ends_at, EXTENSION))[0]
        released, applied, orders, sales = (await db.fetch(MONEY))[0]
        return Found(
            closed=closed,
            sold=sold,
            frozen=frozen,
            early=early,
            late_p99_ms=round(late_p99_ms, 1),
            extended=extended,
            wrong_ends=wrong_ends,
            entered_late=await db.fetchval(ENTERED_LATE, ends_at),
            released=released,
            applied=applied,
            orders=orders,
            sales=sales,
            unbalanced=unbalanced,
            settings=await durability(db),
        )
    finally:
        await db.close()
        await database.close()


def _report(options: Options, folder: Path, outcome: Outcome, settled: Settled, found: Found) -> dict[str, Any]:
    done_s = [settled.closed_s, settled.released_s, settled.applied_s]
    met = None not in done_s and outcome.last_answer_s <= CLOSED_WITHIN_S and (settled.closed_s or 0) <= CLOSED_WITHIN_S
    return {
        "lots": options.lots,
        "seconds": None if None in done_s else max(each for each in done_s if each is not None),
        "early": found.early,
        "late_p99_ms": found.late_p99_ms,
        "deposits_released": found.released,
        "deposits_applied": found.applied,
        "unbalanced": len(found.unbalanced),
        "closed": found.closed,
        "closed_s": settled.closed_s,
        "waiting_bids": options.waiting,
        "waiting_at_the_end": outcome.waited,
        "waiting_decided_s": outcome.last_answer_s,
        "released_s": settled.released_s,
        "applied_s": settled.applied_s,
        "extended": found.extended,
        "wrong_ends": found.wrong_ends,
        "entered_late": found.entered_late,
        "refusals": outcome.refusals,
        "bidders_per_lot": options.bidders_per_lot,
        "lead_ms": round(outcome.lead_s * 1000),
        "ready_before_s": outcome.ready_before_s,
        "within_target": met and max(each or 0 for each in done_s) <= SETTLED_WITHIN_S,
        "server_cpu_s": settled.server_cpu_s,
        "postgres_cpu_s": settled.postgres_cpu_s,
        "load_cpu_s": outcome.cpu_s,
        "load_average": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
        "limits": RAISED,
        "settings": found.settings,
        "faults": _faults(options, outcome, found),
        "void": _void(options, folder, outcome, found),
    }


def _faults(options: Options, outcome: Outcome, found: Found) -> list[str]:
    """What the platform did wrong, whatever the speed."""
    losers = options.lots * (options.bidders_per_lot - 1)
    wanted = {
        "lots closed early": (found.early, 0),
        "lots sold": (found.sold, options.lots),
        "lots extended": (found.extended, options.extended),
        "lots with a wrong end": (found.wrong_ends, 0),
        "waiting bids without an answer": (outcome.unanswered, 0),
        "deposits released, with their refund ordered": (found.released, losers),
        "refunds ordered": (found.orders, losers),
        "deposits applied, with their entry and the hold for the price": (found.applied, options.lots),
        "sales opened": (found.sales, options.lots),
    }
    faults = [f"{name}: {is_}, not {should}" for name, (is_, should) in wanted.items() if is_ != should]
    return faults + found.unbalanced[:20]


def _void(options: Options, folder: Path, outcome: Outcome, found: Found) -> list[str]:
    """Why the figures prove nothing; empty for an honest run."""
    reasons = []
    full = (options.lots, options.extended, options.bidders_per_lot) >= (FULL_LOTS, FULL_EXTENDED, FULL_BIDDERS)
    if not full:
        reasons.append(f"fewer than {FULL_LOTS} + {FULL_EXTENDED} lots with {FULL_BIDDERS} deposits each")
    if outcome.ready_before_s < 0:
        reasons.append(f"the sockets were ready {-outcome.ready_before_s} s too late")
    if found.frozen:
        reasons.append(f"{found.frozen} lots were frozen: the server came too late, or an outage was met")
    if found.entered_late:
        reasons.append(f"{found.entered_late} bids entered after the end")
    if outcome.waited < options.waiting // 2:
        reasons.append("most of the bids were decided before the end and did not wait")
    return reasons + not_durable(folder, found.settings)
