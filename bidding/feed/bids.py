"""Bids that come through the live sockets of this process: limited, read strictly, tied to a registration, entered.

Nothing is decided here: the desk answers, and its answer is written to the socket the bid came through.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol
from uuid import UUID

from msgspec import UNSET

from bidding.desk.errors import NotEligible
from bidding.desk.queue import Reply
from bidding.desk.rules import Kind
from bidding.desk.submissions import Answer, Submission
from bidding.feed.protocol import TOO_MANY_MESSAGES, LiveSocket
from bidding.feed.schemas import BidMessage, PlaceBid, answer_frame, key_in, read_message, refused_frame
from bidding.registration.errors import PasswordRequired
from bidding.registration.service import Standing, standing, standings
from kernel.actors import Actor
from kernel.database import Database
from kernel.errors import Malformed, RateLimited, Refusal, SignInRequired
from kernel.limits import Limits

MOST_AT_ONCE = 500
"""First bids whose bidders are looked up together."""

STRIKES = 100
"""Messages over the limit that are answered `rate-limited` before the socket is closed."""


class Decides(Protocol):
    """Who gives answers: the desk of this process, or the way to the desks of others."""

    def enter(self, sent: Submission, reply: Reply) -> None: ...

    async def submit(self, sent: Submission) -> Answer: ...

    def waits(self, sent_as: tuple[UUID, UUID | None, UUID]) -> bool: ...


class Bids:
    """Takes the messages of clients. `spawn` runs what has to wait."""

    def __init__(
        self, database: Database, desk: Decides, per_minute: int, spawn: Callable[[Coroutine[Any, Any, None]], None]
    ) -> None:
        self.desk = desk
        self.limits = Limits({"message": (per_minute, 60)})
        self._database = database
        self._spawn = spawn
        self._at_the_door: list[tuple[LiveSocket, Actor, BidMessage]] = []
        self._door_is_open = False

    def receive(self, socket: LiveSocket, raw: bytes) -> None:
        """One message of a client: decode it strictly and answer it, now or when the desk has decided."""
        refusal: Refusal | None = self.over_limit(socket)
        if refusal is None:
            try:
                self._bid(socket, read_message(raw))
            except Malformed as malformed:
                refusal = malformed
        if refusal is not None:
            socket.say(refused_frame(key_in(raw), refusal))

    def over_limit(self, socket: LiveSocket) -> RateLimited | None:
        """Count a message against its sender's limit; who goes on past it is closed."""
        try:
            self.limits.spend("message", socket.sender)
        except RateLimited as refusal:
            socket.strikes += 1
            if socket.strikes > STRIKES:
                socket.end(TOO_MANY_MESSAGES, "too many messages")
            return refusal
        return None

    def _bid(self, socket: LiveSocket, message: BidMessage) -> None:
        if socket.actor is None:
            socket.say(refused_frame(message.key, SignInRequired()))
        elif socket.registration_id is None:
            self._at_the_door.append((socket, socket.actor, message))
            if not self._door_is_open:
                self._door_is_open = True
                self._spawn(self._let_in())
        else:
            self._enter_bid(socket, message, socket.registration_id)

    async def _let_in(self) -> None:
        """First bids of sockets: who they are is asked for all at once that wait, since thousands come together.

        An open door stays open, a closed one is asked again.
        """
        try:
            while self._at_the_door:
                waiting, self._at_the_door = self._at_the_door[:MOST_AT_ONCE], self._at_the_door[MOST_AT_ONCE:]
                asked = [(actor, socket.room.lot_id) for socket, actor, _ in waiting]
                found: Sequence[Standing | Refusal | None]
                try:
                    found = await standings(self._database, asked)
                except Refusal as refusal:
                    found = [refusal] * len(waiting)
                for (socket, _, message), who in zip(waiting, found, strict=True):
                    self._first_bid(socket, message, who)
        finally:
            self._door_is_open = False

    def _first_bid(self, socket: LiveSocket, message: BidMessage, who: Standing | Refusal | None) -> None:
        try:
            socket.registration_id = _registration_of(who)
        except Refusal as refusal:
            socket.say(refused_frame(message.key, refusal))
        else:
            socket.room.takes_bids_of(socket)
            self._enter_bid(socket, message, socket.registration_id)

    def _enter_bid(self, socket: LiveSocket, message: BidMessage, registration_id: UUID) -> None:
        lot_id = socket.room.lot_id

        def reply(answer: Answer) -> None:
            socket.undecided -= 1
            socket.say(answer_frame(lot_id, answer))

        socket.undecided += 1
        self.desk.enter(self.submission(lot_id, registration_id, message), reply)

    async def door(self, actor: Actor, lot_id: UUID) -> UUID:
        """The bidder's own registration, if the bid password was entered in this login session.

        Refuses `not-eligible` where there is no registration, and `password-required`; neither uses up the key.
        """
        return _registration_of(await standing(self._database, actor, lot_id))

    def submission(self, lot_id: UUID, registration_id: UUID, bid: PlaceBid) -> Submission:
        """A bid as it enters the desk's queue, stamped with its arrival here."""
        return Submission(
            lot_id=lot_id,
            kind=Kind.BID,
            key=bid.key,
            ingress_at=self._database.clock.now(),
            registration_id=registration_id,
            price_fen=bid.price_fen,
            confirm_fen=None if bid.confirm is UNSET else bid.confirm,
        )


def _registration_of(who: Standing | Refusal | None) -> UUID:
    if isinstance(who, Refusal):
        raise who
    if who is None:
        raise NotEligible()
    if not who.unlocked:
        raise PasswordRequired()
    return who.registration_id
