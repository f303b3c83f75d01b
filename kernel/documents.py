"""Documents: bytes that are never changed, named by their SHA-256; a correction is a new version.

What a file may be is decided by its first bytes, never by the name or type the sender claims.
"""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from kernel.audit import record
from kernel.database import Base, Tx, append_only
from kernel.errors import Malformed, NotFound
from kernel.ids import ordered_id

MAX_BYTES = 20_000_000
MAGIC = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
READABLE = ("PDF, PNG, JPEG or plain text", "PDF、PNG、JPEG 或纯文本")


class Document(Base):
    """One version of one document; `public` ones may be read by everybody."""

    __tablename__ = "document"
    __table_args__ = (
        CheckConstraint("octet_length(sha256) = 32", "sha256_length"),
        CheckConstraint(f"size BETWEEN 1 AND {MAX_BYTES}", "size"),
        {"schema": "kernel"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    previous_id: Mapped[UUID | None] = mapped_column(ForeignKey("kernel.document.id"))
    case_id: Mapped[UUID | None]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[bytes]
    content: Mapped[bytes]
    public: Mapped[bool]
    stored_at: Mapped[datetime]

    @property
    def bare_type(self) -> str:
        """The media type as an answer is given it: of text the framework states the charset by itself (UTF-8)."""
        return self.media_type.partition(";")[0]


append_only(Document.__table__)


def media_type_of(content: bytes) -> str:
    """The type told by the first bytes; plain UTF-8 text counts as text. Anything else is refused."""
    for magic, media_type in MAGIC.items():
        if content.startswith(magic):
            return media_type
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("content", *READABLE) from None
    if "\x00" in text or text.lstrip().startswith("<"):
        raise Malformed("content", *READABLE)
    return "text/plain; charset=utf-8"


async def store_document(
    tx: Tx,
    name: str,
    content: bytes,
    *,
    public: bool,
    case_id: UUID | None = None,
    previous_id: UUID | None = None,
    media_type: str | None = None,
) -> Document:
    """Keep `content` as a new document (or a new version of `previous_id`) and return its row.

    `media_type` is given for what the platform itself wrote, and for nothing that somebody sent.
    """
    if not 0 < len(content) <= MAX_BYTES:
        raise Malformed("content", f"1 to {MAX_BYTES} bytes", f"1 至 {MAX_BYTES} 字节")
    document = Document(
        id=ordered_id(),
        previous_id=previous_id,
        case_id=case_id,
        name=name[:200],
        media_type=media_type or media_type_of(content),
        size=len(content),
        sha256=hashlib.sha256(content).digest(),
        content=content,
        public=public,
        stored_at=tx.now(),
    )
    tx.session.add(document)
    facts = {"name": document.name, "sha256": document.sha256.hex(), "size": document.size, "public": public}
    await record(tx, "document.store", f"document:{document.id}", facts, case_id=case_id)
    return document


async def get_document(tx: Tx, document_id: UUID) -> Document:
    """The document; refuses one that does not exist."""
    document = await tx.session.get(Document, document_id)
    if document is None:
        raise NotFound(what="document")
    return document
