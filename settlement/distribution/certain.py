"""What no judgment can take back: the least that each claim gets, whatever the suits over a plan find (R-DIST-06).

A suit may find each part of a disputed claim anywhere between the plan's amount and the objector's, so the outcomes are
a box of plans. Invariant: `certain` never exceeds what any plan of that box gives to a claim under its title, to its
doubled part, or to the debtor. It rests on two facts about the waterfall, with `exact` for shares before rounding.

1. Raising a claim never raises what another gets exactly, nor the surplus. At a place with money m and open sums o,
   `paid' = paid + q·o` with q = min(1, m/Σo); if before it everybody else has got no more and no less money is gone,
   then q is no higher and the same holds after it; all that is gone is kept, so the claim itself got no less.
   So every outcome gives at least what the hardest one does, where each disputed claim stands at its highest; and to a
   disputed claim at least what its undisputed part gets there beside the rest of what was planned for it, as if that
   were another claim of the same place: this is the dividend on the undisputed part.
   (The one exception is first-seal preference as a raised share, which `_most_favoured` bounds by itself.)
2. Largest remainder moves a share by less than 1 fen, and what a place gives out together by nothing. So a claim ends
   less than k fen from its exact sum, where k counts the places at which it shares: for most claims 1, and the bound is
   then the exact sum cut to whole fen. Where claims that shared a place share again in other company, rounding reaches
   others too; a place is nonexpansive (Σ|difference| of what is paid and left never grows) and rounding n shares adds
   at most n/2 to it, half of it in either direction, so a quarter of all shares bounds what any claim may lose.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from uuid import UUID, uuid5

from kernel.money import Fen, round_down, round_up
from settlement.distribution.claims import (
    BOUND_TO_POOL,
    Claim,
    ClaimKind,
    Debt,
    DebtorKind,
    Level,
    Part,
    Preference,
    PreferenceMethod,
)
from settlement.distribution.lines import draw_whole
from settlement.distribution.plans import SURPLUS, Basis, Drawn, Line, Participation, PayeeKind, Place

TITLED_PART = "titled"
"""Costs, interest and principal of one claim together: in which of them a fen stands, the judgment may change."""

Bucket = tuple[PayeeKind, UUID, UUID | None, str]
"""What the suits leave a sum for: one claim under its title, its doubled part, one cost, or the debtor's surplus."""

_RANKED = frozenset({ClaimKind.SECURED, ClaimKind.LIEN})
_IN_EVERY_POOL = frozenset({ClaimKind.TAX, ClaimKind.INJURY_MEDICAL})


def bucket_of(line: Line) -> Bucket:
    """The sum that a line of the whole distribution is part of."""
    titled = line.claim_id is not None and line.part != Part.DOUBLED
    kind = PayeeKind.PARTY if line.payee_kind is PayeeKind.SET_OFF else line.payee_kind
    return kind, line.payee_id, line.claim_id, TITLED_PART if titled else line.part


@dataclass(frozen=True, slots=True)
class Certain:
    """The least of each sum in every outcome, and the lines that the hardest one would have; fen.

    Costs come before every claim, so that no suit over claims touches them; they are not named.
    """

    least: Mapping[Bucket, Fen]
    lines: Mapping[Place, Line]

    def arithmetic(self, line: Line, amount: int) -> str | None:
        """How `amount` of the line comes about, if the hardest outcome says so."""
        found = self.lines.get(line.place)
        return found.arithmetic if found is not None and found.amount_fen == amount else None


