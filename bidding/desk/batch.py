"""What a batch of submissions does to its lots: pure, in order of arrival, over rows read under the lots' locks.

`decide_batch` changes nothing outside: it returns the rows to write and the answers to give once they are committed.
If the commit fails, the result is thrown away and the batch is decided anew from fresh rows.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import msgspec

from bidding.desk import chain, errors, groups, rules
from bidding.desk.groups import Group
from bidding.desk.receipts import Batch, Proof
from bidding.desk.rules import FINISHED, Bid, Bidder, Event, Kind, LotState, Status
from bidding.desk.submissions import Address, Answer, Submission
from kernel import contracts
from kernel.errors import KeyReused, NotFound, RateLimited, Refusal
from kernel.money import MAX_FEN

LATE_AFTER = timedelta(milliseconds=500)
"""A longer wait between ingress and queue is the platform's fault and is counted in the lot's record."""

MAX_STORED_REFUSALS = 1_000
"""Per bidder and lot; further refusals are counted and not stored (invariant 12)."""

MINUTE_S = 60

OPENING_KINDS = frozenset({Kind.OPENED, Kind.FROZEN})
"""What does not wait for the opening of a lot: it opens it, or halts it before."""

OWN_KINDS = frozenset({Kind.OPENED, Kind.CLOSED, Kind.FROZEN})
"""What the desk owes a lot by itself: pointless commands of these kinds vanish, and failed ones are owed again."""


class Admission(msgspec.Struct, frozen=True, gc=False):
    """A registration as read in the batch's transaction; `admitted_at` is None while it may not bid."""

    lot_id: UUID
    bidder: Bidder
    admitted_at: datetime | None

    def bidder_at(self, at: datetime, lot_id: UUID) -> Bidder | None:
        """The bidder, if admitted to this lot at or before `at` (R-BID-06)."""
        if self.admitted_at is None or self.admitted_at > at or self.lot_id != lot_id:
            return None
        return self.bidder


class Stored(msgspec.Struct, frozen=True, gc=False):
    """An earlier answer under the same key."""

    payload: bytes
    seq: int | None
    refusal: str | None
    sealed: bytes
    link: bytes
    proof: Proof | None = None

    def answer(self, sent: Submission) -> Answer:
        """The same answer again, or `key-reused` for another payload."""
        if chain.payload_hash(sent) != self.payload:
            return Answer(sent.key, refusal=KeyReused())
        return self.told(sent.key)

    def told(self, key: UUID) -> Answer:
        """The answer as it stands, for its bidder who asks by the key alone."""
        if self.refusal is None:
            return Answer(key, self.seq, chain.inner_event(self.sealed), self.link, self.proof)
        refused = chain.read_sealed(self.sealed).refused
        assert not isinstance(refused, msgspec.UnsetType)
        return Answer(key, refusal=refused.answer())


class Entry(msgspec.Struct, eq=False):
    """A submission in the queue, its address there, its time of entry, and who waits for the answer."""

    sent: Submission
    address: Address
    received_at: datetime
    waiters: list[Callable[[Answer], None]] = []
    poison: bool = False
    """It failed alone: it is stored as `not-processable`, whatever the rules would say."""


@dataclass(slots=True)
class Book:
    """A lot as read under its lock, carried forward by the batch."""

    lot_id: UUID
    state: LotState
    link: bytes
    entries: int
    leader_registration_id: UUID | None
    last_received_at: datetime | None
    late_entries: int
    unstored_refusals: int
    group_id: UUID | None = None
    """The sale group it belongs to (R-CLOSE-12)."""
    closed_at: datetime | None = None
    events: list[tuple[int, bytes]] = field(default_factory=list)
    """What this batch adds to the chain: seq and the JSON that the feed shows."""
    touched: bool = False
    refused: bool = False
    """Whether this batch stores refusals, which are to be sealed."""


@dataclass(slots=True)
class Reading:
    """Everything a batch reads, by one query each."""

    books: dict[int, Book]
    """By lot. Lots and registrations are named by the number of their UUID, which hashes quickly."""
    admissions: dict[int, Admission] = field(default_factory=dict)
    """By registration."""
    stored: dict[Address, Stored] = field(default_factory=dict)
    refusals_kept: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    """How many refusals are stored, by lot and registration."""
    orders: dict[int, list[Entry]] = field(default_factory=dict)
    """By lot whose end has come: the undecided orders to stop it, in the order in which they were given."""
    held: dict[int, str] = field(default_factory=dict)
    """Of lots that have ended or are to be resumed those with a hold on their asset, and its reason (R-CASE-09)."""
    groups: dict[UUID, Group] = field(default_factory=dict)
    """Groups with a lot that is to be closed; all their unfinished lots are among the books."""
    now: datetime | None = None
    """When the batch is decided: a resumed lot runs from then."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row of `submission`; the fields are its columns."""

    lot_id: UUID
    entry: int
    seq: int | None
    kind: str
    registration_id: UUID | None
    key: UUID
    price_fen: int | None
    confirm_fen: int | None
    reason: str | None
    actor_id: UUID | None
    since: datetime | None
    received_at: datetime
    ingress_at: datetime
    refusal: str | None
    payload_hash: bytes
    event: bytes
    link: bytes
    share: int | None
    batch: int | None


