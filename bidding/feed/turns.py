"""Whose turn it is at the door: ten thousand who come back at once must not starve the bids.

A few handshakes are worked on at a time. Who shows a login goes before visitors, since the bidders are among them; who
would wait too long, or finds too many waiting, is sent away with a hint when to come again.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kernel.errors import Busy

AT_ONCE = 4
MOST_WAITING = 2_000
WAIT_S = 8.0


class Turns:
    """A queue of two classes with a bound and a patience."""

    def __init__(self, at_once: int = AT_ONCE, most_waiting: int = MOST_WAITING, wait_s: float = WAIT_S) -> None:
        self._free = at_once
        self._most_waiting = most_waiting
        self._wait_s = wait_s
        self._bidders: deque[asyncio.Future[None]] = deque()
        self._visitors: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self, *, bidder: bool) -> AsyncIterator[None]:
        """Run the body when it is one's turn; refuses `busy`."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(self._bidders if bidder else self._visitors)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, queue: deque[asyncio.Future[None]]) -> None:
        if len(self._bidders) + len(self._visitors) >= self._most_waiting:
            raise Busy()
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(mine)
        try:
            async with asyncio.timeout(self._wait_s):
                await mine
        except BaseException as over:
            if mine.done() and not mine.cancelled():
                self._pass_on()  # the turn came in the moment in which we gave up
            elif mine in queue:
                queue.remove(mine)
            if isinstance(over, TimeoutError):
                raise Busy() from None
            raise

    def _pass_on(self) -> None:
        for queue in (self._bidders, self._visitors):
            while queue:
                following = queue.popleft()
                if not following.done():
                    following.set_result(None)
                    return
        self._free += 1
