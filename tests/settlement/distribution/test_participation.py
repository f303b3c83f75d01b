"""Joining the distribution: cut-offs, recognised amounts, interest to the ruling's day, preference, the solved fee."""

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from appraisal.cases.models import Party
from kernel.actors import Role, platform
from kernel.database import Database
from kernel.decoding import convert
from kernel.errors import Forbidden, Malformed, NotFound, Refusal
from kernel.money import Fen
from settlement.completion.rules import CostKind, enforcement_fee
from settlement.distribution import creditors, errors, fee_setting, fees
from settlement.distribution.claims import Debt, DebtorKind, PreferenceMethod
from settlement.distribution.drawing import draw
from settlement.distribution.fees import largest_consistent, solve_fee
from settlement.distribution.interest import Payment, Span
from settlement.distribution.participation import (
    Application,
    CutOff,
    InterestTerms,
    Policy,
    apply,
    cut_off_on,
    preference,
    takes_part,
    with_interest,
)
from settlement.distribution.participation_schemas import (
    ApplicationView,
    ApplyToJoin,
    RecogniseClaim,
    RecognisedClaim,
    SetPolicy,
)
from settlement.distribution.plans import CostItem
from tests.appraisal.support import make_claim, make_court
from tests.settlement.distribution.road import Road, make_road, parties
from tests.settlement.distribution.test_drawing import in_dispute
from tests.settlement.distribution.test_plans import HOME, basis, claim, party
from tests.support.house import actor, call, opened

OPEN = Policy(CutOff.RULING_SERVED, None, None, None)
BEFORE_PLAN = Policy(CutOff.BEFORE_PLAN_SERVED, None, None, None)
A, B = UUID(int=1), UUID(int=2)
JUNE = date(2025, 6, 10)


async def refused(kind: type[Refusal], doing: Any) -> Refusal:
    with pytest.raises(kind) as caught:
        await doing
    return caught.value


# -- the rules


@pytest.mark.parametrize(
    ("policy", "served", "first_plan_service", "last_day"),
    [
        (OPEN, [], None, None),
        (OPEN, [JUNE, None], JUNE, None),
        (OPEN, [date(2025, 5, 1), JUNE], None, JUNE),
        (Policy(CutOff.BEFORE_PLAN_SERVED, None, None, None), [JUNE], None, None),
        (Policy(CutOff.BEFORE_PLAN_SERVED, None, None, None), [], date(2025, 6, 9), date(2025, 6, 6)),  # Monday: Friday
        (
            Policy(CutOff.BEFORE_PLAN_SERVED, None, None, None),
            [],
            date(2025, 6, 3),
            date(2025, 5, 30),
        ),  # after a holiday
        (Policy(CutOff.FIXED_DATE, JUNE, None, None), [], None, JUNE),
    ],
)
def test_the_last_day_to_apply(
    policy: Policy, served: list[date | None], first_plan_service: date | None, last_day: date | None
) -> None:
    assert cut_off_on(policy, served, first_plan_service) == last_day


def test_an_application_is_taken_until_the_last_day_and_once_per_title() -> None:
    mine = Application(A, "title", JUNE)
    assert apply(mine, "creditor", [], JUNE, JUNE) == mine
    with pytest.raises(errors.ParticipationLate):
        apply(replace(mine, applied_on=date(2025, 6, 11)), "creditor", [], JUNE, date(2025, 6, 11))
    with pytest.raises(errors.ApplicationMisdated):
        apply(replace(mine, applied_on=date(2025, 6, 11)), "creditor", [], None, JUNE)
    with pytest.raises(errors.AppliedBefore):
        apply(mine, "creditor", [mine], None, JUNE)
    with pytest.raises(errors.NoCreditorParty):
        apply(mine, "helper", [], None, JUNE)


def test_who_takes_part_without_an_application() -> None:
    mine = [Application(A, "title", JUNE)]
    assert takes_part(None, "creditor", A, "other", [])
    assert takes_part(OPEN, "enforcement_applicant", A, "other", [])
    assert takes_part(OPEN, "tax_authority", A, "other", [])
    assert takes_part(OPEN, "creditor", A, "title", mine)
    assert not takes_part(OPEN, "creditor", A, "other", mine)
    assert not takes_part(OPEN, "creditor", B, "title", mine)


