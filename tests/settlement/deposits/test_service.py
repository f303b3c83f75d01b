"""Deposits on the real road: held and admitted at once, topped up, too much, too late, released, applied; and races."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from appraisal.cases.rules import PartyRole
from bidding import api as bidding
from bidding.desk.models import Lot
from bidding.registration import admission
from bidding.registration.models import Registration
from kernel.actors import Role, platform
from kernel.audit import record
from kernel.bulk import Record
from kernel.contracts import HelperLinked, LotWithdrawn
from kernel.database import Database, Tx
from kernel.errors import NotFound, Refusal
from kernel.money import Fen
from kernel.outbox import tell
from settlement import verify
from settlement.bank import matching
from settlement.bank import service as bank
from settlement.bank.schemas import CheckMatch, ClaimCredit, MoneyArrived, ReturnCredit
from settlement.deposits import service as deposits
from settlement.deposits import store
from settlement.deposits.errors import HoldEnded
from settlement.deposits.schemas import RefundView
from settlement.ledger import service as ledger
from settlement.ledger.rules import Kind, Posting, Transfer
from tests.appraisal.support import PARTIES, link_person, make_claim
from tests.auction.support import TENANT
from tests.settlement.hall import Bidder, Hall, hall
from tests.settlement.support import MACHINE, beside, money_inside, notice, read_balances, within
from tests.support.house import actor, call, frozen

pytestmark = pytest.mark.anyio

DUE = 7_000_00


async def _registration(database: Database, bidder: Bidder, lot_id: UUID) -> bidding.RegistrationFacts:
    async with database.reading(platform("test")) as tx:
        return await bidding.get_registration(tx, bidder.registrations[lot_id])


async def _refunded(place: Hall, bidder: Bidder, lot_id: UUID) -> list[tuple[int, str]]:
    return [(refund.amount_fen, refund.state) for refund in (await place.deposit(bidder, lot_id)).refunds]


async def _faults(database: Database) -> list[str]:
    async with database.reading(platform("verify")) as tx:
        return await verify.faults(tx)


async def test_a_whole_deposit_is_held_and_its_bidder_admitted_in_one_commit(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        bidder = await place.bidder()
        own = await place.register(bidder, lot_id)
        assert (own.due_fen, own.received_fen, own.missing_fen, own.state) == (DUE, 0, DUE, "awaiting")
        await place.pay(bidder, own.account_no, DUE)
        own = await place.deposit(bidder, lot_id)
        assert (own.received_fen, own.missing_fen, own.state, own.refunds) == (DUE, 0, "held", ())
        found = await _registration(place.database, bidder, lot_id)
        assert (found.state, found.admitted_at) == ("admitted", place.database.clock.now())
        assert await money_inside(place.database) == {"deposit": DUE}


async def test_one_fen_short_waits_and_can_be_topped_up(database_url: str) -> None:
    """Attack 50."""
    async with hall(database_url) as place:
        lot_id = await place.lot()
        bidder = await place.bidder()
        own = await place.register(bidder, lot_id)
        await place.pay(bidder, own.account_no, DUE - 1)
        own = await place.deposit(bidder, lot_id)
        assert (own.missing_fen, own.state) == (1, "awaiting")
        assert (await _registration(place.database, bidder, lot_id)).state == "awaiting_deposit"
        await place.pay(bidder, own.account_no, 1)
        assert (await place.deposit(bidder, lot_id)).state == "held"
        assert (await _registration(place.database, bidder, lot_id)).state == "admitted"


async def test_paid_twice_the_second_goes_back_to_the_account_that_paid_it(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        bidder = await place.bidder()
        own = await place.register(bidder, lot_id)
        await place.pay(bidder, own.account_no, DUE + 5)
        bidder.account = "6222999900001111"
        await place.pay(bidder, own.account_no, DUE)
        own = await place.deposit(bidder, lot_id)
        assert (own.state, own.received_fen) == ("held", 2 * DUE + 5)
        assert await _refunded(place, bidder, lot_id) == [(5, "executed"), (DUE, "executed")]
        assert await money_inside(place.database) == {"deposit": DUE}
        async with place.database.reading(platform("test")) as tx:
            paid = (
                await tx.session.execute(text("SELECT payee_number, amount_fen FROM settlement.simulated_order"))
            ).all()
        assert sorted(paid)[-1] == ("6222999900001111", DUE)
        assert await _faults(place.database) == []


async def test_a_third_party_s_payment_holds_nothing_until_two_people_match_it(database_url: str) -> None:
    """Attack 50, R-BID-04: whoever pays is not the bidder; the queue tells neither lot nor bidder."""
    async with hall(database_url) as place:
        lot_id = await place.lot()
        bidder, friend = await place.bidder("王 小明"), await place.bidder("李四")
        own = await place.register(bidder, lot_id)
        await place.pay(friend, own.account_no, DUE)
        own = await place.deposit(bidder, lot_id)
        assert (own.state, own.received_fen, own.set_aside_fen, own.missing_fen) == ("awaiting", 0, DUE, DUE)
        assert (await _registration(place.database, bidder, lot_id)).state == "awaiting_deposit"
        assert await money_inside(place.database) == {"unidentified": DUE}
        maker, checker = actor(Role.MAKER), actor(Role.CHECKER)
        (waiting,) = (await matching.show_unidentified(place.database, maker)).credits
        assert (waiting.payer_name, waiting.reason) == ("李四", "付款人不是竞买人本人")
        claim = ClaimCredit(account_no=own.account_no, reason="竞买人书面委托")
        match = await matching.propose_claim(place.database, call(maker), waiting.credit_id, claim)
        await matching.check_match(place.database, call(checker), match.id, CheckMatch(hash=match.hash))
        await place.relay.settle()
        own = await place.deposit(bidder, lot_id)
        assert (own.state, own.received_fen, own.set_aside_fen) == ("held", DUE, 0)
        assert await money_inside(place.database) == {"deposit": DUE}
        await place.pay(friend, own.account_no, 5)  # beyond what is due: straight back to who paid
        assert await _refunded(place, bidder, lot_id) == [(5, "executed")]
        assert await _faults(place.database) == []


async def test_a_third_party_s_payment_goes_back_to_the_account_that_paid_it(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        bidder, friend = await place.bidder(), await place.bidder("李四", "6222333")
        own = await place.register(bidder, lot_id)
        await place.pay(friend, own.account_no, DUE)
        await place.pay(bidder, own.account_no, DUE)
        assert (await place.deposit(bidder, lot_id)).state == "held"
        (waiting,) = (await matching.show_unidentified(place.database, actor(Role.MAKER))).credits
        wanted = ReturnCredit(reason="非本人付款")
        match = await matching.propose_return(place.database, call(actor(Role.MAKER)), waiting.credit_id, wanted)
        await matching.check_match(place.database, call(actor(Role.CHECKER)), match.id, CheckMatch(hash=match.hash))
        await place.relay.settle()
        assert await money_inside(place.database) == {"deposit": DUE}
        async with place.database.reading(platform("test")) as tx:
            paid = (
                (await tx.session.execute(text("SELECT payee_number FROM settlement.simulated_order"))).scalars().all()
            )
        assert paid == ["6222333"]
        assert await _faults(place.database) == []


async def test_money_after_the_end_of_bidding_goes_back_whole(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        late, short = await place.bidder(), await place.bidder()
        own, own_short = await place.register(late, lot_id), await place.register(short, lot_id)
        await place.pay(short, own_short.account_no, DUE - 1)
        await place.sell(lot_id)
        await place.pay(late, own.account_no, DUE)
        await place.pay(short, own_short.account_no, 1)
        assert (await place.deposit(late, lot_id)).state == "lapsed"
        assert await _refunded(place, late, lot_id) == [(DUE, "executed")]
        assert await _refunded(place, short, lot_id) == [(DUE - 1, "executed"), (1, "executed")]
        assert (await _registration(place.database, late, lot_id)).admitted_at is None
        assert await money_inside(place.database) == {}


async def test_money_in_the_second_between_the_end_and_the_close_goes_back(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        bidder = await place.bidder()
        own = await place.register(bidder, lot_id)
        frozen(place.database).advance(timedelta(days=60))  # the end has passed, no desk has closed the lot yet
        await place.pay(bidder, own.account_no, DUE)
        assert (await place.deposit(bidder, lot_id)).received_fen == DUE
        assert await _refunded(place, bidder, lot_id) == [(DUE, "executed")]
        assert await money_inside(place.database) == {}


async def test_an_exempt_applicant_needs_no_money_and_gets_back_what_was_sent(database_url: str) -> None:
    """W-04: a claim as large as the deposit leaves nothing due."""
    async with hall(database_url) as place:
        lot_id = await place.lot()
        await make_claim(place.database, place.court, place.place.case, principal_fen=DUE)
        bidder = await place.exempt(lot_id)
        own = await place.deposit(bidder, lot_id)
        assert (own.due_fen, own.state) == (0, "exempt")
        await place.pay(bidder, own.account_no, 500)
        assert await _refunded(place, bidder, lot_id) == [(500, "executed")]
        await place.sell(lot_id, (bidder, 70_000_00))
        await place.relay.settle()
        assert await money_inside(place.database) == {}
        assert await _faults(place.database) == []


async def test_after_the_close_losers_get_theirs_back_and_the_winner_s_is_applied(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        winner, loser = await place.admitted(lot_id), await place.admitted(lot_id, "李四")
        await place.sell(lot_id, (loser, 70_000_00), (winner, 80_000_00))
        await place.relay.settle()
        assert (await place.deposit(winner, lot_id)).state == "applied"
        assert (await place.deposit(loser, lot_id)).state == "released"
        assert await _refunded(place, loser, lot_id) == [(DUE, "executed")]
        assert (await _registration(place.database, loser, lot_id)).state == "released"
        assert await money_inside(place.database) == {"lot": DUE}
        assert await _faults(place.database) == []


async def test_a_helper_who_had_paid_bids_no_more_and_gets_the_deposit_back(database_url: str) -> None:
    """R-BID-14: linked by the court after the admission, before the first bid."""
    helper = replace(PARTIES[2], ref="helper", role=PartyRole.HELPER, name="某辅助机构")
    async with hall(database_url, parties=(*PARTIES, TENANT, helper)) as place:
        lot_id = await place.lot()
        barred, winner = await place.admitted(lot_id), await place.admitted(lot_id, "李四")
        await link_person(place.database, place.place.case, "helper", barred.actor.person)

        async def linked(tx: Tx) -> None:
            await tell(tx, HelperLinked(case_id=place.case_id))

        await within(place.database, linked)
        await place.relay.settle()
        with pytest.raises(AssertionError, match="not admitted to bid"):
            await place.sell(lot_id, (barred, 70_000_00))
        await place.sell(lot_id, (winner, 70_000_00))
        await place.relay.settle()
        assert (await _registration(place.database, barred, lot_id)).state == "barred"
        assert (await place.deposit(barred, lot_id)).state == "released"
        assert await _refunded(place, barred, lot_id) == [(DUE, "executed")]
        assert await money_inside(place.database) == {"lot": DUE}
        assert await _faults(place.database) == []


async def test_a_failed_lot_and_a_withdrawn_one_give_everything_back(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        bidders = [await place.admitted(lot_id, f"竞买人{number}") for number in range(3)]
        await place.sell(lot_id)
        await place.relay.settle()
        assert [(await place.deposit(bidder, lot_id)).state for bidder in bidders] == ["released"] * 3
        assert await money_inside(place.database) == {}
        assert await _faults(place.database) == []


async def test_a_withdrawal_releases_many_deposits_piece_by_piece(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deposits, "RELEASED_AT_ONCE", 2)
    async with hall(database_url) as place:
        lot_id = await place.lot()
        bidders = [await place.admitted(lot_id, f"竞买人{number}") for number in range(5)]

        async def withdraw(tx: Tx) -> None:
            await tx.session.execute(
                text("UPDATE bidding.lot SET status = 'withdrawn', ends_at = NULL WHERE lot_id = :lot"),
                {"lot": lot_id},
            )
            await tell(tx, LotWithdrawn(lot_id=lot_id, at=tx.now(), reason="债务已清偿"))

        await within(place.database, withdraw)
        await place.relay.settle()
        assert [(await place.deposit(bidder, lot_id)).state for bidder in bidders] == ["released"] * 5
        assert await money_inside(place.database) == {}


async def test_a_deposit_kept_over_a_day_after_the_close_is_a_fault(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        await place.admitted(lot_id)
        await place.sell(lot_id)  # nobody relays what the desk tells
        assert await _faults(place.database) == []
        frozen(place.database).advance(timedelta(hours=24, seconds=1))
        assert [fault for fault in await _faults(place.database) if "24 hours" in fault]


async def test_the_court_sees_amounts_without_payers_and_codes_only_after_the_close(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        first, second = await place.admitted(lot_id), await place.bidder("李四")
        await place.register(second, lot_id)
        clerk = place.court.clerk
        before = await deposits.show_lot(place.database, clerk, lot_id)
        assert [(line.state, line.received_fen, line.code) for line in before.deposits] == [
            ("awaiting", 0, None),
            ("held", DUE, None),
        ]
        assert before.held_fen == DUE
        with pytest.raises(NotFound):
            await deposits.show_lot(place.database, actor(Role.CLERK, court=actor().person), lot_id)
        with pytest.raises(NotFound):
            await place.deposit(await place.bidder("外人"), lot_id)
        await place.sell(lot_id, (first, 70_000_00))
        await place.relay.settle()
        after = await deposits.show_lot(place.database, clerk, lot_id)
        assert all(line.code for line in after.deposits)
        assert sorted(line.state for line in after.deposits) == ["applied", "lapsed"]


async def _apply(place: Hall, registration_id: UUID, lot_id: UUID) -> Fen:
    async def work(tx: Tx) -> Fen:
        account = await ledger.open_account(tx, Kind.LOT, str(lot_id), case_id=place.case_id, lot_id=lot_id)
        return (await deposits.apply(tx, {registration_id: (account.id, "test")}))[registration_id]

    return await within(place.database, work)


async def _release(place: Hall, registration_id: UUID) -> None:
    async def work(tx: Tx) -> None:
        await deposits.release(tx, {registration_id: "test"})

    await within(place.database, work)


async def _released_beside_an_application(place: Hall) -> str:
    """What becomes of a release that comes while the deposit is being applied; the account holds the money twice."""
    lot_id = await place.lot()
    bidder = await place.admitted(lot_id)
    registration_id = bidder.registrations[lot_id]
    own = await place.deposit(bidder, lot_id)
    await bank.book_credit(place.database, call(MACHINE), notice("twice", own.account_no, DUE))

    async def apply(tx: Tx) -> None:
        account = await ledger.open_account(tx, Kind.LOT, str(lot_id), case_id=place.case_id, lot_id=lot_id)
        await deposits.apply(tx, {registration_id: (account.id, "test")})

    async def release(tx: Tx) -> None:
        await deposits.release(tx, {registration_id: "test"})

    try:
        await beside(place.database, apply, release)
    except Refusal as refusal:
        return refusal.code
    return "released"


async def test_release_and_apply_at_once_end_a_hold_once(database_url: str) -> None:
    """Attack 52."""
    async with hall(database_url) as place:
        assert await _released_beside_an_application(place) == "hold-ended"
        await place.relay.settle()
        assert await money_inside(place.database) == {"lot": DUE}, "what came twice went back"
        assert await _faults(place.database) == []


async def test_without_the_end_row_the_ledger_alone_stops_a_release(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: each end is taken for the first, so that all the bidder paid is to go back."""

    async def always_new(tx: Tx, rows: Sequence[Record]) -> set[UUID]:
        return {row[0] for row in rows}

    monkeypatch.setattr(store, "add_ends", always_new)
    async with hall(database_url) as place:
        assert await _released_beside_an_application(place) == "insufficient-balance"


