"""The laws of the house that import-linter cannot state: names of files, the one clock, no floats.

Each exception stands here with its reason, and goes when it is no longer needed: a list entry that excuses nothing
fails too.
"""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from enum import StrEnum
from importlib import import_module
from pathlib import Path

import pytest

from kernel.errors import THINGS

ROOT = Path(__file__).parent.parent
CONTEXTS = ("appraisal", "auction", "bidding", "settlement")
PACKAGES = ("app", "kernel", *CONTEXTS)

ROOMS = {"errors", "rules", "models", "store", "service", "schemas", "routes", "handlers", "jobs", "verify"}
"""`verify` is the slice's part of `auction verify`: it reads whatever its checks compare."""

NAMED_ROOMS = {
    "auction/announcements/composing.py": "what an announcement says, and what bidding is told",
    "auction/lots/after_failure.py": "what the court owes after a failed second round",
    "auction/lots/bounds.py": "the legal bounds of terms, pure",
    "bidding/desk/batch.py": "what a batch of submissions does to its lots, pure",
    "bidding/desk/chain.py": "the bytes that are hashed and kept, and their links",
    "bidding/desk/commands.py": "what other use cases do to a lot",
    "bidding/desk/copying.py": "rows of a batch as the database takes them in one piece",
    "bidding/desk/desk.py": "the service of a live slice: the loop that decides",
    "bidding/desk/groups.py": "lots that serve one debt, pure",
    "bidding/desk/ingresses.py": "signs of life of web processes, and who is connected to each",
    "bidding/desk/lease.py": "who is the desk, and what it finds when it becomes one",
    "bidding/desk/outage_store.py": "SQL of outages: what they hit, and what is kept of them",
    "bidding/desk/outages.py": "who could not be heard, and the lots frozen for it",
    "bidding/desk/queue.py": "order of entry, bounded",
    "bidding/desk/receipts.py": "signed batches and the receipts made of them, pure",
    "bidding/desk/replay.py": "one lot replayed from a document, for the calculator",
    "bidding/desk/said.py": "what the audit trail is told of rows that no chain covers",
    "bidding/desk/sealing.py": "refusals chained in blocks",
    "bidding/desk/session.py": "lease and transaction of one batch",
    "bidding/desk/signing.py": "numbers and signatures of the commits",
    "bidding/desk/shares.py": "how lots are shared out among desks",
    "bidding/desk/standby.py": "a process that is ready to be a desk",
    "bidding/desk/submissions.py": "what enters the desk's queue",
    "bidding/desk/telling.py": "answers of a commit, told in slices",
    "bidding/evidence/availability.py": "how much of its time a lot could be bid on, pure",
    "bidding/evidence/record.py": "the use case of availability, beside the log's",
    "bidding/evidence/bundles.py": "the use case of bundles, which must not hold the loop",
    "bidding/evidence/bundle.py": "what a bundle proves, by itself and pure",
    "bidding/evidence/reading.py": "the strict reader of bundles, pure",
    "bidding/evidence/sinks.py": "port to places outside the database",
    "bidding/feed/admission.py": "which handshakes become sockets",
    "bidding/feed/asyncapi.py": "the live protocol described for programs",
    "bidding/feed/bell.py": "the bell between processes",
    "bidding/feed/bids.py": "what clients say over their sockets",
    "bidding/feed/crowd.py": "the sockets of one process, counted and looked after",
    "bidding/feed/feed.py": "the service of a live slice: the rooms of one process",
    "bidding/feed/keepalive.py": "signs of life asked of every socket",
    "bidding/feed/messages.py": "what the socket says, as types",
    "bidding/feed/protocol.py": "one live socket",
    "bidding/feed/rooms.py": "one lot's picture in memory and who looks at it",
    "bidding/feed/turns.py": "the queue at the door",
    "bidding/forwarding/door.py": "the desk's end of the way between processes",
    "bidding/forwarding/forwarder.py": "the web process's end",
    "bidding/registration/admission.py": "what settlement does to a registration in its own transaction",
    "bidding/registration/confirmations.py": "what the court confirms of a lot's bidders",
    "kernel/identity/checks.py": "port to the outside check of names",
    "kernel/identity/door.py": "what HTTP and the live socket share",
    "kernel/identity/passwords.py": "hashing that must not block bids",
    "settlement/bank/answers.py": "orders at the bank: handed over, answered once",
    "settlement/bank/matching.py": "use cases of money that two people match by hand",
    "settlement/bank/port.py": "what we need of any bank",
    "settlement/bank/simulated.py": "the bank of the embedded default, tests and demo",
    "settlement/bank_files/iso20022.py": "the messages that banks speak, read and written",
    "settlement/deposits/holds.py": "what ends a hold, for one deposit or hundreds at once",
    "settlement/papers/contents.py": "what each paper says",
    "settlement/papers/layout.py": "a paper as PDF",
    "settlement/deposits/review.py": "what bidders of a finished lot have in common",
    "settlement/completion/case_money.py": "use cases of a case's account, costs and fee",
    "settlement/completion/defaults.py": "use cases of a default and its deposit",
    "settlement/completion/reversal.py": "what gives a sale back",
    "settlement/completion/set_offs.py": "what of a price is set off against the buyer's claim",
    "settlement/completion/sale_schemas.py": "sale, costs and fee on the wire, beside the calculators' documents",
    "settlement/distribution/certain.py": "what no outcome of suits takes back",
    "settlement/distribution/claims.py": "the words of R-DIST",
    "settlement/distribution/creditors.py": "use cases of joining the distribution",
    "settlement/distribution/current.py": "what a plan would rest on now",
    "settlement/distribution/deadlines.py": "periods counted in days, for the calculator and for plans",
    "settlement/distribution/deadlines_schemas.py": "its document for the calculator",
    "settlement/distribution/disputes.py": "use cases of objections, suits and escrow",
    "settlement/distribution/drawing.py": "a plan from its basis, with or without escrow",
    "settlement/distribution/fee_setting.py": "use cases of the enforcement fee",
    "settlement/distribution/fees.py": "the fee on what the applicant is paid beside it",
    "settlement/distribution/interest.py": "doubled interest, R-INT",
    "settlement/distribution/interest_schemas.py": "its document for the calculator",
    "settlement/distribution/lines.py": "the lines of a whole plan",
    "settlement/distribution/objections.py": "the way of an objection, R-DIST-05 and 06",
    "settlement/distribution/participation.py": "cut-off, recognition, preference, R-DIST-01, 02 and 16",
    "settlement/distribution/participation_schemas.py": "the same on the wire",
    "settlement/distribution/plan_schemas.py": "the plan on the wire",
    "settlement/distribution/plan_views.py": "how the plan on the wire is made",
    "settlement/distribution/plans.py": "the plan as a document and its hash",
    "settlement/distribution/procedure.py": "the way of a plan, R-DIST-04 and 05",
    "settlement/distribution/satisfaction.py": "taking in satisfaction, R-FAIL-03 and 05",
    "settlement/distribution/setting_off.py": "the use case of a price set off against the buyer's claim",
    "settlement/distribution/shares.py": "the arithmetic of one place of the waterfall",
    "settlement/distribution/taking.py": "use cases of taking in satisfaction",
    "settlement/distribution/taking_schemas.py": "the same on the wire",
    "settlement/distribution/what_if.py": "a plan over changed inputs, and what differs",
    "settlement/payouts/account.py": "the case account as it is read, and what plans owe to whom",
    "settlement/payouts/withholding.py": "deferral, deposit, rewards and the court's own limit",
}
"""Rooms that one slice needs and no other: what each holds."""

