"""What-if: the same rules over changed inputs, differences by line, and not a row more than before."""

from typing import Any

import pytest
from sqlalchemy import text

from kernel.actors import platform
from kernel.database import Database
from kernel.decoding import convert
from kernel.errors import Forbidden, Malformed, NotFound
from settlement.distribution.what_if import WhatIf, WhatIfView, compare
from tests.appraisal.support import make_claim, make_court
from tests.settlement.distribution.road import Road, make_road, parties
from tests.support.house import actor, opened

pytestmark = pytest.mark.anyio


async def two_creditors(database: Database) -> Road:
    """Pool 500.00; A claims 400.00, B 600.00; a fee of 20.00."""
    road = await make_road(database, *parties("A", "B"))
    await make_claim(database, road.court, road.case, "A", principal_fen=40_000, title_no="判决一")
    await make_claim(database, road.court, road.case, "B", principal_fen=60_000)
    await road.bring_money(52_000)
    await road.set_fee(2_000, "按比例")
    return road


async def asked(road: Road, **changes: Any) -> WhatIfView:
    return await compare(
        road.database, road.maker, road.case.id, convert({"proceeds": [], "claims": []} | changes, WhatIf)
    )


def shown(view: WhatIfView) -> list[tuple[str, int, int, int]]:
    return [(each.line.payee.name, each.now_fen, each.then_fen, each.difference_fen) for each in view.lines]


async def rows(database: Database) -> int:
    async with database.reading(platform("test")) as tx:
        counts = [
            await tx.session.scalar(text(f"SELECT count(*) FROM {table}"))
            for table in ("settlement.plan", "kernel.audit_entry", "kernel.idempotency", "kernel.outbox")
        ]
        return sum(count or 0 for count in counts)


async def test_a_smaller_claim_moves_its_dividend_to_the_others(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        before = await rows(database)
        claim_id = str((await road.draft()).claims[1].claim_id)
        after_draft = await rows(database)
        smaller = {"claim_id": claim_id, "costs_fen": 0, "interest_fen": 0, "principal_fen": 40_000, "doubled_fen": 0}
        view = await asked(road, claims=[smaller])
        assert shown(view) == [
            ("诉讼费专户（上缴国库）", 2_000, 2_000, 0),
            ("当事人A", 20_000, 25_000, 5_000),
            ("当事人B", 30_000, 25_000, -5_000),
        ]
        assert (view.now.quota, view.then.quota) == ("0.5000", "0.6250")
        assert before < after_draft == await rows(database), "nothing was stored"


async def test_every_line_says_why_and_by_which_paper(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        (_, a, _) = [each.line for each in (await asked(road)).lines]
        assert a.document == "判决一"
        assert a.explanation == (
            "依民诉法解释 第五百零八条（R-DIST-03），第 10 顺位“普通债权”，当事人A 本金："
            "500.00 × 400.00 ÷ 1,000.00 = 200.00 元。"
        )
        assert a.explanation_en.endswith("当事人A, principal: 500.00 × 400.00 ÷ 1,000.00 = 200.00 yuan.")


async def test_money_fee_debtor_and_preference_may_be_changed_too(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        more = await asked(
            road, proceeds=[{"pool": "case_money", "amount_fen": 102_000}, {"pool": "x", "amount_fen": 9}]
        )
        assert (more.then.surplus_fen, more.then.proceeds_fen) == (9, 102_009)
        assert sum(each.difference_fen for each in more.lines) == 102_009 - 52_000
        assert shown(await asked(road, fee_fen=0))[0] == ("当事人A", 20_000, 20_800, 800)
        enterprise = await asked(road, debtor_kind="enterprise")
        assert enterprise.then.quota is None
        claim_id = str((await road.draft()).claims[0].claim_id)
        preferred = {"method": "share_uplift", "percent": 20, "claim_id": claim_id}
        assert shown(await asked(road, preference=preferred))[1] == ("当事人A", 20_000, 24_000, 4_000)
        with pytest.raises(Malformed):
            await asked(road, debtor_kind="enterprise", preference=preferred)


async def test_only_the_court_may_ask(database_url: str) -> None:
    async with opened(database_url) as database:
        road = await two_creditors(database)
        for who, refusal in (((await make_court(database)).judge, NotFound), (actor(), Forbidden)):
            with pytest.raises(refusal):
                await compare(database, who, road.case.id, WhatIf(proceeds=(), claims=()))
