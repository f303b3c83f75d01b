"""Whether a thing is vacated, whether somebody may buy before others, and how many bidders a lot has."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

COUNTED = (
    "UPDATE bidding.lot SET admitted = counted.n"
    " FROM (SELECT lot_id, count(*) AS n FROM bidding.registration WHERE admitted_at IS NOT NULL GROUP BY lot_id)"
    " AS counted WHERE counted.lot_id = lot.lot_id"
)
GRANTED = (
    "UPDATE auction.lot SET priority_purchaser = true"
    " WHERE id IN (SELECT lot_id FROM bidding.priority_grant) AND published_at IS NOT NULL"
)


def upgrade() -> None:
    for name in ("vacated", "priority_purchaser"):
        column = sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)
        op.add_column("lot", column, schema="auction")
    op.execute(GRANTED)
    admitted = sa.Column("admitted", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("lot", admitted, schema="bidding")
    op.execute(COUNTED)
    op.create_check_constraint(op.f("ck_lot_admitted"), "lot", "admitted >= 0", schema="bidding")
