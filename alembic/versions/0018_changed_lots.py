"""When a published lot changed last: what open data are paged by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

CHANGED_LAST = (
    "UPDATE auction.lot SET changed_at = coalesce(ended_at, opened_at, published_at) WHERE published_at IS NOT NULL"
)


def upgrade() -> None:
    changed_at = sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True)
    op.add_column("lot", changed_at, schema="auction")
    op.execute(CHANGED_LAST)
    op.create_check_constraint(
        op.f("ck_lot_changed_once_published"),
        "lot",
        "(published_at IS NULL) = (changed_at IS NULL)",
        schema="auction",
    )
    op.create_index(
        "ix_lot_changed",
        "lot",
        ["changed_at", "id"],
        unique=False,
        schema="auction",
        postgresql_where=sa.text("published_at IS NOT NULL"),
    )
