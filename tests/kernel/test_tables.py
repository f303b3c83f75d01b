"""A table is read back as it was meant, and runs no formula."""

import csv
from io import StringIO

import pytest

from kernel.tables import table


@pytest.mark.parametrize("cell", ["甲,乙", 'a "b"', "两\n行", "", "=1+1", "+86", "-5+1", "@x"])
def test_a_table_is_read_back_and_runs_no_formula(cell: str) -> None:
    rows = list(csv.reader(StringIO(table(("a", "b"), [(cell, "-5.20")]), newline="")))
    assert rows[0] == ["a", "b"]
    assert rows[1][0].lstrip("'") == cell
    assert not rows[1][0].startswith(("=", "+", "-", "@"))
    assert rows[1][1] == "-5.20", "a number stays one"
