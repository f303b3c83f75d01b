"""The desk as a small model: entry, batch, lease, takeover, hole and close, every order of events looked at.

Two processes want to be the desk, time and messages pass as they like, a process may die or be arbitrarily slow at any
step (which is what SIGSTOP does to it). A batch is three steps, as in `session.write`: the lease is read FOR SHARE, the
lots are locked and read, the decisions are committed. A step that the database would make wait is not possible yet.

`GUARDS` are the protections that the real desk has. `violation` walks breadth first through every state that can be
reached and returns the shortest story that breaks a property; without a guard there must be such a story. Times are
ticks. A decision dates from the moment at which the lots were locked; the commit may take its time. What a step learns
is in the state; `Ghost` is what only we know, to judge by.
"""

from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

WINDOW = 2
"""The closing minutes: a bid moves the end to this long after itself (R-BID-10)."""

HOLE = 2
"""So long without a decision is an outage (R-HALT-02)."""

SLOW = 2
"""How far the standby's own clock is behind."""

STANDBY = 1
"""So long without a sign of life lets another process take the lease."""

PATIENCE = 1
"""PostgreSQL ends a transaction that has idled longer: less than a hole."""


class Guard(StrEnum):
    """What protects the sale; each has a test that shows what happens without it."""

    LEASE_SHARED = "the lease is read FOR SHARE, so a takeover waits for the batch in flight"
    LEASE_CHECKED = "a batch stops at a foreign epoch"
    LOTS_LOCKED = "a batch locks its lots before it reads them"
    COMMIT_FIRST = "answers are given after the commit"
    KEYS_KEPT = "a key that was decided is answered, not decided again"
    END_EXCLUDED = "the instant of the end is too late"
    STAMPED_AT_ENTRY = "a bid's time is that of its entry into the queue"
    ONE_QUEUE = "the close waits behind the bids that entered before it"
    END_READ_AGAIN = "the close reads the end again under the lock"
    CLOSED_ONCE = "the close reads the status again under the lock"
    HOLE_AT_TAKEOVER = "a new desk freezes what the silence before it hit"
    HOLE_IN_PLACE = "a desk that slept freezes before it decides"
    CLOCK_TAKEN_OVER = "a desk's clock is the database's and starts where the last desk's stood"
    RESUME_QUEUED = "the court's resume is decided by the desk, in a batch like any bid"
    RESUMED_AT_DECISION = "a resumed lot runs from the decision, not from the order"
    NOT_BEFORE_RESUME = "a bid that entered before the resume was decided is refused"
    CLOSE_WAITS = "what was ordered before the end is decided before the close"
    LATE_BIDS_WAIT = "what was ordered before the end is decided before a bid that enters behind it"
    WINDOW_AFTER_FREEZE = "after a freeze at least the closing minutes are left"


GUARDS = frozenset(Guard)


class Lot(NamedTuple):
    """A lot's row, with the rows of its accepted bids as (bid, time of entry)."""

    status: str
    ends: int
    accepted: tuple[tuple[int, int], ...] = ()
    closes: int = 0
    left: int = 0
    """Of a frozen lot: what was left of its time when the outage began."""
    resumed: int = 0
    """When it ran on; 0 if it never stood still."""
    latest: int = 0
    """The latest entry refused as late: no order counts from before it."""


RESUME, STOP = -1, -2
"""In place of a bid: the court's order to run on, or to halt."""


class Order(NamedTuple):
    """The court's order in the database, desk or no desk: what it asks for, and since when.

    Until it is committed nobody sees it, and the lot is locked.
    """

    kind: int
    at: int
    committed: bool = False
    decided: bool = False

    @property
    def waits(self) -> bool:
        """Whether a desk that asks finds it."""
        return self.committed and not self.decided


class Entry(NamedTuple):
    """Something in a queue: a bid, the court's order, or (bid None) the close that a lot owes."""

    bid: int | None
    at: int


class Batch(NamedTuple):
    """A transaction in flight; `read` is the lot as it was read, None until the lots are locked."""

    began: int
    entries: tuple[Entry, ...]
    read: Lot | None = None
    locked: int = 0
    """When the lots were locked: that is when the desk decided."""


