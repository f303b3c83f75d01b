"""`auction bench distribution`: random cases by a seeded generator, judged by code that shares nothing with the rules.

Chunks of cases are spread over all cores; a chunk's cases follow from the seed and its number alone, so any machine
finds the same violation in the same case. Then one plan of 10,000 claims is drawn and timed.
"""

import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import Any
from uuid import UUID

import msgspec

from app.bench.distribution_checker import check
from kernel.money import Fen
from settlement.distribution.claims import BOUND_TO_POOL, Claim, ClaimKind, DebtorKind
from settlement.distribution.drawing import draw
from settlement.distribution.plans import Basis, Participation, Proceeds
from settlement.distribution.schemas import DistributionInput, calculate

CHUNK = 2_000
PLAN_CLAIMS = 10_000
MOST_SHOWN = 5
KINDS = (
    *("ordinary", "ordinary", "ordinary", "secured", "secured", "lien", "construction_price", "home_buyer"),
    *("tax", "tax", "injury_medical", "restitution", "fine", "confiscation"),
)
BOUND = frozenset(str(kind) for kind in BOUND_TO_POOL)
UNDOUBLED = frozenset({"tax", "fine", "confiscation"})
DAYS = (None, "2019-03-01", "2020-06-30", "2021-12-31", "2023-02-01")
LARGEST = (0, 7, 100, 100_000, 10**9, 10**15)
"""Upper bounds of amounts: small ones make ties, zeros and shortages, the largest is the most that is accepted."""


class Options(msgspec.Struct, frozen=True):
    """The command line."""

    cases: int = 1_000_000
    seed: int = 1


