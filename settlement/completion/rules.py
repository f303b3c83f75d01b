"""The road of a sale, the enforcement fee (R-COST-01), the four steps of a forfeited deposit (R-CLOSE-04 to 10).

Invariant: every fen of a forfeited deposit lands in exactly one step or stays pending decision; none goes
back to the defaulting buyer, and none is asked of that buyer beyond the deposit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from kernel.calendar import due_on
from kernel.clock import BEIJING, beijing_day, day_begins
from kernel.money import Fen, round_half_up
from settlement.completion.errors import (
    ApprovalMissing,
    BalanceNotOverdue,
    BalanceOverdue,
    DayPassed,
    NothingToSetOff,
    PurchaseProofGap,
    PurchaseUnproved,
    SaleNotThere,
    SetOffUndecided,
    ShortfallExceeded,
    ShortfallOrdered,
    ShortfallUnknown,
    WrongDay,
)

_YUAN = 100
LOWEST_FEE_FEN = Fen(50 * _YUAN)
"""The fee of an amount up to 10,000 yuan (R-COST-01)."""

FEE_BRACKETS: tuple[tuple[int, int | None, Fraction], ...] = (
    (10_000 * _YUAN, 500_000 * _YUAN, Fraction(15, 1000)),
    (500_000 * _YUAN, 5_000_000 * _YUAN, Fraction(10, 1000)),
    (5_000_000 * _YUAN, 10_000_000 * _YUAN, Fraction(5, 1000)),
    (10_000_000 * _YUAN, None, Fraction(1, 1000)),
)
"""Edges in fen and rate of the part between them, on top of the lowest fee (R-COST-01)."""


def enforcement_fee(amount_fen: Fen) -> Fen:
    """The enforcement fee on an enforced amount, cumulative, rounded half up to the fen (R-COST-01)."""
    exact = Fraction(LOWEST_FEE_FEN)
    for lower, upper, rate in FEE_BRACKETS:
        top = amount_fen if upper is None else min(amount_fen, upper)
        exact += max(0, top - lower) * rate
    return round_half_up(exact)


@dataclass(frozen=True, slots=True)
class Default:
    """A default (悔拍) and what depends on it; fen.

    `case_debt_open_fen` is what stays open in the case after the resale money and the shortfall money,
    `related_debt_open_fen` the debtor's other debts that are connected with the property.
    """

    first_price_fen: Fen
    deposit_fen: Fen
    costs_fen: Fen
    resale_price_fen: Fen
    case_debt_open_fen: Fen
    related_debt_open_fen: Fen

    @property
    def shortfall_fen(self) -> Fen:
        """What the resale brought less than the first sale; never negative."""
        return Fen(max(0, self.first_price_fen - self.resale_price_fen))


@dataclass(frozen=True, slots=True)
class ForfeitedDeposit:
    """Where a forfeited deposit goes, step by step; the first five amounts sum to the deposit; fen.

    `uncovered_fen` is what costs and shortfall leave open. It is shown and never charged without a court
    order, since whether the buyer owes it is disputed (R-CLOSE-09).
    """

    to_costs_fen: Fen
    to_shortfall_fen: Fen
    to_case_debt_fen: Fen
    to_related_debt_fen: Fen
    pending_decision_fen: Fen
    uncovered_fen: Fen


STEPS = ("to_costs_fen", "to_shortfall_fen", "to_case_debt_fen", "to_related_debt_fen")
"""The four steps of R-CLOSE-08, each booked separately."""


def use_forfeited_deposit(default: Default) -> ForfeitedDeposit:
    """Wasted costs, then the shortfall, then the case's debt, then connected debts (R-CLOSE-08).

    What is left after all four stays pending decision: who gets it is unsettled (R-CLOSE-10).
    """
    steps = (
        default.costs_fen,
        default.shortfall_fen,
        default.case_debt_open_fen,
        default.related_debt_open_fen,
    )
    left, used = default.deposit_fen, []
    for wanted in steps:
        taken = Fen(min(left, wanted))
        used.append(taken)
        left = Fen(left - taken)
    to_costs, to_shortfall, to_case_debt, to_related_debt = used
    return ForfeitedDeposit(
        to_costs_fen=to_costs,
        to_shortfall_fen=to_shortfall,
        to_case_debt_fen=to_case_debt,
        to_related_debt_fen=to_related_debt,
        pending_decision_fen=left,
        uncovered_fen=Fen(default.costs_fen + default.shortfall_fen - to_costs - to_shortfall),
    )


def divide_in_order(money_fen: int, owed_fen: Sequence[int]) -> list[Fen]:
    """So much money over debts in the order in which they were named, each in full before the next."""
    parts: list[Fen] = []
    for owed in owed_fen:
        parts.append(Fen(min(owed, money_fen)))
        money_fen -= parts[-1]
    return parts


RULING_DAYS = 10
"""The ruling is served within these days of full payment (R-CLOSE-05)."""

HANDOVER_DAYS = 15
"""The thing is handed over within these days of service (R-CLOSE-06)."""


class SaleState(StrEnum):
    """Where a sale stands; title passes at `served` (R-CLOSE-05)."""

    AWAITING_BALANCE = "awaiting_balance"
    PAID = "paid"
    RULED = "ruled"
    SERVED = "served"
    HANDED_OVER = "handed_over"
    DEFAULTED = "defaulted"
    ANNULLED = "annulled"


SALE_STATE_ZH = {
    SaleState.AWAITING_BALANCE: "待付尾款",
    SaleState.PAID: "价款已付清",
    SaleState.RULED: "已作出成交裁定",
    SaleState.SERVED: "成交裁定已送达",
    SaleState.HANDED_OVER: "已交付",
    SaleState.DEFAULTED: "已认定悔拍",
    SaleState.ANNULLED: "已撤销",
}

SERVED = frozenset({SaleState.SERVED, SaleState.HANDED_OVER})
"""Title has passed, the price is in the case account."""


class CostKind(StrEnum):
    """What comes off the proceeds before any creditor (R-COST-01 to 05, R-SEAL-12).

    `related_debt` is no cost: it is what the fourth step of a forfeited deposit brought in for one debt connected with
    the property, and goes to that debt alone (R-CLOSE-08).
    """

    SALE_COST = "sale_cost"
    SALE_TAXES = "sale_taxes"
    RENT_CARVE_OUT = "rent_carve_out"
    ENFORCEMENT_FEE = "enforcement_fee"
    RELATED_DEBT = "related_debt"


REGISTERED_COSTS = (CostKind.SALE_COST, CostKind.SALE_TAXES, CostKind.RENT_CARVE_OUT)
"""What officers register; the others follow from decisions."""


def balance_due_at(ended_at: datetime, days: int) -> datetime:
    """The first moment that is too late: midnight in Beijing after the last day to pay (R-CLOSE-04).

    The announcement sets the days; they are no procedural period, so a last day off does not move.
    """
    return day_begins(beijing_day(ended_at) + timedelta(days=days + 1))


def ruling_due_on(paid_at: datetime) -> date:
    """The last day to serve the ruling (R-CLOSE-05, R-GEN-03)."""
    return due_on(beijing_day(paid_at), RULING_DAYS).on


def handover_due_on(served_on: date) -> date:
    """The last day to hand the thing over (R-CLOSE-06, R-GEN-03)."""
    return due_on(served_on, HANDOVER_DAYS).on


def require(state: SaleState, wanted: SaleState) -> None:
    """Refuse a step that does not start from where the sale stands."""
    if state is not wanted:
        raise SaleNotThere(state=state, state_zh=SALE_STATE_ZH[state])


def require_overdue(due_at: datetime, now: datetime) -> None:
    """Refuse to call a buyer in default who still has time (R-CLOSE-04)."""
    if now < due_at:
        raise BalanceNotOverdue(due_at=due_at.astimezone(BEIJING).isoformat(timespec="minutes"))


def require_not_overdue(due_at: datetime, now: datetime) -> None:
    """Refuse easier terms for a balance that is overdue (R-CLOSE-04)."""
    if now >= due_at:
        raise BalanceOverdue(due_at=due_at.astimezone(BEIJING).isoformat(timespec="minutes"))


SET_OFF_FOR = "set_off_for"
"""The fact of a panel's decision that names the creditor whose claim a price is set off against."""


