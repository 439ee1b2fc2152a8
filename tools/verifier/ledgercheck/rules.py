"""The policy: what a verifier was told beforehand, and what it makes of checkpoints and receipts."""

from collections import namedtuple

import notes
import strict
from problem import Problem, shown

FORMAT = "lethe-ledger-policy/1"
LARGEST = 1 << 24  # bytes of a policy

Ranged = namedtuple("Ranged", "key start end")  # key: 32 bytes, or a witness's Key; (epoch, size) or None
Checkpoint = namedtuple("Checkpoint", "epoch size root witnesses")
Receipt = namedtuple("Receipt", "id leaf_hash")


class Policy:
    def __init__(self, raw):
        if len(raw) > LARGEST:
            raise Problem("too large", "过大")
        p = strict.json_object(raw)
        strict.members(p, "the policy", ("format", "origin", "log_keys", "receipt_keys", "witnesses", "quorum"))
        if p["format"] != FORMAT:
            raise Problem(f"its format is not {FORMAT}: {shown(p['format'])}", f"格式不是 {FORMAT}：{shown(p['format'])}")
        self.origin = origin(p["origin"])
        self.log_keys = _each(_public, p, "log_keys")
        self.receipt_keys = _each(_public, p, "receipt_keys")
        self.witnesses = [] if p["witnesses"] is None else _each(_witness, p, "witnesses")
        for name in ("log_keys", "receipt_keys"):
            if not p[name]:
                raise Problem(f"{name} has no key", f"{name} 中没有密钥")
        self.quorum = strict.integer(p["quorum"], "quorum", 0, len(self.witnesses))

    def checkpoint(self, raw, witnessed=True):
        """A checkpoint that is signed by the log and, if asked for, witnessed."""
        note = notes.parse(raw)
        head = parse_checkpoint(note.text, self.origin)
        place = (head.epoch, head.size)
        name = f"{self.origin}/{head.epoch}"
        logs = [notes.Key(name, notes.LOG, k.key) for k in self.log_keys]
        witnesses = [k.key for k in self.witnesses]
        signed = {(k.kind, k.name, k.public) for k in notes.signers(note, logs + witnesses)}
        if not any((notes.LOG, name, k.key) in signed and counts(k, place) for k in self.log_keys):
            raise Problem(f"not signed by a log key of the policy that counts for epoch {head.epoch}, size {head.size}",
                          f"没有策略中适用于第 {head.epoch} 纪元、大小 {head.size} 的日志密钥的签名")
        agreeing = [k.key for k in self.witnesses
                    if (notes.WITNESS, k.key.name, k.key.public) in signed and counts(k, place)]
        have = len({k.name for k in agreeing})  # a witness with two keys is one witness
        if witnessed and have < self.quorum:
            raise Problem(f"cosigned by {have} of the policy's witnesses, {self.quorum} are needed",
                          f"只有策略中的 {have} 个见证人共同签名，需要 {self.quorum} 个")
        return head._replace(witnesses=have)

    def receipt_note(self, raw, place=None):
        """The lines of a text signed by a receipt key of the policy that counts at a checkpoint, if one is given."""
        note = notes.parse(raw)
        keys = [notes.Key(f"{self.origin}/receipt", notes.LOG, k.key) for k in self.receipt_keys]
        signed = {k.public for k in notes.signers(note, keys)}
        if not any(k.key in signed and (place is None or counts(k, place)) for k in self.receipt_keys):
            raise Problem("not signed by a receipt key of the policy that counts", "没有策略中适用的回执密钥的签名")
        return note.text.decode("utf-8")[:-1].split("\n")

    def receipt(self, raw):
        lines = self.receipt_note(raw)
        if len(lines) != 3 or lines[0] != f"{self.origin}/receipt":
            raise Problem(f"not a receipt of {shown(self.origin)}", f"不是 {shown(self.origin)} 的回执")
        return Receipt(strict.entry_id(lines[1], "the entry's id"), strict.base64_bytes(lines[2], 32, "the leaf's hash"))


def origin(value):
    raw = strict.utf8(strict.text(value, "origin"), "origin")
    if not 1 <= len(raw) <= 255 or not notes.is_name(value):
        raise Problem(f"origin is not a name of 1 to 255 bytes without spaces and +: {shown(value)}",
                      f"origin 不是 1 到 255 字节、不含空格和 + 的名称：{shown(value)}")
    return value


def parse_checkpoint(text, expected):
    lines = text.decode("utf-8")[:-1].split("\n")
    if len(lines) < 3:
        raise Problem("a checkpoint has three lines", "检查点应有三行")
    name, slash, epoch = lines[0].rpartition("/")
    if not slash or name != expected:
        raise Problem(f"a checkpoint of another log: {shown(lines[0])}, not of {shown(expected)}",
                      f"是另一个日志的检查点：{shown(lines[0])}，而不是 {shown(expected)}")
    return Checkpoint(strict.decimal(epoch, "the epoch", 1, strict.LARGEST_EPOCH), strict.decimal(lines[1], "the number of leaves"),
                      strict.base64_bytes(lines[2], 32, "the root hash"), 0)


def counts(ranged, place):
    return (ranged.start is None or ranged.start <= place) and (ranged.end is None or place < ranged.end)


def _each(read, policy, name):
    """The members of an array, in which no key stands twice."""
    ranged = [read(v, f"{name}[{i}]") for i, v in enumerate(strict.array(policy[name], name))]
    if len({getattr(r.key, "public", r.key) for r in ranged}) != len(ranged):
        raise Problem(f"{name} has one key twice", f"{name} 中同一密钥出现两次")
    return ranged


def _public(value, what):
    strict.members(value, what, ("public_key",), ("from", "until"))
    return _ranged(strict.base64_bytes(value["public_key"], 32, f"{what}.public_key"), value, what)


def _witness(value, what):
    strict.members(value, what, ("verifier_key",), ("url", "from", "until"))
    if "url" in value:
        strict.text(value["url"], f"{what}.url")
    return _ranged(notes.parse_key(value["verifier_key"], notes.WITNESS, f"{what}.verifier_key"), value, what)


def _ranged(key, value, what):
    return Ranged(key, *(_place(value[name], f"{what}.{name}") if name in value else None for name in ("from", "until")))


def _place(value, what):
    strict.members(value, what, ("epoch", "size"))
    return (strict.integer(value["epoch"], f"{what}.epoch", 0, strict.LARGEST_EPOCH), strict.integer(value["size"], f"{what}.size"))
