"""All SQL of the ledger."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, inspect, select, text
from sqlalchemy.dialects.postgresql import insert as insert_or_keep
from sqlalchemy.orm.attributes import set_committed_value

from kernel.audit import AuditEntry
from kernel.bulk import add_new_rows, add_rows, change_rows
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.money import Fen
from settlement.ledger.models import Account, Entry, TransferRow
from settlement.ledger.rules import Kind, Posting, Transfer


async def add_account(tx: Tx, account: dict[str, object]) -> bool:
    """Write the account; False when its natural key or its number is taken."""
    written = await tx.session.execute(
        insert_or_keep(Account).values(**account).on_conflict_do_nothing().returning(Account.id)
    )
    return written.first() is not None


class NewAccount(NamedTuple):
    """A holder's account to be opened."""

    id: UUID
    natural_key: str
    number: str | None
    case_id: UUID | None
    lot_id: UUID | None
    registration_id: UUID | None


async def add_accounts(tx: Tx, kind: Kind, at: datetime, accounts: Sequence[NewAccount]) -> set[UUID]:
    """Write those of the accounts whose natural key and number are free; returns their ids."""
    columns = (*NewAccount._fields, "kind", "balance_fen", "opened_at")
    records = [(*account, str(kind), 0, at) for account in accounts]
    return await add_new_rows(tx, Account, columns, records, returning="id")


async def accounts_by_key(tx: Tx, natural_keys: Collection[str]) -> dict[str, UUID]:
    """The accounts under these natural keys."""
    rows = await tx.session.execute(
        select(Account.natural_key, Account.id).where(Account.natural_key.in_(natural_keys))
    )
    return {row.natural_key: row.id for row in rows}


async def find_account(tx: Tx, natural_key: str) -> Account | None:
    return (await tx.session.scalars(select(Account).where(Account.natural_key == natural_key))).one_or_none()


async def find_account_by_number(tx: Tx, number: str) -> Account | None:
    return (await tx.session.scalars(select(Account).where(Account.number == number))).one_or_none()


async def get_account(tx: Tx, account_id: UUID) -> Account:
    """The account with its balance as of this transaction's newest snapshot."""
    account = await tx.session.get(Account, account_id, populate_existing=True)
    if account is None:
        raise NotFound(what="account")
    return account


async def accounts_of_case(tx: Tx, case_id: UUID) -> Sequence[Account]:
    return (await tx.session.scalars(select(Account).where(Account.case_id == case_id).order_by(Account.id))).all()


