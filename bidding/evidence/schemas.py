"""Wire structs of evidence. Hashes, keys and signatures are hex; a path is its hashes one behind the other."""

from typing import Literal
from uuid import UUID

import msgspec

from bidding.desk.receipts import BatchView
from kernel.signatures import PublicKey

BUNDLE: Literal["auction-bundle/1"] = "auction-bundle/1"


class HeadView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed head of the log; one line of an anchor file."""

    number: int
    size: int
    at: str
    root: str
    key_id: str
    signature: str


class EntryView(msgspec.Struct, frozen=True):
    """An entry of the log: `data` are the exact bytes that are hashed, as a string."""

    index: int
    data: str


class KeysView(msgspec.Struct, frozen=True):
    """Every public key that ever signed."""

    keys: list[PublicKey]


class HeadsPage(msgspec.Struct, frozen=True):
    """Signed heads in order of their numbers; ask again `after` the last one here."""

    heads: list[HeadView]


class EntriesPage(msgspec.Struct, frozen=True):
    """Entries in order; ask again `after` the last one here."""

    entries: list[EntryView]


class InclusionView(msgspec.Struct, frozen=True):
    """The proof that an entry is in the log of that size (RFC 9162, 2.1.3)."""

    index: int
    size: int
    data: str
    root: str
    path: str


class ConsistencyView(msgspec.Struct, frozen=True):
    """The proof that the smaller log is the beginning of the larger one (RFC 9162, 2.1.4)."""

    first: int
    first_root: str
    second: int
    second_root: str
    path: str


class HaltView(msgspec.Struct, frozen=True):
    """A span in which the lot's time stood still: `suspended` by the court, or `frozen` by an outage from `since` on.

    `until` is null while it lasts.
    """

    kind: str
    at: str
    until: str | None
    since: str | None
    reason: str | None


class OutageView(msgspec.Struct, frozen=True):
    """A span without decisions, in platform time, with its length in real time; up to now while it goes on.

    `connected`: how many of the lot's bidders were connected when it began; `not_back`: how many of them did not come
    back before the end. Numbers only, and null until bidding has ended: before, nobody learns how many bid (R-BID-12).
    """

    since: str
    until: str
    real_ms: int
    cause: str
    connected: int | None
    not_back: int | None


class AvailabilityView(msgspec.Struct, frozen=True):
    """How much of its time a lot could be bid on. `available_ppm`: parts in a million; null before its time has run.

    `late_entries`: submissions that waited over half a second inside the platform. `outages`: the first thousand in
    order of their beginnings; `unavailable_ms` and `available_ppm` count those behind them too.
    """

    lot_id: UUID
    opens_at: str
    until: str
    running_ms: int
    unavailable_ms: int
    available_ppm: int | None
    late_entries: int
    outages: list[OutageView]
    halts: list[HaltView]


class CutOffByOutage(msgspec.Struct, frozen=True):
    """The codes of the lot's bidders who were connected when an outage began, and of those who did not come back."""

    since: str
    until: str
    cause: str
    connected: list[str]
    not_back: list[str]


class CutOffView(msgspec.Struct, frozen=True):
    """Whom the outages of a finished lot cut off, by code, in the first thousand of them; for its court."""

    lot_id: UUID
    outages: list[CutOffByOutage]


# -- the bundle of a lot: all fields are there and no others


class BundleEvent(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """An event: its exact bytes as a string, its link, and its place in a signed batch."""

    bytes: str
    link: str
    share: int
    number: int
    leaf: int
    path: str


class BundleBatch(BatchView, frozen=True, gc=False, forbid_unknown_fields=True):
    """A signed batch with events of the lot."""


class BundleBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sealed block of refusals that the log knows: hashes alone, for what was refused is shown to its bidder only."""

    hashes: list[str]
    link: str


class BundleEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the log about the lot, with its path to the root of the bundle's head."""

    index: int
    data: str
    path: str


class BundleLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the log says of the lot, and a signed head that covers it."""

    head: HeadView
    entries: list[BundleEntry]


class BundleResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How bidding ended, as the events lead to it; `code` is the leader's, after a sale the buyer's."""

    status: str
    outcome: str | None
    ended_at: str | None
    code: str | None
    price_fen: int | None
    bids: int
    extensions: int


class Bundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finished lot whole: it verifies without database and network (docs/evidence.md). Nothing in it is secret.

    All is proved but `title`, and the `number` of the log's head where there is no anchor.
    """

    format: Literal["auction-bundle/1"]
    lot_id: UUID
    title: str
    terms: str
    genesis: str
    result: BundleResult
    events: list[BundleEvent]
    batches: list[BundleBatch]
    refusals: list[BundleBlock]
    log: BundleLog | None
    keys: list[PublicKey]


class KeyFile(msgspec.Struct, frozen=True):
    """Public keys that somebody got from elsewhere, as `GET /api/evidence/keys` gives them."""

    keys: list[PublicKey]
