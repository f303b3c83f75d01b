"""HTTP routes of distribution plans."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kernel.actors import COURT_STAFF, Actor, Role
from kernel.database import Call, Database
from kernel.web import allow
from settlement.completion.sale_schemas import FeeView, SaleView, SetFee, SetPriceOff
from settlement.distribution import creditors, disputes, fee_setting, service, setting_off, taking
from settlement.distribution import what_if as what_if_service
from settlement.distribution.participation_schemas import (
    ApplicationView,
    ApplyToJoin,
    ComputedFee,
    ParticipationView,
    PolicyView,
    RecogniseClaim,
    RecognisedClaim,
    SetPolicy,
)
from settlement.distribution.plan_schemas import (
    AcceptBankruptcy,
    BankruptcyView,
    DecidePlan,
    FileSuit,
    JudgeSuit,
    NotifyOfObjection,
    ObjectToPlan,
    OpposeObjection,
    PlanList,
    PlanView,
    ResolvePlan,
    ServePlan,
    TellObjector,
)
from settlement.distribution.taking_schemas import DecideTaking, ServeTaking, SurplusView, TakingView
from settlement.distribution.what_if import WhatIf, WhatIfView


@post("/api/cases/{case_id:uuid}/plans", guards=[allow(Role.MAKER)], status_code=201)
async def draft_plan(
    database: NamedDependency[Database], call: NamedDependency[Call], case_id: FromPath[UUID]
) -> PlanView:
    """Draft the next version of the distribution plan (分配方案) from the case's money, costs and claims."""
    return await service.draft_plan(database, call, case_id)


@get("/api/cases/{case_id:uuid}/plans", guards=[allow(*COURT_STAFF)])
async def list_plans(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> PlanList:
    """The plans of a case, latest version first."""
    return await service.show_plans(database, actor, case_id)


@post("/api/cases/{case_id:uuid}/what-if", guards=[allow(*COURT_STAFF)], status_code=200)
async def what_if(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID], data: JSONBody[WhatIf]
) -> WhatIfView:
    """The plan as it would be now beside the plan over changed inputs, line by line; nothing is stored."""
    return await what_if_service.compare(database, actor, case_id, data)


@get("/api/plans/{plan_id:uuid}", guards=[allow(*COURT_STAFF)])
async def show_plan(
    database: NamedDependency[Database], actor: NamedDependency[Actor], plan_id: FromPath[UUID]
) -> PlanView:
    """A plan with its lines, each with level, rule, article and arithmetic, and every recipient's clock."""
    return await service.show_plan(database, actor, plan_id)


@post("/api/plans/{plan_id:uuid}/decide", guards=[allow(Role.JUDGE)], status_code=201)
async def decide_plan(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    plan_id: FromPath[UUID],
    data: JSONBody[DecidePlan],
) -> PlanView:
    """Record the panel's decision on the plan."""
    return await service.decide_plan(database, call, plan_id, data)


@post("/api/plans/{plan_id:uuid}/services", guards=[allow(Role.CLERK)], status_code=201)
async def serve_plan(
    database: NamedDependency[Database], call: NamedDependency[Call], plan_id: FromPath[UUID], data: JSONBody[ServePlan]
) -> PlanView:
    """Record service (送达) of the plan on one recipient, which starts that recipient's fifteen days."""
    return await service.serve_plan(database, call, plan_id, data)


@post("/api/plans/{plan_id:uuid}/objections", guards=[allow(Role.CLERK)], status_code=201)
async def object_to_plan(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    plan_id: FromPath[UUID],
    data: JSONBody[ObjectToPlan],
) -> PlanView:
    """Record a recipient's written objection (方案异议) and what it says the disputed claims should be."""
    return await disputes.object_to_plan(database, call, plan_id, data)


@post("/api/objections/{objection_id:uuid}/notices", guards=[allow(Role.CLERK)], status_code=201)
async def notify_of_objection(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    objection_id: FromPath[UUID],
    data: JSONBody[NotifyOfObjection],
) -> PlanView:
    """Record notice of the objection to one party, which starts that party's fifteen days."""
    return await disputes.notify_of_objection(database, call, objection_id, data)


