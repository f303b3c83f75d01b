"""People with a confirmed identity, as they register themselves; none of their numbers is anybody's."""

from uuid import UUID, uuid4

from kernel.actors import Actor, Role, visitor
from kernel.database import Database
from kernel.identity.checks import LocalIdentityCheck
from kernel.identity.passwords import Passwords
from kernel.identity.schemas import Register
from kernel.identity.service import register

PASSWORD = "a long password"
QUICK_PASSWORDS = Passwords(1_024)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(number: int) -> str:
    """A well-formed identity number of nobody, a different one for each `number`."""
    body = f"99990019900101{number:03d}"
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


async def make_person(database: Database, username: str, real_name: str, number: int) -> UUID:
    """Somebody registers with their real name and the identity number `id_number(number)`."""
    wanted = Register(username=username, password=PASSWORD, real_name=real_name, id_number=id_number(number))
    return (await register(database, visitor("test"), QUICK_PASSWORDS, LocalIdentityCheck(), wanted)).id


def signed_in_as(person_id: UUID, name: str = "") -> Actor:
    """That person, signed in."""
    return Actor(person_id, name, frozenset({Role.BIDDER}), None, "127.0.0.1", uuid4())
