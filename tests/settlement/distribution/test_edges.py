"""Corners of the format: who stands where, empty and huge cases, and inputs that are no case at all."""

from typing import Any

import msgspec
import pytest

from app.bench.distribution_checker import check
from kernel.errors import Malformed
from settlement.distribution.schemas import DistributionInput, calculate
from tests.settlement.distribution.cases import calculated, claim, document, lines, open_of, paid

FARM = {"id": "farm", "proceeds_fen": 1_000}
YARD = {"id": "yard", "proceeds_fen": 1_000}


def solved(case: dict[str, Any]) -> dict[str, Any]:
    output = calculated(case)
    check(case, output)
    return output


class TestSizes:
    def test_nothing_at_all(self) -> None:
        assert solved({"debtor": "person", "pools": [], "claims": []}) == {
            "allocations": [],
            "claims": [],
            "carve_out_fen": 0,
            "surplus_fen": 0,
            "quota": None,
            "proceeds_fen": 0,
            "distributed_fen": 0,
            "rules": ["R-DIST-03"],
        }

    def test_missing_lists_and_amounts_are_empty(self) -> None:
        assert calculate(msgspec.json.decode(b'{"debtor":"enterprise"}', type=DistributionInput)) == {
            **solved(document("enterprise")),
            "rules": ["R-DIST-08"],
        }

    def test_no_claims_all_is_surplus(self) -> None:
        output = solved(document(pools=[FARM]))
        assert (output["surplus_fen"], output["quota"]) == (1_000, None)
        assert "R-CLOSE-13" in output["rules"]

    def test_all_zeros(self) -> None:
        output = solved(document(pools=0, claims=[claim("A"), claim("T", kind="tax"), claim("F", kind="fine")]))
        assert (output["allocations"], output["quota"]) == ([], None)

    def test_no_money(self) -> None:
        output = solved(document(pools=0, claims=[claim("A", 5)]))
        assert (output["allocations"], output["quota"]) == ([], "0.0000")

    def test_100_fen_over_three_creditors(self) -> None:
        output = solved(document(pools=100, claims=[claim(name, 1_000) for name in "ABC"]))
        assert list(paid(output).values()) == [34, 33, 33]

    def test_the_largest_amounts(self) -> None:
        most = 10**15
        claims = [claim(f"C{n}", most, costs_fen=most, interest_fen=most, doubled_fen=most) for n in range(7)]
        output = solved(document(pools=[{"id": f"P{n}", "proceeds_fen": most} for n in range(20)], claims=claims))
        assert output["proceeds_fen"] == output["distributed_fen"] == 20 * most
        assert output["quota"] == "0.9524"
        assert max(paid(output).values()) - min(paid(output).values()) == 1

    def test_ten_thousand_creditors_share_one_fen(self) -> None:
        output = solved(document(pools=1, claims=[claim(f"C{n}", 10**6) for n in range(10_000)]))
        assert lines(output) == [(None, 10, "C0", "principal", 1)]
        assert output["quota"] == "0.0000"

    @pytest.mark.parametrize("debtor", ["person", "enterprise"])
    def test_ten_thousand_claims_of_every_kind(self, debtor: str) -> None:
        """Linear but for sorting; the checker, which is not, would take the time here."""
        kinds = ["ordinary", "secured", "lien", "tax", "home_buyer", "injury_medical", "fine", "restitution"]
        claims = [
            claim(
                f"C{n}",
                n * 7_919 % 1_000_003,
                kinds[n % len(kinds)],
                interest_fen=n,
                rank_on=f"20{n % 20 + 10}-01-{n % 28 + 1:02d}",
                sealed_on=f"20{n % 20 + 10}-02-{n % 28 + 1:02d}",
                **({"pool": f"P{n % 50}"} if kinds[n % len(kinds)] in ("secured", "lien", "home_buyer") else {}),
            )
            for n in range(10_000)
        ]
        output = calculated(
            document(debtor, [{"id": f"P{n}", "proceeds_fen": 60_000_000 + n} for n in range(50)], claims)
        )
        assert sum(line[4] for line in lines(output)) == output["proceeds_fen"]

    def test_the_quota_is_rounded_half_up(self) -> None:
        assert solved(document(pools=5, claims=[claim("A", 100_000)]))["quota"] == "0.0001"
        assert solved(document(pools=4, claims=[claim("A", 100_000)]))["quota"] == "0.0000"
        assert solved(document(pools=99_995, claims=[claim("A", 100_000)]))["quota"] == "1.0000"


