"""HTTP routes of identity, and the middleware that tells every request who is asking."""

from litestar import Response, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.params import JSONBody

from kernel.actors import Actor, visitor
from kernel.database import Database
from kernel.identity import service
from kernel.identity.door import IdentityDoor
from kernel.identity.schemas import ChangePassword, Login, PersonView, Register
from kernel.settings import Settings
from kernel.web import allow, anyone, source_of


class WhoIsAsking(AbstractAuthenticationMiddleware):
    """Resolves the session cookie once per request; an unknown token makes a visitor, it is never adopted."""

    async def authenticate_request(
        self, connection: ASGIConnection[object, object, object, State]
    ) -> AuthenticationResult:
        peer = connection.client.host if connection.client else "unknown"
        settings: Settings = connection.app.state["settings"]
        source = source_of(peer, connection.headers.getall("x-forwarded-for", []), settings.trusted_proxies)
        door: IdentityDoor = connection.app.state["identity"]
        found = await door.resolve(connection.headers.get("cookie"), source)
        return AuthenticationResult(user=found or visitor(source), auth=None)


async def provide_identity(state: State) -> IdentityDoor:
    """The identity door of this process."""
    door: IdentityDoor = state["identity"]
    return door


@post("/api/register", guards=[anyone], status_code=201)
async def register(
    database: NamedDependency[Database],
    identity: NamedDependency[IdentityDoor],
    actor: NamedDependency[Actor],
    data: JSONBody[Register],
) -> PersonView:
    """Open a bidder's account with real name and identity number (实名注册)."""
    identity.limits.spend("register", actor.source)
    return await service.register(database, actor, identity.passwords, identity.check, data)


@post("/api/login", guards=[anyone], status_code=201)
async def login(
    database: NamedDependency[Database],
    identity: NamedDependency[IdentityDoor],
    actor: NamedDependency[Actor],
    data: JSONBody[Login],
) -> Response[PersonView]:
    """Sign in; the answer sets the session cookie."""
    identity.limits.spend("login-address", actor.source)
    async with identity.guarded(data.username.lower(), actor.source):
        token, person = await service.login(database, actor, identity.passwords, data, identity.lasting)
    return Response(person, cookies=[identity.cookie(token)])


@post("/api/logout", guards=[allow()], status_code=201)
async def logout(
    database: NamedDependency[Database], identity: NamedDependency[IdentityDoor], actor: NamedDependency[Actor]
) -> Response[None]:
    """Sign out; sockets of this session are closed within a second."""
    await service.logout(database, actor)
    return Response(None, cookies=[identity.no_cookie()])


@post("/api/password", guards=[allow()], status_code=201)
async def change_password(
    database: NamedDependency[Database],
    identity: NamedDependency[IdentityDoor],
    actor: NamedDependency[Actor],
    data: JSONBody[ChangePassword],
) -> Response[None]:
    """Change the password; every session of the person ends."""
    async with identity.guarded(str(actor.person), actor.source):
        await service.change_password(database, actor, identity.passwords, data)
    return Response(None, cookies=[identity.no_cookie()])


@get("/api/me", guards=[allow()])
async def show_me(database: NamedDependency[Database], actor: NamedDependency[Actor]) -> PersonView:
    """Who is signed in."""
    return await service.whoami(database, actor)


ROUTES = [register, login, logout, change_password, show_me]
