"""The public pages: each is HTML with its title written here; what it shows its modules write (`app.site`)."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from app.site import Heading, Language, Site
from auction.announcements.rules import DocumentKind
from auction.catalogue import service as catalogue
from auction.catalogue.schemas import LotPage
from kernel.actors import Actor, visitor
from kernel.database import Database
from kernel.errors import Busy, NotFound
from kernel.money import yuan
from kernel.web import answer_framework, anyone

ASK_EACH_TIME = "private, no-cache"

HEADINGS: dict[str, dict[Language, Heading]] = {
    "catalogue": {
        "zh": Heading("拍卖标的", "法院网络司法拍卖标的公开目录：查询、出价、竞价记录一律公开。"),
        "en": Heading("Lots", "Public catalogue of court auctions: every lot, every bid, every result in the open."),
    },
    "sign-in": {
        "zh": Heading("登录", "登录后报名参加网络司法拍卖。"),
        "en": Heading("Sign in", "Sign in to take part in court auctions."),
    },
    "register": {
        "zh": Heading("实名注册", "竞买人实名注册。"),
        "en": Heading("Register", "Real-name registration of bidders."),
    },
    "my-cases": {
        "zh": Heading("我的案件", "当事人查看本人执行案件的分配方案、对账单和期限。"),
        "en": Heading("My cases", "Parties read the plan, their statement and their deadlines."),
    },
    "my-case": {
        "zh": Heading("案件详情", "分配方案、本人对账单、期限和文书。"),
        "en": Heading("My case", "The plan, one's own statement, deadlines and papers."),
    },
    "statistics": {
        "zh": Heading("统计数据", "溢价率、成交率及其计算口径。"),
        "en": Heading("Statistics", "Premium and success rates with their definitions."),
    },
    "mine": {
        "zh": Heading("我的", "我的报名、保证金、出价、成交与关注。"),
        "en": Heading("My place", "My registrations, deposits, bids, purchases and followed lots."),
    },
    "verify": {
        "zh": Heading("核验回执与证据包", "在浏览器中核验出价回执和竞价证据包。"),
        "en": Heading("Check a receipt or a bundle", "Checks receipts and bundles of auctions in the browser."),
    },
    "not-found": {
        "zh": Heading("页面不存在", "未找到该页面。"),
        "en": Heading("Page not found", "There is no such page."),
    },
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page: which site, in which language, by whom, and what the browser has already."""

    site: Site
    language: Language
    actor: Actor
    has: str | None

    @classmethod
    def of(cls, request: Request[Any, Any, Any]) -> "Visit":
        state = request.app.state
        language: Language = "en" if request.cookies.get("language") == "en" else "zh"
        # Where no route was found nobody asked who is asking.
        actor = request.scope.get("user") or visitor("unknown")
        return cls(state["site"], language, actor, request.headers.get("if-none-match"))

    def show(
        self, name: str, heading: Heading | None = None, status: int = 200, told: object = None
    ) -> Response[bytes]:
        """The page, or 304 where the browser has these very bytes. `told` saves it its first question."""
        heading = heading or HEADINGS[name][self.language]
        body = self.site.page(name, heading, self.language, self._person(), told)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {"cache-control": ASK_EACH_TIME, "vary": "Cookie", "etag": etag}
        if status == 200 and self.has == etag:
            return Response(b"", status_code=304, headers=headers, media_type=MediaType.HTML)
        return Response(body, status_code=status, headers=headers, media_type=MediaType.HTML)

    def _person(self) -> str:
        if not self.actor.signed_in:
            return ""
        return json.dumps({"name": self.actor.name, "roles": sorted(self.actor.roles)}, ensure_ascii=False)


async def provide_visit(request: Request[Any, Any, Any]) -> Visit:
    """Who visits a page."""
    return Visit.of(request)


VISIT = {"visit": Provide(provide_visit)}


@get("/", guards=[anyone], dependencies=VISIT, include_in_schema=False)
async def show_catalogue(visit: NamedDependency[Visit]) -> Response[bytes]:
    """All published lots."""
    return visit.show("catalogue")


@get("/lots/{lot_id:uuid}", guards=[anyone], dependencies=VISIT, include_in_schema=False)
async def show_lot(
    visit: NamedDependency[Visit], database: NamedDependency[Database], lot_id: FromPath[UUID]
) -> Response[bytes]:
    """One lot, with its title for bookmarks and search engines."""
    return await _show_of_lot(visit, database, "lot", lot_id, _heading_of)


