"""Tables of the context `kernel`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kernel import ddl

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(ddl.REFUSE_CHANGE)
    op.create_table(
        "audit_block",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.PrimaryKeyConstraint("chain", "number", name=op.f("pk_audit_block")),
        schema="kernel",
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_audit_entry_hash_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        schema="kernel",
    )
    op.create_table(
        "court",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_court")),
        sa.UniqueConstraint("code", name=op.f("uq_court_code")),
        schema="kernel",
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("previous_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("stored_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_document_sha256_length")),
        sa.CheckConstraint("size BETWEEN 1 AND 20000000", name=op.f("ck_document_size")),
        sa.ForeignKeyConstraint(["previous_id"], ["kernel.document.id"], name=op.f("fk_document_previous_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        schema="kernel",
    )
    op.create_table(
        "idempotency",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_idempotency_digest_length")),
        sa.PrimaryKeyConstraint("person_id", "operation", "key", name=op.f("pk_idempotency")),
        schema="kernel",
    )
    op.create_table(
        "inbox",
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.PrimaryKeyConstraint("handler", "outbox_id", name=op.f("pk_inbox")),
        schema="kernel",
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("done_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("retry_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("lease_until", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.Column("lease_no", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        schema="kernel",
    )
    op.create_index(
        "ix_outbox_key",
        "outbox",
        ["key", "id"],
        unique=False,
        schema="kernel",
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["due_at", "id"],
        unique=False,
        schema="kernel",
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "ux_outbox_once",
        "outbox",
        ["topic", "once"],
        unique=True,
        schema="kernel",
        postgresql_where=sa.text("once IS NOT NULL"),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("real_name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("registered_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("disabled_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("username", name=op.f("uq_person_username")),
        schema="kernel",
    )
    op.create_table(
        "audit_seal",
        sa.Column("entry_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["kernel.audit_entry.id"], name=op.f("fk_audit_seal_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_seal")),
        sa.UniqueConstraint("chain", "number", "entry_id", name=op.f("uq_audit_seal_chain_number_entry_id")),
        schema="kernel",
    )
    op.create_table(
        "audit_unsealed",
        sa.Column("entry_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["kernel.audit_entry.id"], name=op.f("fk_audit_unsealed_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_unsealed")),
        schema="kernel",
    )
    op.create_table(
        "login_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True, precision=3), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["kernel.person.id"], name=op.f("fk_login_session_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
        schema="kernel",
    )
    op.create_index(
        "ix_login_session_open",
        "login_session",
        ["person_id"],
        unique=False,
        schema="kernel",
        postgresql_where="ended_at IS NULL",
    )
    op.create_table(
        "person_identity",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("id_number", sa.Text(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["kernel.person.id"], name=op.f("fk_person_identity_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_identity")),
        sa.UniqueConstraint("id_number", name=op.f("uq_person_identity_id_number")),
        schema="kernel",
    )
    op.create_table(
        "person_role",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("court_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "role IN ('bidder', 'clerk', 'judge', 'chief', 'maker', 'checker', 'payer', 'supervisor', 'auditor', 'operator', 'machine')",
            name=op.f("ck_person_role_role"),
        ),
        sa.ForeignKeyConstraint(["court_id"], ["kernel.court.id"], name=op.f("fk_person_role_court_id")),
        sa.ForeignKeyConstraint(["person_id"], ["kernel.person.id"], name=op.f("fk_person_role_person_id")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_person_role")),
        schema="kernel",
    )
    op.execute(ddl.protect("kernel.audit_block"))
    op.execute(ddl.protect("kernel.audit_entry"))
    op.execute(ddl.protect("kernel.document"))
    op.execute(ddl.protect("kernel.audit_seal"))
