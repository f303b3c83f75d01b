"""Helpers of the case may not buy in it (R-BID-14), whenever the court links them, whoever bids for them."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text

from appraisal.cases import service as cases
from appraisal.cases.rules import Capacity, PartyKind, PartyRole
from appraisal.cases.schemas import CaseView, LinkParty, UnlinkParty
from bidding import api
from bidding.desk.models import Lot
from bidding.registration import handlers, service, store
from bidding.registration.errors import BarredFromSale
from kernel.actors import Actor, platform
from kernel.audit import AuditEntry
from kernel.database import Database, Tx
from kernel.outbox import Relay
from tests.appraisal.support import DEBTOR, PARTIES, Court, make_case, make_court, party_of
from tests.bidding.registration.test_agents import confirm
from tests.bidding.registration.test_service import lead
from tests.bidding.support import admitted, ordinary, publish
from tests.support.house import call, frozen, opened
from tests.support.people import id_number, make_person, signed_in_as

pytestmark = pytest.mark.anyio

HELPER = replace(DEBTOR, ref="helper", role=PartyRole.HELPER, name="某辅助机构", kind=PartyKind.ENTERPRISE)


async def case_with_helper(database: Database) -> tuple[Court, CaseView]:
    court = await make_court(database)
    return court, await make_case(database, court, parties=(*PARTIES, HELPER))


async def account(database: Database, name: str, number: int) -> Actor:
    """Somebody with a confirmed identity."""
    return signed_in_as(await make_person(database, name, f"某人{number}", number), name)


async def link(database: Database, court: Court, case: CaseView, username: str, number: int) -> None:
    """The court links the helper of the case with this person, who represents it."""
    wanted = LinkParty(
        username=username, id_number=id_number(number), capacity=Capacity.REPRESENTATIVE, document="授权委托书"
    )
    await cases.link_party(database, call(court.clerk), case.id, party_of(case, "helper").id, wanted)


def relay_of(database: Database) -> Relay:
    relay = Relay(database)
    handlers.subscribe(relay)
    return relay


async def state_of(database: Database, registration_id: UUID) -> str:
    async with database.reading(platform("test")) as tx:
        return (await api.get_registration(tx, registration_id)).state


@pytest.mark.parametrize("linked", ["before", "after"])
async def test_a_helper_does_not_register_linked_before_the_publication_or_after_it(
    database_url: str, linked: str
) -> None:
    async with opened(database_url) as database:
        court, case = await case_with_helper(database)
        helper = await account(database, "helper", 1)
        if linked == "before":
            await link(database, court, case, "helper", 1)
        lot_id, elsewhere = await publish(database, case_id=case.id, court_id=court.id), await publish(database)
        if linked == "after":
            await link(database, court, case, "helper", 1)
        with pytest.raises(BarredFromSale):
            await service.register(database, call(helper), lot_id, ordinary())
        assert await service.register(database, call(helper), elsewhere, ordinary()), "in other cases they may"
        unlinked = UnlinkParty(reason="误录")
        await cases.unlink_party(database, call(court.clerk), case.id, party_of(case, "helper").id, unlinked)
        assert await service.register(database, call(helper), lot_id, ordinary()), "it was a mistake"


@pytest.mark.parametrize("barred", ["agent", "principal"])
async def test_neither_does_a_helper_bid_for_another_nor_another_for_a_helper(database_url: str, barred: str) -> None:
    async with opened(database_url) as database:
        court, case = await case_with_helper(database)
        agent, _ = await account(database, "agent", 1), await account(database, "principal", 2)
        lot_id = await publish(database, case_id=case.id, court_id=court.id)
        await confirm(database, lot_id, judge=court.judge)
        await link(database, court, case, barred, 1 if barred == "agent" else 2)
        with pytest.raises(BarredFromSale):
            await service.register(database, call(agent), lot_id, ordinary())


@pytest.mark.parametrize("helper", ["agent", "principal"])
async def test_who_is_registered_already_is_barred_by_the_link(database_url: str, helper: str) -> None:
    async with opened(database_url) as database:
        court, case = await case_with_helper(database)
        agent, _ = await account(database, "agent", 1), await account(database, "principal", 2)
        lot_id = await publish(database, case_id=case.id, court_id=court.id)
        await confirm(database, lot_id, judge=court.judge)
        _, own = await admitted(database, lot_id, agent)
        _, other = await admitted(database, lot_id)
        await link(database, court, case, helper, 1 if helper == "agent" else 2)
        for _ in range(2):  # told twice, done once
            await relay_of(database).settle()
            assert await state_of(database, own.registration_id) == "barred"
            async with database.transaction(platform("test")) as tx:
                await tx.session.execute(text("DELETE FROM kernel.inbox"))
                await tx.session.execute(text("UPDATE kernel.outbox SET done_at = NULL, lease_until = NULL"))
        assert await state_of(database, other.registration_id) == "admitted"
        async with database.reading(platform("test")) as tx:
            told = (await tx.session.scalars(select(AuditEntry).where(AuditEntry.action == "registration.bar"))).one()
        assert (told.subject, told.reason) == (f"registration:{own.registration_id}", None), "it names no person"


async def test_a_helper_who_leads_is_barred_once_outbid(database_url: str) -> None:
    """No bid is withdrawn (R-BID-13); what was won so is a ground to annul the sale (R-HALT-04)."""
    async with opened(database_url) as database:
        court, case = await case_with_helper(database)
        helper = await account(database, "helper", 1)
        lot_id = await publish(database, case_id=case.id, court_id=court.id)
        _, own = await admitted(database, lot_id, helper)
        _, other = await admitted(database, lot_id)
        await lead(database, lot_id, own.registration_id)
        await link(database, court, case, "helper", 1)
        relay = relay_of(database)
        await relay.settle()
        assert await state_of(database, own.registration_id) == "admitted"
        await lead(database, lot_id, other.registration_id)
        frozen(database).advance(timedelta(minutes=1))
        await relay.settle()
        assert await state_of(database, own.registration_id) == "barred"
        async with database.reading(platform("test")) as tx:
            waiting = "SELECT count(*) FROM kernel.outbox WHERE topic = 'HelperLinked' AND done_at IS NULL"
            assert await tx.session.scalar(text(waiting)) == 0, "nobody is looked at for ever"


async def test_a_link_waits_for_who_is_registering(database_url: str) -> None:
    """The lot's lock decides: who did not see the link is seen by what follows it."""
    async with opened(database_url) as database:
        assert await linked_beside_a_registration(database) == "barred"


