"""Use cases of service: record that a document was served, look up what was served."""

from datetime import date
from uuid import UUID

from appraisal.cases import service as cases
from appraisal.days import require_come
from appraisal.delivery import store
from appraisal.delivery.rules import Service, ServiceMethod
from appraisal.delivery.schemas import RecordService, ServiceView, service_view
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.audit import record
from kernel.database import Call, Database, Tx
from kernel.ids import ordered_id


async def record_party_service(database: Database, call: Call, case_id: UUID, wanted: RecordService) -> ServiceView:
    """Record that a document was served on a party of a case of the clerk's court."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        case = await cases.get_served_case(tx, case_id)
        service = await _record(
            tx,
            Service(
                id=ordered_id(),
                case_id=case.id,
                party_id=case.party(wanted.party_id).id,
                document=wanted.document,
                subject=wanted.subject,
                method=wanted.method,
                served_on=wanted.served_on,
                proof=wanted.proof,
            ),
        )
        return tx.answer(service_view(service))


async def show_services(database: Database, actor: Actor, case_id: UUID) -> tuple[ServiceView, ...]:
    """Everything served in a case of the reader's court."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        case = await cases.get_served_case(tx, case_id)
        return tuple(service_view(service) for service in await store.list_services(tx, case.id))


async def record_service(
    tx: Tx,
    *,
    case_id: UUID,
    addressee_party_id: UUID,
    document: str,
    subject: str,
    served_on: date,
    method: str,
    proof: str,
) -> UUID:
    """Record, in the caller's transaction, that a document was served on a party of the case; returns its id.

    `method` is a `ServiceMethod`; a party of another case is not found, a day to come is refused.
    """
    case = await cases.get_case(tx, case_id)
    service = Service(
        id=ordered_id(),
        case_id=case.id,
        party_id=case.party(addressee_party_id).id,
        document=document,
        subject=subject,
        method=ServiceMethod(method),
        served_on=served_on,
        proof=proof,
    )
    return (await _record(tx, service)).id


async def _record(tx: Tx, service: Service) -> Service:
    now = tx.now()
    require_come("served_on", service.served_on, now)
    await store.add_service(tx, service, now)
    await record(tx, "delivery.serve", f"service:{service.id}", service_view(service), case_id=service.case_id)
    return service
