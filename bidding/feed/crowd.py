"""The sockets of this process: how many a person or an address has, and what is asked about all of them each second."""

from collections import Counter
from typing import Any
from uuid import UUID

from bidding.desk.ingresses import Presence
from bidding.feed.keepalive import Keepalive
from bidding.feed.protocol import DEAD_SESSION, SLOW_READER, LiveSocket
from bidding.registration.service import registrations_of
from kernel.actors import platform
from kernel.clock import monotonic
from kernel.database import Database
from kernel.errors import RateLimited
from kernel.identity.service import open_sessions
from kernel.observability import LIVE_SOCKETS
from kernel.settings import Settings

MOST_SEATED = 2_000
"""Newcomers looked up at a time, each second."""

MOST_UNSENT_BYTES = 1_048_576
RETRY_AFTER_S = 5


class Crowd:
    """Who is connected. `presence` is told of those behind whom an admitted bidder stands."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.sockets: set[LiveSocket] = set()
        self.presence = Presence()
        self._database = database
        self._settings = settings
        self._keepalive = Keepalive(monotonic)
        self._newcomers: set[LiveSocket] = set()
        """Signed-in sockets of which it is not known yet whether they are a bidder's."""
        self._of_person: Counter[UUID] = Counter()
        self._of_address: Counter[str] = Counter()

    def count_address(self, socket: LiveSocket) -> None:
        """Count a socket of this address, before anything is waited for; refuses `rate-limited` one too many."""
        if self._of_address[socket.source] >= self._settings.sockets_per_address:
            raise RateLimited(retry_after_s=RETRY_AFTER_S)
        self._of_address[socket.source] += 1
        socket.of_address = True

    def count_person(self, socket: LiveSocket) -> None:
        """Count a socket of this person; refuses `rate-limited` one too many."""
        person_id = socket.actor.person_id if socket.actor else None
        if person_id is None:
            return
        if self._of_person[person_id] >= self._settings.sockets_per_person:
            raise RateLimited(retry_after_s=RETRY_AFTER_S)
        self._of_person[person_id] += 1
        socket.of_person = person_id

    def come(self, socket: LiveSocket) -> None:
        """Count a socket in, and keep its room for it."""
        socket.counted = True
        socket.sender = str(socket.of_person) if socket.of_person else f"{socket.source} {id(socket)}"
        socket.room.holders.add(socket)
        self.sockets.add(socket)
        LIVE_SOCKETS.inc()

    def greeted(self, socket: LiveSocket) -> None:
        """A socket has entered its room: it is asked for signs of life, and its bidder soon counts as connected."""
        self._keepalive.add(socket)
        if socket.actor is not None:
            self._newcomers.add(socket)

    def go(self, socket: LiveSocket) -> bool:
        """Count a socket out; False if it was never counted in."""
        if socket.of_address:
            socket.of_address = False
            _count_out(self._of_address, socket.source)
        if socket.of_person is not None:
            _count_out(self._of_person, socket.of_person)
            socket.of_person = None
        if not socket.counted:
            return False
        socket.counted = False
        self.sockets.discard(socket)
        LIVE_SOCKETS.dec()
        self._newcomers.discard(socket)
        self._keepalive.forget(socket)
        if socket.seat is not None:
            self.presence.go(socket.seat)
        socket.room.leave(socket)
        socket.room.holders.discard(socket)
        return True

    # -- seconds

    def end_slow(self) -> None:
        """Close readers that cannot keep up."""
        for socket in tuple(self.sockets):
            if socket.transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
                socket.end(SLOW_READER, "slow")

    async def ask_for_life(self) -> None:
        """Ping those whose turn it is, and close those who do not answer."""
        self._keepalive.sweep()

    async def end_dead_sessions(self) -> None:
        """Close the sockets of login sessions that are over; one query for all."""
        sessions = {socket.actor.session_id for socket in self.sockets if socket.actor and socket.actor.session_id}
        if not sessions:
            return
        dead = sessions - await open_sessions(self._database, sessions)
        if not dead:
            return
        for socket in tuple(self.sockets):
            if socket.actor and socket.actor.session_id in dead:
                socket.end(DEAD_SESSION, "session ended")

    async def seat_newcomers(self) -> None:
        """Keep who of a lot's bidders is connected: no lot is decided over the heads of bidders who are cut off."""
        newcomers = [socket for socket in self._newcomers if socket.counted][:MOST_SEATED]
        if not newcomers:
            return
        seats = {(socket.room.lot_id, socket.actor.person) for socket in newcomers if socket.actor}
        found = await registrations_of(self._database, platform("feed"), seats)
        for socket in newcomers:
            self._newcomers.discard(socket)
            assert socket.actor is not None
            registration_id = found.get((socket.room.lot_id, socket.actor.person))
            if registration_id is not None and socket.counted:
                socket.seat = socket.room.lot_id, registration_id
                self.presence.come(socket.seat)


def _count_out(counter: Counter[Any], who: object) -> None:
    counter[who] -= 1
    if not counter[who]:
        del counter[who]
