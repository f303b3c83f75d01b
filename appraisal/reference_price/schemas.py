"""The document of `auction calc reference-price`: strict input, and the output in the words of the format."""

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

from appraisal.reference_price.rules import Objection, Report, assess
from kernel.decoding import Label, PositiveFen, Unusable, Wire
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
            raise Unusable("price_fen", "expected the price of a delivered report")
        corrected = self.objection is Objection.CORRECTED
        if corrected and self.delivered and self.corrected_price_fen is None:
            raise Unusable("corrected_price_fen", "expected the price of a corrected report")
        if not corrected and self.corrected_price_fen is not None:
            raise Unusable("corrected_price_fen", "expected only where the objection is `corrected`")

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
                raise Unusable(f"reports[{index}].platform", "expected each platform only once")
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
