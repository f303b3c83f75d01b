"""Registration on a real database: who may, which deposit, states, codes, secrecy, and the races that locks decide."""

import asyncio
import itertools
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from bidding import api
from bidding.desk import commands
from bidding.desk.models import Lot
from bidding.registration import confirmations, handlers, service, store
from bidding.registration.errors import (
    AlreadyRegistered,
    AnnouncementChanged,
    BarredFromSale,
    EligibilityNotDeclared,
    IdentitySealed,
    LeadsNow,
    NotAdmitted,
    NotTheApplicant,
    RegistrationClosed,
    WrongBidPassword,
)
from bidding.registration.models import IdentityAccess, Registration
from bidding.registration.rules import BidderKind
from bidding.registration.schemas import GrantPriority, Register, UnlockLot
from kernel.actors import Actor, Role, platform
from kernel.contracts import HoldLifted, HoldPlaced
from kernel.database import Database
from kernel.errors import Forbidden, KeyReused, NotFound, Refusal
from kernel.identity.service import create_staff
from kernel.ids import ordered_id, random_id
from tests.appraisal.support import QUICK_PASSWORDS, link_person, make_case, make_claim, make_court, make_decision
from tests.bidding.support import (
    CASE,
    COURT,
    DEPOSIT_FEN,
    ENDS,
    START_FEN,
    admitted,
    applicants,
    bidder,
    ordinary,
    publish,
)
from tests.support.house import call, frozen, opened

pytestmark = pytest.mark.anyio


async def lead(database: Database, lot_id: UUID, registration_id: UUID, **columns: object) -> None:
    """Make a registration the leader, as a batch of the desk leaves the row."""
    async with database.transaction(platform("test")) as tx:
        registration = await tx.session.get(Registration, registration_id)
        assert registration is not None
        leader = {"leader_registration_id": registration_id, "leader_code": registration.code, "price_fen": START_FEN}
        state = {"status": "open", "opened": True, "bids": 1, "seq": 2}
        await tx.session.execute(update(Lot).where(Lot.lot_id == lot_id).values(leader | state | columns))


async def close(database: Database, lot_id: UUID) -> None:
    """End a lot without a bid."""
    async with database.transaction(platform("test")) as tx:
        closed = {"status": "closed", "outcome": "failed"}
        await tx.session.execute(update(Lot).where(Lot.lot_id == lot_id).values(closed))


async def test_the_road_of_a_registration(database_url: str) -> None:
    async with opened(database_url) as database:
        lot_id, who = await publish(database), bidder()
        made = await service.register(database, call(who), lot_id, ordinary())
        assert (made.state, made.code, made.deposit_due_fen) == ("awaiting_deposit", None, DEPOSIT_FEN)
        with pytest.raises(NotAdmitted):
            await service.issue_password(database, who, lot_id)

        async with database.transaction(platform("deposits")) as tx:
            await api.admit(tx, made.registration_id)
        own = await service.show_own(database, who, lot_id)
        assert own.state == "admitted"
        assert own.code is not None
        assert not own.unlocked

        first = await service.issue_password(database, who, lot_id)
        second = await service.issue_password(database, who, lot_id)
        with pytest.raises(WrongBidPassword):
            await service.unlock(database, call(who), lot_id, UnlockLot(password=first.password))
        assert (await service.unlock(database, call(who), lot_id, UnlockLot(password=second.password.lower()))).unlocked
        elsewhere = Actor(who.person_id, who.name, who.roles, None, who.source, random_id())
        assert not (await service.show_own(database, elsewhere, lot_id)).unlocked

        async with database.transaction(platform("deposits")) as tx:
            await api.release(tx, [made.registration_id])
            facts = await api.get_registration(tx, made.registration_id)
        assert (facts.state, facts.released_at) == ("released", frozen(database).now())