def certain(basis: Basis) -> Certain:
    """The least that each claim and the debtor get in every outcome of the suits over `basis`."""
    planned = {UUID(each.claim.id): each.debt for each in basis.claims}
    boxes = _boxes(basis, planned)
    favoured = UUID(basis.preference.claim) if basis.preference else None
    least = {each: lowest for each, (lowest, _) in boxes.items()}
    most = {each: highest for each, (_, highest) in boxes.items()}

    def world(own: Mapping[UUID, Debt]) -> Basis:
        """All at their highest, but `own` as given; the undisputed parts stand apart, not of who is favoured by it."""
        apart = {*own, *(boxes.keys() - {favoured})}
        return _split(_with_claims(basis, {**most, **own}), {each: least[each] for each in apart if each in least})

    others = world({})
    rounding = _Rounding(basis, others)
    found, lines = dict[Bucket, Fen](), dict[Place, Line]()

    def weigh(hard: Basis, drawn: Drawn, wanted: Collection[tuple[UUID | None, str]]) -> None:
        found.update((each, fen) for each, fen in rounding.below(hard, drawn).items() if each[2:] in wanted)
        lines.update((line.place, line) for line in drawn.lines if bucket_of(line)[2:] in wanted)

    alone = {each for each, debt in planned.items() if each == favoured or most.get(each, debt) != debt}
    together = {(each, part) for each in planned.keys() - alone for part in (TITLED_PART, str(Part.DOUBLED))}
    weigh(others, draw_whole(_most_favoured(basis, others, least, rounding)), {*together, (None, SURPLUS)})
    for claim_id in alone:
        debt = planned[claim_id]
        doubled = replace(most.get(claim_id, debt), doubled_fen=debt.doubled_fen)
        for part, own in ((TITLED_PART, debt), (str(Part.DOUBLED), doubled)):
            hard = world({claim_id: own})
            drawn = draw_whole(hard if claim_id == favoured else _most_favoured(basis, hard, least, rounding))
            weigh(hard, drawn, {(claim_id, part)})
    return Certain(found, lines)


class _Rounding:
    """How far rounding may part what a claim gets from its exact sum (the second fact above)."""

    def __init__(self, basis: Basis, split: Basis) -> None:
        claims = [each.claim for each in basis.claims]
        peers = Counter(_company(claim) for claim in claims)
        pools = len({proceeds.pool for proceeds in basis.proceeds} | {claim.pool for claim in claims} - {None})
        taxes = sum(claim.kind is ClaimKind.TAX for claim in claims)

        def places(claim: Claim) -> int:
            if peers[_company(claim)] < 2:
                return 1
            return pools if claim.kind in _IN_EVERY_POOL else 1 + (claim.kind in BOUND_TO_POOL)

        self.places = {claim.id: places(claim) for claim in claims}
        reaches_others = (taxes > 1 and pools > 1) or (
            basis.debtor is DebtorKind.ENTERPRISE
            and any(claim.kind in BOUND_TO_POOL and self.places[claim.id] > 1 for claim in claims)
        )
        shares = sum(self.places.get(each.claim.id, pools + 1) + 1 for each in split.claims)
        self.preferred = basis.preference is not None
        self.anywhere = (round_up(Fraction(shares, 4)) + 1) * (3 if self.preferred else 1) if reaches_others else None

    def below(self, world: Basis, drawn: Drawn) -> dict[Bucket, Fen]:
        """What every outcome gives at least, where the exact sums of `drawn` are below those of all outcomes."""
        got: defaultdict[Bucket, int] = defaultdict(int)
        exact: defaultdict[Bucket, Fraction] = defaultdict(Fraction)
        for bucket, amount, cut in _shares(world, drawn):
            got[bucket] += amount
            exact[bucket] += min(cut, Fraction(amount))
        full = {bucket for each in world.claims for bucket, owed in _owed(each).items() if exact[bucket] == owed}
        if self.anywhere is not None:
            loss = 2 * self.anywhere
            return {bucket: Fen(max(0, amount - loss)) for bucket, amount in got.items()}
        return {
            bucket: Fen(amount if bucket in full or bucket[2] is None else max(0, self._floor(bucket, exact[bucket])))
            for bucket, amount in got.items()
        }

    def _floor(self, bucket: Bucket, exact: Fraction) -> int:
        """The least whole fen above `exact` less what rounding may take: it takes less than 1 fen at each place."""
        places = self.places.get(str(bucket[2]), 1) if bucket[3] == TITLED_PART else 1
        return round_down(exact - places - 2 * self.preferred) + 1


def _shares(world: Basis, drawn: Drawn) -> Iterable[tuple[Bucket, Fen, Fraction]]:
    """Each share of a claim, with what it is before rounding, and the surplus."""
    party = {each.claim.id: each.party_id for each in world.claims}
    seen: set[tuple[str | None, Level, str, bool]] = set()
    for line in drawn.outcome.allocations:
        doubled = line.part is Part.DOUBLED
        place = line.pool, line.level, line.to, doubled
        if line.to in party and place not in seen:
            seen.add(place)
            part = Part.DOUBLED if doubled else TITLED_PART
            bucket = (PayeeKind.PARTY, party[line.to], UUID(line.to), part)
            yield bucket, line.share.amount_fen, line.share.exact_fen
    surplus = drawn.outcome.surplus_fen
    yield (PayeeKind.PARTY, world.debtor_party, None, SURPLUS), surplus, Fraction(surplus)