def test_first_seal_preference_goes_to_the_ordinary_claim_sealed_first_and_is_off_by_default() -> None:
    sealed = [
        replace(each, claim=replace(each.claim, sealed_on=day))
        for each, day in ((claim(1, 10), None), (claim(2, 10), date(2024, 2, 1)), (claim(3, 10), date(2023, 2, 1)))
    ]
    policy = Policy(CutOff.RULING_SERVED, None, PreferenceMethod.POOL_PERCENT, 20)
    found = preference(policy, DebtorKind.PERSON, sealed)
    assert found is not None
    assert (found.claim, found.percent) == (sealed[2].claim.id, 20)
    for none in (
        preference(policy, DebtorKind.ENTERPRISE, sealed),
        preference(OPEN, DebtorKind.PERSON, sealed),
        preference(None, DebtorKind.PERSON, sealed),
        preference(policy, DebtorKind.PERSON, sealed[:1]),
    ):
        assert none is None


def test_w10_interest_stops_on_the_day_the_ruling_took_effect() -> None:
    """Hammer, payout on 09-20 and everything after 08-27 count for nothing (R-INT-04)."""
    terms = InterestTerms(
        base_fen=Fen(1_000_000_00),
        performance_due_on=date(2024, 1, 10),
        payments=(Payment(date(2024, 4, 19), Fen(400_000_00)),),
    )
    debt = Debt(Fen(0), Fen(80_000_00), Fen(600_000_00), Fen(0))
    whole, arithmetic = with_interest(debt, terms, date(2024, 8, 27))
    assert whole.doubled_fen == 31_150_00
    assert '"days":130' in arithmetic
    suspended = replace(terms, excluded=(Span(date(2024, 5, 1), date(2024, 5, 31)),))
    assert with_interest(debt, suspended, date(2024, 8, 27))[0].doubled_fen == 28_000_00


# -- the fee


def test_the_fee_is_what_the_brackets_say_on_what_is_paid_beside_it() -> None:
    """One applicant, 1,000,000.00 there, 2,000,000.00 owed: fee and payment fill the pool, to the fen."""
    case = basis({HOME: 1_000_000_00}, [], [claim(1, 2_000_000_00)])
    solved = solve_fee(case, UUID(int=7), {party(1)})
    assert solved.fee_fen == enforcement_fee(solved.base_fen)
    assert solved.base_fen + solved.fee_fen == 1_000_000_00
    assert (solved.base_fen, solved.fee_fen) == (987_722_77, 12_277_23)


def test_a_claim_that_is_covered_anyhow_pays_the_plain_fee() -> None:
    case = basis({HOME: 40_000_000_00}, [], [claim(1, 32_572_025_00)])
    assert solve_fee(case, UUID(int=7), {party(1)}).fee_fen == 99_972_03  # W-20 a


def test_a_second_plan_adds_what_the_whole_payment_asks_beyond_the_first_fee() -> None:
    case = basis({HOME: 500_000_00}, [], [claim(1, 400_000_00)])
    solved = solve_fee(case, UUID(int=7), {party(1)}, paid_before_fen=600_000_00, fee_before_fen=8_400_00)
    assert (solved.base_fen, solved.fee_fen) == (1_000_000_00, 12_400_00)


def consistent(case: Any, fee_fen: int, applicants: set[UUID]) -> bool:
    """The independent judgement: draw the plan with this fee and ask the brackets."""
    cost = CostItem(UUID(int=7), CostKind.ENFORCEMENT_FEE, "", "", None, Fen(fee_fen))
    lines = draw(replace(case, costs=(*case.costs, cost))).lines
    paid = sum(line.amount_fen for line in lines if line.claim_id is not None and line.payee_id in applicants)
    return fee_fen <= enforcement_fee(Fen(paid))


@settings(max_examples=150)
@given(in_dispute(), st.integers(0, 3))
def test_the_fee_found_is_consistent_and_a_fen_more_is_not(drawn: Any, who: int) -> None:
    case = replace(drawn, disputes=())
    applicants = {case.claims[who % len(case.claims)].party_id}
    fee = solve_fee(case, UUID(int=7), applicants).fee_fen
    assert consistent(case, fee, applicants)
    assert not any(consistent(case, fee + more, applicants) for more in (1, 2, 10, 1_000))


@pytest.mark.parametrize("steps", [[5], [9, 9, 9, 9], [100, 40, 0], [3, 3, 2, 2, 1, 0], [0]])
def test_the_largest_consistent_value_of_any_falling_function(steps: list[int]) -> None:
    def fee_of(fee: int) -> int:
        return steps[min(fee, len(steps) - 1)]

    assert largest_consistent(fee_of) == max(fee for fee in range(200) if fee <= fee_of(fee))


def test_few_draws_are_enough_for_any_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = 0
    whole = fees.draw_whole

    def counted(case: Any) -> Any:
        nonlocal draws
        draws += 1
        return whole(case)

    monkeypatch.setattr(fees, "draw_whole", counted)
    solve_fee(basis({HOME: 10**15}, [], [claim(1, 10**15), claim(2, 10**15)]), UUID(int=7), {party(1)})
    assert draws < 40


