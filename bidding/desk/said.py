"""What audit entries say of the desk's rows that no chain covers: copied terms of lots, and outages.

`verify` builds the same facts from the rows of the day, so each column that is named here cannot be edited unseen.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from bidding.desk.lease import Connection
from bidding.desk.outage_store import Key
from kernel.actors import platform
from kernel.audit import Said, record_over
from kernel.clock import beijing

COPIED, OUTAGE = "lots.copy-terms", "desk.outage"
LENGTHS = "lengths"
"""The fact of an outage that its first entries lack."""

Record = Any
"""A row of the table in question, by attribute."""

HitLot = tuple[UUID, datetime | None, int | None]
"""A single lot that an outage hit: when it was over for it, and how long it lasted in real time."""

OUTAGE_COLUMNS = ("share", "epoch", "until", "since", "real_ms", "cause", "lots_frozen", "of")
FIND_OUTAGE = f"SELECT {', '.join(OUTAGE_COLUMNS)} FROM bidding.desk_outage WHERE (share, epoch, until) = ($1, $2, $3)"  # noqa: S608 - made of constants
FIND_LOTS = "SELECT lot_id, over_at, real_ms FROM bidding.outage_lot WHERE (share, epoch, until) = ($1, $2, $3)"
FIND_SEATS = "SELECT lot_id, registration_id FROM bidding.outage_seat WHERE (share, epoch, until) = ($1, $2, $3)"


def terms_facts(lot: Record) -> dict[str, object]:
    """What bidding copied of a lot's terms and its genesis does not bind."""
    return {
        "case": str(lot.case_id),
        "court": str(lot.court_id),
        "asset": str(lot.asset_id),
        "title": lot.title,
        "deposit_fen": lot.deposit_fen,
        "sale_group": lot.sale_group_id and str(lot.sale_group_id),
    }


def outage_subject(share: int, epoch: int, until: datetime) -> str:
    """An outage by its key."""
    return f"outage:{share}/{epoch}/{beijing(until)}"


def outage_facts(
    values: Iterable[Any], lots: Collection[HitLot], seats: Iterable[tuple[UUID, UUID]]
) -> dict[str, object]:
    """An outage, the values of `OUTAGE_COLUMNS`, with the single lots that it hit, its length for each, and who was
    connected: how many, and a digest over them."""
    columns = dict(zip(OUTAGE_COLUMNS, values, strict=True))
    hit = sorted(lot_id.bytes + (beijing(over_at) if over_at else "").encode() for lot_id, over_at, _ in lots)
    lasted = sorted(lot_id.bytes + (real_ms or 0).to_bytes(8, signed=True) for lot_id, _, real_ms in lots)
    connected = sorted(lot_id.bytes + registration_id.bytes for lot_id, registration_id in seats)
    return columns | {
        "until": beijing(columns["until"]),
        "since": beijing(columns["since"]),
        "lots": len(hit),
        "hit": sha256(b"".join(hit)).hexdigest(),
        # Null while it goes on is as good as 0: "hit" tells whether it does.
        LENGTHS: sha256(b"".join(lasted)).hexdigest(),
        "seats": len(connected),
        "seated": sha256(b"".join(connected)).hexdigest(),
    }


def is_recorded(facts: Mapping[str, Any], recorded: Mapping[str, Any] | None) -> bool:
    """Whether the newest entry of an outage says these facts; the first entries told no lengths for single lots."""
    return recorded is not None and {LENGTHS: facts[LENGTHS], **recorded} == facts


async def record_outages(db: Connection, keys: Iterable[Key]) -> None:
    """Leave the audit entries of outages as their rows stand in this transaction; the newest of each counts."""
    for key in sorted(keys):
        row = await db.fetchrow(FIND_OUTAGE, *key)
        assert row is not None
        lots = [(lot[0], lot[1], lot[2]) for lot in await db.fetch(FIND_LOTS, *key)]
        seats = [(seat[0], seat[1]) for seat in await db.fetch(FIND_SEATS, *key)]
        facts = outage_facts(row, lots, seats)
        await record_over(db, key[2], platform("desk"), OUTAGE, [Said("platform", outage_subject(*key), facts)])
