"""What both doors ask of the web: where a request came from (attack 9)."""

from typing import Any

import pytest
from litestar import Litestar, post
from litestar.params import JSONBody

from kernel.observability import CRASHES
from kernel.web import EXCEPTION_HANDLERS, StrictRequest, source_of

PROXIES = frozenset({"10.0.0.1", "10.0.0.2"})


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
    ],
)
def test_only_our_own_proxies_are_believed(peer: str, forwarded: list[str], source: str) -> None:
    assert source_of(peer, forwarded, PROXIES) == source


def test_without_proxies_nobody_is_believed() -> None:
    assert source_of("10.0.0.1", ["198.51.100.1"], frozenset()) == "10.0.0.1"


@pytest.mark.anyio
async def test_who_goes_away_in_the_middle_of_a_body_is_no_crash() -> None:
    """Beside it the control: a fault of ours is one."""

    @post("/")
    async def take(data: JSONBody[dict[str, int]]) -> None:
        raise RuntimeError(f"ours: {data}")

    app = Litestar([take], request_class=StrictRequest, exception_handlers=EXCEPTION_HANDLERS)
    whole = {"type": "http.request", "body": b'{"a":1}', "more_body": False}

    async def crashes_after(*messages: dict[str, Any]) -> float:
        before, waiting = CRASHES._value.get(), list(messages)

        async def receive() -> Any:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Any) -> None: ...

        headers = [(b"content-type", b"application/json"), (b"content-length", b"7")]
        scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "root_path": ""}
        scope |= {"headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "scheme": "http"}
        await app(scope, receive, send)  # type: ignore[arg-type]
        return CRASHES._value.get() - before

    assert await crashes_after({**whole, "body": b'{"a"', "more_body": True}) == 0
    assert await crashes_after(whole) == 1
