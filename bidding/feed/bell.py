"""The bell between processes: `lot seq` on one Redis channel, so that others read the database at once.

It carries no fact: a lost ring is mended by the feed's comparison with the database, every second. A lost connection is
made anew for ever, and a Redis that hangs holds up nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger("bell")

CHANNEL = "auction:live"
ANSWER_WITHIN_S = 1.0
RETRY_S = 0.5
PATIENCE_S = 5.0


class Bell:
    """Rings of many events are one ring: only the last `seq` of a lot waits to be sent."""

    def __init__(self, url: str, on_ring: Callable[[UUID, int], None] | None = None) -> None:
        self._url = url
        self._on_ring = on_ring
        self._waiting: dict[UUID, int] = {}
        self._wake = asyncio.Event()

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
                await work(redis)
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("bell.lost", error=repr(error))
                await asyncio.sleep(RETRY_S)
            finally:
                await redis.aclose()

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
                if message is not None:
                    lot_id, _, seq = message["data"].decode().partition(" ")
                    self._on_ring(UUID(lot_id), int(seq))
