"""All SQL of completion."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from kernel.database import Tx
from kernel.errors import NotFound
from settlement.completion.models import (
    CaseCostRow,
    DefaultUse,
    FeeSetting,
    RelatedDebt,
    Sale,
    ShortfallOrder,
    ShortfallPayment,
)
from settlement.completion.rules import SaleState


async def add_sale(tx: Tx, sale: dict[str, object]) -> bool:
    """Write the sale; False when the lot has one."""
    row = insert_or_keep(Sale).values(**sale).on_conflict_do_nothing().returning(Sale.lot_id)
    return (await tx.session.execute(row)).first() is not None


async def find_sale(tx: Tx, lot_id: UUID) -> Sale | None:
    return await tx.session.get(Sale, lot_id)


async def get_sale(tx: Tx, lot_id: UUID) -> Sale:
    sale = await find_sale(tx, lot_id)
    if sale is None:
        raise NotFound(what="sale")
    return sale


async def lock_sale(tx: Tx, lot_id: UUID) -> Sale:
    sale = await tx.session.scalar(
        select(Sale).where(Sale.lot_id == lot_id).with_for_update().execution_options(populate_existing=True)
    )
    if sale is None:
        raise NotFound(what="sale")
    return sale


async def sales_of_case(tx: Tx, case_id: UUID) -> Sequence[Sale]:
    """The case's sales, first hammer first."""
    return (
        await tx.session.scalars(select(Sale).where(Sale.case_id == case_id).order_by(Sale.ended_at, Sale.lot_id))
    ).all()


async def lock_defaulted(tx: Tx, case_id: UUID) -> Sequence[Sale]:
    """The case's defaulted sales, locked in id order, so that a deposit is used by one at a time."""
    rows = await tx.session.scalars(
        select(Sale)
        .where(Sale.case_id == case_id, Sale.state == SaleState.DEFAULTED)
        .order_by(Sale.lot_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return rows.all()


async def all_sales(tx: Tx) -> Sequence[Sale]:
    return (await tx.session.scalars(select(Sale).order_by(Sale.lot_id))).all()


async def uses_of(tx: Tx, lot_id: UUID) -> Sequence[DefaultUse]:
    rows = await tx.session.scalars(select(DefaultUse).where(DefaultUse.lot_id == lot_id).order_by(DefaultUse.number))
    return rows.all()


async def related_debts_of(tx: Tx, lot_id: UUID) -> Sequence[RelatedDebt]:
    """Debts connected with the property that the panel named, in that order."""
    return (
        await tx.session.scalars(select(RelatedDebt).where(RelatedDebt.lot_id == lot_id).order_by(RelatedDebt.number))
    ).all()


async def find_order(tx: Tx, lot_id: UUID) -> ShortfallOrder | None:
    return await tx.session.get(ShortfallOrder, lot_id)


async def payments_of(tx: Tx, lot_id: UUID) -> Sequence[ShortfallPayment]:
    """What was paid under the order, oldest first."""
    rows = await tx.session.scalars(
        select(ShortfallPayment).where(ShortfallPayment.lot_id == lot_id).order_by(ShortfallPayment.number)
    )
    return rows.all()


async def add(tx: Tx, row: ShortfallOrder | ShortfallPayment | RelatedDebt) -> None:
    tx.session.add(row)
    await tx.session.flush()


async def costs_of(tx: Tx, case_id: UUID) -> Sequence[CaseCostRow]:
    rows = await tx.session.scalars(
        select(CaseCostRow).where(CaseCostRow.case_id == case_id).order_by(CaseCostRow.number)
    )
    return rows.all()


async def fees_of(tx: Tx, case_id: UUID) -> Sequence[FeeSetting]:
    rows = await tx.session.scalars(select(FeeSetting).where(FeeSetting.case_id == case_id).order_by(FeeSetting.number))
    return rows.all()


async def add_fee(tx: Tx, fee: FeeSetting) -> None:
    tx.session.add(fee)
    await tx.session.flush()
