"""How far the views of watchers lag behind what was acknowledged: two seconds at most, whatever dies behind them."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from tests.campaign.load import load
from tests.campaign.people import SILENCE_S, WAITS_S, Bidder, Watcher

HEAL_WITHIN_S = 2.0
"""On a machine of our own; where others keep the cores busy, longer in proportion (`load.load`)."""
RECONNECT_S = SILENCE_S + WAITS_S[1]
"""A watcher notices by the silence that its connection is dead, waits, and makes a new one."""

Span = tuple[float, float]
"""From and to, in monotonic seconds."""


def lags(bidders: Iterable[Bidder], watchers: Iterable[Watcher], blind: Sequence[Span]) -> tuple[float, list[str]]:
    """The longest lag that no blindness explains, and a sentence for each watcher that lagged too long."""
    acks = [
        (one.lot_id, one.answers[0]["seq"], one.answered_s)
        for bidder in bidders
        for one in bidder.journal
        if one.answers and one.answers[0]["t"] == "ack" and one.answered_s is not None
    ]
    spans = merged((since, until + RECONNECT_S * min(load(), 5.0)) for since, until in blind)
    slowest, broken = 0.0, []
    for watcher in watchers:
        numbers = [seq for seq, _ in watcher.reached]
        worst = 0.0, 0
        for _, seq, acked_s in (ack for ack in acks if ack[0] == watcher.lot_id):
            place = bisect_left(numbers, seq)
            if place < len(numbers):
                worst = max(worst, (unexplained(acked_s, watcher.reached[place][1], spans), seq))
        slowest = max(slowest, worst[0])
        if worst[0] > HEAL_WITHIN_S * load():
            broken.append(f"{watcher.lot_id}: event {worst[1]} was seen {worst[0]:.1f} s behind its acknowledgement")
    return slowest, broken


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that do not touch, in order."""
    found: list[Span] = []
    for since, until in sorted(spans):
        if found and since <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], until)
        else:
            found.append((since, until))
    return found


def unexplained(since: float, until: float, spans: Iterable[Span]) -> float:
    """How much of the time between two moments lies in none of these spans, which do not touch."""
    covered = sum(max(0.0, min(until, end) - max(since, begin)) for begin, end in spans)
    return max(0.0, until - since - covered)
