"""Structured logs: one JSON object a line, never a secret, never a line break that a sender smuggled in.

Secrets are blanked last, when the line is complete, so that those in the text of an exception or of a foreign
logger are found too. Tracebacks show no local variables: a password is one.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import msgspec
import structlog
from structlog.tracebacks import ExceptionDictTransformer

REDACTED = "***"
SECRET_NAMES = ("password", "token", "cookie", "authorization", "id_number", "secret")
"""A value is secret when its name holds one of these, whatever stands around it."""

SECRET_TEXT = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)"  # 身份证号
    r"|(?<=session=)[\w-]{16,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # user and password of an address
)
DECEIVING: Final = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What ends a line, commands a terminal or turns text round, and JSON leaves as it is."""


def redact(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blanks every value whose name says that it is secret, however deep, and what looks secret in any text."""
    for name in entry:
        entry[name] = _shown(name, entry[name])
    return entry


def _shown(name: str, value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if any(secret in name.lower() for secret in SECRET_NAMES):
        return REDACTED
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        return {str(key): _shown(str(key), member) for key, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown("", member) for member in value]
    if isinstance(value, int | float):
        return value
    return SECRET_TEXT.sub(REDACTED, str(value))


def one_line(_: Any, __: str, line: str) -> str:
    """The rendered line with everything escaped that could end it early or deceive whoever reads it."""
    return DECEIVING.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's loggers to `stream` (standard error) as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.root.handlers[:] = [_handler(shared, stream or sys.stderr)]
    logging.root.setLevel(level.upper())
    for name in ("websockets", "apscheduler", "uvicorn.access", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _handler(shared: list[structlog.typing.Processor], stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
                redact,
                structlog.processors.JSONRenderer(ensure_ascii=False),
                one_line,  # type: ignore[list-item]  # the renderer before it has made a line of the entry
            ],
        )
    )
    return handler
