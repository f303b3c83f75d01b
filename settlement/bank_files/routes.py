"""HTTP routes of bank files: for the bank's machine."""

from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.settings import Settings
from kernel.web import StrictRequest, allow
from settlement.bank_files import service
from settlement.bank_files.rules import OurAccount
from settlement.bank_files.schemas import BankFileView, Exported, PaymentFiles

MOST_BYTES = 10_000_000
"""The largest file: some ten thousand movements."""


@post("/api/bank/files", guards=[allow(Role.MACHINE)], status_code=201, request_max_body_size=MOST_BYTES)
async def take_file(
    request: StrictRequest, database: NamedDependency[Database], call: NamedDependency[Call], state: State
) -> BankFileView:
    """Deliver a statement (camt.053.001.08) or notice (camt.054.001.08): the body is the file. Once per message id."""
    return await service.take_file(database, call, await request.body(), account_of(state["settings"]))


@get("/api/bank/files/{file_id:uuid}", guards=[allow(Role.MACHINE)])
async def show_file(
    database: NamedDependency[Database], actor: NamedDependency[Actor], file_id: FromPath[UUID]
) -> BankFileView:
    """How far a delivered file is booked, and which of its movements could not be."""
    return await service.show_file(database, actor, file_id)


@post("/api/bank/payment-files", guards=[allow(Role.MACHINE)], status_code=201)
async def export_orders(database: NamedDependency[Database], call: NamedDependency[Call], state: State) -> Exported:
    """Put the payment orders that wait into a new file (pain.001.001.09); an order goes into one file only."""
    return await service.export_orders(database, call, account_of(state["settings"]))


@get("/api/bank/payment-files", guards=[allow(Role.MACHINE)])
async def show_payment_files(database: NamedDependency[Database], actor: NamedDependency[Actor]) -> PaymentFiles:
    """Files with orders that the bank has not answered; a bank takes a message id once, so it may be sent again."""
    return await service.show_payment_files(database, actor)


@get("/api/bank/payment-files/{file_id:uuid}", guards=[allow(Role.MACHINE)])
async def read_payment_file(
    database: NamedDependency[Database], actor: NamedDependency[Actor], file_id: FromPath[UUID]
) -> Response[bytes]:
    """A payment file: pain.001.001.09, the same bytes every time."""
    file = await service.read_payment_file(database, actor, file_id)
    headers = {
        "content-disposition": f'attachment; filename="{file.id.hex}.xml"',
        "etag": f'"{file.sha256.hex()}"',
    }
    return Response(file.content, media_type="application/xml", headers=headers)


def account_of(settings: Settings) -> OurAccount | None:
    """The bank account of the settings; None where no files are exchanged."""
    if settings.bank_account is None:
        return None
    return OurAccount(settings.bank_account, settings.bank_account_holder or "", settings.bank_name or "")


ROUTES = [take_file, show_file, export_orders, show_payment_files, read_payment_file]
