"""The log of all lots: what an entry says, what is signed of the whole, and when that is due (RFC 9162). Pure.

An entry is the head of one lot: how many events and blocks of refusals it has, and the links they end in. Whoever
rewrites a lot's chain, even with new signatures, contradicts an entry; whoever rewrites the log contradicts an anchor.
With them the newest root of the audit trail enters, so that its end cannot be cut off behind an anchor.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from kernel.clock import beijing

HEAD_EVERY = timedelta(minutes=10)
"""Real time after which the heads of all lots in progress are logged and anchored at the latest."""

LOOK_BACK = timedelta(hours=1)
"""How long after its end a lot may still get refusals that another entry is worth."""

COUNTED = "evidence.count"
"""The audit entry of a logged lot's counters, which no row of its chain carries."""

HEAD = "auction-log/1\n{size}\n{at}\n{root}\n"
VERSION = 1


@dataclass(frozen=True, slots=True)
class LotHead:
    """Where a lot stands: its last event with its link, its last block of refusals with its link.

    Without an event or a block the link is the lot's genesis.
    """

    lot_id: UUID
    seq: int
    link: bytes
    blocks: int
    refusals: bytes


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A head as it is hashed: JSON with these fields in this order, links in hex."""

    v: int
    lot: UUID
    seq: int
    link: str
    blocks: int
    refusals: str
    at: str


class TrailEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest root of the audit trail as it is hashed."""

    v: int
    audit: int
    link: str
    at: str


def entry_bytes(head: LotHead, at: datetime) -> bytes:
    """The bytes of an entry; `at` is platform time."""
    entry = Entry(VERSION, head.lot_id, head.seq, head.link.hex(), head.blocks, head.refusals.hex(), beijing(at))
    return msgspec.json.encode(entry)


def trail_bytes(root: int, link: bytes, at: datetime) -> bytes:
    """The bytes of an entry of the audit trail; `at` is platform time."""
    return msgspec.json.encode(TrailEntry(VERSION, root, link.hex(), beijing(at)))


read_entry = msgspec.json.Decoder(Entry).decode
"""An entry from its bytes."""

read_trail = msgspec.json.Decoder(TrailEntry).decode
"""An entry of the audit trail from its bytes."""


def head_text(size: int, at: str, root: str) -> bytes:
    """What is signed of the log; `root` in hex."""
    return HEAD.format(size=size, at=at, root=root).encode()


def is_due(last_made_at: datetime | None, now: datetime) -> bool:
    """Whether ten minutes (real time) have passed since the last signed head."""
    return last_made_at is None or now - last_made_at >= HEAD_EVERY