CONTEXT_FILES = {"__init__.py", "api.py", "verify.py"}
NAMED_CONTEXT_FILES = {
    "appraisal/days.py": "days of the law, used by every slice of appraisal",
}

READS_A_CLOCK = {
    "app/bench/baseline.py": "measures itself",
    "app/bench/close.py": "lays lots out before a real instant and looks at what is done after it",
    "app/bench/closing_load.py": "sends at a real instant",
    "app/bench/distribution.py": "measures itself",
    "app/bench/load.py": "measures from outside what a bidder waits",
    "app/bench/nchan.py": "posts at the times of the run beside it",
    "app/bench/processes.py": "notes when it looked at other processes",
    "app/bench/stage.py": "waits for a server to start",
    "app/bench/watchers.py": "measures from outside when a frame comes",
    "kernel/clock.py": "the one module that may",
    "kernel/ids.py": "the time in an identifier orders rows and decides nothing",
}

ASKS_THE_DATABASE_FOR_TIME = {
    "bidding/desk/ingresses.py": "signs of life are real time, compared between processes",
    "bidding/desk/lease.py": "leases and signs of life are real time, compared between processes",
    "bidding/desk/shares.py": "leases and signs of life are real time, compared between processes",
    "bidding/desk/store.py": "leases and health rows are real time, compared between processes",
    "kernel/clock_watch.py": "platform time follows it",
    "kernel/outbox.py": "leases are real time, compared between processes",
}
"""Files whose SQL reads PostgreSQL's clock; law times are parameters instead."""

