"""The way of one objection to a plan: notice, counter-opinion, suit, judgment (R-DIST-05, 06).

Invariant: at any day an objection stands at exactly one stage, and only what reached an end (nobody opposed it, the
objector did not sue, or a judgment came) or a pending suit lets the plan's money move. Days are Beijing's. Everybody
but the objector is given notice, those who objected for other reasons too: they may oppose this objection.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from kernel.money import Fen
from settlement.distribution.claims import Debt
from settlement.distribution.deadlines import Event, deadline
from settlement.distribution.errors import (
    ClaimNotInPlan,
    CounterLate,
    JudgmentElsewhere,
    JudgmentOutOfRange,
    NothingDisputed,
    NotOpposed,
    NotSued,
    NotTold,
    ObjectionAnswered,
    ObjectionPartyMismatch,
    StepMisdated,
    SuitLate,
)

PARTS = {
    "costs_fen": "费用",
    "interest_fen": "利息",
    "principal_fen": "本金",
    "doubled_fen": "加倍部分债务利息",
}
"""Parts of a disputed claim, in Chinese."""


class Stage(StrEnum):
    """How far an objection has come."""

    NOTICE = "notice"
    COUNTER_OPINION = "counter_opinion"
    OPPOSED = "opposed"
    SUIT_OPEN = "suit_open"
    SUED = "sued"
    UNOPPOSED = "unopposed"
    LAPSED = "lapsed"
    JUDGED = "judged"


STAGE_ZH = {
    Stage.NOTICE: "异议待通知其他当事人",
    Stage.COUNTER_OPINION: "反对意见期限内",
    Stage.OPPOSED: "有反对意见，待通知异议人",
    Stage.SUIT_OPEN: "起诉期限内",
    Stage.SUED: "已提起诉讼",
    Stage.UNOPPOSED: "无人反对",
    Stage.LAPSED: "逾期未起诉",
    Stage.JUDGED: "已判决",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """That the objection was served on one party, and the last day of their counter-opinion."""

    party_id: UUID
    served_on: date
    counter_until: date
    calendar_known: bool


@dataclass(frozen=True, slots=True)
class CounterOpinion:
    """A party's written opposition to the objection (反对意见)."""

    party_id: UUID
    made_on: date
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """That the objector was told of the opposition, and the last day to sue."""

    told_on: date
    sue_until: date
    calendar_known: bool


@dataclass(frozen=True, slots=True)
class Suit:
    """The objector's suit over the plan (分配方案异议之诉)."""

    filed_on: date
    suit_no: str


@dataclass(frozen=True, slots=True)
class Judgment:
    """What the court of the suit found each disputed claim to be in this plan; final since `effective_on`."""

    effective_on: date
    document: str
    claims: Mapping[UUID, Debt]


@dataclass(frozen=True, slots=True)
class ObjectionCourse:
    """An objection with everything that followed. `disputes` says what each disputed claim should be, by its parts."""

    id: UUID
    party_id: UUID
    objected_on: date
    text: str
    disputes: Mapping[UUID, Debt]
    audience: frozenset[UUID]
    notices: Mapping[UUID, Notice]
    counter_opinions: tuple[CounterOpinion, ...] = ()
    told: Told | None = None
    suit: Suit | None = None
    judgment: Judgment | None = None

    def stage(self, today: date) -> Stage:
        """Where the objection stands on `today`."""
        if self.judgment is not None:
            return Stage.JUDGED
        if self.suit is not None:
            return Stage.SUED
        if self.told is not None:
            return Stage.LAPSED if today > self.told.sue_until else Stage.SUIT_OPEN
        if self.counter_opinions:
            return Stage.OPPOSED
        if self.audience - self.notices.keys():
            return Stage.NOTICE
        running = any(today <= notice.counter_until for notice in self.notices.values())
        return Stage.COUNTER_OPINION if running else Stage.UNOPPOSED


def require_disputes(planned: Mapping[UUID, Debt], disputes: Mapping[UUID, Debt]) -> None:
    """An objection names claims of the plan, and for each an amount that differs from the plan's (R-DIST-05)."""
    for claim_id, wanted in disputes.items():
        if claim_id not in planned:
            raise ClaimNotInPlan()
        if wanted == planned[claim_id]:
            raise NothingDisputed()


