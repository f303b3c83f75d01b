"""A creditor buys, and by the panel's decision pays only what the distribution would give to others."""

from app.demo.users import until
from tests.byhand.docket import YUAN, Docket, lines_of
from tests.byhand.joining import linked
from tests.byhand.town import Town


async def a_price_set_off(town: Town) -> None:
    """80,000 over claims of 70,000 and the buyer's own 30,000: 24,000 are theirs, 49,000 are due after the deposit."""
    case = Docket(town, f"（{town.today.year}）沪0115执6001号")
    await case.file("applicant", "creditor")
    await case.claim("applicant", 70_000)
    await case.claim("creditor", 30_000)
    await case.price(100_000)
    lot = await case.publish(await case.terms(70_000, 7_000))
    li = await linked(case, "creditor", "li-buys", "李四之妻")
    sun = town.stranger("sun")
    await case.opened(lot, (sun, 70_000), (li, 80_000))
    sold = await until(lambda: li.get(f"/api/lots/{lot}/sale"), bool)
    assert (sold["set_off_fen"], sold["missing_fen"]) == (0, 73_000 * YUAN)

    path, allowed = f"/api/lots/{lot}/set-off", {"decision_id": await case.decide("set_off", {"set_off_for": "李四"})}
    assert await town.refused(town.judge, path, allowed) == "fee-not-set"
    await case.fee(0)
    assert await town.refused(town.clerk, path, allowed) == "forbidden"
    assert await town.refused(li, path, allowed) == "forbidden"
    assert await town.refused(town.judge, path, {"decision_id": "李四"}) == "malformed"
    assert await town.refused(town.judge, path, allowed | {"amount_fen": 1}) == "malformed"
    assert await town.refused(town.judge, path, {"decision_id": case.id}) == "not-found"
    silent, other = await case.decide("set_off"), await case.decide("set_off", {"set_off_for": "某商业银行"})
    assert await town.refused(town.judge, path, {"decision_id": silent}) == "set-off-undecided"
    assert await town.refused(town.judge, path, {"decision_id": other}) == "set-off-buyer"
    ordered = await town.judge.post(path, allowed)
    assert (ordered["set_off_fen"], ordered["missing_fen"]) == (24_000 * YUAN, 49_000 * YUAN)
    assert await town.refused(town.judge, path, allowed) == "set-off-ordered"

    await case.pay_balance(lot, li)
    await case.rule_and_serve(lot)
    assert (await case.account())["balance_fen"] == 56_000 * YUAN, "deposit and balance; the rest never was money"
    plan = await case.confirmed()
    assert lines_of(plan) == [("party", "某商业银行", 56_000), ("set_off", "李四", 24_000)]
    assert (await case.pay_out(plan))["total_fen"] == 56_000 * YUAN
    assert (await case.account())["balance_fen"] == 0
