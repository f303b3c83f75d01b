"""Golden vectors: the hashed bytes are law for ten years, so a change of one of them is a new version.

The same vectors can be recomputed with nothing but SHA-256 and the sentences of `chain.py`.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.desk import chain, errors
from bidding.desk.rules import Event, Kind, Method, Terms
from bidding.desk.submissions import Submission
from kernel.money import Fen

LOT = UUID("018f3a2b-0000-7000-8000-00000000abcd")
KEY = UUID("6f1e2d3c-4b5a-4678-9abc-def012345678")
BIDDER = UUID("11111111-2222-4333-8444-555555555555")
JUDGE = UUID("99999999-8888-4777-8666-555555555555")
AT = datetime(2025, 4, 11, 1, 57, 12, 250_000, tzinfo=UTC)

TERMS = Terms(
    method=Method.AUCTION,
    opens_at=datetime(2025, 4, 10, 2, tzinfo=UTC),
    scheduled_end=datetime(2025, 4, 11, 2, tzinfo=UTC),
    start_price_fen=Fen(100_000_000),
    increment_fen=Fen(1_000_000),
)
GENESIS = "55f47992b1b997dc1b1b4263316045efae45ea76d5aae8e207f36c40c730bce6"


def sent(kind: Kind, **more: Any) -> Submission:
    return Submission(lot_id=LOT, kind=kind, key=KEY, ingress_at=AT - timedelta(milliseconds=1), **more)


BID = sent(Kind.BID, registration_id=BIDDER, price_fen=Fen(101_000_000))
MATCH = sent(Kind.BID, registration_id=BIDDER, price_fen=Fen(101_000_000), confirm_fen=Fen(101_000_000))
HALT = sent(Kind.SUSPENDED, reason="案外人对执行标的提出异议", actor_id=JUDGE)
OWN = sent(Kind.CLOSED)

VECTORS = [
    (
        BID,
        Event(
            seq=7,
            kind=Kind.BID,
            at=AT,
            ends_at=AT + timedelta(minutes=5),
            code="A1234",
            price_fen=Fen(101_000_000),
            extended=True,
        ),
        '{"seq":7,"kind":"bid","at":"2025-04-11T09:57:12.250+08:00","code":"A1234","price_fen":101000000,'
        '"ends_at":"2025-04-11T10:02:12.250+08:00","extended":true}',
        "7905e17baee482fe8842d6293ac8aca5677e8af288d081ae456e25a7a4a2496e",
    ),
    (
        MATCH,
        Event(seq=8, kind=Kind.BID, at=AT, ends_at=TERMS.scheduled_end, code="P1", rank=1, price_fen=Fen(101_000_000)),
        '{"seq":8,"kind":"bid","at":"2025-04-11T09:57:12.250+08:00","code":"P1","rank":1,"price_fen":101000000,'
        '"ends_at":"2025-04-11T10:00:00.000+08:00","extended":false}',
        "22bb13ffccc60ff3a75cefb728c80666e112943b46f491b1f481a84fcf8849b4",
    ),
    (
        HALT,
        Event(seq=9, kind=Kind.SUSPENDED, at=AT, remaining=timedelta(minutes=5)),
        '{"seq":9,"kind":"suspended","at":"2025-04-11T09:57:12.250+08:00","remaining_ms":300000,'
        '"reason":"案外人对执行标的提出异议"}',
        "4772cf6b77d733651099ad778b11ae964f6af8466523b9e560662036a0f59c63",
    ),
    (
        OWN,
        Event(seq=10, kind=Kind.CLOSED, at=AT, ends_at=TERMS.scheduled_end, sold=False),
        '{"seq":10,"kind":"closed","at":"2025-04-11T09:57:12.250+08:00","code":null,"price_fen":null,'
        '"ends_at":"2025-04-11T10:00:00.000+08:00","status":"failed"}',
        "b6b97bc5a9e93124ce45b7169b71bcd48103866080c0c896c615094a7c10d19b",
    ),
]


def test_the_link_before_the_first_event_is_the_hash_of_the_terms() -> None:
    facts = (
        '["018f3a2b-0000-7000-8000-00000000abcd","auction","2025-04-10T10:00:00.000+08:00",'
        '"2025-04-11T10:00:00.000+08:00",100000000,1000000]'
    )
    assert chain.genesis(LOT, TERMS).hex() == GENESIS == hashlib.sha256(b"\x01" + facts.encode()).hexdigest()


@pytest.mark.parametrize(("submission", "event", "shown", "link"), VECTORS, ids=["bid", "match", "halt", "close"])
def test_bytes_and_links_of_events(submission: Submission, event: Event, shown: str, link: str) -> None:
    inner = chain.event_bytes(event, submission.reason)
    assert inner.decode() == shown
    payload = chain.payload_hash(submission)
    sealed = chain.seal_event(submission, payload, inner)
    assert sealed.decode() == (
        f'{{"v":1,"lot":"{LOT}","payload":"{payload.hex()}","ingress_at":"2025-04-11T09:57:12.249+08:00",'
        f'"event":{shown}}}'
    )
    by_hand = hashlib.sha256(b"\x01" + bytes.fromhex(GENESIS) + hashlib.sha256(sealed).digest()).hexdigest()
    assert chain.link(bytes.fromhex(GENESIS), sealed).hex() == link == by_hand


def test_what_was_sent_is_bound_by_its_digest() -> None:
    by_hand = b"bid|6f1e2d3c4b5a46789abcdef012345678|101000000|None|None|"
    assert chain.payload_hash(BID) == hashlib.sha256(by_hand).digest()
    digests = {chain.payload_hash(one) for one in (BID, MATCH, HALT, OWN, sent(Kind.SUSPENDED, reason="另一理由"))}
    assert len(digests) == 5


def test_bytes_of_a_refusal_and_of_its_block() -> None:
    payload = chain.payload_hash(BID)
    refusal = errors.BelowMinimum(minimum_fen=102_000_000)
    sealed = chain.seal_refusal(BID, payload, refusal, entry=4, at=AT, code="A1234")
    assert sealed.decode().endswith(
        '"refused":{"entry":4,"kind":"bid","at":"2025-04-11T09:57:12.250+08:00","refusal":"below-minimum",'
        '"code":"A1234","price_fen":101000000,"minimum_fen":102000000}}'
    )
    own = chain.refusal_hash(sealed)
    assert own.hex() == "77a2276a317b94b0a9aecdc41dfeae4f0a5405668bf8fcae6abefc5f79df223b"
    block = chain.block_link(bytes.fromhex(GENESIS), [own, own])
    assert block.hex() == "cbfff5da99ea7cf7e72648277023a42327800cbd06c1747b0f585753e8ec9ff1"


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=80))
def test_any_reason_comes_back_as_it_was(reason: str) -> None:
    halt = sent(Kind.SUSPENDED, reason=reason, actor_id=JUDGE)
    event = Event(seq=1, kind=Kind.SUSPENDED, at=AT, remaining=timedelta(minutes=5))
    inner = chain.event_bytes(event, reason)
    sealed = chain.seal_event(halt, chain.payload_hash(halt), inner)
    assert chain.inner_event(sealed) == inner
    assert msgspec.json.decode(inner)["reason"] == reason
