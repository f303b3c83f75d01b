"""Many rows in one statement: the columns travel as arrays, so that ten rows or a thousand cost one round trip.

For use cases that do the same to many things at once (the ledger's entries, the deposits of lots that end together).
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Table, Uuid, any_, bindparam, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.types import TypeEngine

from kernel.database import Base, Tx

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]

Record = tuple[Any, ...]

UUIDS = Uuid()


def any_of(values: Iterable[Any], kind: TypeEngine[Any] = UUIDS) -> ColumnElement[Any]:
    """To compare a column with many values, ids if not of another kind: one array, `column == any_of(ids)`."""
    return any_(bindparam(None, list(values), type_=ARRAY(kind)))


async def add_rows(tx: Tx, model: type[Base], columns: tuple[str, ...], records: Sequence[Record]) -> None:
    """Write rows in this order."""
    if records:
        shared, values = _values(columns, records)
        await tx.session.execute(_insert(model, columns, shared, "", ""), values)


async def add_new_rows(
    tx: Tx,
    model: type[Base],
    columns: tuple[str, ...],
    records: Sequence[Record],
    *,
    returning: str,
    unless: str = "",
) -> set[Any]:
    """Write rows but those that stand already by a unique key (`unless`: just that column's); returns which were new.

    Waits for a writer of the same key in flight.
    """
    if not records:
        return set()
    shared, values = _values(columns, records)
    conflict = f"ON CONFLICT {f'({unless})' if unless else ''} DO NOTHING"
    return set(await tx.session.scalars(_insert(model, columns, shared, conflict, returning), values))


async def change_rows(tx: Tx, model: type[Base], columns: tuple[str, ...], records: Sequence[Record]) -> None:
    """Set the other columns of rows that the first one names; the caller has locked them."""
    if records:
        shared, values = _values(columns, records)
        await tx.session.execute(_update(model, columns, shared), values)


def _values(columns: tuple[str, ...], records: Sequence[Record]) -> tuple[frozenset[str], dict[str, Any]]:
    """What travels: arrays, but once what all rows have in common, by which columns (times, kinds, reasons)."""
    arrays = dict(zip(columns, map(list, zip(*records, strict=True)), strict=True))
    shared = frozenset(name for name in columns[1:] if all(value == arrays[name][0] for value in arrays[name]))
    return shared, {name: values[0] if name in shared else values for name, values in arrays.items()}


@cache
def _insert(
    model: type[Base], columns: tuple[str, ...], shared: frozenset[str], conflict: str, returning: str
) -> TextClause:
    names = ", ".join(columns)
    values = ", ".join(_value(model, column, shared) for column in columns)
    end = f" RETURNING {returning}" if returning else ""
    return text(
        f"INSERT INTO {_table(model).fullname} ({names}) SELECT {values} FROM {_unnested(model, columns, shared)}"  # noqa: S608
        f" ORDER BY place {conflict}{end}"
    )


@cache
def _update(model: type[Base], columns: tuple[str, ...], shared: frozenset[str]) -> TextClause:
    key, *others = columns
    sets = ", ".join(f"{column} = {_value(model, column, shared)}" for column in others)
    return text(
        f"UPDATE {_table(model).fullname} t SET {sets} FROM {_unnested(model, columns, shared)}"  # noqa: S608 - names are ours
        f" WHERE t.{key} = n.{key}"
    )


def _value(model: type[Base], column: str, shared: frozenset[str]) -> str:
    return f"CAST(:{column} AS {_type(model, column)})" if column in shared else f"n.{column}"


def _unnested(model: type[Base], columns: tuple[str, ...], shared: frozenset[str]) -> str:
    own = [column for column in columns if column not in shared]
    arrays = ", ".join(f"CAST(:{column} AS {_type(model, column)}[])" for column in own)
    return f"unnest({arrays}) WITH ORDINALITY n ({', '.join(own)}, place)"


def _type(model: type[Base], column: str) -> str:
    return _table(model).c[column].type.compile(dialect=DIALECT)


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table
