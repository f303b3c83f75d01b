"""The worked cases of distribution with their figures, through the calculator and through the bare rules.

Amounts are written in yuan where the sources are, and turned into fen by `yuan`.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from app.bench.distribution_checker import check
from tests.settlement.distribution import cases
from tests.settlement.distribution.cases import claim, document, lines, open_of, paid


def yuan(*amounts: str) -> list[int]:
    return [int(Decimal(amount.replace(",", "")) * 100) for amount in amounts]


def solved(case: dict[str, Any]) -> dict[str, Any]:
    """The calculator's output, once the rules alone and the independent checker agree with it."""
    output = cases.calculated(case)
    outcome = cases.distributed(case)
    assert [(line.pool, line.level, line.to, line.part, line.amount_fen) for line in outcome.allocations] == lines(
        output
    )
    assert {each.id: each.paid_fen for each in outcome.claims} == paid(output)
    assert outcome.surplus_fen == output["surplus_fen"]
    check(case, output)
    return output


class TestW11OrderInsideTheClaim:
    @pytest.mark.parametrize(
        ("money", "parts", "still_open", "surplus"),
        [
            ("1,200,000.00", ("12,000", "80,000", "1,000,000", "31,150"), ("0", "0", "0", "0"), "76,850"),
            ("1,100,000.00", ("12,000", "80,000", "1,000,000", "8,000"), ("0", "0", "0", "23,150"), "0"),
            ("1,050,000.00", ("12,000", "80,000", "958,000", "0"), ("0", "0", "42,000", "31,150"), "0"),
            ("50,000.00", ("12,000", "38,000", "0", "0"), ("0", "42,000", "1,000,000", "31,150"), "0"),
        ],
    )
    def test_costs_interest_principal_then_doubled(
        self, money: str, parts: tuple[str, ...], still_open: tuple[str, ...], surplus: str
    ) -> None:
        costs, interest, principal, doubled = yuan("12,000", "80,000", "1,000,000", "31,150")
        output = solved(
            document(
                pools=yuan(money)[0],
                claims=[claim("A", principal, costs_fen=costs, interest_fen=interest, doubled_fen=doubled)],
            )
        )
        levels = dict(zip(("costs", "interest", "principal", "doubled"), (10, 10, 10, 11), strict=True))
        assert lines(output) == [
            (None, level, "A", part, fen)
            for (part, level), fen in zip(levels.items(), yuan(*parts), strict=True)
            if fen
        ]
        assert open_of(output, "A") == yuan(*still_open)
        assert output["surplus_fen"] == yuan(surplus)[0]


class TestW12ProRata:
    @pytest.mark.parametrize(
        ("money", "claims", "shares"),
        [
            ("100,000.00", ("100,000",) * 3, ("33,333.34", "33,333.33", "33,333.33")),
            (
                "500,000.00",
                ("333,333.33", "250,000.00", "199,999.99", "87,654.32"),
                ("191,353.65", "143,515.24", "114,812.19", "50,318.92"),
            ),
            ("100.00", ("50",) * 7, ("14.29",) * 4 + ("14.28",) * 3),
        ],
    )
    def test_shares_by_largest_remainder(self, money: str, claims: tuple[str, ...], shares: tuple[str, ...]) -> None:
        output = solved(
            document(pools=yuan(money)[0], claims=[claim(f"C{n}", fen) for n, fen in enumerate(yuan(*claims))])
        )
        assert list(paid(output).values()) == yuan(*shares)
        assert output["surplus_fen"] == 0
        assert "R-GEN-04" in output["rules"]

    def test_never_more_than_the_claim(self) -> None:
        claims = [claim("A", 30_000, doubled_fen=500), claim("B", 20_000), claim("F", 700, "fine")]
        output = solved(document(pools=51_300, claims=claims))
        assert paid(output) == {"A": 30_500, "B": 20_000, "F": 700}
        assert output["surplus_fen"] == 100
        assert output["quota"] == "1.0000"
        assert "R-GEN-04" not in output["rules"]


