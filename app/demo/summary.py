"""The summary: lots, cases, totals, statistics, what was published and what was made, what was checked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.demo import checks
from app.demo.bank import FileBank
from app.demo.case import Case
from app.demo.checks import Check, day, moment
from app.demo.report import CaseReport, LotReport, ask, statistics
from app.demo.tables import Side, heading, table, width
from app.platform import Platform
from app.verify import faults
from kernel.actors import platform
from kernel.money import yuan

LEFT: Side = "left"
RIGHT: Side = "right"
ROUNDS = {"round_1": "一拍", "resale": "重拍"}
STATUSES = {"sold": "成交 sold", "defaulted": "悔拍 defaulted"}
DEBTORS = {
    "person": "自然人 person",
    "enterprise": "企业法人 enterprise",
    "other_organisation": "其他组织 organisation",
}
HALTS = {"suspended": "法院暂停竞价 suspended by the court (R-HALT-01)", "resumed": "恢复竞价 resumed (R-HALT-03)"}
FIGURES = {
    "premium_over_start.mean": "溢价率（起拍价）平均 premium over start, mean",
    "premium_over_start.median": "溢价率（起拍价）中位 median",
    "premium_over_start.weighted": "溢价率（起拍价）加权 weighted",
    "premium_over_reference.mean": "溢价率（参考价）平均 premium over reference, mean",
    "success_rate.items": "成交率（件）success by items",
    "success_rate.rounds": "成交率（场次）success by rounds",
    "turnover_fen": "成交额 turnover",
}


@dataclass(frozen=True)
class Played:
    """What was played, and how it went."""

    cases: Sequence[Case]
    bank: FileBank
    elapsed_s: float
    changes_of_pace: int
    replay_harmless: bool


async def summarise(parts: Platform, played: Played) -> bool:
    """Print the summary; returns whether everything holds."""
    reports = await ask(played.cases)
    figures = await statistics(played.cases[0].court.clerk)
    async with parts.database.reading(platform("verify")) as tx:
        found = await faults(tx)
    published, statutory = checks.published(reports), checks.statutory(reports)
    wrong = checks.failed([*published, *statutory])
    for line in [
        *_lots(reports),
        *_cases(reports),
        *_accounts(reports),
        *_bank(played.bank, harmless=played.replay_harmless),
        *_totals(reports, figures),
        *_sources(reports),
        *_checked(published, statutory, found),
        *_times(reports, played),
    ]:
        print(line)
    for fault in found:
        print(f"  ✗ {fault}")
    for check in wrong:
        print(f"  ✗ {check.of} {check.what}: {check.expected} ≠ {check.found}")
    sound = not found and not wrong and played.replay_harmless
    print("\n结果 result: " + ("全部相符 everything holds" if sound else "不符 something does not hold"), flush=True)
    return sound


def _lots(reports: Sequence[CaseReport]) -> Iterator[str]:
    yield heading("标的", "lots")
    heads = [
        ("标的", "lot", LEFT),
        ("轮次", "round", LEFT),
        ("起拍价", "start", RIGHT),
        ("成交价", "price", RIGHT),
        ("溢价率", "premium", RIGHT),
        ("出价", "bids", RIGHT),
        ("竞买人", "bidders", RIGHT),
        ("延时", "ext.", RIGHT),
        ("计划结束", "planned", LEFT),
        ("实际结束", "ended", LEFT),
        ("结果", "result", LEFT),
    ]
    yield from table(heads, [_lot(report, lot) for report in reports for lot in report.lots])
    for report in reports:
        yield from _incidents(report)


def _lot(report: CaseReport, lot: LotReport) -> list[str]:
    page, result = lot.page, lot.result
    price_fen = result["price_fen"]
    start_fen = page["start_price_fen"]
    return [
        report.case.sale.short,
        ROUNDS[page["round"]],
        yuan(start_fen),
        yuan(price_fen),
        f"{result['premium_over_start'] or _premium(start_fen, price_fen)}%",
        str(result["bids"]),
        str(lot.bidders),
        str(result["extensions"]),
        f"{moment(page['scheduled_end']):%m-%d %H:%M}",
        f"{moment(result['ended_at']):%H:%M:%S}",
        STATUSES[page["status"]],
    ]


def _incidents(report: CaseReport) -> Iterator[str]:
    """What else happened on the way: refused bids with their rule, orders of the court."""
    for auction in report.case.auctions:
        for refusal in auction.refusals:
            yield f"  {report.case.sale.short}：{refusal['detail']}（{refusal['code']}, {refusal['rule']}）"
    for lot in report.lots:
        for event in lot.events:
            if event["kind"] in HALTS:
                yield f"  {report.case.sale.short}：{moment(event['at']):%m-%d %H:%M:%S} {HALTS[event['kind']]}"


def _premium(start_fen: int, price_fen: int) -> str:
    """The premium of a defaulted sale, of which the platform publishes none (R-STAT-01)."""
    return f"({yuan((price_fen - start_fen) * 10_000 // start_fen)})"


def _cases(reports: Sequence[CaseReport]) -> Iterator[str]:
    yield heading("案件", "cases")
    for report in reports:
        yield from _case(report)


def _case(report: CaseReport) -> Iterator[str]:
    plan, sale = report.plan, report.case.sale
    yield f"\n  {report.case.case_no}  {sale.court}  {sale.title}"
    debtor = f"{sale.debtor}（{DEBTORS[plan['debtor_kind']]}）"
    yield f"  被执行人 debtor: {debtor}  案款 proceeds {yuan(plan['proceeds_fen'])}"
    for default in report.defaults:
        yield (
            f"  悔拍保证金 forfeited {yuan(default['forfeited_fen'])}：费用 costs {yuan(default['to_costs_fen'])}，"
            f"差价 shortfall {yuan(default['to_shortfall_fen'])}，本案债务 debt {yuan(default['to_case_debt_fen'])}，"
            f"待决定 pending {yuan(default['pending_decision_fen'])}；"
            f"未覆盖 uncovered {yuan(default['uncovered_fen'])}（仅列示，不收取 shown, not charged）"
        )
    if (fee := plan["fee"]) and fee["computed_fen"] != fee["set_fen"]:
        yield (
            f"  执行申请费 fee: 计算 computed {yuan(fee['computed_fen'])}，"
            f"收取 set {yuan(fee['set_fen'])}（{fee['reason']}）"
        )
    for each in report.plans:
        yield from _plan(each)
    last = report.plans[-1]
    open_ = [f"{claim['name']} {yuan(claim['open_fen'])}" for claim in last["claims"] if claim["open_fen"]]
    if open_:
        yield f"    未受偿 still owed: {'；'.join(open_)}"
    remainder = report.account["remainder"]
    kept = [f"{each['zh']} {each['en']} {yuan(each['amount_fen'])} ({each['rule']})" for each in remainder]
    yield f"    账户余额 balance {yuan(report.account['balance_fen'])}" + "".join(
        f"；另存 kept: {each}" for each in kept
    )


def _plan(plan: dict[str, Any]) -> Iterator[str]:
    yield f"    方案第{plan['version']}版 plan version {plan['version']}，{yuan(plan['proceeds_fen'])}"
    heads = [
        ("顺位", "level", RIGHT),
        ("项目", "line", LEFT),
        ("受款人", "payee", LEFT),
        ("金额", "amount", RIGHT),
        ("依据", "rule", LEFT),
        ("算式", "arithmetic", LEFT),
    ]
    rows = [
        [
            str(line["level"]),
            f"{line['level_zh']} {line['part']}",
            line["payee"]["name"],
            yuan(line["amount_fen"]),
            line["rule"],
            line["formula"],
        ]
        for line in plan["lines"]
    ]
    yield from table(heads, rows, indent=4)


KEPT = ("pending", "escrow", "deferred", "undistributed", "in_plan", "no_payee_account")


def _accounts(reports: Sequence[CaseReport]) -> Iterator[str]:
    """Where each case's money went, and by which name what is left is kept (R-ACCT-01)."""
    yield heading("案款账户", "case accounts")
    heads = [
        ("标的", "case", LEFT),
        ("账号", "account", LEFT),
        ("收入", "came in", RIGHT),
        ("发放", "paid out", RIGHT),
        ("账户余额", "balance", RIGHT),
        ("悔拍待决", "pending", RIGHT),
        ("提存", "escrow", RIGHT),
        ("延缓", "deferred", RIGHT),
        ("其他", "other", RIGHT),
    ]
    yield from table(heads, [_account(report) for report in reports])


