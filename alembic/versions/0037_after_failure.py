"""What the court owes after a failed second round."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "after_failure",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("failed_on", sa.Date(), nullable=False),
        sa.Column("ask_by", sa.Date(), nullable=False),
        sa.Column("notice_by", sa.Date(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=True),
        sa.Column("asked_proof", sa.Text(), nullable=True),
        sa.Column("somebody_takes", sa.Boolean(), nullable=True),
        sa.Column("noticed_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "num_nonnulls(asked_on, asked_proof, somebody_takes) IN (0, 3)", name=op.f("ck_after_failure_asked_whole")
        ),
        sa.CheckConstraint("ask_by > failed_on AND notice_by > failed_on", name=op.f("ck_after_failure_periods")),
        sa.ForeignKeyConstraint(["lot_id"], ["auction.lot.id"], name=op.f("fk_after_failure_lot_id_lot")),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_after_failure")),
        schema="auction",
    )
