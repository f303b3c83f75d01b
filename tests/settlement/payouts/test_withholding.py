"""What keeps confirmed money from being paid: deferral, deposit, rewards, bankruptcy; and a batch of a thousand."""

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from kernel.actors import Actor, Role, platform
from kernel.database import Database
from kernel.decoding import convert
from kernel.errors import Forbidden, Malformed, NotFound, Refusal
from settlement import verify
from settlement.bank import answers
from settlement.bank.schemas import Confirmation
from settlement.distribution import service as distribution
from settlement.distribution.errors import AcceptanceMisdated, BankruptcyAccepted
from settlement.distribution.plan_schemas import AcceptBankruptcy, PlanView
from settlement.payouts import errors, handlers, withholding
from settlement.payouts.schemas import (
    EndWithholding,
    PayoutView,
    RegisterReward,
    SetPayoutPolicy,
    Withhold,
    WithholdingView,
)
from tests.appraisal.support import make_claim, make_court
from tests.settlement.distribution.road import Road, make_road, parties
from tests.settlement.support import MACHINE, bank_relay, money_inside
from tests.support.house import call, opened

pytestmark = pytest.mark.anyio


async def refused(kind: type[Refusal], doing: Any) -> Refusal:
    with pytest.raises(kind) as caught:
        await doing
    return caught.value


async def two_creditors(database: Database) -> Road:
    """A claims 200.00, B 300.00; 600.00 is there, so 100.00 goes back to the debtor."""
    road = await make_road(database, *parties("A", "B"))
    await make_claim(database, road.court, road.case, "A", principal_fen=20_000)
    await make_claim(database, road.court, road.case, "B", principal_fen=30_000)
    await road.bring_money(60_000)
    return road


async def settle(database: Database) -> None:
    relay = bank_relay(database)
    handlers.subscribe(relay)
    await relay.settle()


async def faults(database: Database) -> list[str]:
    async with database.reading(platform("verify")) as tx:
        return await verify.faults(tx)


def shown(batch: PayoutView) -> list[tuple[str, str, int]]:
    return [(line.holder, line.reason, line.amount_fen) for line in batch.lines]


async def ask(road: Road, plan: PlanView, ref: str, ground: str = "not_collected") -> WithholdingView:
    body = {"payee_kind": "party", "payee_id": str(road.id_of(ref)), "ground": ground, "reason": "经通知未领取"}
    return await withholding.withhold(road.database, call(road.maker), plan.id, convert(body, Withhold))


async def approve(road: Road, asked: WithholdingView, who: Actor | None = None) -> WithholdingView:
    chief = who or road.court.staff(Role.CHIEF)
    return await withholding.approve_withholding(road.database, call(chief), asked.id)


async def end(road: Road, asked: WithholdingView, on: date | None = None) -> WithholdingView:
    body = {"ended_on": (on or road.today()).isoformat(), "reason": "已到庭领取"}
    return await withholding.end_withholding(road.database, call(road.maker), asked.id, convert(body, EndWithholding))


async def reward(road: Road, ref: str, amount_fen: int) -> None:
    body = {
        "party_id": str(road.id_of(ref)),
        "amount_fen": amount_fen,
        "payee": {"holder": "线索提供人", "number": "6222finder", "bank": "某银行"},
        "document": "悬赏公告及领取记录",
    }
    await withholding.register_reward(road.database, call(road.maker), road.case.id, convert(body, RegisterReward))


async def accept_bankruptcy(road: Road, on: str = "2025-03-03") -> None:
    wanted = convert({"accepted_on": on, "court": "某中级人民法院", "document": "（2025）破申1号"}, AcceptBankruptcy)
    await distribution.accept_bankruptcy(road.database, call(road.court.judge), road.case.id, wanted)


# -- deferral and deposit


@pytest.mark.parametrize(
    ("ground", "kind", "account"),
    [
        ("not_collected", "deferred", "deferred"),
        ("case_suspended", "deferred", "deferred"),
        ("missing", "deposited", "escrow"),
    ],
)
async def test_withheld_money_leaves_the_batch_and_comes_back_within_ten_days(
    database_url: str, ground: str, kind: str, account: str
) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        asked = await ask(road, plan, "B", ground)
        assert (asked.kind, asked.state, asked.amount_fen) == (kind, "asked", 30_000)
        approved = await approve(road, asked)
        assert approved.state == "approved"
        assert await money_inside(database) == {"case": 30_000, account: 30_000}
        batch = await road.paid(plan)
        assert shown(batch) == [("当事人A", "案款", 20_000), ("当事人debtor", "余款退还", 10_000)]
        await settle(database)
        (rest,) = (await road.account()).remainder
        assert (rest.kind, rest.amount_fen) == (account, 30_000)
        assert (await road.account()).pay_by is None
        assert await faults(database) == []
        road.pass_days(30)
        ended = await end(road, asked)
        assert (ended.state, ended.pay_until) == ("ended", "2025-05-06")  # 04-22 + 10 = 05-02, a day off
        assert (await road.account()).pay_by == "2025-05-22"
        assert await faults(database) == []
        assert shown(await road.paid(plan)) == [("当事人B", "案款", 30_000)]
        await settle(database)
        assert await money_inside(database) == {}
        assert await faults(database) == []


