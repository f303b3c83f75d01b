"""`auction bench bids`: durable accepted bids a second, through real WebSockets into a real server, and the baseline.

The server is `auction serve` in a process of its own on an embedded database of its own, with PostgreSQL's durability
untouched; the load generator is another process. Afterwards every acknowledgement is looked up by key, seq and price.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec

from app.bench.baseline import accepted_per_s
from app.bench.ground import lay_out
from app.bench.load import Outcome, plan_of, played
from app.bench.stage import LIMITS, folder_for_data, look_up, not_durable, postgres_in, say, server
from app.migrate import migrate

WARM_UP_S = 5.0
BASELINE_S = 5.0
FEWEST_BIDDERS = 128
FEWEST_SECONDS = 20
LEAST_SHARE = 0.9


class Options(msgspec.Struct, frozen=True):
    """The command line. `rate` is bids offered a second in all, 0 for as many as are answered."""

    lots: int = 1
    bidders: int = FEWEST_BIDDERS
    watchers: int = 0
    rate: int = 0
    seconds: int = FEWEST_SECONDS
    data_dir: str = ".data"
    warm_up_s: float = WARM_UP_S


def main_bench_bids(options: Options) -> int:
    """Run the benchmark; exit code 1 if an acknowledgement was lost or too few bids were accepted."""
    with folder_for_data(options.data_dir) as folder:
        report = _measure(options, folder)
    print(msgspec.json.encode(report).decode(), flush=True)
    return 1 if report["lost"] or report["accepted_share"] < LEAST_SHARE else 0


def _measure(options: Options, folder: Path) -> dict[str, Any]:
    with postgres_in(folder) as postgres:
        migrate(postgres.dsn())
        tickets = asyncio.run(lay_out(postgres.dsn(), options.lots, options.bidders))
        rivals = asyncio.run(lay_out(postgres.dsn(), 1, 16))
    with server(folder) as served:
        say(f"{options.bidders} bidders and {options.watchers} watchers on {options.lots} lots, port {served.port}")
        plan = plan_of(
            tickets,
            served.port,
            folder,
            watchers=options.watchers,
            rate=options.rate,
            warm_up_s=options.warm_up_s,
            seconds=options.seconds,
        )
        outcome = played(plan)
    with postgres_in(folder) as postgres:
        lost, settings = asyncio.run(look_up(postgres.dsn(), Path(plan.acks_file)))
        say(f"{outcome.acks_on_file} acknowledgements looked up, {lost} lost; now the baseline")
        baseline = asyncio.run(accepted_per_s(postgres.dsn(), rivals, min(BASELINE_S, options.seconds)))
    decided = outcome.accepted + outcome.refused
    best = max(baseline.values())
    accepted = round(outcome.accepted / outcome.measured_s, 1)
    return {
        "accepted_per_s": accepted,
        "decided_per_s": round(decided / outcome.measured_s, 1),
        "accepted_share": round(outcome.accepted / decided, 4) if decided else 0.0,
        "lost": lost + outcome.unanswered,
        "baseline_per_s": best,
        "ratio": round(accepted / best, 1) if best else None,
        "p50_ms": outcome.p50_ms,
        "p99_ms": outcome.p99_ms,
        "lots": options.lots,
        "bidders": options.bidders,
        "watchers": options.watchers,
        "rate": options.rate,
        "limits": LIMITS,
        "seconds": outcome.measured_s,
        "warm_up_s": options.warm_up_s,
        "acknowledged": outcome.acks_on_file,
        "unanswered": outcome.unanswered,
        "refusals": outcome.refusals,
        "watched_events": outcome.watched_events,
        "baseline_by_connections": baseline,
        "load_cpu_s": outcome.cpu_s,
        "cores": os.cpu_count(),
        "settings": settings,
        "void": _void(options, folder, outcome, settings),
    }


def _void(options: Options, folder: Path, outcome: Outcome, settings: dict[str, str]) -> list[str]:
    """Why the figures prove nothing; empty for an honest run."""
    reasons = []
    if options.bidders < FEWEST_BIDDERS:
        reasons.append(f"fewer than {FEWEST_BIDDERS} bidders")
    if options.seconds < FEWEST_SECONDS or options.warm_up_s < WARM_UP_S:
        reasons.append(f"under {WARM_UP_S:.0f} s of warm-up and {FEWEST_SECONDS} s measured")
    reasons += not_durable(folder, settings)
    if outcome.accepted < LEAST_SHARE * (outcome.accepted + outcome.refused):
        reasons.append(f"under {LEAST_SHARE:.0%} accepted")
    return reasons
