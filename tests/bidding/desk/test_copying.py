"""The rows of a batch as one piece of bytes: two ways of writing them agree, and the table reads back what is meant."""

import struct
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.desk import copying
from bidding.desk.batch import Row
from bidding.desk.copying import COLUMNS, copy_bytes
from bidding.desk.rules import Kind
from kernel.money import MAX_FEN

pytestmark = pytest.mark.anyio

AT = datetime(2026, 3, 1, 2, 3, 4, 567_000, tzinfo=UTC)
HASH = bytes(range(32))


def row(**changes: object) -> Row:
    accepted = Row(
        lot_id=UUID(int=1),
        entry=7,
        seq=5,
        kind=Kind.BID,
        registration_id=UUID(int=2),
        key=UUID(int=3),
        price_fen=100,
        confirm_fen=None,
        reason=None,
        actor_id=None,
        since=None,
        received_at=AT,
        ingress_at=AT - timedelta(milliseconds=3),
        refusal=None,
        payload_hash=HASH,
        event='{"竞价":1}'.encode(),
        link=HASH[::-1],
        share=0,
        batch=9,
    )
    return msgspec.structs.replace(accepted, **changes)


times = st.integers(-(10**12), 10**12).map(lambda ms: AT + timedelta(milliseconds=ms))
beijing_times = times.map(lambda at: at.astimezone(timezone(timedelta(hours=8))))
fen = st.integers(1, MAX_FEN)


@given(
    st.builds(
        row,
        lot_id=st.uuids(),
        registration_id=st.uuids(),
        key=st.uuids(),
        entry=st.integers(1, 2**63 - 1),
        seq=st.integers(1, 2**63 - 1),
        price_fen=fen,
        confirm_fen=st.none() | fen,
        received_at=times,
        ingress_at=beijing_times,
        event=st.binary(max_size=2_000),
        batch=st.integers(1, 2**63 - 1),
    )
)
def test_the_quick_way_writes_what_the_general_way_writes(bid: Row) -> None:
    assert b"".join(copying._accepted_bid(bid)) == copying._any_row(bid)


async def test_the_table_holds_what_was_written(database_url: str) -> None:
    rows = [
        row(),
        row(entry=8, seq=6, key=uuid4(), confirm_fen=100),
        row(entry=9, seq=None, refusal="below-minimum", key=uuid4(), share=None, batch=None),
        row(
            entry=10,
            seq=7,
            kind=Kind.FROZEN,
            registration_id=None,
            price_fen=None,
            key=uuid4(),
            reason="平台故障",
            actor_id=uuid4(),
            since=AT - timedelta(days=1),
        ),
    ]
    db = await asyncpg.connect(database_url)
    try:
        await db.copy_to_table(
            "submission", schema_name="bidding", columns=COLUMNS, source=copy_bytes(rows), format="binary"
        )
        stored = await db.fetch(f"SELECT {', '.join(COLUMNS)} FROM bidding.submission ORDER BY entry")
    finally:
        await db.close()
    assert [tuple(one) for one in stored] == [msgspec.structs.astuple(one) for one in rows]


def test_a_number_that_no_column_holds_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(struct.error):
        copy_bytes([row(price_fen=2**63)])
    with pytest.raises(TypeError):
        copy_bytes([row(kind=Kind.CLOSED, reason=1.5)])
