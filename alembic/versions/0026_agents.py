"""Agents whom the court confirmed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agency",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("confirmed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("agent_id <> principal_id", name=op.f("ck_agency_two_persons")),
        sa.ForeignKeyConstraint(["lot_id"], ["bidding.lot.lot_id"], name=op.f("fk_agency_lot_id_lot")),
        sa.PrimaryKeyConstraint("lot_id", "agent_id", name=op.f("pk_agency")),
        sa.UniqueConstraint("lot_id", "principal_id", name=op.f("uq_agency_lot_id_principal_id")),
        schema="bidding",
    )
    op.execute(ddl.protect("bidding.agency"))
