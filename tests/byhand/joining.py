"""A creditor joins the distribution in time, reads their own case, and is paid; then the debtor is bankrupt."""

from datetime import timedelta
from typing import Any

from app.demo.people import bank_account
from app.demo.users import User, until
from tests.byhand.docket import YUAN, Docket, lines_of
from tests.byhand.town import PASSWORD, Town

FEN = {"costs_fen": 0, "interest_fen": 0, "principal_fen": 0, "doubled_fen": 0}


async def a_creditor_joins(town: Town) -> None:
    """R-DIST-01 to 03, R-INT-02 to 05: 70,000 for 50,000 with doubled interest and 40,000 that joined."""
    case = Docket(town, f"（{town.today.year}）沪0115执5001号")
    await case.file("applicant", "creditor")
    await case.claim("applicant", 50_000)
    policy = {"cut_off": "before_plan_served", "reason": "本院规定", "case_id": case.id}
    assert (await town.chief.post("/api/participation-policy", policy))["cut_off"] == "before_plan_served"
    assert (await town.chief.post("/api/payout-policy", {"days": 10, "reason": "本院规定"}))["days"] == 10
    await case.price(100_000)
    lot = await case.publish(await case.terms(70_000, 7_000))
    he = town.stranger("heqi")
    await case.opened(lot, (he, 70_000))
    await case.pay_balance(lot, he)
    await _recognise(case, refused="interest-still-runs")
    await case.rule_and_serve(lot)
    covered = await town.judge.get(f"/api/cases/{case.id}/coverage")
    assert (covered["covered"], covered["sold_fen"], covered["rule"]) == (True, 70_000 * YUAN, "R-CLOSE-12")
    reviewed = await town.judge.post(f"/api/lots/{lot}/reviews", {"reason": "例行复核"})
    assert (reviewed["same_payer"], reviewed["same_address"]) == ([], [])

    li = await linked(case, "creditor", "lisi", "李四代理人")
    joining = FEN | {"principal_fen": 40_000 * YUAN, "party_id": case.parties["creditor"], "reasons": "财产不足清偿"}
    path = f"/api/cases/{case.id}/participations"
    assert (
        await town.refused(li, path, joining | {"party_id": case.parties["applicant"], "title_no": "x"}) == "not-found"
    )
    await li.post(path, joining | {"title_no": "（2025）民初2号"})
    assert await town.refused(li, path, joining | {"title_no": "（2025）民初2号"}) == "applied-before"
    await case.claim("creditor", 40_000, title_no="（2025）民初2号")  # the clerk has examined the title
    recognised = await _recognise(case)
    assert recognised["recognised"]["doubled_fen"] == 875 * YUAN, "50,000 × 0.0175 % × 100 days"
    await case.fee(0)

    joined = await town.auditor.get(path)
    (mine,) = [each["claim_id"] for each in joined["claims"] if each["party_id"] == case.parties["creditor"]]
    tried = await _what_if(town.auditor, case, {"proceeds": [], "claims": [FEN | {"claim_id": mine}]})
    assert (tried["now"]["surplus_fen"], tried["then"]["surplus_fen"]) == (0, 19_125 * YUAN)
    reward = {"party_id": case.parties["applicant"], "amount_fen": 1_000 * YUAN, "document": "悬赏公告"}
    await town.maker.post(f"/api/cases/{case.id}/rewards", reward | {"payee": bank_account("线索提供人", 88)})
    plan = await case.confirmed()
    assert lines_of(plan) == [("party", "某商业银行", 38_888), ("party", "李四", 31_111)]
    paid = await case.pay_out(plan)
    assert [(line["holder"], line["amount_fen"]) for line in paid["lines"]] == [
        ("某商业银行", 37_888_89),
        ("线索提供人", 1_000_00),
        ("李四", 31_111_11),
    ]
    await _reads_their_own(case, li)
    figures = await town.stranger("citizen").get(f"/api/statistics/case-money?year={town.today.year}")
    assert all(court["held_fen"] == 0 for court in figures["holdings"]), "nothing is held for any case"
    assert sum(court["paid_fen"] for court in figures["figures"]) >= 70_000 * YUAN

    accepted = {"accepted_on": town.today.isoformat(), "court": "上海市第三中级人民法院", "document": "（2027）破1号"}
    await town.judge.post(f"/api/cases/{case.id}/bankruptcy", accepted)
    assert await town.refused(town.maker, f"/api/cases/{case.id}/plans") == "bankruptcy-accepted"


async def _recognise(case: Docket, refused: str | None = None) -> dict[str, Any]:
    """The court recognises the applicant's claim, its doubled part computed from the title's terms."""
    joined = await case.town.auditor.get(f"/api/cases/{case.id}/participations")
    (claim,) = [each for each in joined["claims"] if each["party_id"] == case.parties["applicant"]]
    due_on = case.town.today - timedelta(days=100)
    interest = {"base_fen": 50_000 * YUAN, "performance_due_on": due_on.isoformat()}
    wanted = FEN | {"principal_fen": 50_000 * YUAN, "claim_id": claim["claim_id"], "document": "审查意见"}
    path = f"/api/cases/{case.id}/recognitions"
    if refused is not None:
        assert await case.town.refused(case.town.judge, path, wanted | {"interest": interest}) == refused
        return claim
    found: dict[str, Any] = await case.town.judge.post(path, wanted | {"interest": interest})
    return found


async def linked(case: Docket, ref: str, username: str, name: str) -> User:
    """Somebody signs up, shows the court their papers, and speaks for the party."""
    user = case.town.stranger(username, name)
    await user.sign_up(PASSWORD)
    shown = {"username": username, "id_number": user.person.id_number, "capacity": "representative"}
    link = f"/api/cases/{case.id}/parties/{case.parties[ref]}/link"
    await case.town.clerk.post(link, shown | {"document": "授权委托书"})
    return user


async def _what_if(who: User, case: Docket, changed: dict[str, Any]) -> dict[str, Any]:
    """A question, answered with 200: nothing is stored."""
    path, marks = f"/api/cases/{case.id}/what-if", {"Origin": who.origin, "Idempotency-Key": "what-if-1"}
    answer = await who.http.post(path, json=changed, headers=marks)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _reads_their_own(case: Docket, li: User) -> None:
    """The party sees the plan and what it is paid; what another is paid does not exist for it."""
    (listed,) = (await li.get("/api/my/cases"))["cases"]
    assert listed["case_id"] == case.id
    shown = await li.get(f"/api/my/cases/{case.id}")
    assert [line["payee"] for line in shown["plans"][0]["lines"] if line["own"]] == ["李四"]
    path = f"/api/cases/{case.id}/parties"
    own = await until(lambda: li.get(f"{path}/{case.parties['creditor']}/payments"), lambda one: one["executed_fen"])
    assert own["executed_fen"] == 31_111_11
    answer = await li.http.get(f"{path}/{case.parties['applicant']}/payments")
    assert answer.status_code == 404, answer.text
