"""Checks registrations, and who stands behind them, against the audit trail (decision 0016).

The rows change for good reasons, so they are no chain of their own: what was said of each when it was made, admitted
or given a priority code, and whom the court confirmed, stands in the trail, which `kernel.audit` verifies. The rank in
which somebody bids follows from the last. No fault names a person.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select

from bidding.desk.models import Lot
from bidding.registration import store
from bidding.registration.models import Mandate, PriorityGrant, Registration
from bidding.registration.rules import RegistrationState, rank_of_buyers
from kernel.audit import AuditEntry
from kernel.clock import beijing
from kernel.database import Tx

ACTIONS = (
    *("registration.make", "registration.admit", "registration.release", "registration.bar"),
    *("registration.grant-priority", "registration.confirm-agent", "registration.confirm-joint-bidders"),
)
AT_ONCE = timedelta(seconds=1)
"""Between an admission and its entry, where an old entry does not tell the time of the admission."""

Facts = Mapping[str, Any]


Confirmed = tuple[str, str, str | None, tuple[tuple[str, int], ...]]
"""For whom somebody bids: lot, bidder, proof, and the buyers in their order with their parts."""


@dataclass
class Said:
    """What the audit trail says of registrations, by their ids, and of whom the court confirmed, by lot."""

    made: dict[str, Facts] = field(default_factory=dict)
    admitted: dict[str, tuple[datetime, Facts]] = field(default_factory=dict)
    released: dict[str, Facts] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)
    granted: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Commitments to the codes of priority purchasers."""
    ranks: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    """Of (lot, person) the newest rank with its decision."""
    grants: list[tuple[str, str, int]] = field(default_factory=list)
    """Lot, person and rank of each grant, in order."""
    confirmed: set[Confirmed] = field(default_factory=set)

    def take(self, action: str, of: str, facts: Facts, at: datetime, reason: str | None) -> None:
        """Keep what one entry says."""
        match action:
            case "registration.make":
                self.made[of] = facts
            case "registration.admit":
                self.admitted[of] = at, facts
            case "registration.release":
                self.released[of] = facts
            case "registration.bar":
                self.barred.add(of)
            case "registration.grant-priority":
                self.grants.append((of, facts["person"], facts["rank"]))
                self.ranks[of, facts["person"]] = facts["rank"], facts["decision_id"]
                self.granted[of] |= {facts["bidder"]} if "bidder" in facts else set()
            case "registration.confirm-agent":
                self.confirmed.add((of, facts["agent"], reason, ((facts["principal"], 1),)))
            case "registration.confirm-joint-bidders":
                buyers = tuple((each["person"], each["parts"]) for each in facts["buyers"])
                self.confirmed.add((of, buyers[0][0], reason, buyers))

    def bidding_ranks(self) -> Mapping[tuple[UUID, UUID], Sequence[int | None]]:
        """Of (lot, bidder) the ranks in which they bid one after the other: those of the buyers, who for most are they
        themselves.

        No entry tells the rank of a registration, which would tell whose it is. It follows from the grants at any time,
        since for whom somebody bids is confirmed before they register, and each grant hands the rank on.
        """
        buyers = {(lot_id, bidder_id): [one for one, _ in those] for lot_id, bidder_id, _, those in self.confirmed}
        bidders = {(lot_id, one): bidder_id for (lot_id, bidder_id), those in buyers.items() for one in those}
        own: dict[tuple[str, str], int] = {}
        found: defaultdict[tuple[UUID, UUID], list[int | None]] = defaultdict(list)
        for lot_id, person_id, rank in self.grants:
            own[lot_id, person_id] = rank
            bidder_id = bidders.get((lot_id, person_id), person_id)
            held = [own.get((lot_id, one)) for one in buyers.get((lot_id, bidder_id), [bidder_id])]
            found[UUID(lot_id), UUID(bidder_id)].append(rank_of_buyers(held))
        return found


class Behind(NamedTuple):
    """What may be known of who stands behind a registration."""

    digest: bytes | None
    ranks: Sequence[int | None]
    """In which they bid, the newest last."""


class Checked(NamedTuple):
    """What does not hold about registrations, and the ranks that the court ever gave each, for the replay of bids."""

    faults: list[str]
    ranks: Mapping[UUID, frozenset[int]]


async def check(tx: Tx) -> Checked:
    """One sentence for each registration that is not what the audit trail says of it."""
    said = await _said(tx)
    behind = {one: Behind(digest, ranks) async for one, digest, ranks in store.digests(tx, said.bidding_ranks())}
    found: list[str] = []
    admitted: Counter[UUID] = Counter()
    unknown = set(said.made)
    async for row in _registrations(tx):
        unknown.discard(str(row.id))
        admitted[row.lot_id] += row.admitted_at is not None
        found += [f"registration {row.id}: {fault}" for fault in _row_faults(row, said)]
        found += [f"registration {row.id}: {fault}" for fault in _bidder_faults(row, said, behind.get(row.id))]
        found += [f"registration {row.id}: {fault}" for fault in _rank_faults(row, behind.get(row.id))]
    found += [f"registration {registration_id} was taken out" for registration_id in sorted(unknown)]
    found += [*await _count_faults(tx, admitted), *await _confirmed_faults(tx, said)]
    ranks = {one: frozenset(rank for rank in those.ranks if rank) for one, those in behind.items() if those.ranks}
    return Checked(found, ranks)


