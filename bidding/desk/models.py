"""Tables of the bid desk. Only the desk writes `lot` after publication, `submission` and `refusal_block`.

`submission` has one row per submission, accepted or refused: it is at once the bid's audit entry, its idempotency
record and its receipt. The rows with a `seq` are the lot's hash chain. It has no foreign keys: their triggers would
cost more than the insert itself; `verify` checks what they would.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bidding.desk.rules import Kind, Method, Status
from kernel.database import Base, append_only
from kernel.money import MAX_FEN, Fen

KINDS = ", ".join(f"'{kind}'" for kind in Kind)


class SaleGroup(Base):
    """Lots that serve one debt: what covers it, and what they have sold for so far (R-CLOSE-12)."""

    __tablename__ = "sale_group"
    __table_args__ = (
        CheckConstraint(f"target_fen BETWEEN 1 AND {MAX_FEN} AND sold_fen >= 0", "amounts"),
        CheckConstraint("(consented_at IS NULL) = (consent_proof IS NULL)", "consent_has_proof"),
        {"schema": "bidding"},
    )

    group_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    court_id: Mapped[UUID]
    target_fen: Mapped[Fen]
    """Debt and costs, as the court stated them before the first publication."""
    sold_fen: Mapped[Fen] = mapped_column(server_default="0")
    """The sum of the prices of its lots closed as sold; a later default does not lower it."""
    consented_at: Mapped[datetime | None]
    """Since when the debtor agrees that the rest be sold although the debt is covered."""
    consent_proof: Mapped[str | None]


class Lot(Base):
    """Bidding's copy of a lot's published terms, and where it stands after its last decision."""

    __tablename__ = "lot"
    __table_args__ = (
        CheckConstraint(f"method IN ({', '.join(repr(str(method)) for method in Method)})", "method"),
        CheckConstraint(f"status IN ({', '.join(repr(str(status)) for status in Status)})", "status"),
        CheckConstraint("scheduled_end > opens_at", "ends_after_opening"),
        CheckConstraint(f"start_price_fen BETWEEN 1 AND {MAX_FEN} AND increment_fen BETWEEN 1 AND {MAX_FEN}", "terms"),
        CheckConstraint("deposit_fen >= 0 AND applicant_claim_fen >= 0", "deposit"),
        CheckConstraint(
            f"price_fen BETWEEN start_price_fen AND {MAX_FEN} AND (price_fen - start_price_fen) % increment_fen = 0",
            "price_on_grid",
        ),
        CheckConstraint(
            "(price_fen IS NULL) = (leader_code IS NULL) AND (price_fen IS NULL) = (leader_registration_id IS NULL)"
            " AND (price_fen IS NULL) = (bids = 0)",
            "leader_has_price",
        ),
        CheckConstraint(
            "CASE WHEN status IN ('suspended', 'frozen') THEN ends_at IS NULL AND remaining_ms > 0"
            " WHEN status = 'withdrawn' THEN true ELSE ends_at IS NOT NULL AND remaining_ms IS NULL END",
            "time_runs_or_is_kept",
        ),
        CheckConstraint("(outcome IS NOT NULL) = (status IN ('closed', 'annulled'))", "outcome_at_close"),
        CheckConstraint("(outcome IS NOT DISTINCT FROM 'sold') <= (price_fen IS NOT NULL)", "sold_has_price"),
        CheckConstraint("outcome IN ('sold', 'failed')", "outcome"),
        CheckConstraint("octet_length(genesis) = 32 AND octet_length(link) = 32", "link_length"),
        Index("ix_lot_opening", "opens_at", postgresql_where=text("status = 'upcoming'")),
        Index("ix_lot_ending", "ends_at", postgresql_where=text("status IN ('upcoming', 'open')")),
        Index("ix_lot_live", "lot_id", postgresql_where=text("status IN ('upcoming', 'open', 'suspended', 'frozen')")),
        Index("ix_lot_finished", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),
        Index("ix_lot_asset_id", "asset_id"),
        Index("ix_lot_sale_group_id", "sale_group_id", postgresql_where=text("sale_group_id IS NOT NULL")),
        {"schema": "bidding"},
    )

    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    court_id: Mapped[UUID]
    asset_id: Mapped[UUID]
    title: Mapped[str]
    method: Mapped[str]
    opens_at: Mapped[datetime]
    scheduled_end: Mapped[datetime]
    """The planned end; of a sell-off the end of its period."""
    start_price_fen: Mapped[Fen]
    increment_fen: Mapped[Fen]
    deposit_fen: Mapped[Fen]
    applicant_claim_fen: Mapped[Fen]
    """What the enforcement applicant may set off against the deposit (R-BID-05)."""
    sale_group_id: Mapped[UUID | None] = mapped_column(ForeignKey("bidding.sale_group.group_id"))
    """The lots that serve the same debt (R-CLOSE-12)."""
    genesis: Mapped[bytes]
    """Hash of the published terms: the link before the first event."""

    status: Mapped[str]
    ends_at: Mapped[datetime | None]
    """The end as it stands now; null while the lot is halted."""
    remaining_ms: Mapped[int | None]
    """The time kept by a halt; null while the lot's time runs."""
    opened: Mapped[bool] = mapped_column(server_default="false")
    leader_registration_id: Mapped[UUID | None]
    leader_code: Mapped[str | None]
    leader_rank: Mapped[int | None]
    price_fen: Mapped[Fen | None]
    seq: Mapped[int] = mapped_column(server_default="0")
    entries: Mapped[int] = mapped_column(server_default="0")
    """How many submissions are stored, refusals included."""
    bids: Mapped[int] = mapped_column(server_default="0")
    extensions: Mapped[int] = mapped_column(server_default="0")
    link: Mapped[bytes]
    outcome: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    """When the close or the withdrawal was decided; a closed lot ended at `ends_at`."""

    last_received_at: Mapped[datetime | None]
    """The latest time of entry decided (platform time): a new desk's clock starts no earlier."""
    decided_at: Mapped[datetime | None]
    """When the last batch with this lot was written (real time): the start of a hole after a crash."""
    late_entries: Mapped[int] = mapped_column(server_default="0")
    """Platform faults: submissions that waited over 500 ms between the ingress and the queue."""
    unstored_refusals: Mapped[int] = mapped_column(server_default="0")
    """Refusals past a bidder's thousandth, which are counted and not stored."""


