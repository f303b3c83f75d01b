"""Logs: one JSON object a line, and nothing in it that nobody may read (invariant 16)."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from kernel.identity.schemas import Login, Register
from kernel.logs import configure_logs

ID_NUMBER = "11010519491231002X"
PASSWORD = "hunter2 hunter2"
TOKEN = "kJ3_" + "x" * 39


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is written to standard error while the house's logs are configured."""
    written = io.StringIO()
    root = logging.root
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", written)
    configure_logs("info")
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def read(lines: io.StringIO) -> list[dict[str, Any]]:
    """Every line as the JSON object it must be, split wherever any reader may split."""
    return [json.loads(line) for line in lines.getvalue().splitlines()]


SMUGGLED = 'a\n{"event":"forged"}\r\x1b[2Jb\x9b2Jc\u2028d\x85e\u202ef\x7f'


def test_what_a_sender_smuggles_in_stays_inside_one_line(lines: io.StringIO) -> None:
    structlog.get_logger("web").warning("door.knocked", path=SMUGGLED, **{"na\nme": 1})
    logging.getLogger("uvicorn.error").warning("bad request: %s", SMUGGLED)
    first, second = read(lines)
    assert first["path"] == SMUGGLED
    assert first["event"] == "door.knocked"
    assert second["event"].endswith(SMUGGLED)
    assert {first["logger"], second["logger"]} == {"web", "uvicorn.error"}
    assert not set(lines.getvalue()) & set("\r\x1b\x9b\u2028\x85\u202e\x7f")


def test_a_lone_surrogate_is_written_too(lines: io.StringIO) -> None:
    """A path with undecodable bytes must not cost the line. Nothing of it may reach the test's own report."""
    structlog.get_logger("web").warning("door.knocked", path="f" + chr(0xDC80) + "g")
    written = lines.getvalue()
    lines.truncate(0)
    assert len(written.splitlines()) == 1
    assert "door.knocked" in written.encode("utf-8", "replace").decode()


def test_chinese_stays_readable(lines: io.StringIO) -> None:
    structlog.get_logger("web").info("标的已结束", court="某某人民法院")
    assert "标的已结束" in lines.getvalue()


@pytest.mark.parametrize(
    "entry",
    [
        {"password": PASSWORD},
        {"New_Password": PASSWORD, "bid_password": PASSWORD},
        {"headers": {"Cookie": f"session={TOKEN}", "authorization": TOKEN}},
        {"tried": [{"session_token": TOKEN}, ({"id_number": ID_NUMBER},)]},
        {"wanted": Login(username="someone", password=PASSWORD)},
        {"body": Register(username="someone", password=PASSWORD, real_name="某人", id_number=ID_NUMBER)},
        {"error": f"DETAIL: Key (id_number)=({ID_NUMBER}) already exists."},
        {"error": ValueError(f"{ID_NUMBER.lower()} is known")},
        {"header": f"theme=dark; session={TOKEN}; lang=zh"},
        {"url": f"postgresql://auction:{PASSWORD.replace(' ', '')}@db.internal:5432/auction"},
    ],
)
def test_secrets_are_blanked_wherever_they_stand(lines: io.StringIO, entry: dict[str, Any]) -> None:
    structlog.get_logger("web").info("event", **entry)
    logging.getLogger("foreign").warning("seen: %s", ID_NUMBER)
    written = lines.getvalue()
    assert not [secret for secret in (PASSWORD, "hunter2", TOKEN, ID_NUMBER, ID_NUMBER.lower()) if secret in written]
    assert written.count("***") >= 2
    assert len(read(lines)) == 2


def test_a_traceback_shows_neither_locals_nor_secrets(lines: io.StringIO) -> None:
    def fail(password: str) -> None:
        raise RuntimeError(f"no person {ID_NUMBER}")

    for logger in (structlog.get_logger("web"), logging.getLogger("foreign")):
        try:
            fail(PASSWORD)
        except RuntimeError:
            logger.exception("web.crash")
    own, foreign = read(lines)
    for entry in (own, foreign):
        (told,) = entry["exception"]
        assert told["exc_type"] == "RuntimeError"
        assert [frame["name"] for frame in told["frames"]][-1] == "fail"
        assert all(not frame.get("locals") for frame in told["frames"])
    assert PASSWORD not in lines.getvalue()
    assert ID_NUMBER not in lines.getvalue()


def test_numbers_that_are_no_identity_numbers_stay(lines: io.StringIO) -> None:
    """Amounts, ids and bank references must remain readable."""
    shown = {"amount_fen": 10**15, "order": "622202020011223344", "at": "2025-03-03T09:00:00.000+08:00", "ok": True}
    structlog.get_logger("web").info("event", **shown)
    (entry,) = read(lines)
    assert {name: entry[name] for name in shown} == shown
