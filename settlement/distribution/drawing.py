"""A plan from its basis: whole, with what is uncertain in escrow, or giving an escrow out (R-DIST-04 to 06).

Invariant: with the last judgment each claim (its debt under the title, and its doubled part) and the debtor have got,
to the fen, what a plan by the judgments alone would have given them. Before it nothing is paid that an outcome of the
suits still open would not give (`certain`); so nothing is ever asked back, and what escrows give out is a difference.
Where a judgment raises costs or interest of a claim whose principal was paid meanwhile, the sum is right and those fen
stay booked on the principal.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from kernel.law import citation
from kernel.money import Fen
from settlement.distribution.certain import Bucket, bucket_of, certain
from settlement.distribution.errors import SatisfactionShort
from settlement.distribution.lines import as_json, draw_whole
from settlement.distribution.plans import RULE_OF_TAKING, Basis, Drawn, Line, PayeeKind, SetOff, Settled

ESCROW_NAME = "提存（分配方案异议之诉）"
RULE_OF_ESCROW = "R-DIST-06"
LAW_OF_SET_OFF = {RULE_OF_TAKING: citation(RULE_OF_TAKING)}
"""A price set off against the claim of who bought rests on a decision alone, and cites no law."""

Given = dict[Bucket, dict[str, int]]
"""What was paid before, by part of each sum; fen."""


def draw(basis: Basis) -> Drawn:
    """The plan that follows from `basis` (R-DIST-04); raises `Malformed` for a basis no distribution can follow.

    Raises `SatisfactionShort` where a taker or buyer set off more than the plan gives them.

    With `disputes` what is uncertain lies in escrow; with `settles` the escrow of that plan is what is given out, as
    far as the judgments reach: those still open leave their part in escrow again.
    """
    drawn = _draw_money(basis)
    if basis.set_offs and basis.settles is None:  # a release gives out money alone
        return replace(drawn, lines=_with_set_offs(drawn.lines, basis.set_offs))
    return drawn


def _with_set_offs(lines: Sequence[Line], set_offs: Iterable[SetOff]) -> tuple[Line, ...]:
    """The first lines of each taker or buyer are paid by what they did not pay in; raises `SatisfactionShort`."""
    left: Counter[tuple[UUID, str]] = Counter()
    for each in set_offs:
        left[each.party_id, each.rule] += each.amount_fen
    found: list[Line] = []
    for line in lines:
        rest = line.amount_fen
        is_theirs = line.payee_kind is PayeeKind.PARTY and line.claim_id is not None
        for party_id, rule in left if is_theirs else ():
            if party_id == line.payee_id and (amount := min(rest, left[party_id, rule])):
                left[party_id, rule] -= amount
                rest = Fen(rest - amount)
                taken = replace(line, payee_kind=PayeeKind.SET_OFF, rule=rule, law=LAW_OF_SET_OFF.get(rule))
                found.append(_part_of(len(found) + 1, taken, amount))
        if rest:
            found.append(_part_of(len(found) + 1, line, rest))
    if missing := left.total():
        raise SatisfactionShort(missing_fen=missing)
    return tuple(found)


def _draw_money(basis: Basis) -> Drawn:
    whole = draw_whole(basis)
    if not basis.disputes and basis.settles is None:
        return whole
    given = _given(basis.settles)
    sure = certain(basis) if basis.disputes else None
    sums: defaultdict[Bucket, list[Line]] = defaultdict(list)
    for line in whole.lines:
        sums[bucket_of(line)].append(line)
    now: dict[int, tuple[int, int]] = {}
    for bucket, parts in sums.items():
        left = _less_given(parts, given.get(bucket, {}))
        payable = sum(left)
        if sure is not None and bucket[0] is PayeeKind.PARTY:
            payable = max(0, min(payable, sure.least.get(bucket, 0) - sum(given.get(bucket, {}).values())))
        now |= _pay_first(parts, left, payable)
    lines: list[Line] = []
    for line in whole.lines:
        paid, kept = now[line.position]
        if paid and basis.settles is not None:
            lines.append(_part_of(len(lines) + 1, _under_rule_of_escrow(line), paid))
        elif paid:
            arithmetic = sure.arithmetic(line, paid) if sure else None
            lines.append(_part_of(len(lines) + 1, line, paid, arithmetic))
        if kept:
            lines.append(_keep(len(lines) + 1, line, kept))
    return Drawn(tuple(lines), whole.outcome)


def _given(settled: Settled | None) -> Given:
    """What the plan whose escrow is given out has paid, and those whose escrows it gave out itself."""
    if settled is None:
        return {}
    found = _given(settled.basis.settles)
    for line in draw(settled.basis).lines:
        if line.payee_kind is not PayeeKind.ESCROW:
            parts = found.setdefault(bucket_of(line), {})
            parts[line.part] = parts.get(line.part, 0) + line.amount_fen
    return found


def _less_given(parts: Sequence[Line], given: Mapping[str, int]) -> list[int]:
    """What of each line of one sum was not paid before; what a part got too much comes off the others, last first."""
    left, rest = [], dict(given)
    for line in parts:
        taken = min(line.amount_fen, rest.get(line.part, 0))
        rest[line.part] = rest.get(line.part, 0) - taken
        left.append(line.amount_fen - taken)
    beyond = sum(rest.values())
    for index in reversed(range(len(left))):
        taken = min(left[index], beyond)
        left[index] -= taken
        beyond -= taken
    assert beyond == 0, "no outcome gives less than was paid"
    return left


def _pay_first(parts: Sequence[Line], left: Sequence[int], payable: int) -> dict[int, tuple[int, int]]:
    """By position of each line: what of it is paid now and what is kept, first lines first."""
    found = {}
    for line, amount in zip(parts, left, strict=True):
        paid = min(amount, payable)
        payable -= paid
        found[line.position] = (paid, amount - paid)
    return found


def _keep(position: int, line: Line, amount: int) -> Line:
    """The rest of a line, kept for whoever the judgment gives it to; its claim and part stay named."""
    kept = replace(_under_rule_of_escrow(line), payee_kind=PayeeKind.ESCROW, payee=ESCROW_NAME)
    return _part_of(position, kept, amount)


def _under_rule_of_escrow(line: Line) -> Line:
    return replace(line, rule=RULE_OF_ESCROW, law=citation(RULE_OF_ESCROW))


def _part_of(position: int, line: Line, amount: int, arithmetic: str | None = None) -> Line:
    """The line with so much of its amount, and how it comes about: the rest of it is paid or kept elsewhere."""
    if amount < line.amount_fen or line.rule == RULE_OF_ESCROW:
        less = as_json({"from_fen": line.amount_fen, "less_fen": line.amount_fen - amount})
        line = replace(line, amount_fen=Fen(amount), arithmetic=arithmetic or less)
    return line if line.position == position else replace(line, position=position)
