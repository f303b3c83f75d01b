"""Who stands behind a code, when they were admitted, on which terms: a superuser's edit of any of it is found."""

from uuid import UUID

import pytest
from sqlalchemy import text

from bidding import api, verify
from bidding.registration import confirmations, service
from bidding.registration.schemas import ConfirmAgent
from kernel.actors import platform
from kernel.database import Database
from tests.appraisal.support import make_case, make_court, make_decision
from tests.bidding.registration.test_agents import JUDGE, person
from tests.bidding.registration.test_joint import confirm, three
from tests.bidding.registration.test_service import grant, named_bidder, submitted
from tests.bidding.support import admitted, bidder, ordinary, publish
from tests.support.house import call, opened
from tests.support.intruder import as_superuser

pytestmark = pytest.mark.anyio


async def faults(database: Database) -> list[str]:
    """What `verify` finds, without what a desk would have had to write."""
    async with database.reading(platform("verify")) as tx:
        return await verify.faults(tx)


async def two_bidders(database: Database) -> UUID:
    """A lot with two admitted bidders and a third whose deposit is due."""
    lot_id = await publish(database)
    for _ in range(2):
        await admitted(database, lot_id)
    await service.register(database, call(bidder()), lot_id, ordinary())
    return lot_id


SOMEBODY_ELSE = "somebody else stands behind it or its code"
EDITS = {
    "who stands behind it": (
        ["UPDATE bidding.registration_identity SET person_id = gen_random_uuid()"],
        SOMEBODY_ELSE,
    ),
    "persons swapped": (
        [
            "UPDATE bidding.registration_identity SET lot_id = gen_random_uuid() FROM bidding.registration r"
            " WHERE r.id = registration_id AND r.state = 'admitted'",
            "UPDATE bidding.registration_identity i SET person_id = o.person_id, salt = o.salt"
            " FROM bidding.registration_identity o, bidding.lot l"
            " WHERE o.registration_id <> i.registration_id AND l.lot_id NOT IN (i.lot_id, o.lot_id)",
            "UPDATE bidding.registration_identity SET lot_id = l.lot_id FROM bidding.lot l",
        ],
        SOMEBODY_ELSE,
    ),
    "codes swapped": (
        [
            "UPDATE bidding.registration r SET code = 'x' || o.code FROM bidding.registration o"
            " WHERE r.id <> o.id AND 'admitted' = ALL (ARRAY[r.state, o.state])",
            "UPDATE bidding.registration SET code = ltrim(code, 'x')",
        ],
        SOMEBODY_ELSE,
    ),
    "salt": (["UPDATE bidding.registration_identity SET salt = sha256('x')"], SOMEBODY_ELSE),
    "no salt, as of old": (["UPDATE bidding.registration_identity SET salt = NULL"], SOMEBODY_ELSE),
    "nobody": (["DELETE FROM bidding.registration_identity"], "who stands behind it was taken out"),
    "on another lot": (["UPDATE bidding.registration_identity SET lot_id = gen_random_uuid()"], "was taken out"),
    "a registration taken out": (
        [
            "DELETE FROM bidding.registration_identity WHERE registration_id ="
            " (SELECT id FROM bidding.registration WHERE state = 'awaiting_deposit')",
            "DELETE FROM bidding.registration WHERE state = 'awaiting_deposit'",
        ],
        "was taken out",
    ),
    "a registration added": (
        [
            "INSERT INTO bidding.registration (id, lot_id, code, kind, deposit_due_fen, state, admitted_at)"
            " SELECT gen_random_uuid(), lot_id, 'X0001', kind, deposit_due_fen, state, admitted_at"
            " FROM bidding.registration WHERE state = 'admitted' LIMIT 1"
        ],
        "it was added behind the audit trail",
    ),
    "admitted earlier": (
        ["UPDATE bidding.registration SET admitted_at = admitted_at - interval '1 ms' WHERE state = 'admitted'"],
        "it was not admitted at 2025-",
    ),
    "admitted unpaid": (
        [
            "UPDATE bidding.registration SET state = 'admitted', admitted_at = '2025-03-03Z'"
            " WHERE state = 'awaiting_deposit'"
        ],
        "it was not admitted at 2025-",
    ),
    "admission undone": (
        ["UPDATE bidding.registration SET state = 'awaiting_deposit', admitted_at = NULL WHERE state = 'admitted'"],
        "it was not admitted at None",
    ),
    "released": (
        ["UPDATE bidding.registration SET state = 'released', released_at = '2025-03-04Z' WHERE state = 'admitted'"],
        "it did not become released at 2025-",
    ),
    "barred": (
        ["UPDATE bidding.registration SET state = 'barred', barred_reason = '无' WHERE state = 'admitted'"],
        "it did not become barred",
    ),
    "deposit due": (
        ["UPDATE bidding.registration SET deposit_due_fen = deposit_due_fen - 1"],
        "its kind or its deposit is not the one",
    ),
    "kind": (["UPDATE bidding.registration SET kind = 'other_creditor'"], "its kind or its deposit is not the one"),
    "how many were admitted": (["UPDATE bidding.lot SET admitted = 3"], "says that 3 bidders were admitted"),
    "deposit of the lot": (["UPDATE bidding.lot SET deposit_fen = 1"], "its copied terms"),
    "title": (["UPDATE bidding.lot SET title = '另一标的'"], "its copied terms"),
    "case": (["UPDATE bidding.lot SET case_id = gen_random_uuid()"], "its copied terms"),
    "court": (["UPDATE bidding.lot SET court_id = gen_random_uuid()"], "its copied terms"),
    "asset": (["UPDATE bidding.lot SET asset_id = gen_random_uuid()"], "its copied terms"),
    "a lot taken out": (
        [
            "DELETE FROM bidding.lot",
            "DELETE FROM bidding.registration",
            "DELETE FROM bidding.registration_identity",
        ],
        "it was taken out",
    ),
}