def set_off_creditor(facts: Mapping[str, str | int]) -> str:
    """Whom the panel lets set the price off against their claim, by name; refuses a decision that says nothing of it.

    Unsettled, so off unless a decision says otherwise: the balance is to be paid to the court's account
    (法释〔2016〕18号 第二十五条), and no text lets a creditor who bought keep it back or forbids it; only who takes a
    thing after a failed round pays the difference alone (拍卖变卖规定 第十六条). Naming the creditor, the panel answers
    for whom the buyer's account bought.
    """
    name = facts.get(SET_OFF_FOR)
    if not isinstance(name, str) or not name:
        raise SetOffUndecided()
    return name


def set_off_fen(price_fen: Fen, deposit_fen: Fen, entitlement_fen: Fen) -> Fen:
    """What of a price is set off: what the distribution would give the buyer of it, up to the balance (R-CLOSE-04).

    The deposit stays part of the price, since it is what a default forfeits.
    """
    balance_fen = Fen(price_fen - deposit_fen)
    if balance_fen <= 0 or entitlement_fen <= 0:
        raise NothingToSetOff(entitlement_fen=entitlement_fen, balance_fen=balance_fen)
    return Fen(min(entitlement_fen, balance_fen))


UNDONE = frozenset({SaleState.DEFAULTED, SaleState.ANNULLED})
"""The sale came to nothing: what is paid on it goes back, and the thing is sold again."""

