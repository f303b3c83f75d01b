"""The plan as a document: its lines from its basis, its hash, and what earlier plans leave of claims and costs."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

from kernel.money import Fen
from settlement.completion.rules import CostKind
from settlement.distribution.claims import Claim, ClaimKind, DebtorKind
from settlement.distribution.drawing import draw
from settlement.distribution.plan_views import LEVELS
from settlement.distribution.plans import (
    Basis,
    CostItem,
    Fee,
    Head,
    Line,
    Participation,
    PayeeKind,
    Proceeds,
    basis_bytes,
    explain,
    formula,
    plan_hash,
    read_basis,
    reduce_claims,
    reduce_costs,
)

DEBTOR, HOME, LAND = UUID(int=1), str(UUID(int=2)), str(UUID(int=3))


def party(number: int) -> UUID:
    return UUID(int=100 + number)


def cost(number: int, kind: CostKind, amount_fen: int, pool: str | None = None) -> CostItem:
    return CostItem(UUID(int=200 + number), kind, f"cost {number}", f"payee {number}", pool, Fen(amount_fen))


def claim(number: int, amount_fen: int, kind: ClaimKind = ClaimKind.ORDINARY, pool: str | None = None) -> Participation:
    return Participation(
        party(number),
        f"creditor {number}",
        Claim(str(UUID(int=300 + number)), kind, pool, rank_on=date(2019, 3, number), principal_fen=Fen(amount_fen)),
    )


def basis(proceeds: dict[str, int], costs: list[CostItem], claims: list[Participation]) -> Basis:
    return Basis(
        debtor=DebtorKind.PERSON,
        debtor_party=DEBTOR,
        debtor_name="debtor",
        proceeds=tuple(Proceeds(pool, pool, Fen(amount)) for pool, amount in proceeds.items()),
        costs=tuple(costs),
        claims=tuple(claims),
    )


def said(lines: tuple[Line, ...]) -> list[tuple[int, str, str, int]]:
    return [(line.level, line.payee, line.part, line.amount_fen) for line in lines]


W_14 = basis(
    {HOME: 300_000_000},
    [
        cost(1, CostKind.ENFORCEMENT_FEE, 3_200_000),
        cost(2, CostKind.SALE_COST, 2_000_000, HOME),
        cost(3, CostKind.SALE_TAXES, 6_000_000, HOME),
        cost(4, CostKind.SALE_TAXES, 3_000_000, HOME),
        cost(5, CostKind.RENT_CARVE_OUT, 21_600_000, HOME),
    ],
    [
        claim(1, 5_000_000, ClaimKind.TAX),
        claim(2, 180_000_000, ClaimKind.SECURED, HOME),
        claim(3, 4_000_000, ClaimKind.TAX),
        claim(4, 80_000_000),
        claim(5, 40_000_000),
    ],
)


def test_w14_names_every_payee_with_level_rule_and_arithmetic() -> None:
    lines = draw(W_14).lines
    assert said(lines) == [
        (1, "payee 2", "sale_cost", 2_000_000),
        (1, "payee 1", "enforcement_fee", 3_200_000),
        (2, "payee 3", "sale_taxes", 6_000_000),
        (2, "payee 4", "sale_taxes", 3_000_000),
        (3, "payee 5", "rent_carve_out", 21_600_000),
        (6, "creditor 1", "principal", 5_000_000),
        (7, "creditor 2", "principal", 180_000_000),
        (8, "creditor 3", "principal", 4_000_000),
        (10, "creditor 4", "principal", 50_133_333),
        (10, "creditor 5", "principal", 25_066_667),
    ]
    assert [line.position for line in lines] == list(range(1, 11))
    assert lines[8].rule == "R-DIST-03"
    assert lines[8].law == "民诉法解释 第五百零八条"
    assert formula(lines[8]) == "752,000.00 × 800,000.00 ÷ 1,200,000.00"
    assert formula(lines[6]) == "1,800,000.00"


def told(line: Line) -> tuple[str, str, str]:
    zh, en = explain(line, LEVELS[line.level])
    return formula(line), zh.partition("：")[2], en.partition(": ")[2]


def test_a_share_that_pays_two_parts_of_a_claim_says_so_and_its_arithmetic_comes_to_the_amount() -> None:
    """R-DIST-18: 500.00 for claims of 1,080.00 and 670.00; of the first one's 308.57 interest takes 80.00."""
    both = replace(claim(1, 1_000_00), claim=replace(claim(1, 1_000_00).claim, interest_fen=Fen(80_00)))
    interest, principal, _ = draw(basis({HOME: 500_00}, [], [both, claim(2, 670_00)])).lines
    share = "500.00 × 1,080.00 ÷ 1,750.00"
    assert told(interest) == (
        f"{share} − 228.57",
        f"{share} = 308.57 元，其中利息 80.00 元。",
        f"{share} = 308.57 yuan, of which interest 80.00 yuan.",
    )
    assert told(principal)[0] == f"{share} − 80.00"
    whole, *_ = draw(basis({HOME: 2_000_00}, [], [both])).lines
    assert told(whole)[:2] == ("1,080.00 − 1,000.00", "1,080.00 元，其中利息 80.00 元。")


