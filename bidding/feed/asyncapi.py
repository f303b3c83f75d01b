"""The live protocol as an AsyncAPI 3.0 document, made from the types of its messages (docs/live.md says the rest)."""

from typing import Any

import msgspec

from bidding.feed.messages import ServerMessage
from bidding.feed.protocol import DEAD_SESSION, SLOW_READER, TOO_MANY_MESSAGES
from bidding.feed.schemas import MAX_FRAME_BYTES, BidMessage

FROM_SERVER = ServerMessage.__args__
REF = "#/components/schemas/{name}"
CHANNEL = "#/channels/lot"

CLOSES = (
    f"1002 no frame of the protocol, 1003 binary, 1007 bad UTF-8, 1008 fragments, 1009 over {MAX_FRAME_BYTES} bytes,"
    f" 1011 fault of ours or no pong, 1012 restart, 1013 try again later,"
    f" {DEAD_SESSION} the login session ended, {SLOW_READER} too slow a reader,"
    f" {TOO_MANY_MESSAGES} too many messages"
)


def document(version: str) -> dict[str, Any]:
    """The whole document; it names every message that the socket says or hears, and no other."""
    kinds = [*FROM_SERVER, BidMessage]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=REF)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "网络司法拍卖平台 Online judicial auction: live protocol",
            "version": version,
            "description": "One JSON object a text frame. Money is integer fen, times are RFC 3339 in +08:00.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "lot": {
                "address": "/live/lots/{lot_id}",
                "description": f"Watching needs no session; a bid needs the login cookie. Closing codes: {CLOSES}.",
                "parameters": {"lot_id": {"description": "A published lot."}},
                "messages": {_name(kind): {"$ref": f"#/components/messages/{_name(kind)}"} for kind in kinds},
                "bindings": {
                    "ws": {
                        "method": "GET",
                        "query": {
                            "type": "object",
                            "properties": {"after": {"type": "integer", "description": "the last event seen"}},
                            "additionalProperties": False,
                        },
                    }
                },
            }
        },
        "operations": {
            "watch": _operation("send", FROM_SERVER, "What the platform says."),
            "bid": _operation("receive", [BidMessage], "What a bidder may say."),
        },
        "components": {
            "schemas": schemas,
            "messages": {
                _name(kind): {
                    "name": _name(kind),
                    "summary": (kind.__doc__ or "").partition("\n")[0],
                    "payload": {"$ref": REF.format(name=kind.__name__)},
                }
                for kind in kinds
            },
        },
    }


def _name(kind: Any) -> str:
    """The value of `t` that tells a message."""
    return str(kind.__struct_config__.tag)


def _operation(action: str, kinds: Any, summary: str) -> dict[str, Any]:
    messages = [{"$ref": f"{CHANNEL}/messages/{_name(kind)}"} for kind in kinds]
    return {"action": action, "channel": {"$ref": CHANNEL}, "summary": summary, "messages": messages}
