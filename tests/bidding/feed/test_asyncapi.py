"""The description of the live protocol is what the socket really says: every frame of a session fits its type."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from bidding.desk.rules import Kind
from bidding.feed import messages
from bidding.feed.asyncapi import document
from bidding.feed.messages import EventKind, LiveEvent, ServerMessage
from bidding.feed.rules import PUBLIC_KINDS
from bidding.feed.schemas import BidMessage
from kernel.clock import real_now
from tests.bidding.feed.house import Client, House, Person, serve
from tests.bidding.support import START_FEN, STEP_FEN

pytestmark = pytest.mark.anyio

check = msgspec.json.Decoder(ServerMessage).decode


async def heard(client: Client, until: str, seen: list[str]) -> dict[str, Any]:
    """The next frame of a kind; each on the way must fit the description to the last field."""
    while True:
        raw = await client.raw.recv()
        check(raw)
        frame: dict[str, Any] = json.loads(raw)
        seen.append(frame["t"])
        if frame["t"] == until:
            return frame


async def say(client: Client, message: object) -> None:
    await client.raw.send(json.dumps(message))


async def a_session(site: House, seen: list[str]) -> None:
    ends = real_now() + timedelta(seconds=3)
    lot_id = await site.open_lot(scheduled_end=ends)
    person: Person = await site.bidder(lot_id)
    async with site.watch(lot_id, person) as client:
        await heard(client, "snapshot", seen)
        bid = {"t": "bid", "key": str(uuid4()), "price_fen": START_FEN, "confirm": START_FEN}
        msgspec.json.decode(json.dumps(bid), type=BidMessage)
        await say(client, bid)
        await heard(client, "ack", seen)
        for refused in (
            bid | {"key": str(uuid4())},
            bid | {"key": str(uuid4()), "price_fen": START_FEN + STEP_FEN},
            {},
        ):
            await say(client, refused)
            await heard(client, "refused", seen)
        await heard(client, "tick", seen)
    async with site.watch(lot_id, after=0) as client:
        await heard(client, "events", seen)


async def test_every_frame_of_a_session_fits(database_url: str) -> None:
    seen: list[str] = []
    async with serve(database_url) as site:
        await a_session(site, seen)
        shown = (await site.http.get("/schema/asyncapi.json")).json()
    assert set(seen) == {"snapshot", "ack", "refused", "tick", "events"}
    assert shown == msgspec.to_builtins(document("0.1.0"))


async def test_every_kind_of_event_and_every_reference_is_there() -> None:
    kinds = set(EventKind.__args__)  # type: ignore[attr-defined]
    assert kinds == PUBLIC_KINDS | {"hidden"}
    assert {str(kind) for kind in Kind} <= kinds
    described = document("1")
    for target in set(_references(described)):
        at: Any = described
        for step in target.removeprefix("#/").split("/"):
            at = at[step]
    named = {"snapshot", "events", "tick", "ack", "refused", "resync", "bid"}
    assert set(described["channels"]["lot"]["messages"]) == named


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        found = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return found + [one for value in node.values() for one in _references(value)]
    return [one for value in node for one in _references(value)] if isinstance(node, list) else []


@pytest.mark.parametrize(
    "frame",
    [
        {"t": "tick", "seq": 1},
        {"t": "resync", "why": "x"},
        {"t": "other"},
        {"t": "events", "from": 1, "to": 1, "events": [{"seq": 1, "kind": "sold"}]},
        {"t": "events", "from": 1, "to": 1, "events": [{"seq": 1, "kind": "bid", "registration_id": "x"}]},
    ],
)
async def test_what_is_not_described_does_not_fit(frame: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        check(json.dumps(frame))


async def test_hidden_events_fit_too() -> None:
    assert check(b'{"t":"resync"}') == messages.Resync()
    assert msgspec.json.decode(b'{"seq":3,"kind":"hidden"}', type=LiveEvent).seq == 3
