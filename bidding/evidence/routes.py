"""HTTP routes of evidence: keys, the log with its proofs, and the bundle of a finished lot. All of them are public but
one, for the court."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, Parameter, QueryParameter
from litestar.response import Stream

from bidding.evidence import record, service
from bidding.evidence.bundles import Bundles
from bidding.evidence.schemas import (
    AvailabilityView,
    ConsistencyView,
    CutOffView,
    EntriesPage,
    HeadsPage,
    HeadView,
    InclusionView,
    KeysView,
)
from kernel.actors import Actor, Role
from kernel.database import Database
from kernel.web import allow, anyone

MOST = 500_000_000
"""Entries and heads that a log can have: more than a country's courts make in ten years."""

PIECE_BYTES = 64 * 1024

Size = Annotated[int, Parameter(ge=0, le=MOST)]
Page = Annotated[int, Parameter(ge=1, le=1000)]


async def provide_bundles(state: State) -> Bundles:
    """The bundles of this process."""
    bundles: Bundles = state["bundles"]
    return bundles


WITH_BUNDLES = {"bundles": Provide(provide_bundles)}


@get("/api/evidence/keys", guards=[anyone])
async def list_keys(database: NamedDependency[Database], actor: NamedDependency[Actor]) -> KeysView:
    """The public keys that ever signed bids or the log."""
    return await service.list_keys(database, actor)


@get("/api/evidence/head", guards=[anyone])
async def show_head(database: NamedDependency[Database], actor: NamedDependency[Actor]) -> HeadView:
    """The newest signed head of the log."""
    return await service.show_head(database, actor)


@get("/api/evidence/heads", guards=[anyone])
async def list_heads(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    after: FromQuery[Size] = 0,
    limit: FromQuery[Page] = 100,
) -> HeadsPage:
    """Signed heads behind the one numbered `after`: what was anchored, for whoever keeps a copy."""
    return await service.list_heads(database, actor, after, limit)


@get("/api/evidence/entries", guards=[anyone])
async def list_entries(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    first: FromQuery[Size] = 0,
    limit: FromQuery[Page] = 100,
    lot: Annotated[UUID | None, QueryParameter()] = None,
) -> EntriesPage:
    """Entries from index `first` on, of all lots or of one."""
    return await service.list_entries(database, actor, first, limit, lot)


@get("/api/evidence/inclusion", guards=[anyone])
async def prove_inclusion(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    index: FromQuery[Size] = 0,
    size: Annotated[int | None, QueryParameter(ge=1, le=MOST)] = None,
) -> InclusionView:
    """The proof that an entry is in the log of `size` entries (RFC 9162); by default in the newest signed one."""
    return await service.prove_inclusion(database, actor, index, size)


@get("/api/evidence/consistency", guards=[anyone])
async def prove_consistency(
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    first: FromQuery[Size] = 0,
    second: Annotated[int | None, QueryParameter(ge=0, le=MOST)] = None,
) -> ConsistencyView:
    """The proof that the log of `first` entries is the beginning of the one of `second` (RFC 9162)."""
    return await service.prove_consistency(database, actor, first, second)


@get("/api/lots/{lot_id:uuid}/availability", guards=[anyone])
async def show_availability(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> AvailabilityView:
    """How much of its time the lot could be bid on, with every outage and halt (R-HALT-02)."""
    return await record.show_availability(database, actor, lot_id)


@get("/api/lots/{lot_id:uuid}/cut-off", guards=[allow(Role.JUDGE)])
async def show_cut_off(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> CutOffView:
    """The codes of bidders whom outages cut off, for the lot's court once bidding has ended (R-HALT-04)."""
    return await record.show_cut_off(database, actor, lot_id)


@get("/api/lots/{lot_id:uuid}/bundle", guards=[anyone], dependencies=WITH_BUNDLES)
async def send_bundle(
    bundles: NamedDependency[Bundles], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> Stream:
    """A finished lot with all its proofs, as a file that `auction verify --bundle` checks offline (R-BID-12)."""
    bundle = await bundles.get(actor, lot_id)
    headers = {
        "content-disposition": f'attachment; filename="lot-{lot_id}.json"',
        "content-length": str(len(bundle)),
    }
    return Stream(_pieces(bundle), media_type="application/json", headers=headers)


async def _pieces(whole: bytes) -> AsyncIterator[bytes]:
    """In pieces, each sent once the one before has gone: a slow reader holds no copy of the whole."""
    for at in range(0, len(whole), PIECE_BYTES):
        yield whole[at : at + PIECE_BYTES]


ROUTES = [
    list_keys,
    show_head,
    list_heads,
    list_entries,
    prove_inclusion,
    prove_consistency,
    show_availability,
    show_cut_off,
    send_bundle,
]
