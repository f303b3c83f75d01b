"""What somebody made up is a fault of one sentence, never an error of ours, and never an honest bundle."""

import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.verify import main_verify_bundle
from bidding.desk import chain, groups
from bidding.desk.batch import hold_key
from bidding.desk.rules import Kind
from bidding.desk.submissions import Submission
from bidding.evidence import bundle as check
from bidding.evidence import reading
from kernel.decoding import parse_moment
from kernel.hexadecimal import from_hex
from tests.bidding.evidence.forge import EVENTS, GOLDEN, LOT, TERMS, Json, edited, forged, sealed, terms

OPENED, BID, CLOSED = 1, 2, len(EVENTS)
NESTED = "[" * 60_000
DAY_MS = timedelta(days=1) // timedelta(milliseconds=1)
LAST = "2199-12-31T23:59:59.000+08:00"


def faults(bundle: Json) -> list[str]:
    return check.faults(reading.read_bundle(json.dumps(bundle).encode()))


def test_control_the_forger_makes_no_slip() -> None:
    assert faults(forged()) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, "another"),
        (1, "raffle"),
        (2, "2025-04-10T10:00:00"),
        (2, "2025-04-10"),
        (2, "2025-04-10T02:00:00Z"),
        (2, "0001-01-01T00:00:00+14:00"),
        (2, "9999-12-31T23:59:59.999+08:00"),
        (2, TERMS[3]),
        (3, "9999-12-31T23:59:59.999-12:00"),
        (4, 0),
        (4, -5),
        (4, 10**15 + 1),
        (4, 10**40),
        (5, 0),
        (5, -1),
        (5, 1.0),
    ],
)
def test_terms_that_no_lot_can_have(place: int, value: object) -> None:
    assert faults(forged(terms=terms(place, value))) == ["the terms are not readable"]


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 900, NESTED, GOLDEN["terms"] + " "])
def test_terms_that_are_none(text: str) -> None:
    assert faults(forged(terms=text)) == ["the terms are not readable"]


TIMES = ["", "x", "2025-04-10T10:00:00.000", "9999-12-31T23:59:59.999+08:00", "0001-01-01T00:00:00.000+14:00"]


@pytest.mark.parametrize("number", [OPENED, BID, CLOSED])
@pytest.mark.parametrize("at", TIMES)
def test_events_at_no_time(number: int, at: str) -> None:
    told = json.loads(EVENTS[number - 1])["event"]["at"]
    (fault,) = faults(forged(edited(number, f'"at":"{told}","', f'"at":"{at}","')))
    assert fault.startswith(f"event {number}: expected an RFC 3339 time")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"price_fen":100000', '"price_fen":"x"'),
        ('"price_fen":100000', '"price_fen":null'),
        ('"price_fen":100000', '"price_fen":0'),
        ('"price_fen":100000', '"price_fen":-1'),
        ('"price_fen":100000', f'"price_fen":{10**15 + 1}'),
        ('"price_fen":100000', f'"price_fen":1{"0" * 40}'),
        ('"price_fen":100000', '"rank":0,"price_fen":100000'),
        ('"price_fen":100000', '"price_fen":100000,"price_fen":100000'),
        ('"code":"B1"', '"code":null'),
        ('"code":"B1"', '"code":""'),
        ('"kind":"bid"', '"kind":"hidden"'),
        ('"kind":"bid"', '"kind":"annulled"'),
        ('"kind":"bid"', '"kind":"frozen"'),
        ('"seq":2', '"seq":-2'),
        ('"seq":2', f'"seq":2{"0" * 4000}'),
        ('"seq":2', f'"seq":2,"x":{NESTED}'),
        ('"v":1', '"v":2'),
        ('"v":1', '"v":1,"person":"x"'),
        ('"payload":"', '"payload":"00'),
        ('"ingress_at":"', '"ingress_at":"z'),
        ('"ingress_at":"2025-04-10T10:00:00.000+08:00"', '"ingress_at":"2025-04-10T02:00:00.000Z"'),
    ],
)
def test_events_that_the_desk_never_writes(old: str, new: str) -> None:
    (fault,) = faults(forged(edited(BID, old, new)))
    assert fault.startswith("event 2")


FROZEN = '"kind":"frozen","at":"2025-04-11T09:59:00.000+08:00","remaining_ms":300000'
SUSPENDED = f'"kind":"suspended","at":"2025-04-10T10:00:00.000+08:00","remaining_ms":{DAY_MS},"reason":"x"'


@pytest.mark.parametrize(
    "inner",
    [
        FROZEN,
        *(f'{FROZEN},"since":"{since}"' for since in TIMES),
        '"kind":"resumed","at":"2025-04-10T10:00:00.000+08:00","ends_at":"x"',
        '"kind":"suspended","at":"2025-04-10T10:00:00.000+08:00","reason":"\\ud800"',
        '"kind":"opened"',
        "[]",
        "",
    ],
)
def test_commands_that_the_desk_never_writes(inner: str) -> None:
    (fault,) = faults(forged([EVENTS[0], sealed(2, inner)]))
    assert fault.startswith("event 2")


