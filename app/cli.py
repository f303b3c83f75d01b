"""The one console script, `auction`: a table of subcommands, each importing what it needs only when it runs."""

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from app.embedded import FolderInUse, PostgresFailed
from app.files import WrongFile
from kernel.settings import Settings, SettingsError, load
from kernel.signatures import KeyringError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand: one line of help, its arguments, and what it does; `run` returns the exit code."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number of the command line, and refuses any other in words for whoever typed it."""

    def read(text: str) -> int:
        if re.fullmatch(r"-?[0-9]{1,18}", text) and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}, not {text[:40]!r}")

    return read


def lot_id(text: str) -> UUID:
    """Reads the id of a lot."""
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected the id of a lot, not {text[:40]!r}") from None


PORT = whole(0, 65_535)
DESKS = whole(1, 64)
"""`bidding.desk.shares.MAX_SHARES`, which is not imported for `auction --help`."""
SOCKETS = whole(1, 60_000)
"""All of a benchmark's come from one address, which has no more ports."""


def _calc_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the calculator, e.g. prices; a wrong name lists all")
    parser.add_argument("file", metavar="FILE", nargs="?", help="JSON document; standard input without it")


def _calc(arguments: argparse.Namespace) -> int:
    from app.calc import main_calc

    return main_calc(arguments.name, arguments.file)


def _serve_arguments(parser: argparse.ArgumentParser) -> None:
    roles = "all (default); web: forwards bids to the desk; desk: stands by and takes over"
    parser.add_argument("--role", choices=("all", "web", "desk"), help=roles)
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=PORT, help="port to listen on (default 8000)")
    parser.add_argument("--data-dir", help="folder of the embedded data (default .data)")
    _rehearsal_argument(parser)


def _serve(arguments: argparse.Namespace) -> int:
    from app.serve import main_desk, main_serve

    settings = _settings(arguments)
    return main_desk(settings) if settings.role == "desk" else main_serve(settings)


def _fleet_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=PORT, help="port of the web processes, shared by them (default 8000)")
    parser.add_argument("--data-dir", help="folder of the data (default .data)")
    parser.add_argument("--desks", type=DESKS, default=1, help="among how many desks lots are shared out (default 1)")


def _fleet(arguments: argparse.Namespace) -> int:
    from app.fleet import main_fleet

    return main_fleet(_settings(arguments), arguments.desks)


def _desks_arguments(parser: argparse.ArgumentParser) -> None:
    _data_arguments(parser)
    parser.add_argument("number", metavar="N", type=DESKS, nargs="?", help="share the lots out anew among so many")


def _desks(arguments: argparse.Namespace) -> int:
    from app.administration import main_desks

    return main_desks(_settings(arguments), arguments.number)


def _worker(arguments: argparse.Namespace) -> int:
    from app.serve import main_worker

    return main_worker(_settings(arguments))


def _migrate(arguments: argparse.Namespace) -> int:
    from app.administration import main_migrate

    return main_migrate(_settings(arguments))


def _create_user_arguments(parser: argparse.ArgumentParser) -> None:
    _data_arguments(parser)
    parser.add_argument("username", help="3 to 40 of a-z, 0-9, dot, dash, underscore")
    parser.add_argument("--name", required=True, help="real name, or the name of the machine")
    parser.add_argument("--role", dest="roles", action="append", required=True, help="may be given several times")
    parser.add_argument("--court-code", help="the court that staff belong to; a new code creates it")
    parser.add_argument("--court-name", help="name of a court that is created")


def _create_user(arguments: argparse.Namespace) -> int:
    from app.administration import main_create_user

    return main_create_user(_settings(arguments), arguments)


def _create_users_arguments(parser: argparse.ArgumentParser) -> None:
    _data_arguments(parser)
    parser.add_argument("file", metavar="FILE", nargs="?", help="CSV document; standard input without it")
    parser.add_argument("--court-code", required=True, help="the court of all of them; a new code creates it")
    parser.add_argument("--court-name", help="name of a court that is created")


