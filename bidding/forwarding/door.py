"""The desk's end: web processes connect, their bids enter the queue in order, their answers leave in frames.

One address for all desks of the process, written into their leases. Who connects shows the secret of the installation;
a share or an epoch that is not decided here is answered 503, so that nobody sends by an old sharing-out. A desk that
ends closes its connections and says nothing more: its callers send again to the next one. `/health/live` and
`/metrics` are answered for whoever watches the process.
"""

import asyncio
import hmac
import re
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
import structlog
from prometheus_client import generate_latest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from bidding.desk.desk import Desk
from bidding.desk.submissions import Answer
from bidding.forwarding.schemas import (
    MAX_ANSWERS,
    MAX_SUBMISSIONS,
    MAX_SUBMISSIONS_BYTES,
    Forwarded,
    Told,
    encode,
    read_forwarded,
    told,
)
from kernel.errors import Busy

log = structlog.get_logger("forwarding")

PATH = "/forward/1/{share}/{epoch}"
SEAT = re.compile(r"/forward/1/([0-9]{1,4})/([0-9]{1,18})", re.ASCII)
PING_S = 5


class Door:
    """Where this process takes what others forward. `desks` is kept by whoever starts and ends them."""

    def __init__(self, desks: Mapping[int, Desk], secret: str) -> None:
        self.address = ""
        self._desks = desks
        self._shown = f"Bearer {secret}"
        self._server: Server | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen, on any free port if `port` is 0; `address` is known then. Raises OSError."""
        self._server = await serve(
            self._handle,
            host,
            port,
            process_request=self._admit,
            compression=None,
            max_size=MAX_SUBMISSIONS_BYTES,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            close_timeout=1,
            server_header=None,
        )
        self.address = f"{host}:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Close the port and all connections."""
        if self._server is not None:
            self._server.close(code=CloseCode.SERVICE_RESTART)
            await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/health/live":
            return connection.respond(HTTPStatus.OK, "live\n")
        if request.path == "/metrics":
            return connection.respond(HTTPStatus.OK, generate_latest().decode())
        shown = request.headers.get_all("Authorization")
        if request.headers.get_all("Origin") or not _is_secret(shown, self._shown):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "the secret of the installation is needed\n")
        desk = self._desk(request.path)
        if desk is None or not desk.serving:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "decided elsewhere\n")
        return None

    def _desk(self, path: str) -> Desk | None:
        found = SEAT.fullmatch(path)
        desk = self._desks.get(int(found[1])) if found else None
        return desk if found and desk and desk.epoch == int(found[2]) else None

    async def _handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        desk = self._desk(connection.request.path)
        if desk is not None:
            await Caller(desk, connection).serve()


class Caller:
    """One web process on the line."""

    def __init__(self, desk: Desk, connection: ServerConnection) -> None:
        self._desk = desk
        self._connection = connection
        self._answers: list[Told] = []
        self._wake = asyncio.Event()

    async def serve(self) -> None:
        """Take submissions and give answers until either side ends."""
        writing = asyncio.create_task(self._write(), name="door-write")
        self._desk.on_ended.append(self._end)
        try:
            async for frame in self._connection:
                self._enter(frame)
        except (msgspec.MsgspecError, TypeError) as error:
            log.error("door.unreadable", error=repr(error))
            await self._connection.close(CloseCode.INVALID_DATA)
        except ConnectionClosed:
            pass
        finally:
            self._desk.on_ended.remove(self._end)
            writing.cancel()

    def _enter(self, frame: bytes | str) -> None:
        if isinstance(frame, str):
            raise TypeError("text")
        bids = read_forwarded(frame)
        if len(bids) > MAX_SUBMISSIONS:
            raise TypeError("too many")
        for bid in bids:
            self._enter_one(bid)

    def _enter_one(self, bid: Forwarded) -> None:
        def reply(answer: Answer) -> None:
            if isinstance(answer.refusal, Busy) and not self._desk.serving:
                return  # nobody decided it: its sender asks the next desk
            self._answers.append(told(bid.number, bid.lot_id, answer))
            self._wake.set()

        self._desk.enter(bid.submission(), reply)

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            answers, self._answers = self._answers, []
            for start in range(0, len(answers), MAX_ANSWERS):
                await self._connection.send(encode(answers[start : start + MAX_ANSWERS]))

    def _end(self) -> None:
        self._connection.transport.abort()


def _is_secret(shown: list[str], wanted: str) -> bool:
    return len(shown) == 1 and hmac.compare_digest(shown[0].encode(), wanted.encode())
