"""A forger with a key of his own: he writes whatever bytes he likes and hashes, signs and logs them without a slip."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from bidding.desk import chain
from bidding.desk.receipts import Batch
from bidding.evidence import rules
from kernel import merkle
from kernel.clock import beijing
from tests.support.keys import KEYRING

Json = dict[str, Any]
GOLDEN: Json = json.loads((Path(__file__).parent / "golden" / "bundle.json").read_bytes())
LOT = UUID(GOLDEN["lot_id"])
EVENTS: list[str] = [event["bytes"] for event in GOLDEN["events"]]
TERMS: list[Any] = json.loads(GOLDEN["terms"])
AT = datetime(2025, 4, 12, tzinfo=UTC)


def terms(place: int, value: object) -> str:
    """The terms of the golden bundle with one of them changed, as they are spelled."""
    changed = [*TERMS[:place], value, *TERMS[place + 1 :]]
    return json.dumps(changed, separators=(",", ":"), ensure_ascii=False)


def edited(number: int, old: str, new: str) -> list[str]:
    """The golden events with one of them changed."""
    assert old in EVENTS[number - 1]
    return [*EVENTS[: number - 1], EVENTS[number - 1].replace(old, new, 1), *EVENTS[number:]]


def sealed(seq: int, inner: str, payload: str = "00" * 32) -> str:
    """The bytes of an event of the forger's own making."""
    head = f'{{"v":1,"lot":"{LOT}","payload":"{payload}","ingress_at":"2025-04-10T10:00:00.000+08:00",'
    return f'{head}"event":{{"seq":{seq},{inner}}}}}'


def forged(events: Sequence[str] = EVENTS, terms: str = GOLDEN["terms"], **result: object) -> Json:
    """A bundle of these events and terms in which all agrees with all; only the rules can say that it is none."""
    genesis = link = sha256(b"\1" + terms.encode()).digest()
    batch, links = Batch(0, 1), []
    for raw in events:
        link = chain.link(link, raw.encode())
        links.append(link)
        batch.add(link)
    batch.close(AT, KEYRING.key_id, KEYRING.sign(batch.statement(AT)))
    signed = {"share": 0, "number": 1, "size": len(links), "at": batch.at, "root": batch.root.hex()}
    signed |= {"key_id": KEYRING.key_id, "signature": batch.signature.hex()}
    places = [{"share": 0, "number": 1, "leaf": leaf, "path": batch.path(leaf).hex()} for leaf in range(len(links))]
    return {
        **GOLDEN,
        "terms": terms,
        "genesis": genesis.hex(),
        "result": GOLDEN["result"] | result,
        "events": [{"bytes": raw, "link": links[leaf].hex(), **places[leaf]} for leaf, raw in enumerate(events)],
        "batches": [signed] if links else [],
        "refusals": [],
        "log": _log(rules.LotHead(LOT, len(links), link, 0, genesis)),
        "keys": [{"key_id": KEYRING.key_id, "public_key": KEYRING.current.public_key, "algorithm": "Ed25519"}],
    }


def _log(head: rules.LotHead) -> Json:
    data = rules.entry_bytes(head, AT)
    root = merkle.leaf_hash(data).hex()
    signature = KEYRING.sign(rules.head_text(1, beijing(AT), root)).hex()
    signed = {"number": 1, "size": 1, "at": beijing(AT), "root": root, "key_id": KEYRING.key_id, "signature": signature}
    return {"head": signed, "entries": [{"index": 0, "data": data.decode(), "path": ""}]}
