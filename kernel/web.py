"""The HTTP door: who may call, strict bodies, one Origin, problems that name their law.

Everything a route needs beside its own slice: `allow(...)` as its guard, `Call` for a command with its
idempotency key, and refusals that become problem details (RFC 9457) with `code`, `rule`, `law` and a sentence in
both languages. The live socket uses `origin_allowed` and the same decoder, so both doors refuse alike.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl

import structlog
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, NotAuthorizedException, NotFoundException, ValidationException
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.params import HeaderParameter
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.types.empty import Empty

from kernel.actors import Actor, Role
from kernel.answers import Answers
from kernel.database import AlreadyAnswered, Call, Database
from kernel.decoding import decode, wanted_by
from kernel.errors import Forbidden, Malformed, NotFound, Refusal, SignInRequired
from kernel.observability import CRASHES, REFUSALS

log = structlog.get_logger("web")

MAX_BODY_BYTES = 1_000_000
KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
MISSING = re.compile(r"Missing required \w+ parameter '([^']*)'")
"""How the framework says so; the address it adds is not worth repeating."""
CLIENT_GONE = "client disconnected prematurely"
"""The framework's words for a caller who went away in the middle of a body; no fault of ours, and nobody is told."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PROBLEM = "application/problem+json"

SECURITY_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self';"
        b" connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]
ONLY_HTTPS = (b"strict-transport-security", b"max-age=63072000")


class UnsupportedMedia(Refusal):
    """A body that is not JSON in UTF-8."""

    code = "unsupported-media-type"
    status = 415
    zh = "请以 application/json（UTF-8）提交"
    en = "Send application/json in UTF-8"


class TooLarge(Refusal):
    """A body above the limit of its route."""

    code = "too-large"
    status = 413
    zh = "提交内容过大"
    en = "The body is too large"


class ForeignOrigin(Refusal):
    """A request that a page of another site made, or that does not say which page made it."""

    code = "foreign-origin"
    status = 403
    zh = "请求来源不被允许"
    en = "Requests from this origin are refused"


class StrictRequest(Request[Actor, Any, State]):
    """Decodes JSON bodies by the house's strict decoder instead of the framework's lenient one."""

    async def json(self) -> Any:
        if self._json is Empty:
            content_type = self.headers.get("content-type", "")
            media, _, parameters = content_type.partition(";")
            charset = parameters.strip().lower()
            plain = self.headers.get("content-encoding", "identity") == "identity"
            if media.strip().lower() != "application/json" or charset not in ("", "charset=utf-8") or not plain:
                raise UnsupportedMedia()
            wanted = self.route_handler.parsed_fn_signature.parameters["data"].annotation
            self._json = decode(await self.body(), wanted)
        return self._json


def origin_allowed(origin: str | None, allowed: str) -> bool:
    """Whether a request that changes something, or a socket, comes from our own pages (both doors ask this)."""
    return origin == allowed


def source_of(peer: str, forwarded: Sequence[str], proxies: Collection[str]) -> str:
    """The address that a request came from (both doors ask this): the peer's, or what our own proxies say of it.

    `forwarded` are the values of X-Forwarded-For. Each proxy adds its peer on the right, so the first address from
    the right that is no proxy of ours is believed; what stands left of it anybody may have written.
    """
    hops = [hop.strip() for value in forwarded for hop in value.split(",")]
    while peer in proxies and hops:
        peer = hops.pop()
    return peer


class FrontDoor(ASGIMiddleware):
    """Refuses foreign Hosts and Origins and doubled query keys before anything else looks at the request.

    Every answer carries the security headers; pages load nothing from elsewhere and run no inline code. What does not
    say how long it may be kept is kept nowhere.
    """

    def __init__(self, origin: str) -> None:
        scheme, _, self.host = origin.partition("://")
        self.origin = origin
        self.headers = [*SECURITY_HEADERS, ONLY_HTTPS] if scheme == "https" else SECURITY_HEADERS

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], *self.headers]
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        if scope["type"] == ScopeType.HTTP:
            refusal = self._refusal(scope)
            if refusal is not None:
                await problem(refusal).to_asgi_response(None, Request(scope))(scope, receive, guarded)
                return
        await next_app(scope, receive, guarded)

    def _refusal(self, scope: Any) -> Refusal | None:
        if _values(scope, b"host") != [self.host]:
            return Malformed(path="Host", expected=self.host)
        keys = [key for key, _ in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)]
        if len(keys) != len(set(keys)):
            return Malformed("query", "each parameter once", "每个参数只出现一次")
        origins = _values(scope, b"origin")
        if scope["method"] not in SAFE_METHODS and not (len(origins) == 1 and origin_allowed(origins[0], self.origin)):
            return ForeignOrigin()
        return None


def _values(scope: Any, wanted: bytes) -> list[str]:
    """Every value a header was sent with: of two, a proxy before us may have believed the other."""
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]


