"""What a lot is and the road from one sale of an asset to the next (R-FAIL-02, R-CLOSE-10, R-SELL-01).

The legal bounds of its terms stand beside, in `bounds`.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from auction.lots.errors import AssetOnSale, AssetSold, PreviousLotDiffers, ResaleNotOrdered, RoundNotAllowed
from kernel.calendar import due_on
from kernel.clock import to_ms
from kernel.money import Fen


class Round(StrEnum):
    """Which sale of the asset a lot is; after a failed second round only a sell-off is left (R-FAIL-02)."""

    ROUND_1 = "round_1"
    ROUND_2 = "round_2"
    SELL_OFF = "sell_off"
    RESALE = "resale"


ROUND_ZH = {
    Round.ROUND_1: "一拍",
    Round.ROUND_2: "二拍",
    Round.SELL_OFF: "变卖",
    Round.RESALE: "重新拍卖",
}


class AssetKind(StrEnum):
    """What kind of thing is sold; anything but movables is announced longer (R-PUB-01)."""

    MOVABLE = "movable"
    IMMOVABLE = "immovable"
    OTHER_RIGHT = "other_right"


class Method(StrEnum):
    """How a lot is sold; sell-off is the method of the round of that name (R-SELL-05)."""

    AUCTION = "auction"
    SELL_OFF = "sell_off"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the panel decides for one round (R-GEN-05); amounts in fen.

    `duration` is the announced bidding time, for a sell-off its period. `balance_due_days` counts from
    the end of bidding; the law names no number, but one must be stated.
    """

    round: Round
    start_price_fen: Fen
    increment_fen: Fen
    deposit_fen: Fen
    duration: timedelta
    balance_due_days: int


class Status(StrEnum):
    """Where a lot stands. `sold` becomes `defaulted` when the buyer does not pay (R-CLOSE-08), `annulled` when the
    court undoes the sale (R-HALT-04).
    """

    DRAFT = "draft"
    PUBLISHED = "published"
    LIVE = "live"
    SUSPENDED = "suspended"
    FROZEN = "frozen"
    SOLD = "sold"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    DEFAULTED = "defaulted"
    ANNULLED = "annulled"

    @property
    def open(self) -> bool:
        """Whether this sale has no outcome yet; an asset has at most one such lot."""
        return self in OPEN


ANNOUNCED = frozenset({Status.PUBLISHED, Status.LIVE, Status.SUSPENDED, Status.FROZEN})
OPEN = ANNOUNCED | {Status.DRAFT}
UNDONE = frozenset({Status.DEFAULTED, Status.ANNULLED})
"""Sold, and yet to be sold again."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The decided time of a sale and the panel's decision on its terms; a resale only ordered has none yet."""

    opens_at: datetime
    ends_at: datetime
    decision_id: UUID


class Happening(StrEnum):
    """What bidding or settlement tells of a published lot."""

    OPENED = "opened"
    SUSPENDED = "suspended"
    FROZEN = "frozen"
    RESUMED = "resumed"
    WITHDRAWN = "withdrawn"
    SOLD = "sold"
    FAILED = "failed"


_HALTED = frozenset({Status.SUSPENDED, Status.FROZEN})
_TRANSITIONS: Mapping[Happening, tuple[frozenset[Status], Status]] = {
    Happening.OPENED: (frozenset({Status.PUBLISHED}), Status.LIVE),
    Happening.SUSPENDED: (frozenset({Status.PUBLISHED, Status.LIVE, Status.FROZEN}), Status.SUSPENDED),
    Happening.FROZEN: (frozenset({Status.PUBLISHED, Status.LIVE, Status.SUSPENDED}), Status.FROZEN),
    Happening.RESUMED: (_HALTED, Status.LIVE),
    Happening.WITHDRAWN: (ANNOUNCED, Status.WITHDRAWN),
    Happening.SOLD: (ANNOUNCED, Status.SOLD),
    Happening.FAILED: (ANNOUNCED, Status.FAILED),
}


def next_status(status: Status, happening: Happening, *, opened: bool) -> Status | None:
    """The status after `happening`; None if it says nothing new, as when it is told a second time.

    A lot that was suspended before bidding opened goes back to `published`.
    """
    before, after = _TRANSITIONS[happening]
    if status not in before:
        return None
    if happening is Happening.RESUMED and not opened:
        return Status.PUBLISHED
    return after


@dataclass(frozen=True, slots=True)
class EarlierSale:
    """The latest sale of the same asset that was not withdrawn. `ended_on` is a day in China.

    `repeats` is the round that a resale holds again, however often it was held again; of other sales their own.
    """

    lot_id: UUID
    round: Round
    repeats: Round
    status: Status
    ended_on: date | None


