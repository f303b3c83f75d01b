"""Use cases of the reference price: record what platforms and appraisers say, decide objections, fix the price.

Every command locks the asset first, so that a price rests on exactly what was recorded when it was fixed.
"""

from uuid import UUID

from appraisal.assets import service as assets
from appraisal.assets.rules import AssetFacts
from appraisal.days import require_come
from appraisal.reference_price import rules, store
from appraisal.reference_price.errors import ReportRecorded
from appraisal.reference_price.rules import AppraisalReport, Basis, DatedReport, Method, ReferencePrice, Report
from appraisal.reference_price.schemas import (
    AppraisalView,
    DecideObjection,
    FixPrice,
    PricingView,
    RecordAppraisal,
    RecordReport,
    ReferencePriceView,
    ReportView,
    appraisal_view,
    price_view,
    report_view,
)
from kernel.actors import COURT_STAFF, Actor, Role
from kernel.audit import record
from kernel.clock import beijing_day
from kernel.database import Call, Database, Tx
from kernel.errors import NotFound


async def record_report(database: Database, call: Call, asset_id: UUID, wanted: RecordReport) -> ReportView:
    """Record one platform's answer to the network enquiry, or that it gave none in time (R-REF-06, R-REF-07)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        asset, pricing = await _lock_unpriced(tx, asset_id)
        now = tx.now()
        if wanted.report_on is not None:
            require_come("report_on", wanted.report_on, now)
        dated = DatedReport(Report(wanted.platform, wanted.price_fen), wanted.report_on)
        if any(other.report.platform == wanted.platform for other in await store.list_reports(tx, asset.id, pricing)):
            raise ReportRecorded(platform=wanted.platform)
        await store.add_report(tx, asset.id, pricing, dated, now)
        view = report_view(dated)
        await record(tx, "reference-price.report", f"asset:{asset.id}", view, case_id=asset.case_id)
        return tx.answer(view)


async def decide_objection(
    database: Database, call: Call, asset_id: UUID, platform: str, wanted: DecideObjection
) -> ReportView:
    """Record what became of the objection to a platform's report (R-REF-08, R-REF-12)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        asset, pricing = await _lock_unpriced(tx, asset_id)
        reports = await store.list_reports(tx, asset.id, pricing)
        found = next((dated for dated in reports if dated.report.platform == platform), None)
        if found is None:
            raise NotFound(what="report")
        decided = rules.object_to(found, wanted.objection, wanted.corrected_price_fen)
        await store.set_objection(tx, asset.id, pricing, decided.report)
        view = report_view(decided)
        await record(tx, "reference-price.objection", f"asset:{asset.id}", view, case_id=asset.case_id)
        return tx.answer(view)


async def record_appraisal(database: Database, call: Call, asset_id: UUID, wanted: RecordAppraisal) -> AppraisalView:
    """Record an institution's appraisal; a corrected one is recorded again and takes its place (R-REF-10)."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.CLERK)
        asset, pricing = await _lock_unpriced(tx, asset_id)
        now = tx.now()
        require_come("report_on", wanted.report_on, now)
        appraisal = AppraisalReport(wanted.institution, wanted.price_fen, wanted.report_on, wanted.valid_until)
        await store.add_appraisal(tx, asset.id, pricing, appraisal, now)
        view = appraisal_view(appraisal)
        await record(tx, "reference-price.appraisal", f"asset:{asset.id}", view, case_id=asset.case_id)
        return tx.answer(view)


async def fix_price(database: Database, call: Call, asset_id: UUID, wanted: FixPrice) -> ReferencePriceView:
    """Fix the reference price from what was recorded, or as stated (R-REF-03, 04, 07, 08, 13). While it is valid no
    second one is fixed."""
    async with database.command(call) as tx:
        tx.actor.must_be(Role.JUDGE)
        asset = await assets.lock_served_asset(tx, asset_id)
        now = tx.now()
        require_come("fixed_on", wanted.fixed_on, now)
        standing = await store.find_price(tx, asset.id)
        rules.require_unfixed(standing, beijing_day(now))
        pricing = await store.count_prices(tx, asset.id) + 1
        basis = await _basis(tx, asset.id, pricing, wanted)
        price = rules.fix(asset.id, wanted.method, basis, wanted.fixed_on)
        await store.add_price(tx, pricing, price, now)
        view = price_view(price)
        await record(tx, "reference-price.fix", f"asset:{asset.id}", view, case_id=asset.case_id)
        return tx.answer(view)


async def show_pricing(database: Database, actor: Actor, asset_id: UUID) -> PricingView:
    """The asset's reference price with what it rests on; once it has expired, what is recorded for the next."""
    async with database.reading(actor) as tx:
        tx.actor.must_be(*COURT_STAFF)
        asset = await assets.get_served_asset(tx, asset_id)
        price = await store.find_price(tx, asset.id)
        fixed = await store.count_prices(tx, asset.id)
        stands = price is not None and beijing_day(tx.now()) <= price.valid_until
        pricing = fixed if stands else fixed + 1
        return PricingView(
            price=price_view(price) if price else None,
            reports=tuple(report_view(dated) for dated in await store.list_reports(tx, asset.id, pricing)),
            appraisals=tuple(appraisal_view(one) for one in await store.list_appraisals(tx, asset.id, pricing)),
        )


async def get_reference_price(tx: Tx, asset_id: UUID) -> ReferencePrice:
    """The price fixed last; NotFound without one. Whether it is still good for a step is R-REF-13's question."""
    return await store.get_price(tx, asset_id)


async def _lock_unpriced(tx: Tx, asset_id: UUID) -> tuple[AssetFacts, int]:
    """The served asset, locked, and the number of its coming price; refuses while one stands."""
    asset = await assets.lock_served_asset(tx, asset_id)
    rules.require_unfixed(await store.find_price(tx, asset.id), beijing_day(tx.now()))
    return asset, await store.count_prices(tx, asset.id) + 1


async def _basis(tx: Tx, asset_id: UUID, pricing: int, wanted: FixPrice) -> Basis:
    if wanted.method is Method.NETWORK_ENQUIRY:
        return rules.enquiry_basis(await store.list_reports(tx, asset_id, pricing))
    if wanted.method is Method.APPRAISAL:
        return rules.appraisal_basis(await store.list_appraisals(tx, asset_id, pricing))
    assert wanted.price_fen is not None, "FixPrice demands the price of a stated method"
    return rules.stated_basis(wanted.price_fen, wanted.fixed_on)