async def test_without_the_lots_lock_a_helper_would_slip_in(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above: the same look, which waits for nobody."""

    async def read_running_lots(tx: Tx, case_id: UUID) -> Sequence[Lot]:
        return (await tx.session.scalars(select(Lot).where(Lot.case_id == case_id))).all()

    monkeypatch.setattr(store, "lock_running_lots", read_running_lots)
    async with opened(database_url) as database:
        assert await linked_beside_a_registration(database) == "awaiting_deposit"


async def linked_beside_a_registration(database: Database) -> str:
    """What becomes of somebody whom the court links as a helper while they are registering."""
    court, case = await case_with_helper(database)
    helper = await account(database, "helper", 1)
    lot_id = await publish(database, case_id=case.id, court_id=court.id)
    looked, linked = asyncio.Event(), asyncio.Event()
    find_own = store.find_own

    async def find_own_slowly(tx: Tx, lot_id: UUID, person_id: UUID) -> object:
        looked.set()
        await linked.wait()
        return await find_own(tx, lot_id, person_id)

    with pytest.MonkeyPatch.context() as slow:
        slow.setattr(store, "find_own", find_own_slowly)
        registering = asyncio.create_task(service.register(database, call(helper), lot_id, ordinary()))
        await looked.wait()
        await link(database, court, case, "helper", 1)
        telling = asyncio.create_task(relay_of(database).settle())
        await asyncio.wait({telling}, timeout=0.5)
        linked.set()
        made = await registering
        await telling
    return await state_of(database, made.registration_id)
