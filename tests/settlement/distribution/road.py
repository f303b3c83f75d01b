"""A case on its last stretch: money in its account, claims, a plan on its way, all by the use cases of its officers."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from uuid import UUID

from appraisal.api import ServiceMethod
from appraisal.cases.rules import PartyKind, PartyRole, Subject
from appraisal.cases.schemas import AccountIn, CaseView, PartyIn
from kernel.actors import Actor, Role, platform
from kernel.clock import beijing_day
from kernel.database import Database
from kernel.money import Fen
from settlement.completion import case_money
from settlement.completion.sale_schemas import FeeView, SetFee
from settlement.distribution import disputes, fee_setting
from settlement.distribution import service as distribution
from settlement.distribution.plan_schemas import (
    ClaimAmount,
    DecidePlan,
    FileSuit,
    JudgeSuit,
    NotifyOfObjection,
    ObjectToPlan,
    OpposeObjection,
    PlanView,
    ResolvePlan,
    ServePlan,
    TellObjector,
)
from settlement.payouts import account
from settlement.payouts import service as payouts
from settlement.payouts.schemas import AccountView, PayoutView, Sign
from tests.appraisal.support import Court, make_case, make_court, make_decision, party_of
from tests.auction.support import Place
from tests.settlement.support import credit, notice
from tests.support.house import call, frozen

REFERENCES = count(1)


def party(ref: str, role: PartyRole, kind: PartyKind = PartyKind.PERSON, account: bool = True) -> PartyIn:
    """A party whose bank account is named after its ref."""
    return PartyIn(
        ref=ref,
        role=role,
        name=f"当事人{ref}",
        kind=kind,
        account=AccountIn(holder=f"当事人{ref}", number=f"6222{ref}", bank="某银行") if account else None,
    )


def parties(*creditors: str, debtor: PartyKind = PartyKind.PERSON, debtor_account: bool = True) -> tuple[PartyIn, ...]:
    """A debtor and its creditors, of whom the first is the enforcement applicant."""
    first, *others = creditors
    return (
        party("debtor", PartyRole.DEBTOR, debtor, debtor_account),
        party(first, PartyRole.ENFORCEMENT_APPLICANT, PartyKind.ENTERPRISE),
        *(party(ref, PartyRole.CREDITOR, PartyKind.ENTERPRISE) for ref in others),
    )


@dataclass(frozen=True)
class Road:
    """A case with the officers who bring its money to the creditors."""

    database: Database
    court: Court
    case: CaseView
    maker: Actor
    checker: Actor
    payer: Actor

    def id_of(self, ref: str) -> UUID:
        return party_of(self.case, ref).id

    def today(self) -> date:
        return beijing_day(self.database.clock.now())

    def pass_days(self, days: int) -> None:
        frozen(self.database).advance(timedelta(days=days))

    async def bring_money(self, amount_fen: int) -> None:
        """Somebody pays into the case account."""
        async with self.database.transaction(platform("test")) as tx:
            number = (await case_money.case_account(tx, self.case.id)).number
        assert number is not None
        await credit(self.database, notice(f"in-{next(REFERENCES)}", number, amount_fen))

    async def set_fee(self, set_fen: int = 0, reason: str = "免交") -> FeeView:
        """The court sets the enforcement fee."""
        decision = await make_decision(self.database, self.court, self.case, Subject.ENFORCEMENT_FEE)
        wanted = SetFee(set_fen=Fen(set_fen), reason=reason, decision_id=decision.id)
        return await fee_setting.set_fee(self.database, call(self.court.judge), self.case.id, wanted)

    async def draft(self) -> PlanView:
        return await distribution.draft_plan(self.database, call(self.maker), self.case.id)

    async def decide(self, plan: PlanView) -> PlanView:
        decision = await make_decision(self.database, self.court, self.case, Subject.DISTRIBUTION_PLAN)
        wanted = DecidePlan(decision_id=decision.id)
        return await distribution.decide_plan(self.database, call(self.court.judge), plan.id, wanted)

    async def serve(self, plan: PlanView, party_id: UUID) -> PlanView:
        wanted = ServePlan(party_id=party_id, served_on=self.today(), method=ServiceMethod.ELECTRONIC, proof="送达回证")
        return await distribution.serve_plan(self.database, call(self.court.clerk), plan.id, wanted)

    async def serve_all(self, plan: PlanView) -> PlanView:
        for recipient in plan.recipients:
            plan = await self.serve(plan, recipient.party_id)
        return plan

    async def object_to(
        self, plan: PlanView, ref: str, on: date | None = None, *, claim: str = "B", should_be_fen: int = 1
    ) -> PlanView:
        """The party says that the first claim of `claim` should be this principal and nothing else."""
        wanted = ObjectToPlan(
            party_id=self.id_of(ref),
            objected_on=on or self.today(),
            text="债权数额有误",
            claims=(self.amount(plan, claim, should_be_fen),),
        )
        return await disputes.object_to_plan(self.database, call(self.court.clerk), plan.id, wanted)

    def amount(self, plan: PlanView, ref: str, principal_fen: int) -> ClaimAmount:
        """A principal alone for the first claim of a party in the plan."""
        claim_id = next(each.claim_id for each in plan.claims if each.party_id == self.id_of(ref))
        none = Fen(0)
        return ClaimAmount(
            claim_id=claim_id, costs_fen=none, interest_fen=none, principal_fen=Fen(principal_fen), doubled_fen=none
        )

    async def notify(self, plan: PlanView, ref: str, on: date | None = None, objection: int = 0) -> PlanView:
        wanted = NotifyOfObjection(
            party_id=self.id_of(ref), served_on=on or self.today(), method=ServiceMethod.MAIL, proof="回执"
        )
        objection_id = plan.objections[objection].id
        return await disputes.notify_of_objection(self.database, call(self.court.clerk), objection_id, wanted)

    async def oppose(self, plan: PlanView, ref: str, on: date | None = None, objection: int = 0) -> PlanView:
        wanted = OpposeObjection(party_id=self.id_of(ref), made_on=on or self.today(), text="数额无误")
        objection_id = plan.objections[objection].id
        return await disputes.oppose_objection(self.database, call(self.court.clerk), objection_id, wanted)

    async def tell(self, plan: PlanView, on: date | None = None, objection: int = 0) -> PlanView:
        wanted = TellObjector(told_on=on or self.today(), method=ServiceMethod.MAIL, proof="回执")
        objection_id = plan.objections[objection].id
        return await disputes.tell_objector(self.database, call(self.court.clerk), objection_id, wanted)

    async def sue(self, plan: PlanView, on: date | None = None, objection: int = 0) -> PlanView:
        wanted = FileSuit(filed_on=on or self.today(), suit_no="（2025）沪0115民初9号")
        objection_id = plan.objections[objection].id
        return await disputes.file_suit(self.database, call(self.court.clerk), objection_id, wanted)

    async def judged(self, plan: PlanView, ref: str, principal_fen: int, objection: int = 0) -> PlanView:
        """The suit is decided: the first claim of `ref` is this principal."""
        wanted = JudgeSuit(
            effective_on=self.today(),
            document="（2025）沪0115民初9号判决",
            claims=(self.amount(plan, ref, principal_fen),),
        )
        objection_id = plan.objections[objection].id
        return await disputes.judge_suit(self.database, call(self.court.judge), objection_id, wanted)

    async def resolve(self, plan: PlanView) -> PlanView:
        return await disputes.resolve_plan(self.database, call(self.court.judge), plan.id, await self._resolution())

    async def release(self, plan: PlanView) -> PlanView:
        return await disputes.release_escrow(self.database, call(self.court.judge), plan.id, await self._resolution())

    async def _resolution(self) -> ResolvePlan:
        decision = await make_decision(self.database, self.court, self.case, Subject.DISTRIBUTION_PLAN)
        return ResolvePlan(decision_id=decision.id)

    def go_to(self, day: date) -> None:
        """It is `day`."""
        self.pass_days((day - self.today()).days)

    async def confirm(self, plan: PlanView) -> PlanView:
        return await distribution.confirm_plan(self.database, call(self.court.judge), plan.id)

    async def confirmed(self) -> PlanView:
        """A plan drafted, decided, served on everybody, and confirmed when all clocks ran out."""
        plan = await self.serve_all(await self.decide(await self.draft()))
        self.pass_days(20)
        return await self.confirm(plan)

    async def make(self, plan: PlanView) -> PayoutView:
        return await payouts.make_batch(self.database, call(self.maker), plan.id)

    async def check(self, batch: PayoutView, who: Actor | None = None, hash_: str | None = None) -> PayoutView:
        wanted = Sign(hash=hash_ or batch.hash)
        return await payouts.check_batch(self.database, call(who or self.checker), batch.id, wanted)

    async def pay(self, batch: PayoutView, who: Actor | None = None, hash_: str | None = None) -> PayoutView:
        wanted = Sign(hash=hash_ or batch.hash)
        return await payouts.pay_batch(self.database, call(who or self.payer), batch.id, wanted)

    async def paid(self, plan: PlanView) -> PayoutView:
        """A batch made, checked and paid by three people."""
        batch = await self.make(plan)
        await self.check(batch)
        return await self.pay(batch)

    async def account(self) -> AccountView:
        return await account.show_account(self.database, self.maker, self.case.id)


async def make_road(database: Database, *wanted: PartyIn) -> Road:
    """A court with its officers and a case of it without a fee; one applicant `A` unless parties are given."""
    court = await make_court(database)
    road = _road(database, court, await make_case(database, court, parties=wanted or parties("A")))
    await road.set_fee()
    return road


def road_of(place: Place) -> Road:
    """The last stretch of a case whose asset is sold; its fee is still to be set."""
    return _road(place.database, place.court, place.case)


def _road(database: Database, court: Court, case: CaseView) -> Road:
    return Road(
        database=database,
        court=court,
        case=case,
        maker=court.staff(Role.MAKER),
        checker=court.staff(Role.CHECKER),
        payer=court.staff(Role.PAYER),
    )
