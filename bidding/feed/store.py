"""What the feed reads: lots, events and answers. It writes nothing."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import distinct, func, select

from bidding.desk.batch import Stored
from bidding.desk.chain import inner_event
from bidding.desk.models import BatchRow, Lot, Submission
from bidding.desk.receipts import Proof
from bidding.desk.rules import LotState, Status
from bidding.feed.rules import shown
from kernel.bulk import any_of
from kernel.database import Tx


async def find_lot(tx: Tx, lot_id: UUID) -> Lot | None:
    """A published lot; drafts are not in this table."""
    return await tx.session.get(Lot, lot_id)


async def find_lots(tx: Tx, lot_ids: Collection[UUID]) -> Sequence[Lot]:
    """Published lots among these, in no order."""
    return (await tx.session.scalars(select(Lot).where(Lot.lot_id.in_(lot_ids)))).all()


def state_of(lot: Lot) -> LotState:
    """The row as the rules see it."""
    return LotState(
        terms=lot.terms,
        status=Status(lot.status),
        ends_at=lot.ends_at,
        remaining=None if lot.remaining_ms is None else timedelta(milliseconds=lot.remaining_ms),
        opened=lot.opened,
        leader=lot.leader_code,
        leader_rank=lot.leader_rank,
        price_fen=lot.price_fen,
        seq=lot.seq,
        bids=lot.bids,
        extensions=lot.extensions,
        resumed_at=lot.resumed_at,
    )


async def events_after(tx: Tx, lot_id: UUID, after: int, most: int) -> list[tuple[int, bytes]]:
    """At most `most` events behind `after`, oldest first, as everybody may see them."""
    rows = await tx.session.execute(
        select(Submission.seq, Submission.kind, Submission.event)
        .where(Submission.lot_id == lot_id, Submission.seq.is_not(None), Submission.seq > after)
        .order_by(Submission.seq)
        .limit(most)
    )
    return [(seq, shown(seq, kind, inner_event(sealed))) for seq, kind, sealed in rows if seq is not None]


async def links_after(tx: Tx, lot_id: UUID, after: int, most: int) -> list[tuple[str, bytes, bytes]]:
    """Kind, hashed bytes and link of at most `most` events behind `after`, oldest first."""
    rows = await tx.session.execute(
        select(Submission.kind, Submission.event, Submission.link)
        .where(Submission.lot_id == lot_id, Submission.seq.is_not(None), Submission.seq > after)
        .order_by(Submission.seq)
        .limit(most)
    )
    return [(kind, sealed, link) for kind, sealed, link in rows]


async def list_own_bids(tx: Tx, lot_id: UUID, registration_id: UUID, most: int) -> list[tuple[UUID, Stored]]:
    """The latest accepted bids of a registration with their keys, newest first."""
    rows = await tx.session.scalars(
        select(Submission)
        .where(Submission.lot_id == lot_id, Submission.registration_id == registration_id, Submission.seq.is_not(None))
        .order_by(Submission.seq.desc())
        .limit(most)
    )
    return [(row.key, await _stored(tx, row)) for row in rows]


async def count_bidders(tx: Tx, lot_id: UUID) -> int:
    """How many registrations have an accepted bid."""
    bidders = select(func.count(distinct(Submission.registration_id)))
    return await tx.session.scalar(bidders.where(Submission.lot_id == lot_id, Submission.seq.is_not(None))) or 0


async def last_bids(tx: Tx, lot_id: UUID, most: int) -> list[bytes]:
    """The latest accepted bids, newest first."""
    rows = await tx.session.scalars(
        select(Submission.event)
        .where(Submission.lot_id == lot_id, Submission.seq.is_not(None), Submission.kind == "bid")
        .order_by(Submission.seq.desc())
        .limit(most)
    )
    return [inner_event(sealed) for sealed in rows]


async def last_seqs(tx: Tx, lot_ids: Collection[UUID]) -> Sequence[tuple[UUID, int, int]]:
    """The last event of each lot and how many bidders were admitted to it, in one query."""
    rows = await tx.session.execute(select(Lot.lot_id, Lot.seq, Lot.admitted).where(Lot.lot_id == any_of(lot_ids)))
    return [(lot_id, seq, admitted) for lot_id, seq, admitted in rows]


async def find_answer(tx: Tx, lot_id: UUID, registration_id: UUID, key: UUID) -> Stored | None:
    """The stored answer under a bidder's key."""
    row = (
        await tx.session.execute(
            select(Submission).where(
                Submission.lot_id == lot_id,
                Submission.registration_id == registration_id,
                Submission.key == key,
            )
        )
    ).scalar_one_or_none()
    return await _stored(tx, row) if row else None


async def _stored(tx: Tx, row: Submission) -> Stored:
    proof = await _proof_of(tx, row) if row.batch is not None else None
    return Stored(row.payload_hash, row.seq, row.refusal, row.event, row.link, proof)


async def _proof_of(tx: Tx, event: Submission) -> Proof:
    """The batch of an event, and the link before it."""
    batch = await tx.session.get_one(BatchRow, (event.share, event.batch))
    assert event.seq is not None
    before = select(Submission.link).where(Submission.lot_id == event.lot_id, Submission.seq == event.seq - 1)
    genesis = select(Lot.genesis).where(Lot.lot_id == event.lot_id)
    previous = await tx.session.scalar(before) or await tx.session.scalar(genesis)
    assert previous is not None
    return batch.signed().proof(event.event, previous, event.link)