def home_and_bank() -> dict[str, Any]:
    """W-13, which is also the example of the format."""
    return {
        "debtor": "person",
        "pools": [
            {
                "id": "home",
                "proceeds_fen": 200_000_000,
                "costs": [{"id": "fee", "amount_fen": 3_000_000}],
                "sale_taxes_fen": 0,
                "rent_carve_out_fen": 0,
            },
            {"id": "bank", "proceeds_fen": 30_000_000},
        ],
        "claims": [
            {
                "id": "M",
                "kind": "secured",
                "pool": "home",
                "rank_on": "2019-03-01",
                "principal_fen": 230_000_000,
            },
            {
                "id": "B",
                "kind": "ordinary",
                "costs_fen": 0,
                "interest_fen": 0,
                "principal_fen": 40_000_000,
                "doubled_fen": 0,
                "sealed_on": "2023-02-01",
            },
            {"id": "C", "kind": "ordinary", "principal_fen": 27_000_000},
        ],
        "first_seal_preference": None,
    }


def test_w13_shortfall_of_the_security_joins_the_ordinary_class() -> None:
    def debt(principal_fen: int) -> dict[str, int]:
        return {"costs_fen": 0, "interest_fen": 0, "principal_fen": principal_fen, "doubled_fen": 0}

    assert solved(home_and_bank()) == {
        "allocations": [
            {"pool": "home", "level": 1, "to": "fee", "part": "costs", "amount_fen": 3_000_000},
            {"pool": "home", "level": 7, "to": "M", "part": "principal", "amount_fen": 197_000_000},
            {"pool": None, "level": 10, "to": "M", "part": "principal", "amount_fen": 9_900_000},
            {"pool": None, "level": 10, "to": "B", "part": "principal", "amount_fen": 12_000_000},
            {"pool": None, "level": 10, "to": "C", "part": "principal", "amount_fen": 8_100_000},
        ],
        "claims": [
            {"id": "M", "paid_fen": 206_900_000, "open": debt(23_100_000)},
            {"id": "B", "paid_fen": 12_000_000, "open": debt(28_000_000)},
            {"id": "C", "paid_fen": 8_100_000, "open": debt(18_900_000)},
        ],
        "carve_out_fen": 0,
        "surplus_fen": 0,
        "quota": "0.3000",
        "proceeds_fen": 230_000_000,
        "distributed_fen": 230_000_000,
        "rules": ["R-COST-04", "R-DIST-03", "R-DIST-10", "R-DIST-13"],
    }


def test_w13_a_line_tells_its_arithmetic() -> None:
    outcome = cases.distributed(home_and_bank())
    line = outcome.allocations[-1]
    assert (line.to, line.rule) == ("C", "R-DIST-03")
    assert (line.share.share_of_fen, line.share.claim_open_fen, line.share.class_open_fen) == (
        30_000_000,
        27_000_000,
        100_000_000,
    )
    assert outcome.quota == Fraction(3, 10)


def test_w14_full_waterfall_only_home() -> None:
    output = solved(
        document(
            pools=[
                {
                    "id": "home",
                    "proceeds_fen": 300_000_000,
                    "costs": [{"id": "enforcement", "amount_fen": 5_200_000}],
                    "sale_taxes_fen": 9_000_000,
                    "rent_carve_out_fen": 21_600_000,
                }
            ],
            claims=[
                claim("A", 80_000_000, doubled_fen=3_000_000),
                claim("B", 40_000_000, doubled_fen=2_000_000),
                claim("younger", 4_000_000, "tax", rank_on="2021-01-01"),
                claim("mortgage", 180_000_000, "secured", pool="home", rank_on="2019-03-01"),
                claim("older", 5_000_000, "tax", rank_on="2018-05-31"),
            ],
        )
    )
    assert lines(output) == [
        ("home", 1, "enforcement", "costs", 5_200_000),
        ("home", 2, "sale_taxes", "sale_taxes", 9_000_000),
        ("home", 3, "debtor", "rent_carve_out", 21_600_000),
        ("home", 6, "older", "principal", 5_000_000),
        ("home", 7, "mortgage", "principal", 180_000_000),
        ("home", 8, "younger", "principal", 4_000_000),
        (None, 10, "A", "principal", 50_133_333),
        (None, 10, "B", "principal", 25_066_667),
    ]
    assert output["quota"] == "0.6267"
    assert output["carve_out_fen"] == 21_600_000
    assert open_of(output, "A") == [0, 0, 29_866_667, 3_000_000]
    assert open_of(output, "B") == [0, 0, 14_933_333, 2_000_000]


