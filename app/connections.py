"""Connections before they have asked for anything: who opens many, or never ends a request, must not use up our files.

uvicorn gives a connection up between two requests, but waits for ever for the first one, for the other half of a header
and for the rest of a body; and it counts nothing. Live sockets leave here with their handshake: the feed counts and
times them itself.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kernel.errors import RateLimited
from kernel.observability import REFUSALS
from kernel.settings import Settings

REQUEST_WITHIN_S = 30.0
"""How long a connection may take for a whole request, and besides for what it sends at the least pace."""
LEAST_BYTES_PER_S = 4 * 1024
SPARE = 100
"""Connections of an address beside its sockets, each of which begins as one."""


def _refused() -> bytes:
    refusal = RateLimited(retry_after_s=int(REQUEST_WITHIN_S))
    told = f"{refusal.code}: {refusal.detail} {refusal.detail_en}\n".encode()
    head = (
        f"HTTP/1.1 {refusal.status} Too Many Requests\r\ncontent-type: text/plain; charset=utf-8\r\n"
        f"retry-after: {refusal.facts['retry_after_s']}\r\ncontent-length: {len(told)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + told


REFUSED = _refused()


class Accepted:
    """The connections of one process by their address; those of our own proxies are whole crowds, and not counted."""

    def __init__(self, settings: Settings) -> None:
        self._most = settings.sockets_per_address + SPARE
        self._proxies = settings.trusted_proxies
        self._of_address: Counter[str] = Counter()

    def is_counted(self, address: str) -> bool:
        return address not in self._proxies

    def come(self, address: str) -> bool:
        """Count one more of an address; False if it has too many."""
        if self._of_address[address] >= self._most:
            return False
        self._of_address[address] += 1
        return True

    def go(self, address: str) -> None:
        self._of_address[address] -= 1
        if not self._of_address[address]:
            del self._of_address[address]


class Connection(HttpToolsProtocol):
    """A connection that is counted, and has a deadline whenever a request is owed and not wholly there."""

    def __init__(self, accepted: Accepted, *asked: Any, **named: Any) -> None:
        super().__init__(*asked, **named)
        self._accepted = accepted
        self._counted_as: str | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._began_s = 0.0
        self._received = 0
        self._whole = False
        """The request that came last is there to its end."""
        self._left = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        address = self.client[0] if self.client else None
        if address is not None and self._accepted.is_counted(address):
            if not self._accepted.come(address):
                REFUSALS.labels(RateLimited.code).inc()
                transport.write(REFUSED)
                transport.close()
                return
            self._counted_as = address
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._leave()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        if self._deadline is None and self._is_owed():
            self._expect()

    def on_message_begin(self) -> None:
        self._whole = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._whole = True
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        super().on_message_complete()

    def _is_owed(self) -> bool:
        """Whether part of a request is still to come, or nothing but blank lines came where one could begin."""
        if self._left or self.transport.is_closing():
            return False
        return not self._whole or (self.timeout_keep_alive_task is None and self.cycle.response_complete)

    def _expect(self) -> None:
        self._began_s, self._received = self.loop.time(), 0
        self._deadline = self.loop.call_later(REQUEST_WITHIN_S, self._look)

    def _look(self) -> None:
        """Who sends at a pace has longer; who waits for us, since we do not take what is sent, has done nothing."""
        if self.flow.read_paused:
            self._expect()
            return
        until_s = self._began_s + REQUEST_WITHIN_S + self._received / LEAST_BYTES_PER_S
        if until_s > self.loop.time():
            self._deadline = self.loop.call_at(until_s, self._look)
        else:
            self.transport.abort()

    def _leave(self) -> None:
        """Gone, or a live socket from now on."""
        self._left = True
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._counted_as is not None:
            self._accepted.go(self._counted_as)
            self._counted_as = None


def http_protocol(settings: Settings) -> Callable[..., Connection]:
    """The factory for uvicorn's `http=`."""
    accepted = Accepted(settings)

    def make(*asked: Any, **named: Any) -> Connection:
        return Connection(accepted, *asked, **named)

    return make
