"""The door of the live feed: which handshakes become sockets.

Our own pages alone, to a published lot, without credentials in the address, so many for a person and an address; all
of it is refused before the connection is accepted.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl
from uuid import UUID

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from bidding.feed.crowd import Crowd
from bidding.feed.protocol import LiveSocket
from bidding.feed.rooms import Room
from kernel.actors import Actor
from kernel.errors import Malformed, NotFound, Refusal
from kernel.settings import Settings
from kernel.web import ForeignOrigin, origin_allowed, source_of

PATH = re.compile(r"/live/lots/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.ASCII)
SEQ = re.compile(r"[0-9]{1,18}", re.ASCII)


class Doorkeeper(Protocol):
    """Who resolves a session cookie: the identity door of the process."""

    async def resolve(self, cookie_header: str | None, source: str) -> Actor | None: ...


class Admission:
    """`openings` bounds how many handshakes ask the database at a time, `find_room` gives a published lot's room."""

    def __init__(
        self,
        settings: Settings,
        identity: Doorkeeper,
        crowd: Crowd,
        openings: asyncio.Semaphore,
        find_room: Callable[[UUID], Awaitable[Room]],
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._crowd = crowd
        self._openings = openings
        self._find_room = find_room
        self._origin = settings.origin
        self._host = settings.origin.partition("://")[2]

    async def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """None to accept, else the refusal, given before the connection is accepted."""
        assert isinstance(connection, LiveSocket)
        try:
            lot_id, after = _wanted(request, self._host, self._origin)
            connection.after = after
            forwarded = request.headers.get_all("X-Forwarded-For")
            connection.source = source_of(_address(connection), forwarded, self._settings.trusted_proxies)
            self._crowd.check_address(connection.source)
            connection.actor = await self._resolve(request, connection.source)
            if connection.actor is not None:
                self._crowd.check_person(connection.actor)
            connection.room = await self._find_room(lot_id)
        except Refusal as refusal:
            return connection.respond(HTTPStatus(refusal.status), f"{refusal.code}: {refusal.detail_en}\n")
        self._crowd.come(connection)
        return None

    async def _resolve(self, request: Request, source: str) -> Actor | None:
        """Who is behind the handshake's cookie; the only credential, and one that is not ours makes a visitor."""
        cookies = request.headers.get_all("Cookie")
        if not cookies:
            return None
        async with self._openings:
            return await self._identity.resolve("; ".join(cookies), source)


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
        raise Malformed(path="query", expected="`after`, once, and nothing else")
    after = asked[0][1] if asked else ""
    return UUID(found[1]), int(after) if SEQ.fullmatch(after) else None


def _address(connection: ServerConnection) -> str:
    address = connection.remote_address
    return str(address[0]) if isinstance(address, tuple) else "local"
