"""The port to the bank: what we need of any bank, whatever files or lines it speaks.

Both functions work on rows of our own database inside the open transaction: a port never waits for a network. What
carries those rows out of the house (a file, a gateway that collects `GET /api/bank/orders`) does so after the commit.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from kernel.database import Tx
from settlement.bank.rules import Instruction


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """What the bank did with an order."""

    outcome: Literal["executed", "rejected"]
    bank_ref: str


class BankPort(Protocol):
    """A bank that takes payment orders. Its credit notices and confirmations come in over the counter's routes."""

    async def find(self, tx: Tx, order_ids: Collection[UUID]) -> dict[UUID, BankAnswer]:
        """What the bank's books say of these orders: asked before every sending, so that none pays twice."""

    async def send(self, tx: Tx, instructions: Sequence[Instruction]) -> None:
        """Hand orders over; one that the bank has already changes nothing."""
