"""What can go wrong with a server of our own."""


class FolderInUse(RuntimeError):
    """Another living process holds the data folder."""


class PostgresFailed(RuntimeError):
    """PostgreSQL cannot be made, started or stopped; where it helps, the message ends with its log."""
