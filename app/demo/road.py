"""The road of one case as its court, bidders and officers walk it: from the filing to the last payout.

Every step goes through the HTTP API as the person whose step it is; statutory times are kept on the demo's clock.
"""

from app.demo.case import Case, Play
from app.demo.filing import announce, fix_price, open_case
from app.demo.sales import Sale
from app.demo.schedule import Window, after_sale, announcement_days, moment_day, road_to
from app.demo.selling import sell
from app.demo.settling import complete, default, distribute


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
