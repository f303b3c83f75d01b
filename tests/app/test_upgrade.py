"""A database that was in use at an earlier revision is upgraded: what the new tables say is what the code would have
written, the books verify, and the court goes on where it was.
"""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import asyncpg
import pytest

from app.embedded import EmbeddedPostgres
from app.migrate import migrate_async
from appraisal.assets import service as assets
from appraisal.assets.errors import AssetTaken
from kernel.ddl import APP_ROLE
from kernel.ids import random_id
from kernel.money import Fen
from settlement.annulment.rules import Ground
from settlement.distribution import taking
from tests.appraisal.support import PARTIES, party_of
from tests.auction.support import TENANT, Place, make_place
from tests.settlement.completion.defaulting import faults
from tests.settlement.distribution.test_taking import BANK, YUAN, Failed, failed_round, second_round
from tests.settlement.hall import Hall, hall
from tests.settlement.support import bank_relay
from tests.support.databases import Clones
from tests.support.house import call, opened

pytestmark = pytest.mark.anyio

BEFORE = "0026"
"""The last revision without disposals (0032), connected debts (0033) and joint bidders (0036)."""

COLUMNS = """
SELECT table_schema || '.' || table_name AS "table", array_agg(column_name::text) AS columns
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema IN ('kernel', 'appraisal', 'auction', 'bidding', 'settlement') AND table_type = 'BASE TABLE'
  AND table_name <> 'alembic_version' AND is_generated = 'NEVER'
GROUP BY 1
"""
SEQUENCES = """
SELECT schemaname || '.' || sequencename AS name, last_value FROM pg_sequences WHERE last_value IS NOT NULL
"""
STANDING = """
SELECT asset_id, case_id, way, passed_on FROM appraisal.asset_disposal WHERE undone_at IS NULL ORDER BY asset_id
"""
ENDED = """
SELECT seizure.id, disposal.asset_id, disposal.way FROM appraisal.asset_seizure AS seizure
JOIN appraisal.asset_disposal AS disposal ON disposal.id = seizure.ended_by ORDER BY seizure.id
"""


@pytest.fixture
def earlier_url(postgres_server: EmbeddedPostgres, database_clones: Clones) -> Iterator[str]:
    """A database with no tables yet."""
    name = database_clones.make("template0")
    yield postgres_server.dsn(name)
    database_clones.drop(name)


async def carry_over(source: str, target: str) -> None:
    """Copy every row of the source into the target, as far as the target has tables and columns for it."""
    old, new = await asyncpg.connect(target), await asyncpg.connect(source)
    try:
        await old.execute("SET session_replication_role = replica")  # rows come as they lay, in any order
        known = {row["table"]: set(row["columns"]) for row in await old.fetch(COLUMNS)}
        await old.execute(f"TRUNCATE {', '.join(known)}")  # migrations write rows of their own
        await old.execute("ALTER TABLE bidding.lot ALTER applicant_claim_fen SET DEFAULT 0")  # gone since
        for row in await new.fetch(COLUMNS):
            columns = sorted(known.get(row["table"], set()).intersection(row["columns"]))
            schema, table = row["table"].split(".")
            if columns:
                rows = io.BytesIO()
                await new.copy_from_table(table, schema_name=schema, columns=columns, output=rows, format="binary")
                rows.seek(0)
                await old.copy_to_table(table, schema_name=schema, columns=columns, source=rows, format="binary")
        for row in await new.fetch(SEQUENCES):
            if await old.fetchval("SELECT to_regclass($1)", row["name"]):
                await old.execute("SELECT setval($1::text::regclass, $2)", row["name"], row["last_value"])
    finally:
        await old.close()
        await new.close()


NAMED = """
INSERT INTO bidding.lot_person (lot_id, person_id, standing)
VALUES ('{0}', '{1}', 'applicant'), ('{0}', '{1}', 'barred'), ('{0}', '{2}', 'applicant') RETURNING 1
"""
BARRED = "SELECT lot_id, person_id FROM bidding.barred_person"


