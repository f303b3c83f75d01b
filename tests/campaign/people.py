"""Bidders with journals and watchers with logs: what the outside world knows, kept apart from the platform."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID, uuid4

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from app.bench.ground import Ticket
from kernel.clock import monotonic

ANSWER_WITHIN_S = 2.0
ASK_EVERY_S = 0.3
PAUSE_S = (0.02, 0.2)
"""Between two bids of one bidder. What is tested here is faults, not speed: nobody may starve the others."""

BROKEN = (OSError, WebSocketException, TimeoutError, httpx.HTTPError, asyncio.IncompleteReadError)


@dataclass
class Sent:
    """One line of a journal: a bid under a key, and every answer ever given to it."""

    lot_id: UUID
    key: UUID
    price_fen: int
    sent_s: float
    answers: list[dict[str, Any]] = field(default_factory=list)
    answered_s: float | None = None

    def final(self) -> dict[str, Any] | None:
        """The answer that stays, once there is one: an acknowledgement or a stored refusal."""
        return self.answers[0] if self.answers else None


@dataclass
class Market:
    """One price counter for each lot, so that most bids can be accepted."""

    prices: dict[UUID, int]
    step_fen: int

    def next_price(self, lot_id: UUID) -> int:
        self.prices[lot_id] += self.step_fen
        return self.prices[lot_id]


PASSING = frozenset({"busy", "rate-limited", "sign-in-required", "password-required", "malformed"})
"""Refusals that leave no record and use up no key: the same bid is sent again."""


class Bidder:
    """Bids over a socket; what is not answered in two seconds is asked for, or sent again, over HTTP."""

    def __init__(self, ticket: Ticket, origin: str, http: httpx.AsyncClient, market: Market, chance: Random) -> None:
        self.journal: list[Sent] = []
        self.told: str = ""
        """The last answer over HTTP, for whoever looks into a campaign that did not come to rest."""
        self.bidding = True
        """Whether it makes new bids; without, it only finds out what became of the old ones."""
        self._origin = origin
        self._http = http
        self._market = market
        self.chance = chance
        self.lot_id = ticket.lot_id
        self._cookie = {"Cookie": f"session={ticket.token}"}
        self._signed = {"Origin": origin, **self._cookie}

    async def live(self) -> None:
        """Bid until cancelled, connecting again whenever the connection breaks."""
        url = f"{self._origin.replace('http', 'ws', 1)}/live/lots/{self.lot_id}"
        while self.bidding:
            with contextlib.suppress(*BROKEN):
                async with connect(
                    url,
                    origin=self._origin,
                    additional_headers=self._cookie,
                    open_timeout=3,
                    close_timeout=1,  # type: ignore[arg-type]
                ) as socket:
                    while self.bidding:
                        await self._bid(socket)
                        await asyncio.sleep(self.chance.uniform(*PAUSE_S))
            await self._find_out()
            await asyncio.sleep(self.chance.uniform(0.1, 0.4))

    async def once(self) -> None:
        """One bid over HTTP; an answer that does not come is found out later."""
        sent = Sent(self.lot_id, uuid4(), self._market.next_price(self.lot_id), monotonic())
        self.journal.append(sent)
        path = f"/api/lots/{sent.lot_id}/bids"
        with contextlib.suppress(*BROKEN):
            await self._http.post(path, json=self._body(sent), headers=self._signed)
            await self._ask(sent)

    async def settle(self) -> None:
        """Find out what became of every bid; called when the platform is whole again."""
        while self.open():
            await self._find_out()
            await asyncio.sleep(ASK_EVERY_S)

    def open(self) -> list[Sent]:
        """Bids that have no answer yet."""
        return [sent for sent in self.journal if not sent.answers]

    async def _bid(self, socket: Any) -> None:
        lot_id = self.lot_id
        sent = Sent(lot_id, uuid4(), self._market.next_price(lot_id), monotonic())
        self.journal.append(sent)  # before it is sent: what is not in the journal was never bid
        await socket.send(json.dumps({"t": "bid", **self._body(sent)}))
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while True:
                answer = json.loads(await socket.recv())
                if answer["t"] in {"ack", "refused"} and answer["key"] == str(sent.key):
                    self._take(sent, answer)
                    return

    def _body(self, sent: Sent) -> dict[str, Any]:
        return {"key": str(sent.key), "price_fen": sent.price_fen, "confirm": sent.price_fen}

    def _take(self, sent: Sent, answer: dict[str, Any]) -> None:
        if answer["t"] == "refused" and answer["code"] in PASSING:
            return
        sent.answers.append(answer)
        sent.answered_s = sent.answered_s or monotonic()

    async def _find_out(self) -> None:
        """Ask by the key; where nobody knows it, send it again under the same key."""
        for sent in self.open():
            with contextlib.suppress(*BROKEN):
                await self._ask(sent)
        if self.journal and self.journal[-1].answers:  # and now and then ask again: an answer never changes
            with contextlib.suppress(*BROKEN):
                await self._ask(self.chance.choice(self.journal))

    async def _ask(self, sent: Sent) -> None:
        path = f"/api/lots/{sent.lot_id}/bids"
        found = await self._http.get(f"{path}/{sent.key}", headers=self._cookie)
        self.told = f"{found.status_code} {found.text[:200]}"
        if found.status_code == httpx.codes.OK:
            self._take(sent, found.json())
        elif found.status_code == httpx.codes.NOT_FOUND:
            told = await self._http.post(path, json=self._body(sent), headers=self._signed)
            self.told = f"{told.status_code} {told.text[:200]}"
            if told.status_code == httpx.codes.CREATED:
                self._take(sent, told.json())


class Watcher:
    """Looks at a lot, resumes where it was, and keeps every event with its number; signed in with a ticket."""

    def __init__(self, lot_id: UUID, origin: str, ticket: Ticket | None = None) -> None:
        self.lot_id = lot_id
        self.reached: list[tuple[int, float]] = []
        """Each number that the view came to, and when (monotonic seconds)."""
        self.seq: int | None = None
        self.status: str | None = None
        self.seen: dict[int, dict[str, Any]] = {}
        self.faults: list[str] = []
        self._origin = origin
        self._cookie = {"Cookie": f"session={ticket.token}"} if ticket else {}

    async def watch(self) -> None:
        """Watch until cancelled."""
        base = f"{self._origin.replace('http', 'ws', 1)}/live/lots/{self.lot_id}"
        while True:
            url = base if self.seq is None else f"{base}?after={self.seq}"
            with contextlib.suppress(*BROKEN):
                async with connect(
                    url,
                    origin=self._origin,
                    additional_headers=self._cookie,
                    open_timeout=3,
                    close_timeout=1,  # type: ignore[arg-type]
                ) as socket:
                    while True:
                        async with asyncio.timeout(3):  # a tick comes every second
                            self._take(json.loads(await socket.recv()))
            await asyncio.sleep(0.2)

    def _take(self, frame: dict[str, Any]) -> None:
        match frame["t"]:
            case "snapshot":
                if self.seq is not None and frame["seq"] < self.seq:
                    self.faults.append(f"{self.lot_id}: a picture of {frame['seq']} after event {self.seq}")
                self.seq, self.status = frame["seq"], frame["lot"]["status"]
            case "events":
                if frame["from"] != (self.seq or 0) + 1:
                    self.faults.append(f"{self.lot_id}: events from {frame['from']} after {self.seq}")
                self.seq = frame["to"]
                for event in frame["events"]:
                    self._see(event)
        if self.seq is not None and (not self.reached or self.reached[-1][0] < self.seq):
            self.reached.append((self.seq, monotonic()))

    def _see(self, event: dict[str, Any]) -> None:
        before = self.seen.setdefault(event["seq"], event)
        if before != event:
            self.faults.append(f"{self.lot_id}: event {event['seq']} was told twice and differently")
        self.status = STATUS_AFTER.get(event["kind"], self.status)


STATUS_AFTER = {
    "opened": "open",
    "suspended": "suspended",
    "frozen": "frozen",
    "resumed": "open",
    "closed": "closed",
    "withdrawn": "withdrawn",
}
