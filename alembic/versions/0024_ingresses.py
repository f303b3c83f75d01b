"""Signs of life of web processes, and who is connected to each."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ingress",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("real_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("platform_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ingress")),
        schema="bidding",
    )
    op.create_table(
        "ingress_bidder",
        sa.Column("ingress_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ingress_id"],
            ["bidding.ingress.id"],
            name=op.f("fk_ingress_bidder_ingress_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ingress_id", "lot_id", "registration_id", name=op.f("pk_ingress_bidder")),
        schema="bidding",
    )
    op.create_index(
        "ix_ingress_bidder_lot_id", "ingress_bidder", ["lot_id", "registration_id"], unique=False, schema="bidding"
    )
