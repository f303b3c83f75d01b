"""The distribution plan (分配方案) as a document: what it rests on, its lines, and the hash over all of it.

Invariant: a plan's lines follow from its basis by `draw` alone, byte for byte, and its hash covers the basis and
every line; so `verify` replays any plan from its row, and a changed, missing or added line shows. Amounts are fen.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from kernel.clock import to_ms
from kernel.money import Fen, yuan
from settlement.completion.rules import CostKind
from settlement.distribution.claims import (
    Claim,
    Debt,
    DebtorKind,
    Distribution,
    Part,
    Preference,
)

FORMAT = b"plan/1"
SURPLUS_LEVEL = 13
SURPLUS = "surplus"
RULE_OF_TAKING = "R-FAIL-03"


class PayeeKind(StrEnum):
    """Whose row holds the payee's account: a party of the case, a registered cost, or a reward notice.

    `escrow` is nobody yet; `set_off` a party that took or bought a thing and owes this part of its price to itself;
    `reward` stands on payouts alone, deducted from one creditor's (R-CASE-06).
    """

    PARTY = "party"
    COST = "cost"
    ESCROW = "escrow"
    SET_OFF = "set_off"
    REWARD = "reward"


PAYABLE = (PayeeKind.PARTY, PayeeKind.COST)
"""Kinds of payee that a payout can reach."""


@dataclass(frozen=True, slots=True)
class Proceeds:
    """What one sold thing brought into the case account. `pool` is the asset's id, or `case_money`."""

    pool: str
    name: str
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class CostItem:
    """One registered cost as far as it is still unpaid. Without a pool it is the whole case's."""

    id: UUID
    kind: CostKind
    name: str
    payee: str
    pool: str | None
    amount_fen: Fen
    document: str = ""


@dataclass(frozen=True, slots=True)
class Participation:
    """One claim that takes part, and the party it is paid to. `document` is the title it rests on."""

    party_id: UUID
    name: str
    claim: Claim
    document: str = ""

    @property
    def debt(self) -> Debt:
        """What is open of the claim, by its parts."""
        claim = self.claim
        return Debt(claim.costs_fen, claim.interest_fen, claim.principal_fen, claim.doubled_fen)

    def of(self, debt: Debt) -> "Participation":
        """The same claim with other amounts."""
        return replace(
            self,
            claim=replace(
                self.claim,
                costs_fen=debt.costs_fen,
                interest_fen=debt.interest_fen,
                principal_fen=debt.principal_fen,
                doubled_fen=debt.doubled_fen,
            ),
        )


@dataclass(frozen=True, slots=True)
class Fee:
    """The enforcement fee: computed by the brackets on a base, and as the court set it with its reason (R-COST-01)."""

    base_fen: Fen
    computed_fen: Fen
    set_fen: Fen
    reason: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """A claim in suit: what the objector says should be open of it instead (R-DIST-06)."""

    objection_id: UUID
    claim_id: UUID
    debt: Debt


@dataclass(frozen=True, slots=True)
class SetOff:
    """What a taker or buyer did not pay in of a price, since the distribution would give it to them.

    The proceeds hold it. `rule` is the one by which it was not paid in.
    """

    party_id: UUID
    amount_fen: Fen
    rule: str = RULE_OF_TAKING


