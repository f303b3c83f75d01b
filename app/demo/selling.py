"""The sale: bidders come and bid, a judge may stop the lot for a while, the hammer falls."""

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

from app.demo.bidders import Bidder, Lot, pays_at, registers_at, screen_of, turns, unlocks_at
from app.demo.case import Auction, Case, Play
from app.demo.people import person
from app.demo.plans import plan
from app.demo.sales import Bidding
from app.demo.users import until
from kernel.money import yuan

SUSPENDED_AFTER = timedelta(hours=5)
SUSPENDED_FOR = timedelta(minutes=8)
ARRIVES_EARLY = timedelta(minutes=1)
SETTLED_LATER = timedelta(minutes=1)


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
