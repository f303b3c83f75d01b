"""Structured logs: one JSON object a line, never a secret, never a line break that a sender smuggled in."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

REDACTED = "***"
SECRET_NAMES = frozenset(
    {"password", "old_password", "new_password", "token", "cookie", "authorization", "id_number", "bid_password"}
)


def redact(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blanks every value whose name says that it is secret, also inside nested mappings."""
    for name, value in entry.items():
        if name in SECRET_NAMES:
            entry[name] = REDACTED
        elif isinstance(value, dict):
            entry[name] = redact(None, "", dict(value))
    return entry


def configure_logs(level: str) -> None:
    """Send structlog and the standard library's loggers to standard error as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.dict_tracebacks,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level.upper())
    for name in ("websockets", "apscheduler", "uvicorn.access", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)
