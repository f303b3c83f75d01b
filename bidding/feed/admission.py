"""The door of the live feed: which handshakes become sockets.

Our own pages alone, to a published lot, without credentials in the address, so many for a person and an address; all
of it is refused before the connection is accepted.
"""

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from random import randint
from typing import Protocol
from urllib.parse import parse_qsl
from uuid import UUID

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from bidding.feed.crowd import Crowd
from bidding.feed.protocol import LiveSocket
from bidding.feed.rooms import Room
from bidding.feed.turns import Turns
from kernel.actors import Actor
from kernel.errors import Busy, Malformed, NotFound, Refusal
from kernel.settings import Settings
from kernel.web import ForeignOrigin, origin_allowed, source_of

PATH = re.compile(r"/live/lots/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.ASCII)
SEQ = re.compile(r"[0-9]{1,18}", re.ASCII)

TRY_LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
RETRY_AFTER_S = (2, 15)
"""Drawn by chance between these, so that those who are sent away together do not come back together."""


class Doorkeeper(Protocol):
    """Who resolves a session cookie: the identity door of the process."""

    async def resolve(self, cookie_header: str | None, source: str) -> Actor | None: ...


class Admission:
    """`turns` bounds how many handshakes are worked on at a time, `find_room` gives a published lot's room."""

    def __init__(
        self,
        settings: Settings,
        identity: Doorkeeper,
        crowd: Crowd,
        turns: Turns,
        find_room: Callable[[UUID], Awaitable[Room]],
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._crowd = crowd
        self._turns = turns
        self._find_room = find_room
        self._origin = settings.origin
        self._host = settings.origin.partition("://")[2]

    async def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """None to accept, else the refusal, given before the connection is accepted."""
        assert isinstance(connection, LiveSocket)
        if connection.transport.is_closing():  # gone while it waited for us, and uvloop knows no address any more
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "gone\n")
        try:
            lot_id, connection.after = _wanted(request, self._host, self._origin)
            forwarded = request.headers.get_all("X-Forwarded-For")
            connection.source = source_of(_address(connection), forwarded, self._settings.trusted_proxies)
            self._crowd.count_address(connection)
            cookies = "; ".join(request.headers.get_all("Cookie"))
            async with self._turns.turn(bidder=bool(cookies)):
                if connection.transport.is_closing():
                    raise Busy()  # gave up while it waited: no work for it
                if cookies:  # the only credential; one that is not ours makes a visitor
                    connection.actor = await self._identity.resolve(cookies, connection.source)
                    self._crowd.count_person(connection)
                connection.room = await self._find_room(lot_id)
        except Refusal as refusal:
            response = connection.respond(HTTPStatus(refusal.status), f"{refusal.code}: {refusal.detail_en}\n")
            if refusal.status in TRY_LATER:
                response.headers["Retry-After"] = str(randint(*RETRY_AFTER_S))
            return response
        self._crowd.come(connection)
        return None


def _wanted(request: Request, host: str, origin: str) -> tuple[UUID, int | None]:
    """The lot and the `seq` that a handshake asks for; refuses foreign pages, and credentials in the query."""
    if request.headers.get_all("Host") != [host]:
        raise Malformed(path="Host", expected=host)
    origins = request.headers.get_all("Origin")
    if len(origins) != 1 or not origin_allowed(origins[0], origin):
        raise ForeignOrigin()
    path, _, query = request.path.partition("?")
    found = PATH.fullmatch(path)
    if found is None:
        raise NotFound(what="lot")
    asked = parse_qsl(query, keep_blank_values=True)
    if query and [name for name, _ in asked] != ["after"]:
        raise Malformed("query", "`after`, once, and nothing else", "只有 after，且只出现一次")
    after = asked[0][1] if asked else ""
    return UUID(found[1]), int(after) if SEQ.fullmatch(after) else None


def _address(connection: ServerConnection) -> str:
    address = connection.remote_address
    return str(address[0]) if isinstance(address, tuple) else "local"
