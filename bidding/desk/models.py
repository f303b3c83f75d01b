"""Tables of the bid desk. Only the desk writes `lot` after publication, `submission` and `refusal_block`.

`submission` has one row per submission, accepted or refused: it is at once the bid's audit entry, its idempotency
record and its receipt. The rows with a `seq` are the lot's hash chain. It has no foreign keys: their triggers would
cost more than the insert itself; `verify` checks what they would.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bidding.desk.receipts import Batch, BatchView
from bidding.desk.rules import Kind, Method, Status, Terms
from kernel.clock import beijing
from kernel.database import Base, append_only
from kernel.merkle import HASH_BYTES
from kernel.money import MAX_FEN, Fen

BUCKET = "('x' || right(coalesce(sale_group_id, lot_id)::text, 3))::bit(12)::integer"
"""Lots of one sale group have one bucket, so that one desk closes them in their order (R-CLOSE-12)."""

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
        CheckConstraint("deposit_fen >= 0", "deposit"),
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
        CheckConstraint("admitted >= 0", "admitted"),
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
    announcement_version: Mapped[str | None]
    """What a bidder must accept (R-PUB-04); null where the lot was published before it was told."""
    sale_group_id: Mapped[UUID | None] = mapped_column(ForeignKey("bidding.sale_group.group_id"))
    """The lots that serve the same debt (R-CLOSE-12)."""
    admitted: Mapped[int] = mapped_column(server_default="0")
    """How many bidders were ever admitted; shown to everybody coarsely alone."""
    genesis: Mapped[bytes]
    """Hash of the published terms: the link before the first event."""

    status: Mapped[str]
    ends_at: Mapped[datetime | None]
    """The end as it stands now; null while the lot is halted."""
    remaining_ms: Mapped[int | None]
    """The time kept by a halt; null while the lot's time runs."""
    opened: Mapped[bool] = mapped_column(server_default="false")
    resumed_at: Mapped[datetime | None]
    """When it last ran on after a halt (platform time): an outage takes no time from before."""
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
    bucket: Mapped[int] = mapped_column(Integer, Computed(BUCKET, persisted=True))
    """0 to 4,095, from the last digits of the id, of a sale group for all its lots: whose lot it is (`shares`)."""

    @property
    def terms(self) -> Terms:
        """The published terms, by which the desk decides."""
        return Terms(
            method=Method(self.method),
            opens_at=self.opens_at,
            scheduled_end=self.scheduled_end,
            start_price_fen=self.start_price_fen,
            increment_fen=self.increment_fen,
        )


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
        CheckConstraint("num_nulls(share, batch) <> 1 AND (batch IS NULL OR seq IS NOT NULL)", "events_have_batches"),
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
    """Time of entry into the desk's queue: the time that the law counts (R-BID-11); of a resume the decision's."""
    ingress_at: Mapped[datetime]
    """Arrival at the platform's edge, kept as evidence."""
    refusal: Mapped[str | None]
    payload_hash: Mapped[bytes]
    """What was sent under the key: the same key with another payload is `key-reused`."""
    event: Mapped[bytes]
    """The exact bytes that are hashed; they name the code, never registration or person."""
    link: Mapped[bytes]
    """Of an event: the hash chain's link. Of a refusal: the row's own hash, sealed in `refusal_block`."""
    share: Mapped[int | None]
    batch: Mapped[int | None]
    """Of an event: the signed batch that it was committed in, by share and number."""