_NO_APPROVAL = frozenset({"", "无", "无需", "否", "no", "none"})


def approval_needed(details: Mapping[str, str]) -> bool:
    """Whether an authority has to approve the transfer, by what was found out about the thing (R-CLOSE-14)."""
    return details.get("transfer_approval", "").strip().lower() not in _NO_APPROVAL


def require_approved(needed: bool, facts: Mapping[str, str | int]) -> None:
    """Refuse the ruling on equity whose transfer the authority has not approved (R-CLOSE-14)."""
    if needed and (facts.get("transfer_approval") != "granted" or not facts.get("approval_document")):
        raise ApprovalMissing()


def require_purchase_proved(limited: bool, facts: Mapping[str, str | int], applied_on: date, today: date) -> None:
    """Refuse the ruling on a home under purchase limits without whole proof of the buyer's eligibility (R-HOME-02).

    The decision names what was proved, the paper it rests on, and the days it covers: from the application to bid
    to the ruling, without a gap.
    """
    if not limited:
        return
    if facts.get("purchase_eligibility") != "proved" or not facts.get("eligibility_document"):
        raise PurchaseUnproved()
    covered = _day(facts.get("eligible_from")), _day(facts.get("eligible_until"))
    if covered[0] is None or covered[1] is None or not covered[0] <= applied_on <= today <= covered[1]:
        raise PurchaseProofGap(applied_on=applied_on.isoformat(), today=today.isoformat())


def _day(fact: object) -> date | None:
    try:
        return date.fromisoformat(str(fact))
    except ValueError:
        return None


def require_future_day(day: date, today: date) -> None:
    """Refuse a last day to pay that has passed."""
    if day < today:
        raise DayPassed(day=day.isoformat(), earliest=today.isoformat())


def require_order(uncovered_fen: int | None, ordered_fen: int, *, before: bool) -> None:
    """Refuse an order to make a shortfall good that is not known yet, was ordered before, or asks more (R-CLOSE-09)."""
    if uncovered_fen is None:
        raise ShortfallUnknown()
    if before:
        raise ShortfallOrdered()
    if ordered_fen > uncovered_fen:
        raise ShortfallExceeded(uncovered_fen=uncovered_fen)


def require_day(day: date, earliest: date, today: date) -> None:
    """Refuse a day in the future or before the step it follows."""
    if not earliest <= day <= today:
        raise WrongDay(day=day.isoformat(), earliest=earliest.isoformat(), latest=today.isoformat())


def suffices(proceeds_fen: int, debt_fen: int, costs_fen: int) -> bool:
    """Whether what was sold covers debt and costs, so that the other lots are stopped (R-CLOSE-12)."""
    return proceeds_fen >= debt_fen + costs_fen


@dataclass(frozen=True, slots=True)
class CaseMoney:
    """What a case needs and has, without the deposit that is to be used; fen."""

    needed_fen: int
    """All registered claims and costs."""
    came_in_fen: int
    """All that came into the case account."""


def use_for_case(default: Default, money: CaseMoney) -> ForfeitedDeposit:
    """The four steps where the open debt follows from the case's own money (R-CLOSE-08).

    `default.case_debt_open_fen` is not asked for: it is what stays open after resale, cost and shortfall money.
    """
    first_steps = use_forfeited_deposit(replace(default, case_debt_open_fen=Fen(0)))
    covered = money.came_in_fen + first_steps.to_costs_fen + first_steps.to_shortfall_fen
    open_fen = Fen(max(0, money.needed_fen - covered))
    return use_forfeited_deposit(replace(default, case_debt_open_fen=open_fen))
