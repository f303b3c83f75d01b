"""An independent judge of calculator outputs: it shares no code with the rules and knows only the format.

`check` replays the case from the input in exact fractions, place by place, and demands of every place that it
got what the law gives it; whatever the output says beside that is a fault. It raises AssertionError.
"""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import Any

DEBT = ("costs", "interest", "principal")
BOUND = ("home_buyer", "construction_price", "lien", "secured")


def check(case: dict[str, Any], output: dict[str, Any]) -> None:
    """Raise AssertionError with a sentence if `output` is not the distribution of `case`."""
    _check_sums(case, output)
    _check_bounds(case, output)
    _check_order_in_pools(case, output)
    _Replay(case, output).run()


def _check_sums(case: dict[str, Any], output: dict[str, Any]) -> None:
    total = sum(line["amount_fen"] for line in output["allocations"])
    assert output["distributed_fen"] == total, "distributed is not the sum of the lines"
    assert output["proceeds_fen"] == sum(pool.get("proceeds_fen", 0) for pool in case["pools"])
    assert total + output["surplus_fen"] == output["proceeds_fen"], "lines + surplus are not the proceeds"
    carved = sum(line["amount_fen"] for line in output["allocations"] if line["level"] == 3)
    assert output["carve_out_fen"] == carved, "carve-out differs from its lines"
    for pool in case["pools"]:
        out = sum(line["amount_fen"] for line in output["allocations"] if line["pool"] == pool["id"])
        assert out <= pool.get("proceeds_fen", 0), f"pool {pool['id']} pays more than it has"


def _check_bounds(case: dict[str, Any], output: dict[str, Any]) -> None:
    assert all(type(line["amount_fen"]) is int and line["amount_fen"] > 0 for line in output["allocations"])
    assert output["surplus_fen"] >= 0, "negative surplus"
    keys = [(line["pool"], line["level"], line["to"], line["part"]) for line in output["allocations"]]
    assert len(keys) == len(set(keys)), "two lines for one thing"
    got: dict[tuple[str, str], int] = defaultdict(int)
    for line in output["allocations"]:
        if line["level"] > 3:
            got[line["to"], line["part"]] += line["amount_fen"]
    assert [each["id"] for each in case["claims"]] == [each["id"] for each in output["claims"]]
    for claim, result in zip(case["claims"], output["claims"], strict=True):
        for part in (*DEBT, "doubled"):
            still = claim.get(f"{part}_fen", 0) - got.pop((claim["id"], part), 0)
            assert still >= 0, f"{claim['id']} gets more {part} than it claims"
            assert result["open"][f"{part}_fen"] == still, f"{claim['id']}: open {part} is wrong"
        owed = sum(claim.get(f"{part}_fen", 0) for part in (*DEBT, "doubled"))
        assert result["paid_fen"] == owed - sum(result["open"].values()), f"{claim['id']}: paid is wrong"
    assert not got, f"lines for nobody: {dict(got)}"


def _check_order_in_pools(case: dict[str, Any], output: dict[str, Any]) -> None:
    """Invariant: in a pool nothing is paid, nor left, after a fixed item or a security that stays short."""
    for pool in case["pools"]:
        mine = [line for line in output["allocations"] if line["pool"] == pool["id"]]
        spent = sum(line["amount_fen"] for line in mine)
        left = pool.get("proceeds_fen", 0) - spent
        at_level: dict[int, int] = defaultdict(int)
        for line in mine:
            at_level[line["level"]] += line["amount_fen"]
        due = {
            1: sum(cost.get("amount_fen", 0) for cost in pool.get("costs", [])),
            2: pool.get("sale_taxes_fen", 0),
            3: pool.get("rent_carve_out_fen", 0),
            5: sum(_priority(claim) for claim in _of(case, pool, "home_buyer", "construction_price")),
            7: sum(_priority(claim) for claim in _of(case, pool, "lien", "secured")),
        }
        for level, amount in due.items():
            if at_level[level] < amount:
                below = sum(fen for other, fen in at_level.items() if other > level and other != 6)
                assert below == 0, f"{pool['id']}: paid below level {level}, which is short"
                assert left == 0, f"{pool['id']}: level {level} is short, yet money is left"


