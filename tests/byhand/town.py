"""A rehearsal server of its own, and the people at its door: each a session over real HTTP, as a browser keeps it."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.demo.people import Person, person
from app.demo.users import TIMEOUT_S, NotYet, Refused, User, until
from kernel.clock import BEIJING
from tests.bidding.feed.house import free_port

PASSWORD = "correct horse battery"
STAFF = ("clerk", "judge", "chief", "maker", "checker", "payer", "auditor", "machine", "operator")
"""One person for each role: maker, checker and payer are three by law (R-ACCT-06)."""

COURT = ("--court-code", "hu0115", "--court-name", "上海市浦东新区人民法院")


@dataclass
class Town:
    """A court, its staff and whoever comes; the operator moves time."""

    origin: str
    exits: AsyncExitStack
    people: dict[str, User] = field(default_factory=dict)
    now: datetime = field(init=False)

    @property
    def today(self) -> date:
        return self.now.astimezone(BEIJING).date()

    def __getattr__(self, name: str) -> User:
        """A person by user name, as `town.judge`."""
        try:
            return self.__dict__["people"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(name) from None

    def stranger(self, username: str, real_name: str = "") -> User:
        """Somebody who has not signed in yet."""
        who = person(username, len(self.people) + 1)
        named = Person(username, real_name or who.real_name, who.id_number, who.account_no)
        http = httpx.AsyncClient(base_url=self.origin, timeout=TIMEOUT_S, trust_env=False)
        self.exits.push_async_callback(http.aclose)
        self.people[username] = User(named, self.origin, http)
        return self.people[username]

    async def forward(self, to: date, hour: int = 9) -> None:
        """Let time pass until that hour in Beijing, doing on the way all that falls due."""
        wanted = {"to": datetime.combine(to, time(hour), BEIJING).isoformat()}
        self.now = datetime.fromisoformat((await self.operator.post("/api/rehearsal/forward", wanted))["now"])

    async def days(self, count: int) -> None:
        await self.forward(self.today + timedelta(days=count))

    async def refused(self, who: User, path: str, body: object = None) -> str:
        """The code of the refusal that this command meets; an answer that grants it is a failure."""
        with pytest.raises(Refused) as refusal:
            await who.post(path, body)
        assert refusal.value.problem["detail"], refusal.value
        return str(refusal.value.problem["code"])


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "app.cli", *arguments]


def environment(folder: Path, port: int) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AUCTION_")}
    own = {"AUCTION_PORT": str(port), "AUCTION_DATA_DIR": str(folder), "AUCTION_REHEARSAL": "true"}
    return clean | own | {"AUCTION_LOG_LEVEL": "warning"}


@asynccontextmanager
async def opened_town(folder: Path) -> AsyncIterator[Town]:
    """The staff created, the server up, everybody signed in; it ends with the body, and must end in order."""
    port = free_port()
    env, users = environment(folder, port), "username,name,roles,password\n"
    users += "".join(f"{role},{role},{role},{PASSWORD}\n" for role in STAFF)
    subprocess.run(
        command("create-users", *COURT), env=env, input=users, text=True, check=True, capture_output=True, timeout=60
    )
    with (folder.parent / "log").open("w+") as log:
        server = subprocess.Popen(command("serve"), env=env, stdout=log, stderr=log)
        try:
            async with AsyncExitStack() as exits:
                town = Town(f"http://127.0.0.1:{port}", exits)
                await _up(town, server, folder.parent / "log")
                for role in STAFF:
                    await town.stranger(role).sign_in(PASSWORD)
                seen = (await town.clerk.get("/api/lots"))["now"]
                town.now = datetime.fromisoformat(seen)
                yield town
        finally:
            server.send_signal(signal.SIGTERM)
            ended = server.wait(60)
    assert ended in {0, -signal.SIGTERM}, (folder.parent / "log").read_text()[-3000:]


async def _up(town: Town, server: "subprocess.Popen[bytes]", log: Path) -> None:
    async with httpx.AsyncClient(base_url=town.origin, timeout=5, trust_env=False) as http:

        async def look() -> int:
            assert server.poll() is None, log.read_text()[-3000:]
            try:
                return (await http.get("/health/ready")).status_code
            except httpx.TransportError as error:
                raise NotYet("nobody", "GET /health/ready", httpx.Response(404)) from error

        await until(look, lambda status: status == httpx.codes.OK)


def verified(folder: Path) -> str:
    """The last line of `auction verify` over what the server left behind."""
    env: dict[str, Any] = environment(folder, 0)
    del env["AUCTION_PORT"]
    done = subprocess.run(command("verify"), env=env, text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout.splitlines()[-1]