# -- on a database


async def three(database: Database) -> Road:
    """A applies for enforcement, B and C are other creditors; 600.00 are there."""
    road = await make_road(database, *parties("A", "B", "C"))
    for ref in ("A", "B", "C"):
        await make_claim(database, road.court, road.case, ref, principal_fen=40_000, title_no=f"判决{ref}")
    await road.bring_money(60_000)
    return road


def application(road: Road, ref: str, **more: Any) -> ApplyToJoin:
    return convert(
        {
            "party_id": str(road.id_of(ref)),
            "title_no": f"判决{ref}",
            "reasons": "被执行人财产不足以清偿全部债务",
            "costs_fen": 0,
            "interest_fen": 0,
            "principal_fen": 40_000,
            "doubled_fen": 0,
        }
        | more,
        ApplyToJoin,
    )


async def join(road: Road, ref: str, **more: Any) -> ApplicationView:
    return await creditors.apply_to_join(
        road.database, call(road.court.clerk), road.case.id, application(road, ref, **more)
    )


async def set_policy(road: Road, **wanted: Any) -> None:
    policy = convert({"cut_off": "before_plan_served", "reason": "本院规定"} | wanted, SetPolicy)
    await creditors.set_policy(road.database, call(road.court.staff(Role.CHIEF)), policy)


async def recognise(road: Road, ref: str, **wanted: Any) -> RecognisedClaim:
    claims = (await creditors.show_participation(road.database, road.maker, road.case.id)).claims
    body = {"claim_id": str(next(each.claim_id for each in claims if each.party_id == road.id_of(ref)))}
    body |= {"document": "审查意见", "costs_fen": 0, "interest_fen": 0, "principal_fen": 0, "doubled_fen": 0} | wanted
    recognised = convert(body, RecogniseClaim)
    return await creditors.recognise_claim(road.database, call(road.court.judge), road.case.id, recognised)