class Process(NamedTuple):
    """One process. `lease`: none, `held`, or `lost` to another without knowing it, which a foreign epoch tells."""

    lease: str = ""
    serving: bool = False
    silent_since: int = 0
    """At a takeover: the last sign of life of the desk before."""
    queue: tuple[Entry, ...] = ()
    batch: Batch | None = None
    lively: int = 0
    """When it last knew that it decided."""
    untold: tuple[tuple[int, str], ...] = ()
    """Committed answers on their way."""


class Ghost(NamedTuple):
    """What nobody in the model knows: when a desk last decided, and whether a hole hit the lot that runs."""

    decided: int = 0
    hit: bool = False


class World(NamedTuple):
    """One state. `told` is what each bidder knows: nothing, `sent`, `accepted`, `late` or `halted`."""

    now: int
    sign: int
    """The last sign of life in the database."""
    lot: Lot
    processes: tuple[Process, ...]
    told: tuple[str, ...]
    crashes: int
    ghost: Ghost
    order: Order | None = None
    wrong: str = ""
    """A property that the step into this state broke, where the state alone does not show it."""


class Bounds(NamedTuple):
    """How much is looked at."""

    until: int
    ends: int
    bids: int
    crashes: int
    order: int = 0
    """What the court orders once: to `RESUME` the frozen lot, to `STOP` the running one, or nothing."""


def start(bounds: Bounds) -> World:
    """A lot that runs, one desk, and a standby."""
    first = Process("held", serving=True)
    return World(0, 0, Lot("open", bounds.ends), (first, Process()), ("",) * bounds.bids, bounds.crashes, Ghost())


# -- the rules, as `bidding.desk.rules` has them (a test holds them together)


def takes(lot: Lot, at: int, guards: frozenset[Guard]) -> str:
    """The answer to a bid that entered at `at`."""
    late = at >= lot.ends if Guard.END_EXCLUDED in guards else at > lot.ends
    if lot.status == "closed" or (lot.status == "open" and late):
        return "late"
    return "accepted" if lot.status == "open" else "halted"


def is_hit(lot: Lot, since: int, until: int) -> bool:
    """Whether an outage may have changed the result."""
    return lot.status == "open" and since < lot.ends and until > lot.ends - WINDOW


def with_bid(lot: Lot, bid: int, at: int) -> Lot:
    """The lot after an accepted bid."""
    return lot._replace(ends=max(lot.ends, at + WINDOW), accepted=(*lot.accepted, (bid, at)))


def stops(lot: Lot, at: int) -> bool:
    """Whether an order that counts from `at` halts the lot."""
    return lot.status == "open" and at < lot.ends


def with_resume(lot: Lot, at: int, guards: frozenset[Guard]) -> Lot:
    """The lot after the court has resumed it."""
    least = WINDOW if Guard.WINDOW_AFTER_FREEZE in guards else 0
    return lot._replace(status="open", ends=at + max(lot.left, least), resumed=at)


# -- steps


def steps(world: World, bounds: Bounds, guards: frozenset[Guard]) -> Iterator[tuple[str, World]]:
    """Everything that may happen next."""
    if world.now < bounds.until:
        yield "time passes", _tick_of_time(world)
    if bounds.order:
        yield from _court_steps(world, bounds, guards)
    for number, process in enumerate(world.processes):
        if world.crashes and process.lease:
            died = _put(world._replace(crashes=world.crashes - 1), number, Process())
            yield f"{number} dies", _unsent(died, process)
        if not process.lease:
            if world.now - world.sign >= STANDBY and _lease_free(world, guards):
                yield f"{number} takes the lease", _take_lease(world, number)
        elif not process.serving:
            yield f"{number} starts", _begin_to_serve(world, number, process, guards)
        else:
            yield from _desk_steps(world, number, process, guards)


def _court_steps(world: World, bounds: Bounds, guards: frozenset[Guard]) -> Iterator[tuple[str, World]]:
    """The court writes its order down under the lot's lock and commits; a desk, whenever there is one, finds it."""
    order = world.order
    if order is not None:
        if not order.committed:
            yield "the court commits", world._replace(order=order._replace(committed=True))
    elif not _lots_locked(world) and world.lot.status == ("open" if bounds.order == STOP else "frozen"):
        order = Order(bounds.order, world.now)
        if order.kind == STOP or Guard.RESUME_QUEUED in guards:
            yield "the court locks the lot and orders", world._replace(order=order)
        else:
            resumed = with_resume(world.lot, world.now, guards)
            yield "the court resumes", world._replace(lot=resumed, order=order._replace(committed=True, decided=True))


