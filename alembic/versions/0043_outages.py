"""Outages measured as they were: how the lots were shared out then, and which single lots one hit and for how long.
Besides: since when a lot runs without a break, and a web process signs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0043"
down_revision = "0040"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True, precision=3)

FILL_RESUMED_AT = """
    UPDATE bidding.lot l SET resumed_at = r.at
    FROM (SELECT lot_id, max(received_at) AS at FROM bidding.submission
          WHERE kind = 'resumed' AND seq IS NOT NULL GROUP BY lot_id) r
    WHERE l.lot_id = r.lot_id
"""


def upgrade() -> None:
    op.add_column("lot", sa.Column("resumed_at", TIME, nullable=True), schema="bidding")
    op.execute(FILL_RESUMED_AT)
