"""Controls of settlement's races: with one protection taken away each race is lost, so the tests of it show something.

Each stops one use case at the point that its lock protects, lets the other run to its end there, and lets it go on.
"""

from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import DBAPIError

from kernel.actors import platform
from kernel.database import Tx
from kernel.errors import Refusal
from settlement.bank import service as bank
from settlement.bank import store as bank_store
from settlement.distribution import disputes
from settlement.distribution import service as distribution
from settlement.ledger import service as ledger
from settlement.ledger.rules import Kind, Posting
from settlement.payouts import rules, service, withholding
from tests.settlement.distribution.dispute import sued
from tests.settlement.distribution.test_service import w17
from tests.settlement.gate import Gate, unlocked
from tests.settlement.payouts.test_service import move_account, two_creditors
from tests.settlement.payouts.test_withholding import accept_bankruptcy, approve, ask
from tests.settlement.support import MACHINE, money_inside, notice, within
from tests.settlement.tampering import faults
from tests.support.house import call, opened

pytestmark = pytest.mark.anyio


async def test_control_unlocked_a_payment_follows_the_acceptance_of_a_bankruptcy(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    async with opened(database_url) as database:
        road = await two_creditors(database)
        batch = await road.make(await road.confirmed())
        await road.check(batch)
        monkeypatch.setattr(distribution, "lock_case_money", unlocked)
        asked = gate.after(distribution.require_no_bankruptcy)
        monkeypatch.setattr(service.distribution, "require_no_bankruptcy", asked)
        paid = await gate.meanwhile(road.pay(batch), accept_bankruptcy(road))
        assert not isinstance(paid, BaseException)
        assert await money_inside(database) == {"payee": 60_000}, "paid out after the acceptance (R-DIST-17)"


async def test_control_unlocked_a_line_is_withheld_and_in_a_batch(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    async with opened(database_url) as database:
        road = await two_creditors(database)
        plan = await road.confirmed()
        asked = await ask(road, plan, "B")
        monkeypatch.setattr(distribution, "lock_case_money", unlocked)
        monkeypatch.setattr(withholding.distribution, "lock_case_money", unlocked)
        monkeypatch.setattr(service.store, "withheld_of", gate.after(service.store.withheld_of))
        made = await gate.meanwhile(road.make(plan), approve(road, asked))
        assert "当事人B" in [line.holder for line in made.lines]
        assert (await money_inside(database))["deferred"] == 30_000, "the same money kept and promised"


async def test_control_unlocked_a_plan_is_confirmed_over_an_objection(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    async with opened(database_url) as database:
        road = await w17(database)
        plan = await road.serve_all(await road.decide(await road.draft()))
        until = road.today()
        road.pass_days(20)
        monkeypatch.setattr(distribution, "lock_case_money", unlocked)
        monkeypatch.setattr(distribution, "current_basis", gate.after(distribution.current_basis))
        confirmed = await gate.meanwhile(road.confirm(plan), road.object_to(plan, "A", on=until))
        assert not isinstance(confirmed, BaseException)
        assert any("was confirmed against an objection" in fault for fault in await faults(database))


async def test_control_unlocked_two_releases_pass_the_rules_and_a_key_alone_stops_one(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Double release: both see the escrow there; the version of the plan lets one of them stand."""
    gate = Gate()
    async with opened(database_url) as database:
        road, plan, resolved = await sued(database)
        await road.judged(plan, "B", 400_000 * 100)
        monkeypatch.setattr(distribution, "lock_case_money", unlocked)
        monkeypatch.setattr(disputes, "_judged", gate.after(disputes._judged))
        late = await gate.meanwhile(road.release(resolved), road.release(resolved))
        assert isinstance(late, DBAPIError | Refusal)
        assert not isinstance(late, disputes.NoEscrow), "the rules did not see the other release"
        assert await money_inside(database) == {"case": 500_000 * 100}


async def test_an_account_changed_while_the_payer_signs_gets_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Payee swap: the money goes to the account that three people signed, whatever the row says meanwhile."""
    gate = Gate()
    async with opened(database_url) as database:
        road = await two_creditors(database)
        batch = await road.make(await road.confirmed())
        await road.check(batch)
        monkeypatch.setattr(service, "_require_as_signed", gate.after(service._require_as_signed))
        paid = await gate.meanwhile(road.pay(batch), move_account(database, road, "B"))
        orders = [line.order_id for line in paid.lines]
        async with database.reading(platform("test")) as tx:
            numbers = {each.payee.number for each in await bank.instructions_of(tx, orders)}
        assert numbers == {"6222A", "6222B", "6222debtor"}
        assert await faults(database) == []


async def test_control_without_the_comparison_a_stale_account_is_paid(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What voids a batch whose payee's account has changed (R-ACCT-06)."""
    async with opened(database_url) as database:
        road = await two_creditors(database)
        batch = await road.make(await road.confirmed())
        await road.check(batch)
        await move_account(database, road, "B")
        monkeypatch.setattr(rules, "require_same_payees", lambda lines, destinations: None)
        assert (await road.pay(batch)).state == "paid"


async def test_control_without_the_bank_s_reference_a_replayed_credit_is_booked_twice(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replayed bank files and notices: the reference of the bank stands in a unique row and in the entry's key."""
    async with opened(database_url) as database:

        async def number(tx: Tx) -> str:
            return (await ledger.open_account(tx, Kind.CASE, "replayed")).number or ""

        sent = notice("B1", await within(database, number), 500)
        await bank.book_credit(database, call(MACHINE), sent)
        await bank.book_credit(database, call(MACHINE), sent)
        assert await money_inside(database) == {"case": 500}
        written, posted = bank_store.add_credit, ledger.post

        async def forgetful(tx: Tx, credit: dict[str, object], payer: dict[str, object]) -> bool:
            return await written(tx, {**credit, "bank_ref": f"{credit['id']}"}, payer)

        monkeypatch.setattr(bank_store, "add_credit", forgetful)
        await bank.book_credit(database, call(MACHINE), sent)
        assert await money_inside(database) == {"case": 500}, "the entry's key holds behind it"

        async def under_a_new_key(tx: Tx, posting: Posting) -> UUID:
            return await posted(tx, replace(posting, natural_key=f"{posting.natural_key}:again"))

        monkeypatch.setattr(bank.ledger, "post", under_a_new_key)
        await bank.book_credit(database, call(MACHINE), sent)
        assert await money_inside(database) == {"case": 1_000}