async def _said(tx: Tx) -> Said:
    said = Said()
    rows = await tx.session.stream(
        select(AuditEntry.action, AuditEntry.subject, AuditEntry.facts, AuditEntry.at, AuditEntry.reason)
        .where(AuditEntry.action.in_(ACTIONS))
        .order_by(AuditEntry.id)
        .execution_options(yield_per=2_000)
    )
    async for action, subject, facts, at, reason in rows:
        said.take(action, subject.partition(":")[2], msgspec.json.decode(facts), at, reason)
    return said


async def _registrations(tx: Tx) -> AsyncIterator[Any]:
    rows = await tx.session.stream(
        select(Registration.__table__).order_by(Registration.id).execution_options(yield_per=2_000)
    )
    async for row in rows:
        yield row


def _row_faults(row: Any, said: Said) -> Iterator[str]:
    made, admission = said.made.get(str(row.id)), said.admitted.get(str(row.id))
    if made is None:
        yield "it was added behind the audit trail"
        return
    if (row.kind, row.deposit_due_fen) != (made["kind"], made["deposit_due_fen"]):
        yield "its kind or its deposit is not the one that it was made with"
    if not _is_admitted_as_said(row.admitted_at, made, admission):
        yield f"it was not admitted at {row.admitted_at and beijing(row.admitted_at)}"
    if str(row.id) in said.barred:
        if (row.state, row.released_at) != (RegistrationState.BARRED, None):
            yield f"it was barred, and is {row.state} now"
    elif not _is_released_as_said(row, said.released.get(str(row.id))):
        yield f"it did not become {row.state} at {row.released_at and beijing(row.released_at)}"


def _is_released_as_said(row: Any, release: Facts | None) -> bool:
    if release is None:
        standing = RegistrationState.ADMITTED if row.admitted_at else RegistrationState.AWAITING_DEPOSIT
        return row.released_at is None and bool(row.state == standing)
    told = release.get("released_at", row.released_at and beijing(row.released_at))
    return row.released_at is not None and (row.state, beijing(row.released_at)) == (RegistrationState.RELEASED, told)


def _is_admitted_as_said(at: datetime | None, made: Facts, admission: tuple[datetime, Facts] | None) -> bool:
    """Who owes no deposit is admitted at once; entries of before told of admissions without their time."""
    if admission is None:
        if "admitted_at" in made:
            return bool(made["admitted_at"] == (at and beijing(at)))
        return (at is None) == bool(made["deposit_due_fen"])
    entered_at, facts = admission
    if at is None or "admitted_at" in facts:
        return at is not None and bool(facts["admitted_at"] == beijing(at))
    return abs(entered_at - at) <= AT_ONCE


def _bidder_faults(row: Any, said: Said, behind: Behind | None) -> Iterator[str]:
    """Who stands behind it is who registered, under the code drawn for them then or as a priority purchaser."""
    told = said.made.get(str(row.id), {}).get("bidder")
    if behind is None:
        if told is not None:
            yield "who stands behind it was taken out"
        return
    known = {told} | said.granted[str(row.lot_id)]
    if (behind.digest and behind.digest.hex()) not in known:
        yield "somebody else stands behind it or its code"


def _rank_faults(row: Any, behind: Behind | None) -> Iterator[str]:
    """It bids in the rank that the court confirmed to those who buy; where nobody stands behind it, in none."""
    confirmed = behind.ranks[-1] if behind and behind.ranks else None
    if row.priority_rank != confirmed:
        yield f"its priority rank is {row.priority_rank}, what the court confirmed makes it {confirmed}"


async def _count_faults(tx: Tx, admitted: Mapping[UUID, int]) -> list[str]:
    lots = await tx.session.execute(select(Lot.lot_id, Lot.admitted).order_by(Lot.lot_id))
    return [
        f"lot {lot_id}: it says that {count} bidders were admitted, {admitted[lot_id]} were"
        for lot_id, count in lots
        if count != admitted[lot_id]
    ]


async def _confirmed_faults(tx: Tx, said: Said) -> list[str]:
    """Lots whose priority purchasers, agents or joint bidders are not those whom the court confirmed."""
    grants = await tx.session.scalars(select(PriorityGrant))
    ranks = {(str(one.lot_id), str(one.person_id)): (one.rank, str(one.decision_id)) for one in grants}
    ranked = {lot_id for (lot_id, _), _ in ranks.items() ^ said.ranks.items()}
    bound = {lot_id for lot_id, *_ in await _mandates(tx) ^ said.confirmed}
    return [
        *(f"lot {lot_id}: its priority purchasers are not those whom the court confirmed" for lot_id in sorted(ranked)),
        *(f"lot {lot_id}: for whom somebody bids is not what the court confirmed" for lot_id in sorted(bound)),
    ]


async def _mandates(tx: Tx) -> set[Confirmed]:
    rows = await tx.session.scalars(select(Mandate).order_by(Mandate.lot_id, Mandate.bidder_id, Mandate.place))
    return {
        (str(lot_id), str(bidder_id), proof, tuple((str(each.buyer_id), each.parts) for each in buyers))
        for (lot_id, bidder_id, proof), buyers in itertools.groupby(
            rows, lambda one: (one.lot_id, one.bidder_id, one.proof)
        )
    }
