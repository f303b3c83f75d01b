"""Rows behind `Database.command`: the answer given under each idempotency key (law of the house 5)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import Base


class Idempotency(Base):
    """One answered call; a row without an answer exists only inside an open transaction."""

    __tablename__ = "idempotency"
    __table_args__ = (CheckConstraint("octet_length(digest) = 32", "digest_length"), {"schema": "kernel"})

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    answer: Mapped[bytes | None]
    at: Mapped[datetime]
