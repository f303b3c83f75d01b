"""`auction calc`: what is no document ends with 2 and one line that names the field, and nothing is computed."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from tests.app.test_calc import DEFAULT, held, report


def lot(*rounds: dict[str, object], id_: str = "L") -> dict[str, object]:
    return {"id": id_, "reference_fen": 100, "rounds": list(rounds)}


def without(document: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != field}


INTEREST = {"principal_fen": 1, "performance_due_on": "2024-01-10", "stop_on": "2024-08-27"}

BAD: list[tuple[str, object, str]] = [
    ("reference-price", {}, "$.reports"),
    ("reference-price", {"reports": [report("A", 1.5)]}, "$.reports[0].price_fen"),  # type: ignore[arg-type]
    ("reference-price", {"reports": [report("A", 0)]}, "$.reports[0].price_fen"),
    ("reference-price", {"reports": [report("A", 1, "maybe")]}, "$.reports[0].objection"),
    ("reference-price", {"reports": [report("A", 1, "corrected")]}, "$.reports[0].corrected_price_fen"),
    (
        "reference-price",
        {"reports": [report("A", 1, corrected_price_fen=1)]},
        "$.reports[0].corrected_price_fen",
    ),
    (
        "reference-price",
        {"reports": [{"platform": "A", "delivered": True, "objection": "none"}]},
        "$.reports[0].price_fen",
    ),
    (
        "reference-price",
        {"reports": [{"platform": "A", "delivered": "yes", "objection": "none"}]},
        "$.reports[0].delivered",
    ),
    ("reference-price", {"reports": [report("A", 1), report("A", 2)]}, "$.reports[1].platform"),
    ("reference-price", {"reports": [report("", 1)]}, "$.reports[0].platform"),
    ("prices", {"reference_price_fen": 0}, "$.reference_price_fen"),
    ("prices", {"reference_price_fen": 10**15 + 1}, "$.reference_price_fen"),
    ("prices", {"reference_price_fen": 88_333_333, "round_1_start_fen": 61_833_333}, "$.round_1_start_fen"),
    ("prices", {"reference_price_fen": 1, "start": 1}, "$.start"),
    ("deposit", {"deposit_fen": 1, "bidder": "applicant"}, "$.claim_fen"),
    ("deposit", {"deposit_fen": 1, "bidder": "applicant", "claim_fen": None}, "$.claim_fen"),
    ("deposit", {"deposit_fen": 1, "bidder": "Applicant", "claim_fen": 1}, "$.bidder"),
    ("deposit", {"deposit_fen": -1, "bidder": "ordinary"}, "$.deposit_fen"),
    ("deposit", {"deposit_fen": 1, "bidder": "ordinary", "claim_fen": "1"}, "$.claim_fen"),
    ("fee", {"amount_fen": "100"}, "$.amount_fen"),
    ("fee", {"amount_fen": 100.0}, "$.amount_fen"),
    ("fee", {"amount_fen": True}, "$.amount_fen"),
    ("fee", {"amount_fen": -1}, "$.amount_fen"),
    ("fee", {"amount_fen": None}, "$.amount_fen"),
    ("fee", {"amount_fen": 1, "Amount_fen": 1}, "$.Amount_fen"),
    ("fee", {}, "$.amount_fen"),
    ("fee", 5, "$"),
    ("default", {**DEFAULT, "costs_fen": None}, "$.costs_fen"),
    ("default", {k: v for k, v in DEFAULT.items() if k != "deposit_fen"}, "$.deposit_fen"),
    ("interest", {**INTEREST, "stop_on": "2024-02-30"}, "$.stop_on"),
    ("interest", {**INTEREST, "stop_on": 20240227}, "$.stop_on"),
    (
        "interest",
        {**INTEREST, "excluded": [{"from": "2024-05-02", "to": "2024-05-01"}]},
        "$.excluded[0].to",
    ),
    ("interest", {**INTEREST, "payments": [{"on": "2024-05-02", "amount_fen": -1}]}, "$.payments[0].amount_fen"),
    ("interest", {**INTEREST, "rate": 1}, "$.rate"),
    ("deadlines", {"event": "plan_lost", "on": "2025-06-06"}, "$.event"),
    ("deadlines", {"event": "plan_served", "on": "2025-06-06T00:00:00+08:00"}, "$.on"),
    ("deadlines", {"event": "plan_served", "on": "9999-12-31"}, "$.on"),
    ("statistics", {"lots": [lot()]}, "$.lots[0].rounds"),
    ("statistics", {"lots": [lot(held(3, 1))]}, "$.lots[0].rounds[0].round"),
    ("statistics", {"lots": [lot(held("1", 1))]}, "$.lots[0].rounds[0].round"),
    ("statistics", {"lots": [lot(held(True, 1))]}, "$.lots[0].rounds[0].round"),
    ("statistics", {"lots": [lot(held(1, 0))]}, "$.lots[0].rounds[0].start_fen"),
    ("statistics", {"lots": [lot(held(1, 1, 1), held(2, 1))]}, "$.lots[0].rounds[1]"),
    ("statistics", {"lots": [lot(held(2, 1), held(1, 1))]}, "$.lots[0].rounds[1].round"),
    ("statistics", {"lots": [lot(held(1, 1), held(1, 1))]}, "$.lots[0].rounds[1].round"),
    ("statistics", {"lots": [lot({**held(1, 1), "result": "sold"})]}, "$.lots[0].rounds[0].price_fen"),
    ("statistics", {"lots": [lot({**held(1, 1, 1), "result": "failed"})]}, "$.lots[0].rounds[0].price_fen"),
    ("statistics", {"lots": [lot({**held(1, 1), "result": "defaulted"})]}, "$.lots[0].rounds[0].result"),
    ("statistics", {"lots": [lot(held(1, 1)), lot(held(1, 1))]}, "$.lots[1].id"),
]


# -- bidding

OPENS, END = "2025-04-10T10:00:00.000+08:00", "2025-04-11T10:00:00+08:00"
AUCTION = {"method": "auction", "opens_at": OPENS, "scheduled_end": END, "start_price_fen": 100, "increment_fen": 1}
SELL_OFF = {**without(AUCTION, "scheduled_end"), "method": "sell_off", "period_end": "2025-06-11T10:00:00+08:00"}
BID = {"at": OPENS, "type": "bid", "code": "B1", "price_fen": 100}


def bidding(**changes: object) -> dict[str, Any]:
    return {"lot": AUCTION, "bidders": [{"code": "B1"}], "commands": [BID], **changes}


NO_TIMES = (
    *("2025-04-11T10:00:00", "2025-04-11T24:00:00Z", "2025-04-11T10:00:60Z", "2025-02-29T10:00:00Z"),
    *("2025-04-11T10:00:00.0001Z", "2025-04-11 10:00:00Z", "２025-04-11T10:00:00Z", "2025-04-11T10:00:00+0800"),
    *("2025-04-11T10:00:00-24:00", "0025-04-11T10:00:00Z", 1_744_336_800, None, "", OPENS),
)
NO_PRICES = (1.0, 1e8, "100", True, None, [], {}, 0, -1, 2**63, 10**22)

BAD += [("bidding", bidding(lot=without(AUCTION, field)), f"$.lot.{field}") for field in AUCTION]
BAD += [("bidding", without(bidding(), field), f"$.{field}") for field in bidding()]
BAD += [("bidding", bidding(lot={**AUCTION, "scheduled_end": end}), "$.lot.scheduled_end") for end in NO_TIMES]
BAD += [("bidding", bidding(lot={**AUCTION, "start_price_fen": fen}), "$.lot.start_price_fen") for fen in NO_PRICES]
BAD += [("bidding", bidding(lot={**AUCTION, "increment_fen": fen}), "$.lot.increment_fen") for fen in NO_PRICES]
BAD += [
    ("bidding", bidding(commands=[{**BID, "price_fen": fen}]), "$.commands[0].price_fen")
    for fen in NO_PRICES
    if fen != 0
]
BAD += [("bidding", bidding(commands=[without(BID, field)]), f"$.commands[0].{field}") for field in BID]
BAD += [
    ("bidding", bidding(bidders=[{"code": "B1", "priority_rank": rank}]), "$.bidders[0].priority_rank")
    for rank in (0, -1, "1", 1.0, True, [])
]
BAD += [("bidding", bidding(bidders=[{"code": code}]), "$.bidders[0].code") for code in ("", 7, None, " B1", "x" * 65)]
BAD += [
    ("bidding", bidding(lot={**AUCTION, "period_end": END}), "$.lot.period_end"),
    ("bidding", bidding(lot={**SELL_OFF, "scheduled_end": END}), "$.lot.scheduled_end"),
    ("bidding", bidding(lot=without(SELL_OFF, "period_end")), "$.lot.period_end"),
    ("bidding", bidding(lot={**AUCTION, "method": "dutch"}), "$.lot.method"),
    ("bidding", bidding(lot={**AUCTION, "reserve_fen": 1}), "$.lot.reserve_fen"),
    ("bidding", bidding(lot=[]), "$.lot"),
    ("bidding", bidding(bidders=[{"code": "B1"}, {"code": "B1"}]), "$.bidders[1].code"),
    ("bidding", bidding(bidders={}), "$.bidders"),
    ("bidding", bidding(commands=None), "$.commands"),
    ("bidding", bidding(commands=[{**BID, "type": "withdraw"}]), "$.commands[0].type"),
    ("bidding", bidding(commands=[{**BID, "confirm": 100}]), "$.commands[0].confirm"),
    ("bidding", bidding(commands=[{"at": OPENS, "type": "suspend", "code": "B1"}]), "$.commands[0].code"),
    ("bidding", bidding(commands=[BID, {**BID, "at": "2025-04-10T09:59:59.999+08:00"}]), "$.commands[1].at"),
    ("bidding", bidding(now=OPENS), "$.now"),
]

# -- distribution

POOL, CLAIM = {"id": "p", "proceeds_fen": 100}, {"id": "A", "kind": "ordinary", "principal_fen": 100}
PREFERENCE = {"method": "pool_percent", "percent": 20, "claim": "A"}


def distribution(**changes: object) -> dict[str, Any]:
    return {"debtor": "person", "pools": [POOL], "claims": [CLAIM], **changes}


BAD += [
    ("distribution", distribution(claims=[{**CLAIM, **change}]), f"$.claims[0].{next(iter(change))}")
    for change in (
        *({"principal_fen": fen} for fen in (1.0, "1", True, None, -1, 10**15 + 1)),
        *({field: day} for field in ("rank_on", "sealed_on") for day in ("2019-3-1", "2019-02-29", 5, "0001-01-01")),
        *({"pool": "nowhere"}, {"pool": "q", "kind": "lien"}, {"id": ""}, {"kind": "wages"}, {"kind": None}),
        *({"doubled_fen": 1, "kind": kind} for kind in ("tax", "fine", "confiscation")),
        {"owed_fen": 1},
    )
]
BAD += [
    ("distribution", distribution(claims=[{**CLAIM, "kind": kind}]), "$.claims[0].pool")
    for kind in ("secured", "construction_price", "home_buyer", "lien")
]
BAD += [
    ("distribution", distribution(pools=[{**POOL, **change}]), f"$.pools[0].{next(iter(change))}")
    for change in ({"proceeds_fen": 1.0}, {"proceeds_fen": "1"}, {"proceeds_fen": -1}, {"id": 1}, {"owed_fen": 1})
]
BAD += [
    (
        "distribution",
        distribution(first_seal_preference={**PREFERENCE, field: value}),
        f"$.first_seal_preference.{field}",
    )
    for field, value in (("method", "x"), ("percent", 20.5), ("percent", 101), ("percent", -1), ("claim", "Z"))
]
BAD += [
    ("distribution", {}, "$.debtor"),
    ("distribution", distribution(debtor="company"), "$.debtor"),
    ("distribution", distribution(debtor="enterprise", first_seal_preference=PREFERENCE), "$.first_seal_preference"),
    ("distribution", distribution(pools=[POOL, POOL]), "$.pools[1].id"),
    ("distribution", distribution(pools=[{"proceeds_fen": 1}]), "$.pools[0].id"),
    ("distribution", distribution(pools=[{**POOL, "costs": [{"amount_fen": 1}]}]), "$.pools[0].costs[0].id"),
    ("distribution", distribution(claims=[CLAIM, CLAIM]), "$.claims[1].id"),
    ("distribution", distribution(claims=[without(CLAIM, "kind")]), "$.claims[0].kind"),
    ("distribution", distribution(claims="A"), "$.claims"),
    ("distribution", distribution(pools=None), "$.pools"),
]

# -- the rest

BAD += [("default", without(DEFAULT, field), f"$.{field}") for field in DEFAULT]
BAD += [("default", {**DEFAULT, field: value}, f"$.{field}") for field in DEFAULT for value in ("1", 1.0, -1)]
BAD += [("interest", without(INTEREST, field), f"$.{field}") for field in INTEREST]
BAD += [("deadlines", {"event": "sealed"}, "$.on"), ("deadlines", {"on": "2025-01-01"}, "$.event")]


@pytest.mark.parametrize(("name", "document", "path"), BAD)
def test_bad_input_ends_with_2_and_one_line_that_names_the_field(
    name: str,
    document: object,
    path: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "document.json"
    file.write_text(json.dumps(document))
    assert main(["calc", name, str(file)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"auction calc: {name}: {path}: expected ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xef\xbb\xbf{}",
        b'{"amount_fen": NaN}',
        b'{"amount_fen": 1, "amount_fen": 1}',
        b'{"amount_fen": 1}{"amount_fen": 1}',
        b'{"amount_fen": 01}',
        b'{"amount_fen": +1}',
        b'{"amount_fen": 1,}',
        b"{'amount_fen': 1}",
        b'{"amount_fen": -Infinity}',
        '{"amount_fen": １００}'.encode(),
        '{"amount_fen": 1}'.encode("utf-16"),
        b'{"amount_fen": ' + b"9" * 5_000 + b"}",
        b'{"amount_fen": "\\ud800"}',
        b'{"amount_fen": 1, "a\\nb\\u202e": 1}',
        b"\xff",
        b"[" * 100_000,
        b'{"amount_fen": 1}' + b" " * 10_000_000,
    ],
)
def test_unreadable_bytes_end_with_2_and_one_line(
    raw: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "document.json"
    file.write_bytes(raw)
    assert main(["calc", "fee", str(file)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("auction calc: fee: $")
    assert err.count("\n") == 1
