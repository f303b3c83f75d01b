"""One file for each page out of its modules, made at start: a visitor waits for one answer instead of fifty.

Nothing is built and nothing is rewritten but the lines that import and export: every module stands whole, comments
included, in a function of its own, after the modules it needs. The single files stay where they are, to be read.
The house writes imports in one line and exports in front of what they name; anything else is refused at start.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

START = r"(?:^|(?<=[;}]))"
IMPORT = re.compile(START + r"""import\s*(\{[^}]*\}|\w+)\s*from\s*"(\.{1,2}/[^"]+)";?""", re.MULTILINE)
LATER = re.compile(r"""\bimport\("(\.{1,2}/[^"]+)"\)""")
DECLARED = re.compile(r"^export ((?:async )?function|const|class) (\w+)", re.MULTILINE)
DEFAULT = re.compile(START + r"export default ", re.MULTILINE)
LISTED = re.compile(START + r"export\s*\{([^}]*)\};?", re.MULTILINE)
PASSED_ON = re.compile(START + r"""export\s*\{([^}]*)\}\s*from\s*"(\.{1,2}/[^"]+)";?""", re.MULTILINE)
LEFT_OVER = re.compile(START + r"(?:import\b(?!\()|export\b)", re.MULTILINE)


class NotLinkable(Exception):
    """A module that imports or exports in a way the house does not write, or in a circle."""


def imported(path: str, source: str) -> list[str]:
    """What the module at `path` imports, in order."""
    return [joined(path, wanted) for _, wanted in (*IMPORT.findall(source), *PASSED_ON.findall(source))]


def in_order(path: str, sources: Mapping[str, str]) -> list[str]:
    """The module and all it needs, each after what it needs itself."""
    order: list[str] = []
    _visit(path, sources, order, ())
    return order


def _visit(path: str, sources: Mapping[str, str], order: list[str], above: tuple[str, ...]) -> None:
    if path in order:
        return
    if path in above:
        raise NotLinkable(f"{' > '.join((*above, path))}")
    for needed in imported(path, sources[path]):
        _visit(needed, sources, order, (*above, path))
    order.append(path)


def linked(path: str, sources: Mapping[str, str], base: str) -> str:
    """The module at `path` with all it needs, as one module; what it loads later it asks for under `base`."""
    return "\n".join(_wrapped(module, sources[module], base) for module in in_order(path, sources))


def _wrapped(path: str, source: str, base: str) -> str:
    names = [name for _, name in DECLARED.findall(source)]
    for pairs, wanted in PASSED_ON.findall(source):
        names += [_renamed(pair, f"{_name(joined(path, wanted))}.") for pair in pairs.split(",")]
    body = PASSED_ON.sub("", source)
    for pairs in LISTED.findall(body):
        names += [_renamed(pair) for pair in pairs.split(",")]
    if DEFAULT.search(source):
        names.append("default: $default")
    body = IMPORT.sub(lambda found: _taken(path, found[1], found[2]), body)
    body = LATER.sub(lambda found: f'import("{base}/{joined(path, found[1])}")', body)
    body = LISTED.sub("", DECLARED.sub(r"\1 \2", DEFAULT.sub("const $default = ", body)))
    if rest := LEFT_OVER.search(body):
        raise NotLinkable(f"{path}: {body[rest.start() : rest.start() + 80]}")
    return f"// {path}\nconst {_name(path)} = (() => {{\n{body}\nreturn {{ {', '.join(names)} }};\n}})();"


def _taken(path: str, names: str, wanted: str) -> str:
    """The import as a declaration: `{ a as b }` becomes `{ a: b }`, a default is the member of that name."""
    taken = re.sub(r"\s+as\s+", ": ", names) if names.startswith("{") else f"{{ default: {names} }}"
    return f"const {taken} = {_name(joined(path, wanted))};"


def _renamed(pair: str, of: str = "") -> str:
    """A member of what a module gives: `a as b` is `b: a`, of another module where `of` names it."""
    inside, _, outside = (part.strip() for part in pair.partition(" as "))
    return f"{outside or inside}: {of}{inside}"


def _name(path: str) -> str:
    return "$" + re.sub(r"\W", "_", path)


def joined(module: str, wanted: str) -> str:
    """Where `wanted`, as `module` writes it, lies."""
    parts: list[str] = []
    for part in (PurePosixPath(module).parent / wanted).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
