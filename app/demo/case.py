"""What the steps of a case's road share: the play with its time and doors, the case so far, its auctions."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.demo.bank import FileBank
from app.demo.bidders import Bidder, Lot
from app.demo.plans import EXTENSION, PlannedBid
from app.demo.sales import Sale
from app.demo.schedule import moment_day
from app.demo.stage import Stage
from app.demo.users import Court, Door, User

COUNTERS = 12
PANEL = ("审判长周法官", "审判员吴法官", "审判员郑法官")
SERVED = {"method": "direct", "proof": "送达回证"}


@dataclass
class Play:
    """What all cases of the demo share: time, the door, and the tasks of those who bid."""

    stage: Stage
    door: Door
    bank: FileBank
    say: Callable[[str, str], None]
    tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    counters: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(COUNTERS))
    """How many people are served at a time before a lot opens."""
    bids_made: int = 0

    @property
    def today(self) -> date:
        return moment_day(self.stage.clock.now())


@dataclass
class Auction:
    """One sale of the asset and who bids in it; the bidder of the plan's last bid becomes the buyer."""

    lot: Lot
    bids: tuple[PlannedBid, ...]
    bidders: list[Bidder]

    @property
    def buyer(self) -> Bidder:
        return self.bidders[self.bids[-1].bidder]

    @property
    def refusals(self) -> list[dict[str, Any]]:
        """What the platform refused to the bidders, word for word."""
        return [refusal for bidder in self.bidders for refusal in bidder.refusals]

    @property
    def ends_at(self) -> datetime:
        """The real end by the plan: five minutes after the last bid."""
        return self.lot.ends_at + self.bids[-1].at + EXTENSION


@dataclass
class Case:
    """A case and how far its court has come with it; ids are those that the platform gave."""

    play: Play
    sale: Sale
    court: Court
    filed_on: date
    id: str = ""
    case_no: str = ""
    parties: dict[str, str] = field(default_factory=dict)
    asset_id: str = ""
    auctions: list[Auction] = field(default_factory=list)
    people: dict[str, User] = field(default_factory=dict)
    """Parties with accounts of their own, by their short names."""
    served_plan_id: str = ""
    plan_ids: list[str] = field(default_factory=list)
    """The confirmed plans, first to last."""
    payout_ids: list[str] = field(default_factory=list)
    paper_ids: dict[str, str] = field(default_factory=dict)

    @property
    def movable(self) -> bool:
        return self.sale.kind == "movable"

    @property
    def lot_path(self) -> str:
        return f"/api/lots/{self.auctions[-1].lot.id}"

    def say(self, what: str) -> None:
        self.play.say(self.sale.short, what)

    async def write(self, kind: str, path: str) -> None:
        """Have a paper written, in the cases that the demo follows on paper."""
        if self.sale.on_paper:
            self.paper_ids[kind] = (await self.court.clerk.post(path))["id"]

    async def decide(self, subject: str, text: str, facts: dict[str, Any] | None = None) -> str:
        """Record a decision that the panel makes today; returns its id."""
        decision = {"subject": subject, "made_on": self.play.today.isoformat(), "members": PANEL, "text": text}
        answer = await self.court.judge.post(f"/api/cases/{self.id}/decisions", decision | {"facts": facts or {}})
        return str(answer["id"])