async def _released_twice(place: Hall) -> list[tuple[int, str]]:
    """What goes back when a deposit is released while another release of it is not committed yet."""
    lot_id = await place.lot()
    bidder = await place.admitted(lot_id)

    async def release(tx: Tx) -> None:
        await deposits.release(tx, {bidder.registrations[lot_id]: "test"})

    await beside(place.database, release, release)
    await place.relay.settle()
    return await _refunded(place, bidder, lot_id)


async def test_two_releases_at_once_pay_once(database_url: str) -> None:
    async with hall(database_url) as place:
        assert await _released_twice(place) == [(DUE, "executed")]


async def test_without_the_locks_a_second_release_would_fail(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: both read a hold that lasts, and its end row refuses the second."""

    async def lock_nothing(tx: Tx, registration_ids: Collection[UUID]) -> None:
        pass

    monkeypatch.setattr(bidding, "release", lock_nothing)
    monkeypatch.setattr(ledger, "lock_balances", read_balances)
    async with hall(database_url) as place:
        with pytest.raises(HoldEnded):
            await _released_twice(place)


async def test_control_without_the_end_row_release_and_apply_both_spend_the_hold(database_url: str) -> None:
    """What `hold_end` prevents: both read a hold that lasts, and money that is there for another reason pays for it."""
    async with hall(database_url) as place:
        lot_id = await place.lot()
        bidder = await place.admitted(lot_id)
        registration_id = bidder.registrations[lot_id]
        both_have_read = asyncio.Barrier(2)

        async def spend(target: str) -> None:
            async with place.database.transaction(platform("test")) as tx:
                deposit = await store.get_deposit(tx, registration_id)
                (hold,) = (await store.holds_of(tx, [registration_id]))[registration_id]
                await both_have_read.wait()
                assert hold.outcome is None
                account = await ledger.open_account(tx, Kind(target), str(lot_id))
                transfer = Transfer(deposit.account_id, account.id, hold.amount_fen)
                await ledger.post(tx, Posting(f"unprotected-{target}", "test.spend", "d", (transfer,)))

        own = await place.deposit(bidder, lot_id)
        await bank.book_credit(
            place.database,
            call(MACHINE),
            notice("twice", own.account_no, DUE),
        )
        await asyncio.gather(spend("lot"), spend("escrow"))
        assert (await money_inside(place.database)).get("deposit", 0) == 0, "one hold was spent twice"


async def _weighed_twice(place: Hall) -> tuple[list[int], tuple[RefundView, ...]]:
    """Holds and refunds of a deposit that is weighed while the same money is being held."""
    lot_id = await place.lot()
    bidder = await place.bidder()
    own = await place.register(bidder, lot_id)
    await bank.book_credit(place.database, call(MACHINE), notice("once", own.account_no, DUE))

    async def weigh(tx: Tx) -> None:
        await deposits.weigh(tx, bidder.registrations[lot_id])

    await beside(place.database, weigh, weigh)
    async with place.database.reading(platform("test")) as tx:
        holds = (await store.holds_of(tx, [bidder.registrations[lot_id]]))[bidder.registrations[lot_id]]
    await place.relay.settle()
    return [hold.amount_fen for hold in holds], (await place.deposit(bidder, lot_id)).refunds


async def test_two_notices_at_once_make_one_hold(database_url: str) -> None:
    async with hall(database_url) as place:
        assert await _weighed_twice(place) == ([DUE], ())


async def read_both(tx: Tx, registration_id: UUID) -> tuple[Lot, Registration]:
    """For controls: the registration and its lot, without the locks."""
    registration = await tx.session.get_one(Registration, registration_id)
    return await tx.session.get_one(Lot, registration.lot_id), registration


async def test_without_the_locks_a_second_notice_would_fail(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above: both would hold the money, and the table takes one hold alone."""
    monkeypatch.setattr(bidding, "lock_both", read_both)
    monkeypatch.setattr(admission, "lock_both", read_both)
    monkeypatch.setattr(ledger, "lock_balances", read_balances)
    async with hall(database_url) as place:
        with pytest.raises(IntegrityError):
            await _weighed_twice(place)


async def _deposit_against_the_close(place: Hall, monkeypatch: pytest.MonkeyPatch) -> str:
    """The state of a deposit whose bidder is being admitted, and was in time, while the desk closes the lot."""
    lot_id = await place.lot()
    bidder = await place.bidder()
    own = await place.register(bidder, lot_id)
    async with place.database.reading(platform("test")) as tx:
        ends_at = (await tx.session.execute(text("SELECT ends_at FROM bidding.lot"))).scalar_one()
    frozen(place.database).set(ends_at - timedelta(hours=1))
    async with place.desk():  # opens the lot; its health row shows that there is no outage
        frozen(place.database).set(ends_at - timedelta(milliseconds=1))
    await bank.book_credit(place.database, call(MACHINE), notice("in time", own.account_no, DUE))
    in_time, go_on = asyncio.Event(), asyncio.Event()

    async def record_slowly(tx: Tx, action: str, subject: str, facts: Any, **more: Any) -> None:
        if action == "registration.admit":
            in_time.set()
            await go_on.wait()
        await record(tx, action, subject, facts, **more)

    monkeypatch.setattr(admission, "record", record_slowly)

    async def close() -> None:
        frozen(place.database).set(ends_at)
        async with place.desk():
            pass
        await place.relay.settle()

    admitting = asyncio.create_task(place.relay.settle())
    await in_time.wait()
    closing = asyncio.create_task(close())
    await asyncio.wait({closing}, timeout=3)  # without the locks it is done by then
    go_on.set()
    await asyncio.gather(admitting, closing)
    await place.relay.settle()
    return (await place.deposit(bidder, lot_id)).state


async def test_a_deposit_against_the_close_is_held_and_released(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 78: the close waits for an admission that came first, and what follows it finds the hold."""
    async with hall(database_url) as place:
        assert await _deposit_against_the_close(place, monkeypatch) == "released"
        assert await money_inside(place.database) == {}
        assert await _faults(place.database) == []


async def test_without_the_locks_a_deposit_would_be_held_behind_the_close(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: the close and all that follows it pass the admission by."""
    monkeypatch.setattr(bidding, "lock_both", read_both)
    monkeypatch.setattr(admission, "lock_both", read_both)
    monkeypatch.setattr(ledger, "lock_balances", read_balances)
    async with hall(database_url) as place:
        assert await _deposit_against_the_close(place, monkeypatch) == "held"


async def test_the_leader_s_deposit_is_not_released_while_it_leads(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        winner = await place.admitted(lot_id)
        await place.sell(lot_id, (winner, 70_000_00))
        with pytest.raises(Refusal) as refused:
            await _release(place, winner.registrations[lot_id])
        assert refused.value.code == "leads-now"


async def test_events_handled_twice_change_nothing(database_url: str) -> None:
    async with hall(database_url) as place:
        lot_id = await place.lot()
        winner, loser = await place.admitted(lot_id), await place.admitted(lot_id, "李四")
        await place.sell(lot_id, (loser, 70_000_00), (winner, 80_000_00))
        await place.relay.settle()
        before = await money_inside(place.database)
        async with place.database.transaction(platform("test")) as tx:
            await tx.session.execute(text("DELETE FROM kernel.inbox"))
            await tx.session.execute(
                text("UPDATE kernel.outbox SET done_at = NULL, lease_until = NULL WHERE topic = ANY(:topics)"),
                {"topics": ["RegistrationMade", MoneyArrived.__name__, "LotClosed", "DepositsToRelease"]},
            )
        await place.relay.settle()
        assert await money_inside(place.database) == before
        assert await _refunded(place, loser, lot_id) == [(DUE, "executed")]
        assert await _faults(place.database) == []
