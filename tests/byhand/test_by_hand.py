"""Five cases as a court's people drive them against a running server: a thing taken in satisfaction, a sale annulled,
a buyer in default who makes good, one who sets off, a creditor who joins. Every step is a request by the one whose
step it is; what must be refused is tried.
"""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.demo.people import bank_account
from app.demo.users import User, until
from app.embedded import EmbeddedPostgres
from tests.byhand.docket import SERVED, YUAN, Docket, lines_of
from tests.byhand.joining import a_creditor_joins
from tests.byhand.setting_off import a_price_set_off
from tests.byhand.town import Town, opened_town, verified
from tests.support.places import fast_root, new_folder

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Room for the server's data; whatever a failed test left running is stopped."""
    made = new_folder(fast_root())
    yield made / "data"
    left = EmbeddedPostgres(made / "data")
    if left.alive():
        left.start()
        left.stop()
    shutil.rmtree(made)


async def a_thing_taken(town: Town) -> None:
    """W-19 b: costs 20,000, mortgage 300,000, A 900,000, B 300,000; nobody bids at 700,000."""
    case = Docket(town, f"（{town.today.year}）沪0115执1901号")
    await case.file("applicant", "mortgagee", "creditor")
    await case.claim("mortgagee", 300_000, kind="secured", asset_id=case.asset)
    await case.claim("applicant", 900_000)
    await case.claim("creditor", 300_000)
    await case.price(1_000_000)
    lot = await case.publish(await case.terms(700_000, 70_000))
    await case.opened(lot)
    assert (await town.clerk.get(f"/api/lots/{lot}"))["status"] == "failed"
    await case.cost(20_000, lot)
    tested = await town.judge.get(f"/api/lots/{lot}/surplus-test")
    assert (tested["priority_fen"], tested["costs_fen"]) == (300_000 * YUAN, 20_000 * YUAN)
    assert (tested["remains_fen"], tested["rule"]) == (380_000 * YUAN, "R-FAIL-05")

    async def wanted(taker: str, *asked: str, **facts: str) -> dict[str, Any]:
        return {
            "party_id": case.parties[taker],
            "asked": [case.parties[each] for each in asked or (taker,)],
            "due_on": (town.today + timedelta(days=7)).isoformat(),
            "decision_id": await case.decide("satisfaction", facts),
        }

    path = f"/api/lots/{lot}/taking"
    assert await town.refused(town.judge, path, await wanted("applicant")) == "fee-not-set"
    await case.fee(0)
    both = ("applicant", "creditor")
    assert await town.refused(town.clerk, path, await wanted("applicant")) == "forbidden"
    assert await town.refused(town.judge, path, await wanted("applicant", *both, "mortgagee")) == "not-senior"
    assert await town.refused(town.judge, path, await wanted("creditor", *both)) == "lot-not-drawn"
    drawn = await town.judge.post(path, await wanted("creditor", *both, drawn_lot="李四"))
    assert (drawn["entitlement_fen"], drawn["pay_in_fen"]) == (95_000 * YUAN, 605_000 * YUAN)
    assert await town.refused(town.judge, path, await wanted("applicant")) == "asset-taken"
    await case.credit(drawn["account_no"], 600_000 * YUAN, "李四", "6222000000000000003")
    first = f"/api/takings/{drawn['id']}"
    assert await until(lambda: town.judge.get(first), lambda shown: shown["missing_fen"] == 5_000 * YUAN)
    assert await town.refused(town.judge, f"{first}/lapse") == "taking-not-overdue"
    next_round = await case.terms(560_000, 56_000, round="round_2", previous_lot_id=lot)
    assert await town.refused(town.clerk, "/api/lots", next_round) == "asset-taken"
    await town.days(8)
    assert (await town.judge.post(f"{first}/lapse"))["state"] == "lapsed"
    await _all_back(town, lot, 600_000 * YUAN)

    taken = await town.judge.post(path, await wanted("applicant"))
    assert (taken["entitlement_fen"], taken["pay_in_fen"]) == (285_000 * YUAN, 415_000 * YUAN)
    second = f"/api/takings/{taken['id']}"
    ruling = {"ruling_decision_id": await case.decide("sale_ruling"), "served_on": town.today.isoformat()} | SERVED
    await case.credit(taken["account_no"], 415_000 * YUAN - 1, "某商业银行", "6222000000000000002")
    await until(lambda: town.judge.get(second), lambda shown: shown["missing_fen"] == 1)
    assert await town.refused(town.clerk, f"{second}/service", ruling) == "taking-not-there"
    await case.credit(taken["account_no"], 1, "某商业银行", "6222000000000000002")
    await until(lambda: town.judge.get(second), lambda shown: shown["state"] == "paid")
    assert await town.refused(town.judge, f"{second}/service", ruling) == "forbidden"
    assert (await town.clerk.post(f"{second}/service", ruling))["state"] == "served"
    seized = (await town.clerk.get(f"/api/assets/{case.asset}"))["seizures"]
    assert [each["standing"] for each in seized] == ["ended"], "seals end with the taking (R-SEAL-04)"
    assert await town.refused(town.clerk, "/api/lots", next_round) == "asset-disposed"

    plan = await case.confirmed()
    assert lines_of(plan) == [
        ("cost", "某停车场", 20_000),
        ("party", "抵押银行", 300_000),
        ("set_off", "某商业银行", 285_000),
        ("party", "李四", 95_000),
    ]
    assert {each["name"]: each["open_fen"] // YUAN for each in plan["claims"]} == {
        "抵押银行": 0,
        "某商业银行": 615_000,
        "李四": 205_000,
    }
    assert (await case.pay_out(plan))["total_fen"] == 415_000 * YUAN
    await _nothing_left(case)


