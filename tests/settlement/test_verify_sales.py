"""Invariants 22 to 24 and 27: deposits, prices, defaults and hand-matched money, each row changed by hand and found."""

from uuid import UUID

import pytest

from kernel.actors import Actor, Role
from kernel.database import Database
from kernel.money import Fen
from settlement.bank import matching
from settlement.bank.schemas import CheckMatch, ClaimCredit, MakeTransfer, MatchView, ReturnCredit
from settlement.bank.simulated import make_transfer
from settlement.completion import case_money
from tests.appraisal.support import make_claim
from tests.settlement.distribution.road import make_road
from tests.settlement.hall import YUAN, Hall, hall
from tests.settlement.support import bank_relay, credit, notice, within
from tests.settlement.tampering import faults, found_after
from tests.support.house import actor, call, opened

pytestmark = pytest.mark.anyio

TERMS = {
    "start_price_fen": Fen(900_000 * YUAN),
    "deposit_fen": Fen(100_000 * YUAN),
    "increment_fen": Fen(1_000 * YUAN),
}


async def defaulted(place: Hall) -> tuple[UUID, UUID]:
    """A lot with a loser, sold and not paid, its deposit forfeited and used after the resale."""
    await make_claim(place.database, place.court, place.place.case, "applicant", principal_fen=3_000_000 * YUAN)
    first = await place.lot(**TERMS)
    loser, buyer = await place.admitted(first, "李四"), await place.admitted(first)
    await place.sell(first, (loser, 900_000 * YUAN), (buyer, 1_552_000 * YUAN))
    await place.relay.settle()
    place.pass_days(11)
    resale = (await place.default(first)).resale_lot_id
    await place.cost(5_000 * YUAN, lot_id=first)
    await place.publish_resale(first, resale, **TERMS)
    await place.pay_balance(await place.sold(resale, 1_480_000 * YUAN, "后买受人"), resale)
    await place.rule_and_serve(resale)
    return first, resale


FIRST = "lot_id = '{first}'"

TAMPERINGS = [
    ("hold", "UPDATE settlement.hold SET amount_fen = amount_fen - 1", "other than what was due is held"),
    (
        "hold_end",
        "UPDATE settlement.hold_end SET outcome = 'forfeited' WHERE outcome = 'released'",
        "cannot be forfeited",
    ),
    (
        "hold_end",
        "UPDATE settlement.hold_end SET outcome = 'applied' WHERE outcome = 'forfeited'",
        "deposits.forfeited moved",
    ),
    ("hold_end", "UPDATE settlement.hold_end SET outcome = 'released' WHERE outcome = 'applied'", "not ordered back"),
    ("hold_end", "DELETE FROM settlement.hold_end WHERE outcome = 'released'", "held, but the money is not there"),
    ("deposit", "UPDATE settlement.deposit SET due_fen = due_fen + 1", "other than what was due"),
    ("sale", "UPDATE settlement.sale SET price_fen = price_fen - 1 WHERE " + FIRST, "than the hammer fell for"),
    ("sale", "UPDATE settlement.sale SET code = 'X0000' WHERE " + FIRST, "than the hammer fell for"),
    (
        "sale",
        "UPDATE settlement.sale SET forfeited_fen = forfeited_fen - 100 WHERE " + FIRST,
        "in default with another deposit",
    ),
    (
        "sale",
        "UPDATE settlement.sale SET default_decision_id = lot_id WHERE " + FIRST,
        "without a decision of the court",
    ),
    (
        "default_use",
        "UPDATE settlement.default_use SET to_shortfall_fen = to_shortfall_fen + 100,"
        " to_case_debt_fen = to_case_debt_fen - 100",
        "beyond the fall of the price",
    ),
    (
        "default_use",
        "UPDATE settlement.default_use SET to_costs_fen = to_costs_fen + 100,"
        " to_case_debt_fen = to_case_debt_fen - 100",
        "costs that it did not cause",
    ),
    (
        "default_use",
        "UPDATE settlement.default_use SET to_shortfall_fen = to_shortfall_fen - 100,"
        " to_case_debt_fen = to_case_debt_fen + 100",
        "left a shortfall open",
    ),
    (
        "default_use",
        "UPDATE settlement.default_use SET to_case_debt_fen = to_case_debt_fen - 100,"
        " to_related_debt_fen = to_related_debt_fen + 100",
        "fen of its deposit went to-related-debt, the ledger 0",
    ),
    ("credit", "UPDATE settlement.credit SET amount_fen = amount_fen + 1", "says other than the ledger booked"),
    (
        "payment_order",
        "UPDATE settlement.payment_order SET amount_fen = amount_fen - 1",
        "other than the ledger booked",
    ),
    (
        "payment_order",
        "UPDATE settlement.payment_order SET credit_id = NULL, payee_holder = '贼', payee_number = '6222',"
        " payee_bank = ''",
        "to somebody who did not pay it",
    ),
    (
        "payment_order",
        "UPDATE settlement.payment_order o SET credit_id = (SELECT c.id FROM settlement.credit c"
        " WHERE c.id <> o.credit_id ORDER BY c.id DESC LIMIT 1)",
        "out of another account",
    ),
    ("payment_answer", "UPDATE settlement.payment_answer SET outcome = 'rejected'", "another answer than the ledger"),
    ("payment_answer", "DELETE FROM settlement.payment_answer", "at the bank's counter nothing does"),
]
"""Table, what is done to it, and words of the fault that must show."""