class TestPools:
    def test_what_a_pool_cannot_cover_is_not_taken_from_another(self) -> None:
        poor = {
            "id": "poor",
            "proceeds_fen": 100,
            "costs": [{"id": "first", "amount_fen": 80}, {"id": "second", "amount_fen": 50}],
            "sale_taxes_fen": 10,
            "rent_carve_out_fen": 10,
        }
        output = solved(document(pools=[poor, FARM], claims=[claim("A", 2_000)]))
        assert lines(output) == [
            ("poor", 1, "first", "costs", 80),
            ("poor", 1, "second", "costs", 20),
            (None, 10, "A", "principal", 1_000),
        ]

    def test_the_carve_out_is_what_was_really_set_aside(self) -> None:
        home = {"id": "home", "proceeds_fen": 100, "sale_taxes_fen": 30, "rent_carve_out_fen": 500}
        output = solved(document(pools=[home], claims=[claim("A", 1)]))
        assert (output["carve_out_fen"], paid(output)["A"]) == (70, 0)

    def test_medical_costs_and_taxes_take_from_each_pool_in_turn(self) -> None:
        claims = [
            claim("M", 900, "secured", pool="farm", rank_on="2020-01-01"),
            claim("hospital", 1_100, "injury_medical"),
            claim("T", 950, "tax", rank_on="2019-01-01"),
        ]
        output = solved(document(pools=[FARM, YARD], claims=claims))
        assert lines(output) == [
            ("farm", 4, "hospital", "principal", 1_000),
            ("yard", 4, "hospital", "principal", 100),
            ("yard", 8, "T", "principal", 900),
        ]

    def test_a_security_pays_from_its_own_pool_only(self) -> None:
        claims = [claim("M", 3_000, "secured", pool="yard"), claim("A", 1_000)]
        output = solved(document(pools=[FARM, YARD], claims=claims))
        assert lines(output) == [
            ("yard", 7, "M", "principal", 1_000),
            (None, 10, "M", "principal", 667),
            (None, 10, "A", "principal", 333),
        ]


class TestRanks:
    def test_liens_then_securities_by_date_the_undated_last(self) -> None:
        def security(name: str, kind: str, rank_on: str | None) -> dict[str, Any]:
            return claim(name, 200, kind, pool="farm", rank_on=rank_on)

        claims = [
            security("undated", "secured", None),
            security("late", "secured", "2022-01-01"),
            security("early", "secured", "2018-01-01"),
            security("undated lien", "lien", None),
            security("lien", "lien", "2023-01-01"),
        ]
        output = solved(document(pools=[{**FARM, "proceeds_fen": 900}], claims=claims))
        assert [line[2] for line in lines(output)] == ["lien", "undated lien", "early", "late", "undated"]
        assert open_of(output, "undated") == [0, 0, 100, 0]

    def test_equal_dates_and_missing_dates_share_pro_rata(self) -> None:
        for rank_on in ("2020-01-01", None):
            claims = [
                claim(name, fen, "secured", pool="farm", rank_on=rank_on) for name, fen in (("A", 1_000), ("B", 3_000))
            ]
            assert paid(solved(document(pools=[FARM], claims=claims))) == {"A": 250, "B": 750}

    def test_each_tax_stands_before_the_securities_younger_than_it(self) -> None:
        claims = [
            claim("T2", 10, "tax", rank_on="2020-06-01"),
            claim("same day", 10, "tax", rank_on="2021-01-01"),
            claim("undated", 10, "tax"),
            claim("T1", 10, "tax", rank_on="2019-06-01"),
            claim("M1", 100, "secured", pool="farm", rank_on="2020-01-01"),
            claim("M2", 100, "secured", pool="farm", rank_on="2021-01-01"),
            claim("M3", 100, "secured", pool="farm"),
        ]
        output = solved(document(pools=[FARM], claims=claims))
        assert [(line[1], line[2]) for line in lines(output)] == [
            (6, "T1"),
            (7, "M1"),
            (6, "T2"),
            (7, "M2"),
            (7, "M3"),
            (8, "same day"),
            (8, "undated"),
        ]

    def test_a_tax_older_than_the_lien_precedes_an_even_older_mortgage(self) -> None:
        claims = [
            claim("M", 800, "secured", pool="farm", rank_on="2018-01-01"),
            claim("L", 300, "lien", pool="farm", rank_on="2020-01-01"),
            claim("T", 100, "tax", rank_on="2019-01-01"),
        ]
        output = solved(document(pools=[FARM], claims=claims))
        assert [line[1:] for line in lines(output)] == [
            (6, "T", "principal", 100),
            (7, "L", "principal", 300),
            (7, "M", "principal", 600),
        ]

    def test_taxes_at_the_same_place_share_pro_rata(self) -> None:
        claims = [
            claim("T1", 3_000, "tax", rank_on="2019-01-01"),
            claim("T2", 1_000, "tax", rank_on="2018-01-01"),
            claim("M", 100, "secured", pool="farm", rank_on="2020-01-01"),
        ]
        assert paid(solved(document(pools=[FARM], claims=claims))) == {"T1": 750, "T2": 250, "M": 0}

    def test_home_buyers_then_the_principal_of_builders(self) -> None:
        claims = [
            claim("builder", 300, "construction_price", pool="farm", costs_fen=50, interest_fen=70),
            claim("buyer", 400, "home_buyer", pool="farm", interest_fen=20),
            claim("L", 200, "lien", pool="farm"),
            claim("T", 50, "tax", rank_on="2001-01-01"),
        ]
        output = solved(document(pools=[FARM], claims=claims))
        assert lines(output) == [
            ("farm", 5, "buyer", "interest", 20),
            ("farm", 5, "buyer", "principal", 400),
            ("farm", 5, "builder", "principal", 300),
            ("farm", 7, "L", "principal", 200),
            ("farm", 8, "T", "principal", 50),
            (None, 10, "builder", "costs", 30),
        ]
        assert open_of(output, "builder") == [20, 70, 0, 0]

    def test_restitution_ordinary_doubled_fines_confiscations(self) -> None:
        claims = [
            claim("state", 100, "confiscation"),
            claim("fine", 100, "fine"),
            claim("A", 300, doubled_fen=100),
            claim("victim", 300, "restitution", doubled_fen=50),
        ]
        output = solved(document(pools=[FARM], claims=claims))
        assert [line[1:] for line in lines(output)] == [
            (9, "victim", "principal", 300),
            (10, "A", "principal", 300),
            (11, "A", "doubled", 100),
            (11, "victim", "doubled", 50),
            (12, "fine", "principal", 100),
            (12, "state", "principal", 100),
        ]
        assert output["surplus_fen"] == 50


