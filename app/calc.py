"""`auction calc NAME [FILE]`: the platform's own rules as a calculator, JSON in, JSON out.

Each calculator is a `Wire` struct and a function beside the rules they wrap, so a judge or an auditor
recomputes a decision with the very code that made it. Only the calculator asked for is imported.
"""

import sys
from dataclasses import dataclass
from importlib import import_module

import msgspec

from app.files import WrongFile, read_file, reading
from kernel.decoding import MAX_BYTES, decode
from kernel.errors import Malformed, Refusal


@dataclass(frozen=True, slots=True)
class Calculator:
    """Where a calculator lives: a module, its input struct, and its function."""

    module: str
    document: str
    function: str = "calculate"


CALCULATORS = {
    "bidding": Calculator("bidding.desk.replay", "BiddingInput"),
    "reference-price": Calculator("app.reference_price", "ReferencePriceInput"),
    "prices": Calculator("auction.lots.schemas", "PricesInput"),
    "deposit": Calculator("bidding.registration.schemas", "DepositInput"),
    "fee": Calculator("settlement.completion.schemas", "FeeInput", "calculate_fee"),
    "default": Calculator("settlement.completion.schemas", "DefaultInput", "calculate_default"),
    "distribution": Calculator("settlement.distribution.schemas", "DistributionInput"),
    "interest": Calculator("settlement.distribution.interest_schemas", "InterestInput"),
    "deadlines": Calculator("settlement.distribution.deadlines_schemas", "DeadlinesInput"),
    "statistics": Calculator("auction.statistics.schemas", "StatisticsInput"),
}


def run(name: str, raw: bytes) -> bytes:
    """The answer of one calculator as JSON. Raises `KeyError` for an unknown name and a `Refusal`,
    mostly `Malformed`, for a document that cannot be computed."""
    calculator = CALCULATORS[name]
    module = import_module(calculator.module)
    document = decode(raw, getattr(module, calculator.document))
    answer = getattr(module, calculator.function)(document)
    return msgspec.json.format(msgspec.json.encode(answer), indent=2) + b"\n"


def main_calc(name: str, file: str | None) -> int:
    """Compute from `file`, or standard input, to standard output: 0, or 2 with one line of explanation."""
    if name not in CALCULATORS:
        return _unusable(f"{name!r} is none of: {', '.join(CALCULATORS)}")
    try:
        with reading(file):
            raw = read_file(file, MAX_BYTES + 1)
        answer = run(name, raw)
    except WrongFile as error:
        return _unusable(f"{name}: {error}")
    except Malformed as refusal:
        return _unusable(f"{name}: {refusal.facts['path']}: expected {refusal.facts['expected']}")
    except Refusal as refusal:
        return _unusable(f"{name}: $: {refusal.detail_en} ({refusal.rule})")
    sys.stdout.buffer.write(answer)
    return 0


def _unusable(reason: str) -> int:
    sys.stderr.write(f"auction calc: {reason}\n")
    return 2