def _account(report: CaseReport) -> list[str]:
    account = report.account
    kept = {kind: sum(each["amount_fen"] for each in account["remainder"] if each["kind"] == kind) for kind in KEPT}
    other_fen = account["held_fen"] - kept["pending"] - kept["escrow"] - kept["deferred"]
    came_in_fen = sum(
        each["amount_fen"] for each in account["statement"] if each["amount_fen"] > 0 and each["other"] != "escrow"
    )
    sums = [came_in_fen, report.paid_fen, account["balance_fen"]]
    sums += [kept["pending"], kept["escrow"], kept["deferred"], other_fen]
    return [report.case.sale.short, account["account_no"], *(yuan(fen) for fen in sums)]


def _bank(bank: FileBank, *, harmless: bool) -> Iterator[str]:
    yield heading("银行文件", "bank files")
    out_fen = sum(move.fen for move in bank.paid.values())
    yield (
        f"  pain.001 {bank.files} 件 files，{len(bank.paid)} 笔支付 payments {yuan(out_fen)}；"
        f"camt.054 {len(bank.notices)} 件 files，入账 credits {yuan(bank.credits_fen)}"
    )
    yield f"  全部回单再送一遍，账务不变 every notice handed over again changes nothing: {'✓' if harmless else '✗'}"


