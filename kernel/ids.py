"""Identifiers: random where they must not tell anything, ordered where an index should stay dense."""

import os
import secrets
import time
from uuid import UUID, uuid4

from asyncpg.pgproto import pgproto

_VERSION_7 = 0x7 << 76 | 0x2 << 62
_RANDOM = (1 << 80) - 1 & ~(0xF << 76 | 0x3 << 62)


def ordered_id() -> UUID:
    """A UUID that sorts by creation (version 7): for rows whose order is no secret.

    Of the driver's class, as ids read from the database are: the library's own takes ten times as long to be written.
    """
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big") & _RANDOM
    return pgproto.UUID((value | _VERSION_7).to_bytes(16, "big"))


def random_id() -> UUID:
    """A UUID that tells nothing, not even when it was made: registrations (invariant 17), enquiries."""
    return uuid4()


def token() -> str:
    """256 random bits for a session or a one-time link."""
    return secrets.token_urlsafe(32)
