"""Claims on a real database: numbered in order, of one case, never changed."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from appraisal.claims import service, store
from appraisal.claims.errors import ClaimRegistered
from appraisal.claims.rules import ClaimKind
from appraisal.claims.schemas import ClaimView, RegisterClaim
from appraisal.days import DayInFuture
from kernel.actors import platform
from kernel.database import Database
from kernel.errors import Forbidden, NotFound
from kernel.ids import ordered_id
from kernel.money import Fen
from tests.appraisal.support import Court, make_case, make_claim, make_court, make_unpriced_asset, party_of, today
from tests.support.house import call

pytestmark = pytest.mark.anyio


async def test_claims_keep_what_was_registered_in_order(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    asset = await make_unpriced_asset(database, court, case)
    secured = await make_claim(
        database,
        court,
        case,
        kind=ClaimKind.SECURED,
        asset_id=asset.id,
        rank_on=date(2019, 3, 1),
        costs_fen=1,
        interest_fen=2,
        principal_fen=3,
        doubled_fen=4,
    )
    ordinary = await make_claim(database, court, case, "creditor", sealed_on=date(2023, 2, 1))
    assert await service.show_claims(database, court.judge, case.id) == (secured, ordinary)
    async with database.reading(platform("test")) as tx:
        claims = await service.list_claims(tx, case.id)
    assert [(claim.position, claim.total_fen) for claim in claims] == [(0, 10), (1, 100_000_000)]
    assert (claims[0].asset_id, claims[0].rank_on, claims[1].sealed_on) == (
        asset.id,
        date(2019, 3, 1),
        date(2023, 2, 1),
    )


async def test_claims_registered_at_once_get_different_positions(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    made = await asyncio.gather(*(make_claim(database, court, case, "creditor") for _ in range(4)))
    assert sorted(claim.position for claim in made) == [0, 1, 2, 3]


async def test_control_without_the_lock_two_claims_want_one_position(database: Database, court: Court) -> None:
    """What `lock_served_case` prevents: both transactions counted none before either wrote."""
    first = await make_claim(database, court, await make_case(database, court))
    async with database.reading(platform("test")) as tx:
        known = (await service.list_claims(tx, first.case_id))[0]
    with pytest.raises(IntegrityError, match="case_id_position"):
        async with database.transaction(platform("test")) as tx:
            same_position = replace(known, id=ordered_id(), title_no="another title")
            await store.add_claim(tx, same_position, tx.now())


async def test_one_claim_is_registered_once(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    both = await asyncio.gather(
        *(make_claim(database, court, case, title_no="（2024）沪0115民初1号") for _ in range(2)), return_exceptions=True
    )
    assert {type(one) for one in both} == {ClaimView, ClaimRegistered}


async def test_party_and_asset_belong_to_the_case(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    other = await make_case(database, court)
    foreign = await make_unpriced_asset(database, court, other)
    with pytest.raises(NotFound):
        await make_claim(database, court, case, kind=ClaimKind.SECURED, asset_id=foreign.id, rank_on=date(2019, 3, 1))
    mixed = case.__class__(case.id, case.case_no, case.court, other.parties, ())
    with pytest.raises(NotFound):
        await make_claim(database, court, mixed)


async def test_a_day_to_come_is_refused(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    tomorrow = today(database) + timedelta(days=1)
    with pytest.raises(DayInFuture) as caught:
        await make_claim(database, court, case, sealed_on=tomorrow)
    assert caught.value.detail.startswith(f"查封日为 {tomorrow}，")


async def test_other_courts_and_roles_are_kept_out(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    claim = await make_claim(database, court, case)
    other = await make_court(database)
    with pytest.raises(NotFound):
        await make_claim(database, other, case)
    with pytest.raises(NotFound):
        await service.show_claims(database, other.judge, case.id)
    wanted = RegisterClaim(
        party_id=party_of(case, "creditor").id,
        kind=claim.kind,
        title_no="x",
        costs_fen=Fen(0),
        interest_fen=Fen(0),
        principal_fen=Fen(1),
        doubled_fen=Fen(0),
    )
    with pytest.raises(Forbidden):
        await service.register_claim(database, call(court.judge), case.id, wanted)


async def test_a_claim_cannot_be_changed(database: Database, court: Court) -> None:
    await make_claim(database, court, await make_case(database, court))
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction(platform("test")) as tx:
            await tx.session.execute(text("UPDATE appraisal.titled_claim SET principal_fen = 1"))