@pytest.mark.anyio
async def test_where_the_court_has_a_policy_creditors_join_by_applying_in_time(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await three(database)
        assert [each.paid_fen for each in (await road.draft()).claims] == [20_000] * 3, "no policy: all take part"
        await set_policy(road)
        taken = await join(road, "B", applied_on="2025-03-02")
        assert (taken.applied_on, taken.cut_off_on, taken.name) == ("2025-03-02", None, "当事人B")
        plan = await road.draft()
        assert [(each.name, each.paid_fen) for each in plan.claims] == [("当事人A", 30_000), ("当事人B", 30_000)]
        plan = await road.decide(plan)
        await road.serve(plan, road.id_of("A"))
        shown = await creditors.show_participation(database, road.maker, road.case.id)
        assert shown.cut_off_on == "2025-02-28"  # served on Monday 03-03
        assert [each.takes_part for each in shown.claims] == [True, True, False]
        late = await refused(errors.ParticipationLate, join(road, "C"))
        assert (late.rule, late.law) == ("R-DIST-02", "民诉法解释 第五百零七条")
        await join(road, "C", applied_on="2025-02-28")
        assert [each.paid_fen for each in (await road.draft()).claims] == [20_000] * 3
        await set_policy(road, cut_off="fixed_date", fixed_on="2025-02-01", case_id=str(road.case.id))
        shown = await creditors.show_participation(database, road.maker, road.case.id)
        assert shown.cut_off_on == "2025-02-01", "a policy for the case goes before the court's"


@pytest.mark.anyio
async def test_a_creditor_applies_themselves_and_only_for_themselves(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await three(database)
        somebody = actor(Role.BIDDER)
        async with database.transaction(platform("test")) as tx:
            link = update(Party).where(Party.id == road.id_of("B")).values(person_id=somebody.person)
            await tx.session.execute(link)
        mine, theirs = application(road, "B"), application(road, "C")
        taken = await creditors.apply_to_join(database, call(somebody), road.case.id, mine)
        assert taken.applied_on == "2025-03-03"
        await refused(NotFound, creditors.apply_to_join(database, call(somebody), road.case.id, theirs))
        await refused(NotFound, creditors.apply_to_join(database, call(actor(Role.BIDDER)), road.case.id, mine))
        backdated = application(road, "B", title_no="另案", applied_on="2025-03-01")
        await refused(
            errors.ApplicationMisdated, creditors.apply_to_join(database, call(somebody), road.case.id, backdated)
        )
        stranger = await make_court(database)
        await refused(NotFound, creditors.apply_to_join(database, call(stranger.clerk), road.case.id, mine))
        await refused(Forbidden, creditors.apply_to_join(database, call(road.maker), road.case.id, mine))


@pytest.mark.anyio
async def test_what_is_recognised_stands_beside_what_is_claimed_and_decides(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await three(database)
        view = await recognise(road, "C", principal_fen=20_000, costs_fen=1_000)
        assert (view.claimed.principal_fen, view.recognised.principal_fen) == (40_000, 20_000)
        plan = await road.draft()
        assert [each.claimed_fen for each in plan.claims] == [40_000, 40_000, 21_000]
        await recognise(road, "C", principal_fen=40_000)
        await refused(errors.PlanStale, road.decide(plan))
        assert [each.claimed_fen for each in (await road.draft()).claims] == [40_000] * 3


@pytest.mark.anyio
async def test_the_doubled_part_is_computed_to_the_day_the_money_came(database_url: str) -> None:
    """No sale here: the day the money reached the case account stops the interest (R-INT-04)."""
    async with opened(database_url) as database:
        road = await make_road(database)
        await make_claim(database, road.court, road.case, "A", principal_fen=1_000_000_00)
        terms = {"base_fen": 1_000_000_00, "performance_due_on": "2024-11-23"}
        await refused(errors.InterestStillRuns, recognise(road, "A", principal_fen=1_000_000_00, interest=terms))
        await road.bring_money(100)
        road.pass_days(60)
        view = await recognise(road, "A", principal_fen=1_000_000_00, interest=terms)
        assert view.recognised.doubled_fen == 17_500_00  # 100 days to 2025-03-03
        assert view.arithmetic is not None
        assert b'"days":100' in bytes(view.arithmetic)
        with pytest.raises(Malformed):
            await recognise(road, "A", doubled_fen=1, interest=terms)


@pytest.mark.anyio
async def test_computed_and_set_fee_both_stand_in_the_plan(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await make_road(database, *parties("A", "B"))
        await make_claim(database, road.court, road.case, "A", principal_fen=2_000_000_00)
        await make_claim(database, road.court, road.case, "B", principal_fen=2_000_000_00)
        await road.bring_money(2_000_000_00)
        fee = await fee_setting.show_fee(database, road.maker, road.case.id)
        assert fee.computed_fen == enforcement_fee(Fen(fee.base_fen))
        assert 2 * fee.base_fen + fee.computed_fen in (2_000_000_00, 2_000_000_00 + 1)
        await road.set_fee(fee.computed_fen, "按标准")
        plan = await road.draft()
        assert plan.fee is not None
        assert (plan.fee.computed_fen, plan.fee.set_fen, plan.fee.base_fen) == (
            fee.computed_fen,
            fee.computed_fen,
            plan.claims[0].paid_fen,
        )


@pytest.mark.anyio
async def test_w16_first_seal_preference_by_the_courts_policy(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await make_road(database, *parties("A", "B", "C"))
        for ref, fen, day in (("A", 1_000_000_00, 1), ("B", 2_000_000_00, 2), ("C", 2_000_000_00, 3)):
            sealed_on = date(2024, 1, day)
            await make_claim(database, road.court, road.case, ref, principal_fen=fen, sealed_on=sealed_on, title_no=ref)
        await road.bring_money(1_000_000_00)
        for ref in ("B", "C"):
            await join(road, ref, title_no=ref)
        await set_policy(road, preference_method="pool_percent", preference_percent=20)
        assert [each.paid_fen for each in (await road.draft()).claims] == [333_333_34, 333_333_33, 333_333_33]
        await set_policy(road, preference_method="share_uplift", preference_percent=20)
        plan = await road.draft()
        assert [each.paid_fen for each in plan.claims] == [240_000_00, 380_000_00, 380_000_00]
        assert "R-DIST-16" in plan.rules
        await set_policy(road)
        assert [each.paid_fen for each in (await road.draft()).claims] == [200_000_00, 400_000_00, 400_000_00]


@pytest.mark.anyio
async def test_one_application_per_title_even_at_once(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await three(database)
        outcomes = await asyncio.gather(*[join(road, "B") for _ in range(3)], return_exceptions=True)
        assert sum(isinstance(each, ApplicationView) for each in outcomes) == 1
        assert sum(isinstance(each, errors.AppliedBefore) for each in outcomes) == 2
        with pytest.raises(Malformed):
            await set_policy(road, cut_off="fixed_date")
        with pytest.raises(Malformed):
            await set_policy(road, preference_percent=5)
        stranger = await make_court(database)
        elsewhere = convert({"cut_off": "ruling_served", "reason": "x", "case_id": str(road.case.id)}, SetPolicy)
        chief = stranger.staff(Role.CHIEF)
        await refused(NotFound, creditors.set_policy(database, call(chief), elsewhere))
