"""What each paper says, from the views that everybody else reads too (R-CLOSE-01, 04; R-DIST-04; R-ACCT-06, 08)."""

from kernel.money import yuan
from settlement.completion.sale_schemas import Confirmation, SaleView
from settlement.distribution.plan_schemas import ClaimView, FeeView, PlanView
from settlement.papers.rules import TITLES, Paper, PaperKind, Table
from settlement.payouts.schemas import AccountView, PayoutView


def confirmation(sale: Confirmation) -> Paper:
    """The sale confirmation: buyer's real name, thing, price (R-CLOSE-01)."""
    return Paper(
        title=TITLES[PaperKind.CONFIRMATION],
        court=sale.court_name,
        case_no=sale.case_no,
        on=sale.ended_at[:10],
        code=f"成交确认书 {sale.lot_id}",
        fields=(
            ("拍卖标的", sale.title),
            ("买受人", sale.buyer_name),
            ("竞买代码", sale.code),
            ("成交价", money(sale.price_fen)),
            ("成交时间", moment(sale.ended_at)),
            ("尾款支付期限", f"{moment(sale.balance_due_at)}前"),
        ),
        paragraphs=(sale.text,),
    )


def payment_notice(sale: SaleView, confirmed: Confirmation) -> Paper:
    """What the buyer still has to pay, until when and onto which account (R-CLOSE-04)."""
    set_off = f"经合议庭决定以债权抵价款 {money(sale.set_off_fen)}，" if sale.set_off_fen else ""
    set_off_field = (("以债权抵价款", money(sale.set_off_fen)),) if sale.set_off_fen else ()
    words = (
        f"{sale.buyer_name}：你以 {money(sale.price_fen)}竞得“{confirmed.title}”。已交保证金 {money(sale.deposit_fen)}"
        f"抵作价款，{set_off}尚应支付 {money(sale.missing_fen)}。",
        f"请于 {moment(sale.balance_due_at)}前将尾款汇入下列账号，该账号仅供本次拍卖使用。逾期未付视为悔拍，"
        "保证金不予退还，依次用于支付拍卖费用、弥补重新拍卖差价、冲抵本案债务。",
    )
    return Paper(
        title=TITLES[PaperKind.PAYMENT_NOTICE],
        court=confirmed.court_name,
        case_no=confirmed.case_no,
        on=sale.ended_at[:10],
        code=f"缴款通知书 {sale.lot_id}",
        fields=(
            ("收款账号", sale.account_no),
            ("成交价", money(sale.price_fen)),
            ("保证金抵作价款", money(sale.deposit_fen)),
            *set_off_field,
            ("应付尾款", money(sale.missing_fen)),
            ("支付期限", f"{moment(sale.balance_due_at)}前"),
        ),
        paragraphs=words,
    )


def plan(view: PlanView, court: str, case_no: str) -> Paper:
    """The distribution plan with its table: every line with level, rule and arithmetic (R-DIST-04)."""
    words = "各债权人、被执行人对本方案有异议的，应当自收到本方案之日起十五日内向本院提出书面异议。"
    return Paper(
        title=TITLES[PaperKind.PLAN],
        court=court,
        case_no=case_no,
        on=view.made_at[:10],
        code=f"分配方案 {view.id}",
        fields=_figures(view),
        paragraphs=(words,),
        tables=(_pools(view), _lines(view), _claims(view)),
    )


def _figures(view: PlanView) -> tuple[tuple[str, str], ...]:
    """The plan in a few figures; fee, quota and escrow only where there are any."""
    return (
        ("方案版本", f"第 {view.version} 版"),
        ("可分配款项", money(view.proceeds_fen)),
        ("分配总额", money(view.distributed_fen)),
        ("余款", money(view.surplus_fen)),
        *((("执行申请费", fee_words(view.fee)),) if view.fee is not None else ()),
        *((("普通债权清偿比例", view.quota),) if view.quota is not None else ()),
        *((("提存待判", money(view.escrow_fen)),) if view.escrow_fen else ()),
        ("内容哈希", view.hash),
    )


