"""Tables for a terminal in which a Chinese character is two columns wide."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

Side = Literal["left", "right"]


def width(text: str) -> int:
    """Columns that a terminal needs for `text`."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def pad(text: str, columns: int, side: Side = "left") -> str:
    """`text` filled up with blanks to `columns`, its own `side` first."""
    blanks = " " * max(0, columns - width(text))
    return text + blanks if side == "left" else blanks + text


def table(heads: Sequence[tuple[str, str, Side]], rows: Iterable[Sequence[str]], *, indent: int = 2) -> list[str]:
    """Lines of a table; each head is (Chinese, English, side), the English beside the Chinese on a line of its own."""
    cells = [[zh for zh, _, _ in heads], [en for _, en, _ in heads], *(list(row) for row in rows)]
    columns = [max(width(row[index]) for row in cells) for index in range(len(heads))]
    sides = [side for _, _, side in heads]
    rule = ["─" * columns_ for columns_ in columns]
    return [
        (" " * indent + "  ".join(map(pad, row, columns, sides))).rstrip()
        for row in [cells[0], cells[1], rule, *cells[2:]]
    ]


def heading(zh: str, en: str) -> str:
    """A heading over the whole width."""
    return f"\n══ {zh}  {en} " + "═" * max(4, 96 - width(zh) - width(en))
