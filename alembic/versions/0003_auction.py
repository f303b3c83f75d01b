"""Tables of the context `auction`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


GRAMS = """
CREATE FUNCTION auction.grams(words text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5000
RETURN (
    SELECT coalesce(array_agg(DISTINCT pair), '{}')
    FROM (
        SELECT substr(clean, start, 2) AS pair
        FROM (SELECT lower(normalize(words, NFKC)) AS clean) AS cleaned,
             generate_series(1, greatest(char_length(clean) - 1, 1)) AS start
    ) AS pairs
    WHERE pair !~ '\\s'
)
"""
"""Pairs of neighbouring characters. The cost keeps the planner from computing them row by row along another index."""


def upgrade() -> None:
    op.execute(GRAMS)
    op.create_table(
        "ended_round",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("court_id", sa.Uuid(), nullable=False),
        sa.Column("asset_kind", sa.Text(), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("reference_fen", sa.BigInteger(), nullable=False),
        sa.Column("start_fen", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("(outcome = 'failed') = (price_fen IS NULL)", name=op.f("ck_ended_round_price_of_sale")),
        sa.CheckConstraint("outcome IN ('sold', 'failed', 'defaulted')", name=op.f("ck_ended_round_outcome")),
        sa.CheckConstraint("stage IN ('round_1', 'round_2', 'sell_off')", name=op.f("ck_ended_round_stage")),
        sa.CheckConstraint("reference_fen > 0 AND start_fen > 0", name=op.f("ck_ended_round_bases")),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_ended_round")),
        schema="auction",
    )
    op.create_index(
        "ix_ended_round_filter", "ended_round", ["court_id", "asset_kind", "year"], unique=False, schema="auction"
    )
    op.create_table(
        "lot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("court_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("previous_lot_id", sa.Uuid(), nullable=True),
        sa.Column("round", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("start_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("increment_fen", sa.BigInteger(), nullable=False),
        sa.Column("deposit_fen", sa.BigInteger(), nullable=False),
        sa.Column("opens_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("scheduled_end", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("balance_due_days", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("ordered_by_decision_id", sa.Uuid(), nullable=True),
        sa.Column("barred_person_ids", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("asset_kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("court_name", sa.Text(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("purchase_limited", sa.Boolean(), nullable=False),
        sa.Column("reference_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("drafted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("published_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("halt_reason", sa.Text(), nullable=True),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("winner_code", sa.Text(), nullable=True),
        sa.Column("bids", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("extensions", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("search_text", sa.Text(), nullable=True),
        sa.Column("ends_rank", sa.BigInteger(), nullable=True),
        sa.Column("shown_price_fen", sa.BigInteger(), nullable=True),
        sa.Column("discount_bp", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(method = 'sell_off') = (round = 'sell_off')", name=op.f("ck_lot_method_of_round")),
        sa.CheckConstraint(
            "(status IN ('sold', 'defaulted')) = (price_fen IS NOT NULL)", name=op.f("ck_lot_price_of_sale")
        ),
        sa.CheckConstraint("asset_kind IN ('movable', 'immovable', 'other_right')", name=op.f("ck_lot_asset_kind")),
        sa.CheckConstraint("method IN ('auction', 'sell_off')", name=op.f("ck_lot_method")),
        sa.CheckConstraint("round IN ('round_1', 'round_2', 'sell_off', 'resale')", name=op.f("ck_lot_round")),
        sa.CheckConstraint("status <> 'draft' OR published_at IS NULL", name=op.f("ck_lot_draft_unpublished")),
        sa.CheckConstraint(
            "status = 'draft' OR (published_at IS NOT NULL AND decision_id IS NOT NULL AND opens_at IS NOT NULL AND scheduled_end IS NOT NULL AND ends_at IS NOT NULL AND search_text IS NOT NULL)",
            name=op.f("ck_lot_published_whole"),
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'published', 'live', 'suspended', 'frozen', 'sold', 'failed', 'withdrawn', 'defaulted')",
            name=op.f("ck_lot_status"),
        ),
        sa.CheckConstraint("(price_fen IS NULL) = (winner_code IS NULL)", name=op.f("ck_lot_winner_has_price")),
        sa.CheckConstraint("balance_due_days > 0", name=op.f("ck_lot_balance_due_days")),
        sa.CheckConstraint("deposit_fen BETWEEN 0 AND start_price_fen", name=op.f("ck_lot_deposit")),
        sa.CheckConstraint("increment_fen BETWEEN 1 AND 1000000000000000", name=op.f("ck_lot_increment")),
        sa.CheckConstraint("price_fen >= start_price_fen", name=op.f("ck_lot_price_above_start")),
        sa.CheckConstraint("reference_price_fen BETWEEN 1 AND 1000000000000000", name=op.f("ck_lot_reference_price")),
        sa.CheckConstraint("scheduled_end > opens_at", name=op.f("ck_lot_ends_after_opening")),
        sa.CheckConstraint("start_price_fen BETWEEN 1 AND 1000000000000000", name=op.f("ck_lot_start_price")),
        sa.ForeignKeyConstraint(["previous_lot_id"], ["auction.lot.id"], name=op.f("fk_lot_previous_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        schema="auction",
    )
    op.create_index("ix_lot_asset_id", "lot", ["asset_id"], unique=False, schema="auction")
    op.create_index("ix_lot_case_id", "lot", ["case_id"], unique=False, schema="auction")
    op.create_index(
        "ix_lot_discount",
        "lot",
        ["discount_bp", "id"],
        unique=False,
        schema="auction",
        postgresql_where=sa.text("published_at IS NOT NULL"),
    )
    op.create_index(
        "ix_lot_ends_soonest",
        "lot",
        ["ends_rank", "id"],
        unique=False,
        schema="auction",
        postgresql_where=sa.text("published_at IS NOT NULL"),
    )
    op.create_index(
        "ix_lot_newest",
        "lot",
        ["published_at", "id"],
        unique=False,
        schema="auction",
        postgresql_where=sa.text("published_at IS NOT NULL"),
    )
    op.create_index("ix_lot_previous_lot_id", "lot", ["previous_lot_id"], unique=False, schema="auction")
    op.create_index(
        "ix_lot_price",
        "lot",
        ["shown_price_fen", "id"],
        unique=False,
        schema="auction",
        postgresql_where=sa.text("published_at IS NOT NULL"),
    )
    op.create_index(
        "ix_lot_search_grams",
        "lot",
        [sa.literal_column("auction.grams(search_text)")],
        unique=False,
        schema="auction",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.create_index(
        "ux_lot_open_asset",
        "lot",
        ["asset_id"],
        unique=True,
        schema="auction",
        postgresql_where=sa.text("status IN ('draft', 'frozen', 'live', 'published', 'suspended')"),
    )
    op.create_table(
        "announcement",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("version = encode(sha256(content), 'hex')", name=op.f("ck_announcement_version_of_content")),
        sa.ForeignKeyConstraint(["lot_id"], ["auction.lot.id"], name=op.f("fk_announcement_lot_id")),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_announcement")),
        schema="auction",
    )
    op.create_table(
        "checklist_text",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("written_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint(
            "item IN ('announcement', 'title', 'pricing', 'rules', 'condition', 'priority', 'notices', 'payment', 'taxes', 'contact', 'capacity', 'agents', 'defects', 'as-is', 'acceptance', 'identity', 'forfeiture')",
            name=op.f("ck_checklist_text_item"),
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["auction.lot.id"], name=op.f("fk_checklist_text_lot_id")),
        sa.PrimaryKeyConstraint("lot_id", "item", name=op.f("pk_checklist_text")),
        schema="auction",
    )
    op.create_table(
        "lot_document",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('picture', 'announcement', 'appraisal_report', 'enforcement_title', 'other')",
            name=op.f("ck_lot_document_kind"),
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["auction.lot.id"], name=op.f("fk_lot_document_lot_id")),
        sa.PrimaryKeyConstraint("lot_id", "position", name=op.f("pk_lot_document")),
        sa.UniqueConstraint("document_id", name=op.f("uq_lot_document_document_id")),
        schema="auction",
    )
    op.create_table(
        "sale_notice",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('notified', 'waived', 'unreachable_posted')", name=op.f("ck_sale_notice_outcome")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["auction.lot.id"], name=op.f("fk_sale_notice_lot_id")),
        sa.PrimaryKeyConstraint("lot_id", "party_id", name=op.f("pk_sale_notice")),
        schema="auction",
    )
    op.execute(ddl.protect("auction.announcement"))
