"""The table of lots: what the panel decided, how the sale ended, and what the catalogue sorts and searches by."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from auction.lots.rules import OPEN, AssetKind, EarlierSale, Method, Round, Schedule, Status, Terms
from kernel.clock import beijing_day
from kernel.database import Base
from kernel.money import MAX_FEN, Fen


def _one_of(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


_COARSE = (
    "CASE WHEN followers < 10 THEN 0 WHEN followers < 100 THEN followers / 10 * 10"
    " WHEN followers < 1000 THEN followers / 100 * 100 WHEN followers < 10000 THEN followers / 1000 * 1000"
    " ELSE followers / 10000 * 10000 END"
)
_OPEN = ", ".join(repr(str(status)) for status in sorted(OPEN))


class AfterFailure(Base):
    """What the court owes after a failed second round, and when it did it (R-SELL-01)."""

    __tablename__ = "after_failure"
    __table_args__ = (
        CheckConstraint("num_nonnulls(asked_on, asked_proof, somebody_takes) IN (0, 3)", "asked_whole"),
        CheckConstraint("ask_by > failed_on AND notice_by > failed_on", "periods"),
        {"schema": "auction"},
    )

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("auction.lot.id"), primary_key=True)
    failed_on: Mapped[date]
    ask_by: Mapped[date]
    notice_by: Mapped[date]
    asked_on: Mapped[date | None]
    asked_proof: Mapped[str | None]
    somebody_takes: Mapped[bool | None]
    """Whether a creditor wants the thing, so that no sell-off is due for now."""
    noticed_on: Mapped[date | None]
    """The day on which the sell-off was published."""


class Lot(Base):
    """One sale of one asset: a round, a resale or a sell-off, from draft to outcome."""

    __tablename__ = "lot"
    __table_args__ = (
        CheckConstraint(_one_of("round", Round), "round"),
        CheckConstraint(_one_of("method", Method), "method"),
        CheckConstraint("(method = 'sell_off') = (round = 'sell_off')", "method_of_round"),
        CheckConstraint(_one_of("status", Status), "status"),
        CheckConstraint(_one_of("asset_kind", AssetKind), "asset_kind"),
        CheckConstraint(f"start_price_fen BETWEEN 1 AND {MAX_FEN}", "start_price"),
        CheckConstraint(f"increment_fen BETWEEN 1 AND {MAX_FEN}", "increment"),
        CheckConstraint("deposit_fen BETWEEN 0 AND start_price_fen", "deposit"),
        CheckConstraint(f"reference_price_fen BETWEEN 1 AND {MAX_FEN}", "reference_price"),
        CheckConstraint("balance_due_days > 0", "balance_due_days"),
        CheckConstraint("scheduled_end > opens_at", "ends_after_opening"),
        CheckConstraint(
            "status = 'draft' OR (published_at IS NOT NULL AND decision_id IS NOT NULL AND opens_at IS NOT NULL"
            " AND scheduled_end IS NOT NULL AND ends_at IS NOT NULL AND search_text IS NOT NULL)",
            "published_whole",
        ),
        CheckConstraint("status <> 'draft' OR published_at IS NULL", "draft_unpublished"),
        CheckConstraint("(published_at IS NULL) = (changed_at IS NULL)", "changed_once_published"),
        CheckConstraint("(status IN ('sold', 'defaulted', 'annulled')) = (price_fen IS NOT NULL)", "price_of_sale"),
        CheckConstraint("price_fen >= start_price_fen", "price_above_start"),
        CheckConstraint("(price_fen IS NULL) = (winner_code IS NULL)", "winner_has_price"),
        CheckConstraint("followers >= 0", "followers"),
        Index("ux_lot_open_asset", "asset_id", unique=True, postgresql_where=text(f"status IN ({_OPEN})")),
        Index("ix_lot_asset_id", "asset_id"),
        Index("ix_lot_case_id", "case_id"),
        Index("ix_lot_previous_lot_id", "previous_lot_id"),
        Index("ix_lot_sale_group_id", "sale_group_id", postgresql_where=text("sale_group_id IS NOT NULL")),
        Index("ix_lot_court_id", "court_id", postgresql_where=text("published_at IS NOT NULL")),
        Index("ix_lot_ends_soonest", "ends_rank", "id", postgresql_where=text("published_at IS NOT NULL")),
        Index("ix_lot_newest", "published_at", "id", postgresql_where=text("published_at IS NOT NULL")),
        Index("ix_lot_changed", "changed_at", "id", postgresql_where=text("published_at IS NOT NULL")),
        Index("ix_lot_price", "shown_price_fen", "id", postgresql_where=text("published_at IS NOT NULL")),
        Index("ix_lot_discount", "discount_bp", "id", postgresql_where=text("published_at IS NOT NULL")),
        Index("ix_lot_most_watched", "watched", "id", postgresql_where=text("published_at IS NOT NULL")),
        Index(
            "ix_lot_search_grams",
            text("auction.grams(search_text)"),
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
        {"schema": "auction"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    court_id: Mapped[UUID]
    asset_id: Mapped[UUID]
    item_id: Mapped[UUID]
    """The first lot of this chain of rounds: statistics count items by it. A resale begins a new item."""
    previous_lot_id: Mapped[UUID | None] = mapped_column(ForeignKey("auction.lot.id"))
    round: Mapped[str]
    method: Mapped[str]
    title: Mapped[str]

    start_price_fen: Mapped[Fen]
    increment_fen: Mapped[Fen]
    deposit_fen: Mapped[Fen]
    opens_at: Mapped[datetime | None]
    scheduled_end: Mapped[datetime | None]
    balance_due_days: Mapped[int]
    decision_id: Mapped[UUID | None]
    """The panel's decision on these terms; null while a resale is only ordered."""
    sale_group_id: Mapped[UUID | None] = mapped_column(ForeignKey("auction.sale_group.id"))
    """The lots that serve the same debt (R-CLOSE-12)."""
    ordered_by_decision_id: Mapped[UUID | None]
    """The decision on the default that ordered this resale."""
    barred_person_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default=text("'{}'"))
    """Defaulting buyers of this asset (R-CLOSE-10); told to bidding at publication, shown to nobody."""

    asset_kind: Mapped[str]
    place: Mapped[str]
    court_name: Mapped[str]
    case_no: Mapped[str]
    purchase_limited: Mapped[bool]
    loan_available: Mapped[bool] = mapped_column(server_default=text("false"))
    vacated: Mapped[bool] = mapped_column(server_default=text("false"))
    priority_purchaser: Mapped[bool] = mapped_column(server_default=text("false"))
    """Somebody may buy before others, as announced or as the court confirmed since: that there is one, never who."""
    reference_price_fen: Mapped[Fen]

    status: Mapped[str]
    held: Mapped[bool]
    """Whether the asset may not be disposed of now (R-CASE-09)."""
    drafted_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    changed_at: Mapped[datetime | None]
    """When what everybody is shown changed last; null in a draft."""
    opened_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    """The planned end; after a resumption, or bids that moved it, the new one, to the minute; once ended the real."""
    ended_at: Mapped[datetime | None]
    halt_reason: Mapped[str | None]
    price_fen: Mapped[Fen | None]
    winner_code: Mapped[str | None]
    bids: Mapped[int] = mapped_column(server_default="0")
    extensions: Mapped[int] = mapped_column(server_default="0")

    search_text: Mapped[str | None]
    """Title, place, court and case number as the catalogue searches them; null in a draft."""
    ends_rank: Mapped[int | None]
    shown_price_fen: Mapped[Fen | None]
    discount_bp: Mapped[int | None]
    followers: Mapped[int] = mapped_column(server_default=text("0"))
    """How many people follow it; shown to nobody, since it tells who came and went."""
    watched: Mapped[int] = mapped_column(Computed(_COARSE, persisted=True))
    """The same rounded down to one digit, 0 below ten: what everybody sees and the catalogue sorts by."""

    @property
    def schedule(self) -> Schedule | None:
        """When it is sold and who decided so; None while a resale is only ordered."""
        if self.opens_at is None or self.scheduled_end is None or self.decision_id is None:
            return None
        return Schedule(self.opens_at, self.scheduled_end, self.decision_id)

    @property
    def terms(self) -> Terms | None:
        """The decided terms; None while a resale is only ordered."""
        if self.schedule is None:
            return None
        return Terms(
            Round(self.round),
            self.start_price_fen,
            self.increment_fen,
            self.deposit_fen,
            self.schedule.ends_at - self.schedule.opens_at,
            self.balance_due_days,
        )

    @property
    def movable(self) -> bool:
        """Whether the shorter announcement period applies (R-PUB-01)."""
        return self.asset_kind == AssetKind.MOVABLE

    def as_earlier_sale(self, repeats: "Lot") -> EarlierSale:
        """What the next sale of the asset is judged by; `repeats` is the sale that this one holds again, or itself."""
        ended_on = beijing_day(self.ended_at) if self.ended_at else None
        return EarlierSale(self.id, Round(self.round), Round(repeats.round), Status(self.status), ended_on)
