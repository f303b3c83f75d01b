"""Agents (代理竞买): confirmed before bidding begins; the agent bids, the principal buys (R-PUB-04, R-BID-14)."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text, update

from bidding import api
from bidding.desk.models import Lot
from bidding.registration import confirmations, service
from bidding.registration.errors import BarredFromSale, BiddingHasBegun, NotTheApplicant, TakesPartAlready
from bidding.registration.rules import BidderKind
from bidding.registration.schemas import AgentView, ConfirmAgent
from kernel.actors import Actor, Role, platform
from kernel.database import Database
from kernel.errors import Forbidden, NotFound
from kernel.identity.models import Court
from kernel.identity.service import create_staff
from kernel.ids import random_id
from tests.appraisal.support import QUICK_PASSWORDS
from tests.bidding.support import COURT, OPENS, admitted, applicants, ordinary, publish
from tests.support.house import call, frozen, opened

pytestmark = pytest.mark.anyio

JUDGE = Actor(random_id(), "judge", frozenset({Role.JUDGE}), COURT, "127.0.0.1", random_id())


async def person(database: Database, username: str, name: str) -> Actor:
    """Somebody with a confirmed name who may bid."""
    made = await create_staff(
        database,
        QUICK_PASSWORDS,
        username=username,
        real_name=name,
        password="a long password",
        roles=[Role.BIDDER],
        court_code=None,
    )
    return Actor(made.id, username, frozenset({Role.BIDDER}), None, "127.0.0.1", random_id())


async def two(database: Database) -> tuple[Actor, Actor]:
    return await person(database, "agent", "代理人甲"), await person(database, "principal", "委托人乙")


async def confirm(database: Database, lot_id: UUID, judge: Actor = JUDGE, agent: str = "agent") -> AgentView:
    wanted = ConfirmAgent(agent=agent, principal="principal", proof="授权委托书")
    return await confirmations.confirm_agent(database, call(judge), lot_id, wanted)


async def test_the_agent_bids_and_the_principal_buys(database_url: str) -> None:
    async with opened(database_url) as database:
        agent, principal = await two(database)
        lot_id = await publish(database)
        assert (await confirm(database, lot_id)).principal == "principal"
        _, own = await admitted(database, lot_id, agent)
        with pytest.raises(TakesPartAlready):
            await service.register(database, call(principal), lot_id, ordinary())
        async with database.transaction(platform("test")) as tx:
            assert await api.is_payer(tx, own.registration_id, "委托人乙"), "the principal pays (R-BID-04)"
            assert not await api.is_payer(tx, own.registration_id, "代理人甲")
            await tx.session.execute(update(Lot).values(status="withdrawn", ends_at=None))
            revealed = await api.reveal_buyers(tx, [own.registration_id], "test")
            assert revealed == {own.registration_id: [api.Buyer(principal.person, "1")]}


async def test_on_a_lot_without_mandate_an_agent_bids_for_themselves(database_url: str) -> None:
    async with opened(database_url) as database:
        agent, _ = await two(database)
        await confirm(database, await publish(database))
        _, own = await admitted(database, await publish(database), agent)
        async with database.reading(platform("test")) as tx:
            assert await api.is_payer(tx, own.registration_id, "代理人甲")


async def test_an_agent_is_confirmed_before_bidding_begins(database_url: str) -> None:
    async with opened(database_url) as database:
        await two(database)
        in_time, too_late = await publish(database), await publish(database)
        frozen(database).set(OPENS - timedelta(milliseconds=1))
        await confirm(database, in_time)
        frozen(database).set(OPENS)
        with pytest.raises(BiddingHasBegun):
            await confirm(database, too_late)


async def test_in_a_lot_halted_before_its_opening_bidding_has_not_begun(database_url: str) -> None:
    async with opened(database_url) as database:
        await two(database)
        before, amid = await publish(database), await publish(database)
        halted = update(Lot).values(status="suspended", ends_at=None, remaining_ms=1_000)
        async with database.transaction(platform("test")) as tx:
            await tx.session.execute(halted.where(Lot.lot_id == before))
            await tx.session.execute(halted.where(Lot.lot_id == amid).values(opened=True))
        frozen(database).set(OPENS + timedelta(days=1))
        await confirm(database, before)
        with pytest.raises(BiddingHasBegun):
            await confirm(database, amid)


async def test_a_barred_principal_sends_nobody(database_url: str) -> None:
    """The defaulting buyer may not bid through others either."""
    async with opened(database_url) as database:
        agent, principal = await two(database)
        lot_id = await publish(database, barred_person_ids=(principal.person,))
        await confirm(database, lot_id)
        with pytest.raises(BarredFromSale):
            await service.register(database, call(agent), lot_id, ordinary())


async def test_who_is_barred_bids_for_nobody_else(database_url: str) -> None:
    """R-BID-14 keeps the person away, not the money: a clean principal changes nothing."""
    async with opened(database_url) as database:
        agent, principal = await two(database)
        lot_id = await publish(database, barred_person_ids=(agent.person,))
        await confirm(database, lot_id)
        for who in (agent, principal):
            with pytest.raises(BarredFromSale if who is agent else TakesPartAlready):
                await service.register(database, call(who), lot_id, ordinary())


async def test_the_applicants_agent_pays_the_applicants_deposit(database_url: str) -> None:
    async with opened(database_url) as database:
        agent, principal = await two(database)
        case = await applicants(database, (principal, 150_000))
        lot_id = await publish(database, case_id=case.id)
        with pytest.raises(NotTheApplicant):
            await service.register(database, call(agent), lot_id, ordinary(BidderKind.APPLICANT))
        await confirm(database, lot_id)
        made = await service.register(database, call(agent), lot_id, ordinary(BidderKind.APPLICANT))
        assert made.deposit_due_fen == 50_000, "R-BID-05"


async def test_nobody_takes_part_twice(database_url: str) -> None:
    async with opened(database_url) as database:
        agent, _ = await two(database)
        await person(database, "third", "丙")
        lot_id, other = await publish(database), await publish(database)
        await confirm(database, lot_id)
        for name in ("agent", "third", "principal"):
            with pytest.raises(TakesPartAlready):
                await confirm(database, lot_id, agent=name)
        await service.register(database, call(agent), other, ordinary())
        with pytest.raises(TakesPartAlready):
            await confirm(database, other)
        async with database.reading(platform("test")) as tx:
            assert await tx.session.scalar(text("SELECT count(*) FROM bidding.mandate")) == 1


async def test_nobody_of_the_court_buys_through_an_agent(database_url: str) -> None:
    """The court's staff is barred directly and through others."""
    async with opened(database_url) as database:
        agent, principal = await two(database)
        lot_id = await publish(database)
        await confirm(database, lot_id)
        async with database.transaction(platform("test")) as tx:
            tx.session.add(Court(id=COURT, code="court", name="法院"))
            await tx.session.flush()
            await tx.session.execute(
                text("UPDATE kernel.person_role SET role = 'clerk', court_id = :court WHERE person_id = :person"),
                {"court": COURT, "person": principal.person},
            )
        with pytest.raises(BarredFromSale):
            await service.register(database, call(agent), lot_id, ordinary())


async def test_only_a_judge_of_the_court_confirms(database_url: str) -> None:
    async with opened(database_url) as database:
        await two(database)
        lot_id = await publish(database)
        with pytest.raises(Forbidden):
            await confirm(database, lot_id, Actor(random_id(), "c", frozenset({Role.CLERK}), COURT, "::1", random_id()))
        elsewhere = Actor(random_id(), "j", frozenset({Role.JUDGE}), random_id(), "::1", random_id())
        with pytest.raises(NotFound):
            await confirm(database, lot_id, elsewhere)
        with pytest.raises(NotFound):
            await confirm(database, lot_id, agent="nobody")
