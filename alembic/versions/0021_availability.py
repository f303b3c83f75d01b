"""Outages in the record of each lot, and how many were connected."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lot_outage",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("until", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("real_ms", sa.BigInteger(), nullable=False),
        sa.Column("connected", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("real_ms >= 0 AND connected >= 0", name=op.f("ck_lot_outage_amounts")),
        sa.ForeignKeyConstraint(["lot_id"], ["bidding.lot.lot_id"], name=op.f("fk_lot_outage_lot_id_lot")),
        sa.PrimaryKeyConstraint("lot_id", "until", "cause", name=op.f("pk_lot_outage")),
        schema="bidding",
    )
    op.execute(ddl.protect("bidding.lot_outage"))
    op.create_table(
        "attendance",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("sockets", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("sockets >= 0", name=op.f("ck_attendance_sockets")),
        sa.PrimaryKeyConstraint("lot_id", "process", name=op.f("pk_attendance")),
        schema="bidding",
    )
