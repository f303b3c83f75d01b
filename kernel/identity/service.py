"""Use cases of identity: register, sign in and out, change the password, create staff; and who is asking."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from kernel.actors import Actor, Role, platform
from kernel.audit import record
from kernel.clock import real_now
from kernel.database import Database, Tx
from kernel.identity import store
from kernel.identity.checks import IdentityCheck
from kernel.identity.errors import IdentityRefused, PersonKnown, UsernameTaken, WrongCredentials
from kernel.identity.models import Court, LoginSession, Person, PersonIdentity
from kernel.identity.passwords import Passwords
from kernel.identity.rules import check_id_number, check_password, check_username
from kernel.identity.schemas import ChangePassword, Login, PersonView, Register
from kernel.ids import ordered_id, token

CHAIN = "identity"

ADDRESSES_KEPT = timedelta(days=180)
"""How far back a review looks; long enough for a sell-off with its announcement."""


async def register(
    database: Database, actor: Actor, passwords: Passwords, check: IdentityCheck, wanted: Register
) -> PersonView:
    """Open a bidder's account (R-BID-04). The outside check is asked before the transaction begins."""
    username = check_username(wanted.username)
    id_number = check_id_number(wanted.id_number)
    password = check_password(wanted.password, username)
    if not await check.confirms(wanted.real_name, id_number):
        raise IdentityRefused()
    password_hash = await passwords.hash(password)
    async with database.transaction(actor) as tx:
        if await store.is_known(tx, id_number):
            raise PersonKnown()
        person = await _add_person(tx, username, wanted.real_name, password_hash, roles={Role.BIDDER}, court_id=None)
        tx.session.add(PersonIdentity(person_id=person.id, id_number=id_number, confirmed_by=check.name))
        try:
            await tx.session.flush()
        except IntegrityError:  # registered elsewhere since we looked
            raise PersonKnown() from None
        return await _view(tx, person)


async def create_staff(
    database: Database,
    passwords: Passwords,
    *,
    username: str,
    real_name: str,
    password: str,
    roles: Collection[Role],
    court_code: str | None,
    court_name: str | None = None,
) -> PersonView:
    """Create a person with `roles` at a court, which is created when its code is new and a name is given."""
    username = check_username(username)
    password_hash = await passwords.hash(check_password(password, username))
    async with database.transaction(platform("create-user")) as tx:
        court = await _court(tx, court_code, court_name) if court_code else None
        person = await _add_person(
            tx, username, real_name, password_hash, roles=roles, court_id=court.id if court else None
        )
        return await _view(tx, person)


async def login(
    database: Database, actor: Actor, passwords: Passwords, wanted: Login, lasting: timedelta
) -> tuple[str, PersonView]:
    """Sign in: a new session under a new token; the session of the request, if any, ends."""
    async with database.reading(actor) as tx:
        person = await store.find_person(tx, wanted.username.lower())
    known = person.password_hash if person and person.disabled_at is None else None
    if not await passwords.matches(wanted.password, known) or person is None:
        raise WrongCredentials()
    fresh_hash = await passwords.hash(wanted.password) if passwords.is_outdated(person.password_hash) else None
    async with database.transaction(actor) as tx:
        person = await store.get_person(tx, person.id)
        if fresh_hash:
            person.password_hash = fresh_hash
        new_token = await _open_session(tx, person, lasting)
        return new_token, await _view(tx, person)


async def logout(database: Database, actor: Actor) -> None:
    """End the session of the request; its sockets are closed within a second."""
    async with database.transaction(actor) as tx:
        await store.end_sessions(tx, real_now(), session_id=actor.session_id)
        await record(tx, "identity.logout", f"person:{actor.person}", {}, chain=CHAIN)


async def change_password(database: Database, actor: Actor, passwords: Passwords, wanted: ChangePassword) -> None:
    """Set a new password and end every session of the person, this one too."""
    async with database.reading(actor) as tx:
        person = await store.get_person(tx, actor.person)
    if not await passwords.matches(wanted.old_password, person.password_hash):
        raise WrongCredentials()
    password_hash = await passwords.hash(check_password(wanted.new_password, person.username))
    async with database.transaction(actor) as tx:
        person = await store.get_person(tx, actor.person)
        person.password_hash = password_hash
        await store.end_sessions(tx, real_now(), person_id=person.id)
        await record(tx, "identity.change-password", f"person:{person.id}", {}, chain=CHAIN)


async def whoami(database: Database, actor: Actor) -> PersonView:
    """The signed-in person."""
    async with database.reading(actor) as tx:
        return await _view(tx, await store.get_person(tx, actor.person))


