"""`python -m tests.campaign --seed 7 [--seconds 60] [--seeds 20] [--form fleet]`: exit code 1 if any was broken."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from kernel.clock import monotonic
from tests.campaign import tally
from tests.campaign.campaign import Campaign


def main() -> int:
    """Play one seed or several in turn, or sum up a tally; the last line sums up as JSON."""
    parser = argparse.ArgumentParser(prog="campaign", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from `--seed` on")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each is harmed")
    parser.add_argument(
        "--form", choices=("server", "fleet", "both"), default="both", help="both: even seeds the fleet"
    )
    parser.add_argument("--tally", type=Path, help="a file that gets a line for each seed")
    parser.add_argument("--sum", action="store_true", help="play nothing; show the sums of the tally")
    wanted = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # also in the background: nothing that was started is left behind
        signal.signal(number, signal.default_int_handler)
    if wanted.sum:
        print(tally.table(tally.read(wanted.tally)))
        return 0
    reports = []
    for seed in range(wanted.seed, wanted.seed + wanted.seeds):
        begun_s = monotonic()

        def say(line: str, begun_s: float = begun_s) -> None:
            print(f"{monotonic() - begun_s:7.1f} s  {line}", file=sys.stderr, flush=True)

        fleet = wanted.form == "fleet" or (wanted.form == "both" and seed % 2 == 0)
        report = asyncio.run(Campaign(seed, wanted.seconds, say, fleet).run())
        print(msgspec.json.encode(report).decode(), flush=True)
        if wanted.tally:
            tally.add(wanted.tally, report)
        reports.append(report)
    print(tally.table(reports))
    return 1 if any(report.broken for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