async def test_a_repeat_is_answered_and_a_second_registration_refused(database_url: str) -> None:
    async with opened(database_url) as database:
        lot_id, who = await publish(database), bidder()
        once = call(who, key="register-0001", payload=b"a")
        made = await service.register(database, once, lot_id, ordinary())
        assert await service.register(database, once, lot_id, ordinary()) == made
        with pytest.raises(KeyReused):
            await service.register(database, call(who, key="register-0001", payload=b"b"), lot_id, ordinary())
        with pytest.raises(AlreadyRegistered):
            await service.register(database, call(who), lot_id, ordinary())


async def test_thirty_copies_at_once_make_one_registration(database_url: str) -> None:
    async with opened(database_url) as database:
        lot_id, who = await publish(database), bidder()
        tries = (service.register(database, call(who), lot_id, ordinary()) for _ in range(30))
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
        assert all(isinstance(outcome, AlreadyRegistered) for outcome in outcomes if isinstance(outcome, Exception))


async def admitted_so_far(database: Database, lot_id: UUID) -> int:
    async with database.reading(platform("test")) as tx:
        lot = await tx.session.get(Lot, lot_id)
        assert lot is not None
        return lot.admitted


async def test_admissions_at_once_are_all_counted(database_url: str) -> None:
    """The lot's lock keeps the count of those who take part (R-BID-07); the control reads without it and loses some."""
    async with opened(database_url) as database:
        lot_id = await publish(database)
        made = [await service.register(database, call(bidder()), lot_id, ordinary()) for _ in range(12)]

        async def admit(registration_id: UUID) -> None:
            async with database.transaction(platform("deposits")) as tx:
                await api.admit(tx, registration_id)

        await asyncio.gather(*(admit(own.registration_id) for own in [*made, *made]))
        assert await admitted_so_far(database, lot_id) == 12, "each once, however often it is told"

        together = asyncio.Barrier(4)

        async def count_unlocked() -> None:
            async with database.transaction(platform("test")) as tx:
                lot = await tx.session.get(Lot, lot_id)
                assert lot is not None
                await together.wait()
                lot.admitted += 1

        await asyncio.gather(*(count_unlocked() for _ in range(4)))
        assert await admitted_so_far(database, lot_id) == 13


async def test_who_is_barred(database_url: str) -> None:
    async with opened(database_url) as database:
        defaulted = bidder()
        lot_id = await publish(database, barred_person_ids=(defaulted.person,))
        clerk = Actor(random_id(), "clerk", frozenset({Role.BIDDER, Role.CLERK}), COURT, "127.0.0.1", random_id())
        operator = Actor(random_id(), "op", frozenset({Role.BIDDER, Role.OPERATOR}), None, "127.0.0.1", random_id())
        for who in (defaulted, clerk, operator):
            with pytest.raises(BarredFromSale):
                await service.register(database, call(who), lot_id, ordinary())
        other_court = Actor(random_id(), "c", frozenset({Role.BIDDER, Role.CLERK}), random_id(), "::1", random_id())
        assert await service.register(database, call(other_court), lot_id, ordinary())
        judge = Actor(random_id(), "judge", frozenset({Role.JUDGE}), COURT, "127.0.0.1", random_id())
        with pytest.raises(Forbidden):
            await service.register(database, call(judge), lot_id, ordinary())
        undeclared = Register(kind=BidderKind.ORDINARY, accepts="1", declares_eligible=False)
        with pytest.raises(EligibilityNotDeclared):
            await service.register(database, call(bidder()), lot_id, undeclared)
        with pytest.raises(NotFound):
            await service.register(database, call(bidder()), ordered_id(), ordinary())


async def test_the_debtor_may_bid_for_a_whole_deposit(database_url: str) -> None:
    """R-BID-15: bars by role or link do not reach the debtor, who is no applicant either (R-BID-05)."""
    async with opened(database_url) as database:
        debtor = bidder()
        case = await applicants(database, (bidder(), 150_000))
        await link_person(database, case, "debtor", debtor.person)
        lot_id = await publish(database, case_id=case.id)
        with pytest.raises(NotTheApplicant):
            await service.register(database, call(debtor), lot_id, ordinary(BidderKind.APPLICANT))
        _, own = await admitted(database, lot_id, debtor)
        assert (own.state, own.deposit_due_fen) == ("admitted", DEPOSIT_FEN)


