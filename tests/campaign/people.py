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
from tests.campaign.load import load

ANSWER_WITHIN_S = 2.0
SILENCE_S = 3.0
"""A tick comes every second: after so long without one the connection is dead."""

WAITS_S = (0.2, 5.0)
"""Before the next connection: drawn by chance up to a bound that grows, as our pages wait."""

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


class Patience:
    """How a good client waits: longer where the machine is shared, and by chance."""

    def __init__(self, chance: Random) -> None:
        self._chance, self._failures = chance, 0

    def timeout(self, seconds: float) -> asyncio.Timeout:
        """Give up after so long on a machine of our own."""
        return asyncio.timeout(seconds * min(load(), 5.0))

    def reached(self) -> None:
        """The connection works."""
        self._failures = 0

    async def wait(self) -> None:
        """Before the next attempt."""
        shortest, longest = WAITS_S
        self._failures += 1
        await asyncio.sleep(self._chance.uniform(shortest, min(longest, shortest * 2**self._failures)))


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
        self._patience = Patience(chance)
        self.lot_id = ticket.lot_id
        self._cookie = {"Cookie": f"session={ticket.token}"}
        self._signed = {"Origin": origin, **self._cookie}

    async def live(self) -> None:
        """Bid until cancelled, connecting again whenever the connection breaks."""
        url = f"{self._origin.replace('http', 'ws', 1)}/live/lots/{self.lot_id}"
        while self.bidding:
            with contextlib.suppress(*BROKEN):
                async with opened(url, self._origin, self._cookie) as socket:
                    while self.bidding:
                        await self._bid(socket)
                        self._patience.reached()
                        await asyncio.sleep(self.chance.uniform(*PAUSE_S))
            await self._find_out()
            await self._patience.wait()

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
        async with self._patience.timeout(ANSWER_WITHIN_S):
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


def opened(url: str, origin: str, cookie: dict[str, str]) -> connect:
    """A live socket; the opening takes its time where the machine is shared."""
    open_within_s = SILENCE_S * min(load(), 5.0)
    return connect(url, origin=origin, additional_headers=cookie, open_timeout=open_within_s, close_timeout=1)  # type: ignore[arg-type]


class Watcher:
    """Looks at a lot, resumes where it was, and keeps every event with its number; signed in with a ticket."""

    def __init__(self, lot_id: UUID, origin: str, ticket: Ticket | None = None) -> None:
        self.lot_id = lot_id
        self._patience = Patience(Random(lot_id.int))
        self._leaves = ticket is not None
        self.reached: list[tuple[int, float]] = []
        """Each number that the view came to, and when (monotonic seconds)."""
        self.seq: int | None = None
        self.status: str | None = None
        self.seen: dict[int, dict[str, Any]] = {}
        self.faults: list[str] = []
        self._origin = origin
        self._cookie = {"Cookie": f"session={ticket.token}"} if ticket else {}

    async def watch(self) -> None:
        """Watch until cancelled; with a ticket, until the lot has ended."""
        base = f"{self._origin.replace('http', 'ws', 1)}/live/lots/{self.lot_id}"
        while not (self._leaves and self.status in {"closed", "frozen"}):
            url = base if self.seq is None else f"{base}?after={self.seq}"
            with contextlib.suppress(*BROKEN):
                async with opened(url, self._origin, self._cookie) as socket:
                    while not (self._leaves and self.status in {"closed", "frozen"}):
                        async with self._patience.timeout(SILENCE_S):
                            self._take(json.loads(await socket.recv()))
                        self._patience.reached()
            await self._patience.wait()

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
