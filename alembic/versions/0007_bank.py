"""Bank files, money matched by two people, daily closing, papers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("opening_fen", sa.BigInteger(), nullable=True),
        sa.Column("closing_fen", sa.BigInteger(), nullable=True),
        sa.Column("taken_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("kind IN ('camt.053', 'camt.054')", name=op.f("ck_bank_file_kind")),
        sa.CheckConstraint(
            "num_nonnulls(day, opening_fen, closing_fen) = CASE kind WHEN 'camt.053' THEN 3 ELSE 0 END",
            name=op.f("ck_bank_file_balances"),
        ),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_bank_file_sha256_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_file")),
        sa.UniqueConstraint("kind", "message_id", name=op.f("uq_bank_file_kind_message_id")),
        schema="settlement",
    )
    op.create_index("ix_bank_file_day", "bank_file", ["day"], unique=False, schema="settlement")
    op.create_table(
        "paper",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("data_hash", sa.LargeBinary(), nullable=False),
        sa.Column("pdf_id", sa.Uuid(), nullable=False),
        sa.Column("html_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint(
            "kind IN ('confirmation', 'payment_notice', 'plan', 'payout_form', 'case_account')",
            name=op.f("ck_paper_kind"),
        ),
        sa.CheckConstraint("octet_length(data_hash) = 32", name=op.f("ck_paper_hash_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper")),
        sa.UniqueConstraint("kind", "about", "data_hash", name=op.f("uq_paper_kind_about_data_hash")),
        schema="settlement",
    )
    op.create_index("ix_paper_case_id", "paper", ["case_id"], unique=False, schema="settlement")
    op.create_table(
        "payment_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_number", sa.Text(), nullable=False),
        sa.Column("account_holder", sa.Text(), nullable=False),
        sa.Column("account_bank", sa.Text(), nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_payment_file_sha256_length")),
        sa.CheckConstraint("orders > 0 AND total_fen > 0", name=op.f("ck_payment_file_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_file")),
        schema="settlement",
    )
    op.create_table(
        "bank_movement",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("credit", sa.Boolean(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("told", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bank_movement_amount")),
        sa.ForeignKeyConstraint(["file_id"], ["settlement.bank_file.id"], name=op.f("fk_bank_movement_file_id")),
        sa.PrimaryKeyConstraint("file_id", "position", name=op.f("pk_bank_movement")),
        sa.UniqueConstraint("file_id", "reference", name=op.f("uq_bank_movement_file_id_reference")),
        schema="settlement",
    )
    op.create_index("ix_bank_movement_reference", "bank_movement", ["reference"], unique=False, schema="settlement")
    op.create_table(
        "bank_movement_outcome",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("(outcome = 'refused') = (code IS NOT NULL)", name=op.f("ck_bank_movement_outcome_code")),
        sa.CheckConstraint(
            "outcome IN ('booked', 'unidentified', 'paid', 'unmatched', 'refused')",
            name=op.f("ck_bank_movement_outcome_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["settlement.bank_file.id"], name=op.f("fk_bank_movement_outcome_file_id")
        ),
        sa.PrimaryKeyConstraint("file_id", "position", name=op.f("pk_bank_movement_outcome")),
        schema="settlement",
    )
    op.create_table(
        "daily_closing",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("bank_fen", sa.BigInteger(), nullable=False),
        sa.Column("books_fen", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["settlement.bank_file.id"], name=op.f("fk_daily_closing_file_id")),
        sa.PrimaryKeyConstraint("day", "number", name=op.f("pk_daily_closing")),
        schema="settlement",
    )
    op.create_table(
        "closing_difference",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "cause IN ('opening', 'gap', 'bank_only', 'books_only', 'amount')", name=op.f("ck_closing_difference_cause")
        ),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_closing_difference_amount")),
        sa.ForeignKeyConstraint(
            ["day", "number"],
            ["settlement.daily_closing.day", "settlement.daily_closing.number"],
            name=op.f("fk_closing_difference_day_number"),
        ),
        sa.PrimaryKeyConstraint("day", "number", "position", name=op.f("pk_closing_difference")),
        schema="settlement",
    )
    op.create_table(
        "credit_aside",
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.ForeignKeyConstraint(["credit_id"], ["settlement.credit.id"], name=op.f("fk_credit_aside_credit_id")),
        sa.PrimaryKeyConstraint("credit_id", name=op.f("pk_credit_aside")),
        schema="settlement",
    )
    op.create_table(
        "credit_match",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_credit_match_hash_length")),
        sa.ForeignKeyConstraint(["account_id"], ["settlement.account.id"], name=op.f("fk_credit_match_account_id")),
        sa.ForeignKeyConstraint(["credit_id"], ["settlement.credit.id"], name=op.f("fk_credit_match_credit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_match")),
        schema="settlement",
    )
    op.create_index("ix_credit_match_credit_id", "credit_match", ["credit_id", "id"], unique=False, schema="settlement")
    op.create_table(
        "payment_file_order",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["settlement.payment_file.id"],
            name=op.f("fk_payment_file_order_file_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["settlement.payment_order.id"], name=op.f("fk_payment_file_order_order_id")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_payment_file_order")),
        sa.UniqueConstraint("file_id", "position", name=op.f("uq_payment_file_order_file_id_position")),
        schema="settlement",
    )

    for column in ("match_id", "made_by", "checked_by"):
        op.add_column("credit_claim", sa.Column(column, sa.Uuid(), nullable=True), schema="settlement")
    op.create_unique_constraint(op.f("uq_credit_claim_match_id"), "credit_claim", ["match_id"], schema="settlement")
    op.create_foreign_key(
        op.f("fk_credit_claim_match_id"),
        "credit_claim",
        "credit_match",
        ["match_id"],
        ["id"],
        source_schema="settlement",
        referent_schema="settlement",
    )
    op.create_check_constraint(
        op.f("ck_credit_claim_matched_whole"),
        "credit_claim",
        "num_nonnulls(match_id, made_by, checked_by) IN (0, 3)",
        schema="settlement",
    )
    op.create_check_constraint(
        op.f("ck_credit_claim_two_people"), "credit_claim", "made_by <> checked_by", schema="settlement"
    )
    op.execute(ddl.protect("settlement.bank_file"))
    op.execute(ddl.protect("settlement.paper"))
    op.execute(ddl.protect("settlement.payment_file"))
    op.execute(ddl.protect("settlement.bank_movement"))
    op.execute(ddl.protect("settlement.bank_movement_outcome"))
    op.execute(ddl.protect("settlement.daily_closing"))
    op.execute(ddl.protect("settlement.closing_difference"))
    op.execute(ddl.protect("settlement.credit_aside"))
    op.execute(ddl.protect("settlement.credit_match"))
    op.execute(ddl.protect("settlement.payment_file_order"))