@pytest.mark.parametrize(
    ("kind", "claim_fen", "method", "due_fen", "state"),
    [
        ("applicant", 150_000, "auction", 50_000, "awaiting_deposit"),
        ("applicant", 200_000, "auction", 0, "admitted"),
        ("applicant", 150_000, "sell_off", 850_000, "awaiting_deposit"),
        ("other_creditor", 150_000, "auction", 200_000, "awaiting_deposit"),
        ("ordinary", 150_000, "sell_off", START_FEN, "awaiting_deposit"),
    ],
)
async def test_deposit_by_kind(
    database_url: str, kind: str, claim_fen: int, method: str, due_fen: int, state: str
) -> None:
    async with opened(database_url) as database:
        who = bidder()
        case = await applicants(database, (who, claim_fen))
        lot_id = await publish(database, method=method, case_id=case.id)
        made = await service.register(database, call(who), lot_id, ordinary(BidderKind(kind)))
        assert (made.deposit_due_fen, made.state) == (due_fen, state)
        assert await admitted_so_far(database, lot_id) == (state == "admitted"), "who owes nothing is counted too"
        with pytest.raises(NotTheApplicant):
            await service.register(database, call(bidder()), lot_id, ordinary(BidderKind.APPLICANT))
        async with database.reading(platform("test")) as tx:
            told = (await tx.session.execute(text("SELECT payload FROM kernel.outbox"))).scalar_one()
        assert told["deposit_due_fen"] == due_fen
        assert told["registration_id"] == str(made.registration_id)
        assert str(who.person_id) not in str(told)


async def test_each_applicant_is_spared_by_their_own_claim(database_url: str) -> None:
    """R-BID-05: the second named as much as the first, whenever the court linked them and registered the claim."""
    async with opened(database_url) as database:
        first, second, late = bidder(), bidder(), bidder()
        court = await make_court(database)
        case = await applicants(database, (first, 150_000), (second, 30_000), (bidder(), 0), court=court)
        lots = [await publish(database, case_id=case.id) for _ in range(2)]
        kind = ordinary(BidderKind.APPLICANT)
        dues = [(await service.register(database, call(who), lots[0], kind)).deposit_due_fen for who in (first, second)]
        assert dues == [DEPOSIT_FEN - 150_000, DEPOSIT_FEN - 30_000]
        with pytest.raises(NotTheApplicant):
            await service.register(database, call(late), lots[0], kind)
        await link_person(database, case, "applicant-2", late.person)
        assert (await service.register(database, call(late), lots[0], kind)).deposit_due_fen == DEPOSIT_FEN
        await make_claim(database, court, case, "applicant-2", interest_fen=1, principal_fen=80_000)
        assert (await service.register(database, call(late), lots[1], kind)).deposit_due_fen == DEPOSIT_FEN - 80_001


async def test_one_accepts_the_announcement_of_this_lot(database_url: str) -> None:
    """R-PUB-04: what a bidder accepted is kept with its version, so it must be the one that was published."""
    async with opened(database_url) as database:
        lot_id, before = await publish(database, announcement_version="1f" * 32), await publish(database)
        other = Register(kind=BidderKind.ORDINARY, accepts="2e" * 32, declares_eligible=True)
        with pytest.raises(AnnouncementChanged):
            await service.register(database, call(bidder()), lot_id, other)
        assert await service.register(database, call(bidder()), before, other), "published before it was told"
        right = Register(kind=BidderKind.ORDINARY, accepts="1f" * 32, declares_eligible=True)
        assert await service.register(database, call(bidder()), lot_id, right)


