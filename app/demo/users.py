"""People at the HTTP door: each with a session of their own, an Origin, and an idempotency key for every command.

A refusal stops the demo: `Refused` carries what the platform said, word for word.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote
from uuid import uuid4

import httpx

from app.demo.people import Person
from kernel.actors import Role
from kernel.database import Database
from kernel.identity import service as identity
from kernel.identity.passwords import Passwords

BUSY_TRIES = 20
BUSY_PAUSE_S = 0.25
TIMEOUT_S = 30


class Refused(Exception):
    """The platform refused a step of the script."""

    def __init__(self, who: str, what: str, answer: httpx.Response) -> None:
        self.answer = answer
        self.problem = _problem(answer)
        told = " ".join(str(self.problem[name]) for name in ("code", "rule", "detail") if self.problem.get(name))
        super().__init__(f"{who}: {what} -> {answer.status_code} {told or answer.text[:300]}")


class NotYet(Refused):
    """What was asked for does not exist, or not yet."""


class Stuck(Exception):
    """Something that the platform does by itself did not happen in time."""


@dataclass
class User:
    """A signed-in person. `post` and `get` return the decoded answer or raise `Refused`."""

    person: Person
    origin: str
    http: httpx.AsyncClient = field(repr=False)

    @property
    def cookie(self) -> str:
        """The session as a Cookie header, for the socket."""
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())

    async def sign_in(self, password: str) -> None:
        await self.post("/api/login", {"username": self.person.username, "password": password})

    async def sign_up(self, password: str) -> None:
        """Open a bidder's account with real name and identity number, and sign in."""
        person = self.person
        wanted = {"username": person.username, "real_name": person.real_name, "id_number": person.id_number}
        await self.post("/api/register", wanted | {"password": password})
        await self.sign_in(password)

    async def get(self, path: str) -> Any:
        answer = await self.http.get(path)
        if answer.status_code != httpx.codes.OK:
            kind = NotYet if answer.status_code == httpx.codes.NOT_FOUND else Refused
            raise kind(self.person.username, f"GET {path}", answer)
        return answer.json()

    async def post(self, path: str, body: object = None) -> Any:
        return await self._command(path, json=body if body is not None else {})

    async def attach(self, path: str, name: str, content: bytes) -> Any:
        """Send a file as it is, its name percent-encoded in a header."""
        return await self._command(path, content=content, headers={"X-File-Name": quote(name)})

    async def fetch(self, path: str) -> bytes:
        """A file as it is."""
        answer = await self.http.get(path)
        if answer.status_code != httpx.codes.OK:
            raise Refused(self.person.username, f"GET {path}", answer)
        return answer.content

    async def send(self, path: str, content: bytes) -> Any:
        """Deliver a file as it is."""
        return await self._command(path, content=content)

    async def _command(self, path: str, *, headers: dict[str, str] | None = None, **sent: Any) -> Any:
        """One command under one key; `busy` means that nothing was recorded, so it is sent again as it was."""
        marks = {"Origin": self.origin, "Idempotency-Key": uuid4().hex} | (headers or {})
        tries_left = BUSY_TRIES
        while True:
            answer = await self.http.post(path, headers=marks, **sent)
            if answer.status_code == httpx.codes.CREATED:
                return answer.json() if answer.content else None
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or not tries_left:
                raise Refused(self.person.username, f"POST {path}", answer)
            tries_left -= 1
            await asyncio.sleep(BUSY_PAUSE_S)


@dataclass
class Court:
    """The people of one court who act in the demo."""

    OFFICES: ClassVar = {
        "clerk": Role.CLERK,
        "judge": Role.JUDGE,
        "maker": Role.MAKER,
        "checker": Role.CHECKER,
        "payer": Role.PAYER,
    }

    name: str
    clerk: User
    judge: User
    maker: User
    checker: User
    payer: User


class Door:
    """Lets people of the demo in: one HTTP client each, one password for all, printed at the end."""

    def __init__(self, origin: str, database: Database, passwords: Passwords, password: str) -> None:
        self.origin = origin
        self.password = password
        self._database = database
        self._passwords = passwords
        self._trust = ssl.create_default_context()
        self._clients: list[httpx.AsyncClient] = []
        self._people = 0

    def next_number(self) -> int:
        """A number that no other person of this demo has."""
        self._people += 1
        return self._people

    def user(self, person: Person) -> User:
        """A person who has not signed in yet."""
        http = httpx.AsyncClient(base_url=self.origin, verify=self._trust, timeout=TIMEOUT_S, trust_env=False)
        self._clients.append(http)
        return User(person, self.origin, http)

    async def open_court(self, key: str, name: str, people: dict[str, Person]) -> Court:
        """Create a court with its staff, as an administrator does, and sign all of them in."""
        users = {}
        for office, role in Court.OFFICES.items():
            person = people[office]
            await identity.create_staff(
                self._database,
                self._passwords,
                username=person.username,
                real_name=person.real_name,
                password=self.password,
                roles={role},
                court_code=key,
                court_name=name,
            )
            users[office] = self.user(person)
            await users[office].sign_in(self.password)
        return Court(name, **users)

    async def machine(self, person: Person) -> User:
        """A bank's machine with an account of its own, signed in."""
        await identity.create_staff(
            self._database,
            self._passwords,
            username=person.username,
            real_name=person.real_name,
            password=self.password,
            roles={Role.MACHINE},
            court_code=None,
        )
        user = self.user(person)
        await user.sign_in(self.password)
        return user

    async def close(self) -> None:
        for http in self._clients:
            await http.aclose()


UNTIL_PAUSE_S = 0.15
UNTIL_WITHIN_S = 60


async def until(look: Callable[[], Awaitable[Any]], ready: Callable[[Any], object]) -> Any:
    """What `look` shows once it is `ready`; what does not exist yet is looked for again."""
    shown: Any = None
    try:
        async with asyncio.timeout(UNTIL_WITHIN_S):
            while True:
                with contextlib.suppress(NotYet):
                    shown = await look()
                    if ready(shown):
                        return shown
                await asyncio.sleep(UNTIL_PAUSE_S)
    except TimeoutError:
        raise Stuck(f"still waiting after {UNTIL_WITHIN_S} s; last seen: {shown}") from None


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
