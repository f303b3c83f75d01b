"""Wire structs of the reference price, and the document of `auction calc reference-price` in the format's words."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from appraisal.reference_price.rules import (
    AppraisalReport,
    DatedReport,
    Method,
    Objection,
    Reason,
    ReferencePrice,
    Report,
    assess,
    sell_by,
)
from kernel.decoding import Day, Label, PositiveFen, ShortText, Unusable, Wire
from kernel.money import Fen


class ReportInput(Wire, frozen=True):
    """One platform's report; amounts in fen."""

    platform: Label
    delivered: bool
    objection: Objection
    price_fen: PositiveFen | None = None
    corrected_price_fen: PositiveFen | None = None

    def __post_init__(self) -> None:
        if self.delivered and self.price_fen is None:
            raise Unusable("price_fen", "the price of a delivered report", "已提交报告的价格")
        corrected = self.objection is Objection.CORRECTED
        if corrected and self.delivered and self.corrected_price_fen is None:
            raise Unusable("corrected_price_fen", "the price of a corrected report", "补正后报告的价格")
        if not corrected and self.corrected_price_fen is not None:
            raise Unusable(
                "corrected_price_fen", "nothing unless the objection is `corrected`", "异议结果为补正时方可填写"
            )

    def report(self) -> Report:
        price_fen = self.price_fen if self.delivered else None
        return Report(self.platform, price_fen, self.objection, self.corrected_price_fen)


class ReferencePriceInput(Wire, frozen=True):
    """All reports of one enquiry."""

    reports: Annotated[list[ReportInput], Meta(max_length=1_000)]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for index, report in enumerate(self.reports):
            if report.platform in seen:
                raise Unusable(f"reports[{index}].platform", "each platform only once", "每个平台只出现一次")
            seen.add(report.platform)


def calculate(document: ReferencePriceInput, floor: Callable[[Fen], Fen]) -> dict[str, object]:
    """The reference price in fen with the fate of each report (R-REF-07, R-REF-08), and the lowest start
    price that `floor` draws from it; both None if no report counts."""
    assessment = assess([report.report() for report in document.reports])
    price_fen = assessment.price_fen
    return {
        "reference_price_fen": price_fen,
        "included": assessment.included,
        "excluded": [{"platform": name, "reason": reason.value} for name, reason in assessment.excluded],
        "floor_fen": None if price_fen is None else floor(price_fen),
        "rules": ["R-REF-07", "R-REF-08", "R-BID-01", "R-GEN-04"],
    }


class RecordReport(Wire, frozen=True):
    """A platform's answer to the network enquiry; one that did not answer in time has neither price nor day."""

    platform: Label
    delivered: bool
    price_fen: PositiveFen | None = None
    report_on: Day | None = None

    def __post_init__(self) -> None:
        if self.delivered and self.price_fen is None:
            raise Unusable("price_fen", "the price of a delivered report", "已提交报告的价格")
        if self.delivered and self.report_on is None:
            raise Unusable("report_on", "the day of a delivered report", "已提交报告的出具日期")
        if not self.delivered and self.price_fen is not None:
            raise Unusable("price_fen", "nothing unless the report was delivered in time", "按期提交的报告方可填写")


class DecideObjection(Wire, frozen=True):
    """What became of the objection to a report."""

    objection: Objection
    corrected_price_fen: PositiveFen | None = None

    def __post_init__(self) -> None:
        if self.objection is Objection.NONE:
            raise Unusable(
                "objection", "what became of it: dismissed, corrected or upheld", "异议的处理结果：驳回、补正或者成立"
            )
        if (self.objection is Objection.CORRECTED) != (self.corrected_price_fen is not None):
            raise Unusable(
                "corrected_price_fen",
                "a price of a corrected report, and of no other",
                "报告经补正的须填写，否则不得填写",
            )


class RecordAppraisal(Wire, frozen=True):
    """An institution's appraisal with its price in fen."""

    institution: ShortText
    price_fen: PositiveFen
    report_on: Day
    valid_until: Day

    def __post_init__(self) -> None:
        if self.valid_until < self.report_on:
            raise Unusable("valid_until", "a day not before `report_on`", "不早于报告出具日的日期")


STATED = frozenset({Method.PARTY_AGREEMENT, Method.DIRECTED_ENQUIRY})
"""Methods whose price comes with the command; that of the others is computed from what was recorded."""


class FixPrice(Wire, frozen=True):
    """Fix the reference price by one method; `price_fen` only where parties or an authority state it."""

    method: Method
    fixed_on: Day
    price_fen: PositiveFen | None = None

    def __post_init__(self) -> None:
        if (self.method in STATED) != (self.price_fen is not None):
            raise Unusable(
                "price_fen",
                "a price for party_agreement and directed_enquiry, and only for them",
                "当事人议价、定向询价须填写，其他方式不得填写",
            )


class ReportView(msgspec.Struct, frozen=True):
    platform: str
    delivered: bool
    price_fen: int | None
    report_on: str | None
    objection: Objection
    corrected_price_fen: int | None


class AppraisalView(msgspec.Struct, frozen=True):
    institution: str
    price_fen: int
    report_on: str
    valid_until: str


class ExcludedView(msgspec.Struct, frozen=True):
    platform: str
    reason: Reason


class ReferencePriceView(msgspec.Struct, frozen=True):
    """`valid_until` is the last day of the first announcement, `sell_by` of a sale announced in time (R-REF-13)."""

    asset_id: UUID
    price_fen: int
    method: Method
    fixed_on: str
    valid_until: str
    sell_by: str
    included: tuple[str, ...]
    excluded: tuple[ExcludedView, ...]
    rules: tuple[str, ...]


class PricingView(msgspec.Struct, frozen=True):
    """The price that was fixed last, if any, and what is recorded for the one to come or that it rests on."""

    price: ReferencePriceView | None
    reports: tuple[ReportView, ...]
    appraisals: tuple[AppraisalView, ...]


RULES = {
    Method.PARTY_AGREEMENT: ("R-REF-03", "R-REF-13"),
    Method.DIRECTED_ENQUIRY: ("R-REF-04", "R-REF-13"),
    Method.NETWORK_ENQUIRY: ("R-REF-07", "R-REF-08", "R-REF-13"),
    Method.APPRAISAL: ("R-REF-10", "R-REF-13"),
}


def report_view(dated: DatedReport) -> ReportView:
    report = dated.report
    return ReportView(
        platform=report.platform,
        delivered=report.delivered,
        price_fen=report.price_fen,
        report_on=dated.report_on.isoformat() if dated.report_on else None,
        objection=report.objection,
        corrected_price_fen=report.corrected_price_fen,
    )


def appraisal_view(appraisal: AppraisalReport) -> AppraisalView:
    return AppraisalView(
        institution=appraisal.institution,
        price_fen=appraisal.price_fen,
        report_on=appraisal.report_on.isoformat(),
        valid_until=appraisal.valid_until.isoformat(),
    )


def price_view(price: ReferencePrice) -> ReferencePriceView:
    return ReferencePriceView(
        asset_id=price.asset_id,
        price_fen=price.price_fen,
        method=price.method,
        fixed_on=price.fixed_on.isoformat(),
        valid_until=price.valid_until.isoformat(),
        sell_by=sell_by(price.valid_until).isoformat(),
        included=price.included,
        excluded=tuple(ExcludedView(platform, reason) for platform, reason in price.excluded),
        rules=RULES[price.method],
    )
