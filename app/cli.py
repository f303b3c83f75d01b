"""The one console script, `auction`: a table of subcommands, each importing what it needs only when it runs."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand: one line of help, its arguments, and what it does; `run` returns the exit code."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def _calc_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the calculator, e.g. prices; a wrong name lists all")
    parser.add_argument("file", metavar="FILE", nargs="?", help="JSON document; standard input without it")


def _calc(arguments: argparse.Namespace) -> int:
    from app.calc import main_calc

    return main_calc(arguments.name, arguments.file)


COMMANDS = {
    "calc": Command("recompute a decision by the platform's pure rules", _calc_arguments, _calc),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse `argv` and run the subcommand; its exit code, or 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="auction", description="Online judicial auction platform (网络司法拍卖平台)")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        command.arguments(subparsers.add_parser(name, help=command.help, description=command.help))
    arguments = parser.parse_args(argv)
    return COMMANDS[arguments.command].run(arguments)


if __name__ == "__main__":
    sys.exit(main())
