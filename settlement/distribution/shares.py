"""The arithmetic of one place of the waterfall: how its money is shared among those who stand there.

Invariant: no share exceeds what is open, and together the shares are all the money or all that is open.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from kernel.money import Fen, share

NOTHING = Fen(0)


@dataclass(frozen=True, slots=True)
class Share:
    """What one claim got at one place, with its arithmetic, so that a plan line can explain itself.

    `share_of_fen` is what the whole class got there, `class_open_fen` what was open of it before, and
    `claim_open_fen` the part of that which is this claim's. The last two fields are first-seal preference
    (R-DIST-16) and 0 on all other shares: money given before the sharing, or the raise of the share.
    """

    amount_fen: Fen
    share_of_fen: Fen
    claim_open_fen: Fen
    class_open_fen: Fen
    first_fen: Fen = NOTHING
    uplift_percent: int = 0

    @property
    def exact_fen(self) -> Fraction:
        """The share before rounding: `amount_fen` differs from it by less than 1 fen."""
        if self.share_of_fen == self.class_open_fen:  # all paid in full, or nothing to share
            return Fraction(self.first_fen + self.claim_open_fen)
        part = Fraction(self.share_of_fen * self.claim_open_fen, self.class_open_fen)
        raised = part * (100 + self.uplift_percent) / 100
        return self.first_fen + min(raised, Fraction(min(self.claim_open_fen, self.share_of_fen)))


def pro_rata(money: int, opens: Sequence[int]) -> list[Share]:
    """Share `money` in proportion to what is open, each claim at most in full (R-DIST-03, R-GEN-04)."""
    class_open = Fen(sum(opens))
    shared = Fen(min(money, class_open))
    amounts = share(shared, opens) if shared < class_open else [Fen(claim_open) for claim_open in opens]
    return [
        Share(amount, shared, Fen(claim_open), class_open) for amount, claim_open in zip(amounts, opens, strict=True)
    ]


def pool_percent(money: int, opens: Sequence[int], favoured: int, percent: int) -> list[Share]:
    """`percent` of the money first, then the favoured claim shares with its rest (R-DIST-16, method 1)."""
    first = min(money * percent // 100, opens[favoured])
    rests = [*opens]
    rests[favoured] -= first
    shares = pro_rata(money - first, rests)
    cut = shares[favoured]
    shares[favoured] = replace(cut, amount_fen=Fen(cut.amount_fen + first), first_fen=Fen(first))
    return shares


def share_uplift(money: int, opens: Sequence[int], favoured: int, percent: int) -> list[Share]:
    """The favoured claim's exact share raised by `percent`; the rest to the others (R-DIST-16, method 2).

    The favoured share is floored; the fen so left are the others' and never more than is open of them.
    """
    claim_open, class_open = opens[favoured], sum(opens)
    shared = min(money, class_open)
    uplifted = min(shared * claim_open * (100 + percent) // (class_open * 100), claim_open, shared)
    others = [*opens]
    others[favoured] = 0
    shares = pro_rata(money - uplifted, others)
    shares[favoured] = Share(Fen(uplifted), Fen(shared), Fen(claim_open), Fen(class_open), uplift_percent=percent)
    return shares
