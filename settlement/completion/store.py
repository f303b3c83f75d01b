"""All SQL of completion."""

from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select, update

from kernel.audit import AuditEntry
from kernel.bulk import add_new_rows, any_of
from kernel.database import Tx
from kernel.errors import NotFound
from settlement.completion.models import (
    CaseCostRow,
    DefaultUse,
    FeeSetting,
    PriceSetOff,
    RelatedDebt,
    Sale,
    ShortfallOrder,
    ShortfallPayment,
)
from settlement.completion.rules import SaleState


async def add_sales(tx: Tx, sales: Sequence[dict[str, object]]) -> set[UUID]:
    """Write sales, all of the same columns; returns the lots that had none."""
    records = [tuple(sale.values()) for sale in sales]
    return await add_new_rows(tx, Sale, tuple(sales[0]), records, returning="lot_id")


async def keep_co_buyers(tx: Tx, lot_id: UUID, person_ids: Sequence[UUID]) -> None:
    """Write who buys beside the first buyer, on a sale that was opened just now."""
    await tx.session.execute(update(Sale).where(Sale.lot_id == lot_id).values(co_buyer_person_ids=person_ids))


async def sales_of_lots(tx: Tx, lot_ids: Collection[UUID]) -> set[UUID]:
    """Those of the lots that have a sale."""
    return set(await tx.session.scalars(select(Sale.lot_id).where(Sale.lot_id == any_of(lot_ids))))


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


async def find_set_off(tx: Tx, lot_id: UUID) -> PriceSetOff | None:
    """What of the lot's price was set off, whatever became of the sale."""
    return await tx.session.get(PriceSetOff, lot_id)


async def all_set_offs(tx: Tx) -> Sequence[PriceSetOff]:
    return (await tx.session.scalars(select(PriceSetOff).order_by(PriceSetOff.lot_id))).all()


async def audited_set_offs(tx: Tx, action: str) -> dict[UUID, dict[str, object]]:
    """What the audit trail says was set off: lot -> party, amounts and decision."""
    rows = await tx.session.execute(select(AuditEntry.subject, AuditEntry.facts).where(AuditEntry.action == action))
    return {UUID(row.subject.removeprefix("lot:")): msgspec.json.decode(row.facts) for row in rows}


async def add(tx: Tx, row: ShortfallOrder | ShortfallPayment | RelatedDebt | PriceSetOff) -> None:
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
