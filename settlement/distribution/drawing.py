"""A plan from its basis: whole, with the disputed part in escrow, or giving an escrow out (R-DIST-04 to 06).

Invariant: no outcome of a suit asks back what was paid while it ran, and with its judgment everybody ends where a plan
by that judgment would have left them, to the fen.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from uuid import UUID, uuid5

from kernel.law import citation
from kernel.money import Fen, share
from settlement.distribution.claims import Debt
from settlement.distribution.lines import as_json, draw_whole
from settlement.distribution.plans import Basis, Drawn, Line, Participation, PayeeKind, Place, Settled
from settlement.distribution.shares import NOTHING

ESCROW_NAME = "提存（分配方案异议之诉）"
RULE_OF_ESCROW = "R-DIST-06"


def draw(basis: Basis) -> Drawn:
    """The plan that follows from `basis` (R-DIST-04); raises `Malformed` for a basis no distribution can follow."""
    if basis.settles is not None:
        return _draw_release(basis, basis.settles)
    return _draw_undisputed(basis) if basis.disputes else draw_whole(basis)


def _draw_undisputed(basis: Basis) -> Drawn:
    """What every outcome of the suits leaves each payee is paid, the rest of their lines kept in escrow (R-DIST-06).

    Of a disputed claim that is the dividend on its undisputed part; the escrow is the dividend on the disputed one.
    Where an objector wants more than the plan says, the others' shares of that lie in escrow too.
    """
    wanted: defaultdict[UUID, list[Debt]] = defaultdict(list)
    for dispute in basis.disputes:
        wanted[dispute.claim_id].append(dispute.debt)
    most = _with_claims(basis, {each: _bound(max, basis, each, debts) for each, debts in wanted.items()})
    least = {each: _bound(min, basis, each, debts) for each, debts in wanted.items()}
    whole = draw_whole(most)
    original = whole if most.claims == basis.claims else draw_whole(replace(basis, disputes=()))
    sure = {line.place: line for line in whole.lines}
    for party_id in {each.party_id for each in basis.claims if UUID(each.claim.id) in wanted}:
        own = {UUID(each.claim.id): each.debt for each in basis.claims if _is_of(each, party_id, least)}
        undisputed = {claim_id: least[claim_id] for claim_id in own}
        lowest = _by_place(draw_whole(_with_claims(most, undisputed)).lines)
        split = _by_place(draw_whole(_split(_with_claims(most, own), undisputed)).lines)
        for place, line in sure.items():
            if place[3] == party_id and line.claim_id is not None:
                sure[place] = min((line, *(_line_at(drawn, line) for drawn in (lowest, split))), key=_amount)
    lines: list[Line] = []
    for line in original.lines:
        kept = sure.get(line.place)
        paid = Fen(min(line.amount_fen, kept.amount_fen if kept else 0))
        if paid:
            arithmetic = kept.arithmetic if kept and kept.amount_fen == paid else line.arithmetic
            lines.append(replace(line, position=len(lines) + 1, amount_fen=paid, arithmetic=arithmetic))
        if paid < line.amount_fen:
            lines.append(_to_escrow(len(lines) + 1, line, paid))
    return Drawn(tuple(lines), original.outcome)


def _draw_release(basis: Basis, settled: Settled) -> Drawn:
    """The escrow of a plan, given out so that everybody ends with what the judgment leaves them (R-DIST-06).

    Should rounding have given somebody a fen more already than they end with, the others bear it by largest remainder.
    """
    final, earlier = draw_whole(replace(basis, settles=None)), draw(settled.basis)
    given = {line.place: line.amount_fen for line in earlier.lines if line.payee_kind is not PayeeKind.ESCROW}
    due = [max(0, line.amount_fen - given.get(line.place, 0)) for line in final.lines]
    lines = [
        replace(
            line,
            position=0,
            rule=RULE_OF_ESCROW,
            law=citation(RULE_OF_ESCROW),
            amount_fen=amount,
            arithmetic=as_json({"from_fen": line.amount_fen, "less_fen": given.get(line.place, 0)}),
        )
        for line, amount in zip(final.lines, share(earlier.escrow_fen, due), strict=True)
        if amount
    ]
    return Drawn(tuple(replace(line, position=number) for number, line in enumerate(lines, start=1)), final.outcome)


def _to_escrow(position: int, line: Line, paid_fen: Fen) -> Line:
    """The rest of a line, kept for whoever the judgment gives it to; its claim and part stay named."""
    return replace(
        line,
        position=position,
        rule=RULE_OF_ESCROW,
        law=citation(RULE_OF_ESCROW),
        payee_kind=PayeeKind.ESCROW,
        payee=ESCROW_NAME,
        amount_fen=Fen(line.amount_fen - paid_fen),
        arithmetic=as_json({"from_fen": line.amount_fen, "less_fen": paid_fen}),
    )


def _bound(end: Callable[[int, int], int], basis: Basis, claim_id: UUID, debts: Iterable[Debt]) -> Debt:
    """The highest or lowest that a claim can come out at, part by part."""
    found = next(each.debt for each in basis.claims if each.claim.id == str(claim_id))
    for debt in debts:
        found = Debt(*(Fen(end(getattr(found, part), getattr(debt, part))) for part in Debt.__slots__))
    return found


def _with_claims(basis: Basis, debts: Mapping[UUID, Debt]) -> Basis:
    """The basis with other amounts for some claims, as plain distribution."""
    claims = tuple(
        each.of(debts[UUID(each.claim.id)]) if UUID(each.claim.id) in debts else each for each in basis.claims
    )
    return replace(basis, claims=claims, disputes=())


def _split(basis: Basis, undisputed: Mapping[UUID, Debt]) -> Basis:
    """The basis with each of these claims as two of one place: its undisputed part, and beside it the disputed one."""
    claims: list[Participation] = []
    for each in basis.claims:
        part = undisputed.get(UUID(each.claim.id))
        if part is None:
            claims.append(each)
            continue
        rest = Debt(*(Fen(getattr(each.debt, name) - getattr(part, name)) for name in Debt.__slots__))
        other = each.of(rest)
        disputed_id = str(uuid5(UUID(each.claim.id), "disputed"))
        claims += [each.of(part), replace(other, claim=replace(other.claim, id=disputed_id))]
    return replace(basis, claims=tuple(claims))


def _is_of(each: Participation, party_id: UUID, claims: Mapping[UUID, Debt]) -> bool:
    return each.party_id == party_id and UUID(each.claim.id) in claims


def _by_place(lines: Iterable[Line]) -> dict[Place, Line]:
    return {line.place: line for line in lines}


def _line_at(drawn: Mapping[Place, Line], line: Line) -> Line:
    """The same line in another drawing; one of 0 where it is missing."""
    return drawn.get(line.place) or replace(line, amount_fen=NOTHING)


def _amount(line: Line) -> Fen:
    return line.amount_fen
