"""The event contracts. Times are aware UTC, money is fen; `key` orders events of one thing."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all events; the class name is the topic."""

    LATER: ClassVar[bool] = False
    """Whether it can wait while other events are due."""

    @property
    def key(self) -> str:
        """Events with the same key are handled in the order they were told."""
        raise TypeError(f"{type(self).__name__} names no key")


class DueWork(Event, frozen=True, kw_only=True):
    """Base of work that falls due: told with `due_at` and handled by the context that told it."""


class LotEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to one lot."""

    lot_id: UUID

    @property
    def key(self) -> str:
        return f"lot:{self.lot_id}"


class LotPublished(LotEvent, frozen=True, kw_only=True):
    """auction -> bidding: the announcement is out; bidding copies the terms, so its hot path reads its own tables."""

    case_id: UUID
    court_id: UUID
    asset_id: UUID
    title: str
    method: Literal["auction", "sell_off"]
    opens_at: datetime
    scheduled_end: datetime
    start_price_fen: int
    increment_fen: int
    deposit_fen: int
    barred_person_ids: tuple[UUID, ...] = ()
    """Defaulting buyers of the same asset (R-CLOSE-10). Who else is barred is read when somebody registers."""
    announcement_version: str | None = None
    """What a bidder must accept (R-PUB-04); None in events of before it was told."""
    sale_group_id: UUID | None = None
    """The lots that serve the same debt, which is `sale_group_target_fen` with its costs (R-CLOSE-12)."""
    sale_group_target_fen: int | None = None


class RegistrationMade(LotEvent, frozen=True, kw_only=True):
    """bidding -> settlement: a deposit is due on a new registration. It names no person (R-BID-07)."""

    registration_id: UUID
    case_id: UUID
    deposit_due_fen: int
    """May be 0: the platform has then admitted the bidder already (R-BID-05)."""

    @property
    def key(self) -> str:
        return f"registration:{self.registration_id}"


class LotOpened(LotEvent, frozen=True, kw_only=True):
    """bidding -> auction, settlement: bidding runs."""

    at: datetime


class LotEndMoved(LotEvent, frozen=True, kw_only=True):
    """bidding -> auction: a bid moved the end, the first of a sell-off (R-SELL-05) or one of the last five minutes
    (R-BID-10). Told once for each minute that the end passes, so that what is shown is a minute behind at most."""

    at: datetime
    ends_at: datetime


class LotSuspended(LotEvent, frozen=True, kw_only=True):
    """The court stopped the running lot (R-HALT-01); its remaining time is kept."""

    at: datetime
    reason: str


class LotFrozen(LotEvent, frozen=True, kw_only=True):
    """The platform froze the lot because of an outage (R-HALT-02)."""

    at: datetime
    reason: str


class LotResumed(LotEvent, frozen=True, kw_only=True):
    """The lot runs on with the time it had left."""

    at: datetime
    ends_at: datetime


class LotWithdrawn(LotEvent, frozen=True, kw_only=True):
    """The sale was stopped for good before a result (R-CLOSE-11)."""

    at: datetime
    reason: str


class LotClosed(LotEvent, frozen=True, kw_only=True):
    """The lot ended. `registration_id`, `code` and `price_fen` are the winner's, None when nobody bid."""

    ended_at: datetime
    status: Literal["sold", "failed"]
    registration_id: UUID | None
    code: str | None
    price_fen: int | None
    bids: int
    extensions: int


class HelperLinked(Event, frozen=True, kw_only=True):
    """appraisal -> bidding: the case has a helper more whom the platform knows; helpers may not buy (R-BID-14).

    Who it is stands in the case alone, so that no row names a person beside what they bid on.
    """

    case_id: UUID

    @property
    def key(self) -> str:
        return f"case:{self.case_id}"


class HoldPlaced(Event, frozen=True, kw_only=True):
    """appraisal -> auction, bidding: the asset may not be disposed of (R-CASE-09)."""

    hold_id: UUID
    asset_id: UUID
    case_id: UUID
    reason: str

    @property
    def key(self) -> str:
        return f"asset:{self.asset_id}"


class HoldLifted(Event, frozen=True, kw_only=True):
    """The hold ended."""

    hold_id: UUID
    asset_id: UUID
    case_id: UUID

    @property
    def key(self) -> str:
        return f"asset:{self.asset_id}"
