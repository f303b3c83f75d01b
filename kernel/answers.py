"""Public answers that cost the database much, made once for all who ask for the same within two seconds.

Bids are decided by the same database, and a crowd asks for the same: the front page counts every lot of the country.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kernel.clock import monotonic

KEPT_S = 2.0
MOST_KEPT = 500

T = TypeVar("T")


@dataclass(slots=True)
class _Kept:
    """The last answer to one question, None before the first; whoever holds the lock makes the next."""

    made_s: float | None = None
    answer: Any = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Answers:
    """The answers of one process: at most `most`, none given that was ready over `kept_s` before it was asked for."""

    def __init__(self, kept_s: float = KEPT_S, most: int = MOST_KEPT) -> None:
        self._kept_s = kept_s
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    async def get(self, question: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """The answer to `question`, which alone decides what `make` gives, whoever asks. What fails is not kept.

        Whoever asks while it is made is content with it, however long it takes.
        """
        asked_s = monotonic()
        kept = self._kept.setdefault(question, _Kept())
        self._kept.move_to_end(question)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        async with kept.lock:
            if kept.made_s is None or asked_s - kept.made_s > self._kept_s:
                kept.answer = await make()
                kept.made_s = monotonic()
            answer: T = kept.answer
            return answer
