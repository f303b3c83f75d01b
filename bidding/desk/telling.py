"""What a commit has decided is told in slices, while the next batch waits for the database."""

import asyncio
from collections.abc import Iterator

import structlog

log = structlog.get_logger("desk")


class Telling:
    """One batch's answers at a time, in the order of commits. Each turn of `turns` tells a slice of them."""

    def __init__(self) -> None:
        self._turns: Iterator[None] = iter(())
        self._task: asyncio.Task[None] | None = None

    def begin(self, turns: Iterator[None]) -> None:
        """Tell these by and by, a slice in each turn of the loop; what is left of those before is told first."""
        self.finish()
        self._turns = turns
        self._task = asyncio.create_task(self._go_on(), name="telling")

    def finish(self) -> None:
        """Tell all that is left, now."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for _ in self._turns:
            pass

    async def done(self) -> None:
        """Return once all is told."""
        if self._task is not None:
            await self._task

    async def _go_on(self) -> None:
        try:
            for _ in self._turns:
                await asyncio.sleep(0)
        except Exception:  # it is committed: that somebody cannot be told ends no desk
            log.exception("desk.telling-failed")
