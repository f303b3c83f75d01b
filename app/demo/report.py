"""What the platform says of the finished cases: asked over its API, as anybody or as the court may ask."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.demo.case import Auction, Case
from app.demo.users import User

EVENTS_AT_ONCE = 1000


@dataclass(frozen=True)
class LotReport:
    """One auction: its public page, its events, the codes that bid, and the sale that followed."""

    page: dict[str, Any]
    events: list[dict[str, Any]]
    sale: dict[str, Any]

    @property
    def result(self) -> dict[str, Any]:
        result: dict[str, Any] = self.page["result"]
        return result

    @property
    def bidders(self) -> int:
        """How many different codes bid."""
        return len({event["code"] for event in self.events if event["kind"] == "bid"})


@dataclass(frozen=True)
class CaseReport:
    """One case: its auctions, its plans, what was paid out, its account, and the use of forfeited deposits.

    `served` is the plan that everybody was served; `plans` are those that were confirmed, the first of which covers all
    the case's money; a later one gives out an escrow. `payouts` has one batch for each.
    """

    case: Case
    lots: list[LotReport]
    served: dict[str, Any]
    plans: list[dict[str, Any]]
    payouts: list[dict[str, Any]]
    account: dict[str, Any]
    defaults: list[dict[str, Any]]

    @property
    def plan(self) -> dict[str, Any]:
        """The first confirmed plan."""
        return self.plans[0]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was paid to somebody, over all plans; what lay in escrow comes up where it was given out."""
        return [line for plan in self.plans for line in plan["lines"] if line["payee"]["kind"] != "escrow"]

    @property
    def paid_fen(self) -> int:
        """What all batches paid."""
        return sum(int(payout["total_fen"]) for payout in self.payouts)


async def ask(cases: Sequence[Case]) -> list[CaseReport]:
    """Reports of all cases, in their order."""
    return await asyncio.gather(*(_case(case) for case in cases))


async def statistics(anybody: User) -> dict[str, Any]:
    """The public statistics over all that has ended."""
    figures: dict[str, Any] = await anybody.get("/api/statistics")
    return figures


async def _case(case: Case) -> CaseReport:
    clerk = case.court.clerk
    return CaseReport(
        case=case,
        lots=[await _lot(clerk, auction) for auction in case.auctions],
        served=await clerk.get(f"/api/plans/{case.served_plan_id}"),
        plans=[await clerk.get(f"/api/plans/{plan_id}") for plan_id in case.plan_ids],
        payouts=[await clerk.get(f"/api/payouts/{payout_id}") for payout_id in case.payout_ids],
        account=await clerk.get(f"/api/cases/{case.id}/account"),
        defaults=(await clerk.get(f"/api/cases/{case.id}/default-use"))["defaults"],
    )


async def _lot(clerk: User, auction: Auction) -> LotReport:
    path = auction.lot.path
    events = (await clerk.get(f"{path}/events?limit={EVENTS_AT_ONCE}"))["events"]
    return LotReport(await clerk.get(path), events, await clerk.get(f"{path}/sale"))