def _pools(view: PlanView) -> Table:
    """Where the money comes from."""
    return Table(
        "款项来源",
        ("来源", "金额（元）"),
        (3, 1),
        (1,),
        (
            *((pool.name, yuan(pool.proceeds_fen)) for pool in view.pools),
            (TOTAL, yuan(sum(pool.proceeds_fen for pool in view.pools))),
        ),
    )


def _lines(view: PlanView) -> Table:
    """Who is paid what, at which level and by which arithmetic."""
    rows = (
        (
            str(line.position),
            f"{line.level} {line.level_zh}{PARTS.get(line.part, '')}",
            line.payee.name,
            yuan(line.amount_fen),
            line.formula,
            line.law or line.rule,
        )
        for line in view.lines
    )
    return Table(
        "分配明细",
        ("序号", "清偿顺位", "收款人", "金额（元）", "计算", "依据"),
        (2, 6, 6, 5, 9, 5),
        (3,),
        (*rows, ("", "", TOTAL, yuan(sum(line.amount_fen for line in view.lines)), "", "")),
    )


def _claims(view: PlanView) -> Table:
    """What each creditor claimed, receives and is left with."""
    return Table(
        "债权受偿情况",
        ("债权人", "参与分配数额（元）", "受偿数额（元）", "提存数额（元）", "未受偿数额（元）"),
        (3, 2, 2, 2, 2),
        (1, 2, 3, 4),
        (
            *((each.name, *map(yuan, _of_claim(each))) for each in view.claims),
            (TOTAL, *(yuan(sum(column)) for column in zip(*map(_of_claim, view.claims), strict=True))),
        ),
    )


def payout_form(view: PayoutView, account: AccountView, court: str) -> Paper:
    """The approval form: parties, who paid in what and when, payees with accounts and sums, and the three people who
    signed one hash with their names and times (R-ACCT-06).
    """
    lines = Table(
        "发放明细",
        ("序号", "收款人", "账号", "开户行", "用途", "金额（元）"),
        (2, 6, 7, 6, 5, 5),
        (5,),
        (
            *(
                (str(line.position), line.holder, line.number, line.bank, line.reason, yuan(line.amount_fen))
                for line in view.lines
            ),
            ("", TOTAL, "", "", "", yuan(view.total_fen)),
        ),
    )
    arrived = [line for line in account.statement if line.amount_fen > 0]
    source = Table(
        "案款来源",
        ("到账时间", "交款人", "事由", "凭证", "金额（元）"),
        (4, 5, 4, 7, 4),
        (4,),
        (
            *(
                (moment(line.at), line.payer, _why(line.reason), line.document, yuan(line.amount_fen))
                for line in arrived
            ),
            ("", "", "", TOTAL, yuan(sum(line.amount_fen for line in arrived))),
        ),
    )
    signatures = (
        ("制单", _signed(view.maker, view.made_at)),
        ("复核审批（局长或分管院长）", _signed(view.checker, view.checked_at)),
        ("支付", _signed(view.payer, view.paid_at)),
    )
    return Paper(
        title=TITLES[PaperKind.PAYOUT_FORM],
        court=court,
        case_no=account.case_no,
        on=(view.paid_at or view.checked_at or view.made_at)[:10],
        code=f"发放批次 {view.id}",
        fields=(
            *_parties(account),
            ("案款账号", account.account_no),
            ("依据方案", str(view.plan_id)),
            ("发放总额", money(view.total_fen)),
            *((("发放期限", view.pay_by),) if view.pay_by else ()),
            ("签批哈希", view.hash),
        ),
        tables=(source, lines),
        signatures=signatures,
    )


