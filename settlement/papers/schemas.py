"""Views of papers."""

from uuid import UUID

import msgspec


class PaperView(msgspec.Struct, frozen=True):
    """A paper with the hashes of its data and of both files (SHA-256)."""

    id: UUID
    kind: str
    title: str
    about: UUID
    case_id: UUID
    made_at: str
    data_hash: str
    pdf_sha256: str
    html_sha256: str


class Papers(msgspec.Struct, frozen=True):
    """The papers of a case, newest first."""

    papers: tuple[PaperView, ...]