def main_bench_distribution(options: Options) -> int:
    """Run the benchmark; exit code 1 if a distribution breaks a rule."""
    cores = os.cpu_count() or 1
    numbers = range(-(-options.cases // CHUNK))
    sizes = [min(CHUNK, options.cases - number * CHUNK) for number in numbers]
    started, mix, violations = time.perf_counter(), Counter[str](), 0
    with ProcessPoolExecutor(cores) as pool:
        for found, faults in pool.map(_run_chunk, [options.seed] * len(sizes), numbers, sizes):
            mix += found
            violations += len(faults)
            for fault in faults[:MOST_SHOWN]:
                print(fault, file=sys.stderr)
    seconds = time.perf_counter() - started
    print(f"seed {options.seed}, {cores} cores; mix of {options.cases} cases:")
    for name, times in sorted(mix.items()):
        print(f"  {name:40} {times}")
    plan_seconds = min(_time_plan(options.seed) for _ in range(3))
    report = {
        "cases": options.cases,
        "violations": violations,
        "plan_claims": PLAN_CLAIMS,
        "plan_seconds": round(plan_seconds, 3),
        "seed": options.seed,
        "seconds": round(seconds, 1),
        "cases_per_s": round(options.cases / seconds) if options.cases else 0,
    }
    print(msgspec.json.encode(report).decode())
    return 1 if violations else 0


def _run_chunk(seed: int, number: int, size: int) -> tuple[Counter[str], list[str]]:
    """What one chunk's cases were like, and what the checker found wrong."""
    chance = random.Random(f"{seed}/{number}")
    mix, faults = Counter[str](), []
    for index in range(size):
        case = make_case(chance)
        mix.update(features(case))
        output = calculate(msgspec.convert(case, DistributionInput))
        try:
            check(case, output)
        except AssertionError as fault:
            faults.append(f"seed {seed}, chunk {number}, case {index}: {fault}")
    return mix, faults


def make_case(chance: random.Random) -> dict[str, Any]:
    """One case: up to 3 pools and 12 claims of all kinds, with ties, zeros, shortages and preferences."""
    largest = chance.choice(LARGEST)

    def amount() -> int:
        return chance.randint(0, chance.choice((largest, 7, largest)))

    pools = [
        {
            "id": f"pool{number}",
            "proceeds_fen": amount(),
            "costs": [{"id": f"cost{each}", "amount_fen": amount()} for each in range(chance.choice((0, 0, 1, 2)))],
            "sale_taxes_fen": chance.choice((0, amount())),
            "rent_carve_out_fen": chance.choice((0, 0, amount())),
        }
        for number in range(chance.choice((0, 1, 1, 2, 3)))
    ]
    claims = [_make_claim(chance, f"claim{number}", pools, amount()) for number in range(chance.randint(0, 12))]
    debtor = chance.choice(("person", "other_organisation", "enterprise"))
    preference = None
    if claims and debtor != "enterprise" and chance.random() < 0.25:
        method = chance.choice(("pool_percent", "share_uplift"))
        preference = {"method": method, "percent": chance.randint(0, 100), "claim": chance.choice(claims)["id"]}
    return {"debtor": debtor, "pools": pools, "claims": claims, "first_seal_preference": preference}


def _make_claim(chance: random.Random, name: str, pools: list[dict[str, Any]], principal_fen: int) -> dict[str, Any]:
    kind = chance.choice(KINDS)
    if kind in BOUND and not pools:
        kind = "ordinary"
    claim = {
        "id": name,
        "kind": kind,
        "principal_fen": principal_fen,
        "costs_fen": chance.choice((0, principal_fen // 3)),
        "interest_fen": chance.choice((0, principal_fen, principal_fen // 7)),
        "rank_on": chance.choice(DAYS),
        "sealed_on": chance.choice(DAYS),
    }
    if kind in BOUND:
        claim["pool"] = chance.choice(pools)["id"]
    if kind not in UNDOUBLED:
        claim["doubled_fen"] = chance.choice((0, principal_fen // 5))
    return claim


def features(case: dict[str, Any]) -> list[str]:
    """What the printed mix counts of a case."""
    claims, preference = case["claims"], case["first_seal_preference"]
    found = [f"debtor {case['debtor']}", f"pools {len(case['pools'])}"]
    found += [f"kind {kind}" for kind in {claim["kind"] for claim in claims}]
    found.append(f"preference {preference['method'] if preference else 'none'}")
    if len({claim["principal_fen"] for claim in claims}) < len(claims):
        found.append("equal principals")
    for field in ("rank_on", "sealed_on"):
        days = [claim[field] for claim in claims if claim[field]]
        if len(set(days)) < len(days):
            found.append(f"equal {field}")
    proceeds = sum(pool["proceeds_fen"] for pool in case["pools"])
    owed = sum(claim["principal_fen"] for claim in claims)
    found.append("short of money" if proceeds < owed else "enough money")
    return found


def _time_plan(seed: int) -> float:
    """Seconds to draw one plan of 10,000 claims, lines and all."""
    chance = random.Random(f"{seed}/plan")
    home = str(UUID(int=1))
    basis = Basis(
        debtor=DebtorKind.PERSON,
        debtor_party=UUID(int=2),
        debtor_name="被执行人",
        proceeds=(Proceeds(home, "房屋", Fen(10**12)), Proceeds("case_money", "案款", Fen(10**11))),
        costs=(),
        claims=tuple(_participation(chance, number, home) for number in range(PLAN_CLAIMS)),
    )
    started = time.perf_counter()
    drawn = draw(basis)
    seconds = time.perf_counter() - started
    assert drawn.proceeds_fen == 11 * 10**11, "each fen stands on one line"
    return seconds


def _participation(chance: random.Random, number: int, home: str) -> Participation:
    kind = ClaimKind(chance.choice(KINDS))
    claim = Claim(
        id=str(UUID(int=1_000_000 + number)),
        kind=kind,
        pool=home if kind in BOUND_TO_POOL else None,
        interest_fen=Fen(chance.randint(0, 10**8)),
        principal_fen=Fen(chance.randint(1, 10**9)),
    )
    return Participation(UUID(int=10_000 + number), f"债权人{number}", claim)