def _create_users(arguments: argparse.Namespace) -> int:
    from app.administration import main_create_users

    return main_create_users(_settings(arguments), arguments)


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    _data_arguments(parser)
    parser.add_argument("--bundle", metavar="FILE", help="check an exported lot instead, with no database")
    parser.add_argument("--keys", metavar="FILE", help="with --bundle: the public keys to believe")
    parser.add_argument("--anchors", metavar="FILE", action="append", default=[], help="with --bundle: anchored heads")


def _verify(arguments: argparse.Namespace) -> int:
    from app.verify import main_verify, main_verify_bundle

    if arguments.bundle:
        return main_verify_bundle(arguments.bundle, arguments.keys, arguments.anchors)
    return main_verify(_settings(arguments))


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    _data_arguments(parser)
    parser.add_argument("lot", metavar="LOT", type=lot_id, help="id of a finished lot")
    parser.add_argument("--out", metavar="FILE", help="where to write (default lot-LOT.json)")


def _export(arguments: argparse.Namespace) -> int:
    from app.export import main_export

    return main_export(_settings(arguments), arguments.lot, arguments.out)


def _keys_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in (
        ("new", "make a file of signing keys; an existing file stays as it is"),
        ("rotate", "sign with a new key from the next start on; the old one stays for checking"),
        ("show", "print the public keys"),
    ):
        actions.add_parser(name, help=text).add_argument("file", metavar="FILE")


def _keys(arguments: argparse.Namespace) -> int:
    from app.administration import main_keys

    return main_keys(arguments.action, arguments.file)