def rounds_after(earlier: EarlierSale | None, price_fixed_on: date) -> frozenset[Round]:
    """Which sale may come next (R-FAIL-01, R-FAIL-02, R-CLOSE-10).

    One sell-off follows two failed auctions, a resale follows a default or an annulment. A resale that fails stands
    where the sale stood that it repeats: behind a second round or a sell-off there is no third auction. After any
    failure the whole road may begin anew, but only under a reference price that was fixed later.
    """
    if earlier is None:
        return frozenset({Round.ROUND_1})
    if earlier.status in UNDONE:
        return frozenset({Round.RESALE})
    if earlier.status is not Status.FAILED or earlier.ended_on is None:
        return frozenset()
    anew = frozenset({Round.ROUND_1} if price_fixed_on > earlier.ended_on else ())
    if earlier.round is Round.SELL_OFF:
        return anew
    return anew | {Round.ROUND_2 if earlier.repeats is Round.ROUND_1 else Round.SELL_OFF}


def check_place_on_road(
    round_: Round,
    named: UUID | None,
    earlier: EarlierSale | None,
    *,
    price_fixed_on: date,
    resale_ordered: bool,
) -> None:
    """Refuse a lot that does not follow from the asset's latest sale, or that names another one as its previous.

    `resale_ordered` tells whether a resale was ordered before, so that the bar on the defaulting buyer is
    known and travels on (R-CLOSE-10).
    """
    if earlier is not None and earlier.status.open:
        raise AssetOnSale(lot_id=str(earlier.lot_id))
    if earlier is not None and earlier.status is Status.SOLD:
        raise AssetSold()
    allowed = rounds_after(earlier, price_fixed_on)
    if round_ not in allowed:
        raise _not_allowed([each for each in Round if each in allowed])
    expected = earlier.lot_id if earlier is not None and round_ is not Round.ROUND_1 else None
    if named != expected:
        raise PreviousLotDiffers(previous_lot_id=str(expected) if expected else None)
    if round_ is Round.RESALE and not resale_ordered:
        raise ResaleNotOrdered()


def _not_allowed(allowed: Sequence[Round]) -> RoundNotAllowed:
    return RoundNotAllowed(
        allowed=", ".join(sorted(allowed)) or "-",
        allowed_zh="、".join(ROUND_ZH[each] for each in allowed) or "无",
        allowed_en=", ".join(allowed).replace("_", " ") or "none",
    )


ASK_CREDITORS_DAYS = 10
SELL_OFF_NOTICE_DAYS = 15
"""After a failed second round (R-SELL-01, from secondary sources). They bind the court: what it does later is marked
late and is valid all the same, for a thing that fell out of its days must not become unsaleable.
"""


def ask_creditors_by(failed_on: date) -> date:
    """The last day to ask the creditors whether one takes the thing in satisfaction (R-SELL-01)."""
    return due_on(failed_on, ASK_CREDITORS_DAYS).on


def publish_sell_off_by(failed_on: date) -> date:
    """The last day to publish the sell-off (R-SELL-01)."""
    return due_on(failed_on, SELL_OFF_NOTICE_DAYS).on


def is_late(by: date, done_on: date | None, today: date) -> bool:
    """Whether something was done after its last day, or is still not done behind it."""
    return (done_on or today) > by


_AFTER_ALL_ENDS = 10**14
"""Later than any end in milliseconds, so that ended lots come after running ones."""


def ends_rank(status: Status, ends_at: datetime) -> int:
    """The place in the order `ends soonest`: running lots by their end, then ended ones, the latest first."""
    end_ms = to_ms(ends_at)
    return end_ms if status.open else _AFTER_ALL_ENDS - end_ms


def discount_bp(start_price_fen: Fen, reference_price_fen: Fen) -> int:
    """How far the start price is below the reference price, in basis points, rounded down."""
    return 10_000 - -(-start_price_fen * 10_000 // reference_price_fen)


_NO_LIMIT = frozenset({"", "无", "否", "不限购", "no", "none"})


def purchase_limited(details: Mapping[str, str]) -> bool:
    """Whether local purchase limits apply to the asset, by what was found out about it (R-HOME-01)."""
    return details.get("purchase_limit", "").strip().lower() not in _NO_LIMIT


_NO_LOAN = ("无", "否", "不", "no")


def loan_available(details: Mapping[str, str]) -> bool:
    """Whether a bank lends for the asset (可贷款); what says nothing, or says that none does, offers no loan."""
    words = details.get("loan", "").strip().lower()
    return words != "" and not words.startswith(_NO_LOAN)


_VACATED = ("是", "已腾", "已清", "yes", "vacated")


def vacated(details: Mapping[str, str]) -> bool:
    """Whether the thing is handed over empty (已腾空): only where the court said so in as many words."""
    return details.get("vacated", "").strip().lower().startswith(_VACATED)


_PRIORITY = ("是", "有优先", "yes")


def priority_purchaser(details: Mapping[str, str]) -> bool:
    """Whether the court knows somebody who may buy before others (R-PUB-03); one whom it confirms later counts too."""
    return details.get("priority", "").strip().lower().startswith(_PRIORITY)


def searchable(words: str) -> str:
    """Text as the catalogue compares it: full-width as half-width, no capitals."""
    return unicodedata.normalize("NFKC", words).lower()
