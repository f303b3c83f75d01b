"""HTTP routes of registration."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from bidding.registration import confirmations, service
from bidding.registration.schemas import (
    AgentView,
    BidPassword,
    ConfirmAgent,
    ConfirmJointBidders,
    GrantPriority,
    JointBiddersView,
    OwnRegistration,
    PriorityView,
    Register,
    UnlockLot,
)
from kernel.actors import Actor, Role
from kernel.database import Call, Database
from kernel.web import allow


@post("/api/lots/{lot_id:uuid}/registrations", guards=[allow(Role.BIDDER)], status_code=201)
async def register(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[Register],
) -> OwnRegistration:
    """Register on a lot (报名), until bidding ends, extensions included (R-BID-06)."""
    return await service.register(database, call, lot_id, data)


@get("/api/lots/{lot_id:uuid}/registration", guards=[allow(Role.BIDDER)])
async def show_registration(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> OwnRegistration:
    """One's own registration, with the bidder code once admitted (R-BID-07)."""
    return await service.show_own(database, actor, lot_id)


@post("/api/lots/{lot_id:uuid}/bid-password", guards=[allow(Role.BIDDER)], status_code=201)
async def issue_password(
    database: NamedDependency[Database], call: NamedDependency[Call], lot_id: FromPath[UUID]
) -> BidPassword:
    """Issue a bid password (参拍密码), shown this once; asking again, also with the same key, issues another."""
    return await service.issue_password(database, call.actor, lot_id)


@post("/api/lots/{lot_id:uuid}/unlock", guards=[allow(Role.BIDDER)], status_code=201)
async def unlock(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[UnlockLot],
) -> OwnRegistration:
    """Enter the bid password, once per lot and login session."""
    return await service.unlock(database, call, lot_id, data)


@post("/api/lots/{lot_id:uuid}/priority", guards=[allow(Role.JUDGE)], status_code=201)
async def grant_priority(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[GrantPriority],
) -> PriorityView:
    """Confirm a priority purchaser with a rank (R-PRIO-01)."""
    return await confirmations.grant_priority(database, call, lot_id, data)


@post("/api/lots/{lot_id:uuid}/agents", guards=[allow(Role.JUDGE)], status_code=201)
async def confirm_agent(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[ConfirmAgent],
) -> AgentView:
    """Confirm before bidding begins that somebody bids for another, who then is the buyer (R-PUB-04)."""
    return await confirmations.confirm_agent(database, call, lot_id, data)


@post("/api/lots/{lot_id:uuid}/joint-bidders", guards=[allow(Role.JUDGE)], status_code=201)
async def confirm_joint_bidders(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[ConfirmJointBidders],
) -> JointBiddersView:
    """Confirm before bidding begins that several persons buy together under one code and deposit (R-PUB-04)."""
    return await confirmations.confirm_joint_bidders(database, call, lot_id, data)


ROUTES = [
    register,
    show_registration,
    issue_password,
    unlock,
    grant_priority,
    confirm_agent,
    confirm_joint_bidders,
]
