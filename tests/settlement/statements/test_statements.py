"""Statements for those they concern, and figures that add up to what the ledger says."""

from datetime import timedelta
from uuid import UUID

import pytest

from appraisal.cases import service as cases
from appraisal.cases.rules import Capacity
from appraisal.cases.schemas import LinkParty
from kernel.actors import Actor, Role
from kernel.errors import NotFound
from kernel.ids import ordered_id
from settlement.payouts import handlers as payout_handlers
from settlement.statements import rules, service
from settlement.statements.errors import StatementSealed
from settlement.statements.rules import Arrived, Flow
from tests.appraisal.support import make_claim
from tests.settlement.distribution.road import make_road, parties
from tests.settlement.distribution.test_taking import failed_round, of_w19
from tests.settlement.hall import hall
from tests.settlement.payouts.test_withholding import approve, ask, end
from tests.settlement.support import bank_relay, credit, notice
from tests.support.house import START, actor, call, frozen, opened
from tests.support.people import id_number, make_person, signed_in_as

pytestmark = pytest.mark.anyio

FLOWS = ("received_items", "received_fen", "paid_items", "paid_fen")


@pytest.mark.parametrize(
    ("part", "whole", "expected"), [(0, 0, None), (1, 3, "33.33"), (3, 3, "100.00"), (9_999_999, 10**7, "99.99")]
)
def test_shares_are_rounded_down(part: int, whole: int, expected: str | None) -> None:
    assert rules.share(part, whole) == expected


def test_figures_are_summed_by_court_and_quarter() -> None:
    one, two, other = (UUID(int=n) for n in range(3))
    courts = {one: "甲法院", two: "甲法院", other: "乙法院"}
    flows = [Flow(one, "2025-Q1", 1, 10, 1, 4), Flow(two, "2025-Q1", 2, 5, 0, 0), Flow(other, "2025-Q2", 1, 1, 0, 0)]
    found = rules.figures(flows, [Arrived(two, "2025-Q1", 8, 6)], courts)
    assert [(each.court, each.quarter, each.received_fen, each.paid_fen, each.arrived_fen) for each in found] == [
        ("乙法院", "2025-Q2", 1, 0, 0),
        ("甲法院", "2025-Q1", 15, 4, 8),
    ]


