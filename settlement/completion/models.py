"""Tables of completion: a sale on its way, costs of a case, the fee, and how a forfeited deposit was used."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only
from kernel.money import Fen
from settlement.completion.rules import REGISTERED_COSTS, SaleState

STATES = ", ".join(f"'{state}'" for state in SaleState)
KINDS = ", ".join(f"'{kind}'" for kind in REGISTERED_COSTS)
AFTER_PAYMENT = "state IN ('paid', 'ruled', 'served', 'handed_over')"


class Sale(Base):
    """One sold lot, from the hammer to the handover or the default. The buyer's name is public (R-CLOSE-01)."""

    __tablename__ = "sale"
    __table_args__ = (
        CheckConstraint(f"state IN ({STATES})", "state"),
        CheckConstraint("price_fen > 0 AND deposit_fen >= 0", "amounts"),
        CheckConstraint(f"state = 'annulled' OR ({AFTER_PAYMENT}) = (paid_at IS NOT NULL)", "paid"),
        CheckConstraint(
            "state = 'annulled' OR (state IN ('ruled', 'served', 'handed_over')) = (ruling_decision_id IS NOT NULL)",
            "ruled",
        ),
        CheckConstraint(
            "state = 'annulled' OR (state IN ('served', 'handed_over')) = (served_on IS NOT NULL)", "served"
        ),
        CheckConstraint("state = 'annulled' OR (state = 'handed_over') = (handed_over_on IS NOT NULL)", "handed_over"),
        CheckConstraint("(state = 'defaulted') = (defaulted_at IS NOT NULL)", "defaulted"),
        CheckConstraint("(state = 'annulled') = (annulled_at IS NOT NULL)", "annulled"),
        CheckConstraint("num_nonnulls(annulled_at, annulment_decision_id, annulment_ground) IN (0, 3)", "annulment"),
        CheckConstraint("(state IN ('defaulted', 'annulled')) = (resale_lot_id IS NOT NULL)", "resale_ordered"),
        CheckConstraint("(defaulted_at IS NULL) = (default_decision_id IS NULL)", "default_decided"),
        Index("ix_sale_case_id", "case_id"),
        {"schema": "settlement"},
    )

    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    court_id: Mapped[UUID]
    asset_id: Mapped[UUID]
    registration_id: Mapped[UUID] = mapped_column(unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("settlement.account.id"), unique=True)
    case_no: Mapped[str]
    court_name: Mapped[str]
    title: Mapped[str]
    buyer_person_id: Mapped[UUID]
    """The buyer; of joint bidders the first, whose companions stand beside."""
    co_buyer_person_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default=text("'{}'"))
    buyer_name: Mapped[str]
    """The real name; of joint bidders all names with their shares."""
    code: Mapped[str]
    price_fen: Mapped[Fen]
    deposit_fen: Mapped[Fen]
    """What of the price the applied deposit pays."""
    state: Mapped[str]
    ended_at: Mapped[datetime]
    balance_due_at: Mapped[datetime]
    """The first moment that is too late."""
    paid_at: Mapped[datetime | None]
    ruling_due_on: Mapped[date | None]
    ruling_decision_id: Mapped[UUID | None]
    ruled_at: Mapped[datetime | None]
    served_on: Mapped[date | None]
    service_method: Mapped[str | None]
    service_proof: Mapped[str | None]
    handover_due_on: Mapped[date | None]
    handed_over_on: Mapped[date | None]
    handover_note: Mapped[str | None]
    defaulted_at: Mapped[datetime | None]
    default_decision_id: Mapped[UUID | None]
    forfeited_fen: Mapped[Fen | None]
    resale_lot_id: Mapped[UUID | None]
    annulled_at: Mapped[datetime | None]
    annulment_decision_id: Mapped[UUID | None]
    annulment_ground: Mapped[str | None]

    @property
    def buyers(self) -> tuple[UUID, ...]:
        """Everybody who bought: one person, or all joint bidders."""
        return (self.buyer_person_id, *self.co_buyer_person_ids)


class ShortfallOrder(Base):
    """The court's order to a defaulting buyer to make good what the deposit left uncovered (R-CLOSE-09)."""

    __tablename__ = "shortfall_order"
    __table_args__ = (CheckConstraint("amount_fen > 0", "amount"), {"schema": "settlement"})

    lot_id: Mapped[UUID] = mapped_column(ForeignKey(Sale.lot_id), primary_key=True)
    decision_id: Mapped[UUID]
    amount_fen: Mapped[Fen]
    due_on: Mapped[date]
    ordered_at: Mapped[datetime]


