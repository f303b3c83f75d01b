"""Due work of bank files: book the movements of what was taken."""

from kernel.outbox import Relay
from settlement.bank_files import service
from settlement.bank_files.schemas import FileTaken


def subscribe(relay: Relay) -> None:
    relay.on(FileTaken, service.book_next)