async def test_the_price_and_the_deposit_of_a_lot(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        buyer, loser = await place.admitted(lot_id), await place.admitted(lot_id, "李四")
        database, registration = place.database, buyer.registrations[lot_id]
        own = await service.show_own_deposit(database, buyer.actor, lot_id)
        assert [(each.reason, each.other, each.amount_fen) for each in own.movements] == [
            ("bank.credit", "bank", 7_000_00)
        ]
        with pytest.raises(StatementSealed):
            await service.show_registration(database, place.court.clerk, registration)
        await place.sell(lot_id, (buyer, 80_000_00))
        await place.relay.settle()
        seen = await service.show_registration(database, place.court.clerk, registration)
        assert [each.balance_fen for each in seen.movements] == [7_000_00, 0]
        price = await service.show_lot(database, buyer.actor, lot_id)
        assert price == await service.show_lot(database, place.court.clerk, lot_id)
        assert (price.kind, price.balance_fen) == ("lot", 7_000_00)
        for who in (loser.actor, actor(Role.CLERK, court=ordered_id())):
            with pytest.raises(NotFound):
                await service.show_lot(database, who, lot_id)
        with pytest.raises(NotFound):
            await service.show_registration(database, actor(Role.CLERK, court=ordered_id()), registration)
        with pytest.raises(NotFound):
            await service.show_own_deposit(database, actor(Role.BIDDER), lot_id)


async def test_the_account_of_a_thing_taken_is_read_by_who_takes_it_and_the_court(database_url: str) -> None:
    async with of_w19(database_url) as place:
        failed, database = await failed_round(place), place.database
        with pytest.raises(NotFound):
            await service.show_lot(database, place.court.clerk, failed.lot_id)
        taken = await failed.take()
        await failed.pay_in(taken, 100)
        person = await make_person(database, "taker", "经办人", 7)
        wanted = LinkParty(
            username="taker", id_number=id_number(7), capacity=Capacity.REPRESENTATIVE, document="授权委托书"
        )
        await cases.link_party(database, call(place.court.clerk), place.case_id, failed.party("applicant"), wanted)
        seen = await service.show_lot(database, signed_in_as(person), failed.lot_id)
        assert seen == await service.show_lot(database, place.court.clerk, failed.lot_id)
        assert (seen.account_no, [each.amount_fen for each in seen.movements]) == (taken.account_no, [100])
        for who in (signed_in_as(ordered_id()), actor(Role.CLERK, court=ordered_id())):
            with pytest.raises(NotFound):
                await service.show_lot(database, who, failed.lot_id)


async def test_what_a_party_is_paid_and_what_a_court_reports(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await make_road(database, *parties("A", "B"))
        await make_claim(database, road.court, road.case, "A", principal_fen=20_000)
        await make_claim(database, road.court, road.case, "B", principal_fen=30_000)
        await road.bring_money(60_000)
        await credit(database, notice("lost", "12345", 40_000))
        batch = await road.paid(await road.confirmed())
        case_id, party = road.case.id, road.id_of("A")
        ordered = await service.show_payee(database, road.maker, case_id, party)
        assert [(each.amount_fen, each.state, each.account_end) for each in ordered.payments] == [
            (20_000, "ordered", "222A")
        ]
        relay = bank_relay(database)
        payout_handlers.subscribe(relay)
        await relay.settle()
        paid = await service.show_payee(database, road.maker, case_id, party)
        assert (paid.executed_fen, paid.payments[0].plan_id) == (20_000, batch.plan_id)
        strangers: list[Actor] = [actor(Role.BIDDER), actor(Role.CLERK, court=ordered_id())]
        for who in strangers:
            with pytest.raises(NotFound):
                await service.show_payee(database, who, case_id, party)
        with pytest.raises(NotFound):
            await service.show_payee(database, road.maker, case_id, ordered_id())

        await road.bring_money(500)
        frozen(database).advance(timedelta(days=31))
        await road.bring_money(70)
        told = await service.show_case_money(database, 2025)
        first, second = sorted(told.figures, key=lambda each: each.quarter)
        assert (first.quarter, first.received_items, first.received_fen) == ("2025-Q1", 2, 60_500)
        assert (first.paid_items, first.paid_fen, first.share) == (3, 60_000, "100.00")
        assert (second.quarter, second.received_fen, second.paid_fen) == ("2025-Q2", 70, 0)
        assert [(each.held_fen, each.old_fen) for each in told.holdings] == [(570, 500)]
        assert (await service.show_case_money(database, 2024)).figures == ()


async def test_deferred_money_is_neither_paid_out_nor_received_again(database_url: str) -> None:
    """R-ACCT-04: it is held, and as old as it was, until it is really paid."""

    async def figures(day: int) -> tuple[int, int, int, int, int, int]:
        frozen(database).set(START + timedelta(days=day))
        told = await service.show_case_money(database, 2025)
        sums = [sum(getattr(each, name) for each in told.figures) for name in FLOWS]
        return (*sums, *(sum(getattr(each, name) for each in told.holdings) for name in ("held_fen", "old_fen")))

    async with opened(database_url) as database:
        road = await make_road(database, *parties("A", "B"))
        await make_claim(database, road.court, road.case, "A", principal_fen=20_000)
        await make_claim(database, road.court, road.case, "B", principal_fen=40_000)
        await road.bring_money(60_000)
        plan = await road.confirmed()
        kept = await approve(road, await ask(road, plan, "B"))
        await road.paid(plan)
        assert await figures(25) == (1, 60_000, 1, 20_000, 40_000, 0)
        assert await figures(31) == (1, 60_000, 1, 20_000, 40_000, 40_000)
        await end(road, kept)
        assert await figures(31) == (1, 60_000, 1, 20_000, 40_000, 40_000)
        await road.paid(plan)
        assert await figures(31) == (1, 60_000, 2, 60_000, 0, 0)
