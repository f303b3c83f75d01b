"""Room for lots that end together: what can wait in the outbox, and accounts whose balance changes in place."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

WAITING = sa.text("done_at IS NULL")


def upgrade() -> None:
    op.add_column(
        "outbox", sa.Column("later", sa.Boolean(), server_default=sa.text("false"), nullable=False), schema="kernel"
    )
    op.drop_index("ix_outbox_waiting", "outbox", schema="kernel", postgresql_where=WAITING)
    op.create_index("ix_outbox_waiting", "outbox", ["later", "due_at", "id"], schema="kernel", postgresql_where=WAITING)
    op.execute("ALTER TABLE settlement.account SET (fillfactor = 50)")
    op.drop_constraint("fk_audit_unsealed_entry_id", "audit_unsealed", schema="kernel", type_="foreignkey")
