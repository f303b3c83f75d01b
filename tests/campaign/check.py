"""What must be true when all is quiet again (invariants 1 to 8, 10 to 15, 28, 32, 34, 36)."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from bidding import verify
from bidding.desk.chain import inner_event
from bidding.evidence.store import OF_SINGLE_LOTS
from kernel.actors import platform
from kernel.clock import SystemClock
from kernel.database import Database
from kernel.errors import Busy
from tests.campaign import views
from tests.campaign.ground import Ground
from tests.campaign.load import patient
from tests.campaign.people import Bidder, Watcher
from tests.campaign.world import connected

LATE = timedelta(seconds=5)
"""The longest a close may come after its end, outages apart."""


Row = Mapping[str, Any]

Hit = tuple[int, int, datetime, UUID]
"""An outage of single lots, by share, epoch and end, and a lot that it hit."""


@dataclass
class Findings:
    """What was found. `broken`: one sentence for each thing that should not be."""

    broken: list[str] = field(default_factory=list)
    closed: int = 0
    frozen: int = 0
    outages: dict[str, int] = field(default_factory=dict)
    slowest_view_s: float = 0.0
    """The longest that a watcher lagged behind an acknowledgement, the spans apart in which it was blind."""


async def at_rest(url: str, watchers: Sequence[Watcher], within_s: float) -> None:
    """Wait until every watcher has seen its lot's last event; raises TimeoutError."""
    db = await connected(url)
    try:
        async with asyncio.timeout(within_s):
            while True:
                rows = {row[0]: row[1] for row in await db.fetch("SELECT lot_id, seq FROM bidding.lot")}
                if all(watcher.seq == rows[watcher.lot_id] for watcher in watchers):
                    return
                await asyncio.sleep(0.2)
    finally:
        await db.close()


async def everything(
    url: str, land: Ground, bidders: Sequence[Bidder], watchers: Sequence[Watcher], blind: Sequence[views.Span]
) -> Findings:
    """Compare journals, logs and database. `blind`: when a fault may have taken the view from a watcher."""
    db = await connected(url)
    try:
        lots = {row["lot_id"]: row for row in await db.fetch("SELECT * FROM bidding.lot")}
        rows = await db.fetch("SELECT * FROM bidding.submission ORDER BY lot_id, entry")
        outages = await db.fetch("SELECT * FROM bidding.desk_outage ORDER BY since")
        hits = {tuple(row) for row in await db.fetch("SELECT share, epoch, until, lot_id FROM bidding.outage_lot")}
        findings = Findings(
            closed=sum(lot["status"] == "closed" for lot in lots.values()),
            frozen=sum(row["kind"] == "frozen" and row["seq"] is not None for row in rows),
            outages={},
        )
        for outage in outages:
            findings.outages[outage["cause"]] = findings.outages.get(outage["cause"], 0) + 1
        findings.broken += [fault for watcher in watchers for fault in watcher.faults]
        findings.broken += _journals(bidders, rows)
        findings.broken += _logs(watchers, lots, rows)
        findings.broken += _ends(land, lots, rows, outages, hits)
        findings.broken += _undecided(rows)
        findings.broken += await _idle(db)
    finally:
        await db.close()
    findings.broken += await _replayed(url)
    findings.slowest_view_s, slow = views.lags(bidders, watchers, blind)
    findings.broken += slow
    return findings


def _journals(bidders: Iterable[Bidder], rows: Sequence[asyncpg.Record]) -> list[str]:
    """Invariants 10 to 12: every key has one outcome, told alike each time, and it is the stored one."""
    by_key = {(row["lot_id"], row["key"]): row for row in rows if row["registration_id"] is not None}
    broken = []
    for sent in (one for bidder in bidders for one in bidder.journal):
        row = by_key.get((sent.lot_id, sent.key))
        if not sent.answers:
            broken.append(f"{sent.key}: no outcome")
        elif any(_outcome(answer) != _outcome(sent.answers[0]) for answer in sent.answers):
            broken.append(f"{sent.key}: answered in two ways: {sent.answers}")
        elif row is None:
            broken.append(f"{sent.key}: answered {sent.answers[0]['t']} and not stored")
        elif not _agrees(sent.answers[0], sent.price_fen, row):
            broken.append(f"{sent.key}: answered {sent.answers[0]}, stored otherwise (seq {row['seq']})")
    return broken


def _outcome(answer: dict[str, Any]) -> tuple[Any, ...]:
    if answer["t"] == "ack":
        return "ack", answer["seq"], answer["receipt"]["link"], str(answer["receipt"]["event"])
    return "refused", answer["code"]


def _agrees(answer: dict[str, Any], price_fen: int, row: asyncpg.Record) -> bool:
    if answer["t"] == "refused":
        return row["seq"] is None and row["refusal"] == answer["code"]
    receipt = answer["receipt"]
    return (row["seq"], row["price_fen"], row["link"].hex(), msgspec.json.decode(inner_event(row["event"]))) == (
        answer["seq"],
        price_fen,
        receipt["link"],
        receipt["event"],
    )


