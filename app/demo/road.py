"""The road of one case as its court, bidders and officers walk it: from the filing to the last payout.

Every step goes through the HTTP API as the person whose step it is; statutory times are kept on the demo's clock.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from app.demo import papers
from app.demo.bidders import Bidder, Lot, pays_at, registers_at, screen_of, turns, unlocks_at
from app.demo.people import bank_account, person
from app.demo.plans import EXTENSION, PlannedBid, plan
from app.demo.sales import Bidding, Sale
from app.demo.schedule import (
    Aftermath,
    Road,
    Window,
    after_sale,
    announcement_days,
    at,
    moment_day,
    next_working_day,
    road_to,
)
from app.demo.stage import Stage
from app.demo.users import Court, Door, until
from kernel.money import Fen, yuan
from settlement.completion.rules import enforcement_fee

BALANCE_DUE_DAYS = 10
SUSPENDED_AFTER = timedelta(hours=5)
SUSPENDED_FOR = timedelta(minutes=8)
ARRIVES_EARLY = timedelta(minutes=1)
SETTLED_LATER = timedelta(minutes=1)

COUNTERS = 12

PANEL = ("审判长周法官", "审判员吴法官", "审判员郑法官")
ENQUIRED = ("询价平台甲", "询价平台乙", "询价平台丙")
BASIS = {"network_enquiry": "网络询价，取三家平台结果的平均值", "appraisal": "委托评估"}
LONGEST_SEIZURE = {"movable": ("seize", 729), "immovable": ("seal", 1094), "other_right": ("freeze", 1094)}
"""Measure and days (R-SEAL-01)."""


@dataclass
class Play:
    """What all cases of the demo share: time, the door, and the tasks of those who bid."""

    stage: Stage
    door: Door
    say: Callable[[str, str], None]
    tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    counters: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(COUNTERS))
    """How many people are served at a time before a lot opens."""
    bids_made: int = 0

    @property
    def today(self) -> date:
        return moment_day(self.stage.clock.now())


@dataclass
class Auction:
    """One sale of the asset and who bids in it; the bidder of the plan's last bid becomes the buyer."""

    lot: Lot
    bids: tuple[PlannedBid, ...]
    bidders: list[Bidder]

    @property
    def buyer(self) -> Bidder:
        return self.bidders[self.bids[-1].bidder]

    @property
    def refusals(self) -> list[dict[str, Any]]:
        """What the platform refused to the bidders, word for word."""
        return [refusal for bidder in self.bidders for refusal in bidder.refusals]

    @property
    def ends_at(self) -> datetime:
        """The real end by the plan: five minutes after the last bid."""
        return self.lot.ends_at + self.bids[-1].at + EXTENSION


@dataclass
class Case:
    """A case and how far its court has come with it; ids are those that the platform gave."""

    play: Play
    sale: Sale
    court: Court
    filed_on: date
    id: str = ""
    case_no: str = ""
    parties: dict[str, str] = field(default_factory=dict)
    asset_id: str = ""
    auctions: list[Auction] = field(default_factory=list)
    plan_id: str = ""
    payout_id: str = ""

    @property
    def movable(self) -> bool:
        return self.sale.kind == "movable"

    @property
    def lot_path(self) -> str:
        return f"/api/lots/{self.auctions[-1].lot.id}"

    def say(self, what: str) -> None:
        self.play.say(self.sale.short, what)

    async def decide(self, subject: str, text: str, facts: dict[str, Any] | None = None) -> str:
        """Record a decision that the panel makes today; returns its id."""
        decision = {"subject": subject, "made_on": self.play.today.isoformat(), "members": PANEL, "text": text}
        answer = await self.court.judge.post(f"/api/cases/{self.id}/decisions", decision | {"facts": facts or {}})
        return str(answer["id"])


async def travel(play: Play, sale: Sale, first: Window, second: Window) -> Case:
    """Walk the whole road of one case, with a resale in the second window after a default in the first."""
    road = road_to(moment_day(first.opens_at), movable=sale.kind == "movable")
    case = await open_case(play, sale, road)
    await fix_price(case, road)
    lot = await announce(case, sale.first, first, drafted_on=road.drafted, publish_on=road.published)
    await sell(case, lot, sale.first)
    if sale.resale is not None:
        resale_id = await default(case)
        published, drafted = announcement_days(moment_day(second.opens_at), movable=case.movable)
        lot = await announce(case, sale.resale, second, drafted_on=drafted, publish_on=published, resale_id=resale_id)
        await sell(case, lot, sale.resale)
    days = after_sale(moment_day(case.auctions[-1].ends_at))
    await complete(case, days)
    await distribute(case, days)
    return case


# -- before the sale


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
    async with play.stage.at(at(road.seized, 10)):
        await _register_asset(case)
        await _register_claims(case)
        await _register_seizures(case, road.seized)
    case.say(f"立案 filed {case.case_no}，查封，登记债权 {len(sale.creditors)} 笔")
    return case


