"""The document of `auction calc prices`: strict input, and the output in the words of the format."""

from dataclasses import asdict

from auction.lots.errors import StartPriceTooLow
from auction.lots.rules import price_chain
from kernel.decoding import PositiveFen, Wire
from kernel.errors import Malformed


class PricesInput(Wire, frozen=True):
    """A reference price and, if already decided, the start price of the first round; fen."""

    reference_price_fen: PositiveFen
    round_1_start_fen: PositiveFen | None = None


def calculate(document: PricesInput) -> dict[str, object]:
    """The legal bounds of all rounds, in fen. Raises `Malformed` for a start price below the floor."""
    try:
        chain = price_chain(document.reference_price_fen, document.round_1_start_fen)
    except StartPriceTooLow as refusal:
        floor = refusal.facts["floor_fen"]
        raise Malformed(path="$.round_1_start_fen", expected=f"expected at least {floor} ({refusal.rule})") from None
    return {**asdict(chain), "rules": ["R-BID-01", "R-BID-03", "R-FAIL-01", "R-SELL-03", "R-GEN-04"]}
