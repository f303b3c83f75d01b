"""What a visitor finds after the demo: lots that are live now, people who bid on them gently, and sign-ins to try.

The lots went their whole road on the demo's clock like all others. From the arrival on time is real, and the scripted
bidders of each lot raise by a step or two now and then, sooner when the end is near or a stranger leads.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import cycle, islice

import structlog
from websockets.exceptions import WebSocketException

from app.demo.bidders import Bidder, Lot, Screen, pays_at, registers_at, screen_of, unlocks_at
from app.demo.case import Play
from app.demo.filing import announce, fix_price, open_case, staff
from app.demo.people import person
from app.demo.sales import LIVE, Sale
from app.demo.schedule import Window, moment_day, road_to
from app.demo.tables import heading, table
from app.demo.users import Court, User
from kernel.clock import BEIJING, real_now
from kernel.money import yuan

log = structlog.get_logger("demo")

ENDS_AFTER = (timedelta(minutes=70), timedelta(hours=4), timedelta(hours=27), timedelta(hours=50))
OPENED_BEFORE_END = timedelta(hours=26), timedelta(hours=29), timedelta(hours=46), timedelta(hours=73)
"""When the running lots end, from the start of the demo, and how long they have been open by then."""

OPENS_LATER = timedelta(minutes=25)
DAY = timedelta(days=1)
FIRST_BID_AFTER = timedelta(minutes=40)
LAST_BID_BEFORE_NOW = timedelta(minutes=20)

HESITATIONS = (1, 4, 2, 9, 1, 3, 7, 2, 5, 1)
STEPS = (1, 2, 1, 1, 3, 1, 2)
TURNS = (0, 1, 0, 2, 1, 2)
"""How the bids before now are spread: relative waits, increments, and whose turn it is."""

VISITED = 2
"""On how many lots the visitor is registered, the soonest first."""

LOOK_EVERY_S = 4
PAUSES_UNTIL_END = 70
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 25, 240
ANSWER_S = 12
AGAIN_AFTER_S = 10


@dataclass
class LiveLot:
    """A live lot with its scripted bidders, and the visitor's place at it if there is one."""

    sale: Sale
    lot: Lot
    bots: list[Bidder]
    visitor: Bidder | None = None


@dataclass
class Afterwards:
    """Everything that is live when the demo has arrived at the real time."""

    court: Court
    visitor: User
    lots: list[LiveLot]


def windows_from(now: datetime) -> list[Window]:
    """The times of bidding: lots that run and end one after another, and one that opens soon."""
    start = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0) + timedelta(minutes=5)
    running = [
        Window(start + after - opened, start + after)
        for after, opened in zip(ENDS_AFTER, OPENED_BEFORE_END, strict=True)
    ]
    opens_at = start + OPENS_LATER
    return [*running, Window(opens_at, opens_at + DAY)]


async def prepare(play: Play, windows: Sequence[Window]) -> Afterwards:
    """Bring all live lots to where they are now: announced, bidders admitted, the first bids made."""
    quiet = replace(play, say=lambda who, what: None)
    court = await staff(play, LIVE[0])
    visitor = play.door.user(person("visitor", play.door.next_number()))
    await visitor.sign_up(play.door.password)
    lots = await asyncio.gather(
        *(
            _prepare(quiet, court, sale, window, visitor if index < VISITED else None)
            for index, (sale, window) in enumerate(zip(LIVE, windows, strict=True))
        )
    )
    return Afterwards(court, visitor, lots)


async def _prepare(play: Play, court: Court, sale: Sale, window: Window, visitor: User | None) -> LiveLot:
    road = road_to(moment_day(window.opens_at), movable=sale.kind == "movable")
    case = await open_case(play, sale, road, court)
    await fix_price(case, road)
    lot = await announce(case, sale.first, window, drafted_on=road.drafted, publish_on=road.published)
    number = sale.case_no[-2]
    people = [person(f"live{number}.b{index + 1}", play.door.next_number()) for index in range(sale.first.bidders)]
    live = LiveLot(sale, lot, [Bidder(play.door.user(each), lot) for each in people])
    live.visitor = Bidder(visitor, lot) if visitor else None
    guests = [live.visitor] if live.visitor else []
    await asyncio.gather(*(_admit(play, bidder, index) for index, bidder in enumerate([*live.bots, *guests])))
    await _first_bids(play, live, window)
    return live


async def _admit(play: Play, bidder: Bidder, index: int) -> None:
    """From the registration to the bid password, which the visitor will enter once more in a session of their own."""
    stage, lot = play.stage, bidder.lot
    async with stage.at(registers_at(lot, index)):
        if not bidder.user.cookie:
            await bidder.user.sign_up(play.door.password)
        await bidder.register()
    async with stage.at(pays_at(lot, index)):
        await bidder.pay_deposit()
    async with stage.at(unlocks_at(lot, index)):
        await bidder.unlock()


