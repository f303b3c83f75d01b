"""HTTP routes of bidding: bids, events, the record, and orders of the court to a lot."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, Parameter, QueryParameter

from bidding.desk.submissions import Answer
from bidding.feed import service
from bidding.feed.feed import Feed
from bidding.feed.schemas import (
    ChainPage,
    ConsentToRest,
    EventsPage,
    GroupView,
    LotsNow,
    OrderLot,
    OrderView,
    PlaceBid,
    RecordView,
    answer_frame,
    receipts_body,
)
from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.errors import Malformed
from kernel.web import allow, anyone

JSON = "application/json"

MOST_IDS = 100
LENGTH_OF_ID = 37
"""With its comma."""


async def provide_feed(state: State) -> Feed:
    """The feed of this process."""
    feed: Feed = state["feed"]
    return feed


WITH_FEED = {"feed": Provide(provide_feed)}


@post("/api/lots/{lot_id:uuid}/bids", guards=[allow(Role.BIDDER)], status_code=201, dependencies=WITH_FEED)
async def place_bid(
    feed: NamedDependency[Feed], actor: NamedDependency[Actor], lot_id: FromPath[UUID], data: JSONBody[PlaceBid]
) -> Response[bytes]:
    """Bid, with the socket's fields; the answer is that of the desk. `key` is the idempotency key.

    201 with the receipt, a problem for a refusal, or 202 while it is undecided: then ask by the key.
    """
    answer = await service.place_bid(feed, actor, lot_id, data)
    if answer is None:
        return _waiting(data.key)
    if answer.refusal is not None:
        raise answer.refusal
    return Response(answer_frame(lot_id, answer), status_code=201, media_type=JSON)


@get("/api/lots/{lot_id:uuid}/bids/{key:uuid}", guards=[allow(Role.BIDDER)], dependencies=WITH_FEED)
async def show_answer(
    feed: NamedDependency[Feed],
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    lot_id: FromPath[UUID],
    key: FromPath[UUID],
) -> Response[bytes]:
    """The stored answer to one's own bid, accepted or refused; 202 while it waits; 404: send again, same key."""
    answer: Answer | None = await service.find_answer(feed, database, actor, lot_id, key)
    if answer is None:
        return _waiting(key)
    return Response(answer_frame(lot_id, answer), status_code=200, media_type=JSON)


@get("/api/live/lots", guards=[anyone])
async def list_now(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    ids: Annotated[str, QueryParameter(max_length=MOST_IDS * LENGTH_OF_ID)],
) -> LotsNow:
    """Lots as they stand now, price and end included; `ids` are joined by commas, at most a hundred."""
    return await service.list_now(database, actor, _ids(ids))


@get("/api/lots/{lot_id:uuid}/events", guards=[anyone])
async def list_events(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    lot_id: FromPath[UUID],
    after: FromQuery[Annotated[int, Parameter(ge=0, le=2**53)]] = 0,
    limit: FromQuery[Annotated[int, Parameter(ge=1, le=1000)]] = 100,
) -> EventsPage:
    """The lot's events behind `after`, oldest first (R-BID-12)."""
    return await service.list_events(database, actor, lot_id, after, limit)


@get("/api/lots/{lot_id:uuid}/record", guards=[anyone])
async def show_record(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> RecordView:
    """The record of a finished lot: result, last bids, ends of the hash chain (R-BID-12)."""
    return await service.show_record(database, actor, lot_id)


@get("/api/lots/{lot_id:uuid}/chain", guards=[anyone])
async def show_chain(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    lot_id: FromPath[UUID],
    after: FromQuery[Annotated[int, Parameter(ge=0, le=2**53)]] = 0,
    limit: FromQuery[Annotated[int, Parameter(ge=1, le=1000)]] = 500,
) -> ChainPage:
    """The exact bytes behind a finished lot's hash chain, in pages, to be hashed again by anybody (R-BID-12)."""
    return await service.show_chain(database, actor, lot_id, after, limit)


@get("/api/lots/{lot_id:uuid}/receipts", guards=[allow(Role.BIDDER)])
async def list_receipts(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> Response[bytes]:
    """One's own accepted bids with their receipts, newest first, at most a hundred."""
    answers = await service.list_own_bids(database, actor, lot_id)
    return Response(receipts_body(lot_id, answers), status_code=200, media_type=JSON)


@post("/api/lots/{lot_id:uuid}/suspend", guards=[allow(Role.JUDGE)], status_code=201)
async def suspend_lot(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[OrderLot],
) -> OrderView:
    """Suspend a lot by decision; its remaining time is kept (R-HALT-01, R-HALT-03)."""
    return await service.order_lot(database, call, lot_id, "suspend", data)


@post("/api/lots/{lot_id:uuid}/defer", guards=[allow(Role.JUDGE)], status_code=201)
async def defer_lot(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[OrderLot],
) -> OrderView:
    """Defer a lot by decision (暂缓); it stands still and keeps its time like a suspended one (R-HALT-01, 03)."""
    return await service.order_lot(database, call, lot_id, "defer", data)


@post("/api/lots/{lot_id:uuid}/resume", guards=[allow(Role.JUDGE)], status_code=201)
async def resume_lot(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[OrderLot],
) -> OrderView:
    """Let a halted lot run on for the time it had left (R-HALT-03)."""
    return await service.order_lot(database, call, lot_id, "resume", data)


@post("/api/lots/{lot_id:uuid}/withdraw", guards=[allow(Role.JUDGE)], status_code=201)
async def withdraw_lot(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[OrderLot],
) -> OrderView:
    """Stop the sale for good before a result (R-CLOSE-11)."""
    return await service.order_lot(database, call, lot_id, "withdraw", data)


@get("/api/sale-groups/{group_id:uuid}", guards=[allow(Role.CLERK, Role.JUDGE, Role.CHIEF)])
async def show_group(
    database: NamedDependency[Database], actor: NamedDependency[Actor], group_id: FromPath[UUID]
) -> GroupView:
    """The lots that serve one debt, and how far it is covered; there once the first of them is published."""
    return await service.show_group(database, actor, group_id)


@post("/api/sale-groups/{group_id:uuid}/consent", guards=[allow(Role.JUDGE)], status_code=201)
async def consent_to_rest(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    group_id: FromPath[UUID],
    data: JSONBody[ConsentToRest],
) -> GroupView:
    """The debtor agrees that the rest be sold although the debt is covered; for closes from now on (R-CLOSE-12)."""
    return await service.consent_to_rest(database, call, group_id, data)


def _ids(joined: str) -> list[UUID]:
    try:
        return [UUID(one) for one in joined.split(",")]
    except ValueError:
        raise Malformed("ids", "ids of lots, joined by commas", "以逗号分隔的标的编号") from None


def _waiting(key: UUID) -> Response[bytes]:
    return Response(b'{"key":"%b","state":"waiting"}' % str(key).encode(), status_code=202, media_type=JSON)


ROUTES = [
    place_bid,
    show_answer,
    list_now,
    list_events,
    show_record,
    suspend_lot,
    defer_lot,
    resume_lot,
    withdraw_lot,
    show_group,
    consent_to_rest,
    show_chain,
    list_receipts,
]