class BatchRow(Base):
    """The events of one commit of the desk under one signature, made before the commit (`receipts`)."""

    __tablename__ = "batch"
    __table_args__ = (
        CheckConstraint("number > 0 AND octet_length(leaves) > 0 AND octet_length(leaves) % 32 = 0", "leaves"),
        CheckConstraint("octet_length(root) = 32 AND octet_length(signature) = 64", "signed"),
        {"schema": "bidding"},
    )

    share: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, 3 … over the batches of a share that have events."""
    at: Mapped[datetime]
    """Platform time of the signature."""
    leaves: Mapped[bytes]
    """The links of its events in order of decision."""
    root: Mapped[bytes]
    key_id: Mapped[str]
    signature: Mapped[bytes]

    def view(self) -> BatchView:
        """The batch on the wire, as its row says."""
        size, at = len(self.leaves) // HASH_BYTES, beijing(self.at)
        return BatchView(self.share, self.number, size, at, self.root.hex(), self.key_id, self.signature.hex())

    def signed(self) -> Batch:
        """The batch as it was committed."""
        return Batch.stored(
            self.share, self.number, self.leaves, at=self.at, key_id=self.key_id, signature=self.signature
        )


class SigningKey(Base):
    """Every public key that a desk ever signed with; the private ones are no part of the database."""

    __tablename__ = "signing_key"
    __table_args__ = (CheckConstraint("octet_length(public_key) = 32", "length"), {"schema": "bidding"})

    key_id: Mapped[str] = mapped_column(primary_key=True)
    public_key: Mapped[bytes]
    first_used_at: Mapped[datetime]
    """Real time."""


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
        Index("ix_lot_command_decided", "decided_at", postgresql_where=text("decided_at IS NOT NULL")),
        {"schema": "bidding"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey(Lot.lot_id))
    kind: Mapped[str]
    reason: Mapped[str]
    actor_id: Mapped[UUID | None]
    requested_at: Mapped[datetime]
    """Platform time under the lot's lock: what the desk takes as the time of entry, but of a resume, which counts from
    the decision."""
    decided_at: Mapped[datetime | None]
    refusal: Mapped[str | None]


class LotHold(Base):
    """Bidding's copy of a hold on the lot's asset (R-CASE-09): with one no lot is resumed or closed."""

    __tablename__ = "lot_hold"
    __table_args__ = ({"schema": "bidding"},)

    lot_id: Mapped[UUID] = mapped_column(ForeignKey(Lot.lot_id), primary_key=True)
    hold_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str]
    placed_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class DeskLease(Base):
    """Who is the desk of a share of the lots; `holder` is empty where it was given up.

    Changed by takeovers, by who stops and by a new sharing-out alone; read FOR SHARE by every batch.
    """

    __tablename__ = "desk_lease"
    __table_args__ = ({"schema": "bidding"},)

    share: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    holder: Mapped[str]
    address: Mapped[str | None]
    taken_at: Mapped[datetime]


class DeskShares(Base):
    """Among how many desks the lots are shared out: one row, changed by `shares.change` alone."""

    __tablename__ = "desk_shares"
    __table_args__ = (
        CheckConstraint("single", "one_row"),
        CheckConstraint("shares BETWEEN 1 AND 64", "shares"),
        {"schema": "bidding"},
    )

    single: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    shares: Mapped[int]
    changed_at: Mapped[datetime]


class DeskHealth(Base):
    """The desk's sign of life, every second, in real and in platform time."""

    __tablename__ = "desk_health"
    __table_args__ = ({"schema": "bidding"},)

    share: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    real_at: Mapped[datetime]
    platform_at: Mapped[datetime]


class Ingress(Base):
    """A web process and its sign of life, every second, in real and in platform time."""

    __tablename__ = "ingress"
    __table_args__ = ({"schema": "bidding"},)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    real_at: Mapped[datetime]
    platform_at: Mapped[datetime]
    began_at: Mapped[datetime]
    """Real time of the first sign after which it was never silent."""


class IngressBidder(Base):
    """A bidder with a live socket at a web process; gone with the socket, or once they are back at another process.

    Of a process that fell silent it stays while the lot runs, for an hour in which they could have come back.
    """

    __tablename__ = "ingress_bidder"
    __table_args__ = (
        Index("ix_ingress_bidder_lot_id", "lot_id", "registration_id"),
        {"schema": "bidding"},
    )

    ingress_id: Mapped[UUID] = mapped_column(ForeignKey(Ingress.id, ondelete="CASCADE"), primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    registration_id: Mapped[UUID] = mapped_column(primary_key=True)
    came_at: Mapped[datetime]
    """Platform time of the sign of life that told of them first."""
    went_at: Mapped[datetime | None]
    """Of the first sign without them, or behind the last one of a process that fell silent, once they are back at
    another; kept for a minute, for outages that are noticed late."""


class DeskOutage(Base):
    """A span in which nobody decided, or not reliably: why lots were frozen (R-HALT-02), and availability."""

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
    of: Mapped[int]
    """Among how many desks the lots were shared out: it hit those whose bucket left `share` when divided by that."""


class OutageLot(Base):
    """A lot that an outage of single lots hit, whether it froze it or not; one row however long it goes on."""

    __tablename__ = "outage_lot"
    __table_args__ = (
        ForeignKeyConstraint(["share", "epoch", "until"], [DeskOutage.share, DeskOutage.epoch, DeskOutage.until]),
        CheckConstraint("(over_at IS NULL) = (real_ms IS NULL)", "over_has_length"),
        Index("ix_outage_lot_lot_id", "lot_id"),
        Index("ix_outage_lot_going_on", "lot_id", postgresql_where=text("over_at IS NULL")),
        {"schema": "bidding"},
    )

    share: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    until: Mapped[datetime] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    over_at: Mapped[datetime | None]
    """Platform time of its end for this lot, by its freeze or by itself; null while it goes on."""
    real_ms: Mapped[int | None]
    """Its length for this lot in real time."""


class OutageSeat(Base):
    """A bidder of a running lot who was connected when an outage began. The record shows their number alone."""

    __tablename__ = "outage_seat"
    __table_args__ = (
        ForeignKeyConstraint(["share", "epoch", "until"], [DeskOutage.share, DeskOutage.epoch, DeskOutage.until]),
        Index("ix_outage_seat_lot_id", "lot_id"),
        Index("ix_outage_seat_away", "until", postgresql_where=text("back_at IS NULL")),
        {"schema": "bidding"},
    )

    share: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    until: Mapped[datetime] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    registration_id: Mapped[UUID] = mapped_column(primary_key=True)
    back_at: Mapped[datetime | None]
    """When a web process that reaches the desk first saw them again."""


for _table in (Submission, BatchRow, SigningKey, RefusalBlock, DeskOutage):
    append_only(_table.__table__)