def _totals(reports: Sequence[CaseReport], figures: dict[str, object]) -> Iterator[str]:
    lines = [line for report in reports for line in report.lines]
    creditors_fen = sum(line["amount_fen"] for line in lines if line["claim_id"])
    surplus_fen = sum(line["amount_fen"] for line in lines if line["part"] == "surplus")
    all_fen = sum(line["amount_fen"] for line in lines)
    kept_fen = sum(report.account["held_fen"] for report in reports)
    yield heading("合计与统计", "totals and statistics")
    bids = sum(lot.result["bids"] for report in reports for lot in report.lots)
    bidders = sum(lot.bidders for report in reports for lot in report.lots)
    rows = [
        ("案款 proceeds", yuan(all_fen)),
        ("费用税费 costs and taxes", yuan(all_fen - creditors_fen - surplus_fen)),
        ("债权人 creditors", yuan(creditors_fen)),
        ("退被执行人 to debtors", yuan(surplus_fen)),
        ("待决定 pending decision", yuan(kept_fen)),
        ("出价 bids / 竞买人 bidders", f"{bids} / {bidders}"),
        *_figures(figures),
    ]
    wide = max(width(name) for name, _ in rows)
    for name, amount in rows:
        yield f"  {name}{' ' * (wide - width(name))}  {amount:>18}"


def _figures(figures: dict[str, object]) -> Iterator[tuple[str, str]]:
    listed = figures["figures"]
    assert isinstance(listed, list)
    for figure in listed:
        if name := FIGURES.get(figure["key"]):
            yield name, yuan(figure["amount_fen"]) if figure["amount_fen"] is not None else f"{figure['percent']}%"


def _sources(reports: Sequence[CaseReport]) -> Iterator[str]:
    yield heading("数据来源", "what was published, what was made")
    for report in reports:
        yield f"  {report.case.sale.short}  公布 published: {report.case.sale.published}"
        yield f"  {' ' * width(report.case.sale.short)}  自拟 made: {report.case.sale.made}"


def _checked(published: Sequence[Check], statutory: Sequence[Check], found: Sequence[str]) -> Iterator[str]:
    yield heading("核对", "checked")
    heads = [
        ("标的", "lot", LEFT),
        ("项目", "figure", LEFT),
        ("公布", "published", RIGHT),
        ("平台", "platform", RIGHT),
        ("", "", LEFT),
    ]
    rows = [[check.of, check.what, check.expected, check.found, "✓" if check.holds else "✗"] for check in published]
    yield from table(heads, rows)
    kept = sum(check.holds for check in statutory)
    yield f"\n  法定期限与收支平衡 statutory times and balances: {kept}/{len(statutory)} 项相符 hold"
    yield (
        "  auction verify（审计链、出价链、重放、账本、方案、发放 audit, bids, replay, ledger, plans, payouts）: "
        f"{len(found) or '无 no'} 处不符 faults"
    )


def _times(reports: Sequence[CaseReport], played: Played) -> Iterator[str]:
    first = min(report.case.filed_on for report in reports)
    last = max(day(payout["paid_at"]) for report in reports for payout in report.payouts)
    yield (
        f"\n  日期均已平移：立案 {first} 至末次发放 {last}，共 {(last - first).days} 日 "
        f"(all dates moved; {(last - first).days} days of platform time)"
    )
    yield (
        f"  演示时钟变速 {played.changes_of_pace} 次，属演示安排，不计为时钟故障 "
        f"(changes of pace, no clock faults)；用时 {played.elapsed_s:.0f} 秒 s of real time"
    )
