"""Disposals of assets: what ended a seizure, so that it can live again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0026"
branch_labels = None
depends_on = None

# One disposal of a thing stands: where an earlier version let two begin, the one by which title passed first.
SALES_AND_TAKINGS = """
INSERT INTO appraisal.asset_disposal (id, asset_id, case_id, way, begun_at, passed_on)
SELECT DISTINCT ON (asset_id) id, asset_id, case_id, way, begun_at, passed_on FROM (
    SELECT lot_id, asset_id, case_id, 'sale', ended_at, served_on FROM settlement.sale
    WHERE state IN ('served', 'handed_over')
    UNION ALL
    SELECT id, asset_id, case_id, 'taking', decided_at, served_on FROM settlement.taking WHERE state <> 'lapsed'
) AS disposal (id, asset_id, case_id, way, begun_at, passed_on)
ORDER BY asset_id, passed_on NULLS LAST, begun_at
"""

WHAT_THEY_ENDED = """
UPDATE appraisal.asset_seizure AS seizure SET ended_by = disposal.id FROM appraisal.asset_disposal AS disposal
WHERE disposal.asset_id = seizure.asset_id AND disposal.passed_on = seizure.ended_on
"""


def upgrade() -> None:
    op.create_table(
        "asset_disposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("begun_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("passed_on", sa.Date(), nullable=True),
        sa.Column("undone_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.CheckConstraint("way IN ('sale', 'taking')", name=op.f("ck_asset_disposal_way")),
        sa.CheckConstraint("undone_at >= begun_at", name=op.f("ck_asset_disposal_undone_after_begun")),
        sa.ForeignKeyConstraint(
            ["asset_id", "case_id"],
            ["appraisal.asset.id", "appraisal.asset.case_id"],
            name=op.f("fk_asset_disposal_asset_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset_disposal")),
        schema="appraisal",
    )
    op.create_index(
        "uq_asset_disposal_standing",
        "asset_disposal",
        ["asset_id"],
        unique=True,
        schema="appraisal",
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.add_column("asset_seizure", sa.Column("ended_by", sa.Uuid(), nullable=True), schema="appraisal")
    op.create_foreign_key(
        op.f("fk_asset_seizure_ended_by"),
        "asset_seizure",
        "asset_disposal",
        ["ended_by"],
        ["id"],
        source_schema="appraisal",
        referent_schema="appraisal",
    )
    op.create_check_constraint(
        op.f("ck_asset_seizure_ended_by_has_day"),
        "asset_seizure",
        "ended_by IS NULL OR ended_on IS NOT NULL",
        schema="appraisal",
    )
    op.execute(SALES_AND_TAKINGS)
    op.execute(WHAT_THEY_ENDED)
