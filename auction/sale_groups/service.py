"""Use cases of sale groups: state the debt that several lots serve, before the first of them is published."""

from uuid import UUID

import appraisal.api as appraisal
from auction.sale_groups import store
from auction.sale_groups.errors import GroupOfAnotherCase
from auction.sale_groups.models import SaleGroup
from auction.sale_groups.schemas import GroupMade, GroupsOfCase, MakeGroup
from kernel.actors import Actor, Role
from kernel.audit import record
from kernel.clock import beijing
from kernel.database import Call, Database, Tx
from kernel.ids import ordered_id


async def make_group(database: Database, call: Call, case_id: UUID, wanted: MakeGroup) -> GroupMade:
    """State the sum of debt and costs after which the rest of the lots is stopped (R-CLOSE-12)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        case = await appraisal.get_case(tx, case_id)
        tx.actor.must_serve(case.court_id, "case")
        await appraisal.get_decision(tx, wanted.decision_id, case_id=case.id, subject=appraisal.Subject.LOT_TERMS)
        group = SaleGroup(
            id=ordered_id(),
            case_id=case.id,
            court_id=case.court_id,
            target_fen=wanted.target_fen,
            decision_id=wanted.decision_id,
            made_at=tx.now(),
        )
        await store.add_group(tx, group)
        await record(tx, "sale-groups.make", f"sale-group:{group.id}", wanted, case_id=case.id)
        return tx.answer(_view(group))


async def list_groups(database: Database, actor: Actor, case_id: UUID) -> GroupsOfCase:
    """The sale groups of a case of the actor's court."""
    async with database.reading(actor) as tx:
        case = await appraisal.get_case(tx, case_id)
        actor.must_serve(case.court_id, "case")
        return GroupsOfCase(tuple(_view(group) for group in await store.list_groups(tx, case_id)))


async def get_group_of(tx: Tx, group_id: UUID, case_id: UUID) -> SaleGroup:
    """The sale group; refuses one of another case."""
    group = await store.get_group(tx, group_id)
    if group.case_id != case_id:
        raise GroupOfAnotherCase()
    return group


async def lock_group(tx: Tx, group_id: UUID) -> None:
    """Wait until nobody else publishes a lot of this group."""
    await store.lock_group(tx, group_id)


def _view(group: SaleGroup) -> GroupMade:
    return GroupMade(group.id, group.case_id, group.target_fen, group.decision_id, beijing(group.made_at))
