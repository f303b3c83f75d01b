"""`auction calc bidding` on the worked cases and on every sentence of its format."""

import json
from typing import Any

import pytest

from bidding.desk.replay import BiddingInput, calculate
from kernel.decoding import decode
from kernel.errors import Malformed

AUCTION = {
    "method": "auction",
    "opens_at": "2025-04-10T10:00:00.000+08:00",
    "scheduled_end": "2025-04-11T10:00:00+08:00",
    "start_price_fen": 100_000_000,
    "increment_fen": 1_000_000,
}
SELL_OFF = {
    "method": "sell_off",
    "opens_at": "2025-06-11T10:00:00+08:00",
    "period_end": "2025-08-10T10:00:00+08:00",
    "start_price_fen": 56_000_000,
    "increment_fen": 1_000_000,
}


def replay(lot: dict[str, Any], bidders: list[Any], commands: list[dict[str, Any]]) -> dict[str, Any]:
    known = [{"code": one} if isinstance(one, str) else {"code": one[0], "priority_rank": one[1]} for one in bidders]
    document = {"lot": lot, "bidders": known, "commands": commands}
    return calculate(decode(json.dumps(document).encode(), BiddingInput))


def bid(at: str, code: str, price_fen: int) -> dict[str, Any]:
    return {"at": f"{at}+08:00", "type": "bid", "code": code, "price_fen": price_fen}


def order(at: str, kind: str) -> dict[str, Any]:
    return {"at": f"{at}+08:00", "type": kind}


def results(answer: dict[str, Any]) -> list[str]:
    return [command.get("refusal", command["result"]) for command in answer["commands"]]


def test_w05_extension_timeline() -> None:
    times = ["09:54:59.999", "09:55:00.000", "09:57:12.250", "10:02:12.249", "10:07:12.249", "10:07:12.600"]
    commands = [bid(f"2025-04-11T{at}", "B1", 100_000_000 + i * 1_000_000) for i, at in enumerate(times)]
    answer = replay(AUCTION, ["B1"], commands)
    assert results(answer) == ["accepted"] * 4 + ["after-end"] * 2
    ends = [command["ends_at"][11:23] for command in answer["commands"]]
    assert ends == ["10:00:00.000"] * 2 + ["10:02:12.250"] + ["10:07:12.249"] * 3
    assert answer["outcome"] == {
        "status": "sold",
        "winner": "B1",
        "price_fen": 103_000_000,
        "ended_at": "2025-04-11T10:07:12.249+08:00",
        "extensions": 2,
    }


def test_w06_priority_purchasers_with_two_ranks() -> None:
    rows = [
        ("B1", 100_000_000, "accepted"),
        ("B2", 105_000_000, "accepted"),
        ("B1", 105_000_000, "below-minimum"),
        ("P2", 105_000_000, "accepted"),
        ("P1a", 105_000_000, "accepted"),
        ("P2", 105_000_000, "cannot-lead"),
        ("P1b", 105_000_000, "cannot-lead"),
        ("B1", 106_000_000, "accepted"),
        ("P1b", 106_000_000, "accepted"),
        ("P1a", 106_000_000, "cannot-lead"),
    ]
    bidders = ["B1", "B2", ("P1a", 1), ("P1b", 1), ("P2", 2)]
    commands = [bid(f"2025-04-11T09:58:{i:02}", code, price) for i, (code, price, _) in enumerate(rows)]
    answer = replay(AUCTION, bidders, commands)
    assert results(answer) == [wanted for _, _, wanted in rows]
    assert answer["outcome"]["winner"] == "P1b"
    assert answer["outcome"]["price_fen"] == 106_000_000
    assert answer["outcome"]["extensions"] == 6, "each accepted match in the last five minutes extends (R-PRIO-04)"
    assert {"R-PRIO-02", "R-PRIO-03"} <= set(answer["rules"])


def test_w18_sell_off_timeline() -> None:
    commands = [bid("2025-07-01T14:20:00", "Q1", 56_000_000), bid("2025-07-02T14:18:30", "Q2", 60_000_000)]
    answer = replay(SELL_OFF, ["Q1", "Q2"], commands)
    assert [command["ends_at"] for command in answer["commands"]] == [
        "2025-07-02T14:20:00.000+08:00",
        "2025-07-02T14:23:30.000+08:00",
    ]
    assert answer["outcome"]["winner"] == "Q2"
    assert answer["outcome"]["extensions"] == 1, "the first bid of a sell-off is no extension"
    assert "R-SELL-05" in answer["rules"]


