"""The desk's queue: order of entry, each key once, bounded for bids and never for closings or court commands."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from bidding.desk.batch import Entry
from bidding.desk.rules import Kind
from bidding.desk.submissions import Address, Answer, Submission
from kernel.errors import Busy, KeyReused

Reply = Callable[[Answer], None]


class TurnedAway(msgspec.Struct):
    """Bids of a lot that were answered `busy`, and nothing else: since when, in platform and in monotonic time."""

    since: datetime
    first_s: float
    last_s: float


class Queue:
    """Entries not yet answered. An entry that is being decided still holds its key, so a copy waits with it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.turned_away: dict[UUID, TurnedAway] = {}
        """Lots whose bids meet a full queue only."""
        self._waiting: deque[Entry] = deque()
        self._by_key: dict[Address, Entry] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, sent: Submission, received_at: Callable[[], datetime], reply: Reply, now_s: float) -> None:
        """Let a submission join, stamped at that moment; a full queue and a reused key are answered at once."""
        address = sent.address
        if (entry := self._by_key.get(address)) is not None:
            if entry.sent.same_payload(sent):
                entry.waiters.append(reply)
            else:
                reply(Answer(sent.key, refusal=KeyReused()))
            return
        if len(self._by_key) >= self.limit and sent.kind is Kind.BID:
            away = self.turned_away.get(sent.lot_id)
            if away is None:
                away = self.turned_away[sent.lot_id] = TurnedAway(received_at(), now_s, now_s)
            away.last_s = now_s
            reply(Answer(sent.key, refusal=Busy()))
            return
        if self.turned_away and sent.kind is Kind.BID:
            self.turned_away.pop(sent.lot_id, None)
        entry = Entry(sent, address, received_at(), [reply])
        self._by_key[address] = entry
        self._waiting.append(entry)

    def holds(self, address: Address) -> bool:
        """Whether a submission under this key waits for its answer."""
        return address in self._by_key

    def take(self, most: int, most_bids: int) -> list[Entry]:
        """The oldest entries, in order, so many of them bids; they hold their keys until `answer` or `drop`."""
        waiting = self._waiting
        if len(waiting) <= most_bids:
            taken = list(waiting)
            waiting.clear()
            return taken
        taken, bids = [], 0
        while waiting and len(taken) < most:
            bids += waiting[0].sent.kind is Kind.BID
            if bids > most_bids:
                break
            taken.append(waiting.popleft())
        return taken

    def answer(self, entry: Entry, answer: Answer) -> None:
        """Give an entry's answer to all who wait for it."""
        self._by_key.pop(entry.address, None)
        for reply in entry.waiters:
            reply(answer)

    def drop(self, entry: Entry) -> None:
        """Forget an entry that has no answer: a command of the desk's own that became pointless."""
        self._by_key.pop(entry.address, None)

    def turn_away(self) -> None:
        """Answer `busy` to all that wait: the desk has ended, and the same keys may be sent to the next one."""
        entries = list(self._by_key.values())
        self._by_key.clear()
        self._waiting.clear()
        for entry in entries:
            for reply in entry.waiters:
                reply(Answer(entry.sent.key, refusal=Busy()))
