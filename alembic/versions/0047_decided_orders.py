"""Orders are found by when they were decided: each second the log asks which lots ended by one.

A lot that was withdrawn ended when the order was given, which may lie hours before anybody decided it. The row of the
lot says when that was, but no index may: it would cover a column that every bid changes, and cost each bid an entry in
every index of the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_lot_command_decided",
        "lot_command",
        ["decided_at"],
        unique=False,
        schema="bidding",
        postgresql_where=sa.text("decided_at IS NOT NULL"),
    )
