"""Reference price from enquiry reports, its validity, and the fees that depend on the sale (R-REF-06 to 16).

Invariant: every delivered or missing report is either counted or left out with one stated reason, and the
price is the arithmetic mean of the counted ones, rounded half up to the fen.
"""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from appraisal.reference_price.errors import CorrectedPriceMissing, PriceExpired
from kernel.money import Fen, round_half_up

VALIDITY_MONTHS = 12
"""A reference price is valid for at most one year (R-REF-13)."""

SALE_GRACE_MONTHS = 6
"""A sale announced in time may still close this long after the validity ended (R-REF-13)."""


class Objection(StrEnum):
    """What became of the objection to a report; one not yet decided counts as `UPHELD`."""

    NONE = "none"
    DISMISSED = "dismissed"
    CORRECTED = "corrected"
    UPHELD = "upheld"


class Reason(StrEnum):
    """Why a report does not count."""

    NOT_DELIVERED = "not-delivered"
    UPHELD = "upheld"
    OBJECTED = "objected"


@dataclass(frozen=True, slots=True)
class Report:
    """One platform's answer to a network enquiry, or one appraiser's report; amounts in fen.

    `price_fen` is None if nothing was delivered in time.
    """

    platform: str
    price_fen: Fen | None
    objection: Objection = Objection.NONE
    corrected_price_fen: Fen | None = None

    def __post_init__(self) -> None:
        if self.objection is Objection.CORRECTED and self.delivered and self.corrected_price_fen is None:
            raise CorrectedPriceMissing(platform=self.platform)

    @property
    def delivered(self) -> bool:
        return self.price_fen is not None

    @property
    def standing_price_fen(self) -> Fen | None:
        """The figure the report stands by now: the corrected one where it was corrected."""
        return self.corrected_price_fen if self.objection is Objection.CORRECTED else self.price_fen


@dataclass(frozen=True, slots=True)
class Assessment:
    """The reference price in fen (None: no report counts) and the fate of each report, in the order given."""

    price_fen: Fen | None
    included: tuple[str, ...]
    excluded: tuple[tuple[str, Reason], ...]


def assess(reports: Sequence[Report]) -> Assessment:
    """The mean of the reports that count (R-REF-07, R-REF-08).

    Reports nobody objected to stand alone if there are any; only if all delivered ones were objected to do
    the dismissed count at their price and the corrected at their corrected price.
    """
    some_unopposed = any(r.delivered and r.objection is Objection.NONE for r in reports)
    included: list[str] = []
    excluded: list[tuple[str, Reason]] = []
    counted: list[Fen] = []
    for report in reports:
        reason = _why_not(report, some_unopposed)
        if reason is not None:
            excluded.append((report.platform, reason))
        elif (price_fen := report.standing_price_fen) is not None:
            included.append(report.platform)
            counted.append(price_fen)
    mean = round_half_up(Fraction(sum(counted), len(counted))) if counted else None
    return Assessment(mean, tuple(included), tuple(excluded))


def _why_not(report: Report, some_unopposed: bool) -> Reason | None:
    if not report.delivered:
        return Reason.NOT_DELIVERED
    if report.objection is Objection.UPHELD:
        return Reason.UPHELD
    if some_unopposed and report.objection is not Objection.NONE:
        return Reason.OBJECTED
    return None


class NextStep(StrEnum):
    """What follows when the three days of a network enquiry are over."""

    PRICE = "price"
    WAIT = "wait"
    APPRAISAL = "appraisal"


def after_enquiry(answered: int, asked_for_time: int) -> NextStep:
    """R-REF-06: one answer is enough and ends all waiting; without any, those who asked get three more days."""
    if answered:
        return NextStep.PRICE
    return NextStep.WAIT if asked_for_time else NextStep.APPRAISAL


def latest_validity(fixed_on: date) -> date:
    """The last day on which a price fixed on `fixed_on` can be valid (R-REF-13)."""
    return _months_after(fixed_on, VALIDITY_MONTHS)


def sell_by(valid_until: date) -> date:
    """The last day of a sale under a price valid until `valid_until` and announced in time (R-REF-13)."""
    return _months_after(valid_until, SALE_GRACE_MONTHS)


def price_still_good(valid_until: date, first_announced_on: date, sold_on: date | None = None) -> bool:
    """Whether no new price is needed (R-REF-13); without `sold_on` only the announcement is judged."""
    return first_announced_on <= valid_until and (sold_on is None or sold_on <= sell_by(valid_until))


def require_good_price(valid_until: date, first_announced_on: date, sold_on: date | None = None) -> None:
    """Raise `PriceExpired` unless `price_still_good`."""
    if not price_still_good(valid_until, first_announced_on, sold_on):
        raise PriceExpired(valid_until=valid_until.isoformat(), sell_by=sell_by(valid_until).isoformat())


def enquiry_fee_platforms(reports: Sequence[Report], sale_price_fen: Fen) -> tuple[str, ...]:
    """Who is paid for the enquiry: the platform closest to the sale price; those equally close share (R-REF-15)."""
    distances = {
        report.platform: abs(report.standing_price_fen - sale_price_fen)
        for report in reports
        if report.standing_price_fen is not None
    }
    nearest = min(distances.values(), default=None)
    return tuple(platform for platform, distance in distances.items() if distance == nearest)


def appraisal_fee_base(appraisal_fen: Fen, sale_price_fen: Fen) -> Fen:
    """What the appraisal fee is computed on: the sale price where it is below the appraisal (R-REF-16)."""
    return min(appraisal_fen, sale_price_fen)


def _months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day (R-REF-13 counts months)."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, min(day.day, calendar.monthrange(year, month0 + 1)[1]))
