"""The files of the pages, as they are sent: read once at start, linked, compressed, under an address of their own.

The files of `static/` have one common hash, the release: what stands under `/static/{release}/` never changes, so it is
cached for ever, and a page always loads modules that fit together. A page asks for two files: its modules linked into
one (`app.linking`), and all styles. The single files are served too: who checks a record reads the code that checks it.
"""

import gzip
import hashlib
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from app.linking import linked
from kernel.settings import Settings

STATIC = Path(__file__).parent.parent / "static"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
NOT_SERVED = {"vendor/vendor.mjs"}
STYLES = ("tokens", "base", "controls", "shell", "catalogue", "lot", "account", "figures", "mine", "record", "party")
FOR_EVER = b"public, max-age=31536000, immutable"

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class File:
    """A static file as it is sent, plain and compressed."""

    media_type: str
    plain: bytes
    packed: bytes

    @classmethod
    def of(cls, name: str, plain: bytes) -> "File":
        """The file of that name; its ending says what it is."""
        return cls(TYPES[Path(name).suffix], plain, gzip.compress(plain, mtime=0))


@dataclass(frozen=True, slots=True)
class Heading:
    """What a page says of itself before any script has run."""

    title: str
    description: str
    picture: str | None = None
    """Address of a picture on this site; the mark of the house where there is none."""


NAME: dict[Language, str] = {"zh": "网络司法拍卖平台", "en": "Online judicial auction"}
NEEDS_SCRIPT: dict[Language, str] = {
    "zh": "本页面需要启用 JavaScript。公开数据也可直接读取：/api/lots",
    "en": "This page needs JavaScript. The public data can also be read directly: /api/lots",
}


class Site:
    """The files of a folder and the pages made of them."""

    def __init__(self, settings: Settings, folder: Path = STATIC) -> None:
        self.settings = settings
        self.files = _read(folder)
        self.template = (folder / "page.html").read_text()
        digest = hashlib.sha256()
        for path, file in sorted(self.files.items()):
            digest.update(path.encode() + b"\n" + hashlib.sha256(file.plain).digest())
        self.release = digest.hexdigest()[:16]
        self.base = f"/static/{self.release}"
        self.files |= self._linked()

    def _linked(self) -> dict[str, File]:
        """One file of modules for each page, and one of styles for all: their layers do not depend on the order."""
        sources = {path: file.plain.decode() for path, file in self.files.items() if "javascript" in file.media_type}
        pages = [path for path in sources if path.startswith("pages/")]
        made = {path.replace("pages/", "linked/"): linked(path, sources, self.base) for path in pages}
        made["styles.css"] = "".join(self.files[f"styles/{style}.css"].plain.decode() for style in STYLES)
        return {path: File.of(path, text.encode()) for path, text in made.items()}

    def page(self, name: str, heading: Heading, language: Language, person: str, told: object = None) -> bytes:
        """The HTML of a page; everything that comes from outside is escaped. `told` saves it its first question."""
        words = {
            "lang": "zh-CN" if language == "zh" else "en",
            "title": f"{heading.title} - {NAME[language]}",
            "description": heading.description,
            "person": person,
            "mode": self.settings.mode,
            "simulated_bank": "yes" if self.settings.simulated_bank else "no",
            "site_name": NAME[language],
            "heading": heading.title,
            "picture": self.settings.origin + (heading.picture or f"{self.base}/icon.svg"),
            "noscript": NEEDS_SCRIPT[language],
        }
        return self.template.format(
            **{name: escape(text) for name, text in words.items()}, static=self.base, page=name, told=_told(told)
        ).encode()


def _told(told: object) -> str:
    """Data for the page's modules. They are no script, and can end no element and begin no comment."""
    if told is None:
        return ""
    text = msgspec.json.encode(told).decode()
    inert = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return f'<script type="application/json" id="told">{inert}</script>'


def _read(folder: Path) -> dict[str, File]:
    files: dict[str, File] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix in TYPES and not name.endswith(".test.js") and name not in NOT_SERVED:
            files[name] = File.of(name, path.read_bytes())
    return files


class HeadAsGet:
    """Answers HEAD as GET; the server of the port leaves the body out (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


class Files:
    """Sends the files of a release before anything else looks at the request: nobody asks who wants them.

    Files of another release are not found, so releases never mix; everything else goes on to `app`.
    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._files = site.files
        self._base = f"{site.base}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        file = self._files.get(path.removeprefix(self._base)) if path.startswith(self._base) else None
        if file is None:
            await self._app(scope, receive, send)
            return
        packed = any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
        body = file.packed if packed else file.plain
        headers = [
            (b"content-type", file.media_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", FOR_EVER),
            (b"vary", b"Accept-Encoding"),
        ]
        if packed:
            headers.append((b"content-encoding", b"gzip"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