async def a_sale_annulled(town: Town) -> None:
    """R-HALT-04 after title passed: all back by entries of their own, sold again, a surplus to the debtor at last."""
    case = Docket(town, f"（{town.today.year}）沪0115执3104号")
    await case.file("applicant", "creditor")
    await case.claim("applicant", 50_000)
    await case.price(100_000)
    lot = await case.publish(await case.terms(70_000, 7_000))
    wang, chen = town.stranger("wang"), town.stranger("chen")
    await case.opened(lot, (wang, 70_000), (chen, 71_000), (wang, 72_000))
    await until(lambda: chen.get(f"/api/lots/{lot}/deposit"), lambda shown: _refunds(shown) == [7_000 * YUAN])
    await case.pay_balance(lot, wang)
    await case.rule_and_serve(lot)
    assert (await case.account())["balance_fen"] == 72_000 * YUAN
    path = f"/api/lots/{lot}/annulment"
    annul = {"ground": "system_failure", "reasons": "系统故障致竞价结果错误"}
    annul["decision_id"] = await case.decide("annulment")
    assert await town.refused(town.clerk, path, annul) == "forbidden"
    assert await town.refused(town.judge, path, annul | {"ground": "approval_refused"}) == "ground-passed"
    annulled = await town.judge.post(path, annul)
    assert not annulled["buyer_barred"]
    assert await town.refused(town.judge, path, annul) == "sale-not-there"
    assert (await town.clerk.get(f"/api/lots/{lot}"))["status"] == "annulled"
    await until(lambda: wang.get(f"/api/lots/{lot}/deposit"), lambda shown: _refunds(shown) == [7_000 * YUAN])
    await _all_back(town, lot, 65_000 * YUAN)
    account = await case.account()
    assert account["balance_fen"] == 0
    assert [line["reason"] for line in account["statement"]] == ["completion.proceeds", "completion.proceeds-reversed"]
    assert (await wang.get(f"/api/lots/{lot}/sale"))["state"] == "annulled"
    seized = (await town.clerk.get(f"/api/assets/{case.asset}"))["seizures"]
    assert [each["standing"] for each in seized] == ["effective"], "the seizure lives again with its rank"

    again = await case.terms(70_000, 7_000, round="resale", previous_lot_id=lot)
    resale = await case.publish(again, annulled["resale_lot_id"])
    await case.opened(resale, (chen, 70_000), (wang, 73_000), (chen, 74_000))
    await case.pay_balance(resale, chen)
    await case.rule_and_serve(resale)
    fee = await case.fee(650)
    assert fee["computed_fen"] == 650 * YUAN, "50 + 1.5 % of the 40,000 above 10,000 that the applicant is paid"
    plan = await case.confirmed()
    assert lines_of(plan) == [
        ("cost", "诉讼费专户（上缴国库）", 650),
        ("party", "某商业银行", 50_000),
        ("party", "张三", 23_350),
    ]
    annul["decision_id"] = await case.decide("annulment")
    assert await town.refused(town.judge, f"/api/lots/{resale}/annulment", annul) == "proceeds-distributed"
    await case.pay_out(plan)
    await _nothing_left(case)


