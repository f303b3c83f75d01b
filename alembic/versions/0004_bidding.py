"""Tables of the context `bidding`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "desk_health",
        sa.Column("share", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("real_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("platform_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.PrimaryKeyConstraint("share", name=op.f("pk_desk_health")),
        schema="bidding",
    )
    op.create_table(
        "desk_lease",
        sa.Column("share", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("taken_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.PrimaryKeyConstraint("share", name=op.f("pk_desk_lease")),
        schema="bidding",
    )
    op.create_table(
        "desk_outage",
        sa.Column("share", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("real_ms", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("lots_frozen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("share", "epoch", "until", name=op.f("pk_desk_outage")),
        schema="bidding",
    )
    op.create_table(
        "lot",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("court_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("opens_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("scheduled_end", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("start_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("increment_fen", sa.BigInteger(), nullable=False),
        sa.Column("deposit_fen", sa.BigInteger(), nullable=False),
        sa.Column("applicant_claim_fen", sa.BigInteger(), nullable=False),
        sa.Column("genesis", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("remaining_ms", sa.BigInteger(), nullable=True),
        sa.Column("opened", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("leader_registration_id", sa.Uuid(), nullable=True),
        sa.Column("leader_code", sa.Text(), nullable=True),
        sa.Column("leader_rank", sa.BigInteger(), nullable=True),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("entries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bids", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("extensions", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("last_received_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("late_entries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unstored_refusals", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(outcome IS NOT DISTINCT FROM 'sold') <= (price_fen IS NOT NULL)", name=op.f("ck_lot_sold_has_price")
        ),
        sa.CheckConstraint(
            "(outcome IS NOT NULL) = (status IN ('closed', 'annulled'))", name=op.f("ck_lot_outcome_at_close")
        ),
        sa.CheckConstraint(
            "CASE WHEN status IN ('suspended', 'frozen') THEN ends_at IS NULL AND remaining_ms > 0 WHEN status = 'withdrawn' THEN true ELSE ends_at IS NOT NULL AND remaining_ms IS NULL END",
            name=op.f("ck_lot_time_runs_or_is_kept"),
        ),
        sa.CheckConstraint("method IN ('auction', 'sell_off')", name=op.f("ck_lot_method")),
        sa.CheckConstraint("outcome IN ('sold', 'failed')", name=op.f("ck_lot_outcome")),
        sa.CheckConstraint(
            "status IN ('upcoming', 'open', 'suspended', 'frozen', 'closed', 'withdrawn', 'annulled')",
            name=op.f("ck_lot_status"),
        ),
        sa.CheckConstraint(
            "(price_fen IS NULL) = (leader_code IS NULL) AND (price_fen IS NULL) = (leader_registration_id IS NULL) AND (price_fen IS NULL) = (bids = 0)",
            name=op.f("ck_lot_leader_has_price"),
        ),
        sa.CheckConstraint("deposit_fen >= 0 AND applicant_claim_fen >= 0", name=op.f("ck_lot_deposit")),
        sa.CheckConstraint("octet_length(genesis) = 32 AND octet_length(link) = 32", name=op.f("ck_lot_link_length")),
        sa.CheckConstraint(
            "price_fen BETWEEN start_price_fen AND 1000000000000000 AND (price_fen - start_price_fen) % increment_fen = 0",
            name=op.f("ck_lot_price_on_grid"),
        ),
        sa.CheckConstraint("scheduled_end > opens_at", name=op.f("ck_lot_ends_after_opening")),
        sa.CheckConstraint(
            "start_price_fen BETWEEN 1 AND 1000000000000000 AND increment_fen BETWEEN 1 AND 1000000000000000",
            name=op.f("ck_lot_terms"),
        ),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_lot")),
        schema="bidding",
    )
    op.create_index("ix_lot_asset_id", "lot", ["asset_id"], unique=False, schema="bidding")
    op.create_index(
        "ix_lot_ending",
        "lot",
        ["ends_at"],
        unique=False,
        schema="bidding",
        postgresql_where=sa.text("status IN ('upcoming', 'open')"),
    )
    op.create_index(
        "ix_lot_finished",
        "lot",
        ["closed_at"],
        unique=False,
        schema="bidding",
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_lot_live",
        "lot",
        ["lot_id"],
        unique=False,
        schema="bidding",
        postgresql_where=sa.text("status IN ('upcoming', 'open', 'suspended', 'frozen')"),
    )
    op.create_index(
        "ix_lot_opening",
        "lot",
        ["opens_at"],
        unique=False,
        schema="bidding",
        postgresql_where=sa.text("status = 'upcoming'"),
    )
    op.create_table(
        "refusal_block",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_entry", sa.BigInteger(), nullable=False),
        sa.Column("last_entry", sa.BigInteger(), nullable=False),
        sa.Column("refusals", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint(
            "first_entry <= last_entry AND octet_length(link) = 32", name=op.f("ck_refusal_block_block")
        ),
        sa.PrimaryKeyConstraint("lot_id", "number", name=op.f("pk_refusal_block")),
        schema="bidding",
    )
    op.create_table(
        "submission",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=True),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("confirm_fen", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("ingress_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("payload_hash", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'bid') = (registration_id IS NOT NULL)", name=op.f("ck_submission_bids_have_bidders")
        ),
        sa.CheckConstraint(
            "CASE WHEN kind = 'bid' AND seq IS NOT NULL THEN price_fen IS NOT NULL AND price_fen BETWEEN 1 AND 1000000000000000 WHEN kind <> 'bid' THEN price_fen IS NULL ELSE true END",
            name=op.f("ck_submission_price"),
        ),
        sa.CheckConstraint(
            "kind IN ('opened', 'bid', 'suspended', 'frozen', 'resumed', 'withdrawn', 'closed')",
            name=op.f("ck_submission_kind"),
        ),
        sa.CheckConstraint("(seq IS NULL) = (refusal IS NOT NULL)", name=op.f("ck_submission_accepted_or_refused")),
        sa.CheckConstraint("entry > 0 AND seq > 0", name=op.f("ck_submission_numbers")),
        sa.CheckConstraint(
            "octet_length(payload_hash) = 32 AND octet_length(link) = 32", name=op.f("ck_submission_hash_length")
        ),
        sa.PrimaryKeyConstraint("lot_id", "entry", name=op.f("pk_submission")),
        sa.UniqueConstraint(
            "lot_id",
            "registration_id",
            "key",
            name=op.f("uq_submission_lot_id_registration_id_key"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="bidding",
    )
    op.create_index(
        "ux_submission_seq",
        "submission",
        ["lot_id", "seq"],
        unique=True,
        schema="bidding",
        postgresql_where=sa.text("seq IS NOT NULL"),
    )
    op.create_table(
        "unlock",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_unlock_digest_length")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_unlock")),
        schema="bidding",
    )
    op.create_table(
        "lot_command",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('suspended', 'resumed', 'withdrawn')", name=op.f("ck_lot_command_kind")),
        sa.ForeignKeyConstraint(["lot_id"], ["bidding.lot.lot_id"], name=op.f("fk_lot_command_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_command")),
        schema="bidding",
    )
    op.create_index(
        "ix_lot_command_waiting",
        "lot_command",
        ["lot_id"],
        unique=False,
        schema="bidding",
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_table(
        "lot_hold",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("lifted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["lot_id"], ["bidding.lot.lot_id"], name=op.f("fk_lot_hold_lot_id")),
        sa.PrimaryKeyConstraint("lot_id", "hold_id", name=op.f("pk_lot_hold")),
        schema="bidding",
    )
    op.create_table(
        "lot_person",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.CheckConstraint("standing IN ('applicant', 'barred')", name=op.f("ck_lot_person_standing")),
        sa.ForeignKeyConstraint(["lot_id"], ["bidding.lot.lot_id"], name=op.f("fk_lot_person_lot_id")),
        sa.PrimaryKeyConstraint("lot_id", "person_id", "standing", name=op.f("pk_lot_person")),
        schema="bidding",
    )
    op.create_index("ix_lot_person_person_id", "lot_person", ["person_id"], unique=False, schema="bidding")
    op.create_table(
        "priority_grant",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("granted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("rank BETWEEN 1 AND 1000", name=op.f("ck_priority_grant_rank")),
        sa.ForeignKeyConstraint(["lot_id"], ["bidding.lot.lot_id"], name=op.f("fk_priority_grant_lot_id")),
        sa.PrimaryKeyConstraint("lot_id", "person_id", name=op.f("pk_priority_grant")),
        schema="bidding",
    )
    op.create_table(
        "registration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("bid_password_hash", sa.LargeBinary(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("priority_rank", sa.BigInteger(), nullable=True),
        sa.Column("deposit_due_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("admitted_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("released_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("barred_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'admitted') <= (admitted_at IS NOT NULL)", name=op.f("ck_registration_admitted_has_time")
        ),
        sa.CheckConstraint(
            "(state = 'awaiting_deposit') <= (admitted_at IS NULL)", name=op.f("ck_registration_awaiting_not_admitted")
        ),
        sa.CheckConstraint(
            "(state = 'barred') = (barred_reason IS NOT NULL)", name=op.f("ck_registration_barred_has_reason")
        ),
        sa.CheckConstraint("kind IN ('ordinary', 'applicant', 'other_creditor')", name=op.f("ck_registration_kind")),
        sa.CheckConstraint(
            "state IN ('awaiting_deposit', 'admitted', 'released', 'barred')", name=op.f("ck_registration_state")
        ),
        sa.CheckConstraint("deposit_due_fen >= 0", name=op.f("ck_registration_deposit")),
        sa.CheckConstraint("octet_length(bid_password_hash) = 32", name=op.f("ck_registration_password_hash_length")),
        sa.CheckConstraint("priority_rank >= 1", name=op.f("ck_registration_rank")),
        sa.ForeignKeyConstraint(["lot_id"], ["bidding.lot.lot_id"], name=op.f("fk_registration_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.UniqueConstraint("lot_id", "code", name=op.f("uq_registration_lot_id_code")),
        schema="bidding",
    )
    op.create_table(
        "identity_access",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["bidding.registration.id"], name=op.f("fk_identity_access_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_access")),
        schema="bidding",
    )
    op.create_index(
        "ix_identity_access_registration_id", "identity_access", ["registration_id"], unique=False, schema="bidding"
    )
    op.create_table(
        "registration_identity",
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["bidding.registration.id"], name=op.f("fk_registration_identity_registration_id")
        ),
        sa.PrimaryKeyConstraint("registration_id", name=op.f("pk_registration_identity")),
        sa.UniqueConstraint("lot_id", "person_id", name=op.f("uq_registration_identity_lot_id_person_id")),
        schema="bidding",
    )
    op.execute(ddl.protect("bidding.desk_outage"))
    op.execute(ddl.protect("bidding.refusal_block"))
    op.execute(ddl.protect("bidding.submission"))
    op.execute(ddl.protect("bidding.identity_access"))
