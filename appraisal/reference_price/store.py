"""All SQL of enquiry reports, appraisals and fixed prices."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update

from appraisal.reference_price.models import Appraisal, EnquiryReport, FixedPrice
from appraisal.reference_price.rules import (
    AppraisalReport,
    DatedReport,
    Method,
    Objection,
    Reason,
    ReferencePrice,
    Report,
)
from kernel.database import Tx
from kernel.errors import NotFound
from kernel.ids import ordered_id


async def count_prices(tx: Tx, asset_id: UUID) -> int:
    """How many prices were fixed for the asset so far."""
    count = await tx.session.scalar(select(func.count()).select_from(FixedPrice).where(FixedPrice.asset_id == asset_id))
    return count or 0


async def find_price(tx: Tx, asset_id: UUID) -> ReferencePrice | None:
    """The price that was fixed last."""
    row = await tx.session.scalar(
        select(FixedPrice).where(FixedPrice.asset_id == asset_id).order_by(FixedPrice.pricing.desc()).limit(1)
    )
    return _price(row) if row else None


async def get_price(tx: Tx, asset_id: UUID) -> ReferencePrice:
    price = await find_price(tx, asset_id)
    if price is None:
        raise NotFound(what="reference price")
    return price


async def add_price(tx: Tx, pricing: int, price: ReferencePrice, fixed_at: datetime) -> None:
    tx.session.add(
        FixedPrice(
            id=ordered_id(),
            asset_id=price.asset_id,
            pricing=pricing,
            price_fen=price.price_fen,
            method=price.method,
            fixed_on=price.fixed_on,
            valid_until=price.valid_until,
            assessment={"included": list(price.included), "excluded": [list(pair) for pair in price.excluded]},
            fixed_at=fixed_at,
        )
    )
    await tx.session.flush()


async def list_reports(tx: Tx, asset_id: UUID, pricing: int) -> list[DatedReport]:
    """The reports of one round of pricing, in the order they were recorded."""
    rows = await tx.session.scalars(
        select(EnquiryReport)
        .where(EnquiryReport.asset_id == asset_id, EnquiryReport.pricing == pricing)
        .order_by(EnquiryReport.id)
    )
    return [_report(row) for row in rows]


async def add_report(tx: Tx, asset_id: UUID, pricing: int, dated: DatedReport, recorded_at: datetime) -> None:
    report = dated.report
    tx.session.add(
        EnquiryReport(
            id=ordered_id(),
            asset_id=asset_id,
            pricing=pricing,
            platform=report.platform,
            price_fen=report.price_fen,
            report_on=dated.report_on,
            objection=report.objection,
            corrected_price_fen=report.corrected_price_fen,
            recorded_at=recorded_at,
        )
    )
    await tx.session.flush()


async def set_objection(tx: Tx, asset_id: UUID, pricing: int, report: Report) -> None:
    await tx.session.execute(
        update(EnquiryReport)
        .where(
            EnquiryReport.asset_id == asset_id,
            EnquiryReport.pricing == pricing,
            EnquiryReport.platform == report.platform,
        )
        .values(objection=report.objection, corrected_price_fen=report.corrected_price_fen)
    )


async def list_appraisals(tx: Tx, asset_id: UUID, pricing: int) -> list[AppraisalReport]:
    """The appraisals of one round of pricing, in the order they were recorded."""
    rows = await tx.session.scalars(
        select(Appraisal).where(Appraisal.asset_id == asset_id, Appraisal.pricing == pricing).order_by(Appraisal.id)
    )
    return [AppraisalReport(row.institution, row.price_fen, row.report_on, row.valid_until) for row in rows]


async def add_appraisal(
    tx: Tx, asset_id: UUID, pricing: int, appraisal: AppraisalReport, recorded_at: datetime
) -> None:
    tx.session.add(
        Appraisal(
            id=ordered_id(),
            asset_id=asset_id,
            pricing=pricing,
            institution=appraisal.institution,
            price_fen=appraisal.price_fen,
            report_on=appraisal.report_on,
            valid_until=appraisal.valid_until,
            recorded_at=recorded_at,
        )
    )
    await tx.session.flush()


def _report(row: EnquiryReport) -> DatedReport:
    report = Report(row.platform, row.price_fen, Objection(row.objection), row.corrected_price_fen)
    return DatedReport(report, row.report_on)


def _price(row: FixedPrice) -> ReferencePrice:
    return ReferencePrice(
        asset_id=row.asset_id,
        price_fen=row.price_fen,
        method=Method(row.method),
        fixed_on=row.fixed_on,
        valid_until=row.valid_until,
        included=tuple(row.assessment["included"]),
        excluded=tuple((platform, Reason(reason)) for platform, reason in row.assessment["excluded"]),
    )
