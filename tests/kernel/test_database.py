"""The transaction boundary: keys are used once, refusals leave nothing, a busy database says busy."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IllegalStateChangeError

from kernel import ddl
from kernel.actors import Role, platform
from kernel.clock import FrozenClock
from kernel.database import APPEND_ONLY, AlreadyAnswered, Database, Patience, Tx, is_passing
from kernel.errors import Busy, Forbidden, KeyReused
from tests.support.house import START, actor, call, opened

pytestmark = pytest.mark.anyio

SOME_COLUMN = text(
    "SELECT column_name FROM information_schema.columns"
    " WHERE table_schema || '.' || table_name = :table AND is_identity = 'NO' LIMIT 1"
)


async def _work(database: Database, the_call, wait: float = 0) -> int:
    async with database.command(the_call) as tx:
        await tx.session.execute(text("SELECT nextval('kernel.outbox_id_seq')"))
        await asyncio.sleep(wait)
        return tx.answer(len(the_call.key))


async def test_same_key_and_payload_is_answered_again_without_working_again(database_url: str) -> None:
    async with opened(database_url) as database:
        mine = call(actor(Role.CLERK), "key-12345")
        assert await _work(database, mine) == 9
        with pytest.raises(AlreadyAnswered) as again:
            await _work(database, mine)
        assert again.value.answer == b"9"


async def test_same_key_with_another_payload_is_refused(database_url: str) -> None:
    async with opened(database_url) as database:
        clerk = actor(Role.CLERK)
        await _work(database, call(clerk, "key-12345"))
        with pytest.raises(KeyReused):
            await _work(database, call(clerk, "key-12345", b'{"other":1}'))


async def test_same_key_of_another_person_is_another_key(database_url: str) -> None:
    async with opened(database_url) as database:
        await _work(database, call(actor(Role.CLERK), "key-12345"))
        assert await _work(database, call(actor(Role.CLERK), "key-12345")) == 9


async def test_two_copies_at_once_work_once(database_url: str) -> None:
    async with opened(database_url) as database:
        mine = call(actor(Role.CLERK), "key-12345")
        outcomes = await asyncio.gather(_work(database, mine, 0.2), _work(database, mine, 0.2), return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyAnswered", "int"]


async def test_control_without_the_key_row_both_copies_work(database_url: str) -> None:
    """What the key's row prevents: two plain transactions both do the work."""
    async with opened(database_url) as database:

        async def unprotected() -> int:
            async with database.transaction(platform("test")) as tx:
                return (await tx.session.execute(text("SELECT nextval('kernel.outbox_id_seq')"))).scalar_one()

        assert len(set(await asyncio.gather(unprotected(), unprotected()))) == 2


async def test_a_refused_call_uses_up_no_key(database_url: str) -> None:
    async with opened(database_url) as database:
        mine = call(actor(Role.CLERK), "key-12345")
        with pytest.raises(Forbidden):
            async with database.command(mine) as tx:
                tx.actor.must_be(Role.JUDGE)
        assert await _work(database, mine) == 9


async def test_waiting_for_a_lock_ends_as_busy(database_url: str) -> None:
    async with opened(database_url) as database, database.transaction(platform("holder")) as holder:
        await holder.session.execute(text("LOCK TABLE kernel.court"))
        with pytest.raises(Busy):
            async with database.transaction(platform("waiter")) as waiter:
                await waiter.session.execute(text("SET LOCAL lock_timeout = '50ms'"))
                await waiter.session.execute(text("LOCK TABLE kernel.court"))


async def test_waiting_for_a_connection_ends_as_busy(database_url: str) -> None:
    """A crowd at the door, more than the pool has connections for: told so, and not dropped without an answer."""
    database = Database(database_url, FrozenClock(START), pool_size=1)

    async def run(statement: str) -> None:
        async with database.transaction(platform("crowd")) as tx:
            await tx.session.execute(text(statement))

    try:
        holder = asyncio.create_task(run("SELECT pg_sleep(4)"))
        await asyncio.sleep(0.1)
        with pytest.raises(Busy):
            await run("SELECT 1")
        await holder
    finally:
        await database.close()


