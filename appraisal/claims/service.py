"""Use cases of titled claims: register one, list those of a case in order of registration."""

from collections import Counter
from uuid import UUID

from appraisal.assets import service as assets
from appraisal.cases import service as cases
from appraisal.cases.rules import PartyRole
from appraisal.claims import rules, store
from appraisal.claims.rules import TitledClaim
from appraisal.claims.schemas import ClaimView, RegisterClaim, claim_view
from appraisal.days import require_come
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.audit import record
from kernel.database import Call, Database, Tx
from kernel.errors import NotFound
from kernel.ids import ordered_id
from kernel.money import Fen


async def register_claim(database: Database, call: Call, case_id: UUID, wanted: RegisterClaim) -> ClaimView:
    """Register a party's claim. The case is locked, for the order of registration decides ties (R-GEN-04)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        case = await cases.lock_served_case(tx, case_id)
        party = case.party(wanted.party_id)
        now = tx.now()
        for field in ("rank_on", "sealed_on"):
            if (day := getattr(wanted, field)) is not None:
                require_come(field, day, now)
        await _require_asset_of(tx, case.id, wanted.asset_id)
        others = await store.list_claims(tx, case.id)
        claim = rules.register(party, others, _claim(case.id, len(others), wanted))
        await store.add_claim(tx, claim, now)
        view = claim_view(claim)
        await record(tx, "claims.register", f"claim:{claim.id}", view, case_id=case.id)
        return tx.answer(view)


async def show_claims(database: Database, actor: Actor, case_id: UUID) -> tuple[ClaimView, ...]:
    """The claims of a case of the reader's court, in order of registration."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        case = await cases.get_served_case(tx, case_id)
        return tuple(claim_view(claim) for claim in await store.list_claims(tx, case.id))


async def list_claims(tx: Tx, case_id: UUID) -> list[TitledClaim]:
    """The claims of the case in order of registration."""
    return await store.list_claims(tx, case_id)


async def applicants_of(tx: Tx, case_id: UUID) -> dict[UUID, Fen]:
    """The persons who are linked with enforcement applicants of the case, each with what these claim (R-BID-05)."""
    claims, claimed_fen = await store.list_claims(tx, case_id), Counter[UUID]()
    for party in await cases.list_parties(tx, case_id):
        if party.person_id and party.role is PartyRole.ENFORCEMENT_APPLICANT:
            claimed_fen[party.person_id] += sum(claim.total_fen for claim in claims if claim.party_id == party.id)
    return {person_id: Fen(total_fen) for person_id, total_fen in claimed_fen.items()}


async def _require_asset_of(tx: Tx, case_id: UUID, asset_id: UUID | None) -> None:
    if asset_id is not None and (await assets.get_asset(tx, asset_id)).case_id != case_id:
        raise NotFound(what="asset")


def _claim(case_id: UUID, position: int, wanted: RegisterClaim) -> TitledClaim:
    return TitledClaim(
        id=ordered_id(),
        case_id=case_id,
        party_id=wanted.party_id,
        position=position,
        kind=wanted.kind,
        asset_id=wanted.asset_id,
        title_no=wanted.title_no,
        rank_on=wanted.rank_on,
        sealed_on=wanted.sealed_on,
        costs_fen=wanted.costs_fen,
        interest_fen=wanted.interest_fen,
        principal_fen=wanted.principal_fen,
        doubled_fen=wanted.doubled_fen,
    )
