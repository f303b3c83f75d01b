"""Things taken in satisfaction after a failed round, and set-offs as lines of a plan."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_plan_line_payee_kind"), "plan_line", schema="settlement", type_="check")
    op.create_check_constraint(
        op.f("ck_plan_line_payee_kind"),
        "plan_line",
        "payee_kind IN ('party', 'cost', 'escrow', 'set_off')",
        schema="settlement",
    )
    moment = postgresql.TIMESTAMP(timezone=True, precision=3)
    op.create_table(
        "taking",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("entitlement_fen", sa.BigInteger(), nullable=False),
        sa.Column("pay_in_fen", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_at", moment, nullable=False),
        sa.Column("paid_at", moment, nullable=True),
        sa.Column("ruling_due_on", sa.Date(), nullable=True),
        sa.Column("ruling_decision_id", sa.Uuid(), nullable=True),
        sa.Column("served_on", sa.Date(), nullable=True),
        sa.Column("service_method", sa.Text(), nullable=True),
        sa.Column("service_proof", sa.Text(), nullable=True),
        sa.Column("lapsed_at", moment, nullable=True),
        sa.CheckConstraint("state IN ('awaiting', 'paid', 'served', 'lapsed')", name=op.f("ck_taking_state")),
        sa.CheckConstraint(
            "entitlement_fen >= 0 AND pay_in_fen >= 0 AND price_fen > 0", name=op.f("ck_taking_amounts")
        ),
        sa.CheckConstraint("entitlement_fen + pay_in_fen = price_fen", name=op.f("ck_taking_sums")),
        sa.CheckConstraint("(state IN ('paid', 'served')) = (paid_at IS NOT NULL)", name=op.f("ck_taking_paid")),
        sa.CheckConstraint("(state = 'served') = (served_on IS NOT NULL)", name=op.f("ck_taking_served")),
        sa.CheckConstraint("(state = 'lapsed') = (lapsed_at IS NOT NULL)", name=op.f("ck_taking_lapsed")),
        sa.ForeignKeyConstraint(["account_id"], ["settlement.account.id"], name=op.f("fk_taking_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taking")),
        schema="settlement",
    )
    op.create_index(
        "ux_taking_open_lot",
        "taking",
        ["lot_id"],
        unique=True,
        schema="settlement",
        postgresql_where=sa.text("state <> 'lapsed'"),
    )
    op.create_index("ix_taking_case_id", "taking", ["case_id"], unique=False, schema="settlement")
