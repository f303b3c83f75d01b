"""Rows of `submission` as PostgreSQL's binary COPY takes them: the rows of a batch in one piece.

The driver's encoders look at each value of each column. An accepted bid has one shape, so two `pack`s write it; every
other row is written field by field. A test holds the two ways against each other and against the table.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from struct import Struct
from uuid import UUID

from bidding.desk.batch import Row
from bidding.desk.rules import Kind

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_number = Struct(">iq").pack
_uuid = Struct(">i16s").pack
_size = Struct(">i").pack
_fields = Struct(">h").pack
_bid_head = Struct(">h i16s iq iq i3s i16s i16s iq").pack
_bid_middle = Struct(">iii iq iq i i32s i").pack
_bid_end = Struct(">i32s iq iq").pack
COLUMNS = Row.__struct_fields__
_row_fields = attrgetter(*COLUMNS)


def copy_bytes(rows: Iterable[Row]) -> bytearray:
    """The rows, in the order of their columns; raises `struct.error` for a number that no column could hold."""
    parts = [_HEADER]
    for row in rows:
        if row.kind is Kind.BID and row.seq is not None:
            parts += _accepted_bid(row)
        else:
            parts.append(_any_row(row))
    parts.append(_TRAILER)
    return bytearray(b"").join(parts)


def _accepted_bid(row: Row) -> tuple[bytes, ...]:
    bidder, confirm, event = row.registration_id, row.confirm_fen, row.event
    assert bidder is not None
    head = _bid_head(
        len(COLUMNS), 16, row.lot_id.bytes, 8, row.entry, 8, row.seq, 3, b"bid",
        16, bidder.bytes, 16, row.key.bytes, 8, row.price_fen,
    )  # fmt: skip
    # no reason, no actor, no beginning of an outage, no refusal
    middle = _bid_middle(
        -1, -1, -1, 8, _microseconds(row.received_at), 8, _microseconds(row.ingress_at), -1,
        32, row.payload_hash, len(event),
    )  # fmt: skip
    confirmed = _NULL if confirm is None else _number(8, confirm)
    return head, confirmed, middle, event, _bid_end(32, row.link, 8, row.share, 8, row.batch)


def _any_row(row: Row) -> bytes:
    return _fields(len(COLUMNS)) + b"".join(map(_field, _row_fields(row)))


def _field(value: object) -> bytes:
    match value:
        case None:
            return _NULL
        case int():
            return _number(8, value)
        case UUID():
            return _uuid(16, value.bytes)
        case datetime():
            return _number(8, _microseconds(value))
        case str():
            return _sized(value.encode())
        case bytes():
            return _sized(value)
        case _:
            raise TypeError(f"no column holds a {type(value).__name__}")


def _sized(value: bytes) -> bytes:
    return _size(len(value)) + value


@lru_cache(maxsize=1024)
def _microseconds(moment: datetime) -> int:
    """PostgreSQL's `timestamptz`; remembered, since many rows share their moments."""
    return (moment - _EPOCH) // _MICROSECOND
