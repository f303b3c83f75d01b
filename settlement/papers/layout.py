"""The PDF of a paper: typst over the fonts that come with the install. Takes a tenth of a second: call it in a thread.

The same data give the same bytes (the paper's day is its only time), PDF/A-2b, with text that can be selected.
"""

import re
from datetime import UTC, datetime
from importlib.resources import as_file, files
from threading import BoundedSemaphore

import msgspec
import pylopdf_fonts_zh_cn
import typst

from settlement.papers.errors import UnprintableText
from settlement.papers.rules import Paper

AT_ONCE = BoundedSemaphore(2)
"""Each needs some 70 MB while it runs."""

NO_GLYPH = re.compile(r'the text `"(.*)"` could not be displayed')


def pdf_of(data: bytes) -> bytes:
    """The paper as PDF; raises `UnprintableText` with the characters that the fonts lack."""
    on = msgspec.json.decode(data, type=Paper).on
    midnight = datetime.fromisoformat(on).replace(tzinfo=UTC)
    fonts = pylopdf_fonts_zh_cn.serif_path().parent
    with as_file(files("settlement.papers").joinpath("templates")) as folder, AT_ONCE:
        compiler = typst.Compiler(
            str(folder / "paper.typ"), root=str(folder), font_paths=[str(fonts)], ignore_system_fonts=True
        )
        try:
            made = compiler.compile(
                format="pdf",
                sys_inputs={"data": data.decode()},
                pdf_standards=["a-2b"],
                timestamp=int(midnight.timestamp()),
            )
        except typst.TypstError as error:
            missing = NO_GLYPH.search(str(error))
            if missing is None:
                raise
            raise UnprintableText(text=missing[1]) from None
    assert isinstance(made, bytes)
    return made
