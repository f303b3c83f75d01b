"""When and with what an announcement may be published (R-PUB-01, 03, 04, 05; R-FAIL-01; R-SELL-02).

Invariant: an announcement without `obstacles` among the checks below gives the public its full days, shows every
item of R-PUB-03 and R-PUB-04, and reached everyone who must be told. All days are calendar days in China;
the day of publication, of failure and of posting is not counted.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from auction.announcements.errors import (
    AssetHeld,
    ChecklistIncomplete,
    NoticeOutstanding,
    PublishedTooLate,
    SecondRoundPublishedTooLate,
    SecondRoundTooLate,
    SellOffPublishedTooLate,
)
from auction.lots.rules import Round
from kernel.errors import Refusal

SECOND_ROUND_WITHIN = timedelta(days=30)
"""R-FAIL-01; read as: bidding starts by then."""

NOTICE_LEAD = timedelta(days=3)
"""Parties and known priority purchasers are told this long before publication (R-PUB-05)."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days between publication and start, and the refusal if they are fewer."""

    movable: int
    other: int
    refusal: type[PublishedTooLate]

    def days(self, movable: bool) -> int:
        return self.movable if movable else self.other


_FIRST = Period(15, 30, PublishedTooLate)
PERIODS: Mapping[Round, Period] = {
    Round.ROUND_1: _FIRST,
    Round.RESALE: _FIRST,  # no text shortens it, and the public has to be found anew
    Round.ROUND_2: Period(7, 15, SecondRoundPublishedTooLate),
    Round.SELL_OFF: Period(7, 15, SellOffPublishedTooLate),
}
"""R-PUB-01, R-FAIL-01; the sell-off's by R-SELL-02 (secondary sources, so a court may ask for more)."""

_SHORT_RESALE = Period(7, 15, PublishedTooLate)
Decided = Mapping[str, str | int]


def period_of(round_: Round, decided: Decided) -> Period:
    """The period of a round. No text names that of a resale: a panel that takes it for a repeated sale says so by the
    fact `resale_announcement = as_second_round` of its decision, a setting for what the law leaves open.
    """
    if round_ is Round.RESALE and decided.get("resale_announcement") == "as_second_round":
        return _SHORT_RESALE
    return PERIODS[round_]


def notice_period(round_: Round, *, movable: bool) -> timedelta:
    """How long the announcement stands before bidding starts; immovables and other rights take longer."""
    return timedelta(days=PERIODS[round_].days(movable))


def earliest_start(published_on: date, round_: Round, *, movable: bool, decided: Decided | None = None) -> date:
    """The first day on which bidding may start."""
    return published_on + timedelta(days=period_of(round_, decided or {}).days(movable))


def latest_second_start(failed_on: date) -> date:
    """The last day on which the second round may start (R-FAIL-01)."""
    return failed_on + SECOND_ROUND_WITHIN


def notify_by(publish_on: date) -> date:
    """The last day to tell parties and known priority purchasers (R-PUB-05)."""
    return publish_on - NOTICE_LEAD


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """Something the platform must show on the day of publication."""

    key: str
    rule: str
    zh: str
    en: str


CHECKLIST: tuple[ChecklistItem, ...] = (
    ChecklistItem("announcement", "R-PUB-03", "拍卖公告", "announcement"),
    ChecklistItem("title", "R-PUB-03", "执行依据（依法不公开的除外）", "enforcement title, unless secret"),
    ChecklistItem("pricing", "R-PUB-03", "评估报告副本或者定价依据", "appraisal report or pricing basis"),
    ChecklistItem("rules", "R-PUB-03", "拍卖时间、起拍价以及竞价规则", "time, start price and bidding rules"),
    ChecklistItem(
        "condition", "R-PUB-03", "权属、占有使用等现状的文字说明、照片或者视频", "title and occupation, with pictures"
    ),
    ChecklistItem(
        "priority", "R-PUB-03", "优先购买权主体以及权利性质", "priority purchasers and nature of their right"
    ),
    ChecklistItem("notices", "R-PUB-03", "通知或者无法通知的情况", "notices made or impossible"),
    ChecklistItem("payment", "R-PUB-03", "价款支付方式和收款账户", "payment methods and accounts"),
    ChecklistItem("taxes", "R-PUB-03", "税费及其承担主体", "taxes and who bears them"),
    ChecklistItem("contact", "R-PUB-03", "执行法院名称及联系方式", "court and its contact"),
    ChecklistItem(
        "capacity", "R-PUB-04", "竞买人应当具备的行为能力和资格条件", "capacity and qualifications of bidders"
    ),
    ChecklistItem("agents", "R-PUB-04", "委托代理须经法院确认", "agents are confirmed by the court beforehand"),
    ChecklistItem("defects", "R-PUB-04", "已知瑕疵和权利负担", "known defects and encumbrances"),
    ChecklistItem("as-is", "R-PUB-04", "以实物现状为准，可实地看样", "sold as it stands, viewing possible"),
    ChecklistItem("acceptance", "R-PUB-04", "竞买即视为对瑕疵的确认", "bidding accepts known and unknown defects"),
    ChecklistItem(
        "identity", "R-PUB-04", "成交确认书载明买受人真实身份", "the confirmation shows the buyer's real name"
    ),
    ChecklistItem("forfeiture", "R-PUB-04", "悔拍后保证金不予退还", "the deposit is lost on default"),
)
"""Disclosure (R-PUB-03) and special warnings (R-PUB-04), in the order of the articles."""


