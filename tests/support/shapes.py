"""Bodies made by looking at the wire structs, so that a new route is tested without a word about it here."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from kernel.decoding import Day, Moment, convert
from kernel.errors import Malformed

UUID_TEXT = "00000000-0000-7000-8000-00000000000a"
WORDS = ("某某", "wang01", "title")
"""One of these, or digits or letters of the right length, satisfies every pattern of the house."""

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """One field of a body: where it stands and its type."""

    path: Path
    type: inspect.Type

    @property
    def name(self) -> str:
        return next((step for step in reversed(self.path) if isinstance(step, str)), "")


@cache
def example(struct: type) -> Any:
    """A body that the decoder accepts, with as many optional fields as may stand together."""
    bodies = itertools.islice(_bodies(inspect.type_info(struct)), 2_000)
    accepted = [body for body in bodies if _is_accepted(body, struct)]
    assert accepted, f"no example of {struct.__name__} is accepted"
    return max(accepted, key=len)


def _is_accepted(body: object, struct: type) -> bool:
    try:
        convert(body, struct)
    except Malformed:
        return False
    return True


def places(struct: type) -> list[Place]:
    """All fields of the example of a struct, inner ones too."""
    return list(_places((), inspect.type_info(struct), example(struct)))


def replaced(body: Any, path: Path, value: object) -> Any:
    """A copy of `body` with another value at `path`."""
    if not path:
        return value
    step, *rest = path
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[step] = replaced(copy[step], tuple(rest), value)  # type: ignore[index]
    return copy


def is_number(place: Place) -> bool:
    return isinstance(_plain(place.type), inspect.IntType)


def is_text(place: Place) -> bool:
    return isinstance(_plain(place.type), inspect.StrType)


def _plain(type_: inspect.Type) -> inspect.Type:
    """Without notes, None and UNSET, where one type is left."""
    while isinstance(type_, inspect.Metadata):
        type_ = type_.type
    if isinstance(type_, inspect.UnionType):
        left = [_plain(one) for one in type_.types if not isinstance(one, inspect.NoneType | inspect.CustomType)]
        left += [one for one in type_.types if isinstance(one, inspect.CustomType) and one.cls in (Moment, Day)]
        return left[0] if len(left) == 1 else type_
    return type_


def _places(path: Path, type_: inspect.Type, value: object) -> Iterator[Place]:
    type_ = _plain(type_)
    if isinstance(type_, inspect.StructType):
        assert isinstance(value, dict)
        for field in type_.fields:
            if field.encode_name in value:
                yield from _places((*path, field.encode_name), field.type, value[field.encode_name])
    elif isinstance(type_, inspect.ListType | inspect.VarTupleType):
        assert isinstance(value, list)
        for index, item in enumerate(value):
            yield from _places((*path, index), type_.item_type, item)
    elif isinstance(type_, inspect.DictType):
        assert isinstance(value, dict)
        for key, member in value.items():
            yield from _places((*path, key), type_.value_type, member)
    else:
        yield Place(path, type_)


def _bodies(type_: inspect.Type) -> Iterator[Any]:
    """Values of a type, likely ones first."""
    type_ = _plain(type_)
    match type_:
        case inspect.StructType():
            yield from _structs(type_)
        case inspect.ListType() | inspect.VarTupleType():
            items = itertools.islice(_bodies(type_.item_type), 400)
            size = max(1, type_.min_length or 0)
            yield from ([*chosen] for chosen in itertools.permutations(items, size))
        case inspect.DictType():
            for key in _bodies(type_.key_type):
                yield {key: next(_bodies(type_.value_type))}
        case inspect.EnumType():
            yield from (member.value for member in type_.cls)
        case inspect.LiteralType():
            yield from type_.values
        case inspect.UnionType():
            for one in type_.types:
                yield from _bodies(one)
        case inspect.IntType():
            yield max(1, type_.ge or 0, (type_.gt or 0) + 1)
        case inspect.StrType():
            shortest = type_.min_length or 1
            yield from (word for word in (*WORDS, "1" * shortest, "a" * shortest) if len(word) >= shortest)
        case inspect.BoolType():
            yield from (True, False)
        case inspect.UUIDType():
            yield UUID_TEXT
        case inspect.CustomType(cls=cls) if cls is Moment:
            yield from ("2025-04-20T09:00:00+08:00", "2025-04-21T09:00:00+08:00")
        case inspect.CustomType(cls=cls) if cls is Day:
            yield from ("2025-03-03", "2025-03-04")
        case inspect.NoneType():
            yield None
        case _:
            raise AssertionError(f"no example of {type_}")


LEFT_OUT = object()


def _structs(type_: inspect.StructType) -> Iterator[dict[str, Any]]:
    names = [field.encode_name for field in type_.fields]
    choices = [
        [*itertools.islice(_bodies(field.type), 12), *([] if field.required else [LEFT_OUT])] for field in type_.fields
    ]
    tag = {type_.tag_field: type_.tag} if type_.tag_field else {}
    for chosen in itertools.product(*choices):
        yield tag | {name: value for name, value in zip(names, chosen, strict=True) if value is not LEFT_OUT}


def encoded(body: object) -> bytes:
    return msgspec.json.encode(body)