@dataclass(slots=True)
class Decided:
    """What to write in one transaction, and what to say after its commit."""

    rows: list[Row] = field(default_factory=list)
    answers: list[tuple[Entry, Answer]] = field(default_factory=list)
    told: list[contracts.Event] = field(default_factory=list)
    commands: list[tuple[UUID, str | None]] = field(default_factory=list)
    """Commands of other use cases that were decided, with their refusals."""
    groups: dict[UUID, Group] = field(default_factory=dict)
    """Sale groups that this batch sold a lot of."""
    refused: Counter[tuple[int, int]] = field(default_factory=Counter)
    """How many refusals of a bidder on a lot are stored now."""
    batch: Batch = field(default_factory=Batch)
    """The events as they will be signed."""


def owed(lot_id: UUID, kind: Kind, at: datetime) -> Submission:
    """What time alone demands of a lot, its opening or close: under one key for ever, so that it happens once."""
    return Submission(lot_id=lot_id, kind=kind, key=uuid5(lot_id, kind), ingress_at=at)


def hold_key(lot_id: UUID, seq: int) -> UUID:
    """The key under which a lot is suspended in place of its close, after its event `seq`; by nothing else."""
    return uuid5(lot_id, f"held {seq}")


def decide(state: LotState, sent: Submission, bidder: Bidder | None, at: datetime) -> Event | Refusal | None:
    """What the rules say to one submission. None: a command of the desk's own that has become pointless."""
    match sent.kind:
        case Kind.BID:
            assert sent.price_fen is not None
            return rules.decide_bid(state, Bid(bidder, sent.price_fen, sent.confirm_fen), at)
        case Kind.SUSPENDED if sent.key == hold_key(sent.lot_id, state.seq):
            return rules.decide_hold(state, at)
        case Kind.SUSPENDED:
            return rules.decide_suspend(state, at)
        case Kind.DEFERRED:
            return rules.decide_suspend(state, at, Kind.DEFERRED)
        case Kind.RESUMED:
            return rules.decide_resume(state, at)
        case Kind.WITHDRAWN:
            return rules.decide_withdraw(state, at, covered=sent.key == groups.stop_key(sent.lot_id))
        case Kind.FROZEN:
            assert sent.since is not None
            return rules.decide_freeze(state, at, sent.since)
        case Kind.OPENED:
            return rules.decide_open(state, at)
        case Kind.CLOSED:
            return rules.decide_close(state, at)


def decide_batch(entries: Iterable[Entry], reading: Reading, *, rate: int = 1, batch: Batch | None = None) -> Decided:
    """Decide all `entries` in order. `rate` is the platform clock's, so that lateness is measured in real time."""
    decided, late_after = Decided(batch=batch or Batch()), LATE_AFTER * rate
    answers, books, stored = decided.answers, reading.books, reading.stored
    for entry in entries:
        sent = entry.sent
        if reading.orders:
            _decide_orders_before(entry, reading, decided)
        if stored and (earlier := stored.get(entry.address)) is not None:
            answers.append((entry, earlier.answer(sent)))
        elif (book := books.get(entry.address[0])) is None:
            answers.append((entry, Answer(sent.key, refusal=NotFound(what="lot"))))
        else:
            if entry.received_at - sent.ingress_at > late_after:
                book.late_entries += 1
                book.touched = True
            if (answer := _decide_entry(entry, book, reading, decided)) is not None:
                answers.append((entry, answer))
    return decided


def _decide_orders_before(entry: Entry, reading: Reading, decided: Decided) -> None:
    """Orders given before the end go before what enters at or after it, be it the close or a bid (R-HALT-01).

    Otherwise a late bid, refused, would push the order behind the end, and so would whoever sends one on purpose.
    """
    book = reading.books.get(entry.address[0])
    if book is None or not rules.overdue(book.state, _time_of_entry(entry, book, reading)):
        return
    ends_at = book.state.ends_at
    for order in reading.orders.pop(entry.address[0], ()):
        if not rules.end_has_come(ends_at, order.received_at):
            _decide_entry(order, book, reading, decided)


