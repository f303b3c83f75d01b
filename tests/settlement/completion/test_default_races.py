"""Two defaults of one case at once: whoever uses their deposits locks all of them, in id order."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from appraisal.cases.rules import Subject
from kernel.database import Tx
from kernel.errors import Busy
from kernel.money import Fen
from settlement.completion import defaults, store
from settlement.completion.sale_schemas import DefaultUseView, NameRelatedDebt, PayeeIn
from tests.settlement.completion.defaulting import defaulted, faults
from tests.settlement.gate import PATIENCE
from tests.settlement.hall import Hall, hall
from tests.support.house import call

pytestmark = pytest.mark.anyio


async def two_defaults(place: Hall) -> tuple[UUID, UUID]:
    """A sale and its resale whose buyers both did not pay."""
    first, resale, _ = await defaulted(place, 80_000_00)
    await place.publish_resale(first, resale)
    await place.sold(resale, 75_000_00, "次买受人")
    place.pass_days(11)
    await place.default(resale)
    return first, resale


async def named(place: Hall, lot_id: UUID) -> DefaultUseView:
    """The panel names a debt connected with the property."""
    wanted = NameRelatedDebt(
        name="物业费",
        amount_fen=Fen(100),
        payee=PayeeIn(holder="物业", number="62170009"),
        document="判决",
        decision_id=await place.decide(Subject.DEFAULT),
    )
    return await defaults.name_related_debt(place.database, call(place.court.judge), lot_id, wanted)


async def test_debts_named_for_two_defaults_at_once_wait_for_each_other(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(database_url) as place:
        lots = await two_defaults(place)
        locked = store.lock_defaulted

        async def slowly(tx: Tx, case_id: UUID) -> Any:
            found = await locked(tx, case_id)
            await asyncio.sleep(0.2)  # the other has come by now
            return found

        monkeypatch.setattr(store, "lock_defaulted", slowly)
        uses = await asyncio.gather(*(named(place, lot_id) for lot_id in lots))
        assert [len(use.related_debts) for use in uses] == [1, 1]
        assert await faults(place) == []


async def test_control_each_behind_the_lock_of_its_own_sale_alone_is_a_deadlock(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(database_url) as place:
        lots = list(await two_defaults(place))
        locked, both, seen = store.lock_defaulted, asyncio.Barrier(2), set[int]()

        async def its_own_first(tx: Tx, case_id: UUID) -> Any:
            if id(tx) in seen:
                return await locked(tx, case_id)
            seen.add(id(tx))
            await tx.session.execute(text(PATIENCE))
            found = [await store.lock_sale(tx, lots.pop())]
            await asyncio.wait_for(both.wait(), 20)
            return found

        monkeypatch.setattr(store, "lock_defaulted", its_own_first)
        outcomes = await asyncio.gather(*(named(place, lot_id) for lot_id in lots), return_exceptions=True)
        assert sum(isinstance(each, Busy) for each in outcomes) == 1, outcomes