@pytest.mark.parametrize(("edit", "fault"), EDITS.values(), ids=EDITS.keys())
async def test_an_edit_by_hand_shows(database_url: str, edit: list[str], fault: str) -> None:
    async with opened(database_url) as database:
        await two_bidders(database)
        assert await faults(database) == []
        await as_superuser(database_url, *edit)
        assert [found for found in await faults(database) if fault in found]


RELEASED = {
    "earlier": "UPDATE bidding.registration SET released_at = released_at - interval '1 ms' WHERE state = 'released'",
    "not at all": "UPDATE bidding.registration SET state = 'admitted', released_at = NULL WHERE state = 'released'",
}


@pytest.mark.parametrize("edit", RELEASED.values(), ids=RELEASED.keys())
async def test_an_edited_release_shows(database_url: str, edit: str) -> None:
    async with opened(database_url) as database:
        _, own = await admitted(database, await publish(database))
        async with database.transaction(platform("deposits")) as tx:
            await api.release(tx, [own.registration_id])
        assert await faults(database) == []
        await as_superuser(database_url, edit)
        assert [fault for fault in await faults(database) if "it did not become" in fault]


async def test_no_fault_names_a_person(database_url: str) -> None:
    async with opened(database_url) as database:
        lot_id = await publish(database)
        who, _ = await admitted(database, lot_id)
        await as_superuser(database_url, "UPDATE bidding.registration_identity SET salt = sha256('x')")
        [found] = await faults(database)
        assert str(who.person) not in found


