"""Frames between a web process and a desk: msgpack, many submissions or answers in one, bounded.

Only bids go this way; orders of the court are rows that the desk reads. A refusal is carried with its facts, so that
HTTP can answer it as a problem; what a socket is told is made by the desk and passed on as it is.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from bidding.desk import errors
from bidding.desk.rules import Kind
from bidding.desk.submissions import Answer, Relayed, Submission
from bidding.feed.schemas import answer_frame
from kernel.errors import Busy, KeyReused, NotFound, RateLimited, Refusal
from kernel.money import Fen

MAX_SUBMISSIONS = 1_000
MAX_SUBMISSIONS_BYTES = 262_144
MAX_ANSWERS = 1_000
MAX_ANSWERS_BYTES = 16_777_216

REFUSALS: dict[str, type[Refusal]] = errors.BY_CODE | {
    refusal.code: refusal for refusal in (Busy, KeyReused, NotFound, RateLimited)
}
"""Everything that a desk refuses with."""


class Forwarded(msgspec.Struct, frozen=True, array_like=True):
    """A bid under its number on this line, stamped with its arrival at the web process."""

    number: int
    lot_id: UUID
    registration_id: UUID
    key: UUID
    price_fen: int
    confirm_fen: int | None
    ingress_at: datetime

    def submission(self) -> Submission:
        """The bid as it enters the desk's queue."""
        return Submission(
            lot_id=self.lot_id,
            kind=Kind.BID,
            key=self.key,
            ingress_at=self.ingress_at,
            registration_id=self.registration_id,
            price_fen=Fen(self.price_fen),
            confirm_fen=None if self.confirm_fen is None else Fen(self.confirm_fen),
        )


class Told(msgspec.Struct, frozen=True, array_like=True):
    """The answer to a number: the frame for the bidder, and of a refusal its code and facts."""

    number: int
    frame: bytes
    code: str | None = None
    facts: dict[str, int | str | None] = {}

    def answer(self, key: UUID) -> Relayed:
        """The answer as the web process hands it on."""
        return Relayed(key=key, frame=self.frame, refusal=self._refusal())

    def _refusal(self) -> Refusal | None:
        if self.code is None:
            return None
        refusal = REFUSALS.get(self.code, errors.NotProcessable)
        made = refusal.__new__(refusal)
        Refusal.__init__(made, **self.facts)
        return made


_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
encode = _encoder.encode
"""Of a list of `Forwarded` or `Told`."""

read_forwarded = msgspec.msgpack.Decoder(list[Forwarded]).decode
read_told = msgspec.msgpack.Decoder(list[Told]).decode


def forwarded(number: int, sent: Submission) -> Forwarded:
    """A bid for the line."""
    assert sent.kind is Kind.BID
    assert sent.registration_id is not None
    assert sent.price_fen is not None
    return Forwarded(
        number, sent.lot_id, sent.registration_id, sent.key, sent.price_fen, sent.confirm_fen, sent.ingress_at
    )


def told(number: int, lot_id: UUID, answer: Answer) -> Told:
    """An answer for the line."""
    frame = answer_frame(lot_id, answer)
    if answer.refusal is None:
        return Told(number, frame)
    return Told(number, frame, answer.refusal.code, msgspec.to_builtins(answer.refusal.facts))
