"""Reactions of payouts: the bank's answer to a payment order."""

from kernel.outbox import Relay
from settlement.bank.schemas import PaymentAnswered
from settlement.payouts import service


def subscribe(relay: Relay) -> None:
    relay.on(PaymentAnswered, service.settle_payment)
