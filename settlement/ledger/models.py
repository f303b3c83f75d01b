"""Tables of the ledger. Entries and transfers are append-only; a correction is a new entry."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only
from kernel.money import Fen
from settlement.ledger.rules import Kind

KINDS = ", ".join(f"'{kind}'" for kind in Kind)


class Account(Base):
    """One holder of money. The balance is stored for holders alone and never falls below zero."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint(f"kind IN ({KINDS})", "kind"),
        CheckConstraint("balance_fen >= 0", "balance"),
        CheckConstraint("(kind = 'bank') = (balance_fen IS NULL)", "balance_stored"),
        CheckConstraint("(kind IN ('deposit', 'lot', 'case')) = (number IS NOT NULL)", "numbered"),
        Index("ix_account_case_id", "case_id"),
        Index("ix_account_lot_id", "lot_id"),
        # Room on the page for the next balance: it then changes without a new entry in each of the indexes.
        {"schema": "settlement", "postgresql_with": {"fillfactor": 50}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    natural_key: Mapped[str] = mapped_column(unique=True)
    number: Mapped[str | None] = mapped_column(unique=True)
    case_id: Mapped[UUID | None]
    lot_id: Mapped[UUID | None]
    registration_id: Mapped[UUID | None]
    balance_fen: Mapped[Fen | None]
    opened_at: Mapped[datetime]


class Entry(Base):
    """One booked act: why, under which paper, and the hash over it and its transfers."""

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("octet_length(digest) = 32", "digest_length"),
        Index("ix_entry_case_id", "case_id"),
        {"schema": "settlement"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Identity(always=True), unique=True)
    """Drawn under the locks of the holder accounts, so it orders the movements of each of them."""
    at: Mapped[datetime]
    natural_key: Mapped[str] = mapped_column(unique=True)
    reason: Mapped[str]
    document: Mapped[str]
    case_id: Mapped[UUID | None]
    lot_id: Mapped[UUID | None]
    digest: Mapped[bytes]


class TransferRow(Base):
    """One movement of an entry."""

    __tablename__ = "transfer"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", "amount"),
        CheckConstraint("from_account <> to_account", "two_accounts"),
        Index("ix_transfer_from_account", "from_account"),
        Index("ix_transfer_to_account", "to_account"),
        {"schema": "settlement"},
    )

    entry_id: Mapped[UUID] = mapped_column(ForeignKey(Entry.id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_account: Mapped[UUID] = mapped_column(ForeignKey(Account.id))
    to_account: Mapped[UUID] = mapped_column(ForeignKey(Account.id))
    amount_fen: Mapped[Fen]


for _table in (Entry, TransferRow):
    append_only(_table.__table__)
