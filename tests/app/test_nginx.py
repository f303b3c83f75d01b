"""The documented reverse proxy (`docs/nginx.conf`), run by a real nginx in front of two real web processes.

Of the file nothing is replaced but addresses, ports, paths of the certificate and the number of a limit.
"""

import asyncio
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from app.bench.ground import Ticket
from kernel.clock import monotonic
from tests.bidding.desk.house import START, STEP
from tests.bidding.feed.house import free_port
from tests.bidding.forwarding.house import Fleet, bid, read
from tests.support import databases
from tests.support.places import fast_root, new_folder

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="no nginx on this machine"),
]

DOCUMENTED = Path(__file__).parents[2] / "docs" / "nginx.conf"
HOST = "auction.example.com"
SOCKETS_PER_ADDRESS = 2
CONNECTIONS_PER_ADDRESS = 3
FORGIVEN_S = 2.5
"""Longer than nginx leaves out a web process that it found dead (`fail_timeout`)."""

AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/auction.conf;
}}
"""


class Proxy:
    """nginx by the documented file, and clients who come to it from addresses of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.origin = f"https://{HOST}:{self.port}"
        self._trust = ssl.create_default_context(cadata=_certify(folder))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, webs: list[int]) -> None:
        """Run nginx in front of these ports; returns once it takes connections."""
        text = DOCUMENTED.read_text()
        for documented, here in {
            "10.0.0.21:8001": f"127.0.0.1:{webs[0]}",
            "10.0.0.22:8001": f"127.0.0.1:{webs[1]}",
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            "/etc/ssl/auction.pem": f"{self.folder}/auction.pem",
            "/etc/ssl/auction.key": f"{self.folder}/auction.key",
            "limit_conn address 4000": f"limit_conn address {CONNECTIONS_PER_ADDRESS}",
        }.items():
            assert text.count(documented) == 1, documented
            text = text.replace(documented, here)
        (self.folder / "auction.conf").write_text(text)
        (self.folder / "nginx.conf").write_text(AROUND.format(folder=self.folder))
        assert NGINX is not None
        # Two cores of ours suffice: `worker_processes` stays at its default, one.
        self._process = subprocess.Popen([NGINX, "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder)])
        until = time.monotonic() + 20
        while not (self.folder / "nginx.pid").exists():
            assert self._process.poll() is None, (self.folder / "error.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    @asynccontextmanager
    async def live(
        self, lot_id: UUID, ticket: Ticket | None = None, *, via: str = "127.0.0.2", says: str | None = None
    ) -> AsyncIterator[Any]:
        """A socket through the proxy, from the address `via`; `says`: an X-Forwarded-For of the client's own."""
        headers = {"Cookie": f"theme=dark; __Host-session={ticket.token}"} if ticket else {}
        if says is not None:
            headers["X-Forwarded-For"] = says
        async with connect(
            f"wss://{HOST}:{self.port}/live/lots/{lot_id}",
            origin=self.origin,  # type: ignore[arg-type]
            additional_headers=headers,
            host="127.0.0.1",
            port=self.port,
            local_addr=(via, 0),
            ssl=self._trust,
            proxy=None,
            open_timeout=5,
        ) as socket:
            yield socket

    async def get(self, path: str, ticket: Ticket, via: str = "127.0.0.3") -> httpx.Response:
        """A page through the proxy."""
        transport = httpx.AsyncHTTPTransport(verify=self._trust, local_address=via)
        async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=10) as http:
            headers = {"Host": f"{HOST}:{self.port}", "Cookie": f"__Host-session={ticket.token}"}
            extensions = {"sni_hostname": HOST}
            return await http.get(f"https://127.0.0.1:{self.port}{path}", headers=headers, extensions=extensions)


def _certify(folder: Path) -> str:
    """A certificate of its own for the documented name; returns it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    formats = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "auction.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *formats))
    (folder / "auction.pem").write_bytes(pem)
    return pem.decode()


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    folder = new_folder(fast_root())
    front = Proxy(folder)
    yield front
    front.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def fleet(database_clones: databases.Clones, postgres_server: Any, proxy: Proxy) -> Iterator[Fleet]:
    name = database_clones.make()
    more = {"AUCTION_PROXIES": "127.0.0.1", "AUCTION_SOCKETS_PER_ADDRESS": str(SOCKETS_PER_ADDRESS)}
    running = Fleet(postgres_server.dsn(name), None, new_folder(fast_root()), desks=1, origin=proxy.origin, more=more)
    proxy.start(running.ports)
    yield running
    running.stop()
    database_clones.drop(name)


async def sockets_at(port: int, proxy: Proxy) -> int:
    """How many live sockets a web process has."""
    async with httpx.AsyncClient(trust_env=False) as http:
        told = (await http.get(f"http://127.0.0.1:{port}/metrics", headers={"Host": f"{HOST}:{proxy.port}"})).text
    return next(int(float(line.split()[1])) for line in told.splitlines() if line.startswith("live_sockets "))


async def test_bids_go_through_at_once_and_come_back_after_a_web_process_died(fleet: Fleet, proxy: Proxy) -> None:
    async with fleet.whole() as place, asyncio.timeout(90):
        lot = await fleet.lot(place)
        [one] = await fleet.tickets(lot)
        async with proxy.live(lot, one) as live, proxy.live(lot, one, via="127.0.0.4") as watching:
            await read(live, "snapshot")
            await read(watching, "snapshot")
            begun_s = monotonic()
            ack = await bid(live, START, uuid4())
            assert (ack["t"], ack["seq"]) == ("ack", 2)
            assert (await read(watching, "events"))["to"] == 2
            await read(watching, "tick")
            assert monotonic() - begun_s < 2.5, "frames are held back by nobody"
            page = await proxy.get(f"/api/lots/{lot}/bids/{ack['key']}", one)
            assert (page.status_code, page.json()) == (200, ack)

            counts = [await sockets_at(port, proxy) for port in fleet.ports]
            assert sorted(counts) == [0, 2], "whoever is signed in comes to one process, from wherever"
            key = uuid4()
            fleet.webs[counts.index(2)].signal(signal.SIGKILL)
            await live.wait_closed()
        begun_s = monotonic()
        while True:
            try:
                async with proxy.live(lot, one) as again, asyncio.timeout(5):
                    ack = await bid(again, START + 2 * STEP, key)
                    break
            except (OSError, TimeoutError, WebSocketException):
                assert monotonic() - begun_s < 5, "the other process takes its bidders"
        assert ack["t"] == "ack"
        assert (await proxy.get(f"/api/lots/{lot}/bids/{key}", one)).json() == ack


async def test_only_the_proxy_is_believed_about_where_somebody_comes_from(fleet: Fleet, proxy: Proxy) -> None:
    """Sockets per address are counted by the peer of the proxy, whatever X-Forwarded-For the client makes up."""
    async with fleet.whole() as place, asyncio.timeout(60), AsyncExitStack() as rest:
        lot = await fleet.lot(place)
        [who] = await fleet.tickets(lot)
        with pytest.raises(InvalidStatus) as refused:  # each process counts for itself, and a busy one is passed over
            for number in range(len(fleet.ports) * SOCKETS_PER_ADDRESS + 1):
                await rest.enter_async_context(proxy.live(lot, who, via="127.0.0.5", says=f"203.0.113.{number}"))
        assert refused.value.response.status_code == 429
        await rest.enter_async_context(proxy.live(lot, who, via="127.0.0.6", says="203.0.113.1"))

        async def past_the_proxy(says: str) -> Any:
            return await rest.enter_async_context(
                connect(
                    f"ws://{HOST}:{proxy.port}/live/lots/{lot}",
                    origin=proxy.origin,  # type: ignore[arg-type]
                    additional_headers={"X-Forwarded-For": says},
                    host="127.0.0.1",
                    port=fleet.ports[0],
                    local_addr=("127.0.0.7", 0),
                    proxy=None,
                )
            )

        for number in range(SOCKETS_PER_ADDRESS):
            await past_the_proxy(f"203.0.113.{number}")
        with pytest.raises(InvalidStatus) as refused:
            await past_the_proxy("203.0.113.9")
        assert refused.value.response.status_code == 429


async def test_connections_of_one_address_are_counted_over_all_web_processes(fleet: Fleet, proxy: Proxy) -> None:
    async with fleet.whole() as place, asyncio.timeout(60), AsyncExitStack() as rest:
        await asyncio.sleep(FORGIVEN_S)
        lots = [await fleet.lot(place) for _ in range(3)]
        tickets = await fleet.tickets(*lots * 4)
        opened = 0
        with pytest.raises(InvalidStatus) as refused:
            for ticket in tickets:
                socket = proxy.live(ticket.lot_id, ticket, via="127.0.0.8")
                try:
                    await rest.enter_async_context(socket)
                    opened += 1
                except InvalidStatus as error:
                    if b"rate-limited" not in error.response.body:  # nginx's own answer
                        raise
        assert refused.value.response.status_code == 429
        assert b"nginx" in refused.value.response.body
        assert opened <= CONNECTIONS_PER_ADDRESS
