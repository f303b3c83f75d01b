"""Premiums beside the ended rounds, so that the database adds them up and finds their middle."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

ROUNDS = "auction.ended_round"
BASES = {"over_start": "start_fen", "over_reference": "reference_fen"}


def upgrade() -> None:
    for premium, base in BASES.items():
        op.add_column("ended_round", sa.Column(premium, sa.Numeric(), nullable=True), schema="auction")
        units = f"(price_fen - {base})::numeric * 10::numeric ^ 30"
        down = f"(CASE WHEN mod({units}, {base}) < 0 THEN 1 ELSE 0 END)"
        rounded_down = f"div({units}, {base}) - {down}"
        op.execute(f"UPDATE {ROUNDS} SET {premium} = {rounded_down} WHERE price_fen IS NOT NULL")  # noqa: S608
    op.create_check_constraint(
        op.f("ck_ended_round_premiums_of_price"),
        "ended_round",
        "num_nulls(price_fen, over_start, over_reference) IN (0, 3)",
        schema="auction",
    )
