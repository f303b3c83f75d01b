"""Plans in dispute, as pure rules: nothing paid in a suit is ever asked back, and the escrow ends where it belongs."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.money import Fen
from settlement.completion.rules import CostKind
from settlement.distribution.certain import Bucket, bucket_of
from settlement.distribution.claims import (
    BOUND_TO_POOL,
    WITHOUT_DOUBLED_PART,
    Claim,
    ClaimKind,
    Debt,
    DebtorKind,
    Preference,
    PreferenceMethod,
)
from settlement.distribution.drawing import draw
from settlement.distribution.plans import (
    SURPLUS,
    Basis,
    CostItem,
    Dispute,
    Line,
    Participation,
    PayeeKind,
    Proceeds,
    Settled,
)

HOME = str(UUID(int=2))
KINDS = (
    *(3 * [ClaimKind.ORDINARY]),
    *(2 * [ClaimKind.SECURED]),
    ClaimKind.TAX,
    ClaimKind.INJURY_MEDICAL,
    ClaimKind.CONSTRUCTION_PRICE,
    ClaimKind.HOME_BUYER,
    ClaimKind.RESTITUTION,
    ClaimKind.FINE,
)
amounts = st.one_of(st.integers(0, 20), st.integers(0, 10**6), st.integers(0, 10**15))


def debts(amount: st.SearchStrategy[int], kind: ClaimKind) -> st.SearchStrategy[Debt]:
    fen = amount.map(Fen)
    doubled = st.just(Fen(0)) if kind in WITHOUT_DOUBLED_PART else fen
    return st.builds(Debt, costs_fen=fen, interest_fen=fen, principal_fen=fen, doubled_fen=doubled)


def preferences(debtor: DebtorKind, claims: list[Participation]) -> st.SearchStrategy[Preference | None]:
    """First-seal preference for an ordinary claim, where there is one and the debtor is no enterprise (R-DIST-16)."""
    ordinary = [each.claim.id for each in claims if each.claim.kind is ClaimKind.ORDINARY]
    if debtor is DebtorKind.ENTERPRISE or not ordinary:
        return st.none()
    made = st.builds(Preference, st.sampled_from(PreferenceMethod), st.integers(0, 100), st.sampled_from(ordinary))
    return st.one_of(st.none(), st.none(), made)


@st.composite
def in_dispute(draw_: st.DrawFn) -> Basis:
    """A case with one to three claims in suit, some of them of one party."""
    amount = draw_(st.sampled_from([st.integers(0, 20), amounts]))
    claims = []
    for number in range(1, draw_(st.integers(2, 6))):
        kind = draw_(st.sampled_from(KINDS))
        claim = Claim(
            id=str(UUID(int=300 + number)),
            kind=kind,
            pool=HOME if kind in BOUND_TO_POOL else None,
            rank_on=draw_(st.sampled_from([None, date(2019, 1, 1), date(2020, 1, 1)])),
            sealed_on=draw_(st.sampled_from([None, date(2023, 1, 1), date(2024, 1, 1)])),
        )
        party = UUID(int=100 + draw_(st.integers(1, number)))
        claims.append(Participation(party, f"party {party.int}", claim).of(draw_(debts(amount, kind))))
    debtor = draw_(st.sampled_from(DebtorKind))
    basis = Basis(
        debtor=debtor,
        debtor_party=UUID(int=1),
        debtor_name="debtor",
        proceeds=(Proceeds(HOME, "home", Fen(draw_(amount))), Proceeds("case_money", "money", Fen(draw_(amount)))),
        costs=(CostItem(UUID(int=9), CostKind.SALE_COST, "cost", "payee", None, Fen(draw_(st.integers(0, 50)))),),
        claims=tuple(claims),
        preference=draw_(preferences(debtor, claims)),
    )
    disputed = draw_(st.lists(st.sampled_from(claims), min_size=1, max_size=3, unique_by=lambda each: each.claim.id))
    return replace(
        basis,
        disputes=tuple(
            Dispute(UUID(int=700 + number), UUID(each.claim.id), draw_(debts(amount, each.claim.kind)))
            for number, each in enumerate(disputed)
        ),
    )


def sums(lines: tuple[Line, ...]) -> dict[Bucket, int]:
    """What is given by the lines: to each claim under its title and for its doubled part, each cost, the debtor."""
    found: dict[Bucket, int] = {}
    for line in lines:
        if line.payee_kind is not PayeeKind.ESCROW:
            found[bucket_of(line)] = found.get(bucket_of(line), 0) + line.amount_fen
    return found


def judged(basis: Basis, found: dict[UUID, Debt]) -> Basis:
    claims = tuple(each.of(found.get(UUID(each.claim.id), each.debt)) for each in basis.claims)
    return replace(basis, claims=claims, disputes=(), settles=None)


def released(before: Basis, found: dict[UUID, Debt]) -> Basis:
    """The plan that gives out what these judgments free; suits over other claims go on."""
    open_ = tuple(each for each in before.disputes if each.claim_id not in found)
    return replace(judged(before, found), disputes=open_, settles=Settled(UUID(int=5), before))


def between(data: st.DataObject, basis: Basis, dispute: Dispute) -> Debt:
    """Anything from the plan's amount to the objector's, part by part."""
    planned = next(each.debt for each in basis.claims if UUID(each.claim.id) == dispute.claim_id)

    def part(name: str) -> Fen:
        ends = sorted([getattr(planned, name), getattr(dispute.debt, name)])
        return Fen(data.draw(st.one_of(st.sampled_from(ends), st.integers(*ends))))

    return Debt(*(part(name) for name in Debt.__slots__))


@settings(max_examples=200)
@given(in_dispute(), st.data())
def test_whatever_is_judged_and_in_whatever_order_everybody_ends_as_if_the_plan_had_said_so(
    basis: Basis, data: st.DataObject
) -> None:
    """Exactly, for each claim and so for each payee; and until the last judgment nobody has more than they end with."""
    drawn = draw(basis)
    assert drawn.proceeds_fen == sum(each.amount_fen for each in basis.proceeds)
    given_out, found = [sums(drawn.lines)], {}
    for dispute in data.draw(st.permutations(basis.disputes)):
        found[dispute.claim_id] = between(data, basis, dispute)
        kept = drawn.escrow_fen
        drawn = draw(basis := released(basis, {dispute.claim_id: found[dispute.claim_id]}))
        assert drawn.proceeds_fen == kept
        assert all(line.amount_fen > 0 for line in drawn.lines)
        given_out.append(sums(drawn.lines))
    assert drawn.escrow_fen == 0
    together: dict[Bucket, int] = {}
    for each in given_out:
        for bucket, amount in each.items():
            together[bucket] = together.get(bucket, 0) + amount
    assert together == sums(draw(judged(basis, found)).lines)


@settings(max_examples=200)
@given(in_dispute(), st.data())
def test_no_outcome_asks_back_what_was_paid(basis: Basis, data: st.DataObject) -> None:
    paid = sums(draw(basis).lines)
    for _ in range(4):
        found = {dispute.claim_id: between(data, basis, dispute) for dispute in basis.disputes}
        outcome = sums(draw(judged(basis, found)).lines)
        assert all(amount <= outcome.get(bucket, 0) for bucket, amount in paid.items())


@given(st.lists(st.integers(1, 10**9), min_size=3, max_size=8), st.integers(1, 10**9), st.data())
def test_of_ordinary_claims_no_fen_waits_that_is_not_in_dispute(
    principals: list[int], money: int, data: st.DataObject
) -> None:
    """Tight: where claims share once, nobody waits for a whole fen beyond the dividend on what is in dispute."""
    claims = tuple(
        Participation(UUID(int=number), "", Claim(str(UUID(int=number)), ClaimKind.ORDINARY, principal_fen=Fen(fen)))
        for number, fen in enumerate(principals, start=1)
    )
    lower = Debt(Fen(0), Fen(0), Fen(data.draw(st.integers(0, principals[0] - 1))), Fen(0))
    basis = Basis(
        debtor=DebtorKind.PERSON,
        debtor_party=UUID(int=1000),
        debtor_name="debtor",
        proceeds=(Proceeds("case_money", "money", Fen(money)),),
        costs=(),
        claims=claims,
        disputes=(Dispute(UUID(int=700), UUID(int=1), lower),),
    )
    disputed = principals[0] - lower.principal_fen
    dividend = Fraction(min(money, sum(principals)) * disputed, sum(principals))
    surplus = max(0, money - sum(principals))
    assert dividend - 1 < draw(basis).escrow_fen < dividend + len(claims)
    assert sums(draw(basis).lines).get((PayeeKind.PARTY, UUID(int=1000), None, SURPLUS), 0) == surplus


def test_with_no_dispute_nothing_lies_in_escrow() -> None:
    claim = Claim(str(UUID(int=301)), ClaimKind.ORDINARY, principal_fen=Fen(10))
    basis = Basis(
        debtor=DebtorKind.PERSON,
        debtor_party=UUID(int=1),
        debtor_name="debtor",
        proceeds=(Proceeds("case_money", "money", Fen(4)),),
        costs=(),
        claims=(Participation(UUID(int=101), "A", claim),),
    )
    assert draw(basis).escrow_fen == 0
