"""The fault campaign: real processes, real faults, and every promise about bids, time and events checked afterwards.

`python -m tests.campaign --seed 7` plays one seed; the plan follows from the seed alone. A supervisor runs PostgreSQL,
Redis and the server; bidders and watchers come through a fault proxy and keep journals of what they sent and what they
were told. When all faults are healed, `check` compares journals, logs and database (docs/invariants.md).
"""
