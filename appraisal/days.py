"""Days of the law: calendar days in Beijing, which documents and seizures are dated by."""

from datetime import date, datetime

from kernel.clock import beijing_day
from kernel.errors import Refusal


class DayInFuture(Refusal):
    """A document is dated, or an act said to have been done, on a day that has not come yet."""

    code = "day-in-future"
    zh = "{field_zh}为 {day}，晚于今日（{today}）"
    en = "{field} is {day}, later than today ({today})"


DATED = {
    "fixed_on": "参考价确定日",
    "from_on": "查封、扣押、冻结起始日",
    "made_on": "决定作出日",
    "rank_on": "优先权登记或者设立日",
    "report_on": "报告出具日",
    "sealed_on": "查封日",
    "served_on": "送达日",
}
"""What is dated by a field, in Chinese."""


def require_come(field: str, day: date, now: datetime) -> None:
    """Refuse a `day` after today: what has happened is recorded, not what is planned."""
    today = beijing_day(now)
    if day > today:
        raise DayInFuture(field=field, field_zh=DATED[field], day=day.isoformat(), today=today.isoformat())


def years_after(day: date, years: int) -> date:
    """The same day `years` later; 29 February becomes the 28th where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
