"""What enters the desk's queue and what comes back."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from bidding.desk.rules import Kind
from kernel.errors import Refusal
from kernel.money import Fen

if TYPE_CHECKING:
    from bidding.desk.receipts import Proof


class Submission(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A bid, a court's command, or what the desk owes a lot by itself.

    `key` is made by the sender and stored by it before it sends. `confirm_fen`, where given, equals `price_fen`.
    """

    lot_id: UUID
    kind: Kind
    key: UUID
    ingress_at: datetime
    """Arrival at the platform's edge (platform time): evidence, not the time of the bid."""
    registration_id: UUID | None = None
    """Behind a bid; None for commands."""
    price_fen: Fen | None = None
    confirm_fen: Fen | None = None
    reason: str | None = None
    actor_id: UUID | None = None
    requested_at: datetime | None = None
    """When another use case ordered it under the lot's lock: the time of entry, but of a resume (see `LotCommand`)."""
    since: datetime | None = None
    """The beginning of the outage behind a freeze."""

    @property
    def address(self) -> "Address":
        """What a key is unique within (invariant 10)."""
        registration_id = self.registration_id
        return self.lot_id.int, registration_id.int if registration_id else 0, self.key.int

    def same_payload(self, other: "Submission") -> bool:
        """Whether a second copy under the key asks for the same."""
        return (self.kind, self.price_fen, self.confirm_fen, self.actor_id, self.reason) == (
            other.kind,
            other.price_fen,
            other.confirm_fen,
            other.actor_id,
            other.reason,
        )


Address = tuple[int, int, int]
"""Lot, registration and key as numbers: a UUID's own hash is a Python call."""


def address(lot_id: UUID, registration_id: UUID | None, key: UUID) -> Address:
    """The address of a submission; commands, which have no registration, have 0 in its place."""
    return lot_id.int, registration_id.int if registration_id else 0, key.int


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The outcome of a submission. Accepted: `seq`, `event` (the JSON that the feed shows), `link` and `proof`.

    A second copy of the same submission gets an equal answer, before and after any restart.
    """

    key: UUID
    seq: int | None = None
    event: bytes | None = None
    link: bytes | None = None
    proof: "Proof | None" = None
    refusal: Refusal | None = None

    @property
    def accepted(self) -> bool:
        return self.refusal is None


class Relayed(Answer, frozen=True, kw_only=True, gc=False):
    """An answer from a desk in another process: what the bidder is sent was made there."""

    frame: bytes
