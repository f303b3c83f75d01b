"""What makes an acknowledgement prove itself: the signed batch of the desk, and a place in it. Pure.

A commit of the desk carries one signature, over the Merkle root (RFC 9162) of the links of its new events; each link
binds the event's exact bytes and everything before it on the lot. A receipt holds bytes, link, path, root and
signature, so it needs nobody's word. What is signed is a text of lines, `BATCH`; a change of it is a new number.
"""

from binascii import hexlify
from datetime import datetime
from uuid import UUID

import msgspec

from bidding.desk.chain import shown, text_of
from kernel import merkle

_encode = msgspec.json.Encoder().encode

BATCH = "auction-batch/1\n{share}\n{number}\n{size}\n{at}\n{root}\n"


class Batch:
    """The events of one commit: number and share first, links as they are decided, root and signature at the end.

    It is filled while its receipts are already promised, and read only after the commit.
    """

    __slots__ = ("_paths", "_text", "_tree", "at", "key_id", "links", "number", "receipts", "share", "signature")

    def __init__(self, share: int = 0, number: int = 0) -> None:
        self.share = share
        self.number = number
        self.links: list[bytes] = []
        self.receipts: dict[int, bytes] = {}
        """Made ahead, by leaf, while the database wrote."""
        self.at = ""
        self.key_id = ""
        self.signature = b""
        self._tree: merkle.Tree | None = None
        self._paths: list[bytes] | None = None
        self._text: bytes | None = None

    @classmethod
    def stored(cls, share: int, number: int, leaves: bytes, *, at: datetime, key_id: str, signature: bytes) -> "Batch":
        """A batch as it was committed."""
        batch = cls(share, number)
        batch.links = merkle.split(leaves)
        batch.close(at, key_id, signature)
        return batch

    def __eq__(self, other: object) -> bool:
        """Two readings of one batch are equal, and so are the answers that hold them."""
        return isinstance(other, Batch) and self.text() == other.text()

    __hash__ = None  # type: ignore[assignment]  # it is filled while it is in use

    def add(self, link: bytes) -> int:
        """Take in an event's link; returns its place in the tree."""
        self.links.append(link)
        return len(self.links) - 1

    def statement(self, at: datetime) -> bytes:
        """What is signed, with the time of signing."""
        size = len(self.links)
        text = BATCH.format(share=self.share, number=self.number, size=size, at=shown(at), root=self.root.hex())
        return text.encode()

    def close(self, at: datetime, key_id: str, signature: bytes) -> None:
        """Nothing is added any more."""
        self.at, self.key_id, self.signature = shown(at), key_id, signature

    @property
    def root(self) -> bytes:
        return self._whole().root

    def proof(self, sealed: bytes, previous: bytes, link: bytes) -> "Proof":
        """The proof of one of its events; raises ValueError for a link that is not in the batch."""
        return Proof(sealed, previous, self, self.links.index(link))

    def path(self, leaf: int) -> bytes:
        """The hashes from a leaf to the root; all of a batch are made at once, when the first is asked for."""
        if self._paths is None:
            self._paths = self._whole().paths()
        return self._paths[leaf]

    def _whole(self) -> merkle.Tree:
        if self._tree is None:
            self._tree = merkle.Tree(self.links)
        return self._tree

    def text(self) -> bytes:
        """The batch as a receipt shows it: JSON."""
        if self._text is None:
            self._text = msgspec.json.encode(view_of(self))
        return self._text


class BatchView(msgspec.Struct, frozen=True):
    """A signed batch on the wire; hashes and signature in hex, `size` is the number of its events."""

    share: int
    number: int
    size: int
    at: str
    root: str
    key_id: str
    signature: str


class Proof(msgspec.Struct, frozen=True, gc=False):
    """Where an event stands: its exact bytes, the link before it, its batch and its place in that."""

    sealed: bytes
    previous: bytes
    batch: Batch
    leaf: int


def view_of(batch: Batch) -> BatchView:
    """The batch on the wire."""
    root, signature = batch.root.hex(), batch.signature.hex()
    return BatchView(batch.share, batch.number, len(batch.links), batch.at, root, batch.key_id, signature)


def receipt(lot_id: UUID, event: bytes, link: bytes, proof: Proof | None) -> bytes:
    """The receipt of an event as JSON (docs/evidence.md): `event` is what the feed shows, `bytes` what is hashed.

    `proof` is None for an event from before batches were signed: its receipt proves nothing.
    """
    if proof is None:
        return b'{"lot_id":"%b","event":%b,"link":"%b"}' % (text_of(lot_id).encode(), event, hexlify(link))
    made = proof.batch.receipts.get(proof.leaf)
    return made or _receipt(text_of(lot_id).encode(), event, link, proof)


def make_ahead(lot_id: UUID, event: bytes, link: bytes, proof: Proof) -> None:
    """Make the receipt of an event whose batch is signed and being written; it is told only once that is committed."""
    proof.batch.receipts[proof.leaf] = _receipt(text_of(lot_id).encode(), event, link, proof)


def _receipt(lot_id: bytes, event: bytes, link: bytes, proof: Proof) -> bytes:
    return b'{"lot_id":"%b","event":%b,"bytes":%b,"previous":"%b","link":"%b","batch":%b,"leaf":%d,"path":"%b"}' % (
        lot_id,
        event,
        _encode(proof.sealed.decode()),
        hexlify(proof.previous),
        hexlify(link),
        proof.batch.text(),
        proof.leaf,
        hexlify(proof.batch.path(proof.leaf)),
    )