async def _first_bids(play: Play, live: LiveLot, window: Window) -> None:
    """Some bids between the opening and now, by turns, as unevenly as people make them."""
    bidding = live.sale.first
    begins = window.opens_at + FIRST_BID_AFTER
    gaps = list(islice(cycle(HESITATIONS), bidding.bids))
    price_fen, waited = bidding.start_fen, 0
    for gap, turn, steps in zip(gaps, cycle(TURNS), cycle(STEPS), strict=False):
        waited += gap
        moment = begins + (real_now() - LAST_BID_BEFORE_NOW - begins) * waited / sum(gaps)
        async with play.stage.at(moment), screen_of(live.bots[turn].user, live.lot.id) as screen:
            await screen.until_shown()
            await screen.bid(price_fen)
        price_fen += steps * bidding.increment_fen


async def keep_alive(lots: Sequence[LiveLot]) -> None:
    """Bid gently on every lot until it ends."""
    await asyncio.gather(*(_keep_alive(live) for live in lots))


async def _keep_alive(live: LiveLot) -> None:
    while real_now() < live.lot.ends_at + DAY:
        try:
            async with AsyncExitStack() as seats:
                screens = [await seats.enter_async_context(screen_of(bot.user, live.lot.id)) for bot in live.bots]
                await screens[0].until_shown()
                await _bid_by_turns(live, screens)
                return
        except (OSError, TimeoutError, WebSocketException) as error:
            log.warning("demo.bidders-come-back", lot=live.lot.title, error=repr(error))
            await asyncio.sleep(AGAIN_AFTER_S)


async def _bid_by_turns(live: LiveLot, screens: Sequence[Screen]) -> None:
    """Raise by one or two increments after a pause, until the end or the most that these people would pay."""
    bidding, codes = live.sale.first, [bot.code for bot in live.bots]
    waited_s, pause_s = 0, _pause_s(live)
    shown = screens[0]
    while not shown.ended:
        await asyncio.sleep(LOOK_EVERY_S)
        waited_s += LOOK_EVERY_S
        stranger_leads = shown.leader is not None and shown.leader not in codes
        if not shown.open or waited_s < (min(pause_s, ANSWER_S) if stranger_leads else pause_s):
            continue
        steps = random.choice((1, 1, 1, 2))
        price_fen = shown.price_fen + steps * bidding.increment_fen if shown.price_fen else bidding.start_fen
        if price_fen <= bidding.price_fen:
            others = [screen for screen, code in zip(screens, codes, strict=True) if code != shown.leader]
            await random.choice(others).bid(price_fen)
        waited_s, pause_s = 0, _pause_s(live)


def _pause_s(live: LiveLot) -> int:
    """Seconds until the next bid: the nearer the end, the shorter."""
    left_s = max(0, int((live.lot.ends_at - real_now()).total_seconds()))
    usual_s = min(LONGEST_PAUSE_S, max(SHORTEST_PAUSE_S, left_s // PAUSES_UNTIL_END))
    return random.randint(usual_s // 2, usual_s * 3 // 2)


def invitation(afterwards: Afterwards, password: str) -> Iterator[str]:
    """What is live, where, and who one can be."""
    origin = afterwards.visitor.origin
    yield heading("正在进行", "live now")
    yield from table(
        [
            ("标的", "lot", "left"),
            ("起拍价", "start", "right"),
            ("竞价", "bidding", "left"),
            ("地址", "address", "left"),
        ],
        [
            [
                live.sale.title,
                yuan(live.sale.first.start_fen),
                _when(live),
                f"{origin}/lots/{live.lot.id}",
            ]
            for live in afterwards.lots
        ],
    )
    yield heading("登录试用", "sign-ins to try")
    yield f"  密码均为 one password for all: {password}"
    yield "  visitor   竞买人，已报名，保证金已到账，进入标的页后输入参拍密码"
    yield "            a bidder with deposits held; enter the bid password on the lot's page:"
    for live in afterwards.lots:
        if live.visitor is not None:
            yield f"            {live.visitor.bid_password}  {live.sale.title}"
    users = [getattr(afterwards.court, office).person for office in Court.OFFICES]
    yield f"  {'  '.join(each.username for each in users)}"
    yield f"            {afterwards.court.name}：书记员、法官、制单、复核、付款 clerk, judge, maker, checker, payer"
    yield "            其他法院同理，例如 the other courts likewise, e.g. w20a.judge, zhangzhou.maker"
    yield "  bmw.c1  bmw.debtor  hangzhou.c1  hangzhou.debtor"
    yield "            当事人：/my/cases 查看分配方案、对账单和期限 parties: their plan, statement and deadlines"
    yield f"\n  网址 address: {origin}   按 Ctrl-C 停止 Ctrl-C stops it"


def _when(live: LiveLot) -> str:
    opens_at, ends_at = (moment.astimezone(BEIJING) for moment in (live.lot.opens_at, live.lot.ends_at))
    if live.lot.opens_at > real_now():
        return f"{opens_at:%m-%d %H:%M} 开始 opens"
    return f"{ends_at:%m-%d %H:%M} 结束 ends"
