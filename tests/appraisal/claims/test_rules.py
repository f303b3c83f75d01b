"""What a claim must say, by tables."""

from dataclasses import replace
from datetime import date

import pytest

from appraisal.cases.rules import PartyFacts, PartyKind, PartyRole
from appraisal.claims.errors import (
    AssetNeeded,
    AssetNotMeant,
    ClaimRegistered,
    ClaimTooLarge,
    DoubledPartNotMeant,
    NoCreditor,
    NothingClaimed,
)
from appraisal.claims.rules import ClaimKind, TitledClaim, register
from kernel.errors import Refusal
from kernel.ids import ordered_id
from kernel.money import MAX_FEN, Fen

CASE, ASSET = ordered_id(), ordered_id()
PARTY = PartyFacts(ordered_id(), CASE, "a", PartyRole.CREDITOR, "李某", PartyKind.PERSON, None, None)
CLAIM = TitledClaim(
    id=ordered_id(),
    case_id=CASE,
    party_id=PARTY.id,
    position=0,
    kind=ClaimKind.ORDINARY,
    asset_id=None,
    title_no="（2024）沪0115民初1号",
    rank_on=None,
    sealed_on=None,
    costs_fen=Fen(0),
    interest_fen=Fen(0),
    principal_fen=Fen(1),
    doubled_fen=Fen(0),
)
ON_ONE_ASSET = [ClaimKind.SECURED, ClaimKind.CONSTRUCTION_PRICE, ClaimKind.HOME_BUYER, ClaimKind.LIEN]
ON_ALL = [kind for kind in ClaimKind if kind not in ON_ONE_ASSET]


@pytest.mark.parametrize(
    ("role", "fits"),
    [
        (PartyRole.ENFORCEMENT_APPLICANT, True),
        (PartyRole.CREDITOR, True),
        (PartyRole.TAX_AUTHORITY, True),
        (PartyRole.DEBTOR, False),
        (PartyRole.THIRD_PARTY, False),
        (PartyRole.INTERESTED_PERSON, False),
        (PartyRole.HELPER, False),
    ],
)
def test_only_creditors_have_claims(role: PartyRole, fits: bool) -> None:
    if fits:
        assert register(replace(PARTY, role=role), [], CLAIM) is CLAIM
    else:
        with pytest.raises(NoCreditor):
            register(replace(PARTY, role=role), [], CLAIM)


@pytest.mark.parametrize("kind", ON_ONE_ASSET)
def test_what_is_preferred_on_one_asset_names_it(kind: ClaimKind) -> None:
    claim = replace(CLAIM, kind=kind, asset_id=ASSET, rank_on=date(2019, 3, 1))
    assert register(PARTY, [], claim) is claim
    with pytest.raises(AssetNeeded):
        register(PARTY, [], replace(claim, asset_id=None))


@pytest.mark.parametrize("kind", ON_ALL)
def test_what_is_not_names_none(kind: ClaimKind) -> None:
    claim = replace(CLAIM, kind=kind)
    assert register(PARTY, [], claim) is claim
    with pytest.raises(AssetNotMeant):
        register(PARTY, [], replace(claim, asset_id=ASSET))


@pytest.mark.parametrize(
    ("parts", "refusal"),
    [
        ((0, 0, 0, 0), NothingClaimed),
        ((0, 0, 0, 1), None),
        ((1, 0, 0, 0), None),
        ((0, 0, MAX_FEN, 0), None),
        ((1, 0, MAX_FEN, 0), ClaimTooLarge),
        ((MAX_FEN, MAX_FEN, MAX_FEN, MAX_FEN), ClaimTooLarge),
    ],
)
def test_the_parts_sum_to_something_bounded(parts: tuple[int, ...], refusal: type[Refusal] | None) -> None:
    costs, interest, principal, doubled = (Fen(part) for part in parts)
    claim = replace(CLAIM, costs_fen=costs, interest_fen=interest, principal_fen=principal, doubled_fen=doubled)
    if refusal is None:
        assert register(PARTY, [], claim).total_fen == sum(parts)
    else:
        with pytest.raises(refusal):
            register(PARTY, [], claim)


@pytest.mark.parametrize("kind", [ClaimKind.TAX, ClaimKind.FINE, ClaimKind.CONFISCATION])
def test_nothing_is_doubled_for_the_state(kind: ClaimKind) -> None:
    with pytest.raises(DoubledPartNotMeant):
        register(PARTY, [], replace(CLAIM, kind=kind, doubled_fen=Fen(1)))


def test_one_title_may_carry_several_kinds_but_each_once() -> None:
    secured = replace(CLAIM, kind=ClaimKind.SECURED, asset_id=ASSET, rank_on=date(2019, 3, 1))
    elsewhere = replace(secured, asset_id=ordered_id())
    assert register(PARTY, [CLAIM, elsewhere], secured) is secured
    with pytest.raises(ClaimRegistered):
        register(PARTY, [CLAIM, elsewhere, secured], replace(secured, id=ordered_id(), principal_fen=Fen(2)))