def _logs(watchers: Iterable[Watcher], lots: dict[Any, asyncpg.Record], rows: Sequence[asyncpg.Record]) -> list[str]:
    """Invariant 32: what each watcher saw is what happened, and its last state is the lot's."""
    happened = {
        (row["lot_id"], row["seq"]): msgspec.json.decode(inner_event(row["event"]))
        for row in rows
        if row["seq"] is not None
    }
    broken = []
    for watcher in watchers:
        broken += [
            f"{watcher.lot_id}: event {seq} was told as {event}"
            for seq, event in watcher.seen.items()
            if happened.get((watcher.lot_id, seq)) != event
        ]
        if watcher.status != lots[watcher.lot_id]["status"]:
            broken.append(
                f"{watcher.lot_id}: a watcher believes {watcher.status}, it is {lots[watcher.lot_id]['status']}"
            )
    return broken


def _ends(
    land: Ground,
    lots: dict[Any, asyncpg.Record],
    rows: Sequence[asyncpg.Record],
    outages: Sequence[asyncpg.Record],
    hits: Collection[Hit],
) -> list[str]:
    """Invariants 1, 7, 8, 34: each end is decided once, on time and by the rule, or waits for the court."""
    broken, now = [], SystemClock().now()
    for lot_id in land.ending:
        lot = lots[lot_id]
        events = [row for row in rows if row["lot_id"] == lot_id and row["seq"] is not None]
        closes = [row for row in events if row["kind"] == "closed"]
        if lot["status"] == "open" and lot["ends_at"] + LATE < now:
            broken.append(f"{lot_id}: still open {now - lot['ends_at']} after its end")
        if len(closes) > 1 or (closes and events[-1]["kind"] != "closed"):
            broken.append(f"{lot_id}: closed {len(closes)} times or something followed the close")
        if (lot["status"] == "closed") != bool(closes):
            broken.append(f"{lot_id}: {lot['status']} with {len(closes)} closes")
        for close in closes:
            broken += _close(lot, close, events, outages)
        freezes = [row for row in events if row["kind"] == "frozen"]
        broken += [
            f"{lot_id}: frozen at {freeze['received_at']} without an outage on record"
            for freeze in freezes
            if not any(froze(outage, lot, freeze["received_at"], hits) for outage in outages)
        ]
    return broken


def froze(outage: Row, lot: Row, at: datetime, hits: Collection[Hit]) -> bool:
    """Whether the outage is why the lot was frozen then: one of single lots only if the lot is named with it."""
    share, epoch, until = outage["share"], outage["epoch"], outage["until"]
    if outage["cause"] in OF_SINGLE_LOTS:
        named = (share, epoch, until, lot["lot_id"]) in hits
    else:
        named = lot["bucket"] % outage["of"] == share
    return bool(until == at and named)


def _close(
    lot: asyncpg.Record, close: asyncpg.Record, events: Sequence[asyncpg.Record], outages: Sequence[asyncpg.Record]
) -> list[str]:
    broken, ends_at, closed_at = [], lot["ends_at"], close["received_at"]
    bids = [row for row in events if row["kind"] == "bid"]
    if closed_at < ends_at:
        broken.append(f"{lot['lot_id']}: closed {ends_at - closed_at} early")
    if closed_at > ends_at + LATE:
        broken.append(f"{lot['lot_id']}: closed {closed_at - ends_at} late and not frozen")
    if lot["outcome"] != ("sold" if bids else "failed") or (bids and lot["price_fen"] != bids[-1]["price_fen"]):
        broken.append(f"{lot['lot_id']}: {lot['outcome']} at {lot['price_fen']} against its bids")
    of_all = [outage for outage in outages if outage["cause"] not in OF_SINGLE_LOTS]  # the others froze what they hit
    broken += [
        f"{lot['lot_id']}: closed at {closed_at} although its end {ends_at} lay in {dict(outage)}"
        for outage in of_all
        if outage["real_ms"] >= 5_000 and _inside(outage, ends_at) and closed_at > ends_at
    ]
    return broken


def _inside(outage: asyncpg.Record, ends_at: datetime) -> bool:
    return bool(outage["since"] < ends_at <= outage["until"])


def _undecided(rows: Sequence[asyncpg.Record]) -> list[str]:
    """No lot is closed while a bid waits inside the platform for as long as a hole."""
    closed_at = {row["lot_id"]: row["received_at"] for row in rows if row["kind"] == "closed" and row["seq"]}
    return [
        f"{row['lot_id']}: closed at {closed_at[row['lot_id']]} over a bid that had come at {row['ingress_at']}"
        for row in rows
        if row["refusal"] == "after-end"
        and row["lot_id"] in closed_at  # not one that was frozen behind its end
        and closed_at[row["lot_id"]] - row["ingress_at"] > LATE
    ]


async def _idle(db: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Invariant 36: nobody sits in a transaction."""
    rows = await db.fetch(
        "SELECT pid, query FROM pg_stat_activity"
        " WHERE state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - interval '5 seconds'"
    )
    return [f"connection {row['pid']} is idle in a transaction: {row['query'][:80]}" for row in rows]


async def _replayed(url: str) -> list[str]:
    """Invariants 1 to 8, 11, 13 to 15, 28: the platform's own proof over every lot."""
    database = Database(url, SystemClock())
    try:
        await asyncio.sleep(1.5)  # the last refusals are sealed within a second
        async with asyncio.timeout(patient(60)):
            while True:
                with contextlib.suppress(Busy):  # its queries have seconds, which others may take from them
                    async with database.reading(platform("campaign")) as tx:
                        return await verify.faults(tx)
    finally:
        await database.close()
