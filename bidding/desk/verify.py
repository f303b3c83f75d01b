"""Sale groups, replayed from the closes of their lots (R-CLOSE-12); copied terms and outages, by the audit trail."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from bidding.desk import said
from bidding.desk.models import DeskOutage, Lot, OutageLot, OutageSeat
from bidding.desk.outage_store import Key
from kernel.audit import AuditEntry, AuditRoot
from kernel.database import Tx

Record = Any
"""A row of the table in question, by attribute."""


def group_faults(group: Record, lots: Sequence[Record], stopped: Iterable[UUID]) -> Iterator[str]:
    """What does not hold about one group, given its lots and those that were stopped in its name."""
    closed = sorted((lot for lot in lots if lot.outcome is not None), key=lambda lot: (lot.ends_at, lot.lot_id))
    sold_fen = sum(lot.price_fen for lot in closed if lot.outcome == "sold")
    if sold_fen != group.sold_fen:
        yield f"it says {group.sold_fen} fen were sold, its lots say {sold_fen}"
    covering = _covering(group, closed)
    for lot in closed:
        if any(cover.ends_at < lot.ends_at for cover in covering) and not _consented(group, lot.closed_at):
            yield f"lot {lot.lot_id} was closed although the debt was covered"
    by_id = {lot.lot_id: lot for lot in lots}
    for lot_id in stopped:
        if not any(cover.closed_at <= by_id[lot_id].closed_at for cover in covering):
            yield f"lot {lot_id} was stopped although the debt was not covered"


def _covering(group: Record, closed: Sequence[Record]) -> list[Record]:
    """The closes that stopped the rest: with them the sum reached the target, and the debtor had not agreed."""
    found, sum_fen = [], 0
    for lot in closed:
        if lot.outcome == "sold":
            sum_fen += lot.price_fen
            if sum_fen >= group.target_fen and not _consented(group, lot.closed_at):
                found.append(lot)
    return found


def _consented(group: Record, at: datetime) -> bool:
    return group.consented_at is not None and group.consented_at <= at


# -- against the audit trail


async def faults(tx: Tx) -> list[str]:
    """What does not hold about copied terms and outages."""
    return [*await _terms_faults(tx), *await _outage_faults(tx)]


async def _told(tx: Tx, action: str) -> dict[str, Mapping[str, Any]]:
    """What the newest entry of this action says of each subject."""
    rows = await tx.session.execute(
        select(AuditEntry.subject, AuditEntry.facts).where(AuditEntry.action == action).order_by(AuditEntry.id)
    )
    return {subject: msgspec.json.decode(facts) for subject, facts in rows}


async def _terms_faults(tx: Tx) -> list[str]:
    """Lots that say other terms than were copied; of lots copied before that left an entry, nothing is known."""
    told, found = await _told(tx, said.COPIED), []
    for lot in await tx.session.execute(select(Lot.__table__).order_by(Lot.lot_id)):
        copied = told.pop(f"lot:{lot.lot_id}", None)
        if copied is not None and copied != said.terms_facts(lot):
            found.append(f"lot {lot.lot_id}: its copied terms are not those that were published")
    return found + [f"{subject.replace(':', ' ')}: it was taken out" for subject in sorted(told)]


async def _outage_faults(tx: Tx) -> list[str]:
    """Outages that were changed, added or taken out, or whose seats were."""
    told, found, lots, seats = await _told(tx, said.OUTAGE), [], await _lots_hit(tx), await _seats(tx)
    began = await tx.session.scalar(select(AuditRoot.sealed_at).where(AuditRoot.number == 0))
    for row in await tx.session.execute(select(DeskOutage.__table__).order_by(DeskOutage.share, DeskOutage.until)):
        subject = said.outage_subject(row.share, row.epoch, row.until)
        values = [getattr(row, column) for column in said.OUTAGE_COLUMNS]
        recorded = told.pop(subject, None)
        if recorded is None and (began is None or row.until < began):
            continue  # of before the trail told of outages
        key = row.share, row.epoch, row.until
        if not said.is_recorded(said.outage_facts(values, lots[key], seats[key]), recorded):
            found.append(f"{subject} is not the one that was recorded")
    return found + [f"{subject} was taken out" for subject in sorted(told)]


async def _lots_hit(tx: Tx) -> Mapping[Key, list[said.HitLot]]:
    rows = await tx.session.execute(
        select(
            *(OutageLot.share, OutageLot.epoch, OutageLot.until),
            *(OutageLot.lot_id, OutageLot.over_at, OutageLot.real_ms),
        )
    )
    lots: defaultdict[Key, list[said.HitLot]] = defaultdict(list)
    for share, epoch, until, lot_id, over_at, real_ms in rows:
        lots[share, epoch, until].append((lot_id, over_at, real_ms))
    return lots


async def _seats(tx: Tx) -> Mapping[Key, list[tuple[UUID, UUID]]]:
    rows = await tx.session.execute(
        select(
            *(OutageSeat.share, OutageSeat.epoch, OutageSeat.until),
            *(OutageSeat.lot_id, OutageSeat.registration_id),
        )
    )
    seats: defaultdict[Key, list[tuple[UUID, UUID]]] = defaultdict(list)
    for share, epoch, until, lot_id, registration_id in rows:
        seats[share, epoch, until].append((lot_id, registration_id))
    return seats
