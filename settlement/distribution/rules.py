"""The waterfall: how the proceeds of a case are distributed (R-DIST-03, 08 to 14, 16, 18; R-INT-05).

Invariant: every fen of the proceeds is on exactly one line or in the surplus, no line exceeds what was
open, and money reaches a place only when every place before it in the same purse is paid in full.
Money is whole fen throughout; shares are cut by largest remainder, ties by registration (R-GEN-04).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from itertools import groupby

from kernel.money import Fen
from settlement.distribution.claims import (
    BOUND_TO_POOL,
    Allocation,
    Claim,
    ClaimKind,
    ClaimResult,
    Debt,
    DebtorKind,
    Distribution,
    Level,
    Part,
    Pool,
    Preference,
    PreferenceMethod,
    check,
)
from settlement.distribution.shares import Share, pool_percent, pro_rata, share_uplift

RULES: dict[Level, str] = {
    Level.COSTS: "R-COST-04",
    Level.SALE_TAXES: "R-COST-05",
    Level.RENT_CARVE_OUT: "R-SEAL-12",
    Level.INJURY_MEDICAL: "R-DIST-14",
    Level.BUYERS_AND_BUILDERS: "R-DIST-11",
    Level.OLDER_TAXES: "R-DIST-12",
    Level.SECURITIES: "R-DIST-10",
    Level.YOUNGER_TAXES: "R-DIST-12",
    Level.RESTITUTION: "R-DIST-14",
    Level.ORDINARY: "R-DIST-03",
    Level.DOUBLED_INTEREST: "R-INT-05",
    Level.PENALTIES: "R-DIST-14",
}
"""The rule that puts a line at its level; the two exceptions are named where they are made."""

TITLED = (Part.COSTS, Part.INTEREST, Part.PRINCIPAL)
"""The debt fixed by the title, in the order in which a claim is paid off (R-DIST-18)."""


class _Creditor:
    """A claim while money runs: its number in the register, and what is still open of each part."""

    __slots__ = ("claim", "number", "open")

    def __init__(self, number: int, claim: Claim) -> None:
        self.number = number
        self.claim = claim
        self.open: dict[Part, int] = {
            Part.COSTS: claim.costs_fen,
            Part.INTEREST: claim.interest_fen,
            Part.PRINCIPAL: claim.principal_fen,
            Part.DOUBLED: claim.doubled_fen,
        }

    def due(self, parts: Sequence[Part] = TITLED) -> int:
        """Fen open over `parts`."""
        still = self.open
        return sum([still[part] for part in parts])

    def result(self) -> ClaimResult:
        """How the claim stands now."""
        claim = self.claim
        owed = claim.costs_fen + claim.interest_fen + claim.principal_fen + claim.doubled_fen
        debt = Debt(
            costs_fen=Fen(self.open[Part.COSTS]),
            interest_fen=Fen(self.open[Part.INTEREST]),
            principal_fen=Fen(self.open[Part.PRINCIPAL]),
            doubled_fen=Fen(self.open[Part.DOUBLED]),
        )
        return ClaimResult(claim.id, Fen(owed - sum(self.open.values())), debt)


class _Book:
    """The lines written so far, and the rules that decided anything."""

    def __init__(self, debtor: DebtorKind) -> None:
        self.lines: list[Allocation] = []
        self.rules = {"R-DIST-08" if debtor is DebtorKind.ENTERPRISE else "R-DIST-03"}

    def write(self, line: Allocation) -> None:
        """Add a line. Lines of 0 say nothing, so nobody makes them."""
        self.lines.append(line)
        self.rules.add(line.rule)

    def cite_rounding(self, shares: Iterable[Share]) -> None:
        """Cite the rounding convention if any of `shares` needed it (R-GEN-04)."""
        if any(cut.amount_fen != cut.exact_fen for cut in shares):
            self.rules.add("R-GEN-04")


class _Purse:
    """Money of one pool, or (`pool` None) of what all pools leave, and the ways to pay out of it."""

    def __init__(self, book: _Book, pool: str | None, money: int) -> None:
        self.book = book
        self.pool = pool
        self.left = money

    def take(self, level: Level, to: str, part: Part, due: int) -> int:
        """Pay something that is no claim, as far as the money goes. Returns the fen paid."""
        paid = Fen(min(due, self.left))
        if not paid:
            return 0
        arithmetic = Share(paid, paid, Fen(due), Fen(due))
        self.book.write(Allocation(self.pool, level, to, part, paid, RULES[level], arithmetic))
        self.left -= paid
        return paid

    def divide(
        self,
        level: Level,
        creditors: Iterable[_Creditor],
        parts: Sequence[Part] = TITLED,
        rule: str | None = None,
    ) -> None:
        """Pay creditors of one place pro rata of what is open over `parts` (R-DIST-03, 10)."""
        if not self.left:
            return
        group = [(creditor, due) for creditor in creditors if (due := creditor.due(parts))]
        if not group:
            return
        shares = pro_rata(self.left, [due for _, due in group])
        self.book.cite_rounding(shares)
        for (creditor, _), cut in zip(group, shares, strict=True):
            self.pay(level, creditor, cut, parts, rule or RULES[level])

    def pay(self, level: Level, creditor: _Creditor, cut: Share, parts: Sequence[Part], rule: str) -> None:
        """Pay one claim its share, to one part of the claim after the other (R-DIST-18)."""
        if 0 < cut.amount_fen < creditor.due(parts) and sum(creditor.open[part] > 0 for part in parts) > 1:
            self.book.rules.add("R-DIST-18")
        rest: int = cut.amount_fen
        for part in parts:
            paid = min(rest, creditor.open[part])
            if not paid:
                continue
            self.book.write(Allocation(self.pool, level, creditor.claim.id, part, Fen(paid), rule, cut))
            creditor.open[part] -= paid
            rest -= paid
        self.left -= cut.amount_fen


def distribute(
    debtor: DebtorKind,
    pools: Sequence[Pool],
    claims: Sequence[Claim],
    preference: Preference | None = None,
) -> Distribution:
    """Distribute the pools over the claims by the default waterfall (R-DIST; 民诉法解释 第五百零六条至第五百一十四条).

    All amounts in fen. Raises `Malformed` for a case that `claims.check` refuses. The same input gives the
    same output, line by line.
    """
    check(debtor, pools, claims, preference)
    creditors = [_Creditor(number, claim) for number, claim in enumerate(claims)]
    book = _Book(debtor)
    carve_out, left = _pay_pools(book, pools, creditors)
    rest = _Purse(book, None, left)
    rest.divide(Level.RESTITUTION, _of_kind(creditors, ClaimKind.RESTITUTION))
    quota = _pay_ordinary(rest, debtor, creditors, preference)
    _pay_doubled(rest, debtor, creditors)
    rest.divide(Level.PENALTIES, _of_kind(creditors, ClaimKind.FINE))
    rest.divide(Level.PENALTIES, _of_kind(creditors, ClaimKind.CONFISCATION))
    if rest.left:
        book.rules.add("R-CLOSE-13")
    return Distribution(
        allocations=tuple(book.lines),
        claims=tuple(creditor.result() for creditor in creditors),
        carve_out_fen=Fen(carve_out),
        surplus_fen=Fen(rest.left),
        quota=quota,
        proceeds_fen=Fen(sum(pool.proceeds_fen for pool in pools)),
        distributed_fen=Fen(sum(line.amount_fen for line in book.lines)),
        rules=tuple(sorted(book.rules)),
    )


def _pay_pools(book: _Book, pools: Sequence[Pool], creditors: Sequence[_Creditor]) -> tuple[int, int]:
    """Levels 1 to 8, pool by pool. Returns the rent really carved out and the fen that all pools leave."""
    bound: dict[str | None, list[_Creditor]] = {pool.id: [] for pool in pools}
    for creditor in creditors:
        if creditor.claim.kind in BOUND_TO_POOL:
            bound[creditor.claim.pool].append(creditor)
    injured = _of_kind(creditors, ClaimKind.INJURY_MEDICAL)
    taxes = _of_kind(creditors, ClaimKind.TAX)
    carve_out = left = 0
    for pool in pools:
        purse = _Purse(book, pool.id, pool.proceeds_fen)
        for cost in pool.costs:
            purse.take(Level.COSTS, cost.id, Part.COSTS, cost.amount_fen)
        purse.take(Level.SALE_TAXES, "sale_taxes", Part.SALE_TAXES, pool.sale_taxes_fen)
        carve_out += purse.take(Level.RENT_CARVE_OUT, "debtor", Part.RENT_CARVE_OUT, pool.rent_carve_out_fen)
        purse.divide(Level.INJURY_MEDICAL, injured)
        _pay_buyers_and_builders(purse, bound[pool.id])
        _pay_securities_and_taxes(purse, bound[pool.id], taxes)
        injured = [creditor for creditor in injured if creditor.due()]
        taxes = [creditor for creditor in taxes if creditor.due()]
        left += purse.left
    return carve_out, left


def _pay_buyers_and_builders(purse: _Purse, bound: Sequence[_Creditor]) -> None:
    """Level 5: paid-up home buyers, then construction price, whose principal alone has priority (R-DIST-11)."""
    purse.divide(Level.BUYERS_AND_BUILDERS, _of_kind(bound, ClaimKind.HOME_BUYER))
    purse.divide(Level.BUYERS_AND_BUILDERS, _of_kind(bound, ClaimKind.CONSTRUCTION_PRICE), parts=(Part.PRINCIPAL,))


def _pay_securities_and_taxes(purse: _Purse, bound: Sequence[_Creditor], taxes: Sequence[_Creditor]) -> None:
    """Levels 6 to 8: liens, then other securities by rank (R-DIST-10), each after the taxes older than it.

    So lines of levels 6 and 7 alternate. Taxes older than no security of this pool come last (R-DIST-12).
    """
    if not purse.left:
        return
    by_age = deque(sorted(taxes, key=lambda tax: _rank(tax.claim.rank_on)))
    liens, others = _of_kind(bound, ClaimKind.LIEN), _of_kind(bound, ClaimKind.SECURED)
    for group in (*_by_date(liens, _rank_on), *_by_date(others, _rank_on)):
        older = []
        while by_age and _is_older(by_age[0].claim, group[0].claim):
            older.append(by_age.popleft())
        purse.divide(Level.OLDER_TAXES, _in_order_of_registration(older))
        purse.divide(Level.SECURITIES, group)
    purse.divide(Level.YOUNGER_TAXES, _in_order_of_registration(by_age))


def _is_older(tax: Claim, security: Claim) -> bool:
    """Whether the tax arose strictly before the security; without both dates it did not (R-DIST-12)."""
    return tax.rank_on is not None and security.rank_on is not None and tax.rank_on < security.rank_on


def _pay_ordinary(
    rest: _Purse, debtor: DebtorKind, creditors: Sequence[_Creditor], preference: Preference | None
) -> Fraction | None:
    """Level 10: the ordinary class, with what priority claims left unpaid (R-DIST-13).

    A person or other organisation pays it pro rata (R-DIST-03), an enterprise in order of sealing
    (R-DIST-08). Returns the quota of the class.
    """
    members = [
        creditor
        for creditor in creditors
        if (creditor.claim.kind is ClaimKind.ORDINARY or creditor.claim.kind in BOUND_TO_POOL) and creditor.due()
    ]
    if any(creditor.claim.kind in BOUND_TO_POOL for creditor in members):
        rest.book.rules.add("R-DIST-13")
    if debtor is DebtorKind.ENTERPRISE:
        for group in _by_date(members, _sealed_on):
            rest.divide(Level.ORDINARY, group, rule="R-DIST-08")
        return None
    if not members:
        return None
    quota = min(Fraction(1), Fraction(rest.left, sum(creditor.due() for creditor in members)))
    favoured = [creditor for creditor in members if preference and creditor.claim.id == preference.claim]
    if preference and favoured:
        _divide_with_preference(rest, members, favoured[0], preference)
    else:
        rest.divide(Level.ORDINARY, members)
    return quota


def _divide_with_preference(
    rest: _Purse, members: Sequence[_Creditor], favoured: _Creditor, preference: Preference
) -> None:
    """Level 10 where the court prefers the first seal, never beyond its claim (R-DIST-16)."""
    rest.book.rules.add("R-DIST-16")
    first_served = {
        PreferenceMethod.POOL_PERCENT: pool_percent,
        PreferenceMethod.SHARE_UPLIFT: share_uplift,
    }[preference.method]
    opens = [creditor.due() for creditor in members]
    shares = first_served(rest.left, opens, members.index(favoured), preference.percent)
    rest.book.cite_rounding(shares)
    for creditor, cut in zip(members, shares, strict=True):
        rule = "R-DIST-16" if creditor is favoured else RULES[Level.ORDINARY]
        rest.pay(Level.ORDINARY, creditor, cut, TITLED, rule)


def _pay_doubled(rest: _Purse, debtor: DebtorKind, creditors: Sequence[_Creditor]) -> None:
    """Level 11: the doubled interest of every claim, after all of level 10 (R-INT-05)."""
    in_sealing_order = debtor is DebtorKind.ENTERPRISE
    for group in _by_date(creditors, _sealed_on) if in_sealing_order else [creditors]:
        rest.divide(Level.DOUBLED_INTEREST, group, parts=(Part.DOUBLED,))


def _of_kind(creditors: Iterable[_Creditor], kind: ClaimKind) -> list[_Creditor]:
    return [creditor for creditor in creditors if creditor.claim.kind is kind]


def _in_order_of_registration(creditors: Iterable[_Creditor]) -> list[_Creditor]:
    return sorted(creditors, key=lambda creditor: creditor.number)


def _rank_on(creditor: _Creditor) -> date | None:
    return creditor.claim.rank_on


def _sealed_on(creditor: _Creditor) -> date | None:
    return creditor.claim.sealed_on


def _rank(on: date | None) -> tuple[bool, date]:
    """Sorts by date, what has none last."""
    return on is None, on or date.max


def _by_date(creditors: Sequence[_Creditor], date_of: Callable[[_Creditor], date | None]) -> Iterator[list[_Creditor]]:
    """Groups of equal date, earliest first, those without a date last (R-DIST-09, 10)."""

    def rank(creditor: _Creditor) -> tuple[bool, date]:
        return _rank(date_of(creditor))

    for _, group in groupby(sorted(creditors, key=rank), key=rank):
        yield list(group)
