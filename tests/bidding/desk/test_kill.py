"""`kill -9` under a stream of bids: nothing acknowledged is lost, and an end is decided rightly or not at all.

A real `auction serve` on a durable database on a disk, bidders over real WebSockets. Back within the five seconds of a
hole every lot closes at its right time; back later, what was in its closing minutes is frozen for the court
(invariants 8 and 11). In each test the lots that the fault does not touch are the control.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from app.bench.ground import Ticket
from app.embedded import EmbeddedPostgres
from kernel.clock import FrozenClock, SystemClock, real_now
from tests.bidding.desk.house import MINUTE, START, STEP, House, add_tickets, desk_of, house, verified

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

BIDDERS = 6
LONG_S = 30
"""A hole that no restart reaches, however slow the machine is."""
SHORT_S = 3
HANG_S = 10
"""Longer than a start takes: the server runs with this threshold from the beginning."""
LAW_S = 5
"""The threshold as it is set in life."""
LAW = timedelta(seconds=LAW_S)
BLUR = timedelta(seconds=0.5)
"""Between the last batch and the kill."""


@dataclass
class Ground:
    """Four lots of one database: what each of them shows is in its name."""

    busy: UUID
    """Takes the stream; each bid moves its end to five minutes after itself."""
    sold: UUID
    """Ends in a few seconds with a leader from ten minutes ago."""
    failed: UUID
    """Ends in a few seconds without a bid."""
    calm: UUID
    """Ends tomorrow."""
    ends_at: datetime
    tickets: list[Ticket]


@dataclass
class Stream:
    """Bidders who send on and keep every acknowledgement."""

    acks: list[tuple[UUID, int, int]] = field(default_factory=list)
    """(key, seq, price)."""
    price: int = START

    async def bid(self, ground: Ground, port: int, ticket: Ticket) -> None:
        """Bid until the connection breaks, then connect again."""
        headers = {"Cookie": f"session={ticket.token}"}
        url = f"ws://127.0.0.1:{port}/live/lots/{ground.busy}"
        while True:
            try:
                async with connect(url, origin=f"http://127.0.0.1:{port}", additional_headers=headers) as live:  # type: ignore[arg-type]
                    while True:
                        await self._one(live)
            except (OSError, WebSocketException, TimeoutError):
                await asyncio.sleep(0.05)

    async def _one(self, live: Any) -> None:
        key, self.price = uuid4(), self.price + STEP
        price = self.price
        await live.send(json.dumps({"t": "bid", "key": str(key), "price_fen": price, "confirm": price}))
        async with asyncio.timeout(8):
            while (answer := json.loads(await live.recv()))["t"] not in {"ack", "refused"}:
                pass
        if answer["t"] == "ack":
            self.acks.append((key, answer["seq"], price))
        else:
            await asyncio.sleep(0.02)

    async def grows(self, by: int, within_s: float = 15.0) -> None:
        """Wait for so many more acknowledgements."""
        goal = len(self.acks) + by
        async with asyncio.timeout(within_s):
            while len(self.acks) < goal:
                await asyncio.sleep(0.02)


class Server:
    """`auction serve` as a process that can be killed and started again."""

    def __init__(self, folder: Path, hole_s: int) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder, self._log = folder, folder / "server.log"
        self.hole_s = hole_s
        """For its next start."""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(self.port), "--data-dir", str(self._folder)]
        settings = {
            "AUCTION_HOLE_SECONDS": str(self.hole_s),
            "AUCTION_BIDS_PER_MINUTE": "1000000",
            "AUCTION_LOG_LEVEL": "warning",
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=os.environ | settings, stdout=log, stderr=log)

    async def answers(self, within_s: float = 30.0) -> None:
        """Wait for the port."""
        async with asyncio.timeout(within_s):
            while True:
                assert self._process is None or self._process.poll() is None, self._log.read_text()[-2000:]
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    def tell(self) -> None:
        """Its log, which pytest shows beside a failure."""
        sys.stdout.write(self._log.read_text())

    async def start_time_s(self) -> float:
        """How long a start takes on this machine, now."""
        begun = time.monotonic()
        self.start()
        await self.answers()
        assert self._process is not None
        self._process.terminate()
        await asyncio.to_thread(self._process.wait)
        return time.monotonic() - begun

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def postgres_processes(folder: Path) -> list[int]:
    """The postmaster of this data folder and its children."""
    postmaster = EmbeddedPostgres(folder).pid
    if postmaster is None:
        return []
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *(int(child) for child in children)]


@asynccontextmanager
async def running(durable_postgres: EmbeddedPostgres, hole_s: int) -> AsyncIterator[tuple[str, Ground, Server, Stream]]:
    """The server under a stream of bids that has begun; the quiet lots end soon after."""
    url, folder = durable_postgres.dsn(), durable_postgres.folder
    server, stream = Server(folder, hole_s), Stream()
    async with AsyncExitStack() as stack:
        stack.callback(server.kill)
        stack.callback(server.tell)
        durable_postgres.stop()
        start_s = await server.start_time_s()
        durable_postgres.start()
        ground = await lay_ground(url, timedelta(seconds=round(start_s) + 4))
        durable_postgres.stop()
        server.start()
        await server.answers()
        bidding = [asyncio.create_task(stream.bid(ground, server.port, ticket)) for ticket in ground.tickets]
        try:
            await stream.grows(50)
            yield url, ground, server, stream
        finally:
            for task in bidding:
                task.cancel()
            await asyncio.gather(*bidding, return_exceptions=True)


async def lay_ground(url: str, ends_in: timedelta) -> Ground:
    """The lots, with one bid of ten minutes ago on the one that is to be sold."""
    now = SystemClock().now()
    past = FrozenClock(now - 10 * MINUTE)
    ends_at = now + ends_in
    async with house(url) as place:
        await place.db.execute("DELETE FROM bidding.desk_health")  # or the clock of ten minutes ago would not start
    async with house(url, past) as place, desk_of(place) as desk:
        opens = now - 60 * MINUTE
        lots = [await place.lot(opens, end) for end in (ends_at, ends_at, ends_at, now + timedelta(days=1))]
        early = await place.bidder(lots[1], "E1", admitted_at=opens)
        assert (await desk.submit(place.bid(lots[1], early, START))).accepted
        await asyncio.sleep(0.5)
        await place.db.execute("DELETE FROM kernel.outbox")  # other contexts do not know these lots
    async with house(url) as place:  # a slow start of the server is not the outage that is tested
        await place.db.execute("UPDATE bidding.desk_health SET real_at = clock_timestamp()")
    return Ground(lots[0], lots[1], lots[2], lots[3], ends_at, await add_tickets(url, [lots[0]] * BIDDERS))


@asynccontextmanager
async def reconnected(url: str) -> AsyncIterator[House]:
    """A House on a database that went away and came back."""
    async with asyncio.timeout(30):
        while True:
            try:
                db = await asyncpg.connect(url)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)
            else:
                break
    try:
        yield House(url, SystemClock(), db)
    finally:
        await db.close()


async def every_ack_is_there(place: House, ground: Ground, stream: Stream) -> None:
    """Invariant 11: by key, seq and price; and no seq is missing or doubled."""
    acks = list(stream.acks)
    rows = {row["key"]: row for row in await place.submissions(ground.busy)}
    assert [(key, rows[key]["seq"], rows[key]["price_fen"]) for key, _, _ in acks if key in rows] == acks
    seqs = [row["seq"] for row in rows.values() if row["seq"] is not None]
    assert seqs == list(range(1, len(seqs) + 1))


async def closed_rightly(place: House, ground: Ground) -> None:
    """The quiet lots closed at their ends, with their results."""
    sold = await place.settled(ground.sold, "closed", within_s=20)
    failed = await place.settled(ground.failed, "closed", within_s=5)
    assert (sold["outcome"], sold["price_fen"], sold["ends_at"]) == ("sold", START, ground.ends_at)
    assert (failed["outcome"], failed["price_fen"], failed["ends_at"]) == ("failed", None, ground.ends_at)
    assert sold["closed_at"] >= ground.ends_at


async def frozen(place: House, ground: Ground) -> None:
    """What was in its closing minutes waits for the court; what was not goes on: the control."""
    for lot in (ground.busy, ground.sold, ground.failed):
        row = await place.row(lot)
        assert (row["status"], row["outcome"]) == ("frozen", None)
        assert row["remaining_ms"] >= 300_000
    assert (await place.row(ground.calm))["status"] == "open"


async def test_the_server_is_killed_and_back_at_once(durable_postgres: EmbeddedPostgres) -> None:
    async with running(durable_postgres, LONG_S) as (url, ground, server, stream):
        server.kill()
        server.start()
        await server.answers()
        await stream.grows(50)
        async with reconnected(url) as place:
            await closed_rightly(place, ground)
            await every_ack_is_there(place, ground, stream)
            row = await place.row(ground.busy)
            assert row["status"] == "open"
            assert row["ends_at"] == row["last_received_at"] + 5 * MINUTE
            assert (await place.row(ground.calm))["status"] == "open"
            assert await place.db.fetchval("SELECT count(*) FROM bidding.desk_outage") == 0
        assert await verified(url) == []


async def test_five_seconds_decide_between_closing_and_freezing(durable_postgres: EmbeddedPostgres) -> None:
    """At the threshold of life: back in time everything closes on time, later it waits for the court.

    Which of the two it must be follows from how long this machine was away; a quiet one is back in three seconds.
    """
    async with running(durable_postgres, LAW_S) as (url, ground, server, stream):
        server.kill()
        killed_at = real_now()
        server.start()
        await server.answers()
        async with reconnected(url) as place:
            away = await place.db.fetchval("SELECT taken_at FROM bidding.desk_lease") - killed_at
            outage = await place.db.fetchrow("SELECT * FROM bidding.desk_outage")
            if outage is None:
                assert away < LAW + BLUR
                await stream.grows(50)
                await closed_rightly(place, ground)
                assert (await place.row(ground.busy))["status"] == "open"
            else:
                assert outage["real_ms"] >= LAW_S * 1000
                assert away > LAW - BLUR
                await frozen(place, ground)
            await every_ack_is_there(place, ground, stream)
        assert await verified(url) == []


async def test_the_server_is_killed_and_back_too_late(durable_postgres: EmbeddedPostgres) -> None:
    async with running(durable_postgres, LONG_S) as (url, ground, server, stream):
        server.kill()
        server.hole_s = SHORT_S
        killed_at = real_now()
        await asyncio.sleep(SHORT_S)
        server.start()
        await server.answers()
        async with reconnected(url) as place:
            await every_ack_is_there(place, ground, stream)
            await frozen(place, ground)
            outage = await place.db.fetchrow("SELECT * FROM bidding.desk_outage")
            assert (outage["cause"], outage["lots_frozen"]) == ("no-desk", 3)
            assert outage["since"] <= killed_at
        assert await verified(url) == []


async def test_postgresql_is_killed_and_back_at_once(durable_postgres: EmbeddedPostgres) -> None:
    async with running(durable_postgres, LAW_S) as (url, ground, _, stream):
        victims = postgres_processes(durable_postgres.folder)
        assert len(victims) > 3
        for process in victims:
            os.kill(process, signal.SIGKILL)
        await stream.grows(50, within_s=30)
        async with reconnected(url) as place:
            await closed_rightly(place, ground)
            await every_ack_is_there(place, ground, stream)
            assert (await place.row(ground.busy))["status"] == "open"
            assert await place.db.fetchval("SELECT count(*) FROM bidding.desk_outage") == 0
        assert await verified(url) == []


async def test_postgresql_hangs_for_too_long(durable_postgres: EmbeddedPostgres) -> None:
    async with running(durable_postgres, HANG_S) as (url, ground, _, stream):
        halted = postgres_processes(durable_postgres.folder)
        for process in halted:
            os.kill(process, signal.SIGSTOP)
        await asyncio.sleep(HANG_S + 1)
        for process in halted:
            os.kill(process, signal.SIGCONT)
        async with reconnected(url) as place:
            await place.settled(ground.busy, "frozen", within_s=15)
            await frozen(place, ground)
            await every_ack_is_there(place, ground, stream)
            outage = await place.db.fetchrow("SELECT * FROM bidding.desk_outage")
            assert (outage["cause"], outage["lots_frozen"]) == ("no-decision", 3)
        assert await verified(url) == []
