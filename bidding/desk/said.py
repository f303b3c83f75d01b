"""What audit entries say of the desk's rows that no chain covers: copied terms of lots, and outages.

`verify` builds the same facts from the rows of the day, so each column that is named here cannot be edited unseen.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from bidding.desk.lease import Connection
from kernel.actors import platform
from kernel.audit import Said, record_over
from kernel.clock import beijing

COPIED, OUTAGE = "lots.copy-terms", "desk.outage"

Record = Any
"""A row of the table in question, by attribute."""

OUTAGE_COLUMNS = ("share", "epoch", "until", "since", "real_ms", "cause", "lots_frozen")
FIND_OUTAGE = f"SELECT {', '.join(OUTAGE_COLUMNS)} FROM bidding.desk_outage WHERE (share, epoch, until) = ($1, $2, $3)"  # noqa: S608 - made of constants
FIND_SEATS = "SELECT lot_id, registration_id FROM bidding.outage_seat WHERE (share, epoch, until) = ($1, $2, $3)"


def terms_facts(lot: Record) -> dict[str, object]:
    """What bidding copied of a lot's terms and its genesis does not bind."""
    return {
        "case": str(lot.case_id),
        "court": str(lot.court_id),
        "asset": str(lot.asset_id),
        "title": lot.title,
        "deposit_fen": lot.deposit_fen,
        "applicant_claim_fen": lot.applicant_claim_fen,
        "sale_group": lot.sale_group_id and str(lot.sale_group_id),
    }


def outage_subject(share: int, epoch: int, until: datetime) -> str:
    """An outage by its key."""
    return f"outage:{share}/{epoch}/{beijing(until)}"


def outage_facts(values: Iterable[Any], seats: Iterable[tuple[UUID, UUID]]) -> dict[str, object]:
    """An outage, the values of `OUTAGE_COLUMNS`, with who was connected: how many, and a digest over them."""
    columns = dict(zip(OUTAGE_COLUMNS, values, strict=True))
    connected = sorted((lot_id.bytes, registration_id.bytes) for lot_id, registration_id in seats)
    return columns | {
        "until": beijing(columns["until"]),
        "since": beijing(columns["since"]),
        "seats": len(connected),
        "seated": sha256(b"".join(lot_id + registration_id for lot_id, registration_id in connected)).hexdigest(),
    }


async def record_outage(db: Connection, share: int, epoch: int, until: datetime) -> None:
    """Leave the audit entry of an outage as its rows stand in this transaction."""
    key = share, epoch, until
    row = await db.fetchrow(FIND_OUTAGE, *key)
    assert row is not None
    facts = outage_facts(row, [(seat[0], seat[1]) for seat in await db.fetch(FIND_SEATS, *key)])
    await record_over(db, until, platform("desk"), OUTAGE, [Said("platform", outage_subject(*key), facts)])
