"""Proof of the bank's counter: money in and out, hand-matched credits, refunds, each against its ledger entry.

Invariants 20, 23 and 26: every credit, set-aside, match, order and answer is a row beside exactly one entry that moved
just its amount; what was matched by hand is what two people signed; a refund goes back to the account that paid.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from kernel.database import Tx
from kernel.money import Fen
from settlement.bank import matching, rules, store
from settlement.bank.models import (
    Credit,
    CreditAside,
    CreditClaim,
    CreditMatch,
    PaymentAnswer,
    PaymentOrder,
)
from settlement.ledger import service as ledger
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind, Posting, Transfer

PREFIXES = ("credit:", "aside:", "claim:", "order:", "answer:")
"""Natural keys of the entries that this slice books."""

PAID_IN = frozenset({Kind.DEPOSIT, Kind.LOT, Kind.UNIDENTIFIED})
"""Accounts whose money leaves towards outside only as a refund of what was paid in."""


@dataclass(frozen=True, slots=True)
class Places:
    """The accounts as the checks need them; the outside and the queue are missing while nothing was booked on them."""

    kinds: Mapping[UUID, Kind]
    numbers: Mapping[str, UUID]
    outside: UUID | None
    queue: UUID | None

    @classmethod
    def of(cls, accounts: list[Account]) -> "Places":
        ids = {Kind(each.kind): each.id for each in accounts}
        return cls(
            {each.id: Kind(each.kind) for each in accounts},
            {each.number: each.id for each in accounts if each.number},
            ids.get(Kind.BANK),
            ids.get(Kind.UNIDENTIFIED),
        )


async def faults(tx: Tx) -> list[str]:
    """Everything at the bank's counter that does not verify, one sentence each; empty when all is well."""
    books = {key: found for key, found in (await ledger.postings(tx)).items() if key.startswith(PREFIXES)}
    places = Places.of(await ledger.all_accounts(tx))
    return [
        *await _broken_credits(tx, books, places),
        *await _broken_matches(tx),
        *await _broken_claims(tx, books, places),
        *await _broken_orders(tx, books, places),
        *[f"the entry {key} stands in the ledger, but at the bank's counter nothing does" for key in sorted(books)],
    ]


def _moved(books: dict[str, Posting], key: str, source: UUID | None, target: UUID | None, amount_fen: Fen) -> bool:
    """Whether the entry under `key` moved just this; it is then accounted for."""
    posting = books.pop(key, None)
    if posting is None or source is None or target is None:
        return False
    return posting.transfers == (Transfer(source, target, amount_fen),)


async def _broken_credits(tx: Tx, books: dict[str, Posting], places: Places) -> list[str]:
    found = []
    told = await store.all_transfers(tx)
    for credit, payer, aside in await store.all_credits(tx):
        name = f"credit {credit.bank_ref}"
        if not _moved(books, f"credit:{credit.bank_ref}", places.outside, credit.account_id, credit.amount_fen):
            found.append(f"{name} says other than the ledger booked")
        if places.numbers.get(credit.account_no, places.queue) != credit.account_id:
            found.append(f"{name} stands on an account of another number")
        if aside and not _moved(books, f"aside:{credit.id}", credit.account_id, places.queue, credit.amount_fen):
            found.append(f"{name} was set aside, and the ledger did not")
        paid = told.get(credit.bank_ref)
        if paid and (paid.payer_name, paid.from_account) != (payer.payer_name, payer.payer_account):
            found.append(f"{name} names another payer than paid it")
    return found


async def _broken_matches(tx: Tx) -> list[str]:
    found = []
    trail = Counter(await store.audited_matches(tx))
    for match in await store.all_matches(tx):
        if rules.match_hash(await matching.match_of(tx, match)) != match.hash:
            found.append(f"match {match.id} does not make its hash: it or its credit was changed")
        proposed = (f"credit:{match.credit_id}", match.hash.hex())
        if not trail[proposed]:
            found.append(f"match {match.id} is not what the audit trail says")
        trail[proposed] -= 1
    return found + [f"a match of {subject} stands in the audit trail alone" for subject, _ in +trail]


