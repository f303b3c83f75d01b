"""Debts connected with the property, named by the panel for the fourth step of a forfeited deposit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "related_debt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("payee_holder", sa.Text(), nullable=False),
        sa.Column("payee_number", sa.Text(), nullable=False),
        sa.Column("payee_bank", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("named_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_related_debt_amount")),
        sa.ForeignKeyConstraint(["lot_id"], ["settlement.sale.lot_id"], name=op.f("fk_related_debt_lot_id_sale")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_related_debt")),
        sa.UniqueConstraint("number", name=op.f("uq_related_debt_number")),
        schema="settlement",
    )
    op.create_index(op.f("ix_related_debt_lot_id"), "related_debt", ["lot_id"], unique=False, schema="settlement")
    op.execute(ddl.protect("settlement.related_debt"))