class TestW15OrderOfSealing:
    @staticmethod
    def case(debtor: str, x_sealed_on: str) -> dict[str, Any]:
        costs = [{"id": "costs", "amount_fen": 2_000_000}]
        return document(
            debtor,
            pools=[{"id": "plant", "proceeds_fen": 90_000_000, "costs": costs}],
            claims=[
                claim("mortgage", 30_000_000, "secured", pool="plant", rank_on="2020-01-01"),
                claim("Z", 20_000_000, sealed_on="2024-01-08"),
                claim("Y", 40_000_000, sealed_on="2023-05-03"),
                claim("X", 35_000_000, sealed_on=x_sealed_on),
            ],
        )

    def test_the_first_seal_is_paid_first(self) -> None:
        output = solved(self.case("enterprise", "2023-02-01"))
        assert paid(output) == {"mortgage": 30_000_000, "Z": 0, "Y": 23_000_000, "X": 35_000_000}
        assert open_of(output, "Y") == [0, 0, 17_000_000, 0]
        assert output["quota"] is None
        assert "R-DIST-08" in output["rules"]
        assert "R-DIST-03" not in output["rules"]

    def test_a_lapsed_seal_ranks_by_its_new_date(self) -> None:
        output = solved(self.case("enterprise", "2024-02-20"))
        assert paid(output) == {"mortgage": 30_000_000, "Z": 18_000_000, "Y": 40_000_000, "X": 0}

    @pytest.mark.parametrize("debtor", ["person", "other_organisation"])
    def test_anyone_but_an_enterprise_pays_pro_rata(self, debtor: str) -> None:
        output = solved(self.case(debtor, "2023-02-01"))
        assert paid(output) == {"mortgage": 30_000_000, "Z": 12_210_526, "Y": 24_421_053, "X": 21_368_421}


class TestW16FirstSealPreference:
    @pytest.mark.parametrize(
        ("method", "shares"),
        [
            ("pool_percent", ("333,333.34", "333,333.33", "333,333.33")),
            ("share_uplift", ("240,000.00", "380,000.00", "380,000.00")),
            (None, ("200,000.00", "400,000.00", "400,000.00")),
        ],
    )
    def test_methods(self, method: str | None, shares: tuple[str, ...]) -> None:
        preference = {"method": method, "percent": 20, "claim": "A"} if method else None
        claims = [claim("A", 100_000_000), claim("B", 200_000_000), claim("C", 200_000_000)]
        case = document("person", 100_000_000, claims, preference)
        output = solved(case)
        assert list(paid(output).values()) == yuan(*shares)
        assert output["quota"] == "0.2000"
        assert ("R-DIST-16" in output["rules"]) == bool(method)
        rules = {line.to: line.rule for line in cases.distributed(case).allocations}
        assert rules == {"A": "R-DIST-16" if method else "R-DIST-03", "B": "R-DIST-03", "C": "R-DIST-03"}

    @pytest.mark.parametrize("method", ["pool_percent", "share_uplift"])
    def test_never_more_than_its_claim(self, method: str) -> None:
        output = solved(
            document(
                "person",
                100_000,
                [claim("A", 9_000), claim("B", 92_000)],
                {"method": method, "percent": 100, "claim": "A"},
            )
        )
        assert paid(output) == {"A": 9_000, "B": 91_000}
