"""Values, commitments and leaves, and the Merkle tree over them."""

import hashlib
import hmac
import struct
from collections import namedtuple

import strict
from problem import Problem

FIELDS = ("action", "actor_id", "actor_role", "authenticated", "user_id", "subject_id", "object",
          "requested_by", "purpose", "reason", "result", "rule", "request_id", "details")
UUID_FIELDS = frozenset(("actor_id", "user_id", "subject_id"))
TAGS = tuple(b"lethe/ledger/field\n" + bytes([i]) for i in range(len(FIELDS)))
HEAD = b"lethe/ledger/leaf\n\x01"
SALT, HASH = 16, 32  # bytes

Leaf = namedtuple("Leaf", "epoch id kind commitments")


def value_bytes(name, value):
    """A field's value as it is committed to, from its JSON."""
    if name == "details":
        return details_bytes(value)
    if value is None and name in UUID_FIELDS:
        return b""
    if name in UUID_FIELDS:
        return strict.uuid(value, name).encode("ascii")
    return strict.utf8(strict.text(value, name), name)


def details_bytes(value):
    if type(value) is not dict:
        raise Problem("details is not an object", "details 不是对象")
    pairs = sorted((strict.utf8(n, "details"), strict.utf8(strict.text(v, "details"), "details")) for n, v in value.items())
    return b"".join(struct.pack(">I", len(part)) + part for pair in pairs for part in pair)


def commitment(i, salt, value):
    return hmac.digest(salt, TAGS[i] + value, "sha256")


def build(origin, epoch, id_, kind, commitments):
    return b"".join((HEAD, bytes([len(origin)]), origin, struct.pack(">I", epoch), id_,
                     bytes([len(kind)]), kind, bytes([len(FIELDS)]), commitments))


def parse(raw, origin):
    """A leaf of this origin; what is longer, shorter or different is refused."""
    head = HEAD + bytes([len(origin)]) + origin
    at = len(head)
    if raw[:at] != head or len(raw) < at + 21:
        raise Problem("not a leaf of this ledger", "不是本账本的叶子")
    epoch, id_, kind_length = struct.unpack_from(">I16sB", raw, at)
    kind, rest = raw[at + 21:at + 21 + kind_length], raw[at + 21 + kind_length:]
    strict.check_entry_id(id_, "the leaf's id")
    if epoch < 1 or kind_length < 1 or rest[:1] != bytes([len(FIELDS)]) or len(rest) != 1 + len(FIELDS) * HASH:
        raise Problem("a leaf of the wrong form", "叶子格式不对")
    try:
        return Leaf(epoch, id_, kind.decode("utf-8"), rest[1:])
    except UnicodeDecodeError:
        raise Problem("a leaf's kind is not UTF-8", "叶子的类别不是 UTF-8") from None


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The hashes of the complete subtrees of a growing tree, from the left."""

    def __init__(self):
        self.size, self._stack = 0, []

    def append(self, leaf):
        self.size += 1
        n = self.size
        while n & 1 == 0:
            leaf = node_hash(self._stack.pop(), leaf)
            n >>= 1
        self._stack.append(leaf)

    def root(self):
        if not self._stack:
            return hashlib.sha256(b"").digest()
        root = self._stack[-1]
        for left in reversed(self._stack[:-1]):
            root = node_hash(left, root)
        return root


def split(n):
    """The largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1


def root_of_range(a, b, lines, proof):
    """The hash of the leaves a to b; lines and proof are used up from the left."""
    if lines.index is None or lines.index >= b:
        return proof()
    if b - a == 1:
        return lines.take()
    k = split(b - a)
    left = root_of_range(a, a + k, lines, proof)
    return node_hash(left, root_of_range(a + k, b, lines, proof))


def root_of_path(index, size, leaf, path):
    """The root that an inclusion proof leads to, RFC 9162 section 2.1.3.2."""
    if index >= size:
        raise Problem("the index is not in the tree", "序号不在树中")
    f, last, r = index, size - 1, leaf
    for p in path:
        if last == 0:
            raise Problem("the proof is too long", "证明过长")
        if f & 1 or f == last:
            r = node_hash(p, r)
            while not f & 1 and f:
                f, last = f >> 1, last >> 1
        else:
            r = node_hash(r, p)
        f, last = f >> 1, last >> 1
    if last != 0:
        raise Problem("the proof is too short", "证明过短")
    return r
