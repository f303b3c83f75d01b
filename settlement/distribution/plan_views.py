"""How the views of a plan are made: every line with what explains it, every recipient and objection with its clock."""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

import msgspec

from settlement.distribution.claims import Debt
from settlement.distribution.objections import ObjectionCourse
from settlement.distribution.plan_schemas import (
    ClaimAmount,
    ClaimView,
    FeeView,
    LineView,
    NoticeView,
    ObjectionView,
    PayeeView,
    RecipientView,
)
from settlement.distribution.plans import Basis, Drawn, Fee, Line, PayeeKind, explain, formula
from settlement.distribution.procedure import Course

LEVELS = {
    1: ("处置及执行费用", "Costs of sale and enforcement"),
    2: ("交易税费", "Sale taxes borne by the debtor"),
    3: ("保障租金", "Rent carve-out"),
    4: ("人身损害医疗费用", "Medical costs of injury"),
    5: ("商品房消费者、建设工程价款", "Home buyers, construction price"),
    6: ("先于担保的欠税", "Tax arrears older than the security"),
    7: ("担保债权", "Liens, mortgages and pledges"),
    8: ("后于担保的欠税", "Younger tax arrears"),
    9: ("退赔", "Restitution to victims"),
    10: ("普通债权", "Ordinary claims"),
    11: ("加倍部分债务利息", "Doubled interest"),
    12: ("罚金、没收财产", "Fines, then confiscation"),
    13: ("余款退还被执行人", "Surplus to the debtor"),
}
"""The places of the waterfall for people."""


def line_views(basis: Basis, lines: Iterable[Line]) -> tuple[LineView, ...]:
    """The lines with what explains each of them."""
    documents = {each.claim.id: each.document for each in basis.claims} | {
        str(cost.id): cost.document for cost in basis.costs
    }
    return tuple(_line_view(line, documents.get(str(line.claim_id or line.payee_id), "")) for line in lines)


def _line_view(line: Line, document: str) -> LineView:
    zh, en = LEVELS[line.level]
    told_zh, told_en = explain(line, LEVELS[line.level])
    return LineView(
        position=line.position,
        level=line.level,
        level_zh=zh,
        level_en=en,
        rule=line.rule,
        law=line.law,
        pool=line.pool,
        payee=PayeeView(line.payee_kind, line.payee_id, line.payee),
        claim_id=line.claim_id,
        part=line.part,
        amount_fen=line.amount_fen,
        formula=formula(line),
        arithmetic=msgspec.json.decode(line.arithmetic, type=dict[str, int]),
        explanation=told_zh,
        explanation_en=told_en,
        document=document,
    )


def claim_views(basis: Basis, drawn: Drawn) -> tuple[ClaimView, ...]:
    """How each claim comes out, in order of registration; what lies in escrow for it is not paid."""
    kept: dict[UUID, int] = {}
    for line in drawn.lines:
        if line.payee_kind is PayeeKind.ESCROW and line.claim_id is not None:
            kept[line.claim_id] = kept.get(line.claim_id, 0) + line.amount_fen
    found = []
    for participation, result in zip(basis.claims, drawn.outcome.claims, strict=True):
        rest, claim_id = result.open, UUID(result.id)
        open_fen = rest.costs_fen + rest.interest_fen + rest.principal_fen + rest.doubled_fen
        escrow_fen = kept.get(claim_id, 0)
        found.append(
            ClaimView(
                claim_id=claim_id,
                party_id=participation.party_id,
                name=participation.name,
                kind=participation.claim.kind,
                claimed_fen=result.paid_fen + open_fen,
                paid_fen=result.paid_fen - escrow_fen,
                escrow_fen=escrow_fen,
                open_fen=open_fen,
            )
        )
    return tuple(found)


def objection_views(course: Course, today: date) -> tuple[ObjectionView, ...]:
    """The objections with their clocks, as they stand today."""
    return tuple(_objection_view(course, objection, today) for objection in course.objections)


def _objection_view(course: Course, objection: ObjectionCourse, today: date) -> ObjectionView:
    opinions = {opinion.party_id: opinion for opinion in objection.counter_opinions}
    notices = []
    for party_id in sorted(objection.audience, key=[*course.recipients].index):
        notice, opinion = objection.notices.get(party_id), opinions.get(party_id)
        notices.append(
            NoticeView(
                party_id=party_id,
                name=course.recipients[party_id],
                served_on=_day(notice.served_on if notice else None),
                counter_until=_day(notice.counter_until if notice else None),
                calendar_known=notice.calendar_known if notice else None,
                opposed_on=_day(opinion.made_on if opinion else None),
                opposition=opinion.text if opinion else None,
            )
        )
    told, suit, judgment = objection.told, objection.suit, objection.judgment
    return ObjectionView(
        id=objection.id,
        party_id=objection.party_id,
        name=course.recipients[objection.party_id],
        stage=objection.stage(today),
        objected_on=objection.objected_on.isoformat(),
        text=objection.text,
        claims=_amounts(objection.disputes),
        notices=tuple(notices),
        told_on=_day(told.told_on if told else None),
        sue_until=_day(told.sue_until if told else None),
        suit_no=suit.suit_no if suit else None,
        sued_on=_day(suit.filed_on if suit else None),
        judgment=judgment.document if judgment else None,
        judged_on=_day(judgment.effective_on if judgment else None),
        judged=_amounts(judgment.claims) if judgment else (),
    )


def _amounts(debts: Mapping[UUID, Debt]) -> tuple[ClaimAmount, ...]:
    return tuple(
        ClaimAmount(
            claim_id=claim_id,
            costs_fen=debt.costs_fen,
            interest_fen=debt.interest_fen,
            principal_fen=debt.principal_fen,
            doubled_fen=debt.doubled_fen,
        )
        for claim_id, debt in debts.items()
    )


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def recipient_views(course: Course) -> tuple[RecipientView, ...]:
    """The recipients with their clocks."""
    objected = {objection.party_id: objection.objected_on.isoformat() for objection in course.objections}
    found = []
    for party_id, name in course.recipients.items():
        served = course.services.get(party_id)
        found.append(
            RecipientView(
                party_id=party_id,
                name=name,
                served_on=served.served_on.isoformat() if served else None,
                objection_until=served.objection_until.isoformat() if served else None,
                calendar_known=served.calendar_known if served else None,
                objected_on=objected.get(party_id),
            )
        )
    return tuple(found)


def fee_view(fee: Fee | None) -> FeeView | None:
    return FeeView(fee.base_fen, fee.computed_fen, fee.set_fen, fee.reason) if fee else None
