"""Wire structs of completion: the sale, its confirmation, costs, fee, and the use of a forfeited deposit."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from appraisal.api import ServiceMethod
from kernel.decoding import Day, FenIn, LongText, PositiveFen, ShortText, Wire
from settlement.bank.schemas import AccountNumberIn


class RuleSale(Wire, frozen=True):
    """The sale ruling (成交裁定) by the panel's decision."""

    decision_id: UUID


class ServeRuling(Wire, frozen=True):
    """The ruling was served on the buyer: title passes on that day."""

    served_on: Day
    method: ServiceMethod
    proof: ShortText


class HandOver(Wire, frozen=True):
    """The thing was handed over to the buyer."""

    on: Day
    note: LongText


class DeclareDefault(Wire, frozen=True):
    """The panel's decision that the buyer has defaulted (悔拍)."""

    decision_id: UUID


class DefaultDeclared(msgspec.Struct, frozen=True):
    """The resale that follows is a draft, which the court completes and publishes."""

    lot_id: UUID
    forfeited_fen: int
    resale_lot_id: UUID


class OrderShortfall(Wire, frozen=True):
    """The court's order that the defaulting buyer makes good what the deposit left uncovered (R-CLOSE-09)."""

    amount_fen: PositiveFen
    due_on: Day
    decision_id: UUID


class SetPriceOff(Wire, frozen=True):
    """The panel's decision that the price is set off against the buyer's own claim."""

    decision_id: UUID


class SaleView(msgspec.Struct, frozen=True):
    """A sale as its buyer and the court see it. Price = received + missing + what is set off, while the sale stands."""

    lot_id: UUID
    case_id: UUID
    code: str
    buyer_name: str
    price_fen: int
    deposit_fen: int
    set_off_fen: int
    received_fen: int
    missing_fen: int
    account_no: str
    state: str
    ended_at: str
    balance_due_at: str
    overdue: bool
    paid_at: str | None
    ruling_due_on: str | None
    served_on: str | None
    handover_due_on: str | None
    handed_over_on: str | None
    defaulted_at: str | None
    annulled_at: str | None
    annulment_ground: str | None
    resale_lot_id: UUID | None


class Confirmation(msgspec.Struct, frozen=True):
    """The confirmation of the sale (成交确认书), public, with the buyer's real name and no identity number."""

    lot_id: UUID
    title: str
    court_name: str
    case_no: str
    buyer_name: str
    code: str
    price_fen: int
    ended_at: str
    balance_due_at: str
    state: str
    text: str


class CaseNumber(msgspec.Struct, frozen=True):
    """The account number of one case and debtor (一案一账号): what is paid on it is case money."""

    case_id: UUID
    debtor: str
    account_no: str


class PayeeIn(Wire, frozen=True):
    """To whom a cost is paid."""

    holder: ShortText
    number: AccountNumberIn
    bank: Annotated[str, msgspec.Meta(max_length=200)] = ""


class AddCost(Wire, frozen=True):
    """A cost of the case; with `lot_id` it comes off the proceeds of that lot's asset."""

    kind: Literal["sale_cost", "sale_taxes", "rent_carve_out"]
    name: ShortText
    amount_fen: PositiveFen
    payee: PayeeIn
    document: ShortText
    lot_id: UUID | None = None


class CostView(msgspec.Struct, frozen=True):
    """One cost line of a case."""

    id: UUID
    kind: str
    name: str
    amount_fen: int
    payee: str
    lot_id: UUID | None
    document: str


class FeeView(msgspec.Struct, frozen=True):
    """The enforcement fee (执行申请费): as computed by the brackets, and as the court set it."""

    case_id: UUID
    base_fen: int
    computed_fen: int
    set_fen: int
    reason: str
    decision_id: UUID


class CaseCosts(msgspec.Struct, frozen=True):
    """All costs of a case in order of registration, the enforcement fee last."""

    case_id: UUID
    costs: tuple[CostView, ...]
    fee: FeeView | None
    total_fen: int


class Coverage(msgspec.Struct, frozen=True):
    """Whether the case's sales cover debt and costs: then `to_stop` end unless the debtor agrees (R-CLOSE-12)."""

    case_id: UUID
    sold_fen: int
    debt_fen: int
    costs_fen: int
    covered: bool
    surplus_fen: int
    to_stop: tuple[UUID, ...]
    rule: str


class SetFee(Wire, frozen=True):
    """The fee the court sets, and why it differs (or not) from the computed one."""

    set_fen: FenIn
    reason: ShortText
    decision_id: UUID


class NameRelatedDebt(Wire, frozen=True):
    """A debt of the debtor connected with the property, to be paid by what three steps leave of a forfeited deposit."""

    name: ShortText
    amount_fen: PositiveFen
    payee: PayeeIn
    document: ShortText
    decision_id: UUID


class RelatedDebtView(msgspec.Struct, frozen=True):
    """A connected debt that the panel named; `covered_fen` is what the deposit brought in for it."""

    id: UUID
    name: str
    payee: str
    amount_fen: int
    covered_fen: int
    document: str


class DefaultUseView(msgspec.Struct, frozen=True):
    """How one forfeited deposit is used. `uncovered_fen` is shown and charged by an order alone (R-CLOSE-09).

    Before the resale is paid and served the steps are zero and the whole deposit is pending. What was paid under an
    order is taken off `uncovered_fen`; `ordered_fen` is null without one.
    """

    lot_id: UUID
    resale_lot_id: UUID
    settled: bool
    first_price_fen: int
    resale_price_fen: int | None
    forfeited_fen: int
    costs_fen: int
    shortfall_fen: int | None
    to_costs_fen: int
    to_shortfall_fen: int
    to_case_debt_fen: int
    to_related_debt_fen: int
    pending_decision_fen: int
    uncovered_fen: int | None
    ordered_fen: int | None
    ordered_until: str | None
    order_decision_id: UUID | None
    made_good_fen: int
    related_debts: tuple[RelatedDebtView, ...]
    rules: tuple[str, ...]


class DefaultUses(msgspec.Struct, frozen=True):
    """The defaults of a case, first hammer first."""

    case_id: UUID
    defaults: tuple[DefaultUseView, ...]
