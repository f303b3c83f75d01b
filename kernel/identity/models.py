"""Tables of identity. Only the hash of a session token is kept; identity numbers stand apart from names."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.actors import Role
from kernel.database import Base

ROLES = ", ".join(f"'{role}'" for role in Role)


class Court(Base):
    """A court whose staff list assets here."""

    __tablename__ = "court"
    __table_args__ = ({"schema": "kernel"},)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class Person(Base):
    """One natural person, or one machine of a bank or an enquiry platform."""

    __tablename__ = "person"
    __table_args__ = (Index("ix_person_name_key", text("kernel.name_key(real_name)")), {"schema": "kernel"})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    real_name: Mapped[str]
    password_hash: Mapped[str]
    registered_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class PersonIdentity(Base):
    """The identity number that was confirmed, and by which check."""

    __tablename__ = "person_identity"
    __table_args__ = ({"schema": "kernel"},)

    person_id: Mapped[UUID] = mapped_column(ForeignKey(Person.id), primary_key=True)
    id_number: Mapped[str] = mapped_column(unique=True)
    confirmed_by: Mapped[str]


class PersonRole(Base):
    """A role a person holds now; those of staff belong to a court."""

    __tablename__ = "person_role"
    __table_args__ = (CheckConstraint(f"role IN ({ROLES})", "role"), {"schema": "kernel"})

    person_id: Mapped[UUID] = mapped_column(ForeignKey(Person.id), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    court_id: Mapped[UUID | None] = mapped_column(ForeignKey(Court.id))


class LoginSession(Base):
    """One sign-in. Times are real time: the demo's racing clock signs nobody out."""

    __tablename__ = "login_session"
    __table_args__ = (
        Index("ix_login_session_open", "person_id", postgresql_where="ended_at IS NULL"),
        {"schema": "kernel"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(Person.id))
    address: Mapped[str]
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
