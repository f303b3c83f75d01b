"""Settlement, second part: objections, recognised amounts, participation, deferral, rewards, stops."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_plan_line_payee_kind"), "plan_line", schema="settlement", type_="check")
    op.create_check_constraint(
        op.f("ck_plan_line_payee_kind"), "plan_line", "payee_kind IN ('party', 'cost', 'escrow')", schema="settlement"
    )
    op.add_column("payout_line", sa.Column("deducted_from", sa.Uuid(), nullable=True), schema="settlement")
    op.drop_constraint(op.f("ck_payout_line_payee_kind"), "payout_line", schema="settlement", type_="check")
    op.create_check_constraint(
        op.f("ck_payout_line_payee_kind"),
        "payout_line",
        "payee_kind IN ('party', 'cost', 'reward')",
        schema="settlement",
    )
    op.create_check_constraint(
        op.f("ck_payout_line_deducted"),
        "payout_line",
        "(payee_kind = 'reward') = (deducted_from IS NOT NULL)",
        schema="settlement",
    )
    op.create_table(
        "bankruptcy",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("accepted_on", sa.Date(), nullable=False),
        sa.Column("court", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_bankruptcy")),
        schema="settlement",
    )
    op.create_table(
        "participation_application",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("title_no", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("cut_off_on", sa.Date(), nullable=True),
        sa.Column("costs_fen", sa.BigInteger(), nullable=False),
        sa.Column("interest_fen", sa.BigInteger(), nullable=False),
        sa.Column("principal_fen", sa.BigInteger(), nullable=False),
        sa.Column("doubled_fen", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("applied_on <= cut_off_on", name=op.f("ck_participation_application_in_time")),
        sa.CheckConstraint(
            "least(costs_fen, interest_fen, principal_fen, doubled_fen) >= 0",
            name=op.f("ck_participation_application_no_negative_part"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participation_application")),
        sa.UniqueConstraint(
            "case_id", "party_id", "title_no", name=op.f("uq_participation_application_case_id_party_id_title_no")
        ),
        schema="settlement",
    )
    op.create_table(
        "participation_policy",
        sa.Column("court_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("cut_off", sa.Text(), nullable=False),
        sa.Column("fixed_on", sa.Date(), nullable=True),
        sa.Column("preference_method", sa.Text(), nullable=True),
        sa.Column("preference_percent", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(cut_off = 'fixed_date') = (fixed_on IS NOT NULL)", name=op.f("ck_participation_policy_fixed_on")
        ),
        sa.CheckConstraint(
            "cut_off IN ('ruling_served', 'before_plan_served', 'fixed_date')",
            name=op.f("ck_participation_policy_cut_off"),
        ),
        sa.CheckConstraint(
            "preference_method IN ('pool_percent', 'share_uplift')",
            name=op.f("ck_participation_policy_preference_method"),
        ),
        sa.CheckConstraint(
            "(preference_method IS NULL) = (preference_percent IS NULL)",
            name=op.f("ck_participation_policy_preference_whole"),
        ),
        sa.CheckConstraint(
            "preference_percent BETWEEN 1 AND 100", name=op.f("ck_participation_policy_preference_percent")
        ),
        sa.PrimaryKeyConstraint("court_id", "number", name=op.f("pk_participation_policy")),
        schema="settlement",
    )
    op.create_table(
        "payout_policy",
        sa.Column("court_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("days BETWEEN 1 AND 30", name=op.f("ck_payout_policy_days")),
        sa.PrimaryKeyConstraint("court_id", "number", name=op.f("pk_payout_policy")),
        schema="settlement",
    )
    op.create_table(
        "recognition",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("costs_fen", sa.BigInteger(), nullable=False),
        sa.Column("interest_fen", sa.BigInteger(), nullable=False),
        sa.Column("principal_fen", sa.BigInteger(), nullable=False),
        sa.Column("doubled_fen", sa.BigInteger(), nullable=False),
        sa.Column("arithmetic", sa.Text(), nullable=True),
        sa.Column("recognised_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("recognised_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("ground IN ('review', 'objection', 'judgment')", name=op.f("ck_recognition_ground")),
        sa.CheckConstraint(
            "least(costs_fen, interest_fen, principal_fen, doubled_fen) >= 0",
            name=op.f("ck_recognition_no_negative_part"),
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_recognition_number")),
        sa.PrimaryKeyConstraint("claim_id", "number", name=op.f("pk_recognition")),
        schema="settlement",
    )
    op.create_index("ix_recognition_case_id", "recognition", ["case_id"], unique=False, schema="settlement")
    op.create_table(
        "reward",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("payee_holder", sa.Text(), nullable=False),
        sa.Column("payee_number", sa.Text(), nullable=False),
        sa.Column("payee_bank", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("registered_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_reward_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward")),
        schema="settlement",
    )
    op.create_index("ix_reward_case_id", "reward", ["case_id"], unique=False, schema="settlement")
    op.create_table(
        "withholding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("payee_kind", sa.Text(), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("pay_until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "ground IN ('distribution_needed', 'money_attached', 'not_collected', 'case_suspended', 'other_good_reason', 'refused', 'missing', 'dead_without_heir', 'unreachable')",
            name=op.f("ck_withholding_ground"),
        ),
        sa.CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name=op.f("ck_withholding_approved_whole")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_withholding_amount")),
        sa.CheckConstraint("approved_by <> asked_by", name=op.f("ck_withholding_two_people")),
        sa.CheckConstraint(
            "ended_at IS NULL OR approved_at IS NOT NULL", name=op.f("ck_withholding_approved_before_ended")
        ),
        sa.CheckConstraint(
            "num_nonnulls(ended_on, ended_at, pay_until) IN (0, 3)", name=op.f("ck_withholding_ended_whole")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id", "case_id"],
            ["settlement.plan.id", "settlement.plan.case_id"],
            name=op.f("fk_withholding_plan_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withholding")),
        schema="settlement",
    )
    op.create_index(
        "ux_withholding_open",
        "withholding",
        ["plan_id", "payee_kind", "payee_id"],
        unique=True,
        schema="settlement",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "disputed_claim",
        sa.Column("objection_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("costs_fen", sa.BigInteger(), nullable=False),
        sa.Column("interest_fen", sa.BigInteger(), nullable=False),
        sa.Column("principal_fen", sa.BigInteger(), nullable=False),
        sa.Column("doubled_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "least(costs_fen, interest_fen, principal_fen, doubled_fen) >= 0",
            name=op.f("ck_disputed_claim_no_negative_part"),
        ),
        sa.ForeignKeyConstraint(
            ["objection_id"], ["settlement.plan_objection.id"], name=op.f("fk_disputed_claim_objection_id")
        ),
        sa.PrimaryKeyConstraint("objection_id", "claim_id", name=op.f("pk_disputed_claim")),
        schema="settlement",
    )
    op.create_table(
        "objection_notice",
        sa.Column("objection_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("counter_until", sa.Date(), nullable=False),
        sa.Column("calendar_known", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("counter_until >= served_on + 15", name=op.f("ck_objection_notice_fifteen_days")),
        sa.ForeignKeyConstraint(
            ["objection_id"], ["settlement.plan_objection.id"], name=op.f("fk_objection_notice_objection_id")
        ),
        sa.PrimaryKeyConstraint("objection_id", "party_id", name=op.f("pk_objection_notice")),
        schema="settlement",
    )
    op.create_table(
        "objector_told",
        sa.Column("objection_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=False),
        sa.Column("sue_until", sa.Date(), nullable=False),
        sa.Column("calendar_known", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("sue_until >= told_on + 15", name=op.f("ck_objector_told_fifteen_days")),
        sa.ForeignKeyConstraint(
            ["objection_id"], ["settlement.plan_objection.id"], name=op.f("fk_objector_told_objection_id")
        ),
        sa.PrimaryKeyConstraint("objection_id", name=op.f("pk_objector_told")),
        schema="settlement",
    )
    op.create_table(
        "counter_opinion",
        sa.Column("objection_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["objection_id", "party_id"],
            ["settlement.objection_notice.objection_id", "settlement.objection_notice.party_id"],
            name=op.f("fk_counter_opinion_objection_id_party_id"),
        ),
        sa.PrimaryKeyConstraint("objection_id", "party_id", name=op.f("pk_counter_opinion")),
        schema="settlement",
    )
    op.create_table(
        "plan_suit",
        sa.Column("objection_id", sa.Uuid(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("suit_no", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["objection_id"], ["settlement.objector_told.objection_id"], name=op.f("fk_plan_suit_objection_id")
        ),
        sa.PrimaryKeyConstraint("objection_id", name=op.f("pk_plan_suit")),
        schema="settlement",
    )
    op.create_table(
        "plan_judgment",
        sa.Column("objection_id", sa.Uuid(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["objection_id"], ["settlement.plan_suit.objection_id"], name=op.f("fk_plan_judgment_objection_id")
        ),
        sa.PrimaryKeyConstraint("objection_id", name=op.f("pk_plan_judgment")),
        schema="settlement",
    )
    op.create_table(
        "judged_claim",
        sa.Column("objection_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("costs_fen", sa.BigInteger(), nullable=False),
        sa.Column("interest_fen", sa.BigInteger(), nullable=False),
        sa.Column("principal_fen", sa.BigInteger(), nullable=False),
        sa.Column("doubled_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "least(costs_fen, interest_fen, principal_fen, doubled_fen) >= 0",
            name=op.f("ck_judged_claim_no_negative_part"),
        ),
        sa.ForeignKeyConstraint(
            ["objection_id", "claim_id"],
            ["settlement.disputed_claim.objection_id", "settlement.disputed_claim.claim_id"],
            name=op.f("fk_judged_claim_objection_id_claim_id"),
        ),
        sa.ForeignKeyConstraint(
            ["objection_id"], ["settlement.plan_judgment.objection_id"], name=op.f("fk_judged_claim_objection_id")
        ),
        sa.PrimaryKeyConstraint("objection_id", "claim_id", name=op.f("pk_judged_claim")),
        schema="settlement",
    )
    op.execute(ddl.protect("settlement.bankruptcy"))
    op.execute(ddl.protect("settlement.participation_application"))
    op.execute(ddl.protect("settlement.participation_policy"))
    op.execute(ddl.protect("settlement.payout_policy"))
    op.execute(ddl.protect("settlement.recognition"))
    op.execute(ddl.protect("settlement.reward"))
    op.execute(ddl.protect("settlement.disputed_claim"))
    op.execute(ddl.protect("settlement.objection_notice"))
    op.execute(ddl.protect("settlement.objector_told"))
    op.execute(ddl.protect("settlement.counter_opinion"))
    op.execute(ddl.protect("settlement.plan_suit"))
    op.execute(ddl.protect("settlement.plan_judgment"))
    op.execute(ddl.protect("settlement.judged_claim"))
