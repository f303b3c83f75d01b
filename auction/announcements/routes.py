"""Doors to announcements: the court fills in and publishes, everybody reads the documents of published lots."""

from typing import Annotated
from urllib.parse import quote, unquote
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody

from auction.announcements import service
from auction.announcements.rules import DocumentKind
from auction.announcements.schemas import Checklist, DocumentView, DraftState, NoticeGiven, Published
from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.decoding import clean_text
from kernel.documents import MAX_BYTES
from kernel.errors import Malformed
from kernel.web import StrictRequest, allow, anyone

LONGEST_NAME = 200


@post("/api/lots/{lot_id:uuid}/checklist", guards=[allow(Role.CLERK)], status_code=201)
async def fill_checklist(
    database: NamedDependency[Database], call: NamedDependency[Call], lot_id: FromPath[UUID], data: JSONBody[Checklist]
) -> DraftState:
    """Write what must be shown on the day of publication (R-PUB-03, R-PUB-04)."""
    return await service.fill_checklist(database, call, lot_id, data)


@post("/api/lots/{lot_id:uuid}/notices", guards=[allow(Role.CLERK)], status_code=201)
async def record_notice(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[NoticeGiven],
) -> DraftState:
    """Keep how a party or known priority purchaser was told (R-PUB-05)."""
    return await service.record_notice(database, call, lot_id, data)


@post(
    "/api/lots/{lot_id:uuid}/documents",
    guards=[allow(Role.CLERK)],
    status_code=201,
    request_max_body_size=MAX_BYTES,
)
async def attach_document(
    *,
    request: StrictRequest,
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    kind: FromQuery[DocumentKind],
    file_name: Annotated[str, HeaderParameter(name="X-File-Name")],
) -> DocumentView:
    """Add a PDF, PNG, JPEG or text to a draft: the body is the file, its name stands percent-encoded in a header."""
    content = await request.body()
    return await service.attach_document(database, call, lot_id, kind=kind, name=_decoded(file_name), content=content)


@post("/api/lots/{lot_id:uuid}/publish", guards=[allow(Role.JUDGE)], status_code=201)
async def publish(
    database: NamedDependency[Database], call: NamedDependency[Call], lot_id: FromPath[UUID]
) -> Published:
    """Publish the announcement; refuses with the first thing that is missing (R-PUB-01 to 05, R-GEN-05)."""
    return await service.publish(database, call, lot_id)


@get("/api/documents/{document_id:uuid}", guards=[anyone])
async def read_document(
    database: NamedDependency[Database], actor: NamedDependency[Actor], document_id: FromPath[UUID]
) -> Response[bytes]:
    """The bytes of a document; of an unpublished lot only for its court."""
    document = await service.read_document(database, actor, document_id)
    return Response(
        document.content,
        media_type=document.bare_type,
        headers={
            "content-disposition": f"inline; filename*=UTF-8''{quote(document.name, safe='')}",
            "cache-control": "private, max-age=86400, immutable",
            "etag": f'"{document.sha256.hex()}"',
        },
    )


@get("/api/lots/{lot_id:uuid}/announcement", guards=[anyone])
async def read_announcement(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> Response[bytes]:
    """The announcement's own bytes: their SHA-256 is the version that bidders accept (R-BID-16)."""
    content = await service.read_announcement(database, actor, lot_id)
    return Response(content, media_type="application/json")


def _decoded(file_name: str) -> str:
    """The percent-encoded name as one clean line; what looks like a path keeps only its last part."""
    try:
        name = clean_text(unquote(file_name, errors="strict")).replace("\\", "/").rpartition("/")[2].strip()
    except (UnicodeDecodeError, ValueError):
        name = ""
    if not 0 < len(name) <= LONGEST_NAME or "\n" in name or "\t" in name:
        expected = f"a percent-encoded file name of 1 to {LONGEST_NAME} characters"
        raise Malformed("X-File-Name", expected, f"1 至 {LONGEST_NAME} 字的文件名，经百分号编码")
    return name


ROUTES = [fill_checklist, record_notice, attach_document, publish, read_document, read_announcement]