async def a_buyer_in_default(town: Town) -> None:
    """R-CLOSE-08 to 10: deposit forfeited, resold lower, what stays uncovered charged by a court's order alone."""
    case = Docket(town, f"（{town.today.year}）沪0115执2408号")
    await case.file("applicant", "creditor", debtor_kind="enterprise")
    await case.claim("creditor", 60_000, sealed_on="2025-03-01")
    await case.claim("applicant", 50_000, sealed_on="2025-02-01")
    await case.price(100_000)
    lot = await case.publish(await case.terms(70_000, 7_000))
    liu, zhao = town.stranger("liu"), town.stranger("zhao")
    await case.opened(lot, (liu, 90_000))
    await until(lambda: liu.get(f"/api/lots/{lot}/sale"), bool)
    wanted = {"decision_id": await case.decide("default")}
    assert await town.refused(town.judge, f"/api/lots/{lot}/default", wanted) == "balance-not-overdue"
    await town.days(11)
    declared = await town.judge.post(f"/api/lots/{lot}/default", wanted)
    assert declared["forfeited_fen"] == 7_000 * YUAN
    terms = await case.terms(70_000, 7_000, round="resale", previous_lot_id=lot)
    resale = await case.publish(terms, declared["resale_lot_id"])
    await _barred(town, liu, resale)
    await case.cost(1_000, lot)
    await case.opened(resale, (zhao, 75_000))
    await case.pay_balance(resale, zhao)
    await case.rule_and_serve(resale)
    await case.fee(0)
    plan = await town.maker.post(f"/api/cases/{case.id}/plans")
    assert plan["proceeds_fen"] == 82_000 * YUAN, "75,000 and the deposit"
    (use,) = (await town.judge.get(f"/api/cases/{case.id}/default-use"))["defaults"]
    assert (use["to_costs_fen"], use["to_shortfall_fen"]) == (1_000 * YUAN, 6_000 * YUAN)
    assert (use["shortfall_fen"], use["uncovered_fen"], use["ordered_fen"]) == (15_000 * YUAN, 9_000 * YUAN, None)
    due_on = (town.today + timedelta(days=10)).isoformat()
    order = {"amount_fen": 9_000 * YUAN, "due_on": due_on, "decision_id": await case.decide("shortfall")}
    path = f"/api/lots/{lot}/shortfall-order"
    assert await town.refused(town.judge, path, order | {"amount_fen": 9_000 * YUAN + 1}) == "shortfall-exceeded"
    await town.judge.post(path, order)
    debt = {"name": "物业费", "amount_fen": 500 * YUAN, "payee": bank_account("物业公司", 66), "document": "账单"}
    named = await town.judge.post(
        f"/api/lots/{lot}/related-debts", debt | {"decision_id": await case.decide("default")}
    )
    assert [each["covered_fen"] for each in named["related_debts"]] == [0], "the deposit is used up by then"
    await case.credit((await liu.get(f"/api/lots/{lot}/sale"))["account_no"], 9_000 * YUAN, "刘", liu.person.account_no)
    await until(case.account, lambda shown: shown["balance_fen"] == 91_000 * YUAN)
    plan = await case.confirmed()
    assert lines_of(plan) == [
        ("cost", "某停车场", 1_000),
        ("party", "某商业银行", 50_000),
        ("party", "李四", 40_000),
    ]
    paid = await _with_one_deferred(case, plan)
    assert paid == [51_000 * YUAN, 40_000 * YUAN]
    await _nothing_left(case)


async def _with_one_deferred(case: Docket, plan: dict[str, Any]) -> list[int]:
    """李四's money is attached elsewhere: put off by the chief, paid once that has ended (R-ACCT-04)."""
    town = case.town
    wanted = {
        "payee_kind": "party",
        "payee_id": case.parties["creditor"],
        "ground": "money_attached",
        "reason": "另案冻结",
    }
    asked = await town.maker.post(f"/api/plans/{plan['id']}/withholdings", wanted)
    path = f"/api/withholdings/{asked['id']}"
    assert await town.refused(town.maker, f"{path}/approve") == "forbidden"
    await town.chief.post(f"{path}/approve")
    first = await case.pay_out(plan)
    account = await case.account()
    assert [(each["kind"], each["amount_fen"]) for each in account["remainder"]] == [("deferred", 40_000 * YUAN)]
    await town.maker.post(f"{path}/end", {"ended_on": town.today.isoformat(), "reason": "另案解除冻结"})
    return [first["total_fen"], (await case.pay_out(plan))["total_fen"]]


def _refunds(deposit: dict[str, Any]) -> list[int]:
    return [each["amount_fen"] for each in deposit["refunds"] if each["state"] == "executed"]


async def _all_back(town: Town, lot: str, fen: int) -> None:
    """The lot's account holds nothing, and that sum left it for who had paid it."""
    shown = await until(lambda: town.auditor.get(f"/api/lots/{lot}/account"), lambda shown: shown["balance_fen"] == 0)
    assert sum(-move["amount_fen"] for move in shown["movements"] if move["other"] == "payee") == fen


async def _barred(town: Town, buyer: User, lot: str) -> None:
    """The defaulting buyer does not come in again (R-CLOSE-10)."""
    version = (await town.clerk.get(f"/api/lots/{lot}"))["announcement_version"]
    wanted = {"kind": "ordinary", "accepts": version, "declares_eligible": True}
    assert await town.refused(buyer, f"/api/lots/{lot}/registrations", wanted) == "barred"


async def _nothing_left(case: Docket) -> None:
    shown = await case.account()
    assert (shown["balance_fen"], shown["held_fen"], shown["remainder"]) == (0, 0, [])
    written = await case.town.clerk.post(f"/api/cases/{case.id}/account/paper")
    assert (await case.town.clerk.fetch(f"/api/papers/{written['id']}/pdf")).startswith(b"%PDF")


async def test_five_cases_over_http_end_at_zero_and_verify_finds_nothing(folder: Path) -> None:
    async with opened_town(folder) as town:
        for story in (a_thing_taken, a_sale_annulled, a_buyer_in_default, a_price_set_off, a_creditor_joins):
            await story(town)
    assert verified(folder).startswith("verified: no fault found (lots ")
