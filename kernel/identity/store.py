"""All SQL of identity."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update

from kernel.actors import Role
from kernel.bulk import any_of
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.identity.models import Court, LoginSession, Person, PersonIdentity, PersonRole


def token_hash(token: str) -> bytes:
    """What is stored of a session token; its 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


async def find_person(tx: Tx, username: str) -> Person | None:
    return (await tx.session.scalars(select(Person).where(Person.username == username))).one_or_none()


async def find_persons_named(tx: Tx, name: str) -> set[UUID]:
    """Everybody whose real name is written like `name`; blanks and full-width forms make no difference."""
    alike = func.kernel.name_key(Person.real_name) == func.kernel.name_key(name)
    rows = await tx.session.scalars(select(Person.id).where(alike))
    return set(rows)


async def get_person(tx: Tx, person_id: UUID) -> Person:
    person = await tx.session.get(Person, person_id)
    if person is None:
        raise NotFound(what="person")
    return person


async def real_names(tx: Tx, person_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of those of these persons who exist."""
    rows = await tx.session.execute(select(Person.id, Person.real_name).where(Person.id == any_of(person_ids)))
    return {row.id: row.real_name for row in rows}


async def find_identity(tx: Tx, person_id: UUID) -> PersonIdentity | None:
    """The confirmed identity of a person; staff and machines have none."""
    return await tx.session.get(PersonIdentity, person_id)


async def is_known(tx: Tx, id_number: str) -> bool:
    found = await tx.session.scalar(select(PersonIdentity.person_id).where(PersonIdentity.id_number == id_number))
    return found is not None


async def find_court(tx: Tx, code: str) -> Court | None:
    return (await tx.session.scalars(select(Court).where(Court.code == code))).one_or_none()


async def court_names(tx: Tx, court_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of courts by id."""
    rows = await tx.session.execute(select(Court.id, Court.name).where(Court.id == any_of(court_ids)))
    return {row.id: row.name for row in rows}


async def get_court(tx: Tx, court_id: UUID) -> Court:
    court = await tx.session.get(Court, court_id)
    if court is None:
        raise NotFound(what="court")
    return court


async def roles_of(tx: Tx, person_id: UUID) -> tuple[frozenset[Role], UUID | None]:
    """The roles held now, and the court they belong to (staff serve one court)."""
    rows = (await tx.session.scalars(select(PersonRole).where(PersonRole.person_id == person_id))).all()
    return frozenset(Role(row.role) for row in rows), next((row.court_id for row in rows if row.court_id), None)


async def add_roles(tx: Tx, person_id: UUID, roles: Collection[Role], court_id: UUID | None) -> None:
    rows = [{"person_id": person_id, "role": str(role), "court_id": court_id} for role in roles]
    await tx.session.execute(insert(PersonRole), rows)


async def find_session(tx: Tx, token: str, at: datetime) -> tuple[LoginSession, Person] | None:
    """The open session behind a token, with its person; None when unknown, ended, expired or disabled."""
    row = (
        await tx.session.execute(
            select(LoginSession, Person)
            .join(Person, Person.id == LoginSession.person_id)
            .where(
                LoginSession.token_hash == token_hash(token),
                LoginSession.ended_at.is_(None),
                LoginSession.expires_at > at,
                Person.disabled_at.is_(None),
            )
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


async def end_sessions(tx: Tx, at: datetime, *, session_id: UUID | None = None, person_id: UUID | None = None) -> None:
    """End one session, or all of a person."""
    which = LoginSession.id == session_id if session_id else LoginSession.person_id == person_id
    await tx.session.execute(update(LoginSession).where(which, LoginSession.ended_at.is_(None)).values(ended_at=at))


async def addresses_of(tx: Tx, person_ids: Collection[UUID], since: datetime) -> dict[UUID, set[str]]:
    """From where these persons have signed in since then."""
    rows = await tx.session.execute(
        select(LoginSession.person_id, LoginSession.address)
        .where(LoginSession.person_id.in_(person_ids), LoginSession.started_at >= since)
        .distinct()
    )
    found: dict[UUID, set[str]] = {person_id: set() for person_id in person_ids}
    for person_id, address in rows:
        found[person_id].add(address)
    return found


async def open_sessions(tx: Tx, ids: Collection[UUID], at: datetime) -> set[UUID]:
    """Which of these sessions are still open: asked once a second for all live sockets of a process."""
    rows = await tx.session.scalars(
        select(LoginSession.id)
        .join(Person, Person.id == LoginSession.person_id)
        .where(
            LoginSession.id == any_of(ids),
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > at,
            Person.disabled_at.is_(None),
        )
    )
    return set(rows)
