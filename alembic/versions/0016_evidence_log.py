"""The log of all lots' heads, its signed heads, and where they were anchored."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_entry",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("blocks", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number >= 0 AND seq >= 0 AND blocks >= 0", name=op.f("ck_log_entry_numbers")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_log_entry")),
        schema="bidding",
    )
    op.create_index("ix_log_entry_lot_id_number", "log_entry", ["lot_id", "number"], unique=False, schema="bidding")
    op.create_table(
        "log_node",
        sa.Column("level", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_log_node_length")),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_log_node")),
        schema="bidding",
    )
    op.create_table(
        "log_head",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number > 0 AND size >= 0", name=op.f("ck_log_head_numbers")),
        sa.CheckConstraint("octet_length(root) = 32 AND octet_length(signature) = 64", name=op.f("ck_log_head_signed")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_log_head")),
        schema="bidding",
    )
    op.create_index("ix_log_head_size", "log_head", ["size"], unique=False, schema="bidding")
    op.create_table(
        "anchor",
        sa.Column("head", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sink", sa.Text(), nullable=False),
        sa.Column("anchored_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.ForeignKeyConstraint(["head"], ["bidding.log_head.number"], name=op.f("fk_anchor_head")),
        sa.PrimaryKeyConstraint("head", "sink", name=op.f("pk_anchor")),
        schema="bidding",
    )
    for table in ("log_entry", "log_node", "log_head", "anchor"):
        op.execute(ddl.protect(f"bidding.{table}"))