class TestEnterprise:
    def test_rests_of_securities_rank_by_their_own_seal_and_the_undated_last(self) -> None:
        claims = [
            claim("M", 900, "secured", pool="yard", sealed_on="2022-01-01"),
            claim("A", 400, sealed_on="2023-01-01"),
            claim("N1", 300),
            claim("N2", 100),
            claim("B", 300, sealed_on="2023-01-01"),
        ]
        pools = [FARM, {"id": "yard", "proceeds_fen": 700}]
        output = solved(document("enterprise", pools, claims))
        assert paid(output) == {"M": 900, "A": 400, "N1": 75, "N2": 25, "B": 300}

    def test_doubled_interest_follows_the_seals_after_all_of_level_10(self) -> None:
        claims = [
            claim("late", 300, doubled_fen=100, sealed_on="2023-01-01"),
            claim("early", 300, doubled_fen=100, sealed_on="2022-01-01"),
            claim("never", 300, doubled_fen=100),
        ]
        output = solved(document("enterprise", 1_050, claims))
        assert [line[1:] for line in lines(output)][3:] == [
            (11, "early", "doubled", 100),
            (11, "late", "doubled", 50),
        ]


class TestPreference:
    @pytest.mark.parametrize("kind", ["tax", "ordinary"])
    def test_a_claim_with_nothing_open_in_the_class_gets_none(self, kind: str) -> None:
        claims = [claim("A", 0 if kind == "ordinary" else 100, kind), claim("B", 600), claim("C", 600)]
        preference = {"method": "pool_percent", "percent": 20, "claim": "A"}
        output = solved(document("person", [FARM], claims, preference))
        assert paid(output)["B"] == paid(output)["C"]
        assert "R-DIST-16" not in output["rules"]

    @pytest.mark.parametrize("method", ["pool_percent", "share_uplift"])
    @pytest.mark.parametrize("money", [0, 1, 99, 100, 101])
    def test_the_only_creditor(self, method: str, money: int) -> None:
        preference = {"method": method, "percent": 100, "claim": "A"}
        output = solved(document("person", money, [claim("A", 100)], preference))
        assert paid(output) == {"A": min(money, 100)}

    @pytest.mark.parametrize("method", ["pool_percent", "share_uplift"])
    def test_it_is_split_like_any_share(self, method: str) -> None:
        claims = [claim("A", 500, costs_fen=60, interest_fen=100), claim("B", 1_340)]
        preference = {"method": method, "percent": 50, "claim": "A"}
        output = solved(document("person", [FARM], claims, preference))
        assert [line[3] for line in lines(output) if line[2] == "A"] == ["costs", "interest", "principal"]

    def test_a_security_is_preferred_for_its_rest(self) -> None:
        claims = [claim("M", 1_500, "secured", pool="farm"), claim("B", 500)]
        preference = {"method": "pool_percent", "percent": 20, "claim": "M"}
        output = solved(document("person", [FARM, YARD | {"proceeds_fen": 500}], claims, preference))
        assert lines(output) == [
            ("farm", 7, "M", "principal", 1_000),
            (None, 10, "M", "principal", 100 + 178),
            (None, 10, "B", "principal", 222),
        ]