async def asked(url: str, query: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def beside(place: Hall) -> Hall:
    """Another case at another court on the same platform, with the parties of W-19."""
    parties, price = (*PARTIES, TENANT, BANK), Fen(1_000_000 * YUAN)
    made = await make_place(place.database, parties=parties, reference_price_fen=price)
    return Hall(place.database, made, place.relay)


async def standings(place: Hall) -> list[str]:
    shown = await assets.show_asset(place.database, place.court.clerk, place.place.asset_id)
    return [each.standing for each in shown.seizures]


class InUse:
    """A platform with a sale whose title passed, one annulled, a taking whose title passed and one still unpaid."""

    sold: tuple[Place, UUID]
    unpaid: Failed
    at: datetime

    async def fill(self, url: str) -> None:
        async with hall(url) as place:
            await place.seize_for_two()
            lot_id = await place.lot()
            await place.pay_balance(await place.sold(lot_id, 80_000_00), lot_id)
            await place.rule_and_serve(lot_id)
            self.sold = place.place, lot_id

            undone = Hall(place.database, await make_place(place.database), place.relay)
            await undone.seize_for_two()
            other = await undone.lot()
            await undone.pay_balance(await undone.sold(other, 80_000_00), other)
            await undone.rule_and_serve(other)
            await undone.annul(other, Ground.SYSTEM_FAILURE)

            for served in (True, False):
                beside_it = await beside(place)
                await beside_it.seize_for_two()
                self.unpaid = await failed_round(beside_it)
                taken = await self.unpaid.take()
                if served:
                    await self.unpaid.serve(await self.unpaid.pay_in(taken, taken.pay_in_fen))
            assert await faults(place) == []
            self.at = place.database.clock.now()


async def in_use_before(database_url: str, earlier_url: str) -> InUse:
    """A platform in use, and its rows as the earlier revision would have held them."""
    use = InUse()
    await use.fill(database_url)
    await migrate_async(earlier_url, BEFORE)
    await carry_over(database_url, earlier_url)
    return use


async def test_a_filled_database_of_an_earlier_revision_goes_on_after_the_upgrade(
    database_url: str, earlier_url: str
) -> None:
    use = await in_use_before(database_url, earlier_url)
    barred, applicant = random_id(), random_id()
    assert len(await asked(earlier_url, NAMED.format(use.sold[1], barred, applicant))) == 3
    await migrate_async(earlier_url)
    assert await asked(earlier_url, BARRED) == [(use.sold[1], barred)]
    assert len(written := await asked(database_url, STANDING)) == 3
    assert await asked(earlier_url, STANDING) == written
    assert len(ended := await asked(database_url, ENDED)) == 4
    assert await asked(earlier_url, ENDED) == ended
    app_url = earlier_url.replace("postgres@", f"{APP_ROLE}@", 1)
    async with opened(app_url, use.at) as database:
        relay = bank_relay(database)
        sale = Hall(database, replace(use.sold[0], database=database), relay)
        assert await faults(sale) == []
        await sale.annul(use.sold[1], Ground.SYSTEM_FAILURE)
        assert await standings(sale) == ["effective", "waiting"], "what the sale ended lives again"
        waiting = replace(use.unpaid.place.place, database=database)
        unpaid = Failed(Hall(database, waiting, relay), use.unpaid.lot_id)
        with pytest.raises(AssetTaken):
            await second_round(unpaid)
        assert await faults(sale) == []


async def test_a_thing_that_two_had_got_before_that_was_refused_stays_with_whom_title_passed_to(
    earlier_url: str, database_url: str
) -> None:
    """Before disposals nothing kept a thing in an unpaid taking from being sold; the upgrade may not stop at it."""
    use = await in_use_before(database_url, earlier_url)
    sold = use.sold[0].asset_id, use.sold[0].case.id, party_of(use.sold[0].case, "applicant").id
    both = "UPDATE settlement.taking SET asset_id = '{}', case_id = '{}', party_id = '{}' WHERE state = 'awaiting'"
    assert len(await asked(earlier_url, f"{both.format(*sold)} RETURNING 1")) == 1
    await migrate_async(earlier_url)
    standing = {row[0]: row[2] for row in await asked(earlier_url, STANDING)}
    assert standing[sold[0]] == "sale"
    assert len(standing) == 2
    async with opened(earlier_url, use.at) as database:
        sale = Hall(database, replace(use.sold[0], database=database), bank_relay(database))
        (taken,) = await asked(earlier_url, "SELECT id FROM settlement.taking WHERE state = 'awaiting'")
        sale.pass_days(11)
        await taking.lapse_taking(database, call(sale.court.judge), UUID(str(taken[0])))
        assert await standings(sale) == ["ended", "ended"], "the sale stands"
