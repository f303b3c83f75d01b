"""Joint bidders: agencies become mandates of one or several buyers; a sale knows all of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

NAME_KEY = r"""
CREATE FUNCTION kernel.name_key(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(normalize(name, NFKC), '\s', '', 'g')
"""


def upgrade() -> None:
    op.create_table(
        "mandate",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("bidder_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("confirmed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("place >= 1 AND parts >= 1", name=op.f("ck_mandate_counted")),
        sa.ForeignKeyConstraint(["lot_id"], ["bidding.lot.lot_id"], name=op.f("fk_mandate_lot_id_lot")),
        sa.PrimaryKeyConstraint("lot_id", "buyer_id", name=op.f("pk_mandate")),
        sa.UniqueConstraint("lot_id", "bidder_id", "place", name=op.f("uq_mandate_lot_id_bidder_id_place")),
        schema="bidding",
    )
    op.execute(
        "INSERT INTO bidding.mandate (lot_id, buyer_id, bidder_id, place, parts, proof, confirmed_at)"
        " SELECT lot_id, principal_id, agent_id, 1, 1, proof, confirmed_at FROM bidding.agency"
    )
    op.drop_table("agency", schema="bidding")
    op.execute(ddl.protect("bidding.mandate"))
    op.add_column(
        "sale",
        sa.Column("co_buyer_person_ids", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        schema="settlement",
    )
    op.execute(NAME_KEY)
    op.create_index("ix_person_name_key", "person", [sa.text("kernel.name_key(real_name)")], schema="kernel")
