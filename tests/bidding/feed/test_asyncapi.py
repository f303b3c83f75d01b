"""The description of the live protocol is what the socket really says: every frame of a session fits its type."""

import ast
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from bidding.desk import batch, desk, queue
from bidding.desk import errors as desk_errors
from bidding.desk.rules import Kind
from bidding.feed import bids, messages
from bidding.feed.asyncapi import CLOSES, document
from bidding.feed.messages import EventKind, LiveEvent, ServerMessage
from bidding.feed.rules import PUBLIC_KINDS
from bidding.feed.schemas import BidMessage, refused_frame
from kernel.clock import real_now
from kernel.errors import Refusal
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


# -- every refusal that a bid can meet, with every fact that it is given anywhere in the code


DECIDERS = (batch, bids, desk, queue, desk_errors)
"""Modules that answer bids; what refuses them is defined or imported there."""

ROOT = Path(__file__).parents[3]
SOURCES = [*(ROOT / "bidding").rglob("*.py"), *(ROOT / "kernel").rglob("*.py")]


def answered() -> set[type[Refusal]]:
    """Every refusal that the deciders know, by name or by code."""
    found = {one for module in DECIDERS for one in vars(module).values() if isinstance(one, type)}
    return {one for one in found if issubclass(one, Refusal) and one is not Refusal}


def facts_in(tree: ast.AST, within: str = "") -> Iterator[tuple[str, str]]:
    """Each fact that source code gives to what it calls, with the name called; `cls` is the class around it."""
    for node in ast.iter_child_nodes(tree):
        inside = node.name if isinstance(node, ast.ClassDef) else within
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for given in node.keywords:
                yield inside if called == "cls" else called, given.arg or ""
        yield from facts_in(node, inside)


def facts() -> dict[str, set[str]]:
    """The facts of each refusal by the name of its class."""
    given: dict[str, set[str]] = {}
    for path in SOURCES:
        for called, fact in facts_in(ast.parse(path.read_text())):
            given.setdefault(called, set()).add(fact)
    return given


def example(fact: str) -> object:
    if fact == "what":
        return "lot"
    return 1 if fact.endswith(("_fen", "_ms_late", "_s")) else "x"


async def test_every_refusal_of_a_bid_fits_with_all_its_facts() -> None:
    refusals, given = answered(), facts()
    names = {one.__name__ for one in refusals}
    assert names >= {"ArrivedLate", "BelowMinimum", "KeyReused", "Malformed", "NotFound", "PasswordRequired", "Busy"}
    told = set()
    for refusal in refusals:
        made = refusal(**{fact: example(fact) for fact in given.get(refusal.__name__, ())})
        check(refused_frame(uuid4(), made))
        told |= made.facts.keys()
    fixed = {"key", "code", "rule", "law", "detail", "detail_en"}
    assert told == set(messages.Refused.__struct_fields__) - fixed, "a fact that is described is one that is told"


async def test_the_document_and_the_page_about_it_name_the_same_closing_codes() -> None:
    written = (ROOT / "docs/live.md").read_text().partition("## Closing codes")[2].partition("\n## ")[0]
    assert re.findall(r"`(\d{4})`", written) == re.findall(r"\b(\d{4})\b(?! bytes)", CLOSES)