def test_w18_first_bid_in_the_last_hour_runs_past_the_period() -> None:
    answer = replay(SELL_OFF, ["Q1"], [bid("2025-08-10T09:00:00", "Q1", 56_000_000)])
    assert answer["outcome"]["ended_at"] == "2025-08-11T09:00:00.000+08:00"


def test_sell_off_without_a_bid_fails_at_the_end_of_its_period() -> None:
    answer = replay(SELL_OFF, [], [])
    assert answer["outcome"] == {
        "status": "failed",
        "winner": None,
        "price_fen": None,
        "ended_at": "2025-08-10T10:00:00.000+08:00",
        "extensions": 0,
    }


@pytest.mark.parametrize(
    ("code", "price", "refusal", "minimum"),
    [
        ("B1", 99_999_999, "below-start-price", 106_000_000),
        ("B1", 105_000_000, "below-minimum", 106_000_000),
        ("B1", 105_999_999, "below-minimum", 106_000_000),
        ("B1", 106_000_001, "off-increment", None),
        ("B2", 105_000_000, "already-leading", None),
        ("B2", 105_500_000, "below-minimum", 106_000_000),
        ("P1", 104_999_999, "below-minimum", 105_000_000),
        ("P1", 105_000_001, "off-increment", None),
        ("nobody", 106_000_000, "unknown-code", None),
        ("nobody", 1, "unknown-code", None),
    ],
)
def test_refusals_against_a_leader(code: str, price: int, refusal: str, minimum: int | None) -> None:
    commands = [bid("2025-04-10T11:00:00", "B2", 105_000_000), bid("2025-04-10T11:00:00", code, price)]
    answer = replay(AUCTION, ["B1", "B2", ("P1", 1)], commands)["commands"][1]
    assert answer["refusal"] == refusal
    assert answer.get("minimum_fen") == minimum
    assert (answer["leader"], answer["price_fen"]) == ("B2", 105_000_000)


def test_a_priority_leader_is_answered_like_any_leader() -> None:
    commands = [
        bid("2025-04-10T11:00:00", "P1", 100_000_000),
        bid("2025-04-10T11:00:00", "P1", 100_000_000),
        bid("2025-04-10T11:00:00", "P1", 99_000_000),
        bid("2025-04-10T11:00:00", "P1", 101_000_000),
    ]
    answer = replay(AUCTION, [("P1", 1)], commands)
    assert results(answer) == ["accepted", "already-leading", "below-start-price", "accepted"]
    assert answer["commands"][2]["minimum_fen"] == 101_000_000, "a match by the leader would not lead"


def test_first_bid() -> None:
    commands = [
        bid("2025-04-10T09:59:59.999", "B1", 100_000_000),
        bid("2025-04-10T10:00:00", "B1", 99_000_000),
        bid("2025-04-10T10:00:00", "B1", 100_000_001),
        bid("2025-04-10T10:00:00", "B1", 0),
        bid("2025-04-10T10:00:00", "B1", 900_000_000),
    ]
    answer = replay(AUCTION, ["B1"], commands)
    assert results(answer) == ["not-open", "below-start-price", "off-increment", "below-start-price", "accepted"]
    assert answer["commands"][1]["minimum_fen"] == 100_000_000
    assert answer["commands"][0]["leader"] is None
    assert answer["commands"][4]["leader"] == "B1", "the replay knows no jump guard"


def test_suspension_keeps_the_remaining_time() -> None:
    commands = [
        bid("2025-04-10T11:00:00", "B1", 100_000_000),
        order("2025-04-11T09:00:00", "suspend"),
        order("2025-04-11T09:30:00", "suspend"),
        bid("2025-04-11T12:00:00", "B1", 101_000_000),
        order("2025-04-13T08:00:00.500", "resume"),
        order("2025-04-13T08:00:00.500", "resume"),
        bid("2025-04-13T09:00:00.500", "B1", 101_000_000),
    ]
    answer = replay(AUCTION, ["B1"], commands)
    assert results(answer) == [
        "accepted",
        "accepted",
        "suspended",
        "suspended",
        "accepted",
        "not-suspended",
        "after-end",
    ]
    assert [command["ends_at"] for command in answer["commands"][1:4]] == [None] * 3
    assert answer["commands"][4]["ends_at"] == "2025-04-13T09:00:00.500+08:00"
    assert answer["outcome"]["extensions"] == 0


def test_suspension_before_the_opening_costs_no_time() -> None:
    commands = [
        order("2025-04-09T10:00:00", "suspend"),
        bid("2025-04-09T11:00:00", "B1", 100_000_000),
        bid("2025-04-10T11:00:00", "B1", 100_000_000),
        order("2025-04-12T10:00:00", "resume"),
        bid("2025-04-12T10:00:00", "B1", 100_000_000),
    ]
    answer = replay(AUCTION, ["B1"], commands)
    assert results(answer) == ["accepted", "not-open", "suspended", "accepted", "accepted"]
    assert answer["outcome"]["ended_at"] == "2025-04-13T10:00:00.000+08:00"


