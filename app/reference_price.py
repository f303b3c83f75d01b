"""`auction calc reference-price`: appraisal's price with the floor that auction draws from it (R-BID-01)."""

from appraisal.reference_price import schemas
from appraisal.reference_price.schemas import ReferencePriceInput
from auction.lots.bounds import start_floor

__all__ = ["ReferencePriceInput", "calculate"]


def calculate(document: ReferencePriceInput) -> dict[str, object]:
    """The reference price and the lowest start price, in fen; both None if no report counts."""
    return schemas.calculate(document, start_floor)