async def test_codes_of_priority_purchasers_change_honestly_and_show_when_edited(database_url: str) -> None:
    """Before, after and too late for a code; the entry of a grant tells nobody whether the person has registered."""
    async with opened(database_url) as database:
        court = await make_court(database)
        case = await make_case(database, court)
        decision = await make_decision(database, court, case, "priority")
        lot_id = await publish(database, case_id=case.id, court_id=court.id)
        early, late, bound = [await named_bidder(database, f"buyer-{n}") for n in range(3)]
        await grant(database, court.judge, lot_id, early, 1, decision.id)
        for who in (early, late, bound):
            _, own = await admitted(database, lot_id, who)
        await grant(database, court.judge, lot_id, late, 2, decision.id)
        await grant(database, court.judge, lot_id, late, 3, decision.id)
        assert await _of_registrations(database) == []
        await submitted(database, lot_id, own.registration_id)
        await grant(database, court.judge, lot_id, bound, 4, decision.id)
        assert await _of_registrations(database) == []
        async with database.reading(platform("test")) as tx:
            told = text(
                "SELECT length(convert_from(facts, 'UTF8')::json ->> 'bidder') FROM kernel.audit_entry"
                " WHERE action = 'registration.grant-priority'"
            )
            assert (await tx.session.scalars(told)).all() == [64] * 4
        ranks = [
            "UPDATE bidding.priority_grant SET rank = {} WHERE rank = {}".format(*pair) for pair in ((9, 1), (1, 9))
        ]
        await as_superuser(database_url, ranks[0])
        assert [fault for fault in await faults(database) if "its priority purchasers" in fault]
        await as_superuser(database_url, ranks[1])
        edit = "UPDATE bidding.registration_identity SET person_id = gen_random_uuid() WHERE person_id = '{}'"
        await as_superuser(database_url, edit.format(late.person))
        [found] = [fault for fault in await _of_registrations(database) if "rank" not in fault]
        assert SOMEBODY_ELSE in found


async def of_all_ranks(database: Database) -> dict[str, UUID]:
    """Registrations of everybody who may have a rank or may seem to: those whom the court confirmed before they
    registered, after it, or once more; agents of such and such who are agents; and joint bidders with and without.
    """
    court = await make_court(database)
    case = await make_case(database, court)
    decision = await make_decision(database, court, case, "priority")
    lot_id = await publish(database, case_id=case.id, court_id=court.id)
    names = ("early", "late", "again", "agent", "principal", "ranked-agent", "client", "first", "second", "odd", "none")
    who = {name: await person(database, name, "某人") for name in names}
    for agent, principal in (("agent", "principal"), ("ranked-agent", "client")):
        wanted = ConfirmAgent(agent=agent, principal=principal, proof="授权委托书")
        await confirmations.confirm_agent(database, call(court.judge), lot_id, wanted)
    await confirm(database, lot_id, "first", "second", judge=court.judge)
    await confirm(database, lot_id, "odd", "none", judge=court.judge)
    for name, rank in (("early", 4), ("first", 5), ("ranked-agent", 2), ("odd", 1)):
        await grant(database, court.judge, lot_id, who[name], rank, decision.id)
    own = {}
    for name in ("early", "late", "again", "agent", "ranked-agent", "first", "odd"):
        own[name] = (await admitted(database, lot_id, who[name]))[1].registration_id
    own["ordinary"] = (await admitted(database, lot_id))[1].registration_id
    for name, rank in (("late", 6), ("again", 7), ("again", 3), ("principal", 8), ("second", 9)):
        await grant(database, court.judge, lot_id, who[name], rank, decision.id)
    return own


RANKS = {
    "added": ("ordinary", None, 1),
    "raised": ("early", 4, 3),
    "lowered": ("late", 6, 7),
    "as it was before": ("again", 3, 7),
    "removed": ("early", 4, None),
    "an agent's own": ("ranked-agent", None, 2),
    "of an agent for a purchaser removed": ("agent", 8, None),
    "of joint bidders of whom one has none": ("odd", None, 1),
    "of joint bidders the senior one": ("first", 9, 5),
}


@pytest.mark.parametrize(("name", "confirmed", "edited"), RANKS.values(), ids=RANKS.keys())
async def test_a_rank_that_the_court_did_not_confirm_shows(
    database_url: str, name: str, confirmed: int | None, edited: int | None
) -> None:
    """Ranks bid, and nothing but what the court confirmed gives one: the fault names both, and no person."""
    async with opened(database_url) as database:
        own = await of_all_ranks(database)
        assert await faults(database) == []
        rank = edited or "NULL"
        edit = f"UPDATE bidding.registration SET priority_rank = {rank} WHERE id = '{own[name]}'"
        await as_superuser(database_url, edit)
        assert await faults(database) == [
            f"registration {own[name]}: its priority rank is {edited}, what the court confirmed makes it {confirmed}"
        ]


