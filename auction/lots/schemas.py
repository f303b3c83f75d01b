"""What comes in and goes out about lots: the terms of a draft, and the document of `auction calc prices`."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from auction.lots.bounds import price_chain
from auction.lots.errors import StartPriceTooLow
from auction.lots.rules import Method, Round, Terms
from kernel.decoding import Day, FenIn, LongText, Moment, PositiveFen, ShortText, Unusable, Wire
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
        expected, expected_zh = f"at least {floor} ({refusal.rule})", f"不低于 {floor} 分（{refusal.rule}）"
        raise Malformed("$.round_1_start_fen", expected, expected_zh) from None
    return {**asdict(chain), "rules": ["R-BID-01", "R-BID-03", "R-FAIL-01", "R-SELL-03", "R-GEN-04"]}


class LotTerms(Wire, frozen=True):
    """What the panel decided for one sale; amounts in fen, times with offset (R-GEN-05)."""

    asset_id: UUID
    round: Round
    title: ShortText
    method: Method
    start_price_fen: PositiveFen
    increment_fen: FenIn
    deposit_fen: FenIn
    opens_at: Moment
    scheduled_end: Moment
    balance_due_days: Annotated[int, Meta(ge=0, le=3_650)]
    decision_id: UUID
    previous_lot_id: UUID | None = None
    sale_group_id: UUID | None = None
    """The lots that serve the same debt (R-CLOSE-12)."""

    def __post_init__(self) -> None:
        if (self.method is Method.SELL_OFF) != (self.round is Round.SELL_OFF):
            raise Unusable(
                "method", "`sell_off` exactly where the round is `sell_off`", "变卖轮次用变卖方式，其他轮次不用"
            )
        if self.scheduled_end <= self.opens_at:
            raise Unusable("scheduled_end", "a time after `opens_at`", "晚于开始时间")

    @property
    def terms(self) -> Terms:
        return Terms(
            self.round,
            self.start_price_fen,
            self.increment_fen,
            self.deposit_fen,
            self.scheduled_end - self.opens_at,
            self.balance_due_days,
        )


class LotSaved(msgspec.Struct, frozen=True):
    """A draft as it now stands; `GET /api/lots/{id}` tells what its publication still needs."""

    id: UUID
    case_id: UUID
    round: str
    status: str


class CreditorsAsked(Wire, frozen=True):
    """The creditors were asked whether one takes the thing in satisfaction (R-SELL-01)."""

    on: Day
    proof: LongText
    somebody_takes: bool


class AfterFailureView(msgspec.Struct, frozen=True):
    """What the court owes after a failed second round; `…_late` also while it is overdue."""

    failed_on: str
    ask_creditors_by: str
    asked_on: str | None
    asked_late: bool
    somebody_takes: bool | None
    publish_sell_off_by: str
    sell_off_published_on: str | None
    sell_off_late: bool


class LotRow(msgspec.Struct, frozen=True):
    """One line of a case's lots, for the court."""

    id: UUID
    asset_id: UUID
    previous_lot_id: UUID | None
    sale_group_id: UUID | None
    title: str
    round: str
    method: str
    status: str
    held: bool
    start_price_fen: int
    price_fen: int | None
    opens_at: str | None
    ends_at: str | None
    after_failure: AfterFailureView | None
    """Of a second round that failed."""


class LotRows(msgspec.Struct, frozen=True):
    """All lots of a case, oldest first."""

    lots: tuple[LotRow, ...]