def test_suspension_and_resume_both_before_the_opening_change_nothing() -> None:
    commands = [order("2025-04-09T10:00:00", "suspend"), order("2025-04-09T12:00:00", "resume")]
    answer = replay(AUCTION, [], commands)
    assert answer["commands"][1]["ends_at"] == "2025-04-11T10:00:00.000+08:00"
    assert answer["outcome"]["status"] == "failed"


def test_suspension_of_a_sell_off_that_waits_for_its_first_bid() -> None:
    commands = [
        order("2025-08-10T09:00:00", "suspend"),
        order("2025-08-20T09:00:00", "resume"),
        bid("2025-08-20T09:59:59.999", "Q1", 56_000_000),
    ]
    answer = replay(SELL_OFF, ["Q1"], commands)
    assert answer["commands"][1]["ends_at"] == "2025-08-20T10:00:00.000+08:00"
    assert answer["outcome"]["ended_at"] == "2025-08-21T09:59:59.999+08:00"


@pytest.mark.parametrize("kind", ["suspend", "resume"])
def test_court_orders_at_the_end_come_too_late(kind: str) -> None:
    assert results(replay(AUCTION, [], [order("2025-04-11T10:00:00", kind)])) == ["after-end"]
    early = results(replay(AUCTION, [], [order("2025-04-11T09:59:59.999", kind)]))
    assert early == ["accepted" if kind == "suspend" else "not-suspended"]


def test_suspended_after_the_last_command() -> None:
    commands = [bid("2025-04-11T09:59:00", "B1", 100_000_000), order("2025-04-11T10:01:00", "suspend")]
    answer = replay(AUCTION, ["B1"], commands)
    assert answer["outcome"] == {
        "status": "suspended",
        "winner": None,
        "price_fen": None,
        "ended_at": None,
        "extensions": 1,
    }
    assert answer["commands"][1] == {
        "result": "accepted",
        "leader": "B1",
        "price_fen": 100_000_000,
        "ends_at": None,
    }


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"scheduled_end": "2025-04-10T10:00:00+08:00"}, "$.lot.scheduled_end"),
        ({"method": "sell_off"}, "$.lot.scheduled_end"),
        ({"period_end": "2025-06-10T10:00:00+08:00"}, "$.lot.period_end"),
        ({"method": "dutch"}, "$.lot.method"),
        ({"increment_fen": 0}, "$.lot.increment_fen"),
        ({"start_price_fen": "100"}, "$.lot.start_price_fen"),
        ({"start_price_fen": 1e3}, "$.lot.start_price_fen"),
        ({"start_price_fen": True}, "$.lot.start_price_fen"),
        ({"opens_at": "2025-04-10T10:00:00"}, "$.lot.opens_at"),
        ({"opens_at": "2025-04-10T10:00:00.0001+08:00"}, "$.lot.opens_at"),
        ({"reserve_fen": 5}, "$.lot.reserve_fen"),
    ],
)
def test_unusable_terms_name_the_field(change: dict[str, Any], path: str) -> None:
    with pytest.raises(Malformed) as refused:
        replay(AUCTION | change, [], [])
    assert refused.value.facts["path"] == path


@pytest.mark.parametrize(
    ("bidders", "commands", "path"),
    [
        (["B1", "B2", "B1"], [], "$.bidders[2].code"),
        ([("P1", 0)], [], "$.bidders[0].priority_rank"),
        ([], [order("2025-04-10T11:00:00", "suspend"), order("2025-04-10T10:59:59", "resume")], "$.commands[1].at"),
        ([], [order("2025-04-10T11:00:00", "defer")], "$.commands[0].type"),
        ([], [bid("2025-04-10T11:00:00", "B1", -1)], "$.commands[0].price_fen"),
        ([], [order("2025-04-10T11:00:00", "suspend") | {"code": "B1"}], "$.commands[0].code"),
    ],
)
def test_unusable_bidders_and_commands_name_the_field(bidders: list[Any], commands: list[Any], path: str) -> None:
    with pytest.raises(Malformed) as refused:
        replay(AUCTION, bidders, commands)
    assert refused.value.facts["path"] == path


def test_a_period_end_not_after_the_opening_is_unusable() -> None:
    with pytest.raises(Malformed) as refused:
        replay(SELL_OFF | {"period_end": SELL_OFF["opens_at"]}, [], [])
    assert refused.value.facts["path"] == "$.lot.period_end"
