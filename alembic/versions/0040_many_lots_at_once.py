"""Room for lots that end together: what can wait in the outbox, balances that change in place, and foreign keys
of the tables of money that are looked up together for all rows of a statement."""

import sqlalchemy as sa
from alembic import op

from kernel import ddl

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

ACCOUNT = "settlement.account"
TOGETHER = {
    "settlement.transfer": {"entry_id": "settlement.entry", "from_account": ACCOUNT, "to_account": ACCOUNT},
    "settlement.payment_order": {
        "credit_id": "settlement.credit",
        "from_account": ACCOUNT,
        "transit_account": ACCOUNT,
    },
    "settlement.hold_end": {"hold_id": "settlement.hold"},
    "kernel.audit_seal": {"entry_id": "kernel.audit_entry"},
}
WAITING = sa.text("done_at IS NULL")


def upgrade() -> None:
    op.add_column(
        "outbox", sa.Column("later", sa.Boolean(), server_default=sa.text("false"), nullable=False), schema="kernel"
    )
    op.drop_index("ix_outbox_waiting", "outbox", schema="kernel", postgresql_where=WAITING)
    op.create_index("ix_outbox_waiting", "outbox", ["later", "due_at", "id"], schema="kernel", postgresql_where=WAITING)
    op.execute("ALTER TABLE settlement.account SET (fillfactor = 50)")
    op.execute("ALTER TABLE bidding.registration SET (fillfactor = 70)")
    op.drop_constraint("fk_audit_unsealed_entry_id", "audit_unsealed", schema="kernel", type_="foreignkey")
    op.drop_constraint("uq_audit_seal_chain_number_entry_id", "audit_seal", schema="kernel", type_="unique")
    op.execute(ddl.keep(ACCOUNT))
    for table, references in TOGETHER.items():
        for statement in ddl.refer_together(table, references):
            op.execute(statement)
