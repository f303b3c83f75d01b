"""Replays every lot from its stored submissions and says what does not hold (invariants 1 to 11, 13 to 15, 28).

Each row's bytes are rebuilt from its columns by the rules that decided it, and compared with the bytes that were
hashed; then the chain, the numbers, the sealed refusals and the lot's row. So a changed, missing or added row shows,
and so does a price, a code, a registration or a time edited by hand. `faults` feeds each lot to a `Replay`, row by row.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row as ResultRow
from sqlalchemy import select

from bidding.desk import chain, errors
from bidding.desk import verify as desk_verify
from bidding.desk.batch import MAX_STORED_REFUSALS, Admission, decide
from bidding.desk.groups import stop_key
from bidding.desk.models import Lot, RefusalBlock, SaleGroup, Submission
from bidding.desk.rules import Bidder, Event, Kind, LotState, Method, Status, Terms, evolve, published
from bidding.desk.submissions import Submission as Sent
from bidding.evidence import verify as evidence
from bidding.evidence.verify import Outside
from bidding.registration import verify as registration_verify
from bidding.registration.models import Registration
from kernel.clock import real_now
from kernel.database import Tx, count_rows
from kernel.errors import Refusal

UNSEALED_AFTER = timedelta(seconds=5)
"""Refusals of a lot decided longer ago (real time) than this must be sealed."""

UNEXPLAINED = frozenset({errors.NotProcessable.code, errors.AssetHeld.code})
"""Refusals that do not follow from the lot's state alone."""

Record = Any
"""A row of the table in question, by attribute."""


async def counted(tx: Tx) -> dict[str, int]:
    """How much `faults` looks at."""
    return await count_rows(tx, {"lots": Lot, "submissions": Submission})


async def faults(tx: Tx, outside: Outside | None = None) -> list[str]:
    """One sentence for each thing in the bidding tables that does not verify, also against what is kept outside."""
    found: list[str] = []
    stopped: set[UUID] = set()
    checked = await registration_verify.check(tx)
    lots = (await tx.session.execute(select(Lot.__table__).order_by(Lot.lot_id))).all()
    for lot in lots:
        registrations = await _rows(tx, select(Registration.__table__).where(Registration.lot_id == lot.lot_id))
        blocks = await _rows(
            tx, select(RefusalBlock.__table__).where(RefusalBlock.lot_id == lot.lot_id).order_by(RefusalBlock.number)
        )
        replay = Replay(lot, {row.id: row for row in registrations}, checked.ranks)
        stored = await tx.session.stream(
            select(Submission.__table__)
            .where(Submission.lot_id == lot.lot_id)
            .order_by(Submission.entry)
            .execution_options(yield_per=2_000)
        )
        async for row in stored:
            replay.take(row)
        found += replay.finish(blocks)
        if replay.stopped:
            stopped.add(lot.lot_id)
    found += await _group_faults(tx, lots, stopped)
    return [
        *found,
        *await _strays(tx),
        *checked.faults,
        *await desk_verify.faults(tx),
        *await evidence.faults(tx, outside),
    ]


async def _group_faults(tx: Tx, lots: Sequence[Record], stopped: set[UUID]) -> list[str]:
    """What does not hold about the sale groups."""
    found = []
    for group in await _rows(tx, select(SaleGroup.__table__).order_by(SaleGroup.group_id)):
        own = [lot for lot in lots if lot.sale_group_id == group.group_id]
        mine = sorted(stopped & {lot.lot_id for lot in own})
        found += [f"sale group {group.group_id}: {fault}" for fault in desk_verify.group_faults(group, own, mine)]
    return found


