"""Views of bank files, and their due work."""

from uuid import UUID

import msgspec

from kernel.contracts import DueWork, Event


class RefusedMovement(msgspec.Struct, frozen=True):
    """A movement that could not be booked, and the code of the refusal."""

    reference: str
    credit: bool
    amount_fen: int
    code: str


class BankFileView(msgspec.Struct, frozen=True):
    """A file that was taken; `open` movements are booked within seconds, `waiting` ones the bank has not booked."""

    id: UUID
    kind: str
    message_id: str
    sha256: str
    day: str | None
    closing_fen: int | None
    movements: int
    waiting: int
    open: int
    outcomes: dict[str, int]
    refused: tuple[RefusedMovement, ...]


class PaymentFileView(msgspec.Struct, frozen=True):
    """A file of payment orders; `unanswered` of them the bank has not answered."""

    id: UUID
    message_id: str
    orders: int
    unanswered: int
    total_fen: int
    sha256: str
    made_at: str


class PaymentFiles(msgspec.Struct, frozen=True):
    """Files with orders that the bank has not answered, oldest first."""

    files: tuple[PaymentFileView, ...]


class Exported(msgspec.Struct, frozen=True):
    """The file that was made, null when no order waited. Orders in `left_out` do not fit into a message."""

    file: PaymentFileView | None
    left_out: tuple[UUID, ...]


class FileBooked(Event, frozen=True, kw_only=True):
    """Nothing of the file waits to be booked any more; `day` is a statement's."""

    file_id: UUID
    day: str | None

    @property
    def key(self) -> str:
        return f"bank-file:{self.file_id}"


class FileTaken(DueWork, frozen=True, kw_only=True):
    """A bank file has movements that are not booked yet."""

    file_id: UUID

    @property
    def key(self) -> str:
        return f"bank-file:{self.file_id}"
