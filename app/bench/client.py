"""The client half of RFC 6455, as far as the live feed needs it.

Frames are made and read by hand, since a load generator shares the cores with what it measures.
"""

import secrets

try:
    from websockets.speedups import apply_mask
except ImportError:  # no wheel for this system
    from websockets.utils import apply_mask

TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
SWITCHED = b"HTTP/1.1 101"


def opening(host: str, port: int, path: str, token: str | None = None) -> bytes:
    """The request that opens a socket from our own page, signed in if there is a session token."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}:{port}",
        f"Origin: http://{host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *([f"Cookie: session={token}"] if token else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def masked(head: int, payload: bytes) -> bytes:
    """A frame with a payload of at most 125 bytes."""
    mask = secrets.token_bytes(4)
    return bytes((head, 0x80 | len(payload))) + mask + apply_mask(payload, mask)


def read_frames(buffer: bytes, at: int = 0) -> tuple[list[tuple[int, bytes]], int]:
    """The whole frames in `buffer` from `at` on, each as first byte and payload, and where the rest begins."""
    frames, size = [], len(buffer)
    while size - at >= 2:
        length, body = buffer[at + 1], at + 2
        if length == 126:
            length, body = int.from_bytes(buffer[at + 2 : at + 4]), at + 4
        elif length == 127:
            length, body = int.from_bytes(buffer[at + 2 : at + 10]), at + 10
        if size < body + length:
            break
        frames.append((buffer[at], buffer[body : body + length]))
        at = body + length
    return frames, at


def percentiles_ms(delays: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile, in milliseconds; 0 where there is nothing."""
    if not delays:
        return 0.0, 0.0
    delays = sorted(delays)
    return round(delays[len(delays) // 2] * 1000, 2), round(delays[len(delays) * 99 // 100] * 1000, 2)
