"""What comes in and goes out about enquiries; never a person."""

from typing import Annotated
from uuid import UUID

import msgspec

from auction.enquiries.rules import EnquiryKind
from kernel.decoding import Wire

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Ask(Wire, frozen=True):
    """A question, or a request to view with the days that would suit."""

    kind: EnquiryKind
    words: Words


class Answer(Wire, frozen=True):
    """The court's answer. `publish` shows question and answer on the lot's page; `granted` is for viewings."""

    answer: Words
    publish: bool
    granted: bool = True


class EnquiryView(msgspec.Struct, frozen=True):
    """One enquiry; `number` is what asker and court call it by."""

    id: UUID
    number: str
    lot_id: UUID
    title: str
    kind: str
    words: str
    state: str
    asked_at: str
    answer: str | None
    answered_at: str | None
    published: bool


class Enquiries(msgspec.Struct, frozen=True):
    """Enquiries in the order that suits their reader."""

    enquiries: tuple[EnquiryView, ...]


class QuestionView(msgspec.Struct, frozen=True):
    """A question that the court answered for everybody; nothing tells who asked, or when."""

    words: str
    answer: str
    answered_at: str


class Questions(msgspec.Struct, frozen=True):
    """The lot's published questions, the latest answer first."""

    lot_id: UUID
    questions: tuple[QuestionView, ...]
