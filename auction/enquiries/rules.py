"""When an enquiry is taken, and when one is answered. No law sets these bounds; they keep the desk of a court usable.

Invariant: nothing here names a person. The court answers a request by its number, so that nobody who serves there
learns before the close who is interested in a lot (R-BID-07).
"""

from enum import StrEnum

from auction.enquiries.errors import AlreadyAnswered, EnquiriesClosed, TooManyEnquiries
from auction.lots.rules import Status

MOST_WAITING = 5


class EnquiryKind(StrEnum):
    """What is asked for."""

    QUESTION = "question"
    VIEWING = "viewing"


class EnquiryState(StrEnum):
    """Where it stands; a question is answered, a viewing granted or declined."""

    WAITING = "waiting"
    ANSWERED = "answered"
    GRANTED = "granted"
    DECLINED = "declined"


def check_taken(status: Status, waiting: int) -> None:
    """Raise unless a person with `waiting` open enquiries on the lot may send another."""
    if not status.open:
        raise EnquiriesClosed()
    if waiting >= MOST_WAITING:
        raise TooManyEnquiries(most=MOST_WAITING)


def answered(kind: EnquiryKind, state: EnquiryState, granted: bool) -> EnquiryState:
    """The state after the court's answer. Raises `AlreadyAnswered` the second time."""
    if state is not EnquiryState.WAITING:
        raise AlreadyAnswered()
    if kind is EnquiryKind.QUESTION:
        return EnquiryState.ANSWERED
    return EnquiryState.GRANTED if granted else EnquiryState.DECLINED
