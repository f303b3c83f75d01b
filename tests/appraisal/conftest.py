"""Fixtures of the appraisal tests."""

from collections.abc import AsyncIterator

import pytest

from kernel.database import Database
from tests.appraisal.support import Court, make_court
from tests.support.house import opened


@pytest.fixture
async def database(database_url: str, anyio_backend: object) -> AsyncIterator[Database]:
    """A migrated database of this test alone, on Monday 2025-03-03, 09:00 in Beijing."""
    async with opened(database_url) as database:
        yield database


@pytest.fixture
async def court(database: Database) -> Court:
    """The court that serves the test's cases."""
    return await make_court(database)
