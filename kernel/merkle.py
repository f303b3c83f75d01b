"""Merkle trees of RFC 9162 (section 2.1): roots, inclusion and consistency proofs, and how to check them. Pure.

A tree over few leaves is held in memory (`Tree`): the batches of the desk. A log that grows for ten years keeps the
hashes of its complete subtrees by (level, index); `inclusion` and `consistency` name the ranges whose hashes make the
proof, and `parts` the complete subtrees of a range, so that a proof is a handful of reads.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from hashlib import sha256

EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""

HASH_BYTES = 32

Range = tuple[int, int]
"""Leaves from the first number up to, not including, the second."""

Place = tuple[int, int]
"""A complete subtree: its level (0 is a leaf) and its index on that level."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


class Tree:
    """A tree in memory; `paths` costs one concatenation a node, however many are asked for."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        # Written out, since a batch of bids hashes each of its leaves and nodes here.
        level = [sha256(b"\0" + data).digest() for data in leaves]
        self.size = len(level)
        self._levels = [level]
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=False)
            above = [sha256(b"\1" + left + right).digest() for left, right in pairs]
            if len(level) % 2:
                above.append(level[-1])
            self._levels.append(above)
            level = above
        self.root = level[0] if level else EMPTY

    def path(self, index: int) -> bytes:
        """The inclusion path of one leaf, where the others are not asked for."""
        found = []
        for level in self._levels[:-1]:
            if index ^ 1 < len(level):
                found.append(level[index ^ 1])
            index //= 2
        return b"".join(found)

    def paths(self) -> list[bytes]:
        """The inclusion path of each leaf: the hashes from the leaf up, one behind the other."""
        above = [b""]
        for level in reversed(self._levels[:-1]):
            below = [level[at ^ 1] + above[at // 2] for at in range(len(level) - len(level) % 2)]
            if len(level) % 2:
                below.append(above[-1])
            above = below
        return above


def split(path: bytes) -> list[bytes]:
    """The hashes of a path that is written as one; raises ValueError where it is no whole number of them."""
    if len(path) % HASH_BYTES:
        raise ValueError("a path is a whole number of hashes")
    return [path[at : at + HASH_BYTES] for at in range(0, len(path), HASH_BYTES)]


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to from the leaf with hash `leaf` (RFC 9162, 2.1.3.2); None: no path of that tree."""
    if not 0 <= index < size:
        return None
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if place % 2 or place == last:
            found = node_hash(sibling, found)
            while not place % 2 and place:
                place, last = place // 2, last // 2
        else:
            found = node_hash(found, sibling)
        place, last = place // 2, last // 2
    return found if last == 0 else None


def is_prefix(first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree of `first` leaves is the beginning of the one of `second` (RFC 9162, 2.1.4.2)."""
    if first in (0, second):
        return first <= second and not path and first_root == (second_root if first == second else EMPTY)
    if first > second or not path:
        return False
    hashes = list(path) if first & (first - 1) else [first_root, *path]
    place, last = first - 1, second - 1
    while place % 2:
        place, last = place // 2, last // 2
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place % 2 and place:
                place, last = place // 2, last // 2
        else:
            new = node_hash(new, sibling)
        place, last = place // 2, last // 2
    return last == 0 and old == first_root and new == second_root


# -- a log that is kept by its complete subtrees


def parts(leaves: Range) -> list[Place]:
    """The complete subtrees that make up a range as it occurs in a proof, from left to right."""
    start, stop = leaves
    found: list[Place] = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash of a range from those of its `parts`."""
    if not hashes:
        return EMPTY
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes[:-1]), hashes[-1])


def inclusion(index: int, size: int) -> list[Range]:
    """The ranges whose hashes are the inclusion path of a leaf, from the leaf up."""
    return _inclusion(index, 0, size)


def consistency(first: int, second: int) -> list[Range]:
    """The ranges whose hashes prove that `first` leaves are the beginning of `second`; none where it needs none."""
    return [] if first in (0, second) else _consistency(first, 0, second, whole=True)


def grown(index: int, leaf: bytes, get: Callable[[Place], bytes]) -> list[tuple[Place, bytes]]:
    """The complete subtrees that the leaf with hash `leaf` adds at `index`; `get` gives those that stand already."""
    place, found = index, leaf
    added = [((0, index), leaf)]
    level = 0
    while place % 2:
        found = node_hash(get((level, place - 1)), found)
        level, place = level + 1, place // 2
        added.append(((level, place), found))
    return added


def _half(size: int) -> int:
    """The greatest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _inclusion(index: int, start: int, stop: int) -> list[Range]:
    if stop - start <= 1:
        return []
    middle = start + _half(stop - start)
    if index < middle:
        return [*_inclusion(index, start, middle), (middle, stop)]
    return [*_inclusion(index, middle, stop), (start, middle)]


def _consistency(first: int, start: int, stop: int, *, whole: bool) -> list[Range]:
    if first == stop:
        return [] if whole else [(start, stop)]
    middle = start + _half(stop - start)
    if first <= middle:
        return [*_consistency(first, start, middle, whole=whole), (middle, stop)]
    return [*_consistency(first, middle, stop, whole=False), (start, middle)]
