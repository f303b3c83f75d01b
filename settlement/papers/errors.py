"""Refusals of papers."""

from kernel.errors import Refusal


class UnprintableText(Refusal):
    """A character that the fonts do not have: named, since a blank in a name would go unseen."""

    code = "unprintable-text"
    status = 422
    zh = "文书字体缺少下列文字：{text}"
    en = "The fonts have no glyph for: {text}"
