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
        "case_cost",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=True),
        sa.Column("asset_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("payee_holder", sa.Text(), nullable=False),
        sa.Column("payee_number", sa.Text(), nullable=False),
        sa.Column("payee_bank", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("added_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("kind IN ('sale_cost', 'sale_taxes', 'rent_carve_out')", name=op.f("ck_case_cost_kind")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_case_cost_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_cost")),
        sa.UniqueConstraint("number", name=op.f("uq_case_cost_number")),
        schema="settlement",
    )
    op.create_index("ix_case_cost_case_id", "case_cost", ["case_id"], unique=False, schema="settlement")
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
        "fee_setting",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("base_fen", sa.BigInteger(), nullable=False),
        sa.Column("computed_fen", sa.BigInteger(), nullable=False),
        sa.Column("set_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("set_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("set_fen >= 0 AND computed_fen >= 0 AND base_fen >= 0", name=op.f("ck_fee_setting_amounts")),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_fee_setting")),
        schema="settlement",
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("basis", sa.LargeBinary(), nullable=False),
        sa.Column("proceeds_fen", sa.BigInteger(), nullable=False),
        sa.Column("distributed_fen", sa.BigInteger(), nullable=False),
        sa.Column("surplus_fen", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("distributed_fen + surplus_fen = proceeds_fen", name=op.f("ck_plan_sums")),
        sa.CheckConstraint("distributed_fen >= 0 AND surplus_fen >= 0", name=op.f("ck_plan_no_negative_sum")),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_plan_hash_length")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_plan_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("case_id", "version", name=op.f("uq_plan_case_id_version")),
        sa.UniqueConstraint("id", "case_id", name=op.f("uq_plan_id_case_id")),
        schema="settlement",
    )
    op.create_table(
        "simulated_order",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("payee_number", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("bank_ref", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_simulated_order")),
        sa.UniqueConstraint("bank_ref", name=op.f("uq_simulated_order_bank_ref")),
        schema="settlement",
    )
    op.create_table(
        "simulated_transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bank_ref", sa.Text(), nullable=False),
        sa.Column("from_account", sa.Text(), nullable=False),
        sa.Column("payer_name", sa.Text(), nullable=False),
        sa.Column("to_account_no", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_simulated_transfer_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_simulated_transfer")),
        sa.UniqueConstraint("bank_ref", name=op.f("uq_simulated_transfer_bank_ref")),
        schema="settlement",
    )
    op.create_table(
        "credit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bank_ref", sa.Text(), nullable=False),
        sa.Column("account_no", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("booked_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_credit_amount")),
        sa.ForeignKeyConstraint(["account_id"], ["settlement.account.id"], name=op.f("fk_credit_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit")),
        sa.UniqueConstraint("bank_ref", name=op.f("uq_credit_bank_ref")),
        schema="settlement",
    )
    op.create_index("ix_credit_account_id", "credit", ["account_id"], unique=False, schema="settlement")
    op.create_table(
        "deposit",
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("due_fen", sa.BigInteger(), nullable=False),
        sa.Column("announced_fen", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("announced_fen >= 0", name=op.f("ck_deposit_announced")),
        sa.CheckConstraint("due_fen >= 0", name=op.f("ck_deposit_due")),
        sa.ForeignKeyConstraint(["account_id"], ["settlement.account.id"], name=op.f("fk_deposit_account_id")),
        sa.PrimaryKeyConstraint("registration_id", name=op.f("pk_deposit")),
        sa.UniqueConstraint("account_id", name=op.f("uq_deposit_account_id")),
        schema="settlement",
    )
    op.create_index("ix_deposit_lot_id", "deposit", ["lot_id", "registration_id"], unique=False, schema="settlement")
    op.create_table(
        "payout_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("checked_by", sa.Uuid(), nullable=True),
        sa.Column("checked_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("paid_by", sa.Uuid(), nullable=True),
        sa.Column("paid_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("voided_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("(checked_by IS NULL) = (checked_at IS NULL)", name=op.f("ck_payout_batch_checked_whole")),
        sa.CheckConstraint("(paid_by IS NULL) = (paid_at IS NULL)", name=op.f("ck_payout_batch_paid_whole")),
        sa.CheckConstraint(
            "checked_by <> made_by AND paid_by <> made_by AND paid_by <> checked_by",
            name=op.f("ck_payout_batch_three_people"),
        ),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_payout_batch_hash_length")),
        sa.CheckConstraint(
            "paid_by IS NULL OR checked_by IS NOT NULL", name=op.f("ck_payout_batch_checked_before_paid")
        ),
        sa.CheckConstraint("paid_by IS NULL OR voided_at IS NULL", name=op.f("ck_payout_batch_paid_or_void")),
        sa.CheckConstraint("total_fen > 0", name=op.f("ck_payout_batch_total")),
        sa.ForeignKeyConstraint(
            ["plan_id", "case_id"],
            ["settlement.plan.id", "settlement.plan.case_id"],
            name=op.f("fk_payout_batch_plan_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_batch")),
        schema="settlement",
    )
    op.create_index("ix_payout_batch_case_id", "payout_batch", ["case_id"], unique=False, schema="settlement")
    op.create_index(
        "ux_payout_batch_open",
        "payout_batch",
        ["plan_id"],
        unique=True,
        schema="settlement",
        postgresql_where=sa.text("paid_at IS NULL AND voided_at IS NULL"),
    )
    op.create_table(
        "plan_confirmation",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id", "case_id"],
            ["settlement.plan.id", "settlement.plan.case_id"],
            name=op.f("fk_plan_confirmation_plan_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plan_confirmation")),
        schema="settlement",
    )
    op.create_index("ix_plan_confirmation_case_id", "plan_confirmation", ["case_id"], unique=False, schema="settlement")
    op.create_table(
        "plan_decision",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["settlement.plan.id"], name=op.f("fk_plan_decision_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plan_decision")),
        schema="settlement",
    )
    op.create_table(
        "plan_line",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("law", sa.Text(), nullable=True),
        sa.Column("pool", sa.Text(), nullable=True),
        sa.Column("payee_kind", sa.Text(), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("arithmetic", sa.Text(), nullable=False),
        sa.CheckConstraint("payee_kind IN ('party', 'cost')", name=op.f("ck_plan_line_payee_kind")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_plan_line_amount")),
        sa.CheckConstraint("level BETWEEN 1 AND 13", name=op.f("ck_plan_line_level")),
        sa.ForeignKeyConstraint(["plan_id"], ["settlement.plan.id"], name=op.f("fk_plan_line_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", "position", name=op.f("pk_plan_line")),
        schema="settlement",
    )
    op.create_table(
        "plan_service",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("objection_until", sa.Date(), nullable=False),
        sa.Column("calendar_known", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("objection_until >= served_on + 15", name=op.f("ck_plan_service_fifteen_days")),
        sa.ForeignKeyConstraint(["plan_id"], ["settlement.plan.id"], name=op.f("fk_plan_service_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", "party_id", name=op.f("pk_plan_service")),
        schema="settlement",
    )
    op.create_table(
        "sale",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("court_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("court_name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("buyer_person_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("deposit_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("balance_due_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("paid_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("ruling_due_on", sa.Date(), nullable=True),
        sa.Column("ruling_decision_id", sa.Uuid(), nullable=True),
        sa.Column("ruled_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("served_on", sa.Date(), nullable=True),
        sa.Column("service_method", sa.Text(), nullable=True),
        sa.Column("service_proof", sa.Text(), nullable=True),
        sa.Column("handover_due_on", sa.Date(), nullable=True),
        sa.Column("handed_over_on", sa.Date(), nullable=True),
        sa.Column("handover_note", sa.Text(), nullable=True),
        sa.Column("defaulted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("default_decision_id", sa.Uuid(), nullable=True),
        sa.Column("forfeited_fen", sa.BigInteger(), nullable=True),
        sa.Column("resale_lot_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(state = 'defaulted') = (defaulted_at IS NOT NULL)", name=op.f("ck_sale_defaulted")),
        sa.CheckConstraint("(state = 'handed_over') = (handed_over_on IS NOT NULL)", name=op.f("ck_sale_handed_over")),
        sa.CheckConstraint(
            "(state IN ('paid', 'ruled', 'served', 'handed_over')) = (paid_at IS NOT NULL)", name=op.f("ck_sale_paid")
        ),
        sa.CheckConstraint(
            "(state IN ('ruled', 'served', 'handed_over')) = (ruling_decision_id IS NOT NULL)",
            name=op.f("ck_sale_ruled"),
        ),
        sa.CheckConstraint(
            "(state IN ('served', 'handed_over')) = (served_on IS NOT NULL)", name=op.f("ck_sale_served")
        ),
        sa.CheckConstraint(
            "state IN ('awaiting_balance', 'paid', 'ruled', 'served', 'handed_over', 'defaulted')",
            name=op.f("ck_sale_state"),
        ),
        sa.CheckConstraint(
            "(defaulted_at IS NULL) = (default_decision_id IS NULL)", name=op.f("ck_sale_default_decided")
        ),
        sa.CheckConstraint("(defaulted_at IS NULL) = (resale_lot_id IS NULL)", name=op.f("ck_sale_resale_ordered")),
        sa.CheckConstraint("price_fen > 0 AND deposit_fen >= 0", name=op.f("ck_sale_amounts")),
        sa.ForeignKeyConstraint(["account_id"], ["settlement.account.id"], name=op.f("fk_sale_account_id")),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_sale")),
        sa.UniqueConstraint("account_id", name=op.f("uq_sale_account_id")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_sale_registration_id")),
        schema="settlement",
    )
    op.create_index("ix_sale_case_id", "sale", ["case_id"], unique=False, schema="settlement")
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
    op.create_table(
        "credit_claim",
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("claimed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["settlement.account.id"], name=op.f("fk_credit_claim_account_id")),
        sa.ForeignKeyConstraint(["credit_id"], ["settlement.credit.id"], name=op.f("fk_credit_claim_credit_id")),
        sa.PrimaryKeyConstraint("credit_id", name=op.f("pk_credit_claim")),
        schema="settlement",
    )
    op.create_index("ix_credit_claim_account_id", "credit_claim", ["account_id"], unique=False, schema="settlement")
    op.create_table(
        "credit_payer",
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("payer_name", sa.Text(), nullable=False),
        sa.Column("payer_account", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["credit_id"], ["settlement.credit.id"], name=op.f("fk_credit_payer_credit_id")),
        sa.PrimaryKeyConstraint("credit_id", name=op.f("pk_credit_payer")),
        schema="settlement",
    )
    op.create_table(
        "default_use",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("resale_lot_id", sa.Uuid(), nullable=False),
        sa.Column("to_costs_fen", sa.BigInteger(), nullable=False),
        sa.Column("to_shortfall_fen", sa.BigInteger(), nullable=False),
        sa.Column("to_case_debt_fen", sa.BigInteger(), nullable=False),
        sa.Column("to_related_debt_fen", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint(
            "to_costs_fen >= 0 AND to_shortfall_fen >= 0 AND to_case_debt_fen >= 0 AND to_related_debt_fen >= 0",
            name=op.f("ck_default_use_steps"),
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["settlement.sale.lot_id"], name=op.f("fk_default_use_lot_id")),
        sa.PrimaryKeyConstraint("lot_id", "number", name=op.f("pk_default_use")),
        schema="settlement",
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("held_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("part IN ('deposit', 'rest')", name=op.f("ck_hold_part")),
        sa.CheckConstraint("stage IN ('bid', 'price')", name=op.f("ck_hold_stage")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_hold_amount")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["settlement.deposit.registration_id"], name=op.f("fk_hold_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
        sa.UniqueConstraint("registration_id", "stage", "part", name=op.f("uq_hold_registration_id_stage_part")),
        schema="settlement",
    )
    op.create_table(
        "payment_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("from_account", sa.Uuid(), nullable=False),
        sa.Column("transit_account", sa.Uuid(), nullable=False),
        sa.Column("credit_id", sa.Uuid(), nullable=True),
        sa.Column("payee_holder", sa.Text(), nullable=True),
        sa.Column("payee_number", sa.Text(), nullable=True),
        sa.Column("payee_bank", sa.Text(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("lot_id", sa.Uuid(), nullable=True),
        sa.Column("ordered_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint(
            "(credit_id IS NULL) = (payee_number IS NOT NULL)", name=op.f("ck_payment_order_payee_or_payer")
        ),
        sa.CheckConstraint("(payee_number IS NULL) = (payee_bank IS NULL)", name=op.f("ck_payment_order_payee_bank")),
        sa.CheckConstraint(
            "(payee_number IS NULL) = (payee_holder IS NULL)", name=op.f("ck_payment_order_payee_whole")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_order_amount")),
        sa.ForeignKeyConstraint(["credit_id"], ["settlement.credit.id"], name=op.f("fk_payment_order_credit_id")),
        sa.ForeignKeyConstraint(
            ["from_account"], ["settlement.account.id"], name=op.f("fk_payment_order_from_account")
        ),
        sa.ForeignKeyConstraint(
            ["transit_account"], ["settlement.account.id"], name=op.f("fk_payment_order_transit_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_order")),
        sa.UniqueConstraint("natural_key", name=op.f("uq_payment_order_natural_key")),
        schema="settlement",
    )
    op.create_index("ix_payment_order_credit_id", "payment_order", ["credit_id"], unique=False, schema="settlement")
    op.create_index(
        "ix_payment_order_from_account", "payment_order", ["from_account"], unique=False, schema="settlement"
    )
    op.create_table(
        "payout_line",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("payee_kind", sa.Text(), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("payee_kind IN ('party', 'cost')", name=op.f("ck_payout_line_payee_kind")),
        sa.CheckConstraint("route IN ('bank', 'state_fee')", name=op.f("ck_payout_line_route")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payout_line_amount")),
        sa.ForeignKeyConstraint(["batch_id"], ["settlement.payout_batch.id"], name=op.f("fk_payout_line_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "position", name=op.f("pk_payout_line")),
        schema="settlement",
    )
    op.create_table(
        "plan_objection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("objected_on", sa.Date(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id", "party_id"],
            ["settlement.plan_service.plan_id", "settlement.plan_service.party_id"],
            name=op.f("fk_plan_objection_plan_id_party_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_objection")),
        schema="settlement",
    )
    op.create_index("ix_plan_objection_plan_id", "plan_objection", ["plan_id"], unique=False, schema="settlement")
    op.create_table(
        "hold_end",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("outcome IN ('applied', 'released', 'forfeited')", name=op.f("ck_hold_end_outcome")),
        sa.ForeignKeyConstraint(["hold_id"], ["settlement.hold.id"], name=op.f("fk_hold_end_hold_id")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_hold_end")),
        schema="settlement",
    )
    op.create_table(
        "payment",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("payee_kind", sa.Text(), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settled_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("(state = 'ordered') = (settled_at IS NULL)", name=op.f("ck_payment_settled")),
        sa.CheckConstraint("state IN ('ordered', 'executed', 'rejected')", name=op.f("ck_payment_state")),
        sa.ForeignKeyConstraint(
            ["batch_id", "position"],
            ["settlement.payout_line.batch_id", "settlement.payout_line.position"],
            name=op.f("fk_payment_batch_id_position"),
        ),
        sa.PrimaryKeyConstraint("batch_id", "position", name=op.f("pk_payment")),
        sa.UniqueConstraint("order_id", name=op.f("uq_payment_order_id")),
        schema="settlement",
    )
    op.create_index(
        "ux_payment_once",
        "payment",
        ["plan_id", "payee_kind", "payee_id"],
        unique=True,
        schema="settlement",
        postgresql_where=sa.text("state <> 'rejected'"),
    )
    op.create_table(
        "payment_answer",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("bank_ref", sa.Text(), nullable=False),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("outcome IN ('executed', 'rejected')", name=op.f("ck_payment_answer_outcome")),
        sa.ForeignKeyConstraint(["order_id"], ["settlement.payment_order.id"], name=op.f("fk_payment_answer_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_payment_answer")),
        sa.UniqueConstraint("bank_ref", name=op.f("uq_payment_answer_bank_ref")),
        schema="settlement",
    )
    op.execute(ddl.protect("settlement.case_cost"))
    op.execute(ddl.protect("settlement.entry"))
    op.execute(ddl.protect("settlement.fee_setting"))
    op.execute(ddl.protect("settlement.plan"))
    op.execute(ddl.protect("settlement.simulated_order"))
    op.execute(ddl.protect("settlement.simulated_transfer"))
    op.execute(ddl.protect("settlement.credit"))
    op.execute(ddl.protect("settlement.deposit"))
    op.execute(ddl.protect("settlement.plan_confirmation"))
    op.execute(ddl.protect("settlement.plan_decision"))
    op.execute(ddl.protect("settlement.plan_line"))
    op.execute(ddl.protect("settlement.plan_service"))
    op.execute(ddl.protect("settlement.transfer"))
    op.execute(ddl.protect("settlement.credit_claim"))
    op.execute(ddl.protect("settlement.credit_payer"))
    op.execute(ddl.protect("settlement.default_use"))
    op.execute(ddl.protect("settlement.hold"))
    op.execute(ddl.protect("settlement.payment_order"))
    op.execute(ddl.protect("settlement.payout_line"))
    op.execute(ddl.protect("settlement.plan_objection"))
    op.execute(ddl.protect("settlement.hold_end"))
    op.execute(ddl.protect("settlement.payment_answer"))