async def _deadlock(database: Database, tx: Tx) -> None:
    """Two transactions each wait for what the other holds: the later one to notice is broken off (40P01)."""
    lock = text("SELECT pg_advisory_xact_lock(:number)")
    await tx.session.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
    await tx.session.execute(lock, {"number": 1})
    async with database.transaction(platform("other")) as other:
        await other.session.execute(lock, {"number": 2})
        waiting = asyncio.create_task(other.session.execute(lock, {"number": 1}))
        await asyncio.sleep(0.1)
        try:
            await tx.session.execute(lock, {"number": 2})
        finally:
            await tx.session.rollback()
            await waiting


async def _serialization(database: Database, tx: Tx) -> None:
    """A row that changed under a snapshot (40001)."""
    await tx.session.rollback()
    await tx.session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    await tx.session.execute(text("SELECT 1"))
    change = text("UPDATE bidding.desk_lease SET holder = 'changed'")
    async with database.transaction(platform("other")) as other:
        await other.session.execute(change)
    await tx.session.execute(change)


async def _shutdown(database: Database, tx: Tx) -> None:
    """The administrator ends the connection (57P01)."""
    await tx.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


@pytest.mark.parametrize("fault", [_deadlock, _serialization, _shutdown])
async def test_what_passes_is_busy_and_the_same_key_may_be_sent_again(
    database_url: str, fault: Callable[[Database, Tx], Awaitable[None]]
) -> None:
    """Row 81: the whole unit is as if it had never been, and its second try is the first to count."""
    database = Database(database_url, FrozenClock(START))
    mine = call(actor(Role.CLERK), "key-12345")
    try:
        async with database.transaction(platform("test")) as tx:
            await tx.session.execute(text("INSERT INTO bidding.desk_lease VALUES (7, 1, 'here', NULL, now())"))
        with pytest.raises(Busy) as caught:
            async with database.command(mine) as tx:
                await fault(database, tx)
        assert is_passing(caught.value.__cause__)
        assert await _work(database, mine) == 9
    finally:
        await database.close()


async def test_a_transaction_left_alone_for_too_long_ends_as_busy(database_url: str) -> None:
    """The server takes its locks away; the use case learns of it and has recorded nothing."""
    async with opened(database_url, patience=Patience(idle_s=1)) as database:
        with pytest.raises(Busy):
            async with database.transaction(platform("slow")) as tx:
                await tx.session.execute(text("SELECT 1"))
                await asyncio.sleep(1.5)
                await tx.session.execute(text("SELECT 1"))
        async with database.transaction(platform("next")) as tx:
            assert (await tx.session.execute(text("SELECT 1"))).scalar_one() == 1


async def test_every_connection_carries_the_house_s_limits(database_url: str) -> None:
    async with opened(database_url, patience=Patience()) as database, database.reading(platform("test")) as tx:
        for name, limit in (("lock", "3s"), ("statement", "5s"), ("idle_in_transaction_session", "2s")):
            assert (await tx.session.execute(text(f"SHOW {name}_timeout"))).scalar_one() == limit


async def test_a_reading_transaction_cannot_write(database_url: str) -> None:
    async with opened(database_url) as database:
        with pytest.raises(Exception, match="read-only"):
            async with database.reading(platform("reader")) as tx:
                await tx.session.execute(text("INSERT INTO kernel.court VALUES (gen_random_uuid(), 'x', 'x')"))


@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_append_only_tables_refuse_change_by_trigger_even_for_their_owner(
    database_url: str, statement: str
) -> None:
    assert "kernel.audit_entry" in APPEND_ONLY
    async with opened(database_url) as database:
        for table in APPEND_ONLY:
            async with database.reading(platform("test")) as tx:
                name = (await tx.session.execute(SOME_COLUMN, {"table": table})).scalar_one()
            with pytest.raises(Exception, match="append-only"):
                async with database.transaction(platform("test")) as tx:
                    await tx.session.execute(text(statement.format(table, f'"{name}"', f'"{name}"')))


async def test_every_table_declared_append_only_carries_the_trigger(database_url: str) -> None:
    async with opened(database_url) as database, database.reading(platform("test")) as tx:
        assert set((await tx.session.scalars(text(ddl.PROTECTED))).all()) == set(APPEND_ONLY)


