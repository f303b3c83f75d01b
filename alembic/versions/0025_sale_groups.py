"""Sale groups in auction and bidding; deferral as an event of its own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

KINDS = "kind IN ('opened', 'bid', 'suspended', 'deferred', 'frozen', 'resumed', 'withdrawn', 'closed')"
COMMANDS = "kind IN ('suspended', 'deferred', 'resumed', 'withdrawn')"


def upgrade() -> None:
    op.create_table(
        "sale_group",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("court_id", sa.Uuid(), nullable=False),
        sa.Column("target_fen", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("target_fen BETWEEN 1 AND 1000000000000000", name=op.f("ck_sale_group_target")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale_group")),
        schema="auction",
    )
    op.create_index("ix_sale_group_case_id", "sale_group", ["case_id"], unique=False, schema="auction")
    op.execute(ddl.protect("auction.sale_group"))
    op.add_column("lot", sa.Column("sale_group_id", sa.Uuid(), nullable=True), schema="auction")
    op.create_foreign_key(
        op.f("fk_lot_sale_group_id_sale_group"),
        "lot",
        "sale_group",
        ["sale_group_id"],
        ["id"],
        source_schema="auction",
        referent_schema="auction",
    )
    op.create_table(
        "sale_group",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("court_id", sa.Uuid(), nullable=False),
        sa.Column("target_fen", sa.BigInteger(), nullable=False),
        sa.Column("sold_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("consented_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("consent_proof", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "target_fen BETWEEN 1 AND 1000000000000000 AND sold_fen >= 0", name=op.f("ck_sale_group_amounts")
        ),
        sa.CheckConstraint(
            "(consented_at IS NULL) = (consent_proof IS NULL)", name=op.f("ck_sale_group_consent_has_proof")
        ),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_sale_group")),
        schema="bidding",
    )
    op.add_column("lot", sa.Column("sale_group_id", sa.Uuid(), nullable=True), schema="bidding")
    op.create_foreign_key(
        op.f("fk_lot_sale_group_id_sale_group"),
        "lot",
        "sale_group",
        ["sale_group_id"],
        ["group_id"],
        source_schema="bidding",
        referent_schema="bidding",
    )
    op.drop_column("lot", "bucket", schema="bidding")
    bucket = sa.Computed("('x' || right(coalesce(sale_group_id, lot_id)::text, 3))::bit(12)::integer", persisted=True)
    op.add_column("lot", sa.Column("bucket", sa.Integer(), bucket, nullable=False), schema="bidding")
    for schema in ("auction", "bidding"):
        op.create_index(
            "ix_lot_sale_group_id",
            "lot",
            ["sale_group_id"],
            unique=False,
            schema=schema,
            postgresql_where=sa.text("sale_group_id IS NOT NULL"),
        )
    for table, kinds in (("submission", KINDS), ("lot_command", COMMANDS)):
        op.drop_constraint(op.f(f"ck_{table}_kind"), table, schema="bidding", type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_kind"), table, kinds, schema="bidding")
