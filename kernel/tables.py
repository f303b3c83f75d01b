"""Tables as CSV (RFC 4180), for feeds and statistics: read back they are what was meant, and no cell is a formula."""

import re
from collections.abc import Iterable, Sequence

NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lines of cells; text that a spreadsheet would run as a formula is quoted as text. None is an empty cell."""
    return "".join(f"{','.join(_cell(value) for value in row)}\r\n" for row in (head, *rows))


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if isinstance(value, str) and text.startswith(FORMULA) and not NUMBER.fullmatch(text):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\r\n') else text
