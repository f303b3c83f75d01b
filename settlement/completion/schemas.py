"""The documents of `auction calc fee` and `auction calc default`, in the words of the formats."""

from dataclasses import asdict

from msgspec.structs import asdict as fields

from kernel.decoding import FenIn, Wire
from settlement.completion.rules import Default, enforcement_fee, use_forfeited_deposit


class FeeInput(Wire, frozen=True):
    """The amount the fee is computed on; fen."""

    amount_fen: FenIn


def calculate_fee(document: FeeInput) -> dict[str, object]:
    """The enforcement fee in fen (R-COST-01)."""
    return {"fee_fen": enforcement_fee(document.amount_fen), "rules": ["R-COST-01", "R-GEN-04"]}


class DefaultInput(Wire, frozen=True):
    """A default with its resale and the debts still open; fen."""

    first_price_fen: FenIn
    deposit_fen: FenIn
    costs_fen: FenIn
    resale_price_fen: FenIn
    case_debt_open_fen: FenIn
    related_debt_open_fen: FenIn


def calculate_default(document: DefaultInput) -> dict[str, object]:
    """The use of the forfeited deposit in fen (R-CLOSE-08 to 10)."""
    use = use_forfeited_deposit(Default(**fields(document)))
    return {**asdict(use), "rules": ["R-CLOSE-08", "R-CLOSE-09", "R-CLOSE-10"]}
