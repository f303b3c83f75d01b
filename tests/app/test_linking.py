"""Modules linked into one: everything the pages have links, means the same, and what cannot be linked is refused."""

import shutil
import subprocess
from pathlib import Path

import pytest

from app.linking import NotLinkable, in_order, linked
from app.site import STATIC

MODULES = {
    "pages/one.js": 'import { twice as doubled } from "../lib/two.js";\nimport three from "../lib/three.js";\n'
    "console.log(doubled(three), three);\n",
    "lib/two.js": 'import { base } from "../vendor/four.mjs";\nexport function twice(n) {\n  return base * n;\n}\n',
    "lib/three.js": "// three\nexport default 3;\n",
    "vendor/four.mjs": 'import{a as b}from"./five.mjs";var c=b+1;export{c as base};export{a}from"./five.mjs";',
    "vendor/five.mjs": "const a=1;export{a};",
}


def ran(source: str, folder: Path) -> str:
    """What the module prints."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    file = folder / "linked.mjs"
    file.write_text(source)
    return subprocess.run([node, file], capture_output=True, text=True, check=True).stdout.strip()


def test_linked_modules_mean_what_the_single_ones_mean(tmp_path: Path) -> None:
    assert in_order("pages/one.js", MODULES) == [
        "vendor/five.mjs",
        "vendor/four.mjs",
        "lib/two.js",
        "lib/three.js",
        "pages/one.js",
    ]
    assert ran(linked("pages/one.js", MODULES, "/static/x"), tmp_path) == "6 3"


def test_what_is_loaded_later_is_asked_for_where_it_lies() -> None:
    made = linked("parts/chart.js", {"parts/chart.js": 'import("../vendor/echarts.mjs");'}, "/static/x")
    assert 'import("/static/x/vendor/echarts.mjs")' in made


@pytest.mark.parametrize(
    "source",
    ['import * as two from "./two.js";', 'import "./two.js";', "export let n = 1;", 'import {a} from "preact";'],
)
def test_what_the_house_does_not_write_is_refused(source: str) -> None:
    with pytest.raises(NotLinkable):
        linked("lib/one.js", {"lib/one.js": source, "lib/two.js": ""}, "/static/x")


def test_a_circle_is_refused() -> None:
    circle = {"a.js": 'import { b } from "./b.js";', "b.js": 'import { a } from "./a.js";'}
    with pytest.raises(NotLinkable, match=r"a\.js > b\.js > a\.js"):
        linked("a.js", circle, "/static/x")


def test_every_page_links_and_is_a_module(tmp_path: Path) -> None:
    node = shutil.which("node")
    sources = {
        path.relative_to(STATIC).as_posix(): path.read_text()
        for path in STATIC.rglob("*.*js")
        if not path.name.endswith(".test.js")
    }
    for page in (path for path in sources if path.startswith("pages/")):
        file = tmp_path / f"{Path(page).stem}.mjs"
        file.write_text(linked(page, sources, "/static/x"))
        if node is not None:
            subprocess.run([node, "--check", file], check=True)