async def test_a_withholding_is_asked_by_one_and_approved_by_another_once(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        asked = await ask(road, plan, "B")
        await refused(errors.NotWithholdable, ask(road, plan, "B"))
        await refused(errors.WithholdingSettled, end(road, asked))
        both = Actor(road.maker.person_id, "both", frozenset({Role.CHIEF}), road.court.id, "127.0.0.1")
        await refused(errors.SamePerson, approve(road, asked, both))
        await refused(Forbidden, approve(road, asked, road.maker))
        await refused(NotFound, approve(road, asked, (await make_court(database)).staff(Role.CHIEF)))
        await approve(road, asked)
        await refused(errors.WithholdingSettled, approve(road, asked))
        await refused(errors.WithholdingMisdated, end(road, asked, date(2025, 3, 1)))
        await end(road, asked)
        await refused(errors.WithholdingSettled, end(road, asked))


async def test_an_open_batch_and_a_paid_line_stand_in_the_way(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        asked = await ask(road, plan, "B")
        batch = await road.make(plan)
        await refused(errors.PayoutWaiting, approve(road, asked))
        await road.check(batch)
        await road.pay(batch)
        await refused(errors.NotWithholdable, approve(road, asked))
        await refused(errors.NotWithholdable, ask(road, plan, "A"))


async def test_an_approval_and_a_batch_at_once_never_pay_and_withhold_one_line(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        asked = await ask(road, plan, "B")
        made, approved = await asyncio.gather(road.make(plan), approve(road, asked), return_exceptions=True)
        assert isinstance(made, PayoutView)
        holds_b = "当事人B" in [line.holder for line in made.lines]
        assert holds_b == isinstance(approved, errors.PayoutWaiting)


# -- rewards


async def test_a_reward_is_deducted_from_the_right_creditor_only(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        await reward(road, "A", 1_500)
        plan = await road.confirmed()
        batch = await road.paid(plan)
        assert shown(batch) == [
            ("当事人A", "案款", 18_500),
            ("线索提供人", "悬赏奖金", 1_500),
            ("当事人B", "案款", 30_000),
            ("当事人debtor", "余款退还", 10_000),
        ]
        assert batch.lines[1].deducted_from == road.id_of("A")
        assert await faults(database) == []
        await settle(database)
        assert await money_inside(database) == {}
        assert await faults(database) == []


@pytest.mark.parametrize("rejected", [0, 1])
async def test_what_the_bank_sends_back_of_creditor_or_finder_is_paid_again_as_it_was(
    database_url: str, rejected: int
) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        await reward(road, "A", 1_500)
        plan = await road.confirmed()
        first = await road.paid(plan)
        order = first.lines[rejected].order_id
        assert order is not None
        refusal = Confirmation(order_id=order, outcome="rejected", bank_ref="closed")
        await answers.confirm(database, call(MACHINE), refusal)
        await settle(database)
        assert await faults(database) == []
        again = await road.paid(plan)
        assert shown(again) == [shown(first)[rejected]]
        await settle(database)
        assert await money_inside(database) == {}
        assert await faults(database) == []


async def test_a_reward_that_comes_after_the_payout_waits_for_the_next_plan(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        await road.paid(plan)
        await reward(road, "A", 1_500)
        await refused(errors.NothingToPay, road.make(plan))
        assert await faults(database) == []
        await make_claim(database, road.court, road.case, "A", principal_fen=1_000)
        await road.bring_money(1_000)
        assert shown(await road.make(await road.confirmed())) == [
            ("当事人A", "案款", 1),
            ("线索提供人", "悬赏奖金", 999),
        ]


# -- limits and bankruptcy


async def test_a_court_may_be_quicker_than_the_nation_never_slower(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        chief = road.court.staff(Role.CHIEF)
        for days in (10, 5):
            wanted = convert({"days": days, "reason": "本院规定"}, SetPayoutPolicy)
            await withholding.set_policy(database, call(chief), wanted)
        account = await road.account()
        assert (account.pay_by, account.local_pay_by) == ("2025-04-02", "2025-03-10")
        with pytest.raises(Malformed):
            convert({"days": 31, "reason": "x"}, SetPayoutPolicy)


async def test_bankruptcy_stops_everything_at_once(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        batch = await road.make(plan)
        await road.check(batch)
        await refused(AcceptanceMisdated, accept_bankruptcy(road, "2025-12-31"))
        await accept_bankruptcy(road)
        for doing in (road.pay(batch), road.make(plan), road.draft(), ask(road, plan, "A"), accept_bankruptcy(road)):
            assert (await refused(BankruptcyAccepted, doing)).rule == "R-DIST-17"
        assert await money_inside(database) == {"case": 60_000}
        assert await faults(database) == []


async def test_an_acceptance_and_a_payment_at_once_have_an_order(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        batch = await road.make(await road.confirmed())
        await road.check(batch)
        paid, _ = await asyncio.gather(road.pay(batch), accept_bankruptcy(road), return_exceptions=True)
        inside = await money_inside(database)
        assert inside == ({"case": 60_000} if isinstance(paid, BankruptcyAccepted) else {"payee": 60_000})


# -- size, and rows changed by hand


async def test_a_thousand_payouts_in_one_batch(database_url: str) -> None:
    async with opened(database_url) as database:
        refs = [f"C{number}" for number in range(100)]
        road = await make_road(database, *parties(*refs))
        async with database.transaction(platform("test")) as tx:
            # 1,000 creditors: the 100 that the case was opened with, and 900 like them.
            await tx.session.execute(
                text(
                    "INSERT INTO appraisal.party (id, case_id, position, ref, role, name, kind, account_holder,"
                    " account_number, account_bank) SELECT gen_random_uuid(), :case, 1000 + n, 'D' || n, 'creditor',"
                    " '当事人D' || n, 'enterprise', '当事人D' || n, '6222D' || n, '某银行'"
                    " FROM generate_series(1, 900) n"
                ),
                {"case": road.case.id},
            )
            await tx.session.execute(
                text(
                    "INSERT INTO appraisal.titled_claim (id, case_id, party_id, position, kind, title_no, costs_fen,"
                    " interest_fen, principal_fen, doubled_fen, registered_at)"
                    " SELECT gen_random_uuid(), case_id, id, position, 'ordinary', ref, 0, 0, 10000, 0, now()"
                    " FROM appraisal.party WHERE case_id = :case AND role <> 'debtor'"
                ),
                {"case": road.case.id},
            )
        await road.bring_money(6_000_007)
        plan = await road.decide(await road.draft())
        async with database.transaction(platform("test")) as tx:
            served = text(
                "INSERT INTO settlement.plan_service (plan_id, party_id, service_id, served_on, objection_until,"
                " calendar_known, recorded_at) SELECT :plan, id, gen_random_uuid(), '2025-03-03', '2025-03-18', true,"
                " now() FROM appraisal.party WHERE case_id = :case"
            )
            await tx.session.execute(served, {"plan": plan.id, "case": road.case.id})
        road.pass_days(20)
        batch = await road.paid(await road.confirm(plan))
        assert len(batch.lines) == 1_000
        assert batch.total_fen == 6_000_007
        assert sorted({line.amount_fen for line in batch.lines}) == [6_000, 6_001]
        assert len({line.order_id for line in batch.lines}) == 1_000
        assert await money_inside(database) == {"payee": 6_000_007}
        assert (await road.account()).balance_fen == 0


TAMPERINGS = [
    ("withholding", "UPDATE settlement.withholding SET amount_fen = amount_fen - 1", "are withheld"),
    ("withholding", "UPDATE settlement.withholding SET approved_at = NULL, approved_by = NULL", "holds"),
    ("reward", "UPDATE settlement.reward SET amount_fen = 1", "beyond its amount"),
    ("payout_line", "UPDATE settlement.payout_line SET amount_fen = 1 WHERE payee_kind = 'reward'", "hash"),
]


async def test_rows_changed_by_hand_are_found(database_url: str) -> None:
    class Undone(Exception):
        pass

    async with opened(database_url) as database:
        road = await two_creditors(database)
        await reward(road, "A", 1_500)
        plan = await road.confirmed()
        await approve(road, await ask(road, plan, "B"))
        await road.paid(plan)
        assert await faults(database) == []
        for table, statement, expected in TAMPERINGS:
            found: list[str] = []
            with pytest.raises(Undone):
                async with database.transaction(platform("thief")) as tx:
                    await tx.session.execute(text(f"ALTER TABLE settlement.{table} DISABLE TRIGGER ALL"))
                    changed = await tx.session.execute(text(f"{statement} RETURNING 1"))
                    assert changed.all(), statement
                    found = await verify.faults(tx)
                    raise Undone
            assert any(expected in fault for fault in found), (statement, found)