@dataclass(frozen=True, slots=True)
class Settled:
    """The plan whose escrow a later plan gives out, with the basis it followed from."""

    plan_id: UUID
    basis: "Basis"


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything a plan follows from. Claims are in order of registration, pools in order of payment.

    A plan that corrects an objected one or gives out an escrow names the plan it `follows`; with `disputes` their part
    is kept in escrow, with `settles` the escrow of that plan is what is distributed. `set_offs` are a part of
    the proceeds that never came in as money, and lines to those parties are paid by them.
    """

    debtor: DebtorKind
    debtor_party: UUID
    debtor_name: str
    proceeds: tuple[Proceeds, ...]
    costs: tuple[CostItem, ...]
    claims: tuple[Participation, ...]
    fee: Fee | None = None
    preference: Preference | None = None
    follows: UUID | None = None
    disputes: tuple[Dispute, ...] = ()
    settles: Settled | None = None
    set_offs: tuple[SetOff, ...] = ()

    @property
    def recipients(self) -> dict[UUID, str]:
        """Whom the plan is served on: every creditor and the debtor, with their names (R-DIST-04)."""
        return {each.party_id: each.name for each in self.claims} | {self.debtor_party: self.debtor_name}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plan: so much to one payee, put there by a rule. `arithmetic` is JSON text."""

    position: int
    level: int
    rule: str
    law: str | None
    pool: str | None
    payee_kind: PayeeKind
    payee_id: UUID
    payee: str
    claim_id: UUID | None
    part: str
    amount_fen: Fen
    arithmetic: str

    @property
    def place(self) -> "Place":
        """What makes it the same line in two plans over one basis."""
        return self.level, self.pool, self.payee_kind, self.payee_id, self.claim_id, self.part


Place = tuple[int, str | None, PayeeKind, UUID, UUID | None, str]


@dataclass(frozen=True, slots=True)
class Head:
    """What makes a plan this version of this case."""

    id: UUID
    case_id: UUID
    version: int
    made_at: datetime
    made_by: UUID


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plan as its basis yields it; `outcome` is that of the whole distribution, escrow or not."""

    lines: tuple[Line, ...]
    outcome: Distribution

    @property
    def proceeds_fen(self) -> Fen:
        """Everything the plan gives, keeps or returns: each fen stands on one line."""
        return Fen(sum(line.amount_fen for line in self.lines))

    @property
    def surplus_fen(self) -> Fen:
        return Fen(sum(line.amount_fen for line in self.lines if line.part == SURPLUS))

    @property
    def distributed_fen(self) -> Fen:
        return Fen(self.proceeds_fen - self.surplus_fen)

    @property
    def escrow_fen(self) -> Fen:
        return Fen(sum(line.amount_fen for line in self.lines if line.payee_kind is PayeeKind.ESCROW))


def basis_bytes(basis: Basis) -> bytes:
    """The exact bytes of a basis, as they are stored and hashed."""
    return msgspec.json.encode(basis)


def read_basis(stored: bytes) -> Basis:
    """A stored basis; raises `msgspec.ValidationError` or `msgspec.DecodeError` for bytes that are none."""
    return msgspec.json.decode(stored, type=Basis)


def line_bytes(line: Line) -> bytes:
    """The exact bytes of a line: all its columns in a frozen order. They hold no line feed."""
    return msgspec.json.encode(
        [
            line.position,
            line.level,
            line.rule,
            line.law,
            line.pool,
            line.payee_kind,
            line.payee_id,
            line.payee,
            line.claim_id,
            line.part,
            line.amount_fen,
            line.arithmetic,
        ]
    )


def plan_hash(head: Head, basis: bytes, lines: Iterable[Line]) -> bytes:
    """SHA-256 over head, basis and every line of a plan, in order."""
    first = msgspec.json.encode([head.id, head.case_id, head.version, to_ms(head.made_at), head.made_by])
    return hashlib.sha256(b"\n".join([FORMAT, first, basis, *(line_bytes(line) for line in lines)])).digest()


def formula(line: Line) -> str:
    """The line's arithmetic for people: `752,000.00 × 800,000.00 ÷ 1,200,000.00`; it comes to the line's amount.

    Of a share that pays several parts of a claim (R-DIST-18) what the others get is taken off.
    """
    numbers = _numbers(line)
    if "due_fen" in numbers:
        return _less(yuan(numbers["due_fen"]), numbers["due_fen"] - line.amount_fen)
    if "from_fen" in numbers:
        return _less(yuan(numbers["from_fen"]), numbers["less_fen"])
    return _less(_reckoned(numbers), numbers["share_fen"] - line.amount_fen)


def _numbers(line: Line) -> dict[str, int]:
    return msgspec.json.decode(line.arithmetic, type=dict[str, int])


def _less(text: str, fen: int) -> str:
    return f"{text} − {yuan(fen)}" if fen else text


def _reckoned(numbers: Mapping[str, int]) -> str:
    """How a claim's share came about, all its parts together."""
    shared, mine, whole = (numbers[name] for name in ("share_of_fen", "claim_open_fen", "class_open_fen"))
    text = yuan(mine) if shared == whole else f"{yuan(shared)} × {yuan(mine)} ÷ {yuan(whole)}"
    if numbers.get("uplift_percent"):
        text = f"{text} × {100 + numbers['uplift_percent']}%"
    return f"{yuan(numbers['first_fen'])} + {text}" if numbers.get("first_fen") else text


