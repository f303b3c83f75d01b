"""Tables of the evidence log. All of them only grow; `log_entry` and `log_head` are numbered without gaps."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base, append_only


class LogEntry(Base):
    """The head of one lot (`rules.Entry`) or of the audit trail (`rules.TrailEntry`) at one moment: a leaf of the log.

    Of the audit trail's `lot_id` is null and `seq` and `blocks` are 0.
    """

    __tablename__ = "log_entry"
    __table_args__ = (
        CheckConstraint("number >= 0 AND seq >= 0 AND blocks >= 0", "numbers"),
        CheckConstraint("num_nulls(lot_id, root) = 1 AND (root IS NULL OR seq = 0 AND blocks = 0)", "lot_or_trail"),
        Index("ix_log_entry_lot_id_number", "lot_id", "number"),
        {"schema": "bidding"},
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """0, 1, 2 …: the leaf's index."""
    lot_id: Mapped[UUID | None]
    seq: Mapped[int]
    blocks: Mapped[int]
    root: Mapped[int | None]
    """The audit trail's newest root (`kernel.audit`)."""
    data: Mapped[bytes]
    """The exact bytes that are hashed."""


class LogNode(Base):
    """The hash of a complete subtree, so that a proof is a few reads. Level 0 are the leaves."""

    __tablename__ = "log_node"
    __table_args__ = (CheckConstraint("octet_length(hash) = 32", "length"), {"schema": "bidding"})

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes]


class LogHead(Base):
    """The log at one moment under the platform's signature."""

    __tablename__ = "log_head"
    __table_args__ = (
        CheckConstraint("number > 0 AND size >= 0", "numbers"),
        CheckConstraint("octet_length(root) = 32 AND octet_length(signature) = 64", "signed"),
        Index("ix_log_head_size", "size"),
        {"schema": "bidding"},
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int]
    at: Mapped[datetime]
    """Platform time, which is signed."""
    made_at: Mapped[datetime]
    """Real time: the next one is due ten minutes later."""
    root: Mapped[bytes]
    key_id: Mapped[str]
    signature: Mapped[bytes]


class Anchor(Base):
    """A head that was written to a place outside the database."""

    __tablename__ = "anchor"
    __table_args__ = ({"schema": "bidding"},)

    head: Mapped[int] = mapped_column(ForeignKey(LogHead.number), primary_key=True, autoincrement=False)
    sink: Mapped[str] = mapped_column(primary_key=True)
    anchored_at: Mapped[datetime]
    """Real time."""


for _table in (LogEntry, LogNode, LogHead, Anchor):
    append_only(_table.__table__)
