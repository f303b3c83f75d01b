"""What a superuser could change unseen: the audit trail gets one chain over all its chains, whose end enters the log;
who stands behind a registration gets a salt for the digest that its audit entry carries.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

FIRST_ROOT = """
INSERT INTO kernel.audit_root (number, sealed_at, link)
SELECT 0, made.at, sha256(
    convert_to('audit-root/1', 'UTF8') || decode(repeat('00', 32), 'hex')
    || int8send((extract(epoch FROM made.at) * 1000)::int8)
    || coalesce((SELECT string_agg(link, ''::bytea ORDER BY chain COLLATE "C", number) FROM kernel.audit_block), ''))
FROM (SELECT date_trunc('milliseconds', clock_timestamp()) AS at) made
"""
"""Over all blocks so far, as `kernel.audit.root_link` says it."""

COUNTED = """
UPDATE bidding.lot SET admitted = counted.n
FROM (SELECT lot_id, count(*) AS n FROM bidding.registration WHERE admitted_at IS NOT NULL GROUP BY lot_id) counted
WHERE counted.lot_id = lot.lot_id AND lot.admitted <> counted.n
"""
"""Who owed no deposit was admitted without being counted."""


def upgrade() -> None:
    op.create_table(
        "audit_root",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("number >= 0 AND octet_length(link) = 32", name=op.f("ck_audit_root_root")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_root")),
        schema="kernel",
    )
    # A default, gone at once, is written into no row: blocks of before are root 0's without a change of the table.
    op.add_column(
        "audit_block", sa.Column("root", sa.BigInteger(), server_default="0", nullable=False), schema="kernel"
    )
    op.alter_column("audit_block", "root", server_default=None, schema="kernel")
    op.execute(FIRST_ROOT)
    op.execute(COUNTED)
    op.execute(ddl.protect("kernel.audit_root"))
    op.alter_column("log_entry", "lot_id", nullable=True, schema="bidding")
    op.add_column("log_entry", sa.Column("root", sa.BigInteger(), nullable=True), schema="bidding")
    op.create_check_constraint(
        op.f("ck_log_entry_lot_or_trail"),
        "log_entry",
        "num_nulls(lot_id, root) = 1 AND (root IS NULL OR seq = 0 AND blocks = 0)",
        schema="bidding",
    )
    op.add_column("registration_identity", sa.Column("salt", sa.LargeBinary(), nullable=True), schema="bidding")
    op.create_check_constraint(
        op.f("ck_registration_identity_salt_length"),
        "registration_identity",
        "octet_length(salt) = 32",
        schema="bidding",
    )
