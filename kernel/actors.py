"""Who acts: a person with the roles they hold now, or a part of the platform itself.

Roles of staff belong to a court. That a person is party, agent or appraiser is a right on one case and is
asked of the case, so it is no role here.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from kernel.errors import Forbidden, NotFound, SignInRequired


class Role(StrEnum):
    """What a person may be; `machine` is a bank or an enquiry platform calling us."""

    BIDDER = "bidder"
    CLERK = "clerk"
    JUDGE = "judge"
    CHIEF = "chief"
    MAKER = "maker"
    CHECKER = "checker"
    PAYER = "payer"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    MACHINE = "machine"


COURT_STAFF = (
    Role.CLERK,
    Role.JUDGE,
    Role.CHIEF,
    Role.MAKER,
    Role.CHECKER,
    Role.PAYER,
    Role.SUPERVISOR,
    Role.AUDITOR,
)
"""Who of a court may read what it keeps of its cases."""


@dataclass(frozen=True, slots=True)
class Actor:
    """`source` is where the call came from: an address, or the name of the part of the platform."""

    person_id: UUID | None
    name: str
    roles: frozenset[Role]
    court_id: UUID | None
    source: str
    session_id: UUID | None = field(default=None, repr=False)

    @property
    def signed_in(self) -> bool:
        return self.person_id is not None

    def must_be(self, *roles: Role) -> None:
        """Refuse unless one of `roles` is held."""
        if not self.signed_in:
            raise SignInRequired()
        if not self.roles.intersection(roles):
            raise Forbidden()

    def must_serve(self, court_id: UUID, what: str) -> None:
        """Refuse staff of another court, without telling them that the thing exists."""
        if self.court_id != court_id:
            raise NotFound(what=what)

    @property
    def person(self) -> UUID:
        """The person's id; refuses a visitor."""
        if self.person_id is None:
            raise SignInRequired()
        return self.person_id


def visitor(source: str) -> Actor:
    """Somebody who has not signed in."""
    return Actor(None, "", frozenset(), None, source)


def platform(part: str) -> Actor:
    """The platform acting by itself: the sweeper, a handler, the desk."""
    return Actor(None, part, frozenset(), None, part)
