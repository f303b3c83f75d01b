"""Waiting outbox rows about one payment order each become rows about several."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE kernel.outbox SET topic = 'PaymentsDue', payload = jsonb_build_object("
        "'order_ids', jsonb_build_array(payload->'order_id'), 'attempt', payload->'attempt')"
        " WHERE topic = 'PaymentDue' AND done_at IS NULL"
    )
    op.execute(
        "UPDATE kernel.outbox SET topic = 'PaymentsAnswered', payload = jsonb_build_object("
        "'answers', jsonb_build_array(payload)) WHERE topic = 'PaymentAnswered' AND done_at IS NULL"
    )
    op.execute(
        "UPDATE kernel.outbox SET topic = 'OrdersReport', payload = jsonb_build_object("
        "'order_ids', jsonb_build_array(payload->'order_id'))"
        " WHERE topic = 'SimulatedReport' AND done_at IS NULL AND payload->>'order_id' IS NOT NULL"
    )
    op.execute(
        "UPDATE kernel.outbox SET topic = 'TransferReport', payload = jsonb_build_object("
        "'transfer_id', payload->'transfer_id') WHERE topic = 'SimulatedReport' AND done_at IS NULL"
    )
