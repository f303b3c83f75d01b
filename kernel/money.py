"""Money is integer fen (分, 1/100 yuan); nothing here, or anywhere else, is a float.

Rounding follows R-GEN-04, since no statute fixes it: legal minimums round up, legal maximums round
down, averages and fees round half up, and shares are cut by largest remainder so that no fen is lost.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NewType

Fen = NewType("Fen", int)

MAX_FEN = Fen(10**15)
"""The largest amount accepted from outside (10 trillion yuan); sums of a thousand such fit a BIGINT."""


def round_up(exact: Fraction) -> Fen:
    """The smallest whole fen not below `exact`: for legal minimums."""
    return Fen(-(-exact.numerator // exact.denominator))


def round_down(exact: Fraction) -> Fen:
    """The largest whole fen not above `exact`: for legal maximums."""
    return Fen(exact.numerator // exact.denominator)


def round_half_up(exact: Fraction) -> Fen:
    """The nearest whole fen, halves away from zero: for averages and fees."""
    magnitude = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return Fen(magnitude if exact >= 0 else -magnitude)


def share(amount: Fen, weights: Sequence[int]) -> list[Fen]:
    """Cut `amount` in proportion to `weights`, to the fen, by largest remainder (R-GEN-04).

    Each share is floored; the fen left over go one by one to the largest remainders, ties to the
    earlier weight. The shares sum to `amount` exactly. All weights zero: every share is zero and the
    caller keeps the money, so that case must be asked for only with `amount` zero.
    """
    total = sum(weights)
    if total == 0:
        if amount:
            raise ValueError("an amount cannot be shared over weights that are all zero")
        return [Fen(0)] * len(weights)
    floors = [amount * weight // total for weight in weights]
    missing = amount - sum(floors)
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for index in by_remainder[:missing]:
        floors[index] += 1
    return [Fen(floor) for floor in floors]


def yuan(amount: int) -> str:
    """`35600000` -> `"356,000.00"`: for sentences and summaries."""
    sign = "-" if amount < 0 else ""
    whole, cents = divmod(abs(amount), 100)
    return f"{sign}{whole:,}.{cents:02d}"