def _desk_steps(world: World, number: int, process: Process, guards: frozenset[Guard]) -> Iterator[tuple[str, World]]:
    for bid, known in enumerate(world.told):
        if known == "":
            at = world.now if Guard.CLOCK_TAKEN_OVER in guards else max(0, world.now - SLOW * number)
            entered = process._replace(queue=(*process.queue, Entry(bid, at)))
            yield f"bid {bid} enters {number}", _put(_tell(world, bid, "sent"), number, entered)
    if process.untold:
        answered = world
        for bid, answer in process.untold:
            answered = _tell(answered, bid, answer)
        yield f"{number} answers", _put(answered, number, process._replace(untold=()))
    batch = process.batch
    if batch is None:
        yield f"{number} looks around", _look_around(world, number, process, guards)
        if process.queue:
            yield f"{number} begins a batch", _begin(world, number, process, guards)
    elif batch.read is None:
        if Guard.LOTS_LOCKED not in guards or not _lots_locked(world):
            yield f"{number} locks the lot", _lock(world, number, process, batch, guards)
    else:
        yield f"{number} commits", _commit(world, number, process, batch, batch.read, guards)


def _tick_of_time(world: World) -> World:
    now, order = world.now + 1, world.order
    if order is not None and not order.committed and now - order.at > PATIENCE:
        order = None
    world = world._replace(now=now, order=order)
    for number, process in enumerate(world.processes):
        batch = process.batch
        if batch is not None and now - batch.began > PATIENCE:
            again = process._replace(batch=None, queue=(*batch.entries, *process.queue))
            world = _put(world, number, again)
    return world


def _lease_free(world: World, guards: frozenset[Guard]) -> bool:
    """Whether a takeover need not wait: no batch holds the lease row in share mode."""
    return Guard.LEASE_SHARED not in guards or all(process.batch is None for process in world.processes)


def _lots_locked(world: World) -> bool:
    return _court_locks(world) or any(
        process.batch is not None and process.batch.read is not None for process in world.processes
    )


def _court_locks(world: World) -> bool:
    return world.order is not None and not world.order.committed


def _take_lease(world: World, number: int) -> World:
    others = tuple(other._replace(lease=other.lease and "lost") for other in world.processes)
    return _put(world._replace(processes=others), number, Process("held", silent_since=world.sign))


def _begin_to_serve(world: World, number: int, process: Process, guards: frozenset[Guard]) -> World:
    """Freeze what the silence hit, then open the queue."""
    if process.lease == "lost":
        return _end(world, number, process)
    if Guard.LOTS_LOCKED in guards and _lots_locked(world):
        return world
    world = _decided(world, world.now)
    if world.now - process.silent_since >= HOLE and Guard.HOLE_AT_TAKEOVER in guards:
        world = _freeze(world, process.silent_since)
    return _put(world._replace(sign=world.now), number, process._replace(serving=True, lively=world.now))


def _look_around(world: World, number: int, process: Process, guards: frozenset[Guard]) -> World:
    """Every second: mend a hole, show a sign of life, queue the order that waits and the close that is due."""
    if process.lease == "lost" and Guard.LEASE_CHECKED in guards:
        return _end(world, number, process)
    hole = world.now - process.lively >= HOLE and Guard.HOLE_IN_PLACE in guards
    if Guard.LOTS_LOCKED in guards and _lots_locked(world) and (hole or not _court_locks(world)):
        return world
    world = _decided(world, world.now)
    if hole:
        world = _freeze(world, process.lively)
    queue, lot, order = process.queue, world.lot, world.order
    if order is not None and order.waits and all(entry.bid != order.kind for entry in queue):
        queue = (*queue, Entry(order.kind, order.at))
    if lot.status == "open" and world.now >= lot.ends and all(entry.bid is not None for entry in queue):
        close = Entry(None, world.now)
        queue = (*queue, close) if Guard.ONE_QUEUE in guards else (close, *queue)
    return _put(world._replace(sign=world.now), number, process._replace(queue=queue, lively=world.now))


def _begin(world: World, number: int, process: Process, guards: frozenset[Guard]) -> World:
    if process.lease == "lost" and Guard.LEASE_CHECKED in guards:
        return _end(world, number, process)
    return _put(world, number, process._replace(queue=(), batch=Batch(world.now, process.queue)))


