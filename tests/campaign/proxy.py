"""A TCP proxy that harms what passes through it: late, reset, half open, cut in the middle of a frame."""

import asyncio
import contextlib
import socket
import struct
from random import Random

CHUNK = 65_536
LINGER_NOTHING = struct.pack("ii", 1, 0)
"""Closing sends a reset instead of a goodbye."""


class Proxy:
    """Listens on `port` of 127.0.0.1 and passes on to `target`, one of several ports in turn."""

    def __init__(self, targets: list[int], chance: Random) -> None:
        self.targets = targets
        self.port = 0
        self.delay_s = 0.0
        """How late every chunk is passed on."""
        self._chance = chance
        self._down = False
        self._turn = 0
        self._flows: set[_Flow] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def reset(self, share: float) -> int:
        """Reset that share of the connections; returns how many."""
        return self._harm(share, _Flow.reset)

    def cut(self, share: float) -> int:
        """Let that share of the connections die in the middle of their next chunk."""
        return self._harm(share, _Flow.cut)

    def half_open(self, share: float) -> int:
        """Swallow everything on that share of the connections, which stay open; `heal` resets them."""
        return self._harm(share, _Flow.swallow)

    def down(self) -> None:
        """Reset every connection and take none until `heal`."""
        self._down = True
        for flow in tuple(self._flows):
            flow.reset()

    def heal(self) -> None:
        """No more delay, and open again; what was half open breaks, as in a network that is back and knows no flow."""
        self.delay_s, self._down = 0.0, False
        for flow in tuple(self._flows):
            if flow.swallowing:
                flow.reset()

    def _harm(self, share: float, how: "object") -> int:
        flows = sorted(self._flows, key=id)
        victims = [flow for flow in flows if self._chance.random() < share] or flows[:1]
        for flow in victims:
            how(flow)  # type: ignore[operator]
        return len(victims)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self._down:
                raise ConnectionRefusedError
            far_reader, far_writer = await self._connect()
        except OSError:
            writer.close()
            return
        finally:
            self._tasks.discard(task)
        flow = _Flow(self, writer, far_writer)
        self._flows.add(flow)
        self._tasks.add(task)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(flow.pass_on(reader, far_writer))
                both.create_task(flow.pass_on(far_reader, writer))
        except* (OSError, _Ended):
            pass
        finally:
            self._flows.discard(flow)
            self._tasks.discard(task)
            for end in (writer, far_writer):
                end.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To the next target that answers: what a load balancer does."""
        for _ in self.targets:
            self._turn += 1
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", self.targets[self._turn % len(self.targets)])
        raise OSError("no target answers")


class _Ended(Exception):
    """One side went; the other follows."""


class _Flow:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.swallowing = False
        self._cutting = False
        self._proxy = proxy
        self._ends = near, far

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK):
            if self._proxy.delay_s:
                await asyncio.sleep(self._proxy.delay_s)
            if self.swallowing:
                continue
            if self._cutting:
                writer.write(chunk[: max(1, len(chunk) // 2)])
                await writer.drain()
                self.reset()
                break
            writer.write(chunk)
            await writer.drain()
        raise _Ended

    def swallow(self) -> None:
        self.swallowing = True

    def cut(self) -> None:
        self._cutting = True

    def reset(self) -> None:
        for end in self._ends:
            under = end.get_extra_info("socket")
            if under is not None and not end.is_closing():
                with contextlib.suppress(OSError):
                    under.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOTHING)
            end.transport.abort()
