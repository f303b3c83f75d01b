"""Outages measured as they were: how the lots were shared out then, and which single lots one hit and for how long.
Besides: since when a lot runs without a break, and a web process signs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0043"
down_revision = "0041"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True, precision=3)

FILL_RESUMED_AT = """
    UPDATE bidding.lot l SET resumed_at = r.at
    FROM (SELECT lot_id, max(received_at) AS at FROM bidding.submission
          WHERE kind = 'resumed' AND seq IS NOT NULL GROUP BY lot_id) r
    WHERE l.lot_id = r.lot_id
"""
# Before, outages of single lots were kept where they froze a lot alone, and each was known by the end of its freezes.
FILL_OUTAGE_LOT = """
    INSERT INTO bidding.outage_lot (share, epoch, until, lot_id, over_at, real_ms)
    SELECT DISTINCT o.share, o.epoch, o.until, l.lot_id, o.until, o.real_ms
    FROM bidding.desk_outage o
    JOIN bidding.submission s ON s.kind = 'frozen' AND s.seq IS NOT NULL AND s.received_at = o.until
    JOIN bidding.lot l ON l.lot_id = s.lot_id AND coalesce(s.share, l.bucket % o.of) = o.share
    WHERE o.cause IN ('busy', 'ingress-missing', 'undecided')
"""


def upgrade() -> None:
    op.add_column("lot", sa.Column("resumed_at", TIME, nullable=True), schema="bidding")
    op.execute(FILL_RESUMED_AT)
    # By default, since outages refuse to be changed. How lots were shared out before nobody noted.
    shares = op.get_bind().scalar(sa.text("SELECT shares FROM bidding.desk_shares"))
    of = sa.Column("of", sa.BigInteger(), nullable=False, server_default=str(shares))
    op.add_column("desk_outage", of, schema="bidding")
    op.alter_column("desk_outage", "of", server_default=None, schema="bidding")
    op.create_table(
        "outage_lot",
        sa.Column("share", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("over_at", TIME, nullable=True),
        sa.Column("real_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(over_at IS NULL) = (real_ms IS NULL)", name=op.f("ck_outage_lot_over_has_length")),
        sa.ForeignKeyConstraint(
            ["share", "epoch", "until"],
            ["bidding.desk_outage.share", "bidding.desk_outage.epoch", "bidding.desk_outage.until"],
            name=op.f("fk_outage_lot_share"),
        ),
        sa.PrimaryKeyConstraint("share", "epoch", "until", "lot_id", name=op.f("pk_outage_lot")),
        schema="bidding",
    )
    op.create_index("ix_outage_lot_lot_id", "outage_lot", ["lot_id"], unique=False, schema="bidding")
    op.create_index(
        "ix_outage_lot_going_on",
        "outage_lot",
        ["lot_id"],
        unique=False,
        schema="bidding",
        postgresql_where=sa.text("over_at IS NULL"),
    )
    op.execute(FILL_OUTAGE_LOT)
    # Nobody signs while the schema changes, and the time without a desk is an outage of its own: nothing is lost.
    op.execute("DELETE FROM bidding.ingress")
    op.add_column("ingress", sa.Column("began_at", TIME, nullable=False), schema="bidding")
