"""The benchmark of the catalogue: its lots are real ones to the doors that it asks, its last line says what it saw."""

from pathlib import Path

import asyncpg
import msgspec
import pytest

from app.bench.catalogue import Options, main_bench_catalogue
from app.bench.catalogue_ground import lay_out
from tests.app.test_bench import open_to_postgres

FIELDS = {"lots", "search_p95_ms", "statistics_p95_ms", "others_p99_ms", "baseline_p95_ms", "ratio", "refusals", "void"}

DRAWN = "SELECT md5(string_agg(title || status, ',' ORDER BY title, status)) FROM auction.lot"


@pytest.mark.slow
def test_a_small_catalogue_says_what_was_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_to_postgres(tmp_path)
    assert main_bench_catalogue(Options(lots=300, seconds=1, data_dir=str(tmp_path))) == 0
    report = msgspec.json.decode(capsys.readouterr().out.splitlines()[-1])
    assert set(report) >= FIELDS
    assert (report["lots"], report["courts"], report["refusals"]) == (300, 300, [])
    assert report["searches"] >= 20
    assert 0 < report["search_p50_ms"] <= report["search_p95_ms"]
    assert "fewer than 200000 lots" in report["void"], "a run as small as this proves nothing"
    assert list(tmp_path.iterdir()) == [], "its database is gone"


@pytest.mark.anyio
async def test_the_same_number_of_lots_is_the_same_lots(database_url: str) -> None:
    await lay_out(database_url, 200)
    db = await asyncpg.connect(database_url)
    try:
        drawn = await db.fetchval(
            "SELECT md5(string_agg(title || status, ',' ORDER BY title, status)) FROM auction.lot"
        )
        ended = await db.fetch("SELECT status, count(*) FROM auction.lot WHERE ended_at IS NOT NULL GROUP BY 1")
        rounds = await db.fetch("SELECT outcome, count(*) FROM auction.ended_round GROUP BY 1")
        assert await db.fetchval("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_lot_search_grams'") == 1
        assert dict(rounds) == {status: number for status, number in ended if status != "withdrawn"}
        for table in ("auction.ended_round", "auction.lot", "kernel.court"):
            await db.execute(f"DELETE FROM {table}")
        await lay_out(database_url, 200)
        again = await db.fetchval(
            "SELECT md5(string_agg(title || status, ',' ORDER BY title, status)) FROM auction.lot"
        )
    finally:
        await db.close()
    assert again == drawn
