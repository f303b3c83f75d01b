"""Annulled sales, orders to make a shortfall good, and the panel's decisions they rest on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None

SUBJECTS = (
    "lot_terms",
    "priority",
    "sale_ruling",
    "enforcement_fee",
    "distribution_plan",
    "default",
    "shortfall",
    "annulment",
    "satisfaction",
    "suspension",
    "withdrawal",
)
LOT_STATUSES = (
    "draft",
    "published",
    "live",
    "suspended",
    "frozen",
    "sold",
    "failed",
    "withdrawn",
    "defaulted",
    "annulled",
)
SALE_STATES = ("awaiting_balance", "paid", "ruled", "served", "handed_over", "defaulted", "annulled")
SALE_CHECKS = {
    "paid": "state = 'annulled' OR (state IN ('paid', 'ruled', 'served', 'handed_over')) = (paid_at IS NOT NULL)",
    "ruled": "state = 'annulled' OR (state IN ('ruled', 'served', 'handed_over')) = (ruling_decision_id IS NOT NULL)",
    "served": "state = 'annulled' OR (state IN ('served', 'handed_over')) = (served_on IS NOT NULL)",
    "handed_over": "state = 'annulled' OR (state = 'handed_over') = (handed_over_on IS NOT NULL)",
    "resale_ordered": "(state IN ('defaulted', 'annulled')) = (resale_lot_id IS NOT NULL)",
}


def upgrade() -> None:
    _replace_check("appraisal", "panel_decision", "subject", _one_of("subject", SUBJECTS))
    _replace_check("auction", "lot", "status", _one_of("status", LOT_STATUSES))
    _replace_check(
        "auction",
        "lot",
        "price_of_sale",
        "(status IN ('sold', 'defaulted', 'annulled')) = (price_fen IS NOT NULL)",
    )
    outcomes = _one_of("outcome", ("sold", "failed", "defaulted", "annulled"))
    _replace_check("auction", "ended_round", "outcome", outcomes)
    for column, kind in (
        ("annulled_at", postgresql.TIMESTAMP(timezone=True, precision=3)),
        ("annulment_decision_id", sa.Uuid()),
        ("annulment_ground", sa.Text()),
    ):
        op.add_column("sale", sa.Column(column, kind, nullable=True), schema="settlement")
    _replace_check("settlement", "sale", "state", _one_of("state", SALE_STATES))
    for name, condition in SALE_CHECKS.items():
        _replace_check("settlement", "sale", name, condition)
    _add_check("settlement", "sale", "annulled", "(state = 'annulled') = (annulled_at IS NOT NULL)")
    whole = "num_nonnulls(annulled_at, annulment_decision_id, annulment_ground) IN (0, 3)"
    _add_check("settlement", "sale", "annulment", whole)
    op.create_table(
        "shortfall_order",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("ordered_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_shortfall_order_amount")),
        sa.ForeignKeyConstraint(["lot_id"], ["settlement.sale.lot_id"], name=op.f("fk_shortfall_order_lot_id_sale")),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_shortfall_order")),
        schema="settlement",
    )
    op.create_table(
        "shortfall_payment",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_shortfall_payment_amount")),
        sa.ForeignKeyConstraint(
            ["lot_id"],
            ["settlement.shortfall_order.lot_id"],
            name=op.f("fk_shortfall_payment_lot_id_shortfall_order"),
        ),
        sa.PrimaryKeyConstraint("lot_id", "number", name=op.f("pk_shortfall_payment")),
        schema="settlement",
    )
    for table in ("shortfall_order", "shortfall_payment"):
        op.execute(ddl.protect(f"settlement.{table}"))


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def _replace_check(schema: str, table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, schema=schema, type_="check")
    _add_check(schema, table, name, condition)


def _add_check(schema: str, table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition, schema=schema)
