"""Any case at all is distributed exactly, as an independent checker sees it (invariant: no fen lost)."""

import copy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.bench.distribution_checker import check
from tests.settlement.distribution import cases

KINDS = (
    *("ordinary", "ordinary", "secured", "secured", "lien", "construction_price", "home_buyer"),
    *("tax", "tax", "injury_medical", "restitution", "fine", "confiscation"),
)
BOUND = ("secured", "lien", "construction_price", "home_buyer")

amounts = st.one_of(st.just(0), st.integers(0, 7), st.integers(0, 1_000), st.integers(0, 10**9), st.integers(0, 10**15))
days = st.sampled_from([None, "2019-03-01", "2020-06-30", "2021-12-31"])


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Cases small enough to read when one fails, with many ties, zeros and shortages."""
    amount = draw(st.sampled_from([amounts, st.integers(0, 7), st.integers(0, 100)]))
    pools = [
        {
            "id": f"pool{number}",
            "proceeds_fen": draw(amount),
            "costs": [{"id": f"cost{each}", "amount_fen": draw(amount)} for each in range(draw(st.integers(0, 2)))],
            "sale_taxes_fen": draw(st.one_of(st.just(0), amount)),
            "rent_carve_out_fen": draw(st.one_of(st.just(0), amount)),
        }
        for number in range(draw(st.integers(0, 3)))
    ]
    kinds = [kind for kind in KINDS if pools or kind not in BOUND]
    claims = [_claim(draw, f"claim{n}", kinds, pools, amount) for n in range(draw(st.integers(0, 8)))]
    debtor = draw(st.sampled_from(["person", "other_organisation", "enterprise"]))
    preference = None
    if claims and debtor != "enterprise" and draw(st.booleans()):
        preference = {
            "method": draw(st.sampled_from(["pool_percent", "share_uplift"])),
            "percent": draw(st.integers(0, 100)),
            "claim": draw(st.sampled_from(claims))["id"],
        }
    return cases.document(debtor, pools, claims, preference)


def _claim(draw: st.DrawFn, name: str, kinds: list[str], pools: list[Any], amount: Any) -> dict[str, Any]:
    kind = draw(st.sampled_from(kinds))
    claim = cases.claim(name, draw(amount), kind, rank_on=draw(days), sealed_on=draw(days))
    claim["costs_fen"], claim["interest_fen"] = draw(amount), draw(amount)
    if kind in BOUND:
        claim["pool"] = draw(st.sampled_from(pools))["id"]
    if kind not in ("tax", "fine", "confiscation"):
        claim["doubled_fen"] = draw(amount)
    return claim


@settings(max_examples=400, deadline=None)
@given(documents())
@example(cases.document())
def test_every_case_is_distributed_exactly(case: dict[str, Any]) -> None:
    output = cases.calculated(case)
    check(case, output)
    assert cases.calculated(case) == output


@settings(max_examples=150, deadline=None)
@given(documents())
def test_every_line_explains_itself(case: dict[str, Any]) -> None:
    outcome = cases.distributed(case)
    together: dict[tuple[Any, ...], int] = {}
    for line in outcome.allocations:
        place = (line.pool, line.level, line.to, None if line.level > 3 else line.part)
        together[place] = together.get(place, 0) + line.amount_fen
        assert abs(line.share.amount_fen - line.share.exact_fen) < 1
        assert line.share.share_of_fen <= line.share.class_open_fen
        assert line.rule in outcome.rules
    for line in outcome.allocations:
        place = (line.pool, line.level, line.to, None if line.level > 3 else line.part)
        assert together[place] == line.share.amount_fen


@settings(max_examples=100, deadline=None)
@given(documents(), st.data())
def test_the_checker_sees_a_single_fen_moved(case: dict[str, Any], data: st.DataObject) -> None:
    """The control: a checker that lets a wrong plan pass would make the other tests worthless."""
    output = cases.calculated(case)
    tampered = copy.deepcopy(output)
    if not tampered["allocations"]:
        tampered["surplus_fen"] += 1
    else:
        line = data.draw(st.sampled_from(tampered["allocations"]))
        line["amount_fen"] -= 1
        other = data.draw(st.sampled_from([None, *tampered["allocations"]]))
        if other is None:
            tampered["surplus_fen"] += 1
            tampered["distributed_fen"] -= 1
        elif other is not line:
            other["amount_fen"] += 1
    with pytest.raises(AssertionError):
        check(case, tampered)
