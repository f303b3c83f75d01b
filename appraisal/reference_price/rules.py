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
from uuid import UUID

from appraisal.reference_price.errors import (
    BasisExpired,
    BasisTooYoung,
    CorrectedPriceMissing,
    NoPriceBasis,
    NothingToObject,
    ObjectionDecided,
    PriceExpired,
    PriceFixed,
    ValidityTooLong,
)
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


class Method(StrEnum):
    """How a reference price was found, in the order in which they are tried (R-REF-02)."""

    PARTY_AGREEMENT = "party_agreement"
    DIRECTED_ENQUIRY = "directed_enquiry"
    NETWORK_ENQUIRY = "network_enquiry"
    APPRAISAL = "appraisal"


@dataclass(frozen=True, slots=True)
class DatedReport:
    """A platform's report with its day; one that was not delivered in time has none."""

    report: Report
    report_on: date | None


@dataclass(frozen=True, slots=True)
class AppraisalReport:
    """An institution's appraisal (评估报告) with the validity it states; `price_fen` in fen."""

    institution: str
    price_fen: Fen
    report_on: date
    valid_until: date

    def __post_init__(self) -> None:
        longest = latest_validity(self.report_on)
        if self.valid_until > longest:
            raise ValidityTooLong(longest_until=longest.isoformat())


@dataclass(frozen=True, slots=True)
class Basis:
    """What a reference price rests on: a figure in fen, the last day it was found on, and how long it is valid."""

    price_fen: Fen
    found_on: date
    valid_until: date
    assessment: Assessment | None = None


@dataclass(frozen=True, slots=True)
class ReferencePrice:
    """A fixed reference price (参考价) in fen; of a network enquiry also which reports counted, and why others not."""

    asset_id: UUID
    price_fen: Fen
    method: Method
    fixed_on: date
    valid_until: date
    included: tuple[str, ...] = ()
    excluded: tuple[tuple[str, Reason], ...] = ()


def object_to(dated: DatedReport, objection: Objection, corrected_price_fen: Fen | None) -> DatedReport:
    """The report with the outcome of the one objection to it (R-REF-08, R-REF-12)."""
    report = dated.report
    if not report.delivered:
        raise NothingToObject(platform=report.platform)
    if report.objection is not Objection.NONE:
        raise ObjectionDecided(platform=report.platform)
    return DatedReport(Report(report.platform, report.price_fen, objection, corrected_price_fen), dated.report_on)


def enquiry_basis(reports: Sequence[DatedReport]) -> Basis:
    """The mean of the reports that count (R-REF-07, R-REF-08), valid for a year from the oldest of them (R-REF-13)."""
    assessment = assess([dated.report for dated in reports])
    days = [dated.report_on for dated in reports if dated.report.platform in assessment.included and dated.report_on]
    if assessment.price_fen is None or not days:
        raise NoPriceBasis()
    return Basis(assessment.price_fen, max(days), latest_validity(min(days)), assessment)


def appraisal_basis(appraisals: Sequence[AppraisalReport]) -> Basis:
    """The appraisal recorded last: a corrected or re-issued one takes the place of those before (R-REF-10)."""
    if not appraisals:
        raise NoPriceBasis()
    last = appraisals[-1]
    return Basis(last.price_fen, last.report_on, last.valid_until)


def stated_basis(price_fen: Fen, fixed_on: date) -> Basis:
    """A figure the parties agreed on or an authority answered (R-REF-03, R-REF-04)."""
    return Basis(price_fen, fixed_on, latest_validity(fixed_on))


def require_unfixed(standing: ReferencePrice | None, today: date) -> None:
    """Refuse while a price stands and is valid: neither it nor what it rests on is changed (R-REF-13)."""
    if standing is not None and today <= standing.valid_until:
        raise PriceFixed(valid_until=standing.valid_until.isoformat())


def fix(asset_id: UUID, method: Method, basis: Basis, fixed_on: date) -> ReferencePrice:
    """The reference price fixed on a day, if its basis was found by then and is still valid."""
    if fixed_on < basis.found_on:
        raise BasisTooYoung(fixed_on=fixed_on.isoformat(), report_on=basis.found_on.isoformat())
    if fixed_on > basis.valid_until:
        raise BasisExpired(valid_until=basis.valid_until.isoformat())
    counted = basis.assessment
    return ReferencePrice(
        asset_id=asset_id,
        price_fen=basis.price_fen,
        method=method,
        fixed_on=fixed_on,
        valid_until=basis.valid_until,
        included=counted.included if counted else (),
        excluded=counted.excluded if counted else (),
    )


def _months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day (R-REF-13 counts months)."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, min(day.day, calendar.monthrange(year, month0 + 1)[1]))