async def _broken_claims(tx: Tx, books: dict[str, Posting], places: Places) -> list[str]:
    found = []
    matches = {match.id: match for match in await store.all_matches(tx)}
    latest = {match.credit_id: match.id for match in matches.values()}
    for claim in await store.all_claims(tx):
        name = f"the claim of credit {claim.credit_id}"
        if claim.match_id is not None:
            found += [f"{name} {fault}" for fault in _broken_signatures(claim, matches.get(claim.match_id), latest)]
        found += [f"{name} {fault}" for fault in await _broken_settlement(tx, books, places, claim)]
    return found


def _broken_signatures(claim: CreditClaim, match: CreditMatch | None, latest: Mapping[UUID, UUID]) -> list[str]:
    if match is None or match.credit_id != claim.credit_id:
        return ["rests on no match of this credit"]
    found = []
    if (match.account_id, match.reason, match.made_by) != (claim.account_id, claim.reason, claim.made_by):
        found.append("differs from the match that was signed")
    if latest[claim.credit_id] != match.id:
        found.append("rests on a match that another one had replaced")
    if claim.made_by == claim.checked_by:
        found.append("was made and checked by one person")
    return found


async def _broken_settlement(tx: Tx, books: dict[str, Posting], places: Places, claim: CreditClaim) -> list[str]:
    """A credit that was matched is on its account; one sent back was ordered back."""
    credit = await store.get_credit(tx, claim.credit_id)
    if claim.account_id is None:
        return [] if await store.refunds_of(tx, credit.id) else ["sent it back, and no order did"]
    moved = _moved(books, f"claim:{credit.id}", places.queue, claim.account_id, credit.amount_fen)
    return [] if moved else ["says other than the ledger booked"]


async def _broken_orders(tx: Tx, books: dict[str, Posting], places: Places) -> list[str]:
    found = []
    orders = await store.all_orders(tx)
    for order, answer in orders:
        name = f"payment order {order.id}"
        if not _moved(books, f"order:{order.id}", order.from_account, order.transit_account, order.amount_fen):
            found.append(f"{name} says other than the ledger booked")
        if order.credit_id is None and places.kinds[order.from_account] in PAID_IN:
            found.append(f"{name} sends money that was paid in to somebody who did not pay it")
        if answer is not None:
            target = places.outside if answer.outcome == "executed" else order.from_account
            if not _moved(books, f"answer:{order.id}", order.transit_account, target, order.amount_fen):
                found.append(f"{name} has another answer than the ledger booked")
    return found + _shared_references(orders) + await _too_much_back(tx, orders, places)


Answered = tuple[PaymentOrder, PaymentAnswer | None]


def _shared_references(orders: Sequence[Answered]) -> list[str]:
    """One bank reference for each answer (invariant 26)."""
    used = Counter(answer.bank_ref for _, answer in orders if answer)
    return [f"the bank reference {reference} answers {times} orders" for reference, times in used.items() if times > 1]


async def _too_much_back(tx: Tx, orders: Sequence[Answered], places: Places) -> list[str]:
    """No credit goes back beyond its amount, nor out of an account that it is not on (invariant 23)."""
    found = []
    back: defaultdict[UUID, int] = defaultdict(int)
    stands = {credit.id: (credit, aside) for credit, _, aside in await store.all_credits(tx)}
    claims = {claim.credit_id: claim for claim in await store.all_claims(tx)}
    for order, answer in orders:
        if order.credit_id is not None:
            credit, aside = stands[order.credit_id]
            if order.from_account != _stands_on(credit, aside, claims.get(credit.id), places.queue):
                found.append(f"payment order {order.id} gives credit {credit.bank_ref} back out of another account")
            back[credit.id] += order.amount_fen if answer is None or answer.outcome == "executed" else 0
    return found + [
        f"credit {stands[credit_id][0].bank_ref} of {stands[credit_id][0].amount_fen} fen went back with {back_fen} fen"
        for credit_id, back_fen in back.items()
        if back_fen > stands[credit_id][0].amount_fen
    ]


def _stands_on(credit: Credit, aside: CreditAside | None, claim: CreditClaim | None, queue: UUID | None) -> UUID | None:
    """The account whose money a credit is now."""
    if claim is not None and claim.account_id is not None:
        return claim.account_id
    return queue if aside is not None else credit.account_id
