"""The manifest of an evidence pack: its form, and its signature."""

import hashlib

import leaves
import rules
import strict
from problem import Problem, shown

FORMAT = "lethe-evidence-pack/1"
LARGEST = 1 << 24  # bytes
MEMBERS = ("format", "export_id", "request_entry", "origin", "epoch", "created_at", "requested_by", "reason", "selection",
           "tree_size", "root", "count", "first_index", "last_index", "dropped", "tampered", "tampered_count",
           "other_epochs", "files")
NEEDED_FILES = frozenset(("README.txt", "entries.jsonl", "summary.pdf", "checkpoint.txt", "proof.txt"))
OTHER_FILES = frozenset(("entries.csv", "entries.xlsx"))


class Manifest:
    def __init__(self, raw, policy):
        m = strict.json_object(raw)
        strict.members(m, "the manifest", MEMBERS)
        if m["format"] != FORMAT:
            raise Problem(f"its format is not {FORMAT}: {shown(m['format'])}", f"格式不是 {FORMAT}：{shown(m['format'])}")
        self.export_id = strict.uuid(m["export_id"], "export_id")
        strict.entry_id(m["request_entry"], "request_entry")
        if rules.origin(m["origin"]) != policy.origin:
            raise Problem(f"a pack of another log: {shown(m['origin'])}, the policy is that of {shown(policy.origin)}",
                          f"是另一个日志的证据包：{shown(m['origin'])}，而策略属于 {shown(policy.origin)}")
        self.epoch = strict.integer(m["epoch"], "epoch", 1, strict.LARGEST_EPOCH)
        self.created_at = strict.rfc3339(m["created_at"], "created_at")
        by = strict.members(m["requested_by"], "requested_by", ("employee_id", "role", "authenticated"))
        strict.uuid(by["employee_id"], "requested_by.employee_id")
        for name in ("role", "authenticated"):
            strict.text(by[name], f"requested_by.{name}")
        strict.text(m["reason"], "reason")
        self.tree_size = strict.integer(m["tree_size"], "tree_size", 1)
        self.root = strict.base64_bytes(m["root"], leaves.HASH, "root")
        self.range = _selection(m["selection"])
        for name in ("count", "dropped", "tampered_count", "other_epochs"):
            setattr(self, name, strict.integer(m[name], name))
        for name in ("first_index", "last_index"):
            setattr(self, name, None if m[name] is None else strict.integer(m[name], name))
        for i in strict.array(m["tampered"], "tampered"):
            strict.integer(i, "tampered")
        if self.tampered_count == 0 and m["tampered"]:
            raise Problem("tampered lists lines, tampered_count says none", "tampered 列出了行，而 tampered_count 为 0")
        self.files = _files(m["files"])

    def check_signature(self, raw, signature, policy):
        """manifest.sig is that of these bytes and of this export."""
        lines = policy.receipt_note(signature, (self.epoch, self.tree_size))
        if len(lines) != 3 or lines[0] != f"{policy.origin}/export":
            raise Problem(f"not a signature over an export of {shown(policy.origin)}", f"不是对 {shown(policy.origin)} 的导出的签名")
        if strict.uuid(lines[1], "export id") != self.export_id:
            raise Problem("the signature is that of another export", "这是另一次导出的签名")
        if strict.base64_bytes(lines[2], 32, "digest") != hashlib.sha256(raw).digest():
            raise Problem("the signature is that of another manifest: manifest.json was changed",
                          "这是另一份清单的签名：manifest.json 已被改动")


def _selection(value):
    """(first, end) of a contiguous selection; None for a filtered one."""
    kind = value.get("kind") if type(value) is dict else None
    if kind == "filtered":
        strict.members(value, "selection", ("kind", "filters"))
        if type(value["filters"]) is not dict:
            raise Problem("selection.filters is not an object", "selection.filters 不是对象")
        return None
    if kind != "contiguous":
        raise Problem("selection is neither filtered nor contiguous", "selection 既不是 filtered 也不是 contiguous")
    strict.members(value, "selection", ("kind", "first_index", "end_index"))
    first = strict.integer(value["first_index"], "selection.first_index")
    return first, strict.integer(value["end_index"], "selection.end_index", first)


def _files(value):
    """Bytes and digest by name."""
    files = {}
    for i, file in enumerate(strict.array(value, "files")):
        what = f"files[{i}]"
        strict.members(file, what, ("name", "bytes", "sha256"))
        name = strict.text(file["name"], f"{what}.name")
        if name in files:
            raise Problem(f"files names {shown(name)} twice", f"files 中 {shown(name)} 出现两次")
        if name not in NEEDED_FILES and name not in OTHER_FILES:
            raise Problem(f"files names {shown(name)}, which no pack has", f"files 中的 {shown(name)} 不属于证据包")
        if not strict.HEX_DIGEST.fullmatch(strict.text(file["sha256"], f"{what}.sha256")):
            raise Problem(f"{what}.sha256 is no digest", f"{what}.sha256 不是摘要")
        files[name] = (strict.integer(file["bytes"], f"{what}.bytes"), file["sha256"])
    for name in sorted(NEEDED_FILES - set(files)):
        raise Problem(f"files does not name {name}", f"files 中缺少 {name}")
    return files
