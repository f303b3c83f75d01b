"""What `auction bench catalogue` starts from: the published lots of a country, most of them ended, and their rounds.

Written straight into the tables, as publication and closing would have left them; texts, ranks and premiums come from
the rules that give them to a real lot. The same number of lots is always the same lots.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.schema import CreateIndex

from app.bench.rows import copy_rows
from auction.lots.models import Lot
from auction.lots.rules import AssetKind, Method, Round, Status, discount_bp, ends_rank, searchable
from auction.statistics.models import EndedRound
from auction.statistics.rules import Outcome, premium, stage_of
from kernel.bulk import DIALECT
from kernel.clock import beijing_day, real_now, whole_ms
from kernel.database import Base
from kernel.ids import ordered_id
from kernel.money import Fen

WORDS = next(index for index in Base.metadata.tables["auction.lot"].indexes if index.name == "ix_lot_search_grams")
"""The index of pairs, without which no word is found in time."""
COURTS = 3_000
WRITTEN_AT_ONCE = 10_000
YEARS = 5
"""Over how many years the ended lots are spread."""
PLACES = (
    *("北京市朝阳区", "上海市浦东新区", "广东省深圳市", "浙江省杭州市", "江苏省苏州市", "四川省成都市", "湖北省武汉市"),
    *("福建省厦门市", "山东省青岛市", "河南省郑州市", "湖南省长沙市", "陕西省西安市", "辽宁省大连市", "重庆市渝北区"),
    *("云南省昆明市", "贵州省贵阳市", "江西省南昌市", "安徽省合肥市", "广西壮族自治区南宁市", "海南省海口市"),
)
ROADS = ("张杨", "人民", "中山", "建设", "解放", "和平", "长江", "黄河", "世纪", "文化", "青年", "新华", "滨江", "学府")
THINGS = {
    AssetKind.IMMOVABLE: ("住宅", "商铺", "车位", "厂房", "办公用房", "国有建设用地使用权"),
    AssetKind.MOVABLE: ("轿车", "越野车", "机器设备", "库存布料一批", "白酒一批", "翡翠手镯"),
    AssetKind.OTHER_RIGHT: ("股权", "林权证项下林地使用权", "注册商标专用权", "应收账款债权"),
}
ENDED = {Status.SOLD: 62, Status.FAILED: 30, Status.WITHDRAWN: 6, Status.DEFAULTED: 2}
"""Of a hundred ended lots."""
RUNNING = {Status.PUBLISHED: 55, Status.LIVE: 44, Status.SUSPENDED: 1}
ENDED_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Court:
    """A court of the catalogue."""

    id: UUID
    name: str
    place: str


async def lay_out(url: str, lots: int) -> list[Court]:
    """Write `lots` published lots of many courts, and of the ended ones the rounds that statistics count."""
    rng = random.Random(lots)
    courts = [_court(rng, number) for number in range(min(COURTS, lots))]
    made = _lots(rng, courts, lots, whole_ms(real_now()))
    db = await asyncpg.connect(url)
    try:
        await db.executemany(
            "INSERT INTO kernel.court (id, code, name) VALUES ($1, $2, $3)",
            [(court.id, f"bench-{number}", court.name) for number, court in enumerate(courts)],
        )
        await db.execute(f"DROP INDEX auction.{WORDS.name}")  # cheaper made at once than lot by lot
        while rows := [row for row, _ in zip(made, range(WRITTEN_AT_ONCE), strict=False)]:
            await copy_rows(db, Lot.__table__, rows)
            await copy_rows(db, EndedRound.__table__, [_round(row) for row in rows if row["status"] in tuple(Outcome)])
        await db.execute(str(CreateIndex(WORDS).compile(dialect=DIALECT)))
        await db.execute("VACUUM ANALYZE")  # as autovacuum has, in a database whose rows came day by day
        return courts
    finally:
        await db.close()


def _court(rng: random.Random, number: int) -> Court:
    place = rng.choice(PLACES)
    return Court(ordered_id(), f"{place}第{number + 1}人民法院", place)


def _lots(rng: random.Random, courts: list[Court], number: int, now: datetime) -> Iterator[dict[str, Any]]:
    for place in range(number):
        yield _lot(rng, rng.choice(courts), place, now)


def _lot(rng: random.Random, court: Court, number: int, now: datetime) -> dict[str, Any]:
    ended = rng.random() < ENDED_SHARE
    statuses = ENDED if ended else RUNNING
    status = rng.choices(list(statuses), list(statuses.values()))[0]
    ago = timedelta(minutes=rng.randrange(60, YEARS * 365 * 1440))
    ends_at = now - ago if ended else now + timedelta(minutes=rng.randrange(1, 40 * 1440))
    opens_at = ends_at - timedelta(days=1 if status is not Status.PUBLISHED else 0, minutes=1)
    kind = rng.choice(list(THINGS))
    reference_fen = Fen(rng.randrange(1_000, 30_000_000) * 100)
    start_fen = Fen(reference_fen * rng.randrange(56, 101) // 100)
    sold = status in {Status.SOLD, Status.DEFAULTED}
    price_fen = Fen(start_fen + rng.randrange(0, 80) * max(1, start_fen // 200)) if sold else None
    round_ = rng.choices(list(Round), [70, 22, 5, 3])[0]
    title = f"{court.place}{rng.choice(ROADS)}路{rng.randrange(1, 2_000)}号{rng.choice(THINGS[kind])}"
    case_no = f"（{beijing_day(ends_at).year}）京{rng.randrange(1, 300):04}执{number}号"
    lot_id = ordered_id()
    return {
        "id": lot_id,
        "case_id": ordered_id(),
        "court_id": court.id,
        "asset_id": ordered_id(),
        "item_id": lot_id,
        "round": round_,
        "method": Method.SELL_OFF if round_ is Round.SELL_OFF else Method.AUCTION,
        "title": title,
        "start_price_fen": start_fen,
        "increment_fen": Fen(max(1, start_fen // 200)),
        "deposit_fen": Fen(start_fen // 10),
        "opens_at": opens_at,
        "scheduled_end": ends_at,
        "balance_due_days": 15,
        "decision_id": ordered_id(),
        "asset_kind": kind,
        "place": court.place,
        "court_name": court.name,
        "case_no": case_no,
        "purchase_limited": rng.random() < 0.1,
        "loan_available": rng.random() < 0.3,
        "reference_price_fen": reference_fen,
        "status": status,
        "held": False,
        "drafted_at": opens_at - timedelta(days=31),
        "published_at": opens_at - timedelta(days=30),
        "changed_at": min(now, ends_at),
        "opened_at": None if status is Status.PUBLISHED else opens_at,
        "ends_at": ends_at,
        "ended_at": ends_at if ended else None,
        "price_fen": price_fen,
        "winner_code": "B1" if sold else None,
        "bids": rng.randrange(1, 60) if sold else 0,
        "search_text": searchable(f"{title}\n{court.place}\n{court.name}\n{case_no}"),
        "ends_rank": ends_rank(status, ends_at),
        "shown_price_fen": price_fen or start_fen,
        "discount_bp": discount_bp(start_fen, reference_fen),
        "followers": rng.randrange(0, 300),
    }


def _round(lot: dict[str, Any]) -> dict[str, Any]:
    start_fen, reference_fen, price_fen = lot["start_price_fen"], lot["reference_price_fen"], lot["price_fen"]
    return {
        "lot_id": lot["id"],
        "item_id": lot["item_id"],
        "court_id": lot["court_id"],
        "asset_kind": lot["asset_kind"],
        "year": beijing_day(lot["ended_at"]).year,
        "stage": stage_of(lot["round"]),
        "reference_fen": reference_fen,
        "start_fen": start_fen,
        "outcome": Outcome(lot["status"]),
        "price_fen": price_fen,
        "over_start": premium(start_fen, price_fen) if price_fen else None,
        "over_reference": premium(reference_fen, price_fen) if price_fen else None,
        "ended_at": lot["ended_at"],
    }