def allow(*roles: Role) -> Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]:
    """A guard: only persons with one of `roles`; with none named, anybody signed in."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        actor: Actor = connection.user
        if not actor.signed_in:
            raise SignInRequired()
        if roles and not actor.roles.intersection(roles):
            raise Forbidden()

    return guard


def anyone(_: ASGIConnection[Any, Any, Any, Any], __: BaseRouteHandler) -> None:
    """A guard that says: this is open to everybody. Every route names its guard (checked by a test)."""


async def refuse_loose_numbers(request: Request[Any, Any, Any]) -> None:
    """Refuses numbers in a query that the framework would read though nobody wrote them so: 1.0, 1e3, １００."""
    fields = request.route_handler.parsed_fn_signature.parameters
    for name, value in request.query_params.multi_items():
        field = fields.get(name)
        is_number = field is not None and int in (field.annotation, *(inner.annotation for inner in field.inner_types))
        if is_number and not WHOLE.fullmatch(value):
            raise Malformed(name, "a whole number", "整数")


IdempotencyKey = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        description="8 to 64 letters, digits, - or _; sent again with the same content it gives the same answer.",
    ),
]


async def provide_call(request: StrictRequest, idempotency_key: IdempotencyKey) -> Call:
    """The call behind a command: actor, route, idempotency key, digest of all that was sent."""
    if not KEY.fullmatch(idempotency_key):
        raise Malformed("Idempotency-Key", "8 to 64 letters, digits, - or _", "8 至 64 个字母、数字、- 或 _")
    name = request.headers.get("x-file-name", "")
    payload = f"{request.url.path}?{request.url.query}\n{name}\n".encode() + await request.body()
    return Call.by(request.user, f"{request.method} {request.route_handler.handler_name}", idempotency_key, payload)


async def provide_actor(request: StrictRequest) -> Actor:
    """Who asks; a visitor when nobody is signed in."""
    return request.user


async def provide_database(state: State) -> Database:
    """The database of this process."""
    database: Database = state["database"]
    return database


async def provide_answers(state: State) -> Answers:
    """The answers that this process keeps for a moment."""
    answers: Answers = state["answers"]
    return answers


def problem(refusal: Refusal, told: Mapping[str, str] | None = None) -> Response[dict[str, object]]:
    """Problem details of a refusal; its facts stand beside the standard members, `told` among the headers."""
    REFUSALS.labels(refusal.code).inc()
    headers = {"retry-after": str(refusal.facts["retry_after_s"])} if "retry_after_s" in refusal.facts else {}
    headers |= told or {}
    body: dict[str, object] = {
        **{name: value for name, value in refusal.facts.items() if isinstance(value, str | int | None)},
        "type": f"urn:judicial-auction:{refusal.code}",
        "title": refusal.code,
        "status": refusal.status,
        "code": refusal.code,
        "rule": refusal.rule,
        "law": refusal.law,
        "detail": refusal.detail,
        "detail_en": refusal.detail_en,
    }
    return Response(body, status_code=refusal.status, media_type=PROBLEM, headers=headers)


class _Framework(Refusal):
    """An error the framework found; its status stays, its wording becomes ours."""

    zh = "请求无法处理"
    en = "The request cannot be handled"

    def __init__(self, status: int, code: str) -> None:
        self.code, self.status = code, status  # type: ignore[misc]
        super().__init__()


def answer_refusal(_: Request[Any, Any, Any], refusal: Refusal) -> Response[dict[str, object]]:
    return problem(refusal)


def answer_repeat(_: Request[Any, Any, Any], repeat: AlreadyAnswered) -> Response[bytes]:
    """The same key and payload again: the same answer, byte for byte."""
    headers = {"idempotent-replay": "true"}
    return Response(repeat.answer, status_code=201, media_type="application/json", headers=headers)


def answer_framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, object]]:
    if isinstance(error, ValidationException):
        return problem(_first_problem(error))
    if isinstance(error, NotFoundException):
        return problem(NotFound(what="page"))
    if isinstance(error, NotAuthorizedException):
        return problem(SignInRequired())
    if error.status_code == 413:
        return problem(TooLarge())
    if error.detail == CLIENT_GONE:
        return problem(Malformed("$", "a whole body", "完整的内容"))
    if error.status_code >= 500:
        return answer_crash(request, error)
    codes = {400: "malformed", 405: "method-not-allowed"}
    allowed = {"allow": error.headers["allow"]} if error.headers and "allow" in error.headers else None
    return problem(_Framework(error.status_code, codes.get(error.status_code, "refused")), allowed)


def answer_crash(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, object]]:
    """A fault of ours: logged whole, told without any of its inside."""
    CRASHES.inc()
    log.error("web.crash", path=request.url.path, exc_info=error)
    return problem(_Framework(500, "internal-error"))


def _first_problem(error: ValidationException) -> Malformed:
    if found := MISSING.match(str(error.detail)):
        return Malformed(found[1], "a value, it is required", "必填")
    extra = error.extra
    if isinstance(extra, list) and extra and isinstance(extra[0], dict):
        expected, expected_zh = wanted_by(str(extra[0].get("message", "another value"))[:200])
        return Malformed(str(extra[0].get("key", "$")), expected, expected_zh)
    if "data" in str(extra):
        return Malformed("$", "a JSON body", "JSON 内容")
    return Malformed("$", f"another request ({str(error.detail)[:200]})", f"其他请求（{str(error.detail)[:200]}）")


EXCEPTION_HANDLERS: dict[Any, Any] = {
    Refusal: answer_refusal,
    AlreadyAnswered: answer_repeat,
    HTTPException: answer_framework,
    Exception: answer_crash,
}