class Submission(Base):
    """One submission: what was asked, when it entered, and what was decided."""

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("lot_id", "registration_id", "key", postgresql_nulls_not_distinct=True),
        Index("ux_submission_seq", "lot_id", "seq", unique=True, postgresql_where=text("seq IS NOT NULL")),
        CheckConstraint(f"kind IN ({KINDS})", "kind"),
        CheckConstraint("entry > 0 AND seq > 0", "numbers"),
        CheckConstraint("(seq IS NULL) = (refusal IS NOT NULL)", "accepted_or_refused"),
        CheckConstraint("(kind = 'bid') = (registration_id IS NOT NULL)", "bids_have_bidders"),
        CheckConstraint(
            "CASE WHEN kind = 'bid' AND seq IS NOT NULL"
            f" THEN price_fen IS NOT NULL AND price_fen BETWEEN 1 AND {MAX_FEN}"
            " WHEN kind <> 'bid' THEN price_fen IS NULL ELSE true END",
            "price",
        ),
        CheckConstraint("octet_length(payload_hash) = 32 AND octet_length(link) = 32", "hash_length"),
        {"schema": "bidding"},
    )

    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, 3 … over all submissions of the lot, in the order of decision."""
    seq: Mapped[int | None]
    """1, 2, 3 … over the lot's events; null for a refusal."""
    kind: Mapped[str]
    """The event, or the one that was asked for."""
    registration_id: Mapped[UUID | None]
    """Null for the court's and the desk's own commands."""
    key: Mapped[UUID]
    price_fen: Mapped[Fen | None]
    confirm_fen: Mapped[Fen | None]
    reason: Mapped[str | None]
    """The ground that a court command gives, published with it."""
    actor_id: Mapped[UUID | None]
    """Who gave a court command."""
    since: Mapped[datetime | None]
    """When the outage behind a freeze began."""
    received_at: Mapped[datetime]
    """Time of entry into the desk's queue: the time that the law counts (R-BID-11)."""
    ingress_at: Mapped[datetime]
    """Arrival at the platform's edge, kept as evidence."""
    refusal: Mapped[str | None]
    payload_hash: Mapped[bytes]
    """What was sent under the key: the same key with another payload is `key-reused`."""
    event: Mapped[bytes]
    """The exact bytes that are hashed; they name the code, never registration or person."""
    link: Mapped[bytes]
    """Of an event: the hash chain's link. Of a refusal: the row's own hash, sealed in `refusal_block`."""


