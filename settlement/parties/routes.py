"""HTTP routes of parties: their own cases, by the account that the court linked with them."""

from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kernel.actors import Actor
from kernel.database import Database
from kernel.web import allow
from settlement.parties import service
from settlement.parties.schemas import OwnCases, PartyCase


@get("/api/my/cases", guards=[allow()])
async def list_own_cases(database: NamedDependency[Database], actor: NamedDependency[Actor]) -> OwnCases:
    """The cases in which one is a party (当事人), with the clocks that run."""
    return await service.show_cases(database, actor)


@get("/api/my/cases/{case_id:uuid}", guards=[allow()])
async def show_own_case(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> PartyCase:
    """One's own case: plans served, own claims, statement and clocks, and papers."""
    return await service.show_case(database, actor, case_id)


ROUTES = [list_own_cases, show_own_case]