@post("/api/objections/{objection_id:uuid}/counter-opinions", guards=[allow(Role.CLERK)], status_code=201)
async def oppose_objection(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    objection_id: FromPath[UUID],
    data: JSONBody[OpposeObjection],
) -> PlanView:
    """Record a party's counter-opinion (反对意见)."""
    return await disputes.oppose_objection(database, call, objection_id, data)


@post("/api/objections/{objection_id:uuid}/told", guards=[allow(Role.CLERK)], status_code=201)
async def tell_objector(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    objection_id: FromPath[UUID],
    data: JSONBody[TellObjector],
) -> PlanView:
    """Record that the objector was told of the opposition, which starts fifteen days to sue."""
    return await disputes.tell_objector(database, call, objection_id, data)


@post("/api/objections/{objection_id:uuid}/suit", guards=[allow(Role.CLERK)], status_code=201)
async def file_suit(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    objection_id: FromPath[UUID],
    data: JSONBody[FileSuit],
) -> PlanView:
    """Record the objector's suit (分配方案异议之诉)."""
    return await disputes.file_suit(database, call, objection_id, data)


@post("/api/objections/{objection_id:uuid}/judgment", guards=[allow(Role.JUDGE)], status_code=201)
async def judge_suit(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    objection_id: FromPath[UUID],
    data: JSONBody[JudgeSuit],
) -> PlanView:
    """Record the final judgment of the suit."""
    return await disputes.judge_suit(database, call, objection_id, data)


@post("/api/plans/{plan_id:uuid}/resolve", guards=[allow(Role.JUDGE)], status_code=201)
async def resolve_plan(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    plan_id: FromPath[UUID],
    data: JSONBody[ResolvePlan],
) -> PlanView:
    """Correct an objected plan, or pay its undisputed part and keep the rest in escrow (提存) while suits run."""
    return await disputes.resolve_plan(database, call, plan_id, data)


@post("/api/plans/{plan_id:uuid}/release", guards=[allow(Role.JUDGE)], status_code=201)
async def release_escrow(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    plan_id: FromPath[UUID],
    data: JSONBody[ResolvePlan],
) -> PlanView:
    """Give out what the plan keeps in escrow, as the judgments of all its suits say."""
    return await disputes.release_escrow(database, call, plan_id, data)


@post("/api/plans/{plan_id:uuid}/confirm", guards=[allow(Role.JUDGE)], status_code=201)
async def confirm_plan(
    database: NamedDependency[Database], call: NamedDependency[Call], plan_id: FromPath[UUID]
) -> PlanView:
    """Let the plan be paid as it stands: every clock ran out, no objection is left, nothing changed, no hold stands."""
    return await service.confirm_plan(database, call, plan_id)


@post("/api/participation-policy", guards=[allow(Role.CHIEF)], status_code=201)
async def set_policy(
    database: NamedDependency[Database], call: NamedDependency[Call], data: JSONBody[SetPolicy]
) -> PolicyView:
    """Set until when creditors may join the distribution (参与分配截止), for the court or for one of its cases."""
    return await creditors.set_policy(database, call, data)


@post("/api/cases/{case_id:uuid}/participations", guards=[allow(Role.BIDDER, Role.CLERK)], status_code=201)
async def apply_to_join(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    data: JSONBody[ApplyToJoin],
) -> ApplicationView:
    """Apply to join the distribution (申请参与分配): the creditor themselves, or the clerk for them."""
    return await creditors.apply_to_join(database, call, case_id, data)