def _lock(world: World, number: int, process: Process, batch: Batch, guards: frozenset[Guard]) -> World:
    """Lock and read; a desk that finds it slept too long gives the batch back and mends first."""
    if world.now - process.lively >= HOLE and Guard.HOLE_IN_PLACE in guards:
        return _put(world, number, process._replace(batch=None, queue=(*batch.entries, *process.queue)))
    locked = process._replace(batch=batch._replace(read=world.lot, locked=world.now))
    if Guard.COMMIT_FIRST not in guards:
        locked = locked._replace(untold=_decide(world, world.lot, batch, guards).answers)
    return _put(world, number, locked)


def _commit(world: World, number: int, process: Process, batch: Batch, read: Lot, guards: frozenset[Guard]) -> World:
    world = _decided(world, batch.locked)
    decided = _decide(world, read, batch, guards)
    lot, wrong = decided.lot, decided.wrong
    if lot.closes > read.closes:
        wrong = wrong or _judge_close(world, lot, process)
    told = process.untold if Guard.COMMIT_FIRST not in guards else decided.answers
    done = process._replace(batch=None, untold=told, lively=max(process.lively, batch.locked))
    sign = max(world.sign, batch.locked)
    return _put(world._replace(lot=lot, order=decided.order, sign=sign, wrong=wrong), number, done)


class Decided(NamedTuple):
    """What a batch makes of the lot and of the court's order, its answers, and what is wrong with them."""

    lot: Lot
    order: Order | None
    answers: tuple[tuple[int, str], ...] = ()
    wrong: str = ""

    def but(self, wrong: str) -> "Decided":
        """The same, with the first thing that is wrong."""
        return self._replace(wrong=self.wrong or wrong)


def _decide(world: World, read: Lot, batch: Batch, guards: frozenset[Guard]) -> Decided:
    decided = Decided(read, world.order)
    for entry in batch.entries:
        if _order_goes_first(decided, entry, guards):
            decided = _decide_order(decided, batch.locked, guards)
        if entry.bid is None:
            decided = _decide_close(decided, entry, guards)
        elif entry.bid < 0:
            decided = _decide_order(decided, batch.locked, guards)
        else:
            at = entry.at if Guard.STAMPED_AT_ENTRY in guards else world.now
            decided = _decide_bid(decided, entry.bid, entry, at, guards)
    return decided


def _order_goes_first(decided: Decided, entry: Entry, guards: frozenset[Guard]) -> bool:
    """Whether a halt was ordered before the end that `entry` comes behind, the close or a bid."""
    guard = Guard.CLOSE_WAITS if entry.bid is None else Guard.LATE_BIDS_WAIT
    return guard in guards and entry.at >= decided.lot.ends and _stop_waits(decided)


def _stop_waits(decided: Decided) -> bool:
    order = decided.order
    return order is not None and order.waits and order.kind == STOP and stops(decided.lot, order.at)


def _decide_order(decided: Decided, locked: int, guards: frozenset[Guard]) -> Decided:
    """The court's order, once; a halt counts from its giving, but not from before what was decided."""
    lot, order = decided.lot, decided.order
    if order is None or not order.waits:
        return decided
    in_time, decided = _stop_waits(decided), decided._replace(order=order._replace(decided=True))
    if order.kind == RESUME:
        if lot.status != "frozen":
            return decided
        at = locked if Guard.RESUMED_AT_DECISION in guards else order.at
        decided = decided._replace(lot=with_resume(lot, at, guards))
        return decided if at >= locked else decided.but("a resumed lot ran unseen")
    if stops(lot, max(order.at, lot.latest)):
        return decided._replace(lot=lot._replace(status="halted"))
    return decided.but("ordered before the end, refused as late") if in_time else decided


def _decide_close(decided: Decided, close: Entry, guards: frozenset[Guard]) -> Decided:
    lot = decided.lot
    runs = lot.status == "open" or Guard.CLOSED_ONCE not in guards
    if not runs or (close.at < lot.ends and Guard.END_READ_AGAIN in guards):
        return decided
    if close.at < lot.ends:
        decided = decided.but("closed early")
    elif _stop_waits(decided):
        decided = decided.but("closed over an order")
    return decided._replace(lot=lot._replace(status="closed", closes=lot.closes + 1))


