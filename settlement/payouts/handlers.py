"""Reactions of payouts: the bank's answers to payment orders."""

from kernel.outbox import Relay
from settlement.bank.schemas import PaymentsAnswered
from settlement.payouts import service


def subscribe(relay: Relay) -> None:
    relay.on(PaymentsAnswered, service.settle_payments)