def case_account(view: AccountView, court: str, on: str) -> Paper:
    """The case account with its movements, and why money is still there (R-ACCT-01, 08)."""
    movements = Table(
        "收支明细",
        ("时间", "事由", "对方", "凭证", "金额（元）", "余额（元）"),
        (5, 5, 5, 7, 4, 4),
        (4, 5),
        tuple(
            (
                moment(line.at),
                _why(line.reason),
                line.payer or OTHERS.get(line.other, line.other),
                line.document,
                yuan(line.amount_fen),
                yuan(line.balance_fen),
            )
            for line in view.statement
        ),
    )
    held = Table(
        "结存说明",
        ("原因", "金额（元）"),
        (3, 1),
        (1,),
        tuple((each.zh, yuan(each.amount_fen)) for each in view.remainder),
    )
    return Paper(
        title=TITLES[PaperKind.CASE_ACCOUNT],
        court=court,
        case_no=view.case_no,
        on=on,
        code=f"案款账户 {view.account_no}",
        fields=(
            *_parties(view),
            ("案款账号", view.account_no),
            ("收入合计", money(sum(line.amount_fen for line in view.statement if line.amount_fen > 0))),
            ("支出合计", money(-sum(line.amount_fen for line in view.statement if line.amount_fen < 0))),
            ("账户余额", money(view.balance_fen)),
            ("本案结存合计", money(view.held_fen)),
            *((("发放期限", view.pay_by),) if view.pay_by else ()),
        ),
        tables=(movements, held) if view.remainder else (movements,),
        signatures=(("制表", ""), ("对账一", ""), ("对账二", "")),
    )


REASONS = {
    "bank.credit": "到账",
    "bank.claim": "认领入账",
    "bank.rejected": "银行退回",
    "completion.proceeds": "拍卖成交款",
    "completion.proceeds-reversed": "撤销拍卖退回成交款",
    "completion.shortfall": "悔拍人补交差价",
    "distribution.taking": "以物抵债补交差额",
    "completion.default-to-costs": "悔拍保证金抵拍卖费用",
    "completion.default-to-shortfall": "悔拍保证金补差价",
    "completion.default-to-case-debt": "悔拍保证金抵本案债务",
    "completion.default-to-related-debt": "悔拍保证金抵相关债务",
    "payouts.pay": "案款发放",
    "payouts.fee": "执行申请费上缴",
    "payouts.withheld": "延缓或提存转出",
    "payouts.withholding-ended": "延缓或提存转回",
    "distribution.escrow": "争议款提存",
    "distribution.release": "提存款转回",
}
"""What moved the money, for people; a reason that is not here stands as it is."""

OTHERS = {
    "bank": "银行",
    "lot": "拍卖价款户",
    "pending": "悔拍待决户",
    "unidentified": "不明款项",
    "payee": "收款人（银行在途）",
    "state_fee": "诉讼费专户",
    "escrow": "提存户",
    "deferred": "延缓发放户",
}
"""The account on the other side, by its kind."""

PARTS = {
    "related_debt": "（悔拍保证金所抵与财产有关的债务）",
    "costs": "（诉讼费用）",
    "interest": "（利息）",
    "principal": "（本金）",
    "doubled": "（加倍部分利息）",
}
"""Which part of its claim a line pays, in the order of R-DIST-18."""

TOTAL = "合计"


def _parties(account: AccountView) -> tuple[tuple[str, str], ...]:
    return (("申请执行人", "、".join(account.applicants)), ("被执行人", "、".join(account.debtors)))


def _why(reason: str) -> str:
    return REASONS.get(reason, reason)


def _signed(name: str, at: str | None) -> str:
    return f"{name} {moment(at)}" if at else ""


def _of_claim(claim: ClaimView) -> tuple[int, int, int, int]:
    return claim.claimed_fen, claim.paid_fen, claim.escrow_fen, claim.open_fen


def fee_words(fee: FeeView) -> str:
    """The fee as computed, on which base, and as the court set it with its reason (R-COST-01)."""
    return f"以 {yuan(fee.base_fen)} 元计算为 {yuan(fee.computed_fen)} 元，收取 {yuan(fee.set_fen)} 元（{fee.reason}）"


def money(fen: int) -> str:
    return f"人民币 {yuan(fen)} 元"


def moment(at: str) -> str:
    """`2025-03-03 09:00:00`, Beijing time, of a time as our answers tell it."""
    return at[:19].replace("T", " ")
