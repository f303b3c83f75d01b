"""Whether what came out is what was published, and whether the statutory times were kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.demo.report import CaseReport, LotReport
from app.demo.schedule import moment_day
from kernel.money import yuan

MINUTES_OVER = range(18, 23)
"""What "about 20 minutes late" may come out as."""

PAYOUT_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class Check:
    """One figure: what was expected, and what the platform shows."""

    of: str
    what: str
    expected: str
    found: str

    @property
    def holds(self) -> bool:
        return self.expected == self.found


def published(reports: list[CaseReport]) -> list[Check]:
    """Every published figure of every sale."""
    return [check for report in reports for check in PUBLISHED[report.case.sale.key](report)]


def _money(report: CaseReport, what: str, expected: str, found_fen: int) -> Check:
    return Check(report.case.sale.short, what, expected, yuan(found_fen))


def _text(report: CaseReport, what: str, expected: str, found: object) -> Check:
    return Check(report.case.sale.short, what, expected, str(found))


def _bmw(report: CaseReport) -> Iterator[Check]:
    (lot,) = report.lots
    yield _money(report, "起拍价 start price", "199,900.00", lot.page["start_price_fen"])
    yield _money(report, "成交价 price", "330,900.00", lot.result["price_fen"])
    yield _text(report, "竞买人 bidders", "53", lot.bidders)
    yield _text(report, "溢价率 premium %", "65.53", lot.result["premium_over_start"])


def _outlander(report: CaseReport) -> Iterator[Check]:
    (lot,) = report.lots
    yield _money(report, "起拍价 start price", "50,000.00", lot.page["start_price_fen"])
    yield _money(report, "成交价 price", "67,000.00", lot.result["price_fen"])
    yield _text(report, "出价次数 bids", "15", lot.result["bids"])
    yield _text(report, "溢价率 premium %", "34.00", lot.result["premium_over_start"])


def _hangzhou(report: CaseReport) -> Iterator[Check]:
    (lot,) = report.lots
    late = moment(lot.result["ended_at"]) - moment(lot.page["scheduled_end"])
    minutes = round(late / timedelta(minutes=1))
    yield _money(report, "起拍价 start price", "280,000.00", lot.page["start_price_fen"])
    yield _money(report, "保证金 deposit", "40,000.00", lot.page["deposit_fen"])
    yield _money(report, "成交价 price", "356,000.00", lot.result["price_fen"])
    yield _text(report, "出价次数 bids", "33", lot.result["bids"])
    yield _text(report, "溢价率 premium %", "27.14", lot.result["premium_over_start"])
    yield _text(report, "计划结束 planned end", "10:00", lot.page["scheduled_end"][11:16])
    yield _text(report, "延时约20分钟 about 20 min late", "是 yes", "是 yes" if minutes in MINUTES_OVER else minutes)


def _changle(report: CaseReport) -> Iterator[Check]:
    first, resale = report.lots
    (default,) = report.defaults
    yield _money(report, "首次成交价 first price", "1,552,000.00", first.result["price_fen"])
    yield _text(report, "首次状态 first sale", "defaulted", first.page["status"])
    yield _money(report, "没收保证金 deposit forfeited", "100,000.00", default["forfeited_fen"])
    yield _money(report, "重新拍卖成交价 resale price", "1,204,000.00", resale.result["price_fen"])
    yield _money(report, "弥补差价 to the shortfall", "100,000.00", default["to_shortfall_fen"])
    yield _money(report, "未覆盖差额 uncovered", "248,000.00", default["uncovered_fen"])
    yield _money(report, "案款来源 proceeds", "1,304,000.00", report.plan["proceeds_fen"])


def _w20a(report: CaseReport) -> Iterator[Check]:
    first, resale = report.lots
    (default,) = report.defaults
    fee = report.plan["fee"]
    remainder = "; ".join(f"{each['kind']} {yuan(each['amount_fen'])}" for each in report.account["remainder"])
    yield _money(report, "首次成交价 first price", "40,200,000.00", first.result["price_fen"])
    yield _money(report, "没收保证金 deposit forfeited", "2,000,000.00", default["forfeited_fen"])
    yield _money(report, "重新拍卖成交价 resale price", "45,000,000.00", resale.result["price_fen"])
    yield _money(report, "税费 taxes", "10,178,266.23", _part(report, "sale_taxes"))
    yield _money(report, "辅助费 helper", "30,000.00", _part(report, "sale_cost"))
    yield _money(report, "执行申请费（计算）fee computed", "99,972.03", fee["computed_fen"])
    yield _money(report, "执行申请费（收取）fee set", "99,972.00", fee["set_fen"])
    yield _money(report, "执行申请费入账 fee paid", "99,972.00", _part(report, "enforcement_fee"))
    yield _money(report, "发放申请执行人 to the applicant", "32,572,025.00", _part(report, "principal"))
    yield _money(report, "余款退被执行人 to the debtor", "2,119,736.77", _part(report, "surplus"))
    yield _money(report, "未覆盖差额 uncovered", "0.00", default["uncovered_fen"])
    yield _text(report, "账户余留 account ends at", "pending 2,000,000.00", remainder)


def _zhangzhou(report: CaseReport) -> Iterator[Check]:
    (lot,) = report.lots
    over = lot.result["price_fen"] > 20_000_000_000
    ordinary = [line["payee"]["name"] for line in report.plan["lines"] if line["level"] == 10]
    yield _text(report, "成交价超过两亿 above 200 million", "是 yes", "是 yes" if over else "否 no")
    yield _text(report, "被执行人 debtor", "enterprise", report.plan["debtor_kind"])
    yield _text(report, "普通债权按查封先后 by sealing", "厦门某信托公司、漳州某商贸公司", "、".join(ordinary))


PUBLISHED: dict[str, Callable[[CaseReport], Iterator[Check]]] = {
    "bmw": _bmw,
    "outlander": _outlander,
    "hangzhou": _hangzhou,
    "changle": _changle,
    "w20a": _w20a,
    "zhangzhou": _zhangzhou,
}


def _part(report: CaseReport, part: str) -> int:
    return sum(line["amount_fen"] for line in report.lines if line["part"] == part)


def statutory(reports: list[CaseReport]) -> list[Check]:
    """The times of the law, and that every account ends where its plan says."""
    return [check for report in reports for check in [*_times(report), *_money_adds_up(report), *in_dispute(report)]]


def in_dispute(report: CaseReport) -> Iterator[Check]:
    """The escrow is the dividend on what is disputed, and the judgment splits it to the fen (R-DIST-06, W-17)."""
    kept, *released = report.plans
    if not released:
        return
    (given,) = released
    escrow_fen = sum(line["amount_fen"] for line in kept["lines"] if line["payee"]["kind"] == "escrow")
    yield _money(report, "争议款提存 kept in escrow", yuan(escrow_fen), given["proceeds_fen"])
    given_fen = sum(line["amount_fen"] for line in given["lines"])
    yield _money(report, "判决后全部发放 given out after judgment", yuan(escrow_fen), given_fen)
    yield _text(report, "方案版本 versions of the plan", "1, 2, 3", f"1, {kept['version']}, {given['version']}")


def _times(report: CaseReport) -> Iterator[Check]:
    days = 15 if report.case.movable else 30
    for lot in report.lots:
        published_on, opens_on = day(lot.page["published_at"]), day(lot.page["opens_at"])
        bidding = moment(lot.page["scheduled_end"]) - moment(lot.page["opens_at"])
        yield _kept(report, f"公告满{days}日 announced {days} days (R-PUB-01)", opens_on - published_on, days)
        yield _kept(report, "竞价不少于24小时 bidding 24 h (R-BID-09)", bidding, 1)
        yield from _completed(report, lot)
    plan, statement = report.plan, report.account["statement"]
    recipients = report.served["recipients"]
    objection_until = max(date.fromisoformat(recipient["objection_until"]) for recipient in recipients)
    confirmed_on, paid_on = day(plan["confirmed_at"]), day(report.payouts[0]["paid_at"])
    yield _in_time(report, "异议期满后确认 plan confirmed after 15 days (R-DIST-05)", objection_until, confirmed_on)
    latest = day(statement[0]["at"]) + PAYOUT_WITHIN
    yield _in_time(report, "到账三十日内发放 paid out in 30 days (R-ACCT-03)", paid_on, latest)


def _completed(report: CaseReport, lot: LotReport) -> Iterator[Check]:
    sale = lot.sale
    if sale["defaulted_at"] is not None:
        due_on, defaulted_on = day(sale["balance_due_at"]), day(sale["defaulted_at"])
        yield _in_time(report, "逾期后认定悔拍 default after the due day (R-CLOSE-04)", due_on, defaulted_on)
        return
    served_on, handed_over_on = date.fromisoformat(sale["served_on"]), date.fromisoformat(sale["handed_over_on"])
    ruling_due, handover_due = date.fromisoformat(sale["ruling_due_on"]), date.fromisoformat(sale["handover_due_on"])
    yield _in_time(report, "付清十日内送达裁定 ruling in 10 days (R-CLOSE-05)", served_on, ruling_due)
    yield _in_time(report, "送达十五日内交付 handover in 15 days (R-CLOSE-06)", handed_over_on, handover_due)


def _kept(report: CaseReport, what: str, taken: timedelta, days: int) -> Check:
    return _text(report, what, "是 yes", "是 yes" if taken >= timedelta(days=days) else f"{taken}")


def _in_time(report: CaseReport, what: str, earlier: date, later: date) -> Check:
    return _text(report, what, "是 yes", "是 yes" if earlier <= later else f"{earlier} > {later}")


def _money_adds_up(report: CaseReport) -> Iterator[Check]:
    plan, account = report.plan, report.account
    lines_fen = sum(line["amount_fen"] for line in plan["lines"])
    came_in_fen = sum(
        each["amount_fen"] for each in account["statement"] if each["amount_fen"] > 0 and each["other"] != "escrow"
    )
    kept_fen = sum(each["amount_fen"] for each in account["remainder"])
    yield _money(report, "分配各行合计＝案款 plan lines sum to the proceeds", yuan(came_in_fen), lines_fen)
    yield _money(report, "发放合计＝案款 payouts sum to the proceeds", yuan(came_in_fen), report.paid_fen)
    yield _money(report, "案款账户余额 case account ends at", "0.00", account["balance_fen"])
    yield _money(report, "另存款项均有名目 what is kept has a name", yuan(account["held_fen"]), kept_fen)


def moment(text: str) -> datetime:
    """A time as the API gives it."""
    return datetime.fromisoformat(text)


def day(text: str) -> date:
    """The day in Beijing of such a time."""
    return moment_day(moment(text))


def failed(checks: list[Check]) -> list[Check]:
    return [check for check in checks if not check.holds]
