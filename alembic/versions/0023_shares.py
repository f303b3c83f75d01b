"""Several desks share the lots: a bucket of each lot, and how many shares there are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bucket = sa.Computed("('x' || right(lot_id::text, 3))::bit(12)::integer", persisted=True)
    op.add_column("lot", sa.Column("bucket", sa.Integer(), bucket, nullable=False), schema="bidding")
    op.create_table(
        "desk_shares",
        sa.Column("single", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("single", name=op.f("ck_desk_shares_one_row")),
        sa.CheckConstraint("shares BETWEEN 1 AND 64", name=op.f("ck_desk_shares_shares")),
        sa.PrimaryKeyConstraint("single", name=op.f("pk_desk_shares")),
        schema="bidding",
    )
    op.execute("INSERT INTO bidding.desk_shares (shares, changed_at) VALUES (1, clock_timestamp())")
