"""A plan in dispute (W-17): objection, opposition, suit; the rest is paid at once, the escrow after judgment."""

from datetime import date, timedelta
from typing import Any

from app.demo.case import SERVED, Case
from app.demo.sales import Dispute
from app.demo.schedule import at, on_or_after
from kernel.money import yuan

OBJECTED_AFTER, OPPOSED_AFTER, SUED_AFTER = timedelta(days=4), timedelta(days=8), timedelta(days=12)
"""From the service of the plan; each step on a working day and well within its fifteen days (R-DIST-05)."""

SUIT_NO = "民初88号"


def _claim(plan: dict[str, Any], case: Case, dispute: Dispute, principal_fen: int) -> dict[str, Any]:
    """The disputed claim with another principal, its other parts as registered."""
    creditor, party_id = case.sale.creditors[dispute.against], case.parties[f"c{dispute.against}"]
    claim_id = next(claim["claim_id"] for claim in plan["claims"] if claim["party_id"] == party_id)
    return {
        "claim_id": claim_id,
        "costs_fen": creditor.costs_fen,
        "interest_fen": creditor.interest_fen,
        "principal_fen": principal_fen,
        "doubled_fen": creditor.doubled_fen,
    }


async def object_to(case: Case, dispute: Dispute, plan: dict[str, Any], served_on: date) -> str:
    """From the objection to the suit, each within its days; returns the objection's id (R-DIST-05)."""
    clerk, stage = case.court.clerk, case.play.stage
    objector, opponent = case.parties[f"c{dispute.objector}"], case.parties[f"c{dispute.against}"]
    async with stage.at(at(day := on_or_after(served_on + OBJECTED_AFTER), 10)):
        said = {"party_id": objector, "objected_on": day.isoformat(), "text": "该债权部分已经清偿，数额应予核减。"}
        claims = [_claim(plan, case, dispute, dispute.should_be_fen)]
        objected = await clerk.post(f"/api/plans/{plan['id']}/objections", said | {"claims": claims})
        objection_id = str(objected["objections"][0]["id"])
        for notice in objected["objections"][0]["notices"]:
            served = {"party_id": notice["party_id"], "served_on": day.isoformat()}
            await clerk.post(f"/api/objections/{objection_id}/notices", served | SERVED)
    case.say(
        f"提出异议 objection：{case.sale.creditors[dispute.objector].name}，债权应为 {yuan(dispute.should_be_fen)}"
    )
    path = f"/api/objections/{objection_id}"
    async with stage.at(at(day := on_or_after(served_on + OPPOSED_AFTER), 10)):
        opposed = {"party_id": opponent, "made_on": day.isoformat(), "text": "未收到任何清偿，不同意核减。"}
        await clerk.post(f"{path}/counter-opinions", opposed)
        await clerk.post(f"{path}/told", {"told_on": day.isoformat()} | SERVED)
    async with stage.at(at(day := on_or_after(served_on + SUED_AFTER), 10)):
        await clerk.post(f"{path}/suit", {"filed_on": day.isoformat(), "suit_no": f"（{day.year}）{SUIT_NO}"})
    case.say(f"提起分配方案异议之诉 sued：（{day.year}）{SUIT_NO}")
    return objection_id


async def resolve(case: Case, plan_path: str) -> dict[str, Any]:
    """The next version of the plan: the undisputed part is paid, the disputed dividend goes into escrow (R-DIST-06)."""
    decision_id = await case.decide("distribution_plan", "无争议部分先行发放，争议债权对应的分配款提存。")
    kept: dict[str, Any] = await case.court.judge.post(f"{plan_path}/resolve", {"decision_id": decision_id})
    case.say(f"争议款提存 in escrow：{yuan(kept['escrow_fen'])}")
    return kept


async def judge(case: Case, dispute: Dispute, objection_id: str, kept: dict[str, Any]) -> dict[str, Any]:
    """The suit is decided, and a last plan gives the escrow out as the judgment says (R-DIST-06)."""
    today, judge_ = case.play.today, case.court.judge
    found = {"effective_on": today.isoformat(), "document": f"（{today.year}）{SUIT_NO}民事判决书"}
    claims = [_claim(kept, case, dispute, dispute.judged_fen)]
    await judge_.post(f"/api/objections/{objection_id}/judgment", found | {"claims": claims})
    decision_id = await case.decide("distribution_plan", "按照生效判决发放提存款项。")
    released: dict[str, Any] = await judge_.post(f"/api/plans/{kept['id']}/release", {"decision_id": decision_id})
    case.say(f"判决债权为 {yuan(dispute.judged_fen)}，提存款发放 escrow released {yuan(released['proceeds_fen'])}")
    return released
