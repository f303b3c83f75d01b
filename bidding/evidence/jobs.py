"""Due work of evidence, asked every second: ended lots are logged at once, all every ten minutes, then anchored."""

import structlog

from bidding.evidence import service
from bidding.evidence.sinks import AnchorSink
from kernel.clock import real_now
from kernel.database import Database
from kernel.observability import ANCHORED_AT
from kernel.signatures import Keyring

log = structlog.get_logger("evidence")


class Anchoring:
    """What any process may do at any time; the tables say what is due, so nothing is lost with a process."""

    def __init__(self, database: Database, keyring: Keyring, sink: AnchorSink) -> None:
        self._database = database
        self._keyring = keyring
        self._sink = sink

    async def sweep(self) -> None:
        """Log and anchor what is due; a sink that is away gets everything once it is back."""
        try:
            await service.log_ended(self._database, self._keyring)
            await service.log_all(self._database, self._keyring)
            await service.anchor(self._database, self._sink)
            ANCHORED_AT.set(real_now().timestamp())
        except Exception:
            log.exception("evidence.not-anchored")