class RefusalBlock(Base):
    """A run of refusals of one lot, sealed within a second: link = SHA-256(format, previous link, their hashes)."""

    __tablename__ = "refusal_block"
    __table_args__ = (
        CheckConstraint("first_entry <= last_entry AND octet_length(link) = 32", "block"),
        {"schema": "bidding"},
    )

    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_entry: Mapped[int]
    last_entry: Mapped[int]
    refusals: Mapped[int]
    link: Mapped[bytes]
    sealed_at: Mapped[datetime]


class LotCommand(Base):
    """A command to a lot from another use case, written in its transaction; the desk queues it within a second."""

    __tablename__ = "lot_command"
    __table_args__ = (
        CheckConstraint("kind IN ('suspended', 'deferred', 'resumed', 'withdrawn')", "kind"),
        Index("ix_lot_command_waiting", "lot_id", postgresql_where=text("decided_at IS NULL")),
        {"schema": "bidding"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey(Lot.lot_id))
    kind: Mapped[str]
    reason: Mapped[str]
    actor_id: Mapped[UUID | None]
    requested_at: Mapped[datetime]
    """Platform time under the lot's lock: what the desk takes as the time of entry."""
    decided_at: Mapped[datetime | None]
    refusal: Mapped[str | None]


class LotHold(Base):
    """Bidding's copy of a hold on the lot's asset (R-CASE-09): while one stands, the lot is not resumed."""

    __tablename__ = "lot_hold"
    __table_args__ = ({"schema": "bidding"},)

    lot_id: Mapped[UUID] = mapped_column(ForeignKey(Lot.lot_id), primary_key=True)
    hold_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str]
    placed_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class DeskLease(Base):
    """Who is the desk of a share of the lots. Changed by takeovers alone, read FOR SHARE by every batch."""

    __tablename__ = "desk_lease"
    __table_args__ = ({"schema": "bidding"},)

    share: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    holder: Mapped[str]
    address: Mapped[str | None]
    taken_at: Mapped[datetime]


class DeskHealth(Base):
    """The desk's sign of life, every second, in real and in platform time."""

    __tablename__ = "desk_health"
    __table_args__ = ({"schema": "bidding"},)

    share: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    real_at: Mapped[datetime]
    platform_at: Mapped[datetime]


class DeskOutage(Base):
    """A span in which nobody decided, or not reliably: why lots were frozen (R-HALT-02)."""

    __tablename__ = "desk_outage"
    __table_args__ = ({"schema": "bidding"},)

    share: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    until: Mapped[datetime] = mapped_column(primary_key=True)
    """Platform time of the detection; `since` likewise."""
    since: Mapped[datetime]
    real_ms: Mapped[int]
    """Its length in real time."""
    cause: Mapped[str]
    lots_frozen: Mapped[int]


for _table in (Submission, RefusalBlock, DeskOutage):
    append_only(_table.__table__)
