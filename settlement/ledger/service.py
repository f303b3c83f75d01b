"""Use cases of the ledger: open accounts, post entries, tell balances, check the books.

Locking: an entry's holder accounts in id order, payees' last, then its natural key. A use case that posts several
entries in one transaction locks all their accounts with `lock` before the first.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from kernel.audit import Said, chain_of, record, record_each
from kernel.database import Tx
from kernel.ids import ordered_id
from kernel.money import Fen
from settlement.ledger import store
from settlement.ledger.errors import InsufficientBalance, PostingDiffers
from settlement.ledger.models import Account
from settlement.ledger.rules import (
    NUMBERED,
    RANDOM_DIGITS,
    Kind,
    Posting,
    account_number,
    content_of,
    entry_digest,
    is_account_number,
    movements,
)
from settlement.ledger.store import Line, NewAccount

POSTED = "ledger.post"


async def open_account(
    tx: Tx,
    kind: Kind,
    key: str,
    *,
    case_id: UUID | None = None,
    lot_id: UUID | None = None,
    registration_id: UUID | None = None,
) -> Account:
    """The account of this kind under `key` (whose it is), opened if new. Numbered kinds get a virtual number."""
    natural_key = f"{kind}:{key}"
    found = await store.find_account(tx, natural_key)
    while found is None:
        values: dict[str, object] = {
            "id": ordered_id(),
            "kind": str(kind),
            "natural_key": natural_key,
            "number": _new_number(kind) if kind in NUMBERED else None,
            "case_id": case_id,
            "lot_id": lot_id,
            "registration_id": registration_id,
            "balance_fen": None if kind is Kind.BANK else 0,
            "opened_at": tx.now(),
        }
        if await store.add_account(tx, values) and kind in NUMBERED:
            facts = {"kind": str(kind), "number": values["number"]}
            await record(tx, "ledger.open-account", f"account:{values['id']}", facts, case_id=case_id)
        found = await store.find_account(tx, natural_key)
    return found


class Owner(NamedTuple):
    """Whose money an account holds: what its entries and orders are booked for."""

    case_id: UUID | None = None
    lot_id: UUID | None = None
    registration_id: UUID | None = None


async def open_accounts(tx: Tx, kind: Kind, owners: Mapping[str, Owner]) -> list[UUID]:
    """Accounts of one kind by key, opened where new, each as `open_account` does, with few statements for all."""
    wanted = {f"{kind}:{key}": owner for key, owner in owners.items()}
    found: dict[str, UUID] = {}
    while left := [natural_key for natural_key in wanted if natural_key not in found]:
        new = [
            NewAccount(
                id=ordered_id(),
                natural_key=natural_key,
                number=_new_number(kind) if kind in NUMBERED else None,
                case_id=wanted[natural_key].case_id,
                lot_id=wanted[natural_key].lot_id,
                registration_id=wanted[natural_key].registration_id,
            )
            for natural_key in left
        ]
        opened = await store.add_accounts(tx, kind, tx.now(), new)
        if kind in NUMBERED:
            said = [
                Said(chain_of(each.case_id), f"account:{each.id}", {"kind": str(kind), "number": each.number})
                for each in new
                if each.id in opened
            ]
            await record_each(tx, "ledger.open-account", said)
        found |= {each.natural_key: each.id for each in new if each.id in opened}
        if len(opened) < len(new):
            found |= await store.accounts_by_key(tx, left)
    return [found[natural_key] for natural_key in wanted]


async def bank(tx: Tx) -> Account:
    """The account of the world outside."""
    return await open_account(tx, Kind.BANK, "outside")


async def unidentified(tx: Tx) -> Account:
    """The queue of money that arrived on an unknown number (R-ACCT-02)."""
    return await open_account(tx, Kind.UNIDENTIFIED, "queue")


async def find_account(tx: Tx, kind: Kind, key: str) -> Account | None:
    """The account of this kind under `key`, if it was opened."""
    return await store.find_account(tx, f"{kind}:{key}")


async def find_by_number(tx: Tx, number: str) -> Account | None:
    """The account with this virtual number; None for an unknown or mistyped one."""
    return await store.find_account_by_number(tx, number) if is_account_number(number) else None


async def get_account(tx: Tx, account_id: UUID) -> Account:
    """The account with its balance; refuses an unknown id."""
    return await store.get_account(tx, account_id)


async def accounts_of_case(tx: Tx, case_id: UUID) -> list[Account]:
    """Every account that belongs to the case, oldest first."""
    return list(await store.accounts_of_case(tx, case_id))


async def all_accounts(tx: Tx) -> list[Account]:
    """Every account, oldest first."""
    return list(await store.all_accounts(tx))


async def accounts_of_kind(tx: Tx, kind: Kind) -> list[Account]:
    """Every account of one kind, oldest first."""
    return [account for account in await store.all_accounts(tx) if account.kind == kind]


async def lock(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Account]:
    """Lock holder accounts in id order, for a use case that decides by their balances or posts several entries."""
    return await store.lock_accounts(tx, ids)


async def lock_balances(tx: Tx, ids: Collection[UUID]) -> dict[UUID, int]:
    """Lock the holder accounts among `ids`, in id order; returns what each holds, in fen."""
    return await store.lock_balances(tx, ids)


async def balance(tx: Tx, account_id: UUID) -> Fen:
    """What the holder account holds now, in fen."""
    return stored_balance(await store.get_account(tx, account_id))


def stored_balance(account: Account) -> Fen:
    """What a holder account held when it was read (locked: still holds), in fen."""
    assert account.balance_fen is not None, "the outside world has no balance"
    return account.balance_fen


async def received_fen(tx: Tx, account_id: UUID, *kinds: Kind) -> Fen:
    """All that ever came into the account from accounts of `kinds`, in fen."""
    return await store.received_fen(tx, account_id, kinds)


async def outside_fen(tx: Tx) -> int:
    """What the world outside gained by all transfers, in fen: below zero by what is inside."""
    found = await accounts_of_kind(tx, Kind.BANK)
    moved = await store.balances_by_transfers(tx)
    return sum(moved.get(account.id, 0) for account in found)


async def statement(tx: Tx, account_id: UUID) -> list[Line]:
    """The account's movements, oldest first."""
    return await store.lines_of(tx, account_id)


