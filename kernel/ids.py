"""Identifiers: random where they must not tell anything, ordered where an index should stay dense."""

import os
import secrets
import time
from uuid import UUID, uuid4


def ordered_id() -> UUID:
    """A UUID that sorts by creation (version 7): for rows whose order is no secret."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def random_id() -> UUID:
    """A UUID that tells nothing, not even when it was made: registrations (invariant 17), enquiries."""
    return uuid4()


def token() -> str:
    """256 random bits for a session or a one-time link."""
    return secrets.token_urlsafe(32)
