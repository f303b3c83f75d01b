"""What the platform counts of itself for Prometheus: how much and how long, never who and on which lot.

Figures of one process; the desk, the feed and the HTTP door write them, `/metrics` shows them (invariant 16).
"""

from prometheus_client import Counter, Gauge, Histogram

REFUSALS = Counter("refusals", "Requests refused over HTTP, by the code of the refusal", ["code"])
CRASHES = Counter("crashes", "Requests that ended in a fault of ours")
BIDS_DECIDED = Counter("bids_decided", "Bids decided, by `accepted` or the code of the refusal", ["answer"])
CLOSE_LAG = Histogram(
    "close_lag_seconds",
    "From a lot's legal end to its committed close, in platform time",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
OUTBOX_WAITING = Gauge("outbox_waiting", "Rows of the outbox that are due and not handled")
UNIDENTIFIED_OVERDUE = Gauge(
    "unidentified_overdue", "Credits that nobody matched or returned within the court's working days"
)
ANCHORED_AT = Gauge("evidence_anchored_seconds", "Real time of the last sweep after which all heads were anchored")
LIVE_SOCKETS = Gauge("live_sockets", "Sockets of the live feed that are open")