def _of(case: dict[str, Any], pool: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    return [each for each in case["claims"] if each["kind"] in kinds and each["pool"] == pool["id"]]


def _priority(claim: dict[str, Any]) -> int:
    parts = ("principal",) if claim["kind"] == "construction_price" else DEBT
    return sum(claim.get(f"{part}_fen", 0) for part in parts)


class _Replay:
    """Walks the waterfall with the output's own lines in hand, which must be met in their order."""

    def __init__(self, case: dict[str, Any], output: dict[str, Any]) -> None:
        self.case = case
        self.output = output
        self.next_line = 0
        self.claims = case["claims"]
        self.open = {
            claim["id"]: {part: claim.get(f"{part}_fen", 0) for part in (*DEBT, "doubled")} for claim in self.claims
        }

    def run(self) -> None:
        everything = sum(self._pool(pool) for pool in self.case["pools"])
        left = self._place(everything, None, 9, self._kinds("restitution"))
        left = self._ordinary(left)
        doubled: list[tuple[dict[str, Any], tuple[str, ...]]] = [(claim, ("doubled",)) for claim in self.claims]
        if self.case["debtor"] == "enterprise":
            for group in _dated_groups([claim for claim, _ in doubled], "sealed_on"):
                left = self._place(left, None, 11, [(claim, ("doubled",)) for claim in group])
        else:
            left = self._place(left, None, 11, doubled)
        left = self._place(left, None, 12, self._kinds("fine"))
        left = self._place(left, None, 12, self._kinds("confiscation"))
        assert left == self.output["surplus_fen"], "surplus is not what is left"
        assert self.next_line == len(self.output["allocations"]), "lines that no rule explains"

    def _kinds(self, *kinds: str) -> list[tuple[dict[str, Any], tuple[str, ...]]]:
        return [(claim, DEBT) for claim in self.claims if claim["kind"] in kinds]

    def _pool(self, pool: dict[str, Any]) -> int:
        name, left = pool["id"], pool.get("proceeds_fen", 0)
        fixed = [(1, cost["id"], "costs", cost.get("amount_fen", 0)) for cost in pool.get("costs", [])]
        fixed.append((2, "sale_taxes", "sale_taxes", pool.get("sale_taxes_fen", 0)))
        fixed.append((3, "debtor", "rent_carve_out", pool.get("rent_carve_out_fen", 0)))
        for level, to, part, due in fixed:
            self._expect(name, level, to, part, min(left, due))
            left -= min(left, due)
        left = self._place(left, name, 4, self._kinds("injury_medical"))
        left = self._place(left, name, 5, [(each, DEBT) for each in _of(self.case, pool, "home_buyer")])
        builders = [(each, ("principal",)) for each in _of(self.case, pool, "construction_price")]
        left = self._place(left, name, 5, builders)
        taxes = [claim for claim in self.claims if claim["kind"] == "tax"]
        for kind in ("lien", "secured"):
            for group in _dated_groups(_of(self.case, pool, kind), "rank_on"):
                since = group[0].get("rank_on")
                older = [tax for tax in taxes if since and tax.get("rank_on") and tax["rank_on"] < since]
                left = self._place(left, name, 6, [(tax, DEBT) for tax in older])
                left = self._place(left, name, 7, [(each, DEBT) for each in group])
        return self._place(left, name, 8, [(tax, DEBT) for tax in taxes])

    def _ordinary(self, left: int) -> int:
        people = self._kinds("ordinary", *BOUND)
        total = sum(self._due(claim, DEBT) for claim, _ in people)
        if self.case["debtor"] == "enterprise":
            assert self.output["quota"] is None, "an enterprise has no quota"
            for group in _dated_groups([claim for claim, _ in people], "sealed_on"):
                left = self._place(left, None, 10, [(claim, DEBT) for claim in group])
            return left
        self._check_quota(left, total)
        preference = self.case.get("first_seal_preference")
        favoured = next((claim for claim, _ in people if preference and claim["id"] == preference["claim"]), None)
        if favoured is None or preference is None or self._due(favoured, DEBT) == 0:
            return self._place(left, None, 10, people)
        due, percent = self._due(favoured, DEBT), preference["percent"]
        if preference["method"] == "pool_percent":
            first = min(due, floor(Fraction(percent, 100) * left))
            return self._place(left, None, 10, people, first={favoured["id"]: first})
        share = min(Fraction(1), Fraction(left, total)) * due
        first = min(due, left, floor(share * (100 + percent) / 100))
        return self._place(left, None, 10, people, first={favoured["id"]: first}, served={favoured["id"]})

    def _check_quota(self, money: int, total: int) -> None:
        quota = self.output["quota"]
        if total == 0:
            assert quota is None, "a quota of an empty class"
            return
        exact = min(Fraction(1), Fraction(money, total))
        shown = Fraction(quota)
        assert len(quota) == 6, f"quota {quota} has not four decimals"
        assert -Fraction(1, 20000) < exact - shown or exact - shown == -Fraction(1, 20000), "quota"
        assert exact - shown < Fraction(1, 20000), "quota"

    def _due(self, claim: dict[str, Any], parts: tuple[str, ...]) -> int:
        return sum(self.open[claim["id"]][part] for part in parts)

    def _place(
        self,
        money: int,
        pool: str | None,
        level: int,
        people: Sequence[tuple[dict[str, Any], tuple[str, ...]]],
        *,
        first: dict[str, int] | None = None,
        served: frozenset[str] | set[str] = frozenset(),
    ) -> int:
        """What one place must get: `first` to some, then pro rata to all who are not yet `served`."""
        if not people or not money:
            return money
        first = first or {}
        due = {claim["id"]: self._due(claim, parts) for claim, parts in people}
        rests = {name: 0 if name in served else due[name] - first.get(name, 0) for name in due}
        total = sum(rests.values())
        shared = min(money - sum(first.values()), total)
        amounts, remainders = {}, {}
        for name, rest in rests.items():  # the exact share is amount + remainder / total, one denominator for all
            amounts[name], remainders[name] = divmod(shared * rest, total) if total else (0, 0)
        missing = shared - sum(amounts.values())
        if missing:
            for name in sorted(remainders, key=lambda name: -remainders[name])[:missing]:  # stable: ties stay
                amounts[name] += 1
        for claim, parts in people:
            name = claim["id"]
            rest = amounts[name] + first.get(name, 0)
            assert rest <= due[name], f"{name} would get more than is open"
            for part in parts:
                amount = min(rest, self.open[name][part])
                self._expect(pool, level, name, part, amount)
                self.open[name][part] -= amount
                rest -= amount
        return money - sum(amounts.values()) - sum(first.values())

    def _expect(self, pool: str | None, level: int, to: str, part: str, amount: int) -> None:
        if amount == 0:
            return
        wanted = {"pool": pool, "level": level, "to": to, "part": part, "amount_fen": amount}
        found = self.output["allocations"][self.next_line : self.next_line + 1]
        assert found == [wanted], f"wanted {wanted}, found {found}"
        self.next_line += 1


def _dated_groups(claims: list[dict[str, Any]], field: str) -> list[list[dict[str, Any]]]:
    dates = sorted({claim[field] for claim in claims if claim.get(field)})
    groups = [[claim for claim in claims if claim.get(field) == day] for day in dates]
    undated = [claim for claim in claims if not claim.get(field)]
    return [*groups, undated] if undated else groups