def _owed(each: Participation) -> dict[Bucket, int]:
    debt, claim_id = each.debt, UUID(each.claim.id)
    titled = debt.costs_fen + debt.interest_fen + debt.principal_fen
    key = PayeeKind.PARTY, each.party_id, claim_id
    return {(*key, TITLED_PART): titled, (*key, Part.DOUBLED): debt.doubled_fen}


def _company(claim: Claim) -> tuple[ClaimKind, str | None, object]:
    """With whom a claim shares a place before the ordinary class."""
    return claim.kind, claim.pool, claim.rank_on if claim.kind in _RANKED else None


def _most_favoured(basis: Basis, world: Basis, least: Mapping[UUID, Debt], rounding: _Rounding) -> Basis:
    """The world for all but a claim whose share is raised (R-DIST-16, method 2): that claim takes its highest raise.

    Raising a share by a percentage takes more from the others the larger it is, which may be in another outcome than
    the hardest; so the largest raise of all outcomes comes off first, and the others share what the hardest leaves.
    """
    preference = basis.preference
    if preference is None or preference.method is not PreferenceMethod.SHARE_UPLIFT:
        return world
    favoured = next(each for each in world.claims if each.claim.id == preference.claim)
    easiest = _with_claims(replace(world, claims=basis.claims), {**least, UUID(favoured.claim.id): favoured.debt})
    drawn = draw_whole(easiest)
    raised = sum(line.amount_fen for line in drawn.outcome.allocations if _is_ordinary(line.level, line.to, favoured))
    first = Fen(raised + 1 + 2 * (rounding.anywhere or 0))
    debt = favoured.debt
    whole = debt.costs_fen + debt.interest_fen + debt.principal_fen
    none = Fen(0)
    capped = {UUID(favoured.claim.id): Debt(none, none, Fen(min(first, whole)), debt.doubled_fen)}
    all_first = Preference(PreferenceMethod.POOL_PERCENT, 100, preference.claim)
    return replace(_with_claims(world, capped), preference=all_first)


def _is_ordinary(level: Level, to: str, favoured: Participation) -> bool:
    return level is Level.ORDINARY and to == favoured.claim.id


def _boxes(basis: Basis, planned: Mapping[UUID, Debt]) -> dict[UUID, tuple[Debt, Debt]]:
    """The lowest and the highest that each disputed claim can come out at, part by part."""
    proposed: defaultdict[UUID, list[Debt]] = defaultdict(list)
    for dispute in basis.disputes:
        proposed[dispute.claim_id].append(dispute.debt)

    def end(pick: Callable[[Iterable[Fen]], Fen], debts: Sequence[Debt]) -> Debt:
        return Debt(*(pick([getattr(debt, part) for debt in debts]) for part in Debt.__slots__))

    found = {each: [planned[each], *debts] for each, debts in proposed.items() if each in planned}
    return {each: (end(min, debts), end(max, debts)) for each, debts in found.items()}


def _with_claims(basis: Basis, debts: Mapping[UUID, Debt]) -> Basis:
    """The basis with other amounts for some claims."""
    found = {str(each): debt for each, debt in debts.items()}
    claims = tuple(each.of(found[each.claim.id]) if each.claim.id in found else each for each in basis.claims)
    return replace(basis, claims=claims)


def _split(basis: Basis, undisputed: Mapping[UUID, Debt]) -> Basis:
    """The basis with each of these claims as two of one place: its undisputed part, and beside it the disputed one."""
    claims: list[Participation] = []
    parts = {str(each): debt for each, debt in undisputed.items()}
    for each in basis.claims:
        part = parts.get(each.claim.id)
        if part is None:
            claims.append(each)
            continue
        rest = each.of(Debt(*(Fen(getattr(each.debt, name) - getattr(part, name)) for name in Debt.__slots__)))
        disputed_id = str(uuid5(UUID(each.claim.id), "disputed"))
        claims += [each.of(part), replace(rest, claim=replace(rest.claim, id=disputed_id))]
    return replace(basis, claims=tuple(claims))
