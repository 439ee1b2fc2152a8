"""Holds this program against the page's worked example, of which example.txt is a copy, and RFC 8032."""

import base64
import hashlib
import hmac
import json
import os
import re

import ed25519
import leaves
import notes
import proof
import rules
import strict
from problem import Problem

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "example.txt")
# RFC 8032 section 7.1, test 2: secret key, public key, message, signature.
RFC_8032 = [bytes.fromhex(h) for h in (
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")]


def sha256(data):
    return hashlib.sha256(data).digest()


class Example:
    """The page's blocks, by the paragraph before each."""

    def __init__(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            blocks = re.findall(r"^([^\n`]+)\n\n```\n(.*?)```$", file.read(), re.S | re.M)
        self.blocks = {title: body for title, body in blocks}

    def block(self, start):
        return next(body for title, body in self.blocks.items() if title.startswith(start))

    def value(self, name):
        return re.search(rf"^{name} +(.*)$", self.block("Names and public keys"), re.M).group(1)

    def key(self, name):
        return re.search(rf"^{name} key .*\n +(\S+)$", self.block("Names and public keys"), re.M).group(1)

    def entries(self):
        lines = self.block("Three entries").splitlines()
        for head, body in zip(lines[::2], lines[1::2]):
            index, id_, at, kind = head.split()
            yield int(index), strict.entry_id(id_, "id"), at, kind, json.loads(body)

    def hashes(self):
        return {n.strip(): base64.b64decode(h) for n, h in (line.rsplit("  ", 1) if "  " in line else line.rsplit(" ", 1)
                for line in self.block("Hashes of the leaves").splitlines())}


class Tests:
    def __init__(self):
        self.x, self.done = Example(), 0
        self.origin = self.x.value("origin")
        log = notes.parse_key(self.x.key("log"), notes.LOG, "log key")
        receipt = notes.parse_key(self.x.key("receipt"), notes.LOG, "receipt key")
        self.seeds = {"log": log, "receipt": receipt, "witness": notes.parse_key(self.x.key("witness"), notes.WITNESS, "witness key")}
        self.policy = rules.Policy(json.dumps({
            "format": rules.FORMAT, "origin": self.origin, "quorum": 1,
            "log_keys": [{"public_key": base64.b64encode(log.public).decode()}],
            "receipt_keys": [{"public_key": base64.b64encode(receipt.public).decode()}],
            "witnesses": [{"verifier_key": self.x.key("witness")}]}).encode())
        self.leaves = []

    def equal(self, what, have, want):
        self.done += 1
        if have != want:
            raise Problem(f"self-test, {what}: {have!r} instead of {want!r}", f"自检，{what}：得到 {have!r}，应为 {want!r}")

    def refused(self, what, check, *arguments):
        self.done += 1
        try:
            check(*arguments)
        except Problem:
            return
        raise Problem(f"self-test: {what} was not refused", f"自检：未拒绝 {what}")

    def signatures(self):
        secret, public, message, signature = RFC_8032
        self.equal("RFC 8032, public key", ed25519.public_of(secret), public)
        self.equal("RFC 8032, signature", ed25519.verify(public, message, signature), True)
        self.equal("RFC 8032, another message", ed25519.verify(public, b"\x73", signature), False)
        s = int.from_bytes(signature[32:], "little") + ed25519.ORDER
        self.equal("RFC 8032, S too large", ed25519.verify(public, message, signature[:32] + s.to_bytes(32, "little")), False)
        self.equal("a point not on the curve", ed25519.decode((2).to_bytes(32, "little")), None)
        self.equal("y too large", ed25519.decode((ed25519.P + 1).to_bytes(32, "little")), None)
        for name, key in self.seeds.items():
            self.equal(f"{name} key", ed25519.public_of(sha256(f"example {name} key".encode())), key.public)
            self.equal(f"{name} key in text", str(key), self.x.key(name))

    def entries(self):
        epoch = int(self.x.value("epoch"))
        for n, id_, at, kind, fields in self.x.entries():
            self.equal(f"entry {n}, time", strict.entry_time(id_).isoformat(timespec="milliseconds") + "Z", at)
            commitments = []
            for i, name in enumerate(leaves.FIELDS):
                nothing = {} if name == "details" else None if name in leaves.UUID_FIELDS else ""
                value, salt = leaves.value_bytes(name, fields.get(name, nothing)), sha256(f"salt {n} {i}".encode())[:16]
                commitments.append(leaves.commitment(i, salt, value))
                if n == 0:
                    shown = f"{i:2} {name}\n   value      {value.hex()}\n   salt       {salt.hex()}\n   commitment {commitments[i].hex()}\n"
                    self.equal(f"field {name}", shown in self.x.block("The fields of entry 0"), True)
            leaf = leaves.build(self.origin.encode(), epoch, id_, kind.encode(), b"".join(commitments))
            self.equal(f"leaf {n}, read", leaves.parse(leaf, self.origin.encode()), (epoch, id_, kind, b"".join(commitments)))
            self.leaves.append(leaf)
        self.equal("leaf 0", self.leaves[0].hex(), self.x.block("The leaf of entry 0").replace("\n", ""))
        mac = hmac.digest(sha256(b"example writer key"), b"lethe/ledger/mac\n" + self.leaves[0], "sha256")
        self.equal("MAC", mac.hex(), self.x.block("Its MAC").strip())
        for wrong in (self.leaves[0] + b"\x00", self.leaves[0][:-1], b"L" + self.leaves[0][1:]):
            self.refused("a leaf of the wrong form", leaves.parse, wrong, self.origin.encode())

    def tree(self):
        want, frontier = self.x.hashes(), leaves.Frontier()
        self.equal("root of 0", frontier.root(), want["root of 0"])
        for n, leaf in enumerate(self.leaves):
            self.equal(f"leaf hash {n}", leaves.leaf_hash(leaf), want[f"leaf {n}"])
            frontier.append(leaves.leaf_hash(leaf))
            self.equal(f"root of {n + 1}", frontier.root(), want[f"root of {n + 1}"])
        contents = {"1/tile/entries/000.p/3": b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in self.leaves),
                    "1/tile/0/000.p/3": b"".join(map(leaves.leaf_hash, self.leaves))}
        for line in self.x.block("Files of the tree").splitlines():
            name, size, digest = line.split()
            self.equal(name, (len(contents[name]), sha256(contents[name]).hex()), (int(size), digest))

    def signed(self):
        checkpoint = self.x.block("The checkpoint").encode()
        head = self.policy.checkpoint(checkpoint)
        self.equal("checkpoint", head, (1, 3, self.x.hashes()["root of 3"], 1))
        self.refused("a changed checkpoint", self.policy.checkpoint, checkpoint.replace(b"\n3\n", b"\n4\n"))
        self.refused("a size with a zero", self.policy.checkpoint, checkpoint.replace(b"\n3\n", b"\n03\n"))
        self.refused("a checkpoint without a witness", self.policy.checkpoint, checkpoint[:checkpoint.rindex("—".encode())])
        receipt = self.x.block("The receipt").encode()
        self.equal("receipt", self.policy.receipt(receipt), (leaves.parse(self.leaves[2], self.origin.encode()).id, leaves.leaf_hash(self.leaves[2])))
        self.refused("a changed receipt", self.policy.receipt, receipt.replace(b"0003\n", b"0002\n"))
        whole = self.x.block("The proof of entry 1").encode()
        leaf, index, proven = proof.check(whole, self.policy)
        self.equal("proof", (leaf, index, proven), (leaves.parse(self.leaves[1], self.origin.encode()), 1, head))
        self.refused("a proof of another place", proof.check, whole.replace(b"index 1", b"index 2"), self.policy)


def run():
    t = Tests()
    for part in (t.signatures, t.entries, t.tree, t.signed):
        part()
    return f"the self-test: {t.done} comparisons with the worked example of the ledger's format.", f"自检：与账本格式示例的 {t.done} 项比较全部相符。"
