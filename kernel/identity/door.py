"""What HTTP and the live socket share of identity: the session cookie, its resolution, and the limits of sign-in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie

from litestar.datastructures import Cookie

from kernel.actors import Actor
from kernel.database import Database
from kernel.identity import service
from kernel.identity.checks import IdentityCheck, LocalIdentityCheck
from kernel.identity.errors import WrongCredentials
from kernel.identity.passwords import Passwords
from kernel.limits import Backoff, Limits
from kernel.settings import Settings

LONGEST_COOKIE_HEADER = 4_096

FREE_OF_ACCOUNT = 5
"""Wrong passwords for one account from one source before each further one has to wait longer."""

FREE_OF_SOURCE = 50
"""The same for one source whatever the account: many people share an address."""


class IdentityDoor:
    """One per process. Both doors ask `resolve` with the Cookie header and nothing else."""

    def __init__(self, database: Database, settings: Settings, check: IdentityCheck | None = None) -> None:
        self.database = database
        self.passwords = Passwords(settings.password_memory_kib)
        self.check = check or LocalIdentityCheck()
        self.lasting = timedelta(hours=settings.session_hours)
        self.limits = Limits(
            {
                "register": (settings.sign_ups_per_minute, 60),
                "login-address": (settings.sign_ins_per_minute, 60),
            }
        )
        self.backoff = Backoff({"account": FREE_OF_ACCOUNT, "source": FREE_OF_SOURCE})
        self.https = settings.https
        self.cookie_name = "__Host-session" if settings.https else "session"

    async def resolve(self, cookie_header: str | None, source: str) -> Actor | None:
        """Who is behind this Cookie header; None when nobody is signed in."""
        token = self._token(cookie_header)
        return await service.resolve(self.database, token, source) if token else None

    @asynccontextmanager
    async def guarded(self, account: str, source: str) -> AsyncIterator[None]:
        """A try of a password: slowed after failures, by account and source, and by source alone.

        Never by account alone: whoever guesses elsewhere must not lock the owner out. By account a try counts as
        failed from its beginning, so that a thousand at once are no way around it.
        """
        whose = f"{account} from {source}"
        self.backoff.check("source", source)
        self.backoff.check("account", whose)
        self.backoff.failed("account", whose)
        try:
            yield
        except WrongCredentials:
            self.backoff.failed("source", source)
            raise
        except BaseException:
            self.backoff.forgive("account", whose)
            raise
        self.backoff.forget("account", whose)

    def cookie(self, token: str) -> Cookie:
        seconds = int(self.lasting.total_seconds())
        return self._cookie(token, seconds)

    def no_cookie(self) -> Cookie:
        return self._cookie("", 0)

    def _cookie(self, value: str, max_age: int) -> Cookie:
        return Cookie(
            self.cookie_name, value=value, max_age=max_age, path="/", httponly=True, secure=self.https, samesite="lax"
        )

    def _token(self, cookie_header: str | None) -> str | None:
        if not cookie_header or len(cookie_header) > LONGEST_COOKIE_HEADER:
            return None
        try:
            morsel = SimpleCookie(cookie_header).get(self.cookie_name)
        except CookieError:
            return None
        return morsel.value if morsel else None
