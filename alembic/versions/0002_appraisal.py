"""Tables of the context `appraisal`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enforcement_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("court_id", sa.Uuid(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enforcement_case")),
        sa.UniqueConstraint("court_id", "case_no", name=op.f("uq_enforcement_case_court_id_case_no")),
        schema="appraisal",
    )
    op.create_table(
        "asset",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("court_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("registered_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("kind IN ('movable', 'immovable', 'other_right')", name=op.f("ck_asset_kind")),
        sa.ForeignKeyConstraint(["case_id"], ["appraisal.enforcement_case.id"], name=op.f("fk_asset_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset")),
        sa.UniqueConstraint("id", "case_id", name=op.f("uq_asset_id_case_id")),
        schema="appraisal",
    )
    op.create_index("ix_asset_case_id", "asset", ["case_id"], unique=False, schema="appraisal")
    op.create_table(
        "panel_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("members", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint(
            "subject IN ('lot_terms', 'priority', 'sale_ruling', 'enforcement_fee', 'distribution_plan', 'default', 'suspension', 'withdrawal')",
            name=op.f("ck_panel_decision_subject"),
        ),
        sa.CheckConstraint(
            "jsonb_array_length(members) >= 3 AND mod(jsonb_array_length(members), 2) = 1",
            name=op.f("ck_panel_decision_panel"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["appraisal.enforcement_case.id"], name=op.f("fk_panel_decision_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_decision")),
        schema="appraisal",
    )
    op.create_index("ix_panel_decision_case_id", "panel_decision", ["case_id"], unique=False, schema="appraisal")
    op.create_table(
        "party",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("account_holder", sa.Text(), nullable=True),
        sa.Column("account_number", sa.Text(), nullable=True),
        sa.Column("account_bank", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('person', 'other_organisation', 'enterprise')", name=op.f("ck_party_kind")),
        sa.CheckConstraint(
            "role IN ('enforcement_applicant', 'debtor', 'creditor', 'tax_authority', 'third_party', 'interested_person', 'helper')",
            name=op.f("ck_party_role"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(account_holder, account_number, account_bank) IN (0, 3)", name=op.f("ck_party_account_whole")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["appraisal.enforcement_case.id"], name=op.f("fk_party_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sa.UniqueConstraint("case_id", "position", name=op.f("uq_party_case_id_position")),
        sa.UniqueConstraint("case_id", "ref", name=op.f("uq_party_case_id_ref")),
        sa.UniqueConstraint("id", "case_id", name=op.f("uq_party_id_case_id")),
        schema="appraisal",
    )
    op.create_table(
        "appraisal_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("pricing", sa.BigInteger(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("report_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("price_fen > 0", name=op.f("ck_appraisal_report_price_positive")),
        sa.CheckConstraint("report_on <= valid_until", name=op.f("ck_appraisal_report_validity")),
        sa.ForeignKeyConstraint(["asset_id"], ["appraisal.asset.id"], name=op.f("fk_appraisal_report_asset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appraisal_report")),
        schema="appraisal",
    )
    op.create_index(
        "ix_appraisal_report_asset_id", "appraisal_report", ["asset_id", "pricing"], unique=False, schema="appraisal"
    )
    op.create_table(
        "asset_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("placed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("lifted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("lifted_at >= placed_at", name=op.f("ck_asset_hold_lifted_after_placed")),
        sa.ForeignKeyConstraint(
            ["asset_id", "case_id"],
            ["appraisal.asset.id", "appraisal.asset.case_id"],
            name=op.f("fk_asset_hold_asset_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset_hold")),
        schema="appraisal",
    )
    op.create_index(
        "ix_asset_hold_standing",
        "asset_hold",
        ["asset_id"],
        unique=False,
        schema="appraisal",
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "asset_seizure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.CheckConstraint("measure IN ('seal', 'seize', 'freeze')", name=op.f("ck_asset_seizure_measure")),
        sa.CheckConstraint("from_on < to_on", name=op.f("ck_asset_seizure_period")),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_asset_seizure_rank")),
        sa.ForeignKeyConstraint(
            ["asset_id", "case_id"],
            ["appraisal.asset.id", "appraisal.asset.case_id"],
            name=op.f("fk_asset_seizure_asset_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["party_id", "case_id"],
            ["appraisal.party.id", "appraisal.party.case_id"],
            name=op.f("fk_asset_seizure_party_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset_seizure")),
        sa.UniqueConstraint("asset_id", "rank", name=op.f("uq_asset_seizure_asset_id_rank")),
        schema="appraisal",
    )
    op.create_table(
        "document_service",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint(
            "method IN ('direct', 'left', 'electronic', 'entrusted', 'mail', 'forwarded', 'announcement')",
            name=op.f("ck_document_service_method"),
        ),
        sa.ForeignKeyConstraint(
            ["party_id", "case_id"],
            ["appraisal.party.id", "appraisal.party.case_id"],
            name=op.f("fk_document_service_party_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_service")),
        schema="appraisal",
    )
    op.create_index(
        "ix_document_service_case_id", "document_service", ["case_id", "id"], unique=False, schema="appraisal"
    )
    op.create_index(
        "ix_document_service_subject", "document_service", ["subject", "id"], unique=False, schema="appraisal"
    )
    op.create_table(
        "enquiry_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("pricing", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("report_on", sa.Date(), nullable=True),
        sa.Column("objection", sa.Text(), nullable=False),
        sa.Column("corrected_price_fen", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint(
            "(objection = 'corrected') = (corrected_price_fen IS NOT NULL)",
            name=op.f("ck_enquiry_report_corrected_has_price"),
        ),
        sa.CheckConstraint(
            "objection IN ('none', 'dismissed', 'corrected', 'upheld')", name=op.f("ck_enquiry_report_objection")
        ),
        sa.CheckConstraint("price_fen > 0 AND corrected_price_fen > 0", name=op.f("ck_enquiry_report_prices_positive")),
        sa.CheckConstraint(
            "price_fen IS NULL OR report_on IS NOT NULL", name=op.f("ck_enquiry_report_delivered_has_day")
        ),
        sa.ForeignKeyConstraint(["asset_id"], ["appraisal.asset.id"], name=op.f("fk_enquiry_report_asset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enquiry_report")),
        sa.UniqueConstraint(
            "asset_id", "pricing", "platform", name=op.f("uq_enquiry_report_asset_id_pricing_platform")
        ),
        schema="appraisal",
    )
    op.create_table(
        "reference_price",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("pricing", sa.BigInteger(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("fixed_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("assessment", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fixed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint(
            "method IN ('party_agreement', 'directed_enquiry', 'network_enquiry', 'appraisal')",
            name=op.f("ck_reference_price_method"),
        ),
        sa.CheckConstraint("fixed_on <= valid_until", name=op.f("ck_reference_price_validity")),
        sa.CheckConstraint("price_fen > 0", name=op.f("ck_reference_price_price_positive")),
        sa.ForeignKeyConstraint(["asset_id"], ["appraisal.asset.id"], name=op.f("fk_reference_price_asset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference_price")),
        sa.UniqueConstraint("asset_id", "pricing", name=op.f("uq_reference_price_asset_id_pricing")),
        schema="appraisal",
    )
    op.create_table(
        "titled_claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=True),
        sa.Column("title_no", sa.Text(), nullable=False),
        sa.Column("rank_on", sa.Date(), nullable=True),
        sa.Column("sealed_on", sa.Date(), nullable=True),
        sa.Column("costs_fen", sa.BigInteger(), nullable=False),
        sa.Column("interest_fen", sa.BigInteger(), nullable=False),
        sa.Column("principal_fen", sa.BigInteger(), nullable=False),
        sa.Column("doubled_fen", sa.BigInteger(), nullable=False),
        sa.Column("registered_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint(
            "kind IN ('ordinary', 'secured', 'construction_price', 'home_buyer', 'lien', 'tax', 'injury_medical', 'restitution', 'fine', 'confiscation')",
            name=op.f("ck_titled_claim_kind"),
        ),
        sa.CheckConstraint(
            "costs_fen + interest_fen + principal_fen + doubled_fen BETWEEN 1 AND 1000000000000000",
            name=op.f("ck_titled_claim_total_in_bounds"),
        ),
        sa.CheckConstraint(
            "least(costs_fen, interest_fen, principal_fen, doubled_fen) >= 0",
            name=op.f("ck_titled_claim_no_negative_part"),
        ),
        sa.ForeignKeyConstraint(
            ["asset_id", "case_id"],
            ["appraisal.asset.id", "appraisal.asset.case_id"],
            name=op.f("fk_titled_claim_asset_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["party_id", "case_id"],
            ["appraisal.party.id", "appraisal.party.case_id"],
            name=op.f("fk_titled_claim_party_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_titled_claim")),
        sa.UniqueConstraint("case_id", "position", name=op.f("uq_titled_claim_case_id_position")),
        sa.UniqueConstraint(
            "party_id",
            "title_no",
            "kind",
            "asset_id",
            name=op.f("uq_titled_claim_party_id_title_no_kind_asset_id"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="appraisal",
    )
    op.execute(ddl.protect("appraisal.panel_decision"))
    op.execute(ddl.protect("appraisal.appraisal_report"))
    op.execute(ddl.protect("appraisal.document_service"))
    op.execute(ddl.protect("appraisal.reference_price"))
    op.execute(ddl.protect("appraisal.titled_claim"))
