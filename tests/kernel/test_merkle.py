"""Merkle trees of RFC 9162: the published root, every proof of small trees, and no other proof."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import merkle

CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
"""The vector that certificate transparency logs are tested with."""

SIZES = range(1, 40)


def root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 9162, 2.1.1, word by word."""
    if len(leaves) < 2:
        return merkle.leaf_hash(leaves[0]) if leaves else hashlib.sha256(b"").digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return merkle.node_hash(root(leaves[:half]), root(leaves[half:]))


def leaves_of(size: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(size)]


def grown_to(size: int) -> dict[merkle.Place, bytes]:
    """The nodes of a log that grew leaf by leaf."""
    nodes: dict[merkle.Place, bytes] = {}
    for number, data in enumerate(leaves_of(size)):
        nodes.update(merkle.grown(number, merkle.leaf_hash(data), nodes.__getitem__))
    return nodes


def hashes(nodes: dict[merkle.Place, bytes], ranges: list[merkle.Range]) -> list[bytes]:
    return [merkle.fold([nodes[place] for place in merkle.parts(one)]) for one in ranges]


def test_the_published_root() -> None:
    assert merkle.Tree(bytes.fromhex(leaf) for leaf in CT_LEAVES).root.hex() == CT_ROOT
    assert merkle.Tree([]).root == merkle.EMPTY


@pytest.mark.parametrize("size", SIZES)
def test_a_tree_in_memory_and_a_log_agree_with_the_definition(size: int) -> None:
    leaves, nodes = leaves_of(size), grown_to(size)
    tree = merkle.Tree(leaves)
    assert tree.root == root(leaves) == hashes(nodes, [(0, size)])[0]
    for index, path in enumerate(tree.paths()):
        assert merkle.split(path) == hashes(nodes, merkle.inclusion(index, size))
        assert tree.path(index) == path


@pytest.mark.parametrize("size", SIZES)
def test_each_leaf_is_proved_and_no_other(size: int) -> None:
    leaves = leaves_of(size)
    tree = merkle.Tree(leaves)
    for index, joined in enumerate(tree.paths()):
        path, leaf = merkle.split(joined), merkle.leaf_hash(leaves[index])
        assert merkle.root_by_path(leaf, index, size, path) == tree.root
        assert merkle.root_by_path(merkle.leaf_hash(b"x"), index, size, path) != tree.root
        assert merkle.root_by_path(leaf, (index + 1) % size, size, path) != tree.root or size == 1
        assert merkle.root_by_path(leaf, index, size, [*path, leaf]) != tree.root
        assert merkle.root_by_path(leaf, index, size, path[1:]) != tree.root or not path
    assert merkle.root_by_path(tree.root, size, size, []) is None


@pytest.mark.parametrize("size", SIZES)
def test_each_beginning_is_proved_and_no_other(size: int) -> None:
    nodes = grown_to(size)
    for first in range(size + 1):
        path = hashes(nodes, merkle.consistency(first, size))
        before, after = root(leaves_of(first)), root(leaves_of(size))
        assert merkle.is_prefix(first, before, size, after, path)
        assert not merkle.is_prefix(first, before, size, after, [*path, after])
        if first:
            other = root([*leaves_of(first - 1), b"another"])
            assert not merkle.is_prefix(first, other, size, after, path)
            assert not merkle.is_prefix(size + 1, after, size, after, path)


@given(st.binary(max_size=200))
def test_a_path_is_whole_hashes_or_none(path: bytes) -> None:
    if len(path) % merkle.HASH_BYTES:
        with pytest.raises(ValueError, match="whole number"):
            merkle.split(path)
    else:
        assert b"".join(merkle.split(path)) == path
