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
    check_period,
    check_publication,
    deemed_notified_on,
    earliest_start,
    latest_second_start,
    missing_items,
    notify_by,
    publish_second_by,
)
from auction.lots.rules import Round, ask_creditors_by, publish_sell_off_by

PUBLISHED = date(2025, 3, 3)
ALL_ITEMS = frozenset(item.key for item in CHECKLIST)
ONE_DAY = timedelta(days=1)


def publish(
    round_: Round = Round.ROUND_1,
    *,
    movable: bool = False,
    starts_on: date = date(2025, 4, 2),
    checklist: frozenset[str] = ALL_ITEMS,
    notices: tuple[Notice, ...] = (),
    previous_failed_on: date | None = None,
) -> None:
    check_publication(
        round_,
        movable=movable,
        publish_on=PUBLISHED,
        starts_on=starts_on,
        checklist=checklist,
        notices=notices,
        previous_failed_on=previous_failed_on,
    )


def test_w03_first_round() -> None:
    assert notify_by(PUBLISHED) == date(2025, 2, 28)
    assert earliest_start(PUBLISHED, Round.ROUND_1, movable=False) == date(2025, 4, 2)
    assert earliest_start(PUBLISHED, Round.ROUND_1, movable=True) == date(2025, 3, 18)
    assert deemed_notified_on(PUBLISHED) == date(2025, 3, 8)


def test_w03_second_round() -> None:
    failed = date(2025, 4, 9)
    assert latest_second_start(failed) == date(2025, 5, 9)
    assert publish_second_by(failed, movable=False) == date(2025, 4, 24)
    assert publish_second_by(failed, movable=True) == date(2025, 5, 2)


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
    publish(round_, movable=movable, starts_on=first_day, previous_failed_on=PUBLISHED)
    with pytest.raises(refusal) as caught:
        publish(round_, movable=movable, starts_on=first_day - ONE_DAY, previous_failed_on=PUBLISHED)
    assert caught.value.facts["earliest_start_on"] == first_day.isoformat()


def test_the_second_round_starts_by_day_30() -> None:
    publish(Round.ROUND_2, starts_on=PUBLISHED + 15 * ONE_DAY, previous_failed_on=PUBLISHED - 15 * ONE_DAY)
    with pytest.raises(SecondRoundTooLate) as caught:
        publish(Round.ROUND_2, starts_on=PUBLISHED + 15 * ONE_DAY, previous_failed_on=PUBLISHED - 16 * ONE_DAY)
    assert caught.value.facts["latest_start_on"] == "2025-03-17"
    with pytest.raises(ValueError, match="whose day must be given"):
        publish(Round.ROUND_2, starts_on=PUBLISHED + 15 * ONE_DAY)


@pytest.mark.parametrize("item", CHECKLIST, ids=lambda item: item.key)
def test_every_item_is_required(item: ChecklistItem) -> None:
    assert missing_items(ALL_ITEMS - {item.key}) == (item,)
    with pytest.raises(ChecklistIncomplete) as caught:
        publish(checklist=ALL_ITEMS - {item.key})
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
        publish(notices=notices)
        return
    with pytest.raises(NoticeOutstanding) as caught:
        publish(notices=notices)
    assert caught.value.facts["persons"] == "乙"
