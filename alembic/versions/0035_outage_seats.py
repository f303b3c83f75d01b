"""Who was connected when an outage began: since when bidders are connected, and who came back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True, precision=3)


def upgrade() -> None:
    # Signs of life of a minute, and nobody signs while the schema changes: nothing is lost.
    op.execute("DELETE FROM bidding.ingress")
    op.add_column("ingress_bidder", sa.Column("came_at", TIME, nullable=False), schema="bidding")
    op.add_column("ingress_bidder", sa.Column("went_at", TIME, nullable=True), schema="bidding")
    op.create_table(
        "outage_seat",
        sa.Column("share", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("back_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["share", "epoch", "until"],
            ["bidding.desk_outage.share", "bidding.desk_outage.epoch", "bidding.desk_outage.until"],
            name=op.f("fk_outage_seat_share"),
        ),
        sa.PrimaryKeyConstraint("share", "epoch", "until", "lot_id", "registration_id", name=op.f("pk_outage_seat")),
        schema="bidding",
    )
    op.create_index("ix_outage_seat_lot_id", "outage_seat", ["lot_id"], unique=False, schema="bidding")
    op.create_index(
        "ix_outage_seat_away",
        "outage_seat",
        ["until"],
        unique=False,
        schema="bidding",
        postgresql_where=sa.text("back_at IS NULL"),
    )
