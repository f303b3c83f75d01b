"""Postings on a real database: once, balanced, never below zero, and every touch by hand shows."""

import asyncio

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from kernel.actors import platform
from kernel.database import Database, Tx
from kernel.errors import Busy
from kernel.ids import ordered_id
from kernel.money import Fen
from settlement.ledger import service as ledger
from settlement.ledger import store
from settlement.ledger import verify as ledger_verify
from settlement.ledger.errors import InsufficientBalance, PostingDiffers
from settlement.ledger.models import Account
from settlement.ledger.rules import Kind, Posting, Transfer, is_account_number
from tests.support.house import opened
from tests.support.intruder import as_superuser

pytestmark = pytest.mark.anyio


async def _two(tx: Tx) -> tuple[Account, Account]:
    return await ledger.open_account(tx, Kind.DEPOSIT, "one"), await ledger.open_account(tx, Kind.LOT, "two")


async def _fill(database: Database, amount_fen: int, key: str = "in") -> None:
    async with database.transaction(platform("test")) as tx:
        one, _ = await _two(tx)
        arrived = Transfer((await ledger.bank(tx)).id, one.id, Fen(amount_fen))
        await ledger.post(tx, Posting(key, "test.in", "bank:1", (arrived,)))


async def _apply(database: Database, amount_fen: int, key: str = "apply") -> object:
    async with database.transaction(platform("test")) as tx:
        one, two = await _two(tx)
        return await ledger.post(
            tx, Posting(key, "test.apply", "d", (Transfer(one.id, two.id, Fen(amount_fen)),), case_id=one.id)
        )


async def _balances(database: Database) -> tuple[int, int]:
    async with database.reading(platform("test")) as tx:
        one, two = await _two(tx)
        return await ledger.balance(tx, one.id), await ledger.balance(tx, two.id)


async def _faults(database: Database) -> list[str]:
    async with database.reading(platform("test")) as tx:
        return await ledger_verify.faults(tx)


async def test_an_account_is_opened_once_per_natural_key(database_url: str) -> None:
    async with opened(database_url) as database:

        async def open_it() -> tuple[object, str | None]:
            async with database.transaction(platform("test")) as tx:
                account = await ledger.open_account(tx, Kind.DEPOSIT, "same")
                return account.id, account.number

        found = await asyncio.gather(*[open_it() for _ in range(5)])
        assert len(set(found)) == 1
        number = found[0][1]
        assert number is not None
        assert is_account_number(number)
        async with database.reading(platform("test")) as tx:
            by_number = await ledger.find_by_number(tx, number)
            assert by_number is not None
            assert by_number.id == found[0][0]
            assert await ledger.find_by_number(tx, number[:-1] + str((int(number[-1]) + 1) % 10)) is None


async def test_a_posting_moves_balances_and_a_replay_moves_nothing(database_url: str) -> None:
    async with opened(database_url) as database:
        await _fill(database, 500)
        first = await _apply(database, 200)
        assert await _apply(database, 200) == first
        assert await _balances(database) == (300, 200)
        with pytest.raises(PostingDiffers):
            await _apply(database, 201)
        assert await _faults(database) == []


async def test_the_same_posting_at_once_is_booked_once(database_url: str) -> None:
    async with opened(database_url) as database:
        await _fill(database, 500)
        entries = await asyncio.gather(*[_apply(database, 200) for _ in range(6)])
        assert len(set(entries)) == 1
        assert await _balances(database) == (300, 200)


async def test_no_holder_goes_below_zero_however_many_try_at_once(database_url: str) -> None:
    async with opened(database_url) as database:
        await _fill(database, 500)
        tries = [_apply(database, 200, key=f"apply-{number}") for number in range(6)]
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(outcome, InsufficientBalance) for outcome in outcomes) == 4
        assert await _balances(database) == (100, 400)
        assert await _faults(database) == []