@get("/api/cases/{case_id:uuid}/participations", guards=[allow(*COURT_STAFF)])
async def show_participation(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> ParticipationView:
    """Who takes part in the distribution, what each claimed and what is recognised."""
    return await creditors.show_participation(database, actor, case_id)


@post("/api/cases/{case_id:uuid}/recognitions", guards=[allow(Role.JUDGE)], status_code=201)
async def recognise_claim(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    data: JSONBody[RecogniseClaim],
) -> RecognisedClaim:
    """Record what the court recognises of a claim, its doubled interest computed where the terms are given."""
    return await creditors.recognise_claim(database, call, case_id, data)


@post("/api/cases/{case_id:uuid}/enforcement-fee", guards=[allow(Role.JUDGE)], status_code=201)
async def set_fee(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    data: JSONBody[SetFee],
) -> FeeView:
    """Set the enforcement fee (执行申请费); the computed figure stands beside it."""
    return await fee_setting.set_fee(database, call, case_id, data)


@get("/api/cases/{case_id:uuid}/enforcement-fee", guards=[allow(*COURT_STAFF)])
async def show_fee(
    database: NamedDependency[Database], actor: NamedDependency[Actor], case_id: FromPath[UUID]
) -> ComputedFee:
    """The enforcement fee (执行申请费) on what a plan drafted now would pay the applicant, and what the court set."""
    return await fee_setting.show_fee(database, actor, case_id)


@post("/api/cases/{case_id:uuid}/bankruptcy", guards=[allow(Role.JUDGE)], status_code=201)
async def accept_bankruptcy(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    case_id: FromPath[UUID],
    data: JSONBody[AcceptBankruptcy],
) -> BankruptcyView:
    """Record that a court accepted the debtor's bankruptcy (破产受理): distribution and payouts stop at once."""
    return await service.accept_bankruptcy(database, call, case_id, data)


@post("/api/lots/{lot_id:uuid}/taking", guards=[allow(Role.JUDGE)], status_code=201)
async def decide_taking(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[DecideTaking],
) -> TakingView:
    """A creditor takes the thing in satisfaction (以物抵债) at the reserve of the failed round."""
    return await taking.decide_taking(database, call, lot_id, data)


@post("/api/takings/{taking_id:uuid}/service", guards=[allow(Role.CLERK)], status_code=201)
async def serve_taking(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    taking_id: FromPath[UUID],
    data: JSONBody[ServeTaking],
) -> TakingView:
    """The ruling was served on the taker: title passes."""
    return await taking.serve_taking(database, call, taking_id, data)


@post("/api/takings/{taking_id:uuid}/lapse", guards=[allow(Role.JUDGE)], status_code=201)
async def lapse_taking(
    database: NamedDependency[Database], call: NamedDependency[Call], taking_id: FromPath[UUID]
) -> TakingView:
    """The difference was not paid in time: the taking ends."""
    return await taking.lapse_taking(database, call, taking_id)


@get("/api/takings/{taking_id:uuid}", guards=[allow()])
async def show_taking(
    database: NamedDependency[Database], actor: NamedDependency[Actor], taking_id: FromPath[UUID]
) -> TakingView:
    """A taking with what is still to be paid in, for its court and its taker."""
    return await taking.show_taking(database, actor, taking_id)


@get("/api/lots/{lot_id:uuid}/surplus-test", guards=[allow(*COURT_STAFF)])
async def show_surplus(
    database: NamedDependency[Database], actor: NamedDependency[Actor], lot_id: FromPath[UUID]
) -> SurplusView:
    """Whether the reserve would leave anything after priority claims and costs (无益拍卖)."""
    return await taking.show_surplus(database, actor, lot_id)


@post("/api/lots/{lot_id:uuid}/set-off", guards=[allow(Role.JUDGE)], status_code=201)
async def set_price_off(
    database: NamedDependency[Database],
    call: NamedDependency[Call],
    lot_id: FromPath[UUID],
    data: JSONBody[SetPriceOff],
) -> SaleView:
    """The panel lets a creditor who bought set the price off against their claim (以债权抵价款)."""
    return await setting_off.set_price_off(database, call, lot_id, data)


ROUTES = [
    accept_bankruptcy,
    set_policy,
    apply_to_join,
    show_participation,
    recognise_claim,
    set_fee,
    show_fee,
    draft_plan,
    list_plans,
    what_if,
    show_plan,
    decide_plan,
    serve_plan,
    confirm_plan,
    object_to_plan,
    notify_of_objection,
    oppose_objection,
    tell_objector,
    file_suit,
    judge_suit,
    resolve_plan,
    release_escrow,
    decide_taking,
    serve_taking,
    lapse_taking,
    show_taking,
    show_surplus,
    set_price_off,
]
