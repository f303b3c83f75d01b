"""Hex as the platform writes it, so that one value has one spelling: for `kernel.signatures` and bidding's bundles."""


def from_hex(text: str, size: int) -> bytes | None:
    """`size` bytes from twice as many lower-case digits; None for any other text.

    Python's own reader passes over blanks and takes capitals: then an altered document would still hold.
    """
    try:
        read = bytes.fromhex(text)
    except ValueError:
        return None
    return read if len(read) == size and read.hex() == text else None
