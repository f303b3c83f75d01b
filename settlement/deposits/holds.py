"""How holds begin and end, for one deposit or for those of hundreds of lots that end together (R-CLOSE-02, 03, 08).

Everything here takes many deposits and needs a handful of statements for all of them; a use case for one gives one.
Locking: registrations behind their lots (`bidding.api`), then the deposits' accounts by id, then what money reaches.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from kernel.audit import Said, chain_of, record_each
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.ids import ordered_id
from kernel.money import Fen
from settlement.bank import service as bank
from settlement.bank.service import Excess, Source
from settlement.deposits import store
from settlement.deposits.errors import HoldEnded
from settlement.deposits.rules import OUTCOME_ZH, HoldFacts, Outcome, Part, Stage
from settlement.deposits.store import DepositFacts
from settlement.ledger import service as ledger
from settlement.ledger.rules import Posting, Transfer


class Held(NamedTuple):
    """A deposit with its holds, read after its account was locked."""

    deposit: DepositFacts
    balance_fen: int
    holds: list[HoldFacts]

    def of(self, stage: Stage) -> list[HoldFacts]:
        return [hold for hold in self.holds if hold.stage is stage]

    @property
    def source(self) -> Source:
        """The deposit's account, as money that goes back leaves it."""
        deposit = self.deposit
        return Source(deposit.account_id, deposit.case_id, deposit.lot_id, deposit.registration_id)


class End(NamedTuple):
    """One hold that is to end, under which paper."""

    deposit: DepositFacts
    hold: HoldFacts
    document: str


class Begin(NamedTuple):
    """One hold that is to begin."""

    deposit: DepositFacts
    stage: Stage
    part: Part
    amount_fen: Fen


class Way(NamedTuple):
    """Where the money of a hold goes when it ends."""

    end: End
    from_account: UUID
    to_account: UUID


async def locked(tx: Tx, registration_ids: Collection[UUID]) -> dict[UUID, Held]:
    """Deposits with their holds, their accounts locked; refuses `not-found` for a registration without one."""
    deposits = await store.deposits_of(tx, registration_ids)
    if len(deposits) < len(registration_ids):
        raise NotFound(what="deposit")
    balances = await ledger.lock_balances(tx, [deposit.account_id for deposit in deposits.values()])
    holds = await store.holds_of(tx, registration_ids)
    return {
        registration_id: Held(deposit, balances[deposit.account_id], holds[registration_id])
        for registration_id, deposit in deposits.items()
    }


async def begin(tx: Tx, wanted: Sequence[Begin]) -> list[HoldFacts]:
    """Bind money; the caller knows that it is there."""
    made = [HoldFacts(ordered_id(), each.stage, each.part, each.amount_fen, None) for each in wanted]
    now = tx.now()
    await store.add_holds(
        tx,
        [
            (hold.id, each.deposit.registration_id, str(hold.stage), str(hold.part), hold.amount_fen, now)
            for hold, each in zip(made, wanted, strict=True)
        ],
    )
    said = [_said(each.deposit, hold, None) for hold, each in zip(made, wanted, strict=True)]
    await record_each(tx, "deposits.hold", said)
    return made


async def end(tx: Tx, ends: Sequence[End], outcome: Outcome) -> None:
    """End holds, each once: refuses `hold-ended` if one has ended otherwise or at this moment does."""
    now = tx.now()
    rows = [(each.hold.id, str(outcome), each.document, now) for each in ends]
    ended = await store.add_ends(tx, rows)
    for each in ends:
        if each.hold.id not in ended:
            earlier = Outcome((await store.get_end(tx, each.hold.id)).outcome)
            raise HoldEnded(outcome=earlier, outcome_zh=OUTCOME_ZH[earlier])
    await record_each(tx, f"deposits.{outcome}", [_said(each.deposit, each.hold, each.document) for each in ends])


async def move(tx: Tx, reason: str, ways: Iterable[Way]) -> None:
    """Book the money of ended holds where it goes, once per hold and reason."""
    postings = []
    for (deposit, hold, document), from_account, to_account in ways:
        transfer = Transfer(from_account, to_account, hold.amount_fen)
        key = f"{reason}:{hold.id}"
        postings.append(Posting(key, reason, document, (transfer,), deposit.case_id, deposit.lot_id))
    await ledger.post_all(tx, postings)


async def give_back(tx: Tx, held: Iterable[tuple[Held, int, str]], reason: str) -> None:
    """Order back what was paid in beyond an amount to keep, under a paper each, to the accounts that paid it."""
    await bank.refund_excess(tx, [Excess(each.source, keep_fen, reason, document) for each, keep_fen, document in held])


def _said(deposit: DepositFacts, hold: HoldFacts, reason: str | None) -> Said:
    facts = {"hold": str(hold.id), "stage": hold.stage, "part": hold.part, "amount_fen": hold.amount_fen}
    return Said(chain_of(deposit.case_id), f"registration:{deposit.registration_id}", facts, reason)
