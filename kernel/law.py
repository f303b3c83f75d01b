"""Where each rule comes from: rule id -> article, as shown beside refusals, deadlines and plan lines.

This is a table of citations only; what the law says is coded in the `rules.py` of the slices.
"""

ARTICLES: dict[str, str] = {
    "R-BID-10": "法释〔2016〕18号 第二十条",
}


def citation(rule: str) -> str | None:
    """The article behind `rule`; None for a design convention that no statute carries."""
    return ARTICLES.get(rule)
