"""Pure rules of payouts: lines from a plan, the hash that is signed, three people."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from kernel.errors import Refusal
from kernel.money import Fen
from settlement.distribution.plans import Line, PayeeKind
from settlement.payouts.errors import (
    NothingToPay,
    NotWithholdable,
    PayeeChanged,
    PayoutPaid,
    PayoutVoid,
    PayoutWaiting,
    SamePerson,
    WithholdingMisdated,
    WithholdingSettled,
)
from settlement.payouts.rules import (
    BatchState,
    Destination,
    Payee,
    PayoutLine,
    Reward,
    Route,
    Signatures,
    WithholdingCourse,
    approve_withholding,
    batch_hash,
    check,
    end_withholding,
    entitlements,
    make_lines,
    pay,
    require_same_payees,
    withhold,
)

ANNE, BO, CY = UUID(int=1), UUID(int=2), UUID(int=3)
BATCH, PLAN = UUID(int=8), UUID(int=9)
HERS: Payee = (PayeeKind.PARTY, ANNE)
FEE: Payee = (PayeeKind.COST, CY)
ACCOUNTS: dict[Payee, Destination | None] = {
    HERS: Destination("Anne", "1", "bank"),
    FEE: Destination("state", "2", "", Route.STATE_FEE),
}


def plan_line(position: int, payee: Payee, part: str, amount_fen: int) -> Line:
    return Line(position, 10, "R-DIST-03", None, None, *payee, "name", None, part, Fen(amount_fen), "{}")


LINES = [
    plan_line(1, FEE, "enforcement_fee", 5),
    plan_line(2, HERS, "interest", 20),
    plan_line(3, HERS, "principal", 100),
    plan_line(4, HERS, "surplus", 1),
]


def made() -> tuple[PayoutLine, ...]:
    return make_lines(entitlements(LINES), frozenset(), ACCOUNTS)


def test_one_line_per_payee_with_its_sum_and_reasons() -> None:
    assert [(line.payee, line.amount_fen, line.reason, line.route) for line in made()] == [
        (FEE, 5, "执行申请费", Route.STATE_FEE),
        (HERS, 121, "案款、余款退还", Route.BANK),
    ]


def test_payees_that_were_paid_or_have_no_account_are_left_out() -> None:
    assert [line.payee for line in make_lines(entitlements(LINES), frozenset([FEE]), ACCOUNTS)] == [HERS]
    assert [line.payee for line in make_lines(entitlements(LINES), frozenset(), {**ACCOUNTS, HERS: None})] == [FEE]
    with pytest.raises(NothingToPay) as refusal:
        make_lines(entitlements(LINES), frozenset([FEE]), {**ACCOUNTS, HERS: None})
    assert refusal.value.facts["waiting"] == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("position", 7),
        ("payee_kind", PayeeKind.PARTY),
        ("payee_id", BO),
        ("holder", "thief"),
        ("number", "3"),
        ("bank", "other"),
        ("route", Route.BANK),
        ("amount_fen", Fen(6)),
        ("reason", "x"),
        ("deducted_from", BO),
    ],
)
def test_the_hash_covers_every_column(column: str, value: object) -> None:
    first, *others = made()
    changed = [replace(first, **{column: value}), *others]  # type: ignore[arg-type]
    assert batch_hash(BATCH, PLAN, changed) != batch_hash(BATCH, PLAN, made())
    assert batch_hash(PLAN, BATCH, made()) != batch_hash(BATCH, PLAN, made())


@pytest.mark.parametrize(
    "now",
    [
        Destination("Anne", "2", "bank"),
        Destination("Ann", "1", "bank"),
        Destination("Anne", "1", "other"),
        Destination("Anne", "1", "bank", Route.STATE_FEE),
        None,
    ],
)
def test_any_change_of_a_payees_account_is_seen(now: Destination | None) -> None:
    require_same_payees(made(), ACCOUNTS)
    with pytest.raises(PayeeChanged):
        require_same_payees(made(), {**ACCOUNTS, HERS: now})


def test_three_people_sign_in_order() -> None:
    fresh = Signatures(ANNE, None, None, void=False)
    assert fresh.state is BatchState.MADE
    with pytest.raises(SamePerson):
        check(fresh, ANNE)
    check(fresh, BO)
    checked = Signatures(ANNE, BO, None, void=False)
    assert checked.state is BatchState.CHECKED
    for person in (ANNE, BO):
        with pytest.raises(SamePerson):
            pay(checked, person)
    pay(checked, CY)
    paid = Signatures(ANNE, BO, CY, void=False)
    assert paid.state is BatchState.PAID
    with pytest.raises(PayoutPaid):
        pay(paid, CY)
    with pytest.raises(PayoutVoid):
        check(replace(fresh, void=True), BO)


def test_a_reward_comes_off_the_creditor_who_asked_and_nobody_else() -> None:
    reward = Reward(CY, ANNE, "finder", Fen(30))
    shown = [(each.payee, each.amount_fen, each.deducted_from) for each in entitlements(LINES, [reward])]
    assert shown == [(FEE, 5, None), (HERS, 91, None), ((PayeeKind.REWARD, CY), 30, ANNE)]
    assert entitlements(LINES, [replace(reward, party_id=BO)]) == entitlements(LINES)


def test_a_reward_above_what_is_due_leaves_a_fen_and_waits_for_the_next_plan() -> None:
    shown = [each.amount_fen for each in entitlements(LINES, [Reward(CY, ANNE, "finder", Fen(1_000))])]
    assert shown == [5, 1, 120]


def test_only_a_payee_of_the_plan_who_is_not_settled_is_withheld() -> None:
    wanted = entitlements(LINES)
    assert withhold(HERS, wanted, {FEE}).amount_fen == 121
    for payee, settled in ((HERS, {HERS}), ((PayeeKind.PARTY, BO), set())):
        with pytest.raises(NotWithholdable):
            withhold(payee, wanted, settled)


ASKED = WithholdingCourse(HERS, ANNE, None, ended=False)
APPROVED = replace(ASKED, approved_on=date(2025, 3, 3))
ON_ITS_WAY = Signatures(ANNE, None, None, void=False)


@pytest.mark.parametrize(
    ("course", "person", "batches", "paid", "refusal"),
    [
        (APPROVED, BO, [], [], WithholdingSettled),
        (ASKED, ANNE, [], [], SamePerson),
        (ASKED, BO, [ON_ITS_WAY], [], PayoutWaiting),
        (ASKED, BO, [], [HERS], NotWithholdable),
        (ASKED, BO, [replace(ON_ITS_WAY, void=True)], [FEE], None),
    ],
)
def test_who_approves_a_withholding_and_when(
    course: WithholdingCourse,
    person: UUID,
    batches: list[Signatures],
    paid: list[Payee],
    refusal: type[Refusal] | None,
) -> None:
    if refusal is None:
        return approve_withholding(course, person, batches, paid)
    with pytest.raises(refusal):
        approve_withholding(course, person, batches, paid)


def test_money_is_paid_within_ten_days_of_the_end_of_the_ground() -> None:
    today = date(2025, 3, 7)
    assert end_withholding(APPROVED, date(2025, 3, 3), today) == date(2025, 3, 13)
    assert end_withholding(APPROVED, date(2025, 3, 5), today) == date(2025, 3, 17), "the 15th is a Saturday"
    for misdated in (date(2025, 3, 2), date(2025, 3, 8)):
        with pytest.raises(WithholdingMisdated):
            end_withholding(APPROVED, misdated, today)
    for course in (ASKED, replace(APPROVED, ended=True)):
        with pytest.raises(WithholdingSettled):
            end_withholding(course, today, today)
