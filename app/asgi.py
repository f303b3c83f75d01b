"""The ASGI application: every route of every slice behind one front door."""

import importlib
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from litestar import Litestar, MediaType, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from app.openapi import TimesOnTheWire, describe_live, described
from app.pages import PAGES, answer_not_found
from app.platform import Platform
from app.site import Files, HeadAsGet, Site
from bidding.evidence.bundles import Bundles
from kernel.actors import platform
from kernel.answers import Answers
from kernel.database import Database
from kernel.errors import Busy
from kernel.identity.routes import WhoIsAsking, provide_identity
from kernel.observability import OUTBOX_WAITING, UNIDENTIFIED_OVERDUE
from kernel.outbox import backlog
from kernel.web import (
    EXCEPTION_HANDLERS,
    MAX_BODY_BYTES,
    FrontDoor,
    StrictRequest,
    anyone,
    provide_actor,
    provide_answers,
    provide_call,
    provide_database,
    refuse_loose_numbers,
)
from settlement.bank.matching import count_overdue

SLICES = (
    "kernel.identity",
    "appraisal.cases",
    "appraisal.assets",
    "appraisal.claims",
    "appraisal.reference_price",
    "appraisal.delivery",
    "auction.lots",
    "auction.announcements",
    "auction.statistics",
    "auction.catalogue",
    "auction.enquiries",
    "auction.follows",
    "auction.feeds",
    "bidding.registration",
    "bidding.desk",
    "bidding.feed",
    "bidding.evidence",
    "settlement.ledger",
    "settlement.bank",
    "settlement.bank_files",
    "settlement.closing",
    "settlement.deposits",
    "settlement.completion",
    "settlement.distribution",
    "settlement.payouts",
    "settlement.annulment",
    "settlement.statements",
    "settlement.papers",
    "settlement.parties",
    "settlement.mine",
)


def routes() -> list[Any]:
    """The routes of all slices that have any."""
    found: list[Any] = []
    for slice_ in SLICES:
        if find_spec(f"{slice_}.routes"):
            found += importlib.import_module(f"{slice_}.routes").ROUTES
    return found


@get("/health/live", guards=[anyone])
async def live() -> dict[str, str]:
    """The process runs."""
    return {"status": "live"}


@get("/health/ready", guards=[anyone])
async def ready(database: NamedDependency[Database]) -> dict[str, object]:
    """The database answers and due work is not piling up."""
    async with database.reading(platform("health")) as tx:
        await tx.session.execute(text("SELECT 1"))
        waiting, oldest = await backlog(tx)
    return {"status": "ready", "outbox_waiting": waiting, "outbox_oldest": oldest and oldest.isoformat()}


@get("/metrics", guards=[anyone], media_type=MediaType.TEXT)
async def metrics(database: NamedDependency[Database], state: State) -> Response[bytes]:
    """Counters and gauges of this process for Prometheus; none names a person."""
    with suppress(Busy):  # a database that is away shows elsewhere; the other figures still count
        async with database.reading(platform("metrics")) as tx:
            OUTBOX_WAITING.set((await backlog(tx))[0])
            UNIDENTIFIED_OVERDUE.set(await count_overdue(tx, state["settings"].claim_days))
    bare_type, _, _ = CONTENT_TYPE_LATEST.partition("; charset")  # the framework adds it again
    return Response(generate_latest(), media_type=bare_type)


def create_app(parts: Platform) -> Litestar:
    """The application over the parts of this process; starting and stopping them is the caller's."""
    app = Litestar(
        route_handlers=[*routes(), *PAGES, live, ready, metrics, describe_live],
        request_class=StrictRequest,
        request_max_body_size=MAX_BODY_BYTES,
        before_request=refuse_loose_numbers,
        middleware=[WhoIsAsking],
        exception_handlers={**EXCEPTION_HANDLERS, NotFoundException: answer_not_found},
        dependencies={
            "database": Provide(provide_database),
            "answers": Provide(provide_answers),
            "call": Provide(provide_call),
            "actor": Provide(provide_actor),
            "identity": Provide(provide_identity),
        },
        openapi_config=described(),
        plugins=[TimesOnTheWire()],
        logging_config=None,
        debug=False,
    )
    # Around the router and not inside it: what has no route passes the front door too.
    site = Site(parts.settings)
    app.asgi_handler = HeadAsGet(FrontDoor(parts.settings.origin)(Files(app.asgi_handler, site)))
    app.state["database"] = parts.database
    app.state["answers"] = Answers()
    app.state["identity"] = parts.identity
    app.state["settings"] = parts.settings
    app.state["site"] = site
    app.state["feed"] = parts.feed
    app.state["bundles"] = Bundles(parts.database)
    return app
