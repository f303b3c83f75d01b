"""A bidder accepts the lot's own announcement; who is the applicant is read when somebody registers, not copied."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lot", sa.Column("announcement_version", sa.Text(), nullable=True), schema="bidding")
    op.drop_constraint(op.f("ck_lot_deposit"), "lot", schema="bidding", type_="check")
    op.drop_column("lot", "applicant_claim_fen", schema="bidding")
    op.create_check_constraint(op.f("ck_lot_deposit"), "lot", "deposit_fen >= 0", schema="bidding")
    op.execute("DELETE FROM bidding.lot_person WHERE standing <> 'barred'")
    op.drop_constraint(op.f("pk_lot_person"), "lot_person", schema="bidding", type_="primary")
    op.drop_column("lot_person", "standing", schema="bidding")
    op.rename_table("lot_person", "barred_person", schema="bidding")
    op.create_primary_key(op.f("pk_barred_person"), "barred_person", ["lot_id", "person_id"], schema="bidding")
    op.execute("ALTER INDEX bidding.ix_lot_person_person_id RENAME TO ix_barred_person_person_id")
    op.execute("ALTER TABLE bidding.barred_person RENAME CONSTRAINT fk_lot_person_lot_id TO fk_barred_person_lot_id")
