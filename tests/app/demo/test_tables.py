"""Tables stay straight although a Chinese character takes two columns."""

from app.demo.tables import pad, table, width


def test_width_counts_columns() -> None:
    assert width("abc") == 3
    assert width("宝马730") == 7
    assert width("（）") == 4


def test_padding_is_on_the_other_side() -> None:
    assert pad("成交", 6) == "成交  "
    assert pad("1.00", 6, "right") == "  1.00"
    assert pad("长于此", 2) == "长于此"


def test_columns_of_all_rows_begin_at_one_place() -> None:
    lines = table(
        [("标的", "lot", "left"), ("成交价", "price", "right")], [["宝马", "1.00"], ["long name", "356,000.00"]]
    )
    assert [width(line) for line in lines[2:]] == [2 + 9 + 2 + 10] * 3
    assert lines[0].rstrip().endswith("成交价")