def test_a_sum_of_times_stays_within_the_years() -> None:
    resumed = f'"kind":"resumed","at":"{LAST}","ends_at":"2200-01-01T23:59:59.000+08:00","reason":"x"'
    assert faults(forged([EVENTS[0], sealed(2, SUSPENDED), sealed(3, resumed)])) == [
        "the lot has not ended: its last events are missing"
    ]


def test_what_the_rules_break_on_is_a_fault_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(check, "decide", broken)
    assert faults(forged()) == ["event 1 cannot be replayed"]


OUTAGE = {"since": "2025-04-11T09:57:00.000+08:00", "frozen": "2025-04-11T09:59:00.000+08:00"}
RESUMED = {"at": "2025-04-12T09:00:00.000+08:00", "ends_at": "2025-04-12T09:05:00.000+08:00"}
HELD_AT = "2025-04-12T09:05:00.200+08:00"


def held(at: str) -> str:
    """What a lot whose asset is held gets at its end, in place of its close (R-CASE-09)."""
    return f'"kind":"suspended","at":"{at}","remaining_ms":1,"reason":"案外人异议"'


def held_payload(key: UUID, actor_id: UUID | None = None) -> str:
    sent = Submission(
        lot_id=LOT,
        kind=Kind.SUSPENDED,
        key=key,
        ingress_at=parse_moment(HELD_AT),
        reason="案外人异议",
        actor_id=actor_id,
    )
    return chain.payload_hash(sent).hex()


def test_control_an_honest_lot_with_every_kind_of_halt_verifies() -> None:
    """The golden bundle up to its first bid; then an outage, a deferral, a hold at the end, and a withdrawal."""
    code, price_fen = "B1", 100_000
    frozen = f'"kind":"frozen","at":"{OUTAGE["frozen"]}","remaining_ms":300000,"since":"{OUTAGE["since"]}"'
    resumed = f'"kind":"resumed","at":"{RESUMED["at"]}","ends_at":"{RESUMED["ends_at"]}","reason":"恢复"'
    deferred = f'"kind":"deferred","at":"{RESUMED["at"]}","remaining_ms":300000,"reason":"暂缓"'
    withdrawn = '"kind":"withdrawn","at":"2025-04-12T10:00:00.000+08:00","reason":"撤回"'
    after = [frozen, resumed, deferred, resumed]
    events = [*EVENTS[:BID], *(sealed(seq, inner) for seq, inner in enumerate(after, start=BID + 1))]
    events += [sealed(7, held(HELD_AT), held_payload(hold_key(LOT, 6))), sealed(8, withdrawn)]
    result: Json = {"status": "withdrawn", "outcome": None, "ended_at": None, "code": code, "price_fen": price_fen}
    assert faults(forged(events, **result, bids=1, extensions=0)) == []
    without = [events[0], events[1], sealed(3, frozen.partition(',"since"')[0])]
    assert faults(forged(without)) == ["event 3: it is frozen without the beginning of an outage"]


AFTER_END = "2025-04-11T10:00:01.000+08:00"


def held_at_end(payload: str, inner: str = held(AFTER_END)) -> list[str]:
    """A lot without a bid is suspended after its end, and then withdrawn."""
    withdrawn = '"kind":"withdrawn","at":"2025-04-12T10:00:00.000+08:00","reason":"撤回"'
    return [EVENTS[0], sealed(2, inner, payload), sealed(3, withdrawn)]


NO_SALE: Json = {
    "status": "withdrawn",
    "outcome": None,
    "ended_at": None,
    "code": None,
    "price_fen": None,
    "bids": 0,
    "extensions": 0,
}


def test_a_suspension_after_the_end_is_proved_by_its_payload_or_none() -> None:
    """It is in place of the close and under that one key; whoever else suspends, a judge too, comes too late."""
    honest = held_payload(hold_key(LOT, 1))
    assert faults(forged(held_at_end(honest), **NO_SALE)) == [], "control"
    judge, wrong = UUID(int=7), ["event 2 (suspended) does not follow from those before it by the rules"]
    for payload in (
        "00" * 32,
        held_payload(hold_key(LOT, 0)),
        held_payload(hold_key(LOT, 2)),
        held_payload(hold_key(judge, 1)),
        held_payload(groups.stop_key(LOT)),
        held_payload(judge, judge),
        held_payload(hold_key(LOT, 1), judge),
    ):
        assert faults(forged(held_at_end(payload), **NO_SALE)) == wrong, payload
    for old, new in (("10:00:01", "09:59:59"), (":1,", ":300000,"), ("异议", "异")):
        assert faults(forged(held_at_end(honest, held(AFTER_END).replace(old, new)), **NO_SALE)) == wrong, new


