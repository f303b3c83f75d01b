"""A new cluster (initdb), and the settings that every server of ours runs with."""

import shutil

from app.embedded.errors import PostgresFailed
from app.embedded.launch import Launch
from app.embedded.layout import Layout, give_to
from kernel.files import flush_folder

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # Names and identity numbers must not reach the log with a failing statement.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
}
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}

INITDB = [
    *("-U", "postgres", "-A", "trust", "-E", "UTF8", "--data-checksums", "--no-instructions"),
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
]


def make_cluster(layout: Layout, launch: Launch, *, durable: bool) -> None:
    """Make one where there is none, owned by whoever runs the server."""
    fresh = layout.data.with_name("postgres.new")
    # Made beside its place and renamed, so that half a cluster is never taken for a whole one.
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    give_to(fresh, launch.owner)
    arguments = INITDB if durable else [*INITDB, "--no-sync"]
    made = launch.popen("initdb", {"-D": fresh}, arguments, layout.log)
    if made.wait() != 0:
        raise PostgresFailed(f"initdb failed in {layout.folder}:\n{layout.tail()}")
    fresh.rename(layout.data)
    if durable:
        flush_folder(layout.folder)
