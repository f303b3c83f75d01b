"""Citations: well formed, right where checked, and absent for rules that rest on no read instrument."""

import re

import pytest

from kernel.law import ARTICLES, citation

CITATION = re.compile(r"[^ ；]+ 第[一二三四五六七八九十百零]+条(、第[一二三四五六七八九十百零]+条)*")


def test_every_citation_names_instruments_and_articles() -> None:
    for rule, articles in ARTICLES.items():
        assert re.fullmatch(r"R-[A-Z]+-\d\d", rule)
        assert all(CITATION.fullmatch(part) for part in articles.split("；")), articles


@pytest.mark.parametrize(
    ("rule", "article"),
    [
        ("R-BID-01", "法释〔2016〕18号 第十条"),
        ("R-BID-10", "法释〔2016〕18号 第二十条"),
        ("R-REF-07", "法释〔2018〕15号 第十二条、第十三条"),
        ("R-DIST-01", "民诉法解释 第五百零六条"),
        ("R-DIST-05", "民诉法解释 第五百零九条、第五百一十条"),
        ("R-INT-02", "法释〔2014〕8号 第一条"),
        ("R-COST-01", "国务院令第481号 第十四条"),
    ],
)
def test_citations(rule: str, article: str) -> None:
    assert citation(rule) == article


@pytest.mark.parametrize("rule", ["R-GEN-04", "R-SELL-03", "R-SELL-05", "R-DIST-16", "R-STAT-01", "R-ACCT-09"])
def test_conventions_and_secondary_sources_do_not_pose_as_statute(rule: str) -> None:
    assert citation(rule) is None
