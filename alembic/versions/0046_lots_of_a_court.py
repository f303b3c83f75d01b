"""The published lots of one court are found by an index: the filter that leaves fewest of a country's lots."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_lot_court_id",
        "lot",
        ["court_id"],
        unique=False,
        schema="auction",
        postgresql_where=sa.text("published_at IS NOT NULL"),
    )