def _bank_arguments(parser: argparse.ArgumentParser) -> None:
    _data_arguments(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    taking = actions.add_parser("import", help="take statements and notices (camt.053, camt.054) and book them")
    taking.add_argument("files", metavar="FILE", nargs="+")
    giving = actions.add_parser("export", help="write payment orders that wait (pain.001) into a folder")
    giving.add_argument("folder", metavar="DIR", nargs="?", default=".")


def _bank(arguments: argparse.Namespace) -> int:
    from app.bank import main_bank

    return main_bank(_settings(arguments), arguments)


def _bench_arguments(parser: argparse.ArgumentParser) -> None:
    known = (
        "bids: durable accepted bids a second through sockets; fanout: what a frame to thousands of watchers costs;"
        " close: thousands of lots that end at one instant; distribution: random cases judged independently;"
        " catalogue: searches and statistics over a country's lots"
    )
    parser.add_argument("name", choices=("bids", "fanout", "close", "distribution", "catalogue"), help=known)
    parser.add_argument(
        "--lots", type=whole(1, 1_000_000), help="bids: default 1; close: 10000 that close; catalogue: 200000"
    )
    parser.add_argument("--bidders", type=SOCKETS, help="one socket each (default 128; fanout 10)")
    parser.add_argument("--watchers", type=whole(0, 60_000), help="sockets that only look (default 0; fanout 5000)")
    parser.add_argument(
        "--rate", type=whole(0, 1_000_000), help="bids offered a second (default 0: as answered; fanout 10)"
    )
    parser.add_argument(
        "--seconds", type=whole(1, 86_400), default=20, help="measured after 5 s of warm-up (default 20)"
    )
    parser.add_argument("--data-dir", default=".data", help="where the data lie meanwhile; a disk, not memory")
    parser.add_argument(
        "--extended", type=whole(1, 1_000_000), help="close: further lots, with a good bid waiting (default 1000)"
    )
    parser.add_argument("--bidders-per-lot", type=whole(1, 1_000), help="close: deposits on each lot (default 5)")
    parser.add_argument(
        "--lead-ms",
        type=whole(1, 60_000),
        help="close: how long before the end bids are sent (default: a rehearsal tells)",
    )
    parser.add_argument("--ahead-s", type=whole(1, 86_400), help="close: how long before the end the lots are laid out")
    parser.add_argument(
        "--cases", type=whole(1, 1_000_000_000), default=1_000_000, help="distribution: how many (default a million)"
    )
    parser.add_argument(
        "--seed", type=whole(0, 2**31 - 1), default=1, help="distribution: the same seed makes the same cases"
    )


def _bench(arguments: argparse.Namespace) -> int:
    if arguments.name == "distribution":
        from app.bench import distribution

        return distribution.main_bench_distribution(distribution.Options(arguments.cases, arguments.seed))
    given = {name: value for name, value in vars(arguments).items() if value is not None}
    if arguments.name == "fanout":
        from app.bench import fanout

        if given.get("watchers") == 0 or given.get("rate") == 0:
            print("fanout needs watchers and a rate", file=sys.stderr)
            return 2
        return fanout.main_bench_fanout(_options(fanout.Options, given))
    if arguments.name == "close":
        from app.bench import close

        return close.main_bench_close(_options(close.Options, given))
    if arguments.name == "catalogue":
        from app.bench import catalogue

        return catalogue.main_bench_catalogue(_options(catalogue.Options, given))
    from app.bench import bids

    return bids.main_bench_bids(_options(bids.Options, given))


def _options(kind: Callable[..., T], given: Mapping[str, Any]) -> T:
    """The options of one benchmark among those given on the command line."""
    fields = getattr(kind, "__struct_fields__", ())
    return kind(**{name: value for name, value in given.items() if name in fields})


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--exit", action="store_true", help="end after the last payout, with a summary")
    parser.add_argument("--port", type=PORT, help="port to listen on (default 8000, or a free one if that is taken)")
    parser.add_argument("--data-dir", help="new folder for the data, which is kept (default: a temporary one)")
    keys = ["bmw", "outlander", "hangzhou", "changle", "w20a", "zhangzhou"]
    parser.add_argument("--sale", action="append", default=[], choices=keys, help="only this sale; may be repeated")


def _demo(arguments: argparse.Namespace) -> int:
    from app.demo.run import Options, main_demo

    options = Options(arguments.exit, arguments.port, arguments.data_dir, arguments.sale)
    return main_demo(_settings(argparse.Namespace()), options)


def _data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", help="folder of the embedded data (default .data); unused with DATABASE_URL")
    _rehearsal_argument(parser)


def _rehearsal_argument(parser: argparse.ArgumentParser) -> None:
    text = "data of a rehearsal: an operator moves the time (POST /api/rehearsal/forward); embedded only"
    parser.add_argument("--rehearsal", action="store_true", default=None, help=text)


def _settings(arguments: argparse.Namespace) -> Settings:
    return load(
        role=getattr(arguments, "role", None),
        host=getattr(arguments, "host", None),
        port=getattr(arguments, "port", None),
        data_dir=getattr(arguments, "data_dir", None),
        rehearsal=getattr(arguments, "rehearsal", None),
    )


COMMANDS = {
    "serve": Command("serve API, live feed and pages; embedded also desk and worker", _serve_arguments, _serve),
    "fleet": Command("serve by several processes on this machine, which replace each other", _fleet_arguments, _fleet),
    "desks": Command("show who decides which lots, or share them out anew", _desks_arguments, _desks),
    "worker": Command("sweep due work and relay the outbox of DATABASE_URL", _data_arguments, _worker),
    "migrate": Command("bring the database to the newest schema", _data_arguments, _migrate),
    "create-user": Command("create a member of staff or a machine account", _create_user_arguments, _create_user),
    "create-users": Command("create the staff of a court from a CSV", _create_users_arguments, _create_users),
    "verify": Command("replay and check every lot, chain, ledger and plan", _verify_arguments, _verify),
    "export": Command("write a finished lot with all its proofs into a file", _export_arguments, _export),
    "keys": Command("make, change and show the keys that sign bids", _keys_arguments, _keys),
    "bank": Command("take the bank's files and write payment files", _bank_arguments, _bank),
    "bench": Command("measure on an embedded database of its own", _bench_arguments, _bench),
    "demo": Command("play published sales from seizure to payout, then serve on", _demo_arguments, _demo),
    "calc": Command("recompute a decision by the platform's pure rules", _calc_arguments, _calc),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse `argv` and run the subcommand; its exit code, or 2 for what whoever called can mend, said in a sentence."""
    parser = argparse.ArgumentParser(prog="auction", description="Online judicial auction platform (网络司法拍卖平台)")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        command.arguments(subparsers.add_parser(name, help=command.help, description=command.help))
    arguments = parser.parse_args(argv)
    try:
        return COMMANDS[arguments.command].run(arguments)
    except (SettingsError, KeyringError, FolderInUse, PostgresFailed, WrongFile) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
