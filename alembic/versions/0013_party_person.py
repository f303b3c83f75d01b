"""Cases of a person: what a party reads is found by their account."""

from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_party_person_id",
        "party",
        ["person_id"],
        unique=False,
        schema="appraisal",
        postgresql_where="person_id IS NOT NULL",
    )