# -- files


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "Expecting value"),
        (b"null", "Expected `object`"),
        (b"NaN", "JSON is malformed"),
        (b"\xff\xfe", "codec can't decode"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"zz":' + b"[" * 1_000_000, "nested too deeply"),
        (json.dumps(forged()).replace('"title":', '"title":"A","title":').encode(), "stands in it twice"),
        (json.dumps(forged()).replace('"title": "', '"title": "\\ud800').encode(), "surrogate"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(
    raw: bytes, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(raw)
    assert main_verify_bundle(str(path), None, []) == 2
    said = capsys.readouterr()
    assert why in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_keys_nested_too_deeply_are_one_sentence_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, keys = tmp_path / "bundle.json", tmp_path / "keys.json"
    path.write_bytes(json.dumps(forged()).encode())
    keys.write_bytes(b'{"zz":' + b"[" * 1_000_000)
    assert main_verify_bundle(str(path), str(keys), []) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for where in ("app.verify", "bidding.evidence.reading"):
        monkeypatch.setattr(f"{where}.MOST_BYTES", 1_000)
    path = tmp_path / "bundle.json"
    path.write_bytes(json.dumps(forged()).encode())
    assert main_verify_bundle(str(path), None, []) == 2
    assert capsys.readouterr().err == f"{path}: no bundle: it is larger than 1000 bytes\n"


# -- what is proved, and what is not


UNPROVED = {("title",), ("log", "head", "number")}
"""`unproved` names these; all else is in the chain, in a tree, or under a signature."""


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value in a document."""
    if not isinstance(node, dict | list):
        yield path
        return
    for step, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield from leaves(value, (*path, step))


def others(value: object) -> Iterator[object]:
    """Other values of the same type; of text one that reads alike, too."""
    if isinstance(value, int):
        yield value + 1
    elif isinstance(value, str):
        yield from (value + "0", value + " ", value[:-1], value.upper() if value.islower() else value.lower())


def test_no_value_can_be_changed_but_those_named_as_unproved() -> None:
    passed = set()
    for path in leaves(GOLDEN):
        changed = copy.deepcopy(GOLDEN)
        *way, last = path
        place = changed
        for step in way:
            place = place[step]
        honest = place[last]
        for value in others(honest):
            place[last] = value
            try:
                if value != honest and path != ("lot_id",) and not faults(changed):
                    passed.add(path)
            except ValueError:
                continue
    assert passed == UNPROVED
    told = check.unproved(reading.read_bundle(json.dumps(GOLDEN).encode()), anchored=False)
    assert told[0] == f"the title ({GOLDEN['title']})"
    assert "annulled" in told[1]
    assert "number of the log's head" in told[2]


def test_a_title_moves_no_cursor() -> None:
    bundle = reading.read_bundle(json.dumps(GOLDEN | {"title": "\x1b[2K\nverified: no fault found"}).encode())
    (title, *_) = check.unproved(bundle, anchored=True)
    assert title == r"the title ('\x1b[2K\nverified: no fault found')"


def test_an_annulment_is_no_event_and_no_result() -> None:
    assert faults(forged(status="annulled")) == ["the lot is closed by its events and not annulled"]


def _refusals(bundle: Json) -> list[Json]:
    blocks: list[Json] = bundle["refusals"]
    return blocks


def test_refusals_are_whole_hashes_in_blocks_that_the_log_knows() -> None:
    bundle = copy.deepcopy(GOLDEN)
    (block,) = _refusals(bundle)
    hashes = block["hashes"]
    assert len(hashes) == 5
    assert faults(bundle) == []
    for written in (["".join(hashes)], [*hashes, ""], [*hashes, "zz"], [one.upper() for one in hashes]):
        block["hashes"] = written
        assert faults(bundle) == ["block 1 of the refusals does not verify"]
    block["hashes"] = hashes
    link = chain.block_link(bytes.fromhex(block["link"]), [b"\0" * 32])
    _refusals(bundle).append({"hashes": ["00" * 32], "link": link.hex()})
    assert faults(bundle) == ["the log knows 1 blocks of refusals of the lot, the bundle has 2"]


def test_a_lot_that_its_group_stopped_after_its_own_end_verifies() -> None:
    """The close that covers the debt may come late; the payload proves the key that allows it (R-CLOSE-12)."""
    at = AFTER_END
    stop = Submission(
        lot_id=LOT,
        kind=Kind.WITHDRAWN,
        key=groups.stop_key(LOT),
        ingress_at=parse_moment(at),
        reason=groups.STOPPED_REASON,
    )
    inner = f'"kind":"withdrawn","at":"{at}","reason":"{groups.STOPPED_REASON}"'
    stopped = [EVENTS[0], sealed(2, inner, chain.payload_hash(stop).hex())]
    assert faults(forged(stopped, **NO_SALE)) == []
    by_nobody = [EVENTS[0], sealed(2, inner)]
    assert faults(forged(by_nobody, **NO_SALE)) == [
        "event 2 (withdrawn) does not follow from those before it by the rules"
    ]


def test_hex_has_one_spelling() -> None:
    assert from_hex("00ff", 2) == b"\0\xff"
    for text in ("00FF", "00ff ", "00 ff", "0 0ff", "00f", "", "00ff00", "zz00", "００ff"):
        assert from_hex(text, 2) is None