@get("/lots/{lot_id:uuid}/record", guards=[anyone], dependencies=VISIT, include_in_schema=False)
async def show_record(
    visit: NamedDependency[Visit], database: NamedDependency[Database], lot_id: FromPath[UUID]
) -> Response[bytes]:
    """The public record of one lot."""
    return await _show_of_lot(visit, database, "record", lot_id, _heading_of_record)


async def _show_of_lot(
    visit: Visit, database: Database, name: str, lot_id: UUID, heading: Callable[[LotPage, Language], Heading]
) -> Response[bytes]:
    """A page about a lot. While the platform is busy it comes without the lot's title, and asks again by itself."""
    try:
        lot = await catalogue.show_lot(database, visit.actor, lot_id)
    except NotFound:
        return visit.show("not-found", status=404)
    except Busy:
        return visit.show(name, HEADINGS["catalogue"][visit.language])
    return visit.show(name, heading(lot, visit.language), told=lot)


@get("/sign-in", guards=[anyone], dependencies=VISIT, include_in_schema=False)
async def show_sign_in(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Sign in."""
    return visit.show("sign-in")


@get("/register", guards=[anyone], dependencies=VISIT, include_in_schema=False)
async def show_register(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Open a bidder's account."""
    return visit.show("register")


@get("/mine", guards=[anyone], dependencies=VISIT, include_in_schema=False)
async def show_mine(visit: NamedDependency[Visit]) -> Response[bytes]:
    """One's own auctions; who is not signed in is shown the way."""
    return visit.show("mine")


@get("/statistics", guards=[anyone], dependencies=VISIT, include_in_schema=False)
async def show_statistics(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Figures with their definitions."""
    return visit.show("statistics")


@get("/verify", guards=[anyone], dependencies=VISIT, include_in_schema=False)
async def show_verify(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Check a receipt or a bundle in the browser."""
    return visit.show("verify")


@get("/my/cases", guards=[anyone], dependencies=VISIT, include_in_schema=False)
async def show_my_cases(visit: NamedDependency[Visit]) -> Response[bytes]:
    """The cases of a party; what they hold is read over the API, by whom it concerns."""
    return visit.show("my-cases")


@get("/my/cases/{case_id:uuid}", guards=[anyone], dependencies=VISIT, include_in_schema=False)
async def show_my_case(visit: NamedDependency[Visit], case_id: FromPath[UUID]) -> Response[bytes]:
    """One case as its party reads it."""
    return visit.show("my-case")


def answer_not_found(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """A browser that asks for a page gets one that helps on; everybody else the problem that the API gives."""
    asks_for_page = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
    if not asks_for_page or request.url.path.startswith(("/api/", "/static/", "/live/")):
        return answer_framework(request, error)
    return Visit.of(request).show("not-found", status=404)


def _heading_of(lot: LotPage, language: Language) -> Heading:
    price = yuan(lot.result.price_fen) if lot.result and lot.result.price_fen else yuan(lot.start_price_fen)
    sold = lot.result is not None and lot.result.price_fen is not None
    if language == "en":
        told = f"Court auction in {lot.place}, {'sold at' if sold else 'start price'} {price} yuan. {lot.court_name}."
    else:
        told = f"{lot.court_name}网络司法拍卖，{lot.place}，{'成交价' if sold else '起拍价'} {price} 元。"
    return Heading(lot.title, told, _picture_of(lot))


def _heading_of_record(lot: LotPage, language: Language) -> Heading:
    if language == "en":
        told = f"Every bid and event of the court auction in {lot.place}, to be checked by anybody."
        return Heading(f"Record: {lot.title}", told, _picture_of(lot))
    told = f"{lot.court_name}网络司法拍卖，{lot.place}，全部出价和事件，可供核验。"
    return Heading(f"竞价公开记录：{lot.title}", told, _picture_of(lot))


def _picture_of(lot: LotPage) -> str | None:
    documents = lot.announcement.documents if lot.announcement else ()
    pictures = (f"/api/documents/{document.id}" for document in documents if document.kind == DocumentKind.PICTURE)
    return next(pictures, None)


PAGES = [
    show_catalogue,
    show_lot,
    show_record,
    show_sign_in,
    show_register,
    show_statistics,
    show_mine,
    show_my_cases,
    show_my_case,
    show_verify,
]