def notify(course: ObjectionCourse, party_id: UUID, served_on: date, today: date) -> Notice:
    """Give one party notice of the objection, which starts their fifteen days (R-DIST-05)."""
    if course.told is not None:
        raise ObjectionAnswered()
    if party_id not in course.audience or party_id in course.notices:
        raise ObjectionPartyMismatch()
    _require_day(served_on, course.objected_on, today)
    last = deadline(Event.OBJECTION_NOTICE_SERVED, served_on)
    return Notice(party_id, served_on, last.on, last.known)


def oppose(course: ObjectionCourse, party_id: UUID, made_on: date, text: str, today: date) -> CounterOpinion:
    """Take a counter-opinion made within the party's own fifteen days; it may reach the court later (R-DIST-05)."""
    if course.told is not None:
        raise ObjectionAnswered()
    notice = course.notices.get(party_id)
    if notice is None or any(opinion.party_id == party_id for opinion in course.counter_opinions):
        raise ObjectionPartyMismatch()
    _require_day(made_on, notice.served_on, today)
    if made_on > notice.counter_until:
        raise CounterLate(counter_until=notice.counter_until.isoformat())
    return CounterOpinion(party_id, made_on, text)


def tell_objector(course: ObjectionCourse, told_on: date, today: date) -> Told:
    """Tell the objector of the opposition, which starts their fifteen days to sue (R-DIST-05)."""
    if course.told is not None:
        raise ObjectionAnswered()
    if not course.counter_opinions:
        raise NotOpposed()
    _require_day(told_on, min(opinion.made_on for opinion in course.counter_opinions), today)
    last = deadline(Event.COUNTER_OPINION_TOLD, told_on)
    return Told(told_on, last.on, last.known)


def sue(course: ObjectionCourse, filed_on: date, suit_no: str, today: date) -> Suit:
    """Take proof that the objector sued in time (R-DIST-05)."""
    if course.told is None:
        raise NotTold()
    if course.suit is not None:
        raise ObjectionAnswered()
    _require_day(filed_on, course.told.told_on, today)
    if filed_on > course.told.sue_until:
        raise SuitLate(sue_until=course.told.sue_until.isoformat())
    return Suit(filed_on, suit_no)


def judge(course: ObjectionCourse, planned: Mapping[UUID, Debt], judgment: Judgment, today: date) -> Judgment:
    """Take the final judgment: each disputed claim, part by part, between the plan's amount and the objector's.

    The escrow holds what lies between the two (R-DIST-06), so a judgment beyond them needs a plan of its own.
    """
    if course.suit is None:
        raise NotSued()
    if course.judgment is not None:
        raise ObjectionAnswered()
    _require_day(judgment.effective_on, course.suit.filed_on, today)
    if judgment.claims.keys() != course.disputes.keys():
        raise JudgmentElsewhere()
    for claim_id, found in judgment.claims.items():
        for part, part_zh in PARTS.items():
            ends = sorted((getattr(planned[claim_id], part), getattr(course.disputes[claim_id], part)))
            if not ends[0] <= getattr(found, part) <= ends[1]:
                raise JudgmentOutOfRange(part=part, part_zh=part_zh, least_fen=ends[0], most_fen=ends[1])
    return judgment


def combined(planned: Debt, wanted: Iterable[Debt]) -> Debt:
    """One amount from several corrections of a claim: of each part the lowest below the plan, else the highest."""
    proposals = [*wanted]

    def part(name: str) -> Fen:
        amounts = [getattr(each, name) for each in proposals]
        lowest = min(amounts)
        return Fen(lowest if lowest < getattr(planned, name) else max(amounts))

    return Debt(part("costs_fen"), part("interest_fen"), part("principal_fen"), part("doubled_fen"))


def _require_day(day: date, earliest: date, today: date) -> None:
    if not earliest <= day <= today:
        raise StepMisdated(day=day.isoformat(), earliest=earliest.isoformat(), today=today.isoformat())
