"""`python -m tests.campaign --seed 7 [--seconds 60] [--seeds 20]`: exit code 1 if any promise was broken."""

import argparse
import asyncio
import sys
from collections import Counter

import msgspec

from kernel.clock import monotonic
from tests.campaign.campaign import Campaign


def main() -> int:
    """Play one seed or several in turn; the last line sums up as JSON."""
    parser = argparse.ArgumentParser(prog="campaign", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from `--seed` on")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each is harmed")
    wanted = parser.parse_args()
    faults: Counter[str] = Counter()
    broken = bids = 0
    for seed in range(wanted.seed, wanted.seed + wanted.seeds):
        begun_s = monotonic()

        def say(line: str, begun_s: float = begun_s) -> None:
            print(f"{monotonic() - begun_s:7.1f} s  {line}", file=sys.stderr, flush=True)

        report = asyncio.run(Campaign(seed, wanted.seconds, say).run())
        print(msgspec.json.encode(report).decode(), flush=True)
        faults.update(report.faults)
        broken, bids = broken + len(report.broken), bids + report.bids
    print(msgspec.json.encode({"seeds": wanted.seeds, "bids": bids, "faults": faults, "broken": broken}).decode())
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
