"""Reactions of the daily closing: a statement was booked."""

from kernel.outbox import Relay
from settlement.bank_files.schemas import FileBooked
from settlement.closing import service


def subscribe(relay: Relay) -> None:
    relay.on(FileBooked, service.close_by_itself)