@dataclass
class Replay:
    """One lot, replayed row by row."""

    lot: Record
    registrations: dict[UUID, Record]
    ranks: Mapping[UUID, Collection[int]]
    """All that the court ever gave, by registration."""
    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        terms = Terms(
            method=Method(self.lot.method),
            opens_at=self.lot.opens_at,
            scheduled_end=self.lot.scheduled_end,
            start_price_fen=self.lot.start_price_fen,
            increment_fen=self.lot.increment_fen,
        )
        self.state = published(terms)
        self.link = chain.genesis(self.lot.lot_id, terms)
        self.entries = 0
        self.last_received_at: datetime | None = None
        self.leader_registration_id: UUID | None = None
        self.closed_at: datetime | None = None
        self.stopped = False
        """Whether its sale group stopped it."""
        self.refusals: list[tuple[int, bytes]] = []
        self.refused: Counter[UUID | None] = Counter()
        """How many stored refusals each bidder has."""
        if self.link != self.lot.genesis:
            self._say("its terms are not those that were published")

    def take(self, row: Record) -> None:
        """Check one submission against everything before it."""
        self.entries += 1
        if row.entry != self.entries:
            self._say(f"entry {self.entries} is missing")
            self.entries = row.entry
        sent = _sent(row)
        if chain.payload_hash(sent) != row.payload_hash:
            self._say(f"entry {row.entry}: what was sent under its key was changed")
        if row.seq is None:
            self._take_refusal(row, sent)
        else:
            self._take_event(row, sent)
        latest = self.last_received_at
        self.last_received_at = row.received_at if latest is None else max(latest, row.received_at)

    def finish(self, blocks: Sequence[Record]) -> list[str]:
        """Compare the lot's row with the replay, and the sealed refusals with the stored ones."""
        for name, replayed in self._row_by_replay().items():
            stored = getattr(self.lot, name)
            if stored != replayed:
                self._say(f"its row says {name} {stored!r}, the replay {replayed!r}")
        if self.lot.unstored_refusals and max(self.refused.values(), default=0) < MAX_STORED_REFUSALS:
            self._say("it says that refusals were not stored, but no bidder has as many as that takes")
        self._check_blocks(blocks)
        return self.found

    # -- events

    def _take_event(self, row: Record, sent: Sent) -> None:
        where = f"event {row.seq}"
        if self.last_received_at is not None and row.received_at < self.last_received_at:
            self._say(f"{where} entered before what was decided ahead of it")
        event = self._event_by_rules(row, sent)
        if isinstance(event, Event):
            inner = chain.event_bytes(event, sent.reason)
            if chain.seal_event(sent, row.payload_hash, inner) != row.event:
                self._say(f"{where} does not say what its row says")
            if event.seq == self.state.seq + 1 and row.seq == event.seq:
                self.state = evolve(self.state, event)
            else:
                self._say(f"event {self.state.seq + 1} is missing")
        else:
            self._say(f"{where} ({row.kind}) should have been refused: {event.code if event else 'nothing to decide'}")
        self.link = chain.link(self.link, row.event)
        if self.link != row.link:
            self._say(f"{where} does not continue the chain")
            self.link = row.link
        if row.kind == Kind.BID:
            self.leader_registration_id = row.registration_id
        elif row.kind in {Kind.CLOSED, Kind.WITHDRAWN}:
            self.closed_at = row.received_at
            self.stopped = row.key == stop_key(row.lot_id)

    def _event_by_rules(self, row: Record, sent: Sent) -> Event | Refusal | None:
        bidder = self._bidder(row)
        if bidder is not None and (bidder.rank is not None or self._ranks(row)):
            told = self._rank_told(row)
            if told is None or told in self._ranks(row):
                bidder = Bidder(bidder.code, told)  # the court confirmed the rank of now after this bid
        return decide(self.state, sent, bidder, row.received_at)

    def _ranks(self, row: Record) -> Collection[int]:
        """All ranks that the court ever gave who bid here."""
        return self.ranks.get(row.registration_id, ())

    def _rank_told(self, row: Record) -> int | None:
        try:
            event = msgspec.json.decode(chain.inner_event(row.event), type=chain.EventView)
        except (msgspec.MsgspecError, AssertionError):
            return None
        return None if isinstance(event.rank, msgspec.UnsetType) else event.rank

    # -- refusals

    def _take_refusal(self, row: Record, sent: Sent) -> None:
        where = f"refusal at entry {row.entry}"
        self.refusals.append((row.entry, row.link))
        self.refused[row.registration_id] += 1
        if chain.refusal_hash(row.event) != row.link:
            self._say(f"{where} does not match its hash")
        for decision in self._refusals_by_rules(row, sent):
            if decision.code == row.refusal:
                registration = self.registrations.get(row.registration_id)
                code = registration.code if registration else None
                rebuilt = chain.seal_refusal(
                    sent, row.payload_hash, decision, entry=row.entry, at=row.received_at, code=code
                )
                if rebuilt != row.event:
                    self._say(f"{where} does not say what its row says")
                return
        self._say(f"{where} is not explained by the rules: {row.refusal}")

    def _refusals_by_rules(self, row: Record, sent: Sent) -> Iterator[Refusal]:
        """Refusals that this row may bear: as its bidder is known now, or was before a rank or an admission changed."""
        if row.refusal in UNEXPLAINED:
            yield errors.BY_CODE[row.refusal]()
        if self.last_received_at is not None and row.received_at < self.last_received_at:
            yield errors.Suspended()
        bidder = self._bidder(row)
        registration = self.registrations.get(row.registration_id)
        candidates: list[Bidder | None] = [bidder]
        if bidder is not None:
            candidates += [Bidder(bidder.code, rank) for rank in {None, *self._ranks(row)} - {bidder.rank}]
        if registration is None or registration.state != "admitted":
            candidates.append(None)
        for candidate in candidates:
            decision = decide(self.state, sent, candidate, row.received_at)
            if isinstance(decision, Refusal):
                yield decision

    def _check_blocks(self, blocks: Sequence[Record]) -> None:
        link, sealed_to = self.lot.genesis, 0
        for number, block in enumerate(blocks, start=1):
            inside = [one for one in self.refusals if sealed_to < one[0] <= block.last_entry]
            link = chain.block_link(link, [hash_ for _, hash_ in inside])
            bounds = (inside[0][0], inside[-1][0], len(inside)) if inside else None
            told = block.first_entry, block.last_entry, block.refusals
            if block.number != number or told != bounds or block.link != link:
                self._say(f"block {number} of its refusals does not verify")
                link = block.link
            sealed_to = block.last_entry
        open_ones = sum(1 for entry, _ in self.refusals if entry > sealed_to)
        if open_ones and self.lot.decided_at is not None and self.lot.decided_at < real_now() - UNSEALED_AFTER:
            self._say(f"{open_ones} of its refusals were never sealed")

    # -- shared

    def _bidder(self, row: Record) -> Bidder | None:
        registration = self.registrations.get(row.registration_id)
        if registration is None:
            return None
        bidder = Bidder(registration.code, registration.priority_rank)
        return Admission(registration.lot_id, bidder, registration.admitted_at).bidder_at(row.received_at, row.lot_id)

    def _row_by_replay(self) -> dict[str, object]:
        state: LotState = self.state
        expected: dict[str, object] = {
            "ends_at": state.ends_at,
            "remaining_ms": None if state.remaining is None else state.remaining // timedelta(milliseconds=1),
            "opened": state.opened,
            "resumed_at": state.resumed_at,
            "leader_registration_id": self.leader_registration_id,
            "leader_code": state.leader,
            "leader_rank": state.leader_rank,
            "price_fen": state.price_fen,
            "seq": state.seq,
            "entries": self.entries,
            "bids": state.bids,
            "extensions": state.extensions,
            "link": self.link,
            "closed_at": self.closed_at,
            "last_received_at": self.last_received_at,
        }
        if self.lot.status != Status.ANNULLED:
            closed = "sold" if state.leader else "failed"
            expected |= {"status": state.status, "outcome": closed if state.status is Status.CLOSED else None}
        return expected

    def _say(self, what: str) -> None:
        self.found.append(f"lot {self.lot.lot_id}: {what}")


def _sent(row: Record) -> Sent:
    """The submission as its columns tell it."""
    return Sent(
        lot_id=row.lot_id,
        kind=Kind(row.kind),
        key=row.key,
        ingress_at=row.ingress_at,
        registration_id=row.registration_id,
        price_fen=row.price_fen,
        confirm_fen=row.confirm_fen,
        reason=row.reason,
        actor_id=row.actor_id,
        since=row.since,
    )


async def _rows(tx: Tx, query: Any) -> Sequence[ResultRow[Any]]:
    return (await tx.session.execute(query)).all()


async def _strays(tx: Tx) -> list[str]:
    """Submissions of lots that do not exist: `submission` has no foreign key."""
    known = select(Lot.lot_id).where(Lot.lot_id == Submission.lot_id).exists()
    stray = await tx.session.scalars(select(Submission.lot_id).where(~known).distinct().limit(100))
    return [f"submissions of a lot that does not exist: {lot_id}" for lot_id in stray]