async def test_ranks_swapped_or_without_anybody_behind_them_show(database_url: str) -> None:
    async with opened(database_url) as database:
        own = await of_all_ranks(database)
        await as_superuser(
            database_url,
            "UPDATE bidding.registration SET priority_rank = 10 - priority_rank WHERE priority_rank IN (4, 6)",
            f"DELETE FROM bidding.registration_identity WHERE registration_id = '{own['again']}'",
        )
        wrong = {fault.split()[1].strip(":") for fault in await faults(database) if "its priority rank is" in fault}
        assert wrong == {str(own[name]) for name in ("early", "late", "again")}


async def test_ranks_of_registrations_of_before_the_salt_show_too(database_url: str) -> None:
    async with opened(database_url) as database:
        own = await of_all_ranks(database)
        await as_superuser(
            database_url,
            "UPDATE bidding.registration_identity SET salt = NULL",
            "UPDATE kernel.audit_entry SET facts = convert_to((convert_from(facts, 'UTF8')::jsonb"
            " - 'bidder' - 'admitted_at')::text, 'UTF8') WHERE action LIKE 'registration.%'",
        )
        assert await faults(database) == []
        edit = f"UPDATE bidding.registration SET priority_rank = 1 WHERE id = '{own['ordinary']}'"
        await as_superuser(database_url, edit)
        assert len(await faults(database)) == 1


CONFIRMED = {
    "another buyer": "UPDATE bidding.mandate SET buyer_id = gen_random_uuid() WHERE place = 2",
    "another share": "UPDATE bidding.mandate SET parts = parts + 1 WHERE place = 2",
    "another bidder": "UPDATE bidding.mandate SET bidder_id = buyer_id WHERE place = 1",
    "another proof": "UPDATE bidding.mandate SET proof = '另一文件'",
    "no mandate": "DELETE FROM bidding.mandate",
}


@pytest.mark.parametrize("edit", CONFIRMED.values(), ids=CONFIRMED.keys())
async def test_for_whom_somebody_bids_shows_when_edited(database_url: str, edit: str) -> None:
    async with opened(database_url) as database:
        await three(database)
        await person(database, "agent", "赵六")
        await person(database, "principal", "钱七")
        lot_id = await publish(database)
        await confirm(database, lot_id)
        wanted = ConfirmAgent(agent="agent", principal="principal", proof="授权委托书")
        await confirmations.confirm_agent(database, call(JUDGE), lot_id, wanted)
        assert await faults(database) == []
        await as_superuser(database_url, edit)
        assert [fault for fault in await faults(database) if "for whom somebody bids" in fault]


async def _of_registrations(database: Database) -> list[str]:
    return [fault for fault in await faults(database) if fault.startswith("registration")]


async def test_registrations_of_before_the_salt_are_no_fault(database_url: str) -> None:
    """Their entries told neither who nor when; the deposit, and the moment of the admission to a second, are known."""
    async with opened(database_url) as database:
        await two_bidders(database)
        await as_superuser(
            database_url,
            "UPDATE bidding.registration_identity SET salt = NULL",
            "UPDATE kernel.audit_entry SET facts = convert_to((convert_from(facts, 'UTF8')::jsonb"
            " - 'bidder' - 'admitted_at')::text, 'UTF8') WHERE action LIKE 'registration.%'",
            "DELETE FROM kernel.audit_entry WHERE action = 'lots.copy-terms'",
        )
        assert await faults(database) == []
        await as_superuser(
            database_url,
            "UPDATE bidding.registration SET admitted_at = admitted_at - interval '2 s' WHERE state = 'admitted'",
        )
        assert len(await faults(database)) == 2
