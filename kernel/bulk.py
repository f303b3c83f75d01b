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
        await tx.session.execute(_insert(model, columns, "", ""), _arrays(columns, records))


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
    statement = _insert(model, columns, f"ON CONFLICT {f'({unless})' if unless else ''} DO NOTHING", returning)
    return set(await tx.session.scalars(statement, _arrays(columns, records)))


async def change_rows(tx: Tx, model: type[Base], columns: tuple[str, ...], records: Sequence[Record]) -> None:
    """Set the other columns of rows that the first one names; the caller has locked them."""
    if records:
        await tx.session.execute(_update(model, columns), _arrays(columns, records))


def _arrays(columns: tuple[str, ...], records: Sequence[Record]) -> dict[str, list[Any]]:
    return dict(zip(columns, map(list, zip(*records, strict=True)), strict=True))


@cache
def _insert(model: type[Base], columns: tuple[str, ...], conflict: str, returning: str) -> TextClause:
    names = ", ".join(columns)
    end = f" RETURNING {returning}" if returning else ""
    return text(
        f"INSERT INTO {_table(model).fullname} ({names}) SELECT {names} FROM {_unnested(model, columns)}"  # noqa: S608
        f" ORDER BY place {conflict}{end}"
    )


@cache
def _update(model: type[Base], columns: tuple[str, ...]) -> TextClause:
    key, *others = columns
    sets = ", ".join(f"{column} = n.{column}" for column in others)
    return text(
        f"UPDATE {_table(model).fullname} t SET {sets} FROM {_unnested(model, columns)}"  # noqa: S608 - names are ours
        f" WHERE t.{key} = n.{key}"
    )


def _unnested(model: type[Base], columns: tuple[str, ...]) -> str:
    types = (_table(model).c[column].type.compile(dialect=DIALECT) for column in columns)
    arrays = ", ".join(f"CAST(:{column} AS {type_}[])" for column, type_ in zip(columns, types, strict=True))
    return f"unnest({arrays}) WITH ORDINALITY n ({', '.join(columns)}, place)"


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table