REFERRING = text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'refers' AND tgenabled = 'O'")
LET_GO = text(
    """
    SELECT conrelid::regclass::text AS referring, attname AS column, confrelid::regclass::text AS target
    FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'f' AND NOT conenforced
    """
)
PROBE = """
    CREATE TEMP TABLE probe ON COMMIT DROP AS SELECT * FROM {referring} WITH NO DATA;
    CREATE TRIGGER refers AFTER INSERT ON probe REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION {referring}_refers();
    INSERT INTO probe DEFAULT VALUES;
"""


async def test_foreign_keys_held_by_statement_refuse_a_stranger_in_each_of_their_columns(database_url: str) -> None:
    """Each column alone, in a table like the real one: null there, as it may be, the other columns refuse nothing."""
    async with opened(database_url) as database:
        async with database.reading(platform("test")) as tx:
            keys = (await tx.session.execute(LET_GO)).all()
            assert {key.referring for key in keys} == set(await tx.session.scalars(REFERRING))
        assert len(keys) == 8
        for key in keys:
            assert key.target in {*APPEND_ONLY, "settlement.account"}, "rows that could go need a real foreign key"
            stranger = (
                "-1" if key.column == "entry_id" and key.referring == "kernel.audit_seal" else "gen_random_uuid()"
            )
            with pytest.raises(Exception, match="refers to a row that is not there"):
                async with database.transaction(platform("test")) as tx:
                    for statement in PROBE.format(referring=key.referring).split(";\n")[:3]:
                        await tx.session.execute(text(statement))
                    insert = f"INSERT INTO probe ({key.column}) VALUES ({stranger})"
                    await tx.session.execute(text(insert))


@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_accounts_stay_under_their_ids(database_url: str, statement: str) -> None:
    async with opened(database_url) as database:
        with pytest.raises(Exception, match="append-only"):
            async with database.transaction(platform("test")) as tx:
                await tx.session.execute(text(statement.format("settlement.account")))


async def test_the_application_role_lacks_the_right_to_change_append_only_tables(database_url: str) -> None:
    async with opened(database_url) as database, database.reading(platform("test")) as tx:
        for table in APPEND_ONLY:
            rights = text("SELECT has_table_privilege('auction_app', :t, 'UPDATE, DELETE, TRUNCATE')")
            assert not (await tx.session.execute(rights, {"t": table})).scalar_one(), table


SLOW_COMMIT = """
    CREATE TABLE public.slow (n int);
    CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON public.slow DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION public.wait();
"""


async def test_a_commit_goes_to_its_end_although_its_caller_is_cancelled(database_url: str) -> None:
    """And its connection comes back: with a pool of one, a lost one would be the end (attacks 80, 84)."""
    admin = await asyncpg.connect(database_url)
    await admin.execute(SLOW_COMMIT)
    database = Database(database_url, FrozenClock(START), pool_size=1)

    async def write() -> None:
        async with database.transaction(platform("test")) as tx:
            await tx.session.execute(text("INSERT INTO public.slow VALUES (1)"))
            inserted.set()

    try:
        for done in range(1, 4):
            inserted = asyncio.Event()
            writing = asyncio.create_task(write())
            await inserted.wait()
            await asyncio.sleep(0.1)  # it commits now
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            assert await admin.fetchval("SELECT count(*) FROM public.slow") == done - 1
            async with database.reading(platform("test")) as tx:
                assert (await tx.session.execute(text("SELECT count(*) FROM public.slow"))).scalar_one() == done
    finally:
        await database.close()
        await admin.close()


async def test_control_a_shield_around_the_commit_alone_loses_the_connection(database_url: str) -> None:
    admin = await asyncpg.connect(database_url)
    await admin.execute(SLOW_COMMIT)
    database = Database(database_url, FrozenClock(START), pool_size=1)
    session = database._sessions()

    async def write() -> None:
        try:
            await session.execute(text("INSERT INTO public.slow VALUES (1)"))
            await asyncio.shield(session.commit())
        finally:
            await session.close()

    try:
        writing = asyncio.create_task(write())
        await asyncio.sleep(0.2)
        writing.cancel()
        with pytest.raises(IllegalStateChangeError):
            await writing
    finally:
        await asyncio.sleep(0.5)
        await session.close()
        await database.close()
        await admin.close()
