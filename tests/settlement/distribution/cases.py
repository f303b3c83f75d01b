"""Builders of calculator documents, and the one way in which these tests compute them."""

from datetime import date
from typing import Any

import msgspec

from settlement.distribution.claims import (
    Claim,
    ClaimKind,
    Cost,
    DebtorKind,
    Distribution,
    Pool,
    Preference,
    PreferenceMethod,
)
from settlement.distribution.rules import distribute
from settlement.distribution.schemas import DistributionInput, calculate


def document(
    debtor: str = "person",
    pools: Any = (),
    claims: Any = (),
    preference: Any = None,
) -> dict[str, Any]:
    """A whole input; a pool given as a number is one pool of that many fen."""
    if isinstance(pools, int):
        pools = [{"id": "pool", "proceeds_fen": pools}]
    return {
        "debtor": debtor,
        "pools": list(pools),
        "claims": list(claims),
        "first_seal_preference": preference,
    }


def claim(name: str, principal_fen: int = 0, kind: str = "ordinary", **more: Any) -> dict[str, Any]:
    """One claim of the input."""
    return {"id": name, "kind": kind, "principal_fen": principal_fen, **more}


def calculated(case: dict[str, Any]) -> dict[str, Any]:
    """The calculator's output, by way of real JSON."""
    return calculate(msgspec.json.decode(msgspec.json.encode(case), type=DistributionInput))


def distributed(case: dict[str, Any]) -> Distribution:
    """The same case given straight to the rules, without the schemas."""
    preference = case.get("first_seal_preference")
    return distribute(
        DebtorKind(case["debtor"]),
        [
            Pool(**{**pool, "costs": tuple(Cost(**cost) for cost in pool.get("costs", ()))})
            for pool in case.get("pools", ())
        ],
        [Claim(**{key: _native(key, value) for key, value in each.items()}) for each in case["claims"]],
        Preference(**{**preference, "method": PreferenceMethod(preference["method"])}) if preference else None,
    )


def _native(key: str, value: Any) -> Any:
    if key == "kind":
        return ClaimKind(value)
    return date.fromisoformat(value) if key in ("rank_on", "sealed_on") and value else value


def paid(output: dict[str, Any]) -> dict[str, int]:
    """Fen paid per claim."""
    return {each["id"]: each["paid_fen"] for each in output["claims"]}


def lines(output: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The lines as tuples (pool, level, to, part, fen)."""
    return [tuple(line.values()) for line in output["allocations"]]


def open_of(output: dict[str, Any], name: str) -> list[int]:
    """Open costs, interest, principal and doubled part of one claim."""
    return next(list(each["open"].values()) for each in output["claims"] if each["id"] == name)
