"""Lots that a bank lends for, and how many people follow a lot: what the catalogue chooses and sorts by."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

COARSE = (
    "CASE WHEN followers < 10 THEN 0 WHEN followers < 100 THEN followers / 10 * 10"
    " WHEN followers < 1000 THEN followers / 100 * 100 WHEN followers < 10000 THEN followers / 1000 * 1000"
    " ELSE followers / 10000 * 10000 END"
)
COUNTED = (
    "UPDATE auction.lot SET followers = counted.n"
    " FROM (SELECT lot_id, count(*) AS n FROM auction.follow GROUP BY lot_id) AS counted"
    " WHERE counted.lot_id = lot.id"
)


def upgrade() -> None:
    loan = sa.Column("loan_available", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("lot", loan, schema="auction")
    followers = sa.Column("followers", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("lot", followers, schema="auction")
    op.execute(COUNTED)
    op.create_check_constraint(op.f("ck_lot_followers"), "lot", "followers >= 0", schema="auction")
    watched = sa.Column("watched", sa.BigInteger(), sa.Computed(COARSE, persisted=True), nullable=False)
    op.add_column("lot", watched, schema="auction")
    op.create_index(
        "ix_lot_most_watched",
        "lot",
        ["watched", "id"],
        unique=False,
        schema="auction",
        postgresql_where=sa.text("published_at IS NOT NULL"),
    )
