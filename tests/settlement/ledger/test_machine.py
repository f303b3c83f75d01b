"""The ledger under any sequence of postings: the sum of all is zero, balances are sums, no holder is negative."""

import asyncio
from collections import defaultdict
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from kernel.actors import platform
from kernel.clock import FrozenClock
from kernel.database import Database
from kernel.money import Fen
from settlement.ledger import service as ledger
from settlement.ledger import verify
from settlement.ledger.errors import InsufficientBalance, PostingDiffers
from settlement.ledger.rules import Kind, Posting, Transfer
from settlement.ledger.store import balances_by_transfers
from tests.support.house import START

HOLDERS = ("a", "b", "c")
PLACES = st.sampled_from(["outside", *HOLDERS])
AMOUNTS = st.integers(1, 10**15)


def machine_over(url: str) -> type[RuleBasedStateMachine]:
    """A machine whose model is a dictionary of balances; each run has its own accounts in the one database."""
    runs = iter(range(10**6))

    class Books(RuleBasedStateMachine):
        @initialize()
        def open(self) -> None:
            self.loop = asyncio.Runner()
            self.database = Database(url, FrozenClock(START), pool_size=1)
            self.run_no = next(runs)
            self.model: defaultdict[str, int] = defaultdict(int)
            self.booked: dict[str, tuple[tuple[str, str, int], ...]] = {}
            self.ids = self.loop.run(self._open())

        async def _open(self) -> dict[str, UUID]:
            async with self.database.transaction(platform("machine")) as tx:
                ids = {name: (await ledger.open_account(tx, Kind.CASE, f"{self.run_no}-{name}")).id for name in HOLDERS}
                return ids | {"outside": (await ledger.bank(tx)).id}

        async def _post(self, key: str, moves: tuple[tuple[str, str, int], ...]) -> None:
            async with self.database.transaction(platform("machine")) as tx:
                transfers = tuple(Transfer(self.ids[a], self.ids[b], Fen(fen)) for a, b, fen in moves)
                await ledger.post(tx, Posting(f"{self.run_no}-{key}", "test.move", "d", transfers))

        @rule(
            key=st.sampled_from("klmnopqrstuvwxyz"),
            moves=st.lists(st.tuples(PLACES, PLACES, AMOUNTS).filter(lambda m: m[0] != m[1]), min_size=1, max_size=4),
        )
        def post(self, key: str, moves: list[tuple[str, str, int]]) -> None:
            gains: defaultdict[str, int] = defaultdict(int)
            for source, target, fen in moves:
                gains[source] -= fen
                gains[target] += fen
            outcome: type[Exception] | None = None
            if key in self.booked:
                outcome = None if self.booked[key] == tuple(moves) else PostingDiffers
            elif any(self.model[name] + gains[name] < 0 for name in HOLDERS):
                outcome = InsufficientBalance
            else:
                self.booked[key] = tuple(moves)
                for name, gain in gains.items():
                    self.model[name] += gain
            if outcome is None:
                self.loop.run(self._post(key, tuple(moves)))
            else:
                with pytest.raises(outcome):
                    self.loop.run(self._post(key, tuple(moves)))

        @rule(key=st.sampled_from("klmnopqrstuvwxyz"))
        def replay(self, key: str) -> None:
            if key in self.booked:
                self.loop.run(self._post(key, self.booked[key]))

        @invariant()
        def books_are_right(self) -> None:
            self.loop.run(self._check())

        async def _check(self) -> None:
            async with self.database.reading(platform("machine")) as tx:
                for name in HOLDERS:
                    assert await ledger.balance(tx, self.ids[name]) == self.model[name] >= 0
                assert sum((await balances_by_transfers(tx)).values()) == 0
                assert await verify.faults(tx) == []

        def teardown(self) -> None:
            self.loop.run(self.database.close())
            self.loop.close()

    return Books


def test_any_sequence_of_postings_keeps_the_books(database_url: str) -> None:
    run_state_machine_as_test(
        machine_over(database_url),
        settings=settings(
            max_examples=15, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