class ShortfallPayment(Base):
    """What the buyer paid under such an order, on its way to the case account."""

    __tablename__ = "shortfall_payment"
    __table_args__ = (CheckConstraint("amount_fen > 0", "amount"), {"schema": "settlement"})

    lot_id: Mapped[UUID] = mapped_column(ForeignKey(ShortfallOrder.lot_id), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    amount_fen: Mapped[Fen]
    taken_at: Mapped[datetime]


class PriceSetOff(Base):
    """What of a price is set off against the buyer's own claim by the panel's decision (R-CLOSE-04).

    It stands as long as the sale does: with a default or an annulment it falls away.
    """

    __tablename__ = "price_set_off"
    __table_args__ = (
        CheckConstraint("amount_fen BETWEEN 1 AND entitlement_fen", "amounts"),
        {"schema": "settlement"},
    )

    lot_id: Mapped[UUID] = mapped_column(ForeignKey(Sale.lot_id), primary_key=True)
    party_id: Mapped[UUID]
    entitlement_fen: Mapped[Fen]
    """What the price added to what the buyer receives in the distribution, when it was ordered."""
    amount_fen: Mapped[Fen]
    decision_id: Mapped[UUID]
    ordered_at: Mapped[datetime]


class DefaultUse(Base):
    """What of a forfeited deposit one settlement of its default moved, step by step (R-CLOSE-08).

    A later settlement adds what has become due since; the sums of all rows are the use.
    """

    __tablename__ = "default_use"
    __table_args__ = (
        CheckConstraint(
            "to_costs_fen >= 0 AND to_shortfall_fen >= 0 AND to_case_debt_fen >= 0 AND to_related_debt_fen >= 0",
            "steps",
        ),
        {"schema": "settlement"},
    )

    lot_id: Mapped[UUID] = mapped_column(ForeignKey(Sale.lot_id), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    resale_lot_id: Mapped[UUID]
    to_costs_fen: Mapped[Fen]
    to_shortfall_fen: Mapped[Fen]
    to_case_debt_fen: Mapped[Fen]
    to_related_debt_fen: Mapped[Fen]
    settled_at: Mapped[datetime]


class RelatedDebt(Base):
    """A debt connected with the property that the panel named for the fourth step of a forfeited deposit (R-CLOSE-08).

    Of several the first named is paid first.
    """

    __tablename__ = "related_debt"
    __table_args__ = (CheckConstraint("amount_fen > 0", "amount"), {"schema": "settlement"})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Identity(always=True), unique=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey(Sale.lot_id), index=True)
    name: Mapped[str]
    amount_fen: Mapped[Fen]
    payee_holder: Mapped[str]
    payee_number: Mapped[str]
    payee_bank: Mapped[str]
    document: Mapped[str]
    decision_id: Mapped[UUID]
    named_at: Mapped[datetime]


class CaseCostRow(Base):
    """A cost of a case, paid to whom it is owed (R-COST-04)."""

    __tablename__ = "case_cost"
    __table_args__ = (
        CheckConstraint(f"kind IN ({KINDS})", "kind"),
        CheckConstraint("amount_fen > 0", "amount"),
        Index("ix_case_cost_case_id", "case_id"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Identity(always=True), unique=True)
    case_id: Mapped[UUID]
    lot_id: Mapped[UUID | None]
    asset_id: Mapped[UUID | None]
    kind: Mapped[str]
    name: Mapped[str]
    amount_fen: Mapped[Fen]
    payee_holder: Mapped[str]
    payee_number: Mapped[str]
    payee_bank: Mapped[str]
    document: Mapped[str]
    added_at: Mapped[datetime]


class FeeSetting(Base):
    """The enforcement fee as computed and as the court set it, with the reason (R-COST-01); the last one counts."""

    __tablename__ = "fee_setting"
    __table_args__ = (
        CheckConstraint("set_fen >= 0 AND computed_fen >= 0 AND base_fen >= 0", "amounts"),
        {"schema": "settlement"},
    )

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    base_fen: Mapped[Fen]
    computed_fen: Mapped[Fen]
    set_fen: Mapped[Fen]
    reason: Mapped[str]
    decision_id: Mapped[UUID]
    set_at: Mapped[datetime]


for _table in (DefaultUse, RelatedDebt, CaseCostRow, FeeSetting, ShortfallOrder, ShortfallPayment, PriceSetOff):
    append_only(_table.__table__)
