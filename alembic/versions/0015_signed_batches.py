"""The desk's signed batches, the public keys, and the batch of each event."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_key",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("first_used_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("octet_length(public_key) = 32", name=op.f("ck_signing_key_length")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_signing_key")),
        schema="bidding",
    )
    op.create_table(
        "batch",
        sa.Column("share", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "number > 0 AND octet_length(leaves) > 0 AND octet_length(leaves) % 32 = 0", name=op.f("ck_batch_leaves")
        ),
        sa.CheckConstraint("octet_length(root) = 32 AND octet_length(signature) = 64", name=op.f("ck_batch_signed")),
        sa.PrimaryKeyConstraint("share", "number", name=op.f("pk_batch")),
        schema="bidding",
    )
    # Hashes do not compress: do not try while bids wait.
    op.execute("ALTER TABLE bidding.batch ALTER leaves SET STORAGE EXTERNAL")
    op.add_column("submission", sa.Column("share", sa.BigInteger(), nullable=True), schema="bidding")
    op.add_column("submission", sa.Column("batch", sa.BigInteger(), nullable=True), schema="bidding")
    op.create_check_constraint(
        op.f("ck_submission_events_have_batches"),
        "submission",
        "num_nulls(share, batch) <> 1 AND (batch IS NULL OR seq IS NOT NULL)",
        schema="bidding",
    )
    op.execute(ddl.protect("bidding.batch"))
    op.execute(ddl.protect("bidding.signing_key"))