def missing_items(checklist: Collection[str]) -> tuple[ChecklistItem, ...]:
    """The items whose key is not in `checklist`; publication needs an empty answer."""
    return tuple(item for item in CHECKLIST if item.key not in checklist)


class DocumentKind(StrEnum):
    """What a document of a lot is."""

    PICTURE = "picture"
    ANNOUNCEMENT = "announcement"
    APPRAISAL_REPORT = "appraisal_report"
    ENFORCEMENT_TITLE = "enforcement_title"
    OTHER = "other"


class NoticeStatus(StrEnum):
    """How a party or known priority purchaser learned of the sale; only a written waiver counts.

    Somebody unreachable is deemed told five full days after the posting (R-PUB-05), which every period outlasts.
    """

    PENDING = "pending"
    NOTIFIED = "notified"
    WAIVED = "waived"
    UNREACHABLE_POSTED = "unreachable_posted"


@dataclass(frozen=True, slots=True)
class Notice:
    """The notice to one person; `on` is the day it was received, waived or posted."""

    person: str
    status: NoticeStatus
    on: date | None = None

    def settled(self, publish_on: date) -> bool:
        """Whether this notice no longer blocks a publication on `publish_on` (R-PUB-05)."""
        match self.status:
            case NoticeStatus.NOTIFIED:
                return self.on is not None and self.on <= notify_by(publish_on)
            case NoticeStatus.WAIVED | NoticeStatus.UNREACHABLE_POSTED:
                return self.on is not None and self.on <= publish_on
            case NoticeStatus.PENDING:
                return False


def check_checklist(checklist: Collection[str]) -> None:
    """Raise `ChecklistIncomplete` if anything that must be shown is missing (R-PUB-03, R-PUB-04)."""
    if missing := missing_items(checklist):
        raise ChecklistIncomplete(
            missing=[item.key for item in missing],
            items_zh="、".join(item.zh for item in missing),
            items_en=", ".join(item.en for item in missing),
        )


def check_notices(notices: Iterable[Notice], publish_on: date) -> None:
    """Raise `NoticeOutstanding` if somebody who must be told was not, or not early enough (R-PUB-05)."""
    if persons := [notice.person for notice in notices if not notice.settled(publish_on)]:
        raise NoticeOutstanding(persons="、".join(persons), days=NOTICE_LEAD.days)


def check_period(
    round_: Round, *, movable: bool, publish_on: date, starts_on: date, decided: Decided | None = None
) -> None:
    """Raise the round's `PublishedTooLate` if the announcement would not stand its full days (R-PUB-01)."""
    earliest = earliest_start(publish_on, round_, movable=movable, decided=decided)
    if starts_on < earliest:
        period = period_of(round_, decided or {})
        raise period.refusal(days=period.days(movable), earliest_start_on=earliest.isoformat())


def check_second_start(starts_on: date, failed_on: date) -> None:
    """Raise `SecondRoundTooLate` if the second round starts after day 30 (R-FAIL-01)."""
    latest = latest_second_start(failed_on)
    if starts_on > latest:
        raise SecondRoundTooLate(days=SECOND_ROUND_WITHIN.days, latest_start_on=latest.isoformat())


def check_holds(reasons: Collection[str]) -> None:
    """Raise `AssetHeld` while a hold stands on the asset (R-CASE-09)."""
    if reasons:
        raise AssetHeld(reasons="；".join(reasons))


MUST_BE_TOLD = frozenset({"enforcement_applicant", "debtor", "interested_person"})
"""Roles in the case of those whom R-PUB-05 names: the parties, and known priority purchasers, who enter the case as
interested persons (co-owners, tenants, fellow shareholders)."""


def obstacles(checks: Iterable[Callable[[], None]]) -> tuple[Refusal, ...]:
    """Every refusal among `checks`, in their order: what a publication still needs."""
    found = []
    for check in checks:
        try:
            check()
        except Refusal as refusal:
            found.append(refusal)
    return tuple(found)