UNUSABLE: list[tuple[dict[str, Any], str]] = [
    (document(pools=[FARM, FARM]), "$.pools[1].id"),
    (document(claims=[claim("A"), claim("B"), claim("A")]), "$.claims[2].id"),
    (document(pools=[{"id": "p", "costs": [{"id": "c"}, {"id": "c"}]}]), "$.pools[0].costs[1].id"),
    (document(pools=[FARM], claims=[claim("M", kind="secured")]), "$.claims[0].pool"),
    (document(pools=[FARM], claims=[claim("M", kind="lien", pool="yard")]), "$.claims[0].pool"),
    (document(pools=[FARM], claims=[claim("M", kind="home_buyer", pool=None)]), "$.claims[0].pool"),
    (document(pools=[FARM], claims=[claim("A", pool="farm")]), "$.claims[0].pool"),
    (document(claims=[claim("A"), claim("T", kind="tax", doubled_fen=1)]), "$.claims[1].doubled_fen"),
    (document(claims=[claim("F", kind="fine", doubled_fen=1)]), "$.claims[0].doubled_fen"),
    (document(claims=[claim("F", kind="confiscation", doubled_fen=1)]), "$.claims[0].doubled_fen"),
    (
        document(claims=[claim("A")], preference={"method": "pool_percent", "percent": 20, "claim": "B"}),
        "$.first_seal_preference.claim",
    ),
    (
        document(
            "enterprise",
            claims=[claim("A")],
            preference={"method": "share_uplift", "percent": 20, "claim": "A"},
        ),
        "$.first_seal_preference",
    ),
]


@pytest.mark.parametrize(("case", "path"), UNUSABLE)
def test_unusable_cases_are_refused_by_path(case: dict[str, Any], path: str) -> None:
    with pytest.raises(Malformed) as refusal:
        calculated(case)
    assert refusal.value.facts["path"] == path


@pytest.mark.parametrize(
    "change",
    [
        {"debtor": "company"},
        {"debtor": None},
        {"extra": 1},
        {"pools": None},
        {"pools": [{"id": "p", "proceeds_fen": -1}]},
        {"pools": [{"id": "p", "proceeds_fen": 10**15 + 1}]},
        {"pools": [{"id": "p", "proceeds_fen": 1.0}]},
        {"pools": [{"id": "p", "proceeds_fen": "1"}]},
        {"pools": [{"id": "p", "proceeds_fen": True}]},
        {"pools": [{"id": "", "proceeds_fen": 1}]},
        {"pools": [{"id": "p", "costs": [{"id": "c", "amount_fen": -1}]}]},
        {"pools": [{"id": f"p{n}"} for n in range(1_001)]},
        {"claims": [{"id": "A"}]},
        {"claims": [{"id": "A", "kind": "wages"}]},
        {"claims": [{"id": "A", "kind": "ordinary", "principal_fen": -1}]},
        {"claims": [{"id": "A", "kind": "ordinary", "sealed_on": "2023-02-30"}]},
        {"claims": [{"id": "A", "kind": "ordinary", "sealed_on": "2023-02-01T00:00:00"}]},
        {"claims": [{"id": "A", "kind": "ordinary", "surprise": 1}]},
        {"claims": [{"id": f"c{n}", "kind": "ordinary"} for n in range(10_001)]},
        {"first_seal_preference": {"method": "pool_percent", "percent": 101, "claim": "A"}},
        {"first_seal_preference": {"method": "pool_percent", "percent": -1, "claim": "A"}},
        {"first_seal_preference": {"method": "half", "percent": 20, "claim": "A"}},
        {"first_seal_preference": {"method": "pool_percent", "claim": "A"}},
    ],
)
def test_input_that_does_not_fit_the_format_is_not_read(change: dict[str, Any]) -> None:
    readable = document(pools=[FARM], claims=[claim("A", 1)])
    calculated(readable)
    with pytest.raises(msgspec.ValidationError):
        calculated(readable | change)
