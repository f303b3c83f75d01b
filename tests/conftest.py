"""Fixtures of all tests: a database, a durable server to crash, a Redis, a browser.

The controller of the run starts one PostgreSQL; the workers of pytest-xdist are told its folder.
"""

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from app.embedded import EmbeddedPostgres
from app.redis_binary import find_redis
from tests.support import databases
from tests.support.browsers import find_chromium
from tests.support.places import disk_root, fast_root, new_folder, one_at_a_time
from tests.support.valkey import Valkey

SERVER = pytest.StashKey[EmbeddedPostgres]()

# Two cores shared with servers: how long an example takes says nothing. CI judges the change and not the luck of the
# draw, so there the examples are always the same; everywhere else they are new each time.
hypothesis.settings.register_profile("house", deadline=None, print_blob=True, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    databases.sweep()
    config.stash[SERVER] = databases.start_for_run()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["postgres"] = str(node.config.stash[SERVER].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if SERVER in config.stash:
        databases.throw_away(config.stash[SERVER])


def run_server(config: pytest.Config) -> EmbeddedPostgres:
    """The server that the controller started, seen from any process of the run."""
    if SERVER in config.stash:
        return config.stash[SERVER]
    return EmbeddedPostgres(Path(config.workerinput["postgres"]), durable=False)  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Tests that run whole servers need both cores, so one at a time over all workers.

    A lock and not `--dist loadgroup`: pytest-xdist 3.8 silently stops grouping under pytest 9.2 (its issue 1386).
    """
    if not (item.get_closest_marker("slow") or item.get_closest_marker("browser")):
        return (yield)
    with one_at_a_time(run_server(item.config).folder / "whole-servers"):
        return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and find_chromium() is None:
        pytest.skip("no Chromium on this machine")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Async tests (`pytest.mark.anyio`) run on plain asyncio."""
    return "asyncio", {"use_uvloop": False}


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> EmbeddedPostgres:
    """The run's server; fast, not durable, shared: use `database_url`."""
    return run_server(request.config)


@pytest.fixture(scope="session")
def database_clones(postgres_server: EmbeddedPostgres) -> Iterator[databases.Clones]:
    """Makes clones of the migrated template."""
    clones = databases.Clones(postgres_server, os.environ.get("PYTEST_XDIST_WORKER", "main"))
    yield clones
    clones.close()


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres, database_clones: databases.Clones) -> Iterator[str]:
    """Address of a migrated database of this test alone. Fails the test that leaves a connection open."""
    name = database_clones.make()
    yield postgres_server.dsn(name)
    database_clones.drop(name)


@pytest.fixture
def durable_postgres() -> Iterator[EmbeddedPostgres]:
    """A durable, migrated server on a disk, of this test alone: kill it as you like."""
    server = databases.migrated_on_disk(new_folder(disk_root()))
    yield server
    databases.throw_away(server)


@pytest.fixture
def redis_server() -> Iterator[Valkey]:
    """An empty Redis-compatible server of this test alone, to pause and kill."""
    binary = find_redis()
    if binary is None:
        pytest.skip("no Redis or Valkey for this system")
    folder = new_folder(fast_root())
    server = Valkey(binary, folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder)


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> str:
    """Address of a real Redis: the one `REDIS_URL` names (it is not emptied), else one of this test alone."""
    if named := os.environ.get("REDIS_URL"):
        return named
    server: Valkey = request.getfixturevalue("redis_server")
    return server.url


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; tests that use it are marked `browser`."""
    path = find_chromium()
    assert path is not None, "mark the test with pytest.mark.browser"
    return path