async def test_registration_is_open_until_the_end_and_halts_keep_it_open(database_url: str) -> None:
    async with opened(database_url) as database:
        lot_id = await publish(database)
        frozen(database).set(ENDS - timedelta(milliseconds=1))
        made = await service.register(database, call(bidder()), lot_id, ordinary())
        frozen(database).set(ENDS)
        with pytest.raises(RegistrationClosed):
            await service.register(database, call(bidder()), lot_id, ordinary())
        with pytest.raises(RegistrationClosed):
            async with database.transaction(platform("deposits")) as tx:
                await api.admit(tx, made.registration_id)
        async with database.transaction(platform("test")) as tx:
            halted = {"status": "suspended", "ends_at": None, "remaining_ms": 60_000}
            await tx.session.execute(update(Lot).values(halted))
        assert await service.register(database, call(bidder()), lot_id, ordinary())
        await close_suspended(database)
        with pytest.raises(RegistrationClosed):
            await service.register(database, call(bidder()), lot_id, ordinary())


async def close_suspended(database: Database) -> None:
    async with database.transaction(platform("test")) as tx:
        await tx.session.execute(update(Lot).values(status="withdrawn", remaining_ms=None))


async def test_the_leader_is_not_released_before_nor_after_the_end(database_url: str) -> None:
    async with opened(database_url) as database:
        lot_id = await publish(database)
        _, own = await admitted(database, lot_id)
        await lead(database, lot_id, own.registration_id)
        with pytest.raises(LeadsNow):
            async with database.transaction(platform("deposits")) as tx:
                await api.release(tx, [own.registration_id])
        await lead(database, lot_id, own.registration_id, status="closed", outcome="sold")
        with pytest.raises(LeadsNow):
            async with database.transaction(platform("deposits")) as tx:
                await api.release(tx, [own.registration_id])
        await lead(database, lot_id, own.registration_id, status="withdrawn", outcome=None)
        async with database.transaction(platform("deposits")) as tx:
            await api.release(tx, [own.registration_id])


async def test_a_release_waits_for_the_batch_that_makes_its_bidder_lead(database_url: str) -> None:
    """Row 78: the lot's lock decides."""
    async with opened(database_url) as database:
        assert await released_beside_a_batch(database) == "leads-now"


