"""Follows and enquiries of citizens; a person's own registrations are found by an index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "follow",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["auction.lot.id"], name=op.f("fk_follow_lot_id_lot")),
        sa.PrimaryKeyConstraint("person_id", "lot_id", name=op.f("pk_follow")),
        schema="auction",
    )
    op.create_table(
        "enquiry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("court_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("published", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("kind IN ('question', 'viewing')", name=op.f("ck_enquiry_kind")),
        sa.CheckConstraint("state IN ('waiting', 'answered', 'granted', 'declined')", name=op.f("ck_enquiry_state")),
        sa.CheckConstraint("(state = 'waiting') = (answer IS NULL)", name=op.f("ck_enquiry_answer_of_state")),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_enquiry_answer_has_time")),
        sa.CheckConstraint(
            "published <= (kind = 'question' AND answer IS NOT NULL)",
            name=op.f("ck_enquiry_published_is_answered_question"),
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["auction.lot.id"], name=op.f("fk_enquiry_lot_id_lot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enquiry")),
        schema="auction",
    )
    op.create_index("ix_enquiry_lot_id", "enquiry", ["lot_id", "asked_at"], unique=False, schema="auction")
    op.create_index("ix_enquiry_person_id", "enquiry", ["person_id", "asked_at"], unique=False, schema="auction")
    op.create_index(
        "ix_enquiry_waiting",
        "enquiry",
        ["court_id", "asked_at"],
        unique=False,
        schema="auction",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_registration_identity_person_id", "registration_identity", ["person_id"], unique=False, schema="bidding"
    )
