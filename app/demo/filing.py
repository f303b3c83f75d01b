"""Before the sale: the case is filed, its asset seized and priced, the sale announced."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from app.demo import papers
from app.demo.bidders import Lot
from app.demo.case import Case, Play
from app.demo.people import bank_account, person
from app.demo.sales import Bidding, Sale
from app.demo.schedule import Road, Window, at
from app.demo.users import Court
from kernel.money import yuan

BALANCE_DUE_DAYS = 10
ENQUIRED = ("询价平台甲", "询价平台乙", "询价平台丙")
BASIS = {"network_enquiry": "网络询价，取三家平台结果的平均值", "appraisal": "委托评估"}
LONGEST_SEIZURE = {"movable": ("seize", 729), "immovable": ("seal", 1094), "other_right": ("freeze", 1094)}
"""Measure and days (R-SEAL-01)."""


async def staff(play: Play, sale: Sale) -> Court:
    """The court of a sale, with its people signed in."""
    people = {office: person(f"{sale.key}.{office}", play.door.next_number()) for office in Court.OFFICES}
    return await play.door.open_court(sale.key, sale.court, people)


async def open_case(play: Play, sale: Sale, road: Road, court: Court | None = None) -> Case:
    """File the case with its parties, at a new court unless one is given; register asset, claims and seizures."""
    async with play.stage.at(at(road.filed, 9, 30)):
        case = Case(play, sale, court or await staff(play, sale), road.filed)
        parties = [_party("debtor", "debtor", sale.debtor, sale.debtor_kind, play.door.next_number())]
        for index, creditor in enumerate(sale.creditors):
            role = "creditor" if index else "enforcement_applicant"
            parties.append(_party(f"c{index}", role, creditor.name, creditor.party_kind, play.door.next_number()))
        wanted = {"case_no": f"（{road.filed.year}）{sale.case_no}", "parties": parties}
        opened = await case.court.clerk.post("/api/cases", wanted)
        case.id, case.case_no = opened["id"], opened["case_no"]
        case.parties = {party["ref"]: party["id"] for party in opened["parties"]}
    await _link_parties(case)
    async with play.stage.at(at(road.seized, 10)):
        await _register_asset(case)
        await _register_claims(case)
        await _register_seizures(case, road.seized)
    case.say(f"立案 filed {case.case_no}，查封，登记债权 {len(sale.creditors)} 笔")
    return case


def _party(ref: str, role: str, name: str, kind: str, number: int) -> dict[str, Any]:
    return {"ref": ref, "role": role, "name": name, "kind": kind, "account": bank_account(name, number)}


async def _link_parties(case: Case) -> None:
    """Natural persons who follow their case themselves register, show their papers, and are linked (R-BID-04)."""
    for ref in case.sale.followed_by:
        name = case.sale.debtor if ref == "debtor" else case.sale.creditors[int(ref[1:])].name
        who = replace(person(f"{case.sale.key}.{ref}", case.play.door.next_number()), real_name=name)
        user = case.people[ref] = case.play.door.user(who)
        await user.sign_up(case.play.door.password)
        shown = {"username": who.username, "id_number": who.id_number, "capacity": "self", "document": "居民身份证原件"}
        await case.court.clerk.post(f"/api/cases/{case.id}/parties/{case.parties[ref]}/link", shown)


async def _register_asset(case: Case) -> None:
    sale = case.sale
    asset = {"kind": sale.kind, "title": sale.title, "description": sale.description, "place": sale.place}
    registered = await case.court.clerk.post(f"/api/cases/{case.id}/assets", asset | {"details": dict(sale.details)})
    case.asset_id = registered["id"]


async def _register_claims(case: Case) -> None:
    for index, creditor in enumerate(case.sale.creditors):
        claim: dict[str, Any] = {
            "party_id": case.parties[f"c{index}"],
            "kind": creditor.kind,
            "title_no": f"（{case.filed_on.year - 1}）民初{1001 + index}号民事判决书",
            "costs_fen": creditor.costs_fen,
            "interest_fen": creditor.interest_fen,
            "principal_fen": creditor.principal_fen,
            "doubled_fen": creditor.doubled_fen,
        }
        if creditor.pooled:
            claim["asset_id"] = case.asset_id
        if creditor.rank_on is not None:
            claim["rank_on"] = creditor.rank_on
        if creditor.sealed_days is not None:
            claim["sealed_on"] = (case.filed_on - timedelta(days=creditor.sealed_days)).isoformat()
        await case.court.clerk.post(f"/api/cases/{case.id}/claims", claim)


async def _register_seizures(case: Case, seized_on: date) -> None:
    """Earlier seizures in their order, the first effective and the others waiting (轮候); else a new one of today."""
    earlier = sorted(
        (case.filed_on - timedelta(days=creditor.sealed_days), case.parties[f"c{index}"])
        for index, creditor in enumerate(case.sale.creditors)
        if creditor.sealed_days is not None
    )
    measure, days = LONGEST_SEIZURE[case.sale.kind]
    for rank, (from_on, party_id) in enumerate(earlier or [(seized_on, case.parties["c0"])], 1):
        seizure = {
            "measure": measure,
            "party_id": party_id,
            "from_on": from_on.isoformat(),
            "to_on": (from_on + timedelta(days=days)).isoformat(),
            "rank": rank,
            "waiting": rank > 1,
        }
        await case.court.clerk.post(f"/api/assets/{case.asset_id}/seizures", seizure)


async def fix_price(case: Case, road: Road) -> None:
    """Find the reference price by network enquiry or appraisal; fix it after the days to object (R-REF-07, 12)."""
    sale, stage, asset = case.sale, case.play.stage, f"/api/assets/{case.asset_id}"
    reported_on = road.reported.isoformat()
    async with stage.at(at(road.reported, 14)):
        if sale.reference_method == "network_enquiry":
            spread = sale.reference_fen // 20
            for name, off in zip(ENQUIRED, (-spread, 0, spread), strict=True):
                report = {"platform": name, "delivered": True, "price_fen": sale.reference_fen + off}
                await case.court.clerk.post(f"{asset}/reports", report | {"report_on": reported_on})
        else:
            until = road.reported + timedelta(days=360)
            report = {"institution": "某资产评估有限公司", "price_fen": sale.reference_fen, "report_on": reported_on}
            await case.court.clerk.post(f"{asset}/appraisal", report | {"valid_until": until.isoformat()})
    async with stage.at(at(road.priced, 11)):
        fixed = {"method": sale.reference_method, "fixed_on": road.priced.isoformat()}
        await case.court.judge.post(f"{asset}/reference-price", fixed)


async def announce(
    case: Case, bidding: Bidding, window: Window, *, drafted_on: date, publish_on: date, resale_id: str | None = None
) -> Lot:
    """The panel decides the terms, the parties are told, and 15 or 30 days before the opening it is published."""
    stage, clerk = case.play.stage, case.court.clerk
    async with stage.at(at(drafted_on, 9)):
        terms = await _decide_terms(case, window, bidding, resale_id)
        if resale_id is None:
            lot_id = str((await clerk.post("/api/lots", terms))["id"])
        else:
            lot_id = resale_id
            await clerk.post(f"/api/lots/{lot_id}/terms", terms)
        await _disclose(case, lot_id, window, bidding)
        for ref in ("debtor", "c0"):
            told = {"party_id": case.parties[ref], "outcome": "notified", "on": drafted_on.isoformat()}
            await clerk.post(f"/api/lots/{lot_id}/notices", told | {"proof": "送达回证"})
    async with stage.at(at(publish_on, 10)):
        published = await case.court.judge.post(f"/api/lots/{lot_id}/publish")
    opening, what = (
        f"{window.opens_at:%m-%d %H:%M}",
        "重新拍卖公告 resale announced" if resale_id else "拍卖公告 announced",
    )
    case.say(f"{what}：起拍价 {yuan(bidding.start_fen)}，保证金 {yuan(bidding.deposit_fen)}，{opening} 开始")
    return Lot(lot_id, case.sale.title, published["announcement_version"], window.opens_at, window.ends_at)


async def _decide_terms(case: Case, window: Window, bidding: Bidding, resale_id: str | None) -> dict[str, Any]:
    decided = {
        "start_price_fen": bidding.start_fen,
        "increment_fen": bidding.increment_fen,
        "deposit_fen": bidding.deposit_fen,
        "balance_due_days": BALANCE_DUE_DAYS,
    }
    decision_id = await case.decide("lot_terms", "合议庭评议确定起拍价、增价幅度、保证金和余款支付期限。", decided)
    terms = {
        "asset_id": case.asset_id,
        "round": "round_1",
        "title": case.sale.title,
        "method": "auction",
        "opens_at": window.opens_at.isoformat(),
        "scheduled_end": window.ends_at.isoformat(),
        "decision_id": decision_id,
    }
    if resale_id is not None:
        terms |= {"round": "resale", "previous_lot_id": case.auctions[-1].lot.id}
    return terms | decided


async def _disclose(case: Case, lot_id: str, window: Window, bidding: Bidding) -> None:
    """Fill in everything that the platform must show on the day of publication (R-PUB-03, R-PUB-04)."""
    sale, clerk, lot = case.sale, case.court.clerk, f"/api/lots/{lot_id}"
    basis = BASIS[sale.reference_method]
    items = papers.checklist(
        court=sale.court,
        title=sale.title,
        details=dict(sale.details),
        case_no=case.case_no,
        reference_fen=sale.reference_fen,
        basis=basis,
        days=BALANCE_DUE_DAYS,
    )
    await clerk.post(f"{lot}/checklist", {"items": items})
    text = papers.announcement(sale.court, sale.title, window.opens_at, bidding)
    await clerk.attach(f"{lot}/documents?kind=announcement", "拍卖公告.txt", text)
    report = papers.appraisal(sale.title, sale.reference_fen, basis)
    await clerk.attach(f"{lot}/documents?kind=appraisal_report", "定价依据.txt", report)
