"""The yardstick of `fanout`: nginx with nchan, which is C, delivering the same messages to as many sockets.

A publisher posts messages of the same sizes at the same times as the platform sent; what is measured is the CPU time of
nginx's worker for each message that came.
"""

import http.client
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from app.bench.processes import CpuClock, children, resident_kib
from app.bench.stage import START_WITHIN_S, Served, free_port, say, wait_for
from app.bench.watchers import Look, Seen, Sent

MODULE = "ngx_nchan_module.so"
FOLDERS = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/lib/nginx/modules", "/etc/nginx/modules")
LEAD_S = 1.0
DRAIN_S = 2.0
SMALLEST = 8
"""Bytes of the number that begins each message."""

CONFIGURATION = """
load_module {module};
daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log error;
events {{ worker_connections {files}; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  nchan_shared_memory_size 128m;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    keepalive_timeout 300s;
    keepalive_requests 1000000;
    location = /watch {{ nchan_subscriber websocket; nchan_channel_id lot; nchan_subscriber_first_message newest; }}
    location = /publish {{ nchan_publisher http; nchan_channel_id lot; nchan_message_buffer_length 1; }}
  }}
}}
"""


class Beside(msgspec.Struct, frozen=True):
    """What nginx needed."""

    cpu_us_per_message: float
    p50_ms: float
    p99_ms: float
    last_p99_ms: float
    memory_kib_per_socket: float
    frames: int
    missing: int


def installed() -> tuple[str, Path] | None:
    """nginx and its nchan module, if this machine has both."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    modules = [Path(folder) / MODULE for folder in FOLDERS if (Path(folder) / MODULE).exists()]
    return (nginx, modules[0]) if nginx and modules else None


def measured(folder: Path, watching: Any, sockets: int, messages: list[tuple[float, int]], seconds: float) -> Beside:
    """Deliver `messages` (when, how large) to `sockets` watchers, which `watching` opens. Raises RuntimeError."""
    found = installed()
    assert found is not None
    with _nginx(*found, folder, sockets) as served:
        workers = _workers(served.pid)
        before_kib = resident_kib(*workers)
        look = Look(host="127.0.0.1", port=served.port, path="/watch", sockets=sockets, numbered=True)
        with watching(look) as watchers, CpuClock(*workers) as clock:
            held_kib = resident_kib(*workers) - before_kib
            begin_s = time.perf_counter() + LEAD_S
            sent = _publish(served.port, begin_s, messages)
            end_s = begin_s + seconds
            time.sleep(max(0.0, end_s - time.perf_counter()) + DRAIN_S)
            seen: Seen = watchers.seen(Sent(begin_s, end_s, sent))
        cpu, _ = clock.between(begin_s, end_s)
    return Beside(
        cpu_us_per_message=round(cpu / seen.frames * 1e6, 2) if seen.frames else 0.0,
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
        last_p99_ms=seen.last_p99_ms,
        memory_kib_per_socket=round(held_kib / sockets, 1),
        frames=seen.frames,
        missing=seen.missing,
    )


def _workers(master: int) -> list[int]:
    """The processes that serve; nginx listens before it starts them."""
    deadline = time.monotonic() + START_WITHIN_S
    while not (workers := children(master)):
        if time.monotonic() > deadline:
            raise RuntimeError("nginx has no worker")
        time.sleep(0.05)
    return workers


def _publish(port: int, begin_s: float, messages: list[tuple[float, int]]) -> dict[int, float]:
    """Post each message at its time; returns when, by its number."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    sent = {}
    for number, (after_s, size) in enumerate(messages, 1):
        time.sleep(max(0.0, begin_s + after_s - time.perf_counter()))
        sent[number] = time.perf_counter()
        connection.request("POST", "/publish", (b"%08d" % number).ljust(max(size, SMALLEST), b"x"))
        answer = connection.getresponse()
        answer.read()
        if answer.status not in {200, 201, 202}:
            raise RuntimeError(f"nchan answers {answer.status}")
    connection.close()
    return sent


@contextmanager
def _nginx(nginx: str, module: Path, folder: Path, sockets: int) -> Iterator[Served]:
    """nginx on a free port, its files in `folder`, until the body ends."""
    place = folder / "nginx"
    place.mkdir()
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = place / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(module=module, folder=place, port=port, files=sockets * 2 + 1_000, user=user)
    )
    log = place / "nginx.log"
    log.touch()
    process = subprocess.Popen([nginx, "-p", str(place), "-c", str(configuration), "-e", str(log)])  # noqa: S603 - from PATH, our own configuration
    try:
        wait_for(port, process, log)
        yield Served(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        if process.wait(30) != 0:
            say(f"nginx ended with {process.returncode}:\n{log.read_text()[-2000:]}")