async def resolve(database: Database, session_token: str, source: str) -> Actor | None:
    """Who is behind a session token now, with the roles held now; None when the session is not open."""
    async with database.reading(platform("door")) as tx:
        found = await store.find_session(tx, session_token, real_now())
        if found is None:
            return None
        session, person = found
        roles, court_id = await store.roles_of(tx, person.id)
        return Actor(person.id, person.username, roles, court_id, source, session.id)


async def open_sessions(database: Database, ids: Collection[UUID]) -> set[UUID]:
    """Which of these sessions are still open."""
    async with database.reading(platform("door")) as tx:
        return await store.open_sessions(tx, ids, real_now())


async def find_person_id(tx: Tx, username: str) -> UUID | None:
    """The person with this user name, or None."""
    person = await store.find_person(tx, username.lower())
    return person.id if person else None


async def real_name(tx: Tx, person_id: UUID) -> str:
    """The confirmed real name: asked only where the law publishes it (R-CLOSE-01) or a court must know."""
    return (await store.get_person(tx, person_id)).real_name


async def real_names(tx: Tx, person_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """The real names of those who signed something, for the court whose paper names them."""
    return await store.real_names(tx, {each for each in person_ids if each is not None})


async def find_persons_named(tx: Tx, name: str) -> set[UUID]:
    """Everybody whose real name is this one, as a bank writes names: who paid, before one knows for what (R-BID-04)."""
    return await store.find_persons_named(tx, name)


async def roles_of(tx: Tx, person_id: UUID) -> tuple[frozenset[Role], UUID | None]:
    """The roles that a person holds now, and the court they serve."""
    return await store.roles_of(tx, person_id)


async def addresses_of(tx: Tx, person_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """From where these persons have signed in of late: asked only for a review after a sale."""
    return await store.addresses_of(tx, person_ids, real_now() - ADDRESSES_KEPT)


async def find_confirmed(tx: Tx, username: str, id_number: str) -> tuple[UUID, str] | None:
    """Person and real name of an account in use whose confirmed identity number is this one; else None.

    The number itself never leaves identity: who asks must know it already (R-BID-04).
    """
    person = await store.find_person(tx, username.lower())
    if person is None or person.disabled_at is not None:
        return None
    identity = await store.find_identity(tx, person.id)
    return (person.id, person.real_name) if identity and identity.id_number == id_number.upper() else None


async def court_name(tx: Tx, court_id: UUID) -> str:
    """The court's name as it is published."""
    return (await store.get_court(tx, court_id)).name


async def court_names(tx: Tx, court_ids: Iterable[str]) -> dict[str, str]:
    """The names of those courts that there are, by their ids as facets and series tell them."""
    names = await store.court_names(tx, [UUID(court_id) for court_id in court_ids])
    return {str(court_id): name for court_id, name in names.items()}


async def _court(tx: Tx, code: str, name: str | None) -> Court:
    court = await store.find_court(tx, code)
    if court is None:
        court = Court(id=ordered_id(), code=code, name=name or code)
        tx.session.add(court)
        await tx.session.flush()
    return court


async def _add_person(
    tx: Tx, username: str, name: str, password_hash: str, *, roles: Collection[Role], court_id: UUID | None
) -> Person:
    person = Person(
        id=ordered_id(), username=username, real_name=name, password_hash=password_hash, registered_at=real_now()
    )
    tx.session.add(person)
    try:
        await tx.session.flush()
    except IntegrityError:
        raise UsernameTaken() from None
    await store.add_roles(tx, person.id, roles, court_id)
    await record(tx, "identity.create", f"person:{person.id}", {"roles": sorted(roles)}, chain=CHAIN)
    return person


async def _open_session(tx: Tx, person: Person, lasting: timedelta) -> str:
    now = real_now()
    if tx.actor.session_id is not None:
        await store.end_sessions(tx, now, session_id=tx.actor.session_id)
    new_token = token()
    session = LoginSession(
        id=ordered_id(),
        token_hash=store.token_hash(new_token),
        person_id=person.id,
        address=tx.actor.source,
        started_at=now,
        expires_at=now + lasting,
    )
    tx.session.add(session)
    await record(tx, "identity.login", f"person:{person.id}", {"session": str(session.id)}, chain=CHAIN)
    return new_token


async def _view(tx: Tx, person: Person) -> PersonView:
    roles, court_id = await store.roles_of(tx, person.id)
    court = (await store.get_court(tx, court_id)).name if court_id else None
    return PersonView(person.id, person.username, person.real_name, tuple(sorted(roles)), court)