async def test_control_without_the_lock_two_readers_spend_the_same_money(database_url: str) -> None:
    """What locking accounts before reading their balance prevents."""
    async with opened(database_url) as database:
        await _fill(database, 500)
        both_have_read = asyncio.Barrier(2)

        async def spend_without_lock() -> None:
            async with database.transaction(platform("test")) as tx:
                one, _ = await _two(tx)
                held = await ledger.balance(tx, one.id)
                await both_have_read.wait()
                left = {"left": held - 400, "id": one.id}
                await tx.session.execute(text("UPDATE settlement.account SET balance_fen = :left WHERE id = :id"), left)

        await asyncio.gather(spend_without_lock(), spend_without_lock())
        assert (await _balances(database))[0] == 100, "800 were spent out of 500"
        assert len(await _faults(database)) == 1


async def test_accounts_are_locked_in_one_order_so_crossing_postings_do_not_deadlock(database_url: str) -> None:
    async with opened(database_url) as database:
        await _fill(database, 1000)
        await _apply(database, 500)

        async def cross(number: int) -> None:
            async with database.transaction(platform("test")) as tx:
                one, two = await _two(tx)
                pair = (one.id, two.id) if number % 2 else (two.id, one.id)
                await ledger.post(tx, Posting(f"cross-{number}", "test.cross", "d", (Transfer(*pair, Fen(1)),)))

        await asyncio.gather(*[cross(number) for number in range(40)])
        assert await _balances(database) == (500, 500)


async def test_a_statement_shows_each_movement_with_its_paper(database_url: str) -> None:
    async with opened(database_url) as database:
        await _fill(database, 500)
        await _apply(database, 200)
        async with database.reading(platform("test")) as tx:
            one, _ = await _two(tx)
            lines = await ledger.statement(tx, one.id)
            assert [(line.reason, line.document, line.other, line.gain_fen) for line in lines] == [
                ("test.in", "bank:1", "bank", 500),
                ("test.apply", "d", "lot", -200),
            ]
            assert await ledger.received_fen(tx, one.id, Kind.BANK) == 500
            assert await ledger.received_fen(tx, one.id, Kind.CASE) == 0


async def test_entries_and_transfers_refuse_update_and_delete(database_url: str) -> None:
    async with opened(database_url) as database:
        await _fill(database, 500)
        for statement in (
            "UPDATE settlement.transfer SET amount_fen = 1",
            "DELETE FROM settlement.transfer",
            "UPDATE settlement.entry SET document = 'x'",
            "TRUNCATE settlement.transfer",
        ):
            with pytest.raises(DBAPIError, match="append-only"):
                async with database.transaction(platform("test")) as tx:
                    await tx.session.execute(text(statement))


async def test_the_database_itself_refuses_a_negative_balance_and_an_imbalance(database_url: str) -> None:
    async with opened(database_url) as database:
        await _fill(database, 500)
        for statement in (
            "UPDATE settlement.account SET balance_fen = -1 WHERE kind = 'deposit'",
            "UPDATE settlement.account SET balance_fen = 0 WHERE kind = 'bank'",
            "INSERT INTO settlement.transfer SELECT entry_id, 2, from_account, to_account, 0 FROM settlement.transfer",
            "INSERT INTO settlement.transfer SELECT entry_id, 2, to_account, to_account, 1 FROM settlement.transfer",
        ):
            with pytest.raises(DBAPIError, match="ck_"):
                async with database.transaction(platform("test")) as tx:
                    await tx.session.execute(text(statement))