async def postings(tx: Tx) -> dict[str, Posting]:
    """Every entry as its columns say, by natural key: for `verify`, which holds other rows against them."""
    transfers = await store.transfers_by_entry(tx)
    return {
        entry.natural_key: store.posting_of(entry, rows)
        for entry in await store.all_entries(tx)
        if (rows := transfers.get(entry.id))
    }


async def post(tx: Tx, posting: Posting) -> UUID:
    """Book an entry once per natural key and return its id; a replay returns the first id.

    Raises `InsufficientBalance` when a holder account would fall below zero, `PostingDiffers` when the key was
    booked with other content.
    """
    return (await post_all(tx, [posting]))[0]


async def post_all(tx: Tx, postings: Sequence[Posting]) -> list[UUID]:
    """Book entries in this order, each as `post` does, with few statements for all."""
    if not postings:
        return []
    assert len({posting.natural_key for posting in postings}) == len(postings), "each key once"
    ways = [(way.from_account, way.to_account) for posting in postings for way in posting.transfers]
    balances = await store.lock_balances(tx, {account_id for way in ways for account_id in way})
    now = tx.now()
    entries = {(entry_id := ordered_id()): (each, entry_digest(entry_id, now, each)) for each in postings}
    fresh = await store.add_entries(tx, now, entries)
    booked = {entry_id: each for entry_id, (each, _) in entries.items() if each.natural_key in fresh}
    for posting in booked.values():
        _move(balances, posting)
    if booked:
        await store.keep_balances(tx, balances)
        await store.add_transfers(tx, booked)
        await _record(tx, {entry_id: entries[entry_id] for entry_id in booked})
    return [
        entry_id if entry_id in booked else await _booked_before(tx, each) for entry_id, (each, _) in entries.items()
    ]


async def _record(tx: Tx, entries: Mapping[UUID, tuple[Posting, bytes]]) -> None:
    """An audit entry for each, with the hash that covers its transfers, in the chain of its case or the ledger's."""
    said = [
        Said(
            chain_of(posting.case_id) if posting.case_id else "ledger",
            f"entry:{entry_id}",
            {"digest": digest.hex(), "reason": posting.reason, "document": posting.document},
        )
        for entry_id, (posting, digest) in entries.items()
    ]
    await record_each(tx, POSTED, said)


async def _booked_before(tx: Tx, posting: Posting) -> UUID:
    entry, booked = await store.get_entry(tx, posting.natural_key)
    if content_of(booked) != content_of(posting):
        raise PostingDiffers()
    return entry.id


def _move(balances: dict[UUID, int], posting: Posting) -> None:
    """Change what accounts hold by an entry, after which none is below zero; the bank's has no balance."""
    for account_id, gain_fen in movements(posting.transfers).items():
        if account_id in balances:
            left_fen = balances[account_id] + gain_fen
            if left_fen < 0:
                raise InsufficientBalance(balance_fen=balances[account_id], wanted_fen=-gain_fen)
            balances[account_id] = left_fen


def _new_number(kind: Kind) -> str:
    drawn = secrets.randbelow(10**RANDOM_DIGITS)
    return account_number(kind, [int(digit) for digit in f"{drawn:0{RANDOM_DIGITS}}"])