def _decide_bid(decided: Decided, bid: int, entry: Entry, at: int, guards: frozenset[Guard]) -> Decided:
    lot = decided.lot
    if Guard.KEYS_KEPT in guards and any(known == bid for known, _ in lot.accepted):
        answer = "accepted"
    elif at < lot.resumed and Guard.NOT_BEFORE_RESUME in guards:
        answer = "halted"
    else:
        answer = takes(lot, at, guards)
        if answer == "accepted":
            if entry.at >= lot.ends:
                decided = decided.but("accepted at or after the end")
            elif entry.at < lot.resumed:
                decided = decided.but("accepted inside a halt")
            lot = with_bid(lot, bid, at)
        elif answer == "late":
            if entry.at < lot.ends:
                decided = decided.but("entered in time, refused as late")
            lot = lot._replace(latest=max(lot.latest, at))
    return decided._replace(lot=lot, answers=(*decided.answers, (bid, answer)))


def _judge_close(world: World, lot: Lot, process: Process) -> str:
    if world.ghost.hit:
        return "closed inside a hole"
    if any(entry.bid is not None and entry.at < lot.ends for entry in process.queue):
        return "closed before a bid that entered in time"
    return ""


def _freeze(world: World, since: int) -> World:
    lot = world.lot
    if not is_hit(lot, since, world.now):
        return world
    frozen = lot._replace(status="frozen", left=lot.ends - since)
    return world._replace(lot=frozen, ghost=world.ghost._replace(hit=False))


def _decided(world: World, at: int) -> World:
    """The ghost notes that the lot is decided again, and whether it was not for too long."""
    ghost = world.ghost
    hole = at - ghost.decided >= HOLE and is_hit(world.lot, ghost.decided, at)
    return world._replace(ghost=Ghost(max(at, ghost.decided), ghost.hit or hole))


def _end(world: World, number: int, process: Process) -> World:
    """A foreign epoch: the desk decides nothing more, and its bidders send again with the same keys."""
    return _unsent(_put(world, number, Process()), process)


def _unsent(world: World, process: Process) -> World:
    entries = (*process.queue, *(process.batch.entries if process.batch else ()))
    lost: set[int | None] = {entry.bid for entry in entries} | {bid for bid, _ in process.untold}
    told = tuple("" if bid in lost and known == "sent" else known for bid, known in enumerate(world.told))
    return world._replace(told=told)


def _tell(world: World, bid: int, answer: str) -> World:
    return world._replace(told=(*world.told[:bid], answer, *world.told[bid + 1 :]))


def _put(world: World, number: int, process: Process) -> World:
    processes = world.processes
    return world._replace(processes=(*processes[:number], process, *processes[number + 1 :]))


# -- properties


def broken(world: World) -> str:
    """The property that this state breaks; empty if none."""
    lot = world.lot
    if world.wrong:
        return world.wrong
    bids = [bid for bid, _ in lot.accepted]
    for bid, known in enumerate(world.told):
        if known == "accepted" and bid not in bids:
            return "an accepted bid is lost"
    if len(bids) != len(set(bids)):
        return "a bid is decided twice"
    if lot.closes > 1:
        return "closed twice"
    if lot.status == "open" and lot.ends - lot.resumed < WINDOW and lot.resumed:
        return "less than the closing minutes after a freeze"
    times = [at for _, at in lot.accepted]
    if times != sorted(times):
        return "time falls along the chain"
    return ""


class Found(NamedTuple):
    """A story that breaks a property, or (no property) how many states keep them all."""

    property: str
    story: tuple[str, ...]
    states: int


def violation(bounds: Bounds, guards: frozenset[Guard] = GUARDS, only: str = "") -> Found:
    """Look at every reachable state, nearest first; with `only` other properties may break on the way."""
    first = start(bounds)
    came_from: dict[World, tuple[World, str] | None] = {first: None}
    waiting = deque([first])
    while waiting:
        world = waiting.popleft()
        for step, after in steps(world, bounds, guards):
            if after in came_from:
                continue
            came_from[after] = (world, step)
            fault = broken(after)
            if fault and only in {"", fault}:
                return Found(fault, _story(after, came_from), len(came_from))
            waiting.append(after)
    return Found("", (), len(came_from))


def _story(world: World, came_from: dict[World, tuple[World, str] | None]) -> tuple[str, ...]:
    story = []
    while (before := came_from[world]) is not None:
        world, step = before
        story.append(step)
    return tuple(reversed(story))
