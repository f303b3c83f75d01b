"""Files that are named on the command line: what is wrong with one is said in a sentence that names it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class WrongFile(Exception):
    """A file cannot be read or written, or is not what it should be."""


def read_file(name: str | None, most: int = -1) -> bytes:
    """The file, or standard input without a name, as far as `most` bytes."""
    if name is None:
        return sys.stdin.buffer.read(most)
    with Path(name).open("rb") as source:
        return source.read(most)


@contextmanager
def reading(name: str | None) -> Iterator[None]:
    """Turns what OSError and ValueError say of the file, while it is read and understood, into WrongFile."""
    shown = name or "standard input"
    try:
        yield
    except OSError as error:
        raise WrongFile(f"{shown} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise WrongFile(f"{shown} is no UTF-8 text (byte {error.start + 1})") from None
    except ValueError as error:
        raise WrongFile(f"{shown}: {error}") from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what OSError says of the file, while it is written, into WrongFile."""
    try:
        yield
    except OSError as error:
        raise WrongFile(f"{path} cannot be written: {error.strerror}") from None