def _party(ref: str, role: str, name: str, kind: str, number: int) -> dict[str, Any]:
    return {"ref": ref, "role": role, "name": name, "kind": kind, "account": bank_account(name, number)}


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
    decision_id = await case.decide("lot_terms", "合议庭评议确定起拍价、加价幅度、保证金和余款支付期限。", decided)
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


# -- the sale


async def sell(case: Case, lot: Lot, bidding: Bidding) -> None:
    """Bring the bidders and wait for the end; fails if the lot is not sold."""
    play = case.play
    prefix = f"{case.sale.key}{len(case.auctions) + 1}"
    people = [person(f"{prefix}.b{index + 1:02d}", play.door.next_number()) for index in range(bidding.bidders)]
    auction = Auction(lot, plan(bidding), [Bidder(play.door.user(each), lot) for each in people])
    case.auctions.append(auction)
    if case.sale.suspended:
        lot.ends_at += SUSPENDED_FOR
        play.tasks.create_task(suspend(case, lot))
    for index, bidder in enumerate(auction.bidders):
        play.tasks.create_task(take_part(play, auction, bidder, index))
    async with play.stage.at(auction.ends_at + SETTLED_LATER):
        result = await settled(case, "sold")
    rise = f"溢价率 {result['premium_over_start']}%，出价 {result['bids']} 次，延时 {result['extensions']} 次"
    case.say(f"成交 sold {yuan(result['price_fen'])}，{rise}")


async def take_part(play: Play, auction: Auction, bidder: Bidder, index: int) -> None:
    """One bidder, from the registration to the end of the lot."""
    stage, lot = play.stage, auction.lot
    async with stage.at(registers_at(lot, index)), play.counters:
        await bidder.user.sign_up(play.door.password)
        await bidder.register()
    async with stage.at(pays_at(lot, index)), play.counters:
        await bidder.pay_deposit()
    async with stage.at(unlocks_at(lot, index)), play.counters:
        await bidder.unlock()
    own = turns(auction.bids, index)
    async with AsyncExitStack() as seat:
        async with stage.at(lot.ends_at + own[0][0].at - ARRIVES_EARLY):
            screen = await seat.enter_async_context(screen_of(bidder.user, lot.id))
        for bid, before_fen in own:
            async with stage.at(lot.ends_at + bid.at):
                await bidder.play(screen, bid, before_fen)
                play.bids_made += 1
        await screen.until_ended()


async def suspend(case: Case, lot: Lot) -> None:
    """The judge stops the lot on its first day and lets it run on a few minutes later (R-HALT-01, 03)."""
    stage, judge = case.play.stage, case.court.judge
    path, stopped_at = f"/api/lots/{lot.id}", lot.opens_at + SUSPENDED_AFTER
    async with stage.at(stopped_at):
        decision_id = await case.decide("suspension", "就买受人资格条件的咨询进行核实，暂停竞价。")
        reason = "核实竞买人资格条件的咨询"
        await judge.post(f"{path}/suspend", {"reason": reason, "decision_id": decision_id})
        await until(lambda: judge.get(path), lambda shown: shown["status"] == "suspended")
    case.say(f"法官暂停竞价 suspended：{reason}")
    async with stage.at(stopped_at + SUSPENDED_FOR):
        decision_id = await case.decide("suspension", "核实完毕，恢复竞价。")
        await judge.post(f"{path}/resume", {"reason": "核实完毕", "decision_id": decision_id})
        await until(lambda: judge.get(path), lambda shown: shown["status"] == "live")
    case.say("恢复竞价 resumed，剩余时间不变")


async def settled(case: Case, status: str) -> dict[str, Any]:
    """The result of the latest lot once the platform shows it in `status`."""
    shown = await until(lambda: case.court.clerk.get(case.lot_path), lambda lot: lot["status"] == status)
    result: dict[str, Any] = shown["result"]
    return result


# -- after the sale


async def default(case: Case) -> str:
    """The buyer does not pay (悔拍): once the balance is overdue the panel says so; returns the ordered resale's id."""
    stage, auction = case.play.stage, case.auctions[-1]
    async with stage.at(at(next_working_day(moment_day(auction.ends_at)), 9)):
        sale = await until(lambda: case.court.clerk.get(f"{case.lot_path}/sale"), bool)
    due_on = moment_day(datetime.fromisoformat(sale["balance_due_at"]))
    async with stage.at(at(next_working_day(due_on), 9)):
        decision_id = await case.decide("default", "买受人逾期未支付余款，构成悔拍，保证金不予退还，重新拍卖。")
        declared = await case.court.judge.post(f"{case.lot_path}/default", {"decision_id": decision_id})
        await settled(case, "defaulted")
    case.say(f"悔拍 default：余款 {yuan(sale['missing_fen'])} 逾期未付，保证金 {yuan(declared['forfeited_fen'])} 不退")
    return str(declared["resale_lot_id"])


