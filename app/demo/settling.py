"""After the sale: payment or default, ruling, the plan with everybody's days, payouts by three people, papers."""

from datetime import date, datetime, timedelta

from app.demo import dispute
from app.demo.case import SERVED, Case
from app.demo.people import bank_account
from app.demo.schedule import Aftermath, at, moment_day, next_working_day, on_or_after
from app.demo.selling import settled
from app.demo.users import until
from kernel.money import yuan

JUDGED_AFTER = timedelta(days=30)
"""From the last day to object to the judgment of the suit: short for a court, long enough for the demo's dates."""


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
        await case.write("confirmation", f"{case.lot_path}/confirmation-paper")
        await case.write("payment_notice", f"{case.lot_path}/payment-notice")
        case.play.bank.pay_in(buyer.user.person, sale["account_no"], sale["missing_fen"])
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
        plan_path = f"/api/plans/{drafted['id']}"
        case.served_plan_id = drafted["id"]
        decision_id = await case.decide("distribution_plan", "合议庭评议通过分配方案。")
        await court.judge.post(f"{plan_path}/decide", {"decision_id": decision_id})
        await case.write("plan", f"{plan_path}/paper")
        for recipient in drafted["recipients"]:
            served = {"party_id": recipient["party_id"], "served_on": days.planned.isoformat()}
            await court.clerk.post(f"{plan_path}/services", served | SERVED)
        clocks = (await court.clerk.get(plan_path))["recipients"]
    case.say(f"分配方案送达 {len(clocks)} 人，各有十五日异议期 plan served, 15 days to object")
    async with stage.at(at(days.handed_over, 10)):
        handed_over = {"on": days.handed_over.isoformat(), "note": "现场交付，买受人签收。"}
        await court.clerk.post(f"{case.lot_path}/handover", handed_over)
    last_day = max(date.fromisoformat(recipient["objection_until"]) for recipient in clocks)
    if case.sale.dispute is None:
        async with stage.at(at(next_working_day(last_day), 9)):
            confirmed = await court.judge.post(f"{plan_path}/confirm")
            await pay_out(case, confirmed["id"])
    else:
        objection = await dispute.object_to(case, case.sale.dispute, drafted, days.planned)
        async with stage.at(at(next_working_day(last_day), 9)):
            undisputed = await dispute.resolve(case, plan_path)
            await pay_out(case, undisputed["id"])
        async with stage.at(at(on_or_after(last_day + JUDGED_AFTER), 9)):
            released = await dispute.judge(case, case.sale.dispute, objection, undisputed)
            await pay_out(case, released["id"])
    async with stage.at(case.play.stage.clock.now()):
        await case.write("payout_form", f"/api/payouts/{case.payout_ids[0]}/form")
        await case.write("case_account", f"/api/cases/{case.id}/account/paper")


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
    fee_path = f"/api/cases/{case.id}/enforcement-fee"
    set_fen = case.sale.set_fee_fen or (await case.court.judge.get(fee_path))["computed_fen"]
    fee = {"set_fen": set_fen, "reason": case.sale.fee_reason, "decision_id": decision_id}
    await case.court.judge.post(fee_path, fee)


async def pay_out(case: Case, plan_id: str) -> None:
    """Maker, checker and payer sign the same hash; then the bank reports every line executed (R-ACCT-06)."""
    court = case.court
    batch = await court.maker.post(f"/api/plans/{plan_id}/payouts")
    case.plan_ids.append(plan_id)
    case.payout_ids.append(batch["id"])
    signed, path = {"hash": batch["hash"]}, f"/api/payouts/{batch['id']}"
    await court.checker.post(f"{path}/check", signed)
    await court.payer.post(f"{path}/pay", signed)
    paid = await until(
        lambda: court.payer.get(path),
        lambda shown: all(line["state"] == "executed" for line in shown["lines"]),
    )
    case.say(f"案款发放完毕 paid out：{len(paid['lines'])} 笔，合计 {yuan(paid['total_fen'])}")
