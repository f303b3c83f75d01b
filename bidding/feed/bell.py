"""The bell between processes: `lot seq` on one Redis channel, so that others read the database at once.

It carries no fact: a lost ring is mended by the feed's comparison with the database, every second. A lost connection is
made anew for ever, and a Redis that hangs holds up nobody. What is no ring is passed over.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from redis.asyncio import Redis

from kernel.clock import monotonic

log = structlog.get_logger("bell")

CHANNEL = "auction:live"
ANSWER_WITHIN_S = 1.0
RETRY_S = 0.5
PATIENCE_S = 5.0
COMPLAIN_EVERY_S = 60.0
"""What cannot be read is told once in a while: whoever rings by mistake rings often."""


class Bell:
    """Rings of many events are one ring: only the last `seq` of a lot waits to be sent."""

    def __init__(self, url: str, on_ring: Callable[[UUID, int], None] | None = None) -> None:
        self._url = url
        self._on_ring = on_ring
        self._waiting: dict[UUID, int] = {}
        self._wake = asyncio.Event()
        self._quiet_until_s = 0.0

    def ring(self, lot_id: UUID, seq: int) -> None:
        """Tell the other processes; returns at once."""
        self._waiting[lot_id] = seq
        self._wake.set()

    async def run(self) -> None:
        """Ring, and listen if somebody wants to hear, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._for_ever(self._send), name="bell-send")
            if self._on_ring is not None:
                group.create_task(self._for_ever(self._listen), name="bell-listen")

    async def _for_ever(self, work: Callable[[Redis], Awaitable[None]]) -> None:
        while True:
            redis = Redis.from_url(self._url, socket_timeout=ANSWER_WITHIN_S, socket_connect_timeout=ANSWER_WITHIN_S)
            try:
                async with redis:
                    await work(redis)
            except Exception as error:  # whatever it was: without a bell all screens are late, and nobody is told why
                log.warning("bell.lost", error=repr(error))
                await asyncio.sleep(RETRY_S)

    async def _send(self, redis: Redis) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            waiting, self._waiting = self._waiting, {}
            for lot_id, seq in waiting.items():
                await redis.publish(CHANNEL, f"{lot_id} {seq}")

    async def _listen(self, redis: Redis) -> None:
        assert self._on_ring is not None
        async with redis.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(CHANNEL)
            while True:
                message = await channel.get_message(timeout=PATIENCE_S)
                ring = None if message is None else self._read(message["data"])
                if ring is not None:
                    self._on_ring(*ring)

    def _read(self, data: bytes) -> tuple[UUID, int] | None:
        """A ring; None for anything else."""
        try:
            lot_id, _, seq = data.decode().partition(" ")
            return UUID(lot_id), int(seq)
        except ValueError:
            if monotonic() >= self._quiet_until_s:
                self._quiet_until_s = monotonic() + COMPLAIN_EVERY_S
                log.warning("bell.not-a-ring", size=len(data))
            return None