async def test_a_row_of_a_sale_changed_by_hand_is_found(database_url: str) -> None:
    async with hall(database_url) as place:
        first, _ = await defaulted(place)
    async with opened(database_url, place.database.clock.now()) as database:
        assert await faults(database) == []
        for table, statement, expected in TAMPERINGS:
            found = await found_after(database, table, statement.format(first=first))
            assert any(expected in fault for fault in found), (statement, found)
        assert await faults(database) == []


async def by_hand(database: Database, bank_ref: str, wanted: ClaimCredit | ReturnCredit, maker: Actor) -> MatchView:
    """Money on an unknown number that two people match by hand."""
    arrived = await credit(database, notice(bank_ref, "12345", 500))
    if isinstance(wanted, ClaimCredit):
        proposed = await matching.propose_claim(database, call(maker), arrived.credit_id, wanted)
    else:
        proposed = await matching.propose_return(database, call(maker), arrived.credit_id, wanted)
    return proposed


MATCHES = [
    ("credit_match", "UPDATE settlement.credit_match SET reason = '另一理由'", "does not make its hash"),
    ("credit_match", "UPDATE settlement.credit_match SET account_id = NULL", "does not make its hash"),
    ("credit_match", "UPDATE settlement.credit_match SET hash = sha256('x')", "is not what the audit trail says"),
    ("credit_payer", "UPDATE settlement.credit_payer SET payer_account = '6222999'", "does not make its hash"),
    ("credit_payer", "UPDATE settlement.credit_payer SET payer_name = '贼'", "names another payer than paid it"),
    ("credit_match", "UPDATE settlement.credit_match SET made_by = id", "differs from the match that was signed"),
    (
        "credit_claim",
        "UPDATE settlement.credit_claim SET account_id = NULL WHERE account_id IS NOT NULL",
        "differs from the match that was signed",
    ),
    (
        "credit_claim",
        "UPDATE settlement.credit_claim c SET match_id = (SELECT min(id::text)::uuid FROM settlement.credit_match m"
        " WHERE m.credit_id = c.credit_id AND m.id <> c.match_id) WHERE account_id IS NOT NULL",
        "that another one had replaced",
    ),
    ("credit_claim", "DELETE FROM settlement.credit_claim", "at the bank's counter nothing does"),
    (
        "credit_match",
        "INSERT INTO settlement.credit_match SELECT gen_random_uuid(), credit_id, account_id, reason, hash, made_by,"
        " made_at FROM settlement.credit_match",
        "is not what the audit trail says",
    ),
    ("credit", "UPDATE settlement.credit SET account_no = '999'", "on an account of another number"),
]


async def test_money_matched_by_hand_and_changed_by_hand_is_found(database_url: str) -> None:
    """A credit claimed on the second proposal, one sent back, and one that the simulated bank knows."""
    async with opened(database_url) as database:
        road = await make_road(database)
        number = (await within(database, lambda tx: case_money.case_account(tx, road.case.id))).number
        assert number is not None
        maker, checker = actor(Role.MAKER), actor(Role.CHECKER)
        claim = ClaimCredit(account_no=number, reason="付款人来电说明")
        first = await by_hand(database, "B1", claim, maker)
        second = await matching.propose_claim(database, call(maker), first.credit_id, claim)
        back = await by_hand(database, "B2", ReturnCredit(reason="无法查明"), maker)
        for match in (second, back):
            await matching.check_match(database, call(checker), match.id, CheckMatch(hash=match.hash))
        paid = MakeTransfer(from_account="6222000", payer_name="王小明", to_account_no=number, amount_fen=Fen(70))
        await make_transfer(database, call(actor(Role.BIDDER)), paid)
        await bank_relay(database).settle()
        assert await faults(database) == []
        for table, statement, expected in MATCHES:
            found = await found_after(database, table, statement)
            assert any(expected in fault for fault in found), (statement, found)
