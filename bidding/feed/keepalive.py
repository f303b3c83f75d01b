"""Signs of life asked of every socket: a ping each 25 seconds, and who does not answer within 10 is closed.

One sweep does it for all sockets of the process. A task and a timer for each would cost more than what they watch.
"""

from collections import OrderedDict
from collections.abc import Callable

from websockets.frames import CloseCode

from bidding.feed.protocol import LiveSocket

PING_EVERY_S = 25.0
PONG_WITHIN_S = 10.0
SWEEP_EVERY_S = 0.1
MOST_A_SWEEP = 100
"""Pings in one sweep: sockets that came together, as after a restart, are not asked together."""


class Keepalive:
    """Who is asked next, and who still owes an answer; both in order of time. `clock` is a monotonic one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next: OrderedDict[LiveSocket, float] = OrderedDict()
        self._asked: OrderedDict[LiveSocket, float] = OrderedDict()

    def add(self, socket: LiveSocket) -> None:
        """Watch over a socket from now on."""
        self._next[socket] = self._clock() + PING_EVERY_S

    def forget(self, socket: LiveSocket) -> None:
        """The socket is gone."""
        self._next.pop(socket, None)
        self._asked.pop(socket, None)

    def sweep(self) -> None:
        """Ask those whose turn it is, and close those who did not answer."""
        now_s = self._clock()
        for _ in range(MOST_A_SWEEP):
            socket = _due(self._next, now_s)
            if socket is None:
                break
            socket.ask_for_life()
            self._asked[socket] = now_s + PONG_WITHIN_S
        while (socket := _due(self._asked, now_s)) is not None:
            if socket.owes_pong:
                socket.end(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
            else:
                self._next[socket] = now_s + PING_EVERY_S - PONG_WITHIN_S


def _due(queue: OrderedDict[LiveSocket, float], now_s: float) -> LiveSocket | None:
    """Take the first one of the queue, if it is due."""
    if not queue or next(iter(queue.values())) > now_s:
        return None
    return queue.popitem(last=False)[0]
