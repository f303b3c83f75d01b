"""Days of the law: calendar days in Beijing, which documents and seizures are dated by."""

from datetime import date, datetime

from kernel.clock import beijing_day
from kernel.errors import Refusal


class DayInFuture(Refusal):
    """A document is dated, or an act said to have been done, on a day that has not come yet."""

    code = "day-in-future"
    zh = "{field} 为 {day}，晚于今日（{today}）"
    en = "{field} is {day}, later than today ({today})"


def require_come(field: str, day: date, now: datetime) -> None:
    """Refuse a `day` after today: what has happened is recorded, not what is planned."""
    today = beijing_day(now)
    if day > today:
        raise DayInFuture(field=field, day=day.isoformat(), today=today.isoformat())


def years_after(day: date, years: int) -> date:
    """The same day `years` later; 29 February becomes the 28th where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