def _decide_entry(entry: Entry, book: Book, reading: Reading, decided: Decided) -> Answer | None:
    """Decide one entry and write its row. None: a command of the desk's own that has become pointless."""
    if entry.sent.kind is Kind.CLOSED and entry.address[0] in reading.held and not entry.poison:
        entry = _suspension_in_place_of(entry, book, reading)
    sent, at = entry.sent, _time_of_entry(entry, book, reading)
    admission = reading.admissions.get(entry.address[1])
    bidder = admission.bidder_at(at, sent.lot_id) if admission is not None else None
    upcoming = book.state.status is Status.UPCOMING and sent.kind not in OPENING_KINDS
    if upcoming and (opening := rules.decide_open(book.state, at)):
        # The opening is due work of the same queue; whoever enters behind its time finds the lot open.
        _write_event(owed(sent.lot_id, Kind.OPENED, at), opening, book, decided)
    decision = _decision(entry, book, bidder, at, reading)
    if decision is None:
        return None
    if isinstance(decision, Event):
        stored = _write_event(sent, decision, book, decided)
        answer = Answer(sent.key, decision.seq, book.events[-1][1], book.link, stored.proof)
        if decision.sold and book.group_id is not None:
            _count_sale(book, decision, reading, decided)
    elif _too_many_refusals(entry, reading, decided):
        book.unstored_refusals += 1
        book.touched = True
        return Answer(sent.key, refusal=RateLimited(retry_after_s=MINUTE_S))
    else:
        code = admission.bidder.code if admission is not None else None
        stored = _write_refusal(entry, decision, at, code=code, book=book, decided=decided)
        answer = Answer(sent.key, refusal=decision)
        if sent.registration_id is not None:
            decided.refused[entry.address[:2]] += 1
    if sent.requested_at is not None:
        decided.commands.append((sent.key, stored.refusal))
        reading.stored[entry.address] = stored  # it may stand in the queue as well, behind what it went before
    return answer


def _suspension_in_place_of(close: Entry, book: Book, reading: Reading) -> Entry:
    """What a held lot gets at its end: no result, under a key of its own, so that the close is owed again."""
    sent = Submission(
        lot_id=book.lot_id,
        kind=Kind.SUSPENDED,
        key=hold_key(book.lot_id, book.state.seq),
        ingress_at=close.sent.ingress_at,
        reason=reading.held[book.lot_id.int],
    )
    return Entry(sent, sent.address, close.received_at)


def _decision(
    entry: Entry, book: Book, bidder: Bidder | None, at: datetime, reading: Reading
) -> Event | Refusal | None:
    sent = entry.sent
    if entry.poison:
        return None if sent.kind in OWN_KINDS else errors.NotProcessable()
    if sent.kind is Kind.BID and book.last_received_at is not None and at < book.last_received_at:
        # A freeze or a resume went before what had entered already (R-HALT-02, 03): time may not fall along the chain.
        return errors.Suspended()
    if sent.kind is Kind.CLOSED and _waits_for_group(book, reading, at):
        return None
    if sent.kind is Kind.RESUMED and entry.address[0] in reading.held:
        return errors.AssetHeld()
    return decide(book.state, sent, bidder, at)


def _group_of(book: Book, reading: Reading) -> dict[UUID, rules.LotState]:
    """The other lots of the book's group, as they stand in this batch."""
    others = (other for other in reading.books.values() if other.group_id == book.group_id and other is not book)
    return {other.lot_id: other.state for other in others}


def _waits_for_group(book: Book, reading: Reading, at: datetime) -> bool:
    """Whether a lot of its group ended before this one and is still to be closed: ends take effect in their order."""
    ends_at = book.state.ends_at
    if book.group_id is None or ends_at is None:
        return False
    return groups.must_wait(book.lot_id, ends_at, _group_of(book, reading), at)


def _count_sale(book: Book, closed: Event, reading: Reading, decided: Decided) -> None:
    """Add a sale to its group, and stop the rest once the debt is covered (R-CLOSE-12)."""
    assert book.group_id is not None
    assert closed.price_fen is not None
    assert closed.ends_at is not None
    group = decided.groups[book.group_id] = reading.groups[book.group_id]
    group.sold_fen += closed.price_fen
    if not group.covered(closed.at):
        return
    for lot_id in groups.to_stop(closed.ends_at, _group_of(book, reading).items()):
        stopped = reading.books[lot_id.int]
        at = closed.at if stopped.last_received_at is None else max(closed.at, stopped.last_received_at)
        sent = Submission(
            lot_id=lot_id,
            kind=Kind.WITHDRAWN,
            key=groups.stop_key(lot_id),
            ingress_at=closed.at,
            reason=groups.STOPPED_REASON,
        )
        event = decide(stopped.state, sent, None, at)
        assert isinstance(event, Event), "only unfinished lots are stopped"
        _write_event(sent, event, stopped, decided)


