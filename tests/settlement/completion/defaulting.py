"""Sales whose buyers do not pay, and what becomes of their deposits."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from appraisal.cases.rules import Subject
from kernel.actors import platform
from kernel.money import Fen
from settlement.completion import case_money, defaults
from settlement.completion.sale_schemas import DefaultUseView, OrderShortfall
from tests.appraisal.support import today
from tests.settlement import tampering
from tests.settlement.hall import YUAN, Bidder, Hall
from tests.support.house import call


async def faults(place: Hall) -> list[str]:
    return await tampering.faults(place.database)


async def use_of(place: Hall) -> DefaultUseView:
    (use,) = (await defaults.show_default_uses(place.database, place.court.clerk, place.case_id)).defaults
    return use


async def proceeds_of(place: Hall) -> int:
    async with place.database.reading(platform("test")) as tx:
        return sum(each.amount_fen for each in await case_money.distributable(tx, place.case_id))


async def defaulted(place: Hall, price_fen: int, **terms: Any) -> tuple[UUID, UUID, Bidder]:
    """A first sale whose buyer pays nothing beyond the deposit; returns the lot, its resale draft and the buyer."""
    first = await place.lot(**terms)
    buyer = await place.sold(first, price_fen)
    place.pass_days(11)
    return first, (await place.default(first)).resale_lot_id, buyer


async def resold(place: Hall, first: UUID, resale: UUID, price_fen: int, **terms: Any) -> None:
    await place.publish_resale(first, resale, **terms)
    await place.pay_balance(await place.sold(resale, price_fen, "后买受人"), resale)
    await place.rule_and_serve(resale)


def terms_of(start: int, deposit: int, increment: int = 1_000) -> dict[str, Any]:
    return {
        "start_price_fen": Fen(start * YUAN),
        "deposit_fen": Fen(deposit * YUAN),
        "increment_fen": Fen(increment * YUAN),
    }


async def ordered(place: Hall, lot_id: UUID, amount_fen: int) -> DefaultUseView:
    wanted = OrderShortfall(
        amount_fen=Fen(amount_fen),
        due_on=today(place.database) + timedelta(days=10),
        decision_id=await place.decide(Subject.SHORTFALL),
    )
    return await defaults.order_shortfall(place.database, call(place.court.judge), lot_id, wanted)
