"""Bidders over real WebSockets: they register, pay at their bank, unlock, watch the lot and bid when it is their turn.

A bidder bids when the time of the plan has come and the price before theirs stands on their own screen, so the order
of a lot's bids is the plan's, whatever the machine does.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from app.demo.plans import PlannedBid
from app.demo.users import User, until

ANSWER_WITHIN_S = 30

STATUS_AFTER = {
    "opened": "open",
    "suspended": "suspended",
    "frozen": "frozen",
    "resumed": "open",
    "closed": "closed",
    "withdrawn": "withdrawn",
}
ENDED = frozenset({"closed", "withdrawn", "annulled", "gone"})
"""`gone`: the socket was closed."""


class UnexpectedAnswer(Exception):
    """A bid was answered otherwise than the plan says, or not at all."""


@dataclass
class Lot:
    """What a bidder has to know of a lot; `ends_at` is the end before any extension."""

    id: str
    title: str
    version: str
    opens_at: datetime
    ends_at: datetime

    @property
    def path(self) -> str:
        return f"/api/lots/{self.id}"


@dataclass
class Screen:
    """One open socket: the lot as this person sees it, and the answers to their own bids."""

    socket: ClientConnection
    price_fen: int = 0
    leader: str | None = None
    status: str = ""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _answers: dict[str, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)

    async def bid(self, price_fen: int, *, confirm: bool = False) -> dict[str, Any]:
        """Send a bid and return the platform's answer: `ack` or `refused`."""
        key = str(uuid4())
        message = {"t": "bid", "key": key, "price_fen": price_fen} | ({"confirm": price_fen} if confirm else {})
        answered = self._answers[key] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps(message))
        return await asyncio.wait_for(answered, ANSWER_WITHIN_S)

    async def until_price(self, price_fen: int) -> None:
        """Wait until at least this price stands on the screen."""
        async with asyncio.timeout(ANSWER_WITHIN_S), self._changed:
            await self._changed.wait_for(lambda: self.price_fen >= price_fen)

    @property
    def open(self) -> bool:
        return self.status == "open"

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    async def until_shown(self) -> None:
        """Wait for the first picture."""
        async with asyncio.timeout(ANSWER_WITHIN_S), self._changed:
            await self._changed.wait_for(lambda: bool(self.status))

    async def until_ended(self) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.ended)

    async def watch(self) -> None:
        """Read messages until the socket closes."""
        async for raw in self.socket:
            await self._take(json.loads(raw))
        async with self._changed:
            self.status = "gone"
            self._changed.notify_all()

    async def _take(self, message: dict[str, Any]) -> None:
        if message["t"] in ("ack", "refused"):
            if answered := self._answers.pop(message["key"], None):
                answered.set_result(message)
            return
        async with self._changed:
            if message["t"] == "snapshot":
                lot = message["lot"]
                self.price_fen, self.leader, self.status = lot["price_fen"] or 0, lot["leader"], lot["status"]
            for event in message.get("events", ()):
                self._follow(event)
            self._changed.notify_all()

    def _follow(self, event: dict[str, Any]) -> None:
        if event["kind"] == "bid":
            self.price_fen, self.leader = event["price_fen"], event["code"]
        else:
            self.status = STATUS_AFTER.get(event["kind"], self.status)


@asynccontextmanager
async def screen_of(user: User, lot_id: str) -> AsyncIterator[Screen]:
    """The lot's live page of a signed-in person."""
    address = f"{user.origin.replace('http', 'ws', 1)}/live/lots/{lot_id}"
    async with connect(
        address,
        origin=Origin(user.origin),
        additional_headers={"Cookie": user.cookie},
        compression=None,
        proxy=None,
    ) as socket:
        screen = Screen(socket)
        watching = asyncio.create_task(screen.watch())
        try:
            yield screen
        finally:
            await socket.close()
            await watching


@dataclass
class Bidder:
    """Somebody who takes part in one lot."""

    user: User
    lot: Lot
    code: str = ""
    bid_password: str = ""
    refusals: list[dict[str, Any]] = field(default_factory=list)

    async def register(self, *, kind: str = "ordinary") -> None:
        """Register on the lot (报名), having read and accepted the announcement."""
        wanted = {"kind": kind, "accepts": self.lot.version, "declares_eligible": True}
        await self.user.post(f"{self.lot.path}/registrations", wanted)

    async def pay_deposit(self) -> None:
        """Pay the deposit into the account that settlement opened for this registration."""
        deposit = await until(lambda: self.user.get(f"{self.lot.path}/deposit"), bool)
        await self.pay(deposit["account_no"], deposit["due_fen"])

    async def unlock(self) -> None:
        """Once admitted: get the bid password, shown once, and enter it; the answer names the bidder code."""
        self.bid_password = (await self.user.post(f"{self.lot.path}/bid-password"))["password"]
        own = await self.user.post(f"{self.lot.path}/unlock", {"password": self.bid_password})
        self.code = own["code"]

    async def pay(self, account_no: str, amount_fen: int) -> None:
        """Go to the bank: the outside world, which the simulated bank plays."""
        person = self.user.person
        transfer = {"from_account": person.account_no, "payer_name": person.real_name}
        await self.user.post(
            "/api/simulated-bank/transfers", transfer | {"to_account_no": account_no, "amount_fen": amount_fen}
        )

    async def play(self, screen: Screen, bid: PlannedBid, before_fen: int) -> None:
        """Make one planned bid once `before_fen` is the price; a stumble is refused first, with the code foretold."""
        await screen.until_price(before_fen)
        if bid.stumble is not None:
            price_fen = before_fen if bid.stumble == "below-minimum" else bid.price_fen
            refused = await screen.bid(price_fen)
            if refused.get("code") != bid.stumble:
                raise UnexpectedAnswer(f"{self.lot.title}: {price_fen} -> {refused}, expected {bid.stumble}")
            self.refusals.append(refused)
        answer = await screen.bid(bid.price_fen, confirm=bid.stumble == "confirm-jump")
        if answer["t"] != "ack":
            raise UnexpectedAnswer(f"{self.lot.title}: {bid.price_fen} -> {answer}")


def turns(plan: Sequence[PlannedBid], bidder: int) -> list[tuple[PlannedBid, int]]:
    """The bids of one bidder, each with the price that stands before it."""
    before = [0, *(bid.price_fen for bid in plan)]
    return [(bid, before[index]) for index, bid in enumerate(plan) if bid.bidder == bidder]


def registers_at(lot: Lot, bidder: int) -> datetime:
    """When a bidder registers: in three waves over the last days before the opening."""
    return lot.opens_at - timedelta(days=9 - 3 * (bidder % 3), hours=1)


def pays_at(lot: Lot, bidder: int) -> datetime:
    """When a bidder goes to the bank: the morning after."""
    return registers_at(lot, bidder) + timedelta(days=1)


def unlocks_at(lot: Lot, bidder: int) -> datetime:
    """When a bidder takes the bid password: the morning after the payment."""
    return pays_at(lot, bidder) + timedelta(days=1)
