"""Plans in dispute, as pure rules: nothing paid in a suit is ever asked back, and the escrow ends where it belongs."""

from dataclasses import replace
from datetime import date
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.money import Fen
from settlement.completion.rules import CostKind
from settlement.distribution.claims import Claim, ClaimKind, Debt, DebtorKind
from settlement.distribution.drawing import draw
from settlement.distribution.plans import (
    Basis,
    CostItem,
    Dispute,
    Drawn,
    Line,
    Participation,
    PayeeKind,
    Proceeds,
    Settled,
)

HOME = str(UUID(int=2))
KINDS = (ClaimKind.ORDINARY, ClaimKind.ORDINARY, ClaimKind.ORDINARY, ClaimKind.SECURED, ClaimKind.TAX)
amounts = st.one_of(st.integers(0, 20), st.integers(0, 10**6), st.integers(0, 10**15))


def debts(amount: st.SearchStrategy[int]) -> st.SearchStrategy[Debt]:
    fen = amount.map(Fen)
    return st.builds(Debt, costs_fen=fen, interest_fen=fen, principal_fen=fen, doubled_fen=st.just(Fen(0)))


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
            pool=HOME if kind is ClaimKind.SECURED else None,
            rank_on=draw_(st.sampled_from([None, date(2019, 1, 1), date(2020, 1, 1)])),
            sealed_on=draw_(st.sampled_from([None, date(2023, 1, 1), date(2024, 1, 1)])),
        )
        party = UUID(int=100 + draw_(st.integers(1, number)))
        claims.append(Participation(party, f"party {party.int}", claim).of(draw_(debts(amount))))
    basis = Basis(
        debtor=draw_(st.sampled_from(DebtorKind)),
        debtor_party=UUID(int=1),
        debtor_name="debtor",
        proceeds=(Proceeds(HOME, "home", Fen(draw_(amount))), Proceeds("case_money", "money", Fen(draw_(amount)))),
        costs=(CostItem(UUID(int=9), CostKind.SALE_COST, "cost", "payee", None, Fen(draw_(st.integers(0, 50)))),),
        claims=tuple(claims),
    )
    disputed = draw_(st.lists(st.sampled_from(claims), min_size=1, max_size=3, unique_by=lambda each: each.claim.id))
    return replace(
        basis,
        disputes=tuple(
            Dispute(UUID(int=700 + number), UUID(each.claim.id), draw_(debts(amount)))
            for number, each in enumerate(disputed)
        ),
    )


def per_payee(lines: tuple[Line, ...]) -> dict[tuple[PayeeKind, UUID], int]:
    found: dict[tuple[PayeeKind, UUID], int] = {}
    for line in lines:
        if line.payee_kind is not PayeeKind.ESCROW:
            payee = (line.payee_kind, line.payee_id)
            found[payee] = found.get(payee, 0) + line.amount_fen
    return found


def judged(basis: Basis, found: dict[UUID, Debt]) -> Basis:
    claims = tuple(each.of(found.get(UUID(each.claim.id), each.debt)) for each in basis.claims)
    return replace(basis, claims=claims, disputes=())


def movable_fen(basis: Basis, *drawn: Drawn) -> int:
    """What largest remainder may move when claims shrink: at each place of the waterfall one fen of each claim.

    What was paid is not asked back, so such fen end with who has them.
    """
    places = {(line.pool, line.level) for each in drawn for line in each.lines}
    return len(basis.claims) * max(1, len(places))


@settings(max_examples=300)
@given(in_dispute(), st.data())
def test_whatever_is_judged_everybody_ends_as_if_the_plan_had_said_so(basis: Basis, data: st.DataObject) -> None:
    original = {UUID(each.claim.id): each.debt for each in basis.claims}
    in_suit = draw(basis)
    assert in_suit.proceeds_fen == sum(each.amount_fen for each in basis.proceeds)
    assert all(line.amount_fen > 0 for line in in_suit.lines)
    found = {}
    for dispute in basis.disputes:
        winner = data.draw(st.sampled_from([original[dispute.claim_id], dispute.debt]))
        found[dispute.claim_id] = winner
    final = judged(basis, found)
    release = draw(replace(final, settles=Settled(UUID(int=5), basis)))
    assert release.proceeds_fen == in_suit.escrow_fen
    assert all(line.amount_fen > 0 for line in release.lines)
    together = per_payee(in_suit.lines)
    for payee, amount in per_payee(release.lines).items():
        together[payee] = together.get(payee, 0) + amount
    wanted = per_payee(draw(final).lines)
    for payee in {*together, *wanted}:
        assert abs(together.get(payee, 0) - wanted.get(payee, 0)) <= movable_fen(basis, in_suit, draw(final))


@settings(max_examples=200)
@given(in_dispute())
def test_no_outcome_asks_back_what_was_paid(basis: Basis) -> None:
    paid = per_payee(draw(basis).lines)
    for dispute in basis.disputes:
        outcome = per_payee(draw(judged(basis, {dispute.claim_id: dispute.debt})).lines)
        most = movable_fen(basis, draw(basis), draw(judged(basis, {dispute.claim_id: dispute.debt})))
        assert all(amount <= outcome.get(payee, 0) + most for payee, amount in paid.items())


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
