"""Publication: worked case W-03, the checklist, and notices at the edge of their days."""

from datetime import date, timedelta

import pytest

from auction.announcements.errors import (
    ChecklistIncomplete,
    NoticeOutstanding,
    PublishedTooLate,
    SecondRoundPublishedTooLate,
    SecondRoundTooLate,
    SellOffPublishedTooLate,
)
from auction.announcements.rules import (
    CHECKLIST,
    ChecklistItem,
    Notice,
    NoticeStatus,
    check_checklist,
    check_notices,
    check_period,
    check_second_start,
    earliest_start,
    latest_second_start,
    missing_items,
    notify_by,
)
from auction.lots.rules import Round, ask_creditors_by, publish_sell_off_by

PUBLISHED = date(2025, 3, 3)
ALL_ITEMS = frozenset(item.key for item in CHECKLIST)
ONE_DAY = timedelta(days=1)


def test_w03_first_round() -> None:
    assert notify_by(PUBLISHED) == date(2025, 2, 28)
    assert earliest_start(PUBLISHED, Round.ROUND_1, movable=False) == date(2025, 4, 2)
    assert earliest_start(PUBLISHED, Round.ROUND_1, movable=True) == date(2025, 3, 18)


def test_w03_second_round() -> None:
    latest = latest_second_start(date(2025, 4, 9))
    assert latest == date(2025, 5, 9)
    assert earliest_start(date(2025, 4, 24), Round.ROUND_2, movable=False) == latest
    assert earliest_start(date(2025, 5, 2), Round.ROUND_2, movable=True) == latest


def test_w18_sell_off() -> None:
    failed = date(2025, 5, 12)
    assert ask_creditors_by(failed) == date(2025, 5, 22)
    assert publish_sell_off_by(failed) == date(2025, 5, 27)
    assert earliest_start(date(2025, 5, 27), Round.SELL_OFF, movable=False) == date(2025, 6, 11)


@pytest.mark.parametrize(("movable", "first", "second"), [(True, 15, 7), (False, 30, 15)])
def test_a_panel_may_announce_a_resale_as_a_second_round(movable: bool, first: int, second: int) -> None:
    as_second = {"resale_announcement": "as_second_round"}
    for round_, decided, days in (
        (Round.RESALE, {}, first),
        (Round.RESALE, as_second, second),
        (Round.RESALE, {"resale_announcement": "at once"}, first),
        (Round.ROUND_1, as_second, first),
    ):
        starts_on = PUBLISHED + timedelta(days=days)
        assert earliest_start(PUBLISHED, round_, movable=movable, decided=decided) == starts_on
        check_period(round_, movable=movable, publish_on=PUBLISHED, starts_on=starts_on, decided=decided)
        with pytest.raises(PublishedTooLate) as refused:
            too_early = starts_on - timedelta(days=1)
            check_period(round_, movable=movable, publish_on=PUBLISHED, starts_on=too_early, decided=decided)
        assert refused.value.facts["days"] == days


@pytest.mark.parametrize(
    ("round_", "movable", "first_day", "refusal"),
    [
        (Round.ROUND_1, False, date(2025, 4, 2), PublishedTooLate),
        (Round.ROUND_1, True, date(2025, 3, 18), PublishedTooLate),
        (Round.RESALE, False, date(2025, 4, 2), PublishedTooLate),
        (Round.ROUND_2, False, date(2025, 3, 18), SecondRoundPublishedTooLate),
        (Round.ROUND_2, True, date(2025, 3, 10), SecondRoundPublishedTooLate),
        (Round.SELL_OFF, False, date(2025, 3, 18), SellOffPublishedTooLate),
    ],
)
def test_the_public_gets_its_full_days(
    round_: Round, movable: bool, first_day: date, refusal: type[PublishedTooLate]
) -> None:
    check_period(round_, movable=movable, publish_on=PUBLISHED, starts_on=first_day)
    with pytest.raises(refusal) as caught:
        check_period(round_, movable=movable, publish_on=PUBLISHED, starts_on=first_day - ONE_DAY)
    assert caught.value.facts["earliest_start_on"] == first_day.isoformat()


def test_the_second_round_starts_by_day_30() -> None:
    check_second_start(PUBLISHED + 30 * ONE_DAY, PUBLISHED)
    with pytest.raises(SecondRoundTooLate) as caught:
        check_second_start(PUBLISHED + 31 * ONE_DAY, PUBLISHED)
    assert caught.value.facts["latest_start_on"] == "2025-04-02"


@pytest.mark.parametrize("item", CHECKLIST, ids=lambda item: item.key)
def test_every_item_is_required(item: ChecklistItem) -> None:
    assert missing_items(ALL_ITEMS - {item.key}) == (item,)
    with pytest.raises(ChecklistIncomplete) as caught:
        check_checklist(ALL_ITEMS - {item.key})
    assert caught.value.facts["missing"] == [item.key]
    assert item.zh in caught.value.detail
    assert item.en in caught.value.detail_en


def test_the_checklist_has_both_articles_and_distinct_keys() -> None:
    assert missing_items(ALL_ITEMS) == ()
    assert missing_items(()) == CHECKLIST
    assert len(ALL_ITEMS) == len(CHECKLIST)
    assert [item.rule for item in CHECKLIST].count("R-PUB-04") == 7


@pytest.mark.parametrize(
    ("status", "on", "settled"),
    [
        (NoticeStatus.NOTIFIED, date(2025, 2, 28), True),
        (NoticeStatus.NOTIFIED, date(2025, 3, 1), False),
        (NoticeStatus.NOTIFIED, None, False),
        (NoticeStatus.WAIVED, PUBLISHED, True),
        (NoticeStatus.WAIVED, PUBLISHED + ONE_DAY, False),
        (NoticeStatus.UNREACHABLE_POSTED, PUBLISHED, True),
        (NoticeStatus.UNREACHABLE_POSTED, None, False),
        (NoticeStatus.PENDING, date(2025, 1, 1), False),
    ],
)
def test_notices_block_until_settled(status: NoticeStatus, on: date | None, settled: bool) -> None:
    notices = (Notice("甲", NoticeStatus.WAIVED, PUBLISHED), Notice("乙", status, on))
    if settled:
        return check_notices(notices, PUBLISHED)
    with pytest.raises(NoticeOutstanding) as caught:
        check_notices(notices, PUBLISHED)
    assert caught.value.facts["persons"] == "乙"