TOUCHES = {
    "amount": "UPDATE settlement.transfer SET amount_fen = amount_fen + 1 WHERE amount_fen = 200",
    "payee": "UPDATE settlement.transfer SET to_account = (SELECT id FROM settlement.account WHERE kind = 'bank')"
    " WHERE amount_fen = 200",
    "removed": "DELETE FROM settlement.transfer WHERE amount_fen = 200",
    "added": "INSERT INTO settlement.transfer SELECT entry_id, 2, from_account, to_account, 5 FROM settlement.transfer"
    " WHERE amount_fen = 200",
    "gap": "UPDATE settlement.transfer SET position = 7 WHERE amount_fen = 200",
    "document": "UPDATE settlement.entry SET document = 'forged'",
    "time": "UPDATE settlement.entry SET at = at + interval '1 day'",
    "whole entry": "WITH gone AS (DELETE FROM settlement.transfer WHERE amount_fen = 200 RETURNING entry_id)"
    " DELETE FROM settlement.entry WHERE id IN (SELECT entry_id FROM gone)",
    "balance": "UPDATE settlement.account SET balance_fen = balance_fen + 1 WHERE kind = 'lot'",
    "audit": "UPDATE kernel.audit_entry SET facts = convert_to(replace(convert_from(facts, 'UTF8'), 'digest', 'd'"
    " || 'igest'), 'UTF8') || ' '::bytea, subject = subject || 'x' WHERE action = 'ledger.post'",
}


@pytest.mark.parametrize("touch", TOUCHES)
async def test_a_superuser_who_changes_one_row_is_found(database_url: str, touch: str) -> None:
    async with opened(database_url) as database:
        await _fill(database, 500)
        await _apply(database, 200)
        assert await _faults(database) == []
        await as_superuser(database_url, TOUCHES[touch])
        assert await _faults(database) != []


async def test_an_entry_slipped_in_with_a_right_digest_is_missed_by_nobody(database_url: str) -> None:
    """Somebody who can hash still has no audit entry."""
    async with opened(database_url) as database:
        await _fill(database, 500)
        async with database.transaction(platform("intruder")) as tx:
            one, two = await _two(tx)
            posting = Posting("slipped", "test.in", "bank:2", (Transfer(one.id, two.id, Fen(9)),))
            entry_id = ordered_id()
            digest = ledger.entry_digest(entry_id, tx.now(), posting)
            await ledger.store.add_entries(tx, tx.now(), {entry_id: (posting, digest)})
            await ledger.store.add_transfers(tx, {entry_id: posting})
            one.balance_fen, two.balance_fen = Fen(491), Fen(9)
        assert [fault for fault in await _faults(database) if "behind the audit trail" in fault]


async def test_money_moves_on_an_account_that_a_rolled_back_savepoint_has_emptied(database_url: str) -> None:
    async with opened(database_url) as database:
        await _fill(database, 500)
        async with database.transaction(platform("test")) as tx:
            one, two = await _two(tx)
            tx.session.expire(one)
            posting = Posting("apply", "test.apply", "d", (Transfer(inspect(one).identity[0], two.id, Fen(200)),))
            await ledger.post(tx, posting)
            assert two.balance_fen == 200
        async with database.reading(platform("test")) as tx:
            assert [each.balance_fen for each in await _two(tx)] == [300, 200]


async def _crossed(database: Database) -> list[object]:
    """An order out of a new account and answers to others of its lot, whose payee account is older than it."""
    async with database.transaction(platform("test")) as tx:
        way = (await ledger.open_account(tx, Kind.PAYEE, "lot")).id
        source = (await ledger.open_account(tx, Kind.DEPOSIT, "late")).id
    assert way < source
    locked = asyncio.Event()

    async def order() -> None:
        async with database.transaction(platform("test")) as tx:
            await ledger.lock_balances(tx, [source])
            locked.set()
            await asyncio.sleep(0.5)  # the other one waits by now
            await ledger.lock_balances(tx, [source, way])

    async def answer() -> None:
        await locked.wait()
        async with database.transaction(platform("test")) as tx:
            await ledger.lock_balances(tx, [way, source])

    return [each for each in await asyncio.gather(order(), answer(), return_exceptions=True) if each is not None]


async def test_payees_accounts_are_locked_last(database_url: str) -> None:
    async with opened(database_url) as database:
        assert await _crossed(database) == []


async def test_control_locked_by_id_alone_order_and_answer_block_each_other(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_id = store.LOCK_BALANCES.text.replace("kind = 'payee', ", "")
    monkeypatch.setattr(store, "LOCK_BALANCES", text(by_id))
    async with opened(database_url) as database:
        (refused,) = await _crossed(database)
        assert isinstance(refused, Busy), "a deadlock, which PostgreSQL ends"