async def lock_accounts(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Account]:
    """Lock the holder accounts among `ids`, in id order, payees' last; the bank's has nothing to lock.

    Payees' last, since all orders of a lot share one, which may be older than the account that the next order leaves.
    A lock for changing, not for deleting: rows that refer to an account may be written meanwhile, or two orders out
    of one account would block each other by their foreign keys.
    """
    rows = await tx.session.scalars(
        select(Account)
        .where(Account.id.in_(ids), Account.kind != Kind.BANK)
        .order_by(Account.kind == Kind.PAYEE, Account.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {account.id: account for account in rows}


LOCK_BALANCES = text(
    """
    SELECT id, balance_fen FROM settlement.account WHERE id = ANY(CAST(:ids AS uuid[])) AND kind <> 'bank'
    ORDER BY kind = 'payee', id FOR NO KEY UPDATE
    """
)


async def lock_balances(tx: Tx, ids: Collection[UUID]) -> dict[UUID, int]:
    """Lock the holder accounts among `ids` in the order of `lock_accounts`; returns what they hold."""
    await tx.session.flush()
    return {row[0]: row[1] for row in await tx.session.execute(LOCK_BALANCES, {"ids": list(ids)})}


async def keep_balances(tx: Tx, balances: Mapping[UUID, int]) -> None:
    """Write what locked accounts hold now, into accounts that this transaction has read, too."""
    await change_rows(tx, Account, ("id", "balance_fen"), list(balances.items()))
    for read in tx.session.sync_session.identity_map.values():
        if isinstance(read, Account):
            (account_id,) = inspect(read).identity or (None,)  # its `id` may be gone with a savepoint
            if account_id in balances:
                set_committed_value(read, "balance_fen", Fen(balances[account_id]))


ENTRY = ("id", "at", "natural_key", "reason", "document", "case_id", "lot_id", "digest")
TRANSFER = ("entry_id", "position", "from_account", "to_account", "amount_fen")


async def add_entries(tx: Tx, at: datetime, entries: Mapping[UUID, tuple[Posting, bytes]]) -> set[str]:
    """Write the rows of entries; returns the natural keys not booked before (waits for a booking in flight)."""
    rows = [
        (entry_id, at, each.natural_key, each.reason, each.document, each.case_id, each.lot_id, digest)
        for entry_id, (each, digest) in entries.items()
    ]
    return await add_new_rows(tx, Entry, ENTRY, rows, returning="natural_key", unless="natural_key")


async def add_transfers(tx: Tx, entries: Mapping[UUID, Posting]) -> None:
    rows = [
        (entry_id, position, transfer.from_account, transfer.to_account, transfer.amount_fen)
        for entry_id, posting in entries.items()
        for position, transfer in enumerate(posting.transfers, start=1)
    ]
    await add_rows(tx, TransferRow, TRANSFER, rows)


async def get_entry(tx: Tx, natural_key: str) -> tuple[Entry, Posting]:
    """A booked entry as it stands in the columns."""
    entry = (await tx.session.scalars(select(Entry).where(Entry.natural_key == natural_key))).one()
    rows = await tx.session.scalars(
        select(TransferRow).where(TransferRow.entry_id == entry.id).order_by(TransferRow.position)
    )
    return entry, posting_of(entry, rows.all())


def posting_of(entry: Entry, rows: Sequence[TransferRow]) -> Posting:
    """What the columns say was booked."""
    transfers = tuple(Transfer(row.from_account, row.to_account, row.amount_fen) for row in rows)
    return Posting(entry.natural_key, entry.reason, entry.document, transfers, entry.case_id, entry.lot_id)


async def all_entries(tx: Tx) -> Sequence[Entry]:
    return (await tx.session.scalars(select(Entry).order_by(Entry.number))).all()


async def transfers_by_entry(tx: Tx) -> dict[UUID, list[TransferRow]]:
    found: dict[UUID, list[TransferRow]] = {}
    for row in await tx.session.scalars(select(TransferRow).order_by(TransferRow.entry_id, TransferRow.position)):
        found.setdefault(row.entry_id, []).append(row)
    return found


async def audited_digests(tx: Tx, action: str) -> dict[str, bytes]:
    """What the audit trail says was booked: subject -> facts."""
    rows = await tx.session.execute(
        select(AuditEntry.subject, AuditEntry.facts).where(AuditEntry.action == action).order_by(AuditEntry.id)
    )
    return {row.subject: row.facts for row in rows}


async def all_accounts(tx: Tx) -> Sequence[Account]:
    return (await tx.session.scalars(select(Account).order_by(Account.id))).all()


async def balances_by_transfers(tx: Tx) -> dict[UUID, int]:
    """What the transfer rows say each account holds, in fen."""
    gained = select(TransferRow.to_account.label("id"), TransferRow.amount_fen.label("fen"))
    lost = select(TransferRow.from_account.label("id"), (-TransferRow.amount_fen).label("fen"))
    both = gained.union_all(lost).subquery()
    rows = await tx.session.execute(select(both.c.id, func.sum(both.c.fen).label("fen")).group_by(both.c.id))
    return {row.id: int(row.fen) for row in rows}


async def received_fen(tx: Tx, account_id: UUID, kinds: Collection[Kind]) -> Fen:
    """All that ever came into the account from accounts of these kinds, in fen."""
    total = await tx.session.scalar(
        select(func.coalesce(func.sum(TransferRow.amount_fen), 0))
        .join(Account, Account.id == TransferRow.from_account)
        .where(TransferRow.to_account == account_id, Account.kind.in_(kinds))
    )
    return Fen(int(total or 0))


@dataclass(frozen=True, slots=True)
class Line:
    """One movement on one account, as its statement shows it; `gain_fen` is negative for money that left."""

    at: datetime
    reason: str
    document: str
    other: str
    gain_fen: int


async def lines_of(tx: Tx, account_id: UUID) -> list[Line]:
    """The account's movements, oldest first; `other` is the kind of the account on the other side."""
    other = (
        select(Account.id, Account.kind).subquery()  # the other side may be the bank's one account many times
    )
    rows = await tx.session.execute(
        select(TransferRow, Entry, other.c.kind)
        .join(Entry, Entry.id == TransferRow.entry_id)
        .join(other, (other.c.id.in_([TransferRow.from_account, TransferRow.to_account])) & (other.c.id != account_id))
        .where((TransferRow.from_account == account_id) | (TransferRow.to_account == account_id))
        .order_by(Entry.number, TransferRow.position)
    )
    return [
        Line(
            entry.at,
            entry.reason,
            entry.document,
            kind,
            transfer.amount_fen if transfer.to_account == account_id else -transfer.amount_fen,
        )
        for transfer, entry, kind in rows
    ]