def _time_of_entry(entry: Entry, book: Book, reading: Reading) -> datetime:
    """A bid's is its stamp. A command of another use case counts from its order; no command goes back in time.

    A halted lot runs on from the decision, not from the order: until then nobody could know of it, and without a desk
    nobody could bid, so its time would run out unseen (R-HALT-03).
    """
    sent = entry.sent
    if sent.kind is Kind.BID:
        return entry.received_at
    at = sent.requested_at or entry.received_at
    if sent.kind is Kind.RESUMED and book.state.status in rules.HALTED:
        at = reading.now or entry.received_at
    return at if book.last_received_at is None else max(at, book.last_received_at)


def _too_many_refusals(entry: Entry, reading: Reading, decided: Decided) -> bool:
    """Whether another refusal of this bidder would only be counted."""
    lot, bidder, _ = entry.address
    kept = reading.refusals_kept.get(lot, {}).get(bidder, 0)
    return kept + decided.refused[lot, bidder] >= MAX_STORED_REFUSALS


def _write_event(sent: Submission, event: Event, book: Book, decided: Decided) -> Stored:
    inner, payload = chain.event_bytes(event, sent.reason), chain.payload_hash(sent)
    sealed = chain.seal_event(sent, payload, inner)
    before, book.state = book.state, rules.evolve(book.state, event)
    previous, book.link = book.link, chain.link(book.link, sealed)
    proof = Proof(sealed, previous, decided.batch, decided.batch.add(book.link))
    if event.kind is Kind.BID:
        book.leader_registration_id = sent.registration_id
    elif book.state.status in FINISHED:
        book.closed_at = event.at
    book.events.append((event.seq, inner))
    if told := _told(sent, event, book, before.ends_at):
        decided.told.append(told)
    stored = Stored(payload, event.seq, None, sealed, book.link, proof)
    _write_row(sent, stored, event.at, book, decided)
    return stored


def _write_refusal(
    entry: Entry, refusal: Refusal, at: datetime, *, code: str | None, book: Book, decided: Decided
) -> Stored:
    sent = entry.sent
    if entry.poison and not 0 <= (sent.price_fen or 0) <= MAX_FEN:
        sent = msgspec.structs.replace(sent, price_fen=None, confirm_fen=None)
    payload = chain.payload_hash(sent)
    sealed = chain.seal_refusal(sent, payload, refusal, entry=book.entries + 1, at=at, code=code)
    stored = Stored(payload, None, refusal.code, sealed, chain.refusal_hash(sealed))
    book.refused = True
    _write_row(sent, stored, at, book, decided)
    return stored


def _write_row(sent: Submission, stored: Stored, at: datetime, book: Book, decided: Decided) -> None:
    batch = decided.batch if stored.proof else None
    book.entries += 1
    book.touched = True
    book.last_received_at = at if book.last_received_at is None else max(at, book.last_received_at)
    decided.rows.append(
        Row(
            sent.lot_id,
            book.entries,
            stored.seq,
            sent.kind,
            sent.registration_id,
            sent.key,
            sent.price_fen,
            sent.confirm_fen,
            sent.reason,
            sent.actor_id,
            sent.since,
            at,
            sent.ingress_at,
            stored.refusal,
            stored.payload,
            stored.sealed,
            stored.link,
            batch.share if batch else None,
            batch.number if batch else None,
        )
    )


def _told(sent: Submission, event: Event, book: Book, ended_before: datetime | None) -> contracts.Event | None:
    """What other contexts are told of an event."""
    lot_id, at, state = sent.lot_id, event.at, book.state
    match event.kind:
        case Kind.BID:
            assert state.ends_at is not None
            assert ended_before is not None
            if not rules.shows_another_minute(ended_before, state.ends_at):
                return None
            return contracts.LotEndMoved(lot_id=lot_id, at=at, ends_at=state.ends_at)
        case Kind.OPENED:
            return contracts.LotOpened(lot_id=lot_id, at=at)
        case Kind.SUSPENDED | Kind.DEFERRED:
            return contracts.LotSuspended(lot_id=lot_id, at=at, reason=sent.reason or "")
        case Kind.FROZEN:
            return contracts.LotFrozen(lot_id=lot_id, at=at, reason=sent.reason or "")
        case Kind.WITHDRAWN:
            return contracts.LotWithdrawn(lot_id=lot_id, at=at, reason=sent.reason or "")
        case Kind.RESUMED:
            assert state.ends_at is not None
            return contracts.LotResumed(lot_id=lot_id, at=at, ends_at=state.ends_at)
        case Kind.CLOSED:
            assert state.ends_at is not None
            return contracts.LotClosed(
                lot_id=lot_id,
                ended_at=state.ends_at,
                status="sold" if event.sold else "failed",
                registration_id=book.leader_registration_id,
                code=state.leader,
                price_fen=state.price_fen,
                bids=state.bids,
                extensions=state.extensions,
            )
