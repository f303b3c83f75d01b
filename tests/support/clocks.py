"""A machine whose wall clock is wrong."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pytest


@contextmanager
def wall_clock_off(by: timedelta) -> Iterator[None]:
    """While the body runs this process reads its wall clock `by` ahead of the true one; the monotonic clock is true."""
    true_ns = time.time_ns

    class Wrong(datetime):
        def __new__(cls, *about: Any, **more: Any) -> datetime:  # type: ignore[misc]
            return datetime(*about, **more)  # noqa: DTZ001 - as it was asked for

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + by

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kernel.clock.datetime", Wrong)
        patch.setattr(time, "time_ns", lambda: true_ns() + by // timedelta(microseconds=1) * 1_000)
        yield
