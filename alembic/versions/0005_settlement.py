"""Tables of the context `settlement`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("lot_id", sa.Uuid(), nullable=True),
        sa.Column("registration_id", sa.Uuid(), nullable=True),
        sa.Column("balance_fen", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("(kind = 'bank') = (balance_fen IS NULL)", name=op.f("ck_account_balance_stored")),
        sa.CheckConstraint(
            "(kind IN ('deposit', 'lot', 'case')) = (number IS NOT NULL)", name=op.f("ck_account_numbered")
        ),
        sa.CheckConstraint(
            "kind IN ('bank', 'unidentified', 'deposit', 'lot', 'case', 'pending', 'escrow', 'deferred', 'payee', 'state_fee')",
            name=op.f("ck_account_kind"),
        ),
        sa.CheckConstraint("balance_fen >= 0", name=op.f("ck_account_balance")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("natural_key", name=op.f("uq_account_natural_key")),
        sa.UniqueConstraint("number", name=op.f("uq_account_number")),
        schema="settlement",
    )
    op.create_index("ix_account_case_id", "account", ["case_id"], unique=False, schema="settlement")
    op.create_index("ix_account_lot_id", "account", ["lot_id"], unique=False, schema="settlement")
    op.create_table(
        "entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("lot_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_entry_digest_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("natural_key", name=op.f("uq_entry_natural_key")),
        sa.UniqueConstraint("number", name=op.f("uq_entry_number")),
        schema="settlement",
    )
    op.create_index("ix_entry_case_id", "entry", ["case_id"], unique=False, schema="settlement")
    op.create_table(
        "transfer",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_account", sa.Uuid(), nullable=False),
        sa.Column("to_account", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_transfer_amount")),
        sa.CheckConstraint("from_account <> to_account", name=op.f("ck_transfer_two_accounts")),
        sa.ForeignKeyConstraint(["entry_id"], ["settlement.entry.id"], name=op.f("fk_transfer_entry_id")),
        sa.ForeignKeyConstraint(["from_account"], ["settlement.account.id"], name=op.f("fk_transfer_from_account")),
        sa.ForeignKeyConstraint(["to_account"], ["settlement.account.id"], name=op.f("fk_transfer_to_account")),
        sa.PrimaryKeyConstraint("entry_id", "position", name=op.f("pk_transfer")),
        schema="settlement",
    )
    op.create_index("ix_transfer_from_account", "transfer", ["from_account"], unique=False, schema="settlement")
    op.create_index("ix_transfer_to_account", "transfer", ["to_account"], unique=False, schema="settlement")
    op.execute(ddl.protect("settlement.entry"))
    op.execute(ddl.protect("settlement.transfer"))
