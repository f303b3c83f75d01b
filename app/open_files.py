"""How many files, and so sockets, this process may have open."""

import resource

MOST_WANTED = 1_048_576
"""Beyond this a limit is none; some systems refuse to set it to infinity."""


def raise_open_files() -> int:
    """Raise the soft limit to the hard one, since every watcher is an open file; returns what may be open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_WANTED if hard == resource.RLIM_INFINITY else min(hard, MOST_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