def test_a_cost_that_the_money_does_not_cover_says_so() -> None:
    (line,) = draw(basis({HOME: 60_00}, [cost(1, CostKind.SALE_COST, 100_00)], [claim(1, 5)])).lines
    assert told(line)[:2] == ("100.00 − 40.00", "应付 100.00 元，款项仅够支付 60.00 元。")


def test_sale_taxes_that_exceed_the_pool_are_paid_in_their_order() -> None:
    taxes = [cost(1, CostKind.SALE_TAXES, 70, HOME), cost(2, CostKind.SALE_TAXES, 50, HOME)]
    assert said(draw(basis({HOME: 100}, taxes, [claim(1, 10)])).lines) == [
        (2, "payee 1", "sale_taxes", 70),
        (2, "payee 2", "sale_taxes", 30),
    ]


def test_costs_of_the_whole_case_fall_on_the_pools_by_their_proceeds() -> None:
    lines = draw(basis({HOME: 200, LAND: 100}, [cost(1, CostKind.SALE_COST, 10)], [claim(1, 1_000)])).lines
    assert [(line.pool, line.amount_fen) for line in lines] == [(HOME, 7), (LAND, 3), (None, 290)]


def test_a_claim_secured_on_an_unsold_thing_shares_as_an_ordinary_one() -> None:
    lines = draw(basis({HOME: 100}, [], [claim(1, 100, ClaimKind.SECURED, LAND), claim(2, 100)])).lines
    assert said(lines) == [(10, "creditor 1", "principal", 50), (10, "creditor 2", "principal", 50)]


def test_surplus_is_a_line_to_the_debtor() -> None:
    lines = draw(basis({HOME: 100}, [], [claim(1, 60)])).lines
    assert said(lines)[-1] == (13, "debtor", "surplus", 40)
    assert lines[-1].payee_id == DEBTOR
    assert lines[-1].rule == "R-CLOSE-13"


def test_a_stored_basis_reads_back_to_the_same_lines_and_bytes() -> None:
    with_fee = replace(W_14, fee=Fee(Fen(1), Fen(3_199_999), Fen(3_200_000), "whole yuan"))
    stored = basis_bytes(with_fee)
    again = read_basis(stored)
    assert again == with_fee
    assert basis_bytes(again) == stored
    assert draw(again) == draw(with_fee)


def test_the_hash_covers_head_basis_and_every_column_of_every_line() -> None:
    head = Head(UUID(int=9), UUID(int=8), 1, datetime(2025, 6, 2, tzinfo=UTC), UUID(int=7))
    stored, lines = basis_bytes(W_14), draw(W_14).lines
    original = plan_hash(head, stored, lines)
    others: dict[str, object] = {
        "position": 99,
        "level": 12,
        "rule": "R-X",
        "law": None,
        "pool": None,
        "payee_kind": PayeeKind.PARTY,
        "payee_id": DEBTOR,
        "payee": "other",
        "claim_id": DEBTOR,
        "part": "costs",
        "amount_fen": Fen(1),
        "arithmetic": "{}",
    }
    for column, value in others.items():
        changed = (replace(lines[0], **{column: value}), *lines[1:])  # type: ignore[arg-type]
        assert plan_hash(head, stored, changed) != original, column
    assert plan_hash(head, stored, lines[:-1]) != original
    assert plan_hash(replace(head, version=2), stored, lines) != original
    assert plan_hash(head, stored + b" ", lines) != original


def test_what_earlier_plans_paid_is_no_longer_claimed() -> None:
    creditor, fee = claim(1, 100), cost(1, CostKind.SALE_COST, 30)
    (rest,) = reduce_claims([creditor], {(UUID(creditor.claim.id), "principal"): 60})
    assert rest.claim.principal_fen == 40
    assert reduce_costs([fee], {fee.id: 10})[0].amount_fen == 20
    assert reduce_costs([fee], {fee.id: 30}) == ()
