"""Prices set off against the buyer's own claim, and the panel's decisions they rest on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0039"
down_revision = "0038"
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
    "set_off",
    "suspension",
    "withdrawal",
)


def upgrade() -> None:
    name, table = op.f("ck_panel_decision_subject"), "panel_decision"
    op.drop_constraint(name, table, schema="appraisal", type_="check")
    subjects = ", ".join(repr(subject) for subject in SUBJECTS)
    op.create_check_constraint(name, table, f"subject IN ({subjects})", schema="appraisal")
    op.create_table(
        "price_set_off",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("entitlement_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("ordered_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("amount_fen BETWEEN 1 AND entitlement_fen", name=op.f("ck_price_set_off_amounts")),
        sa.ForeignKeyConstraint(["lot_id"], ["settlement.sale.lot_id"], name=op.f("fk_price_set_off_lot_id_sale")),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_price_set_off")),
        schema="settlement",
    )
    op.execute(ddl.protect("settlement.price_set_off"))