PARTS_OF_CLAIMS = {"costs": ("费用", "costs"), "interest": ("利息", "interest"), "principal": ("本金", "principal")}
PARTS_OF_CLAIMS |= {"doubled": ("加倍部分债务利息", "doubled interest")}


def explain(line: Line, level: tuple[str, str]) -> tuple[str, str]:
    """The line as a sentence in Chinese and in English: by which rule, to whom, how much, and how it was reckoned."""
    zh, en = PARTS_OF_CLAIMS.get(line.part, (level[0], level[1].lower()))
    by_zh = f"依{line.law}（{line.rule}）" if line.law else f"依规则 {line.rule}"
    by_en = f"By {line.law} ({line.rule})" if line.law else f"By rule {line.rule}"
    sum_zh, sum_en = _sums(line, zh, en)
    return (
        f"{by_zh}，第 {line.level} 顺位“{level[0]}”，{line.payee} {zh}：{sum_zh}。",
        f"{by_en}, level {line.level} ({level[1].lower()}), {line.payee}, {en}: {sum_en}.",
    )


def _sums(line: Line, zh: str, en: str) -> tuple[str, str]:
    """The amount and how it was reckoned: a share of which the part is one, a cost that the money does not cover."""
    amount, numbers = yuan(line.amount_fen), _numbers(line)
    if numbers.get("due_fen", line.amount_fen) > line.amount_fen:
        due = yuan(numbers["due_fen"])
        return f"应付 {due} 元，款项仅够支付 {amount} 元", f"{due} yuan are due, the money covers {amount} yuan"
    if numbers.get("share_fen", line.amount_fen) > line.amount_fen:
        share, reckoned = yuan(numbers["share_fen"]), _reckoned(numbers)
        whole = share if reckoned == share else f"{reckoned} = {share}"
        return f"{whole} 元，其中{zh} {amount} 元", f"{whole} yuan, of which {en} {amount} yuan"
    reckoned = formula(line)
    whole = amount if reckoned == amount else f"{reckoned} = {amount}"
    return f"{whole} 元", f"{whole} yuan"


def reduce_claims(claims: Iterable[Participation], paid: Mapping[tuple[UUID, str], int]) -> tuple[Participation, ...]:
    """The claims less what earlier plans gave them, by (claim, part); what is open stays owed (R-DIST-03)."""

    def rest(each: Participation, part: Part) -> Fen:
        # A claim found to be smaller than what it got before has nothing open; it owes nothing back here.
        return Fen(max(0, getattr(each.debt, f"{part}_fen") - paid.get((UUID(each.claim.id), part), 0)))

    return tuple(
        each.of(
            Debt(
                rest(each, Part.COSTS), rest(each, Part.INTEREST), rest(each, Part.PRINCIPAL), rest(each, Part.DOUBLED)
            )
        )
        for each in claims
    )


def reduce_costs(costs: Iterable[CostItem], paid: Mapping[UUID, int]) -> tuple[CostItem, ...]:
    """The costs less what earlier plans paid of them; settled ones drop out."""
    rests = (replace(cost, amount_fen=Fen(cost.amount_fen - paid.get(cost.id, 0))) for cost in costs)
    return tuple(cost for cost in rests if cost.amount_fen > 0)


def amounts_by_payee(lines: Sequence[Line]) -> dict[tuple[PayeeKind, UUID], Fen]:
    """What each payee gets over all lines, in the order in which they first appear."""
    sums: dict[tuple[PayeeKind, UUID], Fen] = {}
    for line in lines:
        payee = (line.payee_kind, line.payee_id)
        sums[payee] = Fen(sums.get(payee, 0) + line.amount_fen)
    return sums
