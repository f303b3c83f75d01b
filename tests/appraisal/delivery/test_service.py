"""Service of documents on a real database."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from appraisal.days import DayInFuture
from appraisal.delivery import service
from appraisal.delivery.rules import ServiceMethod
from appraisal.delivery.schemas import RecordService
from kernel.actors import platform
from kernel.database import AlreadyAnswered, Database, Tx
from kernel.errors import Forbidden, NotFound
from tests.appraisal.support import Court, make_case, make_court, party_of, today
from tests.support.house import call

pytestmark = pytest.mark.anyio


def notice(database: Database, party_id: object, **changes: object) -> RecordService:
    facts: dict[str, object] = {
        "party_id": party_id,
        "document": "执行通知书",
        "subject": "case:notice",
        "method": ServiceMethod.MAIL,
        "served_on": today(database),
        "proof": "EMS 1234567890123 已妥投",
    }
    return RecordService(**(facts | changes))  # type: ignore[arg-type]


async def serve_plan(tx: Tx, case_id: UUID, party_id: UUID, served_on: date) -> UUID:
    return await service.record_service(
        tx,
        case_id=case_id,
        addressee_party_id=party_id,
        document="分配方案",
        subject="plan:1",
        served_on=served_on,
        method="direct",
        proof="送达回证",
    )


async def test_a_service_is_recorded_once_and_found_by_its_case(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    wanted = notice(database, party_of(case, "debtor").id)
    served = await service.record_party_service(database, call(court.clerk, "key-00001"), case.id, wanted)
    with pytest.raises(AlreadyAnswered):
        await service.record_party_service(database, call(court.clerk, "key-00001"), case.id, wanted)
    assert await service.show_services(database, court.judge, case.id) == (served,)
    assert served.party_id == party_of(case, "debtor").id
    assert served.served_on == today(database).isoformat()


async def test_settlement_records_a_service_in_its_own_transaction(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    party = party_of(case, "applicant")
    with pytest.raises(ZeroDivisionError):
        async with database.transaction(court.clerk) as tx:
            await serve_plan(tx, case.id, party.id, today(database))
            raise ZeroDivisionError
    async with database.transaction(court.clerk) as tx:
        service_id = await serve_plan(tx, case.id, party.id, today(database))
    assert [one.id for one in await service.show_services(database, court.judge, case.id)] == [service_id]


async def test_the_addressee_is_a_party_and_the_day_has_come(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    other = await make_case(database, court)
    stranger = notice(database, party_of(other, "debtor").id)
    with pytest.raises(NotFound):
        await service.record_party_service(database, call(court.clerk), case.id, stranger)
    early = notice(database, party_of(case, "debtor").id, served_on=today(database) + timedelta(days=1))
    with pytest.raises(DayInFuture):
        await service.record_party_service(database, call(court.clerk), case.id, early)
    async with database.transaction(court.clerk) as tx:
        with pytest.raises(NotFound):
            await serve_plan(tx, case.id, party_of(other, "debtor").id, today(database))


async def test_other_courts_and_roles_are_kept_out(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    wanted = notice(database, party_of(case, "debtor").id)
    other = await make_court(database)
    with pytest.raises(NotFound):
        await service.record_party_service(database, call(other.clerk), case.id, wanted)
    with pytest.raises(NotFound):
        await service.show_services(database, other.clerk, case.id)
    with pytest.raises(Forbidden):
        await service.record_party_service(database, call(court.judge), case.id, wanted)


async def test_a_service_cannot_be_changed(database: Database, court: Court) -> None:
    case = await make_case(database, court)
    wanted = notice(database, party_of(case, "debtor").id)
    await service.record_party_service(database, call(court.clerk), case.id, wanted)
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction(platform("test")) as tx:
            await tx.session.execute(text("UPDATE appraisal.document_service SET served_on = '2025-01-01'"))