async def complete(case: Case, days: Aftermath) -> None:
    """The balance is paid, the sale ruling made and served: title passes (R-CLOSE-04, 05)."""
    stage, court, buyer = case.play.stage, case.court, case.auctions[-1].buyer
    async with stage.at(at(days.paid, 11)):
        sale = await until(lambda: buyer.user.get(f"{case.lot_path}/sale"), bool)
        await buyer.pay(sale["account_no"], sale["missing_fen"])
        await until(lambda: buyer.user.get(f"{case.lot_path}/sale"), lambda sale: sale["state"] == "paid")
    async with stage.at(at(days.ruled, 9)):
        decision_id = await case.decide("sale_ruling", "价款已全部支付，裁定标的物所有权归买受人。")
        await court.judge.post(f"{case.lot_path}/ruling", {"decision_id": decision_id})
    async with stage.at(at(days.ruled, 15)):
        served = {"served_on": days.ruled.isoformat(), "method": "direct", "proof": "送达回证"}
        await court.clerk.post(f"{case.lot_path}/ruling-service", served)
    case.say(f"余款付清，成交裁定送达买受人 {sale['buyer_name']} paid, ruling served")


async def distribute(case: Case, days: Aftermath) -> None:
    """Costs and fee, the plan with fifteen days for everybody (R-DIST-04, 05), and payouts by three people."""
    stage, court = case.play.stage, case.court
    async with stage.at(at(days.planned, 9)):
        await _add_costs(case)
        drafted = await court.maker.post(f"/api/cases/{case.id}/plans")
        case.plan_id = drafted["id"]
        decision_id = await case.decide("distribution_plan", "合议庭评议通过分配方案。")
        await court.judge.post(f"/api/plans/{case.plan_id}/decide", {"decision_id": decision_id})
        for recipient in drafted["recipients"]:
            served = {"party_id": recipient["party_id"], "served_on": days.planned.isoformat()}
            proof = {"method": "direct", "proof": "送达回证"}
            await court.clerk.post(f"/api/plans/{case.plan_id}/services", served | proof)
        clocks = (await court.clerk.get(f"/api/plans/{case.plan_id}"))["recipients"]
    case.say(f"分配方案送达 {len(clocks)} 人，各有十五日异议期 plan served, 15 days to object")
    async with stage.at(at(days.handed_over, 10)):
        handed_over = {"on": days.handed_over.isoformat(), "note": "现场交付，买受人签收。"}
        await court.clerk.post(f"{case.lot_path}/handover", handed_over)
    last_day = max(date.fromisoformat(recipient["objection_until"]) for recipient in clocks)
    async with stage.at(at(next_working_day(last_day), 9)):
        await court.judge.post(f"/api/plans/{case.plan_id}/confirm")
        await _pay_out(case)


async def _add_costs(case: Case) -> None:
    for cost in case.sale.costs:
        wanted = {
            "kind": cost.kind,
            "name": cost.name,
            "amount_fen": cost.amount_fen,
            "payee": bank_account(cost.payee, case.play.door.next_number()),
            "lot_id": case.auctions[-1].lot.id,
            "document": "发票、税务核定通知",
        }
        await case.court.maker.post(f"/api/cases/{case.id}/costs", wanted)
    decision_id = await case.decide("enforcement_fee", "依照诉讼费用交纳办法确定执行申请费。")
    applicant, bidding = case.sale.creditors[0], case.sale.resale or case.sale.first
    set_fen = case.sale.set_fee_fen or enforcement_fee(Fen(min(applicant.total_fen, bidding.price_fen)))
    fee = {"set_fen": set_fen, "reason": case.sale.fee_reason, "decision_id": decision_id}
    await case.court.judge.post(f"/api/cases/{case.id}/enforcement-fee", fee)


async def _pay_out(case: Case) -> None:
    """Maker, checker and payer sign the same hash; then the bank reports every line executed (R-ACCT-06)."""
    court = case.court
    batch = await court.maker.post(f"/api/plans/{case.plan_id}/payouts")
    case.payout_id = batch["id"]
    signed = {"hash": batch["hash"]}
    await court.checker.post(f"/api/payouts/{case.payout_id}/check", signed)
    await court.payer.post(f"/api/payouts/{case.payout_id}/pay", signed)
    paid = await until(
        lambda: court.payer.get(f"/api/payouts/{case.payout_id}"),
        lambda shown: all(line["state"] == "executed" for line in shown["lines"]),
    )
    case.say(f"案款发放完毕 paid out：{len(paid['lines'])} 笔，合计 {yuan(paid['total_fen'])}")
