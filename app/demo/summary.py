"""What came out, in tables people like to read."""

from typing import Any


async def summarise(parts: Any, door: Any, cases: Any, elapsed_s: float, changes: int) -> bool:
    import json

    from app.verify import faults
    from kernel.actors import platform

    for case in cases:
        for path in (
            *(f"/api/lots/{a.lot.id}" for a in case.auctions),
            f"/api/plans/{case.plan_id}",
            f"/api/cases/{case.id}/account",
            f"/api/cases/{case.id}/default-use",
            f"/api/cases/{case.id}/costs",
            f"/api/payouts/{case.payout_id}",
        ):
            print(path, json.dumps(await case.court.clerk.get(path), ensure_ascii=False)[:3000])
    print(json.dumps(await cases[0].court.clerk.get("/api/statistics"), ensure_ascii=False))
    async with parts.database.reading(platform("verify")) as tx:
        found = await faults(tx)
    print(found, elapsed_s)
    return not found
