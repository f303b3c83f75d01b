"""When a sale is annulled, and who is barred from the next one (R-HALT-04, R-CLOSE-14).

Invariant: only the grounds of the law annul, and money that a confirmed plan gave away is never taken from creditors
here: recovering it (执行回转) is another procedure.
"""

from enum import StrEnum

from settlement.annulment.errors import GroundPassed, ProceedsDistributed


class Ground(StrEnum):
    """Why the court annuls."""

    FALSE_DESCRIPTION = "false_description"
    """Seriously false, defeating the purpose; not what was disclosed or could not be found out."""
    SYSTEM_FAILURE = "system_failure"
    """The result is wrong through failure, intrusion or an error in data."""
    COLLUSION = "collusion"
    UNQUALIFIED_BUYER = "unqualified_buyer"
    """Also a home bought with faked eligibility (R-HOME-03)."""
    UNEQUAL_TERMS = "unequal_terms"
    """Somebody was kept out, or let in on other terms, against the law."""
    GRAVE_BREACH = "grave_breach"
    """Another grave breach of procedure that did harm."""
    APPROVAL_REFUSED = "approval_refused"
    """The authority did not approve an equity transfer in reasonable time (R-CLOSE-14)."""


OF_THE_BUYER = frozenset({Ground.COLLUSION, Ground.UNQUALIFIED_BUYER, Ground.APPROVAL_REFUSED})
"""Grounds that lie with the buyer, who is barred from the resale (for the last by R-CLOSE-14, else by design)."""


def require_annullable(ground: Ground, *, ruled: bool, distributed_by: int | None) -> None:
    """Refuse a ground that has passed, and a sale whose price a confirmed plan, by its version, gives away."""
    if ground is Ground.APPROVAL_REFUSED and ruled:
        raise GroundPassed()
    if distributed_by is not None:
        raise ProceedsDistributed(version=distributed_by)