CLOCKS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime", "gmtime"},
}
SQL_CLOCK = re.compile(
    r"\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp)\(\)|\bcurrent_timestamp\b", re.I
)


def sources(*packages: str) -> list[Path]:
    """Source files below the packages, relative to the repository."""
    return [path.relative_to(ROOT) for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def slices() -> list[Path]:
    """Folders of all slices, those of the contexts and the kernel's one."""
    found = [
        folder.relative_to(ROOT)
        for context in CONTEXTS
        for folder in sorted((ROOT / context).iterdir())
        if folder.is_dir() and any(folder.glob("*.py"))
    ]
    return [*found, Path("kernel/identity")]


def clock_reads(module: ast.Module) -> Iterator[str]:
    """Every use of a function that reads a clock, however it was imported."""
    for node in ast.walk(module):
        match node:
            case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
                if name in CLOCKS.get(owner, ()):
                    yield f"{owner}.{name} (line {node.lineno})"
            case ast.ImportFrom(module="time", names=names):
                for imported in names:
                    if imported.name in CLOCKS["time"]:
                        yield f"time.{imported.name} (line {node.lineno})"


def docstrings(module: ast.Module) -> set[int]:
    """Identities of constants that stand alone as statements: text for readers."""
    return {
        id(node.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def sql_clock_reads(module: ast.Module) -> Iterator[str]:
    """Every string that asks PostgreSQL for the time, and every `func.now()`."""
    prose = docstrings(module)
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in prose and SQL_CLOCK.search(text):
                yield f"{text.strip()[:60]!r} (line {node.lineno})"
            case ast.Attribute(value=ast.Name(id="func"), attr="now" | "clock_timestamp" | "current_timestamp"):
                yield f"func.{node.attr} (line {node.lineno})"


def floats(module: ast.Module) -> Iterator[str]:
    """Every float literal and every mention of the type."""
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=float(value)):
                yield f"{value} (line {node.lineno})"
            case ast.Name(id="float"):
                yield f"float (line {node.lineno})"


WHERE_THINGS_ARE_NAMED = {"NotFound": 0, "must_serve": 1, "served_case_of": 2}
"""Functions that say what was not found, and which argument that is, where it is not given as `what`."""


def things_not_found(module: ast.Module) -> Iterator[str]:
    """What the module may say was not found; an expression that is not the caller's own `what` as its source."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in WHERE_THINGS_ARE_NAMED:
                by_word = [each.value for each in node.keywords if each.arg == "what"]
                match [*by_word, *node.args[WHERE_THINGS_ARE_NAMED[name] :]][0]:
                    case ast.Constant(value=str(what)):
                        yield what
                    case ast.Name(id="what"):
                        pass
                    case other:
                        yield ast.unparse(other)


def offences(
    paths: list[Path], look: Callable[[ast.Module], Iterator[str]], excused: dict[str, str]
) -> dict[str, list[str]]:
    """File -> what `look` finds there; excused files that need no excuse are offences too."""
    found = {str(path): list(look(tree(path))) for path in paths}
    idle = {path: ["is excused and needs no excuse"] for path in excused if not found.get(path)}
    return {path: uses for path, uses in found.items() if uses and path not in excused} | idle


def test_a_slice_holds_only_rooms_that_have_a_name() -> None:
    files = [path for folder in slices() for path in sources(str(folder))]
    strays = [
        str(path)
        for path in files
        if len(path.parts) != 3 or (path.stem not in {*ROOMS, "__init__"} and str(path) not in NAMED_ROOMS)
    ]
    assert not strays, "give them to a room, or name them in NAMED_ROOMS"
    assert NAMED_ROOMS.keys() <= {str(path) for path in files}, "a named room is gone"


def test_a_slice_has_a_room() -> None:
    empty = [str(folder) for folder in slices() if not ROOMS & {path.stem for path in (ROOT / folder).glob("*.py")}]
    assert not empty


def test_a_context_is_slices_and_an_api() -> None:
    files = [path for context in CONTEXTS for path in sources(context) if len(path.parts) == 2]
    strays = [str(path) for path in files if path.name not in CONTEXT_FILES and str(path) not in NAMED_CONTEXT_FILES]
    assert not strays, "give them to a slice, or name them in NAMED_CONTEXT_FILES"
    assert NAMED_CONTEXT_FILES.keys() <= {str(path) for path in files}, "a named file is gone"


def test_no_slice_reads_the_tables_of_another_by_its_store() -> None:
    foreign = [
        f"{path} imports {imported}"
        for path in sources(*CONTEXTS)
        if len(path.parts) == 3
        for imported in imports(tree(path))
        if imported.endswith(".store") and imported.split(".")[:-1] != list(path.parts[:2])
    ]
    assert not foreign, "call the slice's service"


def imports(module: ast.Module) -> Iterator[str]:
    """Dotted names of everything a module imports, members of packages included."""
    for node in ast.walk(module):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(package), names=names):
                yield package
                yield from (f"{package}.{name.name}" for name in names)


def test_only_the_kernels_clock_reads_a_clock() -> None:
    assert offences(sources(*PACKAGES), clock_reads, READS_A_CLOCK) == {}, "use kernel.clock, or name the reason"


def test_sql_gets_the_time_as_a_parameter() -> None:
    assert offences(sources(*PACKAGES), sql_clock_reads, ASKS_THE_DATABASE_FOR_TIME) == {}


def pure_modules() -> set[Path]:
    """The modules that the import contract on purity names, its wildcards resolved."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (each for each in contracts if each["name"].startswith("Rules are pure"))
    globs = (f"{module.replace('.', '/')}.py" for module in contract["source_modules"])
    return {path.relative_to(ROOT) for glob in globs for path in ROOT.glob(glob)}


def test_no_float_where_money_or_rules_are() -> None:
    assert offences(sorted({*pure_modules(), *sources("settlement")}), floats, {}) == {}


@pytest.mark.parametrize(
    ("look", "source"),
    [
        (clock_reads, "import datetime\ndatetime.datetime.now()"),
        (clock_reads, "from datetime import date\ndate.today()"),
        (clock_reads, "import time\nbegan = time.monotonic()"),
        (clock_reads, "from time import perf_counter as tick"),
        (sql_clock_reads, "text('DELETE FROM t WHERE due_at < now()')"),
        (sql_clock_reads, "f'SELECT CURRENT_TIMESTAMP FROM {table}'"),
        (sql_clock_reads, "select(func.now())"),
        (floats, "share = total * 0.05"),
        (floats, "share = float(total)"),
        (floats, "def share(total: float): ..."),
        (things_not_found, "raise NotFound(what='lot')"),
        (things_not_found, "actor.must_serve(lot.court_id, 'lot')"),
        (things_not_found, "raise NotFound(what=f'{kind} of the case')"),
    ],
)
def test_the_lookers_see_what_they_look_for(look: Callable[[ast.Module], Iterator[str]], source: str) -> None:
    assert list(look(ast.parse(source)))


@pytest.mark.parametrize(
    ("look", "source"),
    [
        (clock_reads, "tx.now()\nclock.now()\nfrom kernel.clock import monotonic\nmonotonic()\ntime.sleep(1)"),
        (sql_clock_reads, "'''Not by now(): the caller says when.'''\ntext('SELECT :now')"),
        (floats, "share = total * 5 // 100\nprice = Fraction(1, 3)"),
        (things_not_found, "actor.must_serve(case.court_id, what)\nraise Forbidden()"),
    ],
)
def test_the_lookers_see_nothing_else(look: Callable[[ast.Module], Iterator[str]], source: str) -> None:
    assert not list(look(ast.parse(source)))


WHO_IS_BEHIND_A_REGISTRATION = re.compile(r"\bRegistrationIdentity\b|\bregistration_identity\b")
READS_WHO_IS_BEHIND = {
    "bidding/registration/store.py:door": "from a person to their own registrations",
    "bidding/registration/store.py:reveal": "from a registration to the person, after the end, with an access row",
    "bidding/registration/store.py:digests": "for `verify`: digests and ranks, which name nobody (decision 0016)",
    "bidding/registration/store.py:add_registration": "writes it",
    "bidding/registration/store.py:change_salt": "writes the salt of a registration whose code changes",
    "app/bench/ground.py:write": "writes the rows of a benchmark",
}
"""The two readers of the one table that links a person and a code (R-BID-07), who digests it, and its writers."""


def functions_that_name(path: Path, pattern: re.Pattern[str]) -> Iterator[str]:
    """The innermost functions and classes whose code, docstrings aside, holds a match; `module` for none of them."""
    module = tree(path)
    prose = docstrings(module)
    bodies = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

    def walk(node: ast.AST, inside: str) -> Iterator[str]:
        match node:
            case ast.Import() | ast.ImportFrom():
                return
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.Constant(value=str(word)) if id(node) not in prose:
                if pattern.search(word):
                    yield inside
        for child in ast.iter_child_nodes(node):
            yield from walk(child, node.name if isinstance(node, bodies) else inside)

    yield from walk(module, "module")


def test_two_functions_read_who_is_behind_a_registration() -> None:
    found = {
        f"{path}:{function}"
        for path in sources(*PACKAGES)
        if str(path) != "bidding/registration/models.py"
        and WHO_IS_BEHIND_A_REGISTRATION.search((ROOT / path).read_text())
        for function in functions_that_name(path, WHO_IS_BEHIND_A_REGISTRATION)
    }
    assert found == READS_WHO_IS_BEHIND.keys(), "the door and the reveal, and no third"


def chinese_tables() -> Iterator[tuple[Path, str, dict[StrEnum, str]]]:
    """Every table of code words in Chinese whose keys are those of an enum: file, name, table."""
    for path in sources(*PACKAGES):
        for node in tree(path).body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict()) if name.endswith("_ZH"):
                    table = getattr(import_module(".".join(path.with_suffix("").parts)), name)
                    if all(isinstance(word, StrEnum) for word in table):
                        yield path, name, table


def test_every_code_word_of_an_enum_has_its_chinese_name() -> None:
    tables = list(chinese_tables())
    assert len(tables) > 5, "they are found by their names"
    missing = {f"{path}:{name}": set(type(next(iter(table)))) - table.keys() for path, name, table in tables}
    assert {where: words for where, words in missing.items() if words} == {}


def test_whatever_is_not_found_has_a_chinese_name() -> None:
    named = {what for path in sources(*PACKAGES) for what in things_not_found(tree(path))}
    assert named == THINGS.keys()


def test_alembics_folder_is_no_package() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists(), "it would hide the library"


def test_laws_and_invariants_are_numbered_and_name_files_that_exist() -> None:
    text = (ROOT / "docs" / "invariants.md").read_text()
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.M)]
    assert numbers == [*range(1, 11), *range(1, 37)]
    assert [name for name in re.findall(r"`([\w/]+\.(?:py|md))`", text) if not (ROOT / name).is_file()] == []


def test_tests_mirror_the_tree() -> None:
    for folder in {path.parent for path in sources("tests")}:
        assert (ROOT / folder / "__init__.py").exists(), f"without it {folder} hides the package of the same name"
        mirrored = Path(*folder.parts[1:])
        if mirrored.parts and mirrored.parts[0] in PACKAGES:
            known = (ROOT / mirrored).is_dir() or (ROOT / mirrored).with_suffix(".py").is_file()
            assert known, f"{folder} mirrors nothing"
