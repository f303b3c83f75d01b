"""`auction bench catalogue`: a country's catalogue searched, and its statistics asked for, through the public doors.

The server is `auction serve` in a process of its own on an embedded database of its own. Citizens ask one after the
other; meanwhile somebody else asks for the server's health again and again, since desk and feed live in the same loop:
what makes that one wait would make bidders wait. The baseline is the usual way in SQL alone: words by ILIKE, one query
for the page, one for the number, one for each facet.
"""

import asyncio
import http.client
import os
import random
import statistics
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import msgspec

from app.bench.catalogue_ground import PLACES, ROADS, THINGS, Court, lay_out
from app.bench.stage import Served, folder_for_data, postgres_in, say, server
from app.migrate import migrate
from auction.catalogue.rules import Sort
from auction.lots.rules import AssetKind, Status
from auction.statistics.rules import By
from kernel.clock import beijing_day, monotonic, real_now

FULL_LOTS = 200_000
FULL_SECONDS = 20
BASELINE_QUESTIONS = FEWEST = 20
EVERY_S = 0.02
"""Between two looks at the server's health."""
PATIENCE_S = 120.0


class Options(msgspec.Struct, frozen=True):
    """The command line; `seconds` are measured of searches, and as many of statistics."""

    lots: int = FULL_LOTS
    seconds: int = FULL_SECONDS
    data_dir: str = ".data"


class Question(msgspec.Struct, frozen=True):
    """What a citizen looks for in the catalogue."""

    words: tuple[str, ...]
    filters: dict[str, str]
    sort: Sort

    @property
    def path(self) -> str:
        return "/api/lots?" + urlencode({"q": " ".join(self.words), "sort": self.sort} | self.filters)


class Answered(msgspec.Struct, frozen=True):
    """How long answers took, in ms, how long others waited meanwhile, and what was not answered: status and address."""

    took_ms: list[float]
    others_ms: list[float]
    refusals: list[str]


def main_bench_catalogue(options: Options) -> int:
    """Run the benchmark; exit code 1 if a question was not answered."""
    with folder_for_data(options.data_dir) as folder:
        report = _measure(options, folder)
    print(msgspec.json.encode(report).decode(), flush=True)
    return 1 if report["refusals"] else 0


def _measure(options: Options, folder: Path) -> dict[str, Any]:
    rng = random.Random(1)
    with postgres_in(folder) as postgres:
        migrate(postgres.dsn())
        say(f"laying out {options.lots} lots")
        courts = asyncio.run(lay_out(postgres.dsn(), options.lots))
    questions = [_question(rng, courts) for _ in range(2_000)]
    with server(folder) as served:
        say(f"citizens ask on port {served.port}")
        searched = _ask(served, [question.path for question in questions], options.seconds)
        counted = _ask(served, _figures(courts), options.seconds)
    with postgres_in(folder) as postgres:
        say("now the baseline")
        usual = asyncio.run(_usual_ms(postgres.dsn(), questions[:BASELINE_QUESTIONS]))
    search_p95, usual_p95 = _percentile(searched.took_ms, 95), _percentile(usual, 95)
    others = searched.others_ms + counted.others_ms
    return {
        "lots": options.lots,
        "search_p95_ms": search_p95,
        "statistics_p95_ms": _percentile(counted.took_ms, 95),
        "search_p50_ms": _percentile(searched.took_ms, 50),
        "statistics_p50_ms": _percentile(counted.took_ms, 50),
        "searches": len(searched.took_ms),
        "statistics": len(counted.took_ms),
        "refusals": searched.refusals + counted.refusals,
        "others_p99_ms": _percentile(others, 99),
        "others_worst_ms": round(max(others), 1),
        "baseline_p95_ms": usual_p95,
        "ratio": round(usual_p95 / search_p95, 1),
        "courts": len(courts),
        "cores": os.cpu_count(),
        "void": [f"fewer than {FULL_LOTS} lots"] if options.lots < FULL_LOTS else [],
    }


def _question(rng: random.Random, courts: Sequence[Court]) -> Question:
    """Half of them with one word or two, half with a filter, a tenth the bare catalogue."""
    words, filters = [], {}
    if rng.random() < 0.5:
        words.append(rng.choice(rng.choice(list(THINGS.values())))[:2])
    if rng.random() < 0.3:
        words.append(rng.choice((rng.choice(ROADS), rng.choice(PLACES)[-3:], f"{rng.randrange(1, 2_000)}号")))
    if rng.random() < 0.5:
        name, value = rng.choice(
            (
                ("status", rng.choice((Status.PUBLISHED, Status.LIVE, Status.SOLD))),
                ("kind", rng.choice(list(AssetKind))),
                ("region", rng.choice(PLACES)[:2]),
                ("court", str(rng.choice(courts).id)),
                ("price_max", str(rng.randrange(1, 1_000) * 100_000)),
            )
        )
        filters[name] = str(value)
    return Question(tuple(words), filters, rng.choice(list(Sort)))


def _figures(courts: Sequence[Court]) -> list[str]:
    """Every table and every figure of the statistics page, of the country, a year, a kind and a court."""
    year = beijing_day(real_now()).year - 1
    of: tuple[dict[str, str], ...] = (
        {},
        {"year": str(year)},
        {"kind": str(AssetKind.IMMOVABLE)},
        {"court": str(courts[0].id)},
    )
    whole = ["/api/statistics?" + urlencode(filters) for filters in of]
    return whole + ["/api/statistics/series?" + urlencode({"by": str(by)} | filters) for by in By for filters in of]


def _ask(served: Served, paths: Sequence[str], seconds: float) -> Answered:
    """Ask for the paths in turn, at least for the first of them, while others are served."""
    others: list[float] = []
    over = threading.Event()
    beside = threading.Thread(target=_look_in, args=(served.port, others, over))
    beside.start()
    took, refusals = [], []
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_S)
    try:
        end = monotonic() + seconds
        number = 0
        while monotonic() < end or number < min(FEWEST, len(paths)):
            path = paths[number % len(paths)]
            ms, status = _get(connection, path)
            took.append(ms)
            if status != http.client.OK:
                refusals.append(f"{status} {path}")
            number += 1
    finally:
        over.set()
        beside.join()
        connection.close()
    return Answered(took, others, refusals)


def _look_in(port: int, others: list[float], over: threading.Event) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    while not over.wait(EVERY_S):
        others.append(_get(connection, "/health/live")[0])
    connection.close()


def _get(connection: http.client.HTTPConnection, path: str) -> tuple[float, int]:
    begun = monotonic()
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    return (monotonic() - begun) * 1_000, response.status


FACETS = ("status", "asset_kind", "round", "court_id", "place", "left(place, 2)", "loan_available", "purchase_limited")


async def _usual_ms(url: str, questions: Sequence[Question]) -> list[float]:
    """How long the database takes for the words alone, in ms: no index of pairs, a query for each count."""
    db = await asyncpg.connect(url)
    took = []
    try:
        for question in questions:
            patterns = [f"%{word}%" for word in question.words]
            found = "FROM auction.lot WHERE published_at IS NOT NULL AND search_text ILIKE ALL ($1)"
            begun = monotonic()
            await db.fetch(f"SELECT * {found} ORDER BY ends_rank, id LIMIT 20", patterns)
            await db.fetch(f"SELECT count(*) {found}", patterns)
            for facet in FACETS:
                await db.fetch(f"SELECT {facet}, count(*) {found} GROUP BY 1", patterns)
            took.append((monotonic() - begun) * 1_000)
        return took
    finally:
        await db.close()


def _percentile(values: Sequence[float], percent: int) -> float:
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)