async def test_without_the_lots_lock_a_leader_would_be_released(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: the same release, which reads the row of before."""
    monkeypatch.setattr(store, "LOCK_LOTS", text("SELECT CAST(:ids AS uuid[])"))
    async with opened(database_url) as database:
        assert await released_beside_a_batch(database) == "released"


async def released_beside_a_batch(database: Database) -> str:
    """What becomes of a release that comes while a batch is about to make its bidder lead."""
    lot_id = await publish(database)
    _, own = await admitted(database, lot_id)
    async with database.engine.connect() as batch:
        await batch.execute(text("SELECT 1 FROM bidding.lot WHERE lot_id = :id FOR UPDATE"), {"id": lot_id})
        await batch.execute(
            text(
                "UPDATE bidding.lot SET leader_registration_id = :registration, leader_code = :code,"
                " price_fen = start_price_fen, bids = 1 WHERE lot_id = :id"
            ),
            {"registration": own.registration_id, "code": own.code, "id": lot_id},
        )
        releasing = asyncio.create_task(release_or_refusal(database, own.registration_id))
        await asyncio.wait({releasing}, timeout=0.5)
        await batch.commit()
        return await releasing


async def release_or_refusal(database: Database, registration_id: UUID) -> str:
    try:
        async with database.transaction(platform("deposits")) as tx:
            await api.release(tx, [registration_id])
    except LeadsNow as refusal:
        return refusal.code
    return "released"


async def test_identity_opens_after_the_end_only_and_leaves_a_row(database_url: str) -> None:
    async with opened(database_url) as database:
        lot_id = await publish(database)
        who, own = await admitted(database, lot_id)
        officer = Actor(random_id(), "officer", frozenset({Role.CLERK}), COURT, "127.0.0.1")
        with pytest.raises(IdentitySealed):
            async with database.transaction(officer) as tx:
                await api.reveal_buyers(tx, [own.registration_id], "refund")
        await close(database, lot_id)
        async with database.transaction(officer) as tx:
            revealed = await api.reveal_buyers(tx, [own.registration_id], "refund")
            assert revealed == {own.registration_id: [api.Buyer(who.person, "1")]}
        async with database.reading(officer) as tx:
            access = (await tx.session.scalars(select(IdentityAccess))).one()
        assert (access.actor_id, access.purpose) == (officer.person_id, "refund")


async def test_no_column_before_the_close_holds_a_person_beside_a_code(database_url: str) -> None:
    """Invariant 16: the person's id stands in one table of bidding, and in nothing that names a registration."""
    async with opened(database_url) as database:
        lot_id = await publish(database)
        who, own = await admitted(database, lot_id, bidder("张三丰-marker"))
        holders: dict[str, str] = {}
        async with database.reading(platform("test")) as tx:
            tables = await tx.session.execute(
                text(
                    "SELECT table_schema || '.' || table_name FROM information_schema.tables"
                    " WHERE table_type = 'BASE TABLE' AND table_schema IN ('kernel', 'bidding')"
                )
            )
            for table in tables.scalars():
                rows = await tx.session.execute(text(f"SELECT t::text FROM {table} t"))
                for row in rows.scalars():
                    markers = (str(who.person_id), who.name, str(who.session_id))
                    named = (str(own.registration_id), str(own.code), str(lot_id))
                    if any(marker in row for marker in markers) and any(name in row for name in named):
                        holders[table] = row
        assert set(holders) == {"bidding.registration_identity"}


async def test_codes_are_unique_and_tell_no_order(database_url: str) -> None:
    """Invariant 17: neither codes nor ids follow the order of registration, and lots give other codes."""
    async with opened(database_url) as database:
        lots = [await publish(database), await publish(database)]
        people = [bidder() for _ in range(40)]
        made = [[await service.register(database, call(who), lot_id, ordinary()) for who in people] for lot_id in lots]
        async with database.reading(platform("test")) as tx:
            codes = [[(await api.get_registration(tx, own.registration_id)).code for own in of_lot] for of_lot in made]
            listed = [facts.code for facts in await api.list_registrations(tx, lots[0])]
        assert listed == sorted(codes[0])
        assert all(len(set(of_lot)) == 40 for of_lot in codes)
        assert sum(one == other for one, other in zip(*codes, strict=True)) <= 1
        for order in (codes[0], [str(own.registration_id) for own in made[0]]):
            rises = sum(a < b for a, b in itertools.pairwise(order))
            assert 8 <= rises <= 31  # of 39; by chance outside once in 10,000 runs


async def test_a_priority_purchaser_before_and_after_registering(database_url: str) -> None:
    """R-PRIO-01: by decision of the panel; the code says so unless it already stands in the lot's record."""
    async with opened(database_url) as database:
        court = await make_court(database)
        case = await make_case(database, court)
        decision = await make_decision(database, court, case, "priority")
        lot_id = await publish(database, case_id=case.id, court_id=court.id)
        early, late, bound = [await named_bidder(database, f"buyer-{n}") for n in range(3)]

        await grant(database, court.judge, lot_id, early, 1, decision.id)
        _, first = await admitted(database, lot_id, early)
        assert (first.priority_rank, str(first.code)[0], len(str(first.code))) == (1, "P", 6)

        _, before = await admitted(database, lot_id, late)
        assert (before.priority_rank, str(before.code)[0] == "P") == (None, False)
        await grant(database, court.judge, lot_id, late, 2, decision.id)
        after = await service.show_own(database, late, lot_id)
        assert (after.priority_rank, str(after.code)[0]) == (2, "P")
        await grant(database, court.judge, lot_id, late, 3, decision.id)
        assert (await service.show_own(database, late, lot_id)).code == after.code

        _, recorded = await admitted(database, lot_id, bound)
        await submitted(database, lot_id, recorded.registration_id)
        await grant(database, court.judge, lot_id, bound, 4, decision.id)
        kept = await service.show_own(database, bound, lot_id)
        assert (kept.priority_rank, kept.code) == (4, recorded.code)


async def test_priority_needs_its_own_decision_and_court(database_url: str) -> None:
    async with opened(database_url) as database:
        court, other = await make_court(database), await make_court(database)
        case = await make_case(database, court)
        wrong = await make_decision(database, court, case, "suspension")
        right = await make_decision(database, court, case, "priority")
        lot_id = await publish(database, case_id=case.id, court_id=court.id)
        who = await named_bidder(database, "buyer")
        with pytest.raises(Refusal):
            await grant(database, court.judge, lot_id, who, 1, wrong.id)
        with pytest.raises(NotFound):
            await grant(database, other.judge, lot_id, who, 1, right.id)
        with pytest.raises(NotFound):
            await grant(database, court.judge, lot_id, bidder("nobody"), 1, right.id)
        with pytest.raises(Forbidden):
            await grant(database, court.clerk, lot_id, who, 1, right.id)
        assert (await admitted(database, lot_id, who))[1].priority_rank is None


async def named_bidder(database: Database, name: str) -> Actor:
    """A bidder with an account, so that a judge can name them."""
    made = await create_staff(
        database,
        QUICK_PASSWORDS,
        username=name,
        real_name="某人",
        password="a long password",
        roles=[Role.BIDDER],
        court_code=None,
    )
    return Actor(made.id, name, frozenset({Role.BIDDER}), None, "127.0.0.1", random_id())


async def grant(database: Database, judge: Actor, lot_id: UUID, who: Actor, rank: int, decision_id: UUID) -> None:
    wanted = GrantPriority(username=who.name, rank=rank, decision_id=decision_id)
    await confirmations.grant_priority(database, call(judge), lot_id, wanted)


async def submitted(database: Database, lot_id: UUID, registration_id: UUID) -> None:
    """A refusal in the lot's record under this registration."""
    insert = text(
        "INSERT INTO bidding.submission (lot_id, entry, kind, registration_id, key, price_fen, received_at,"
        " ingress_at, refusal, payload_hash, event, link) VALUES (:lot, 1, 'bid', :registration, gen_random_uuid(), 1,"
        " now(), now(), 'below-start-price', sha256(''), '', sha256(''))"
    )
    async with database.transaction(platform("test")) as tx:
        await tx.session.execute(insert, {"lot": lot_id, "registration": registration_id})


async def test_a_hold_suspends_the_lot_and_stops_its_resume(database_url: str) -> None:
    async with opened(database_url) as database:
        asset_id = ordered_id()
        lot_id = await publish(database, asset_id=asset_id)
        placed = HoldPlaced(hold_id=ordered_id(), asset_id=asset_id, case_id=CASE, reason="案外人异议")
        async with database.transaction(platform("relay")) as tx:
            await handlers.place_hold(tx, placed)
        async with database.reading(platform("test")) as tx:
            rows = (await tx.session.execute(text("SELECT lot_id, kind, reason FROM bidding.lot_command"))).all()
        assert [tuple(row) for row in rows] == [(lot_id, "suspended", "案外人异议")]
        with pytest.raises(Exception, match="may not be disposed"):
            async with database.transaction(platform("test")) as tx:
                await commands.order(tx, lot_id, "resume", "查明")
        lifted = HoldLifted(hold_id=placed.hold_id, asset_id=asset_id, case_id=CASE)
        async with database.transaction(platform("relay")) as tx:
            await handlers.lift_hold(tx, lifted)
            await commands.order(tx, lot_id, "resume", "异议已驳回")
