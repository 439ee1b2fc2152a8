"""Checks an evidence pack: what the page calls "To check a pack", in its order."""

import datetime

import leaves
import notes
import strict
import beginning
from archive import NEEDED, Archive
from manifest import LARGEST, Manifest
from problem import Problem, many, shown, within

MEMBERS = ("index", "epoch", "id", "at", "kind", "leaf_hash", "commitments", "salts", "content", "state")
YEARS = 10  # after which content may be dropped


class Lines:
    """The lines of entries.jsonl, one at a time: index is the next one's, None after the last."""

    def __init__(self, lines, check):
        self._lines, self._check, self._number = lines, check, 0
        self.index, self._hash = None, None
        self._advance()

    def take(self):
        taken = self._hash
        self._advance()
        return taken

    def _advance(self):
        line, before = next(self._lines, None), self.index
        if line is None:
            self.index = self._hash = None
            return
        self._number += 1
        try:
            self.index, self._hash = self._check(line)
            if before is not None and self.index <= before:
                raise Problem(f"index {self.index} comes after {before}: a line is twice or in the wrong place",
                              f"序号 {self.index} 出现在 {before} 之后：该行重复或次序不对")
        except Problem as p:
            raise p.within(f"entries.jsonl, line {self._number}", f"entries.jsonl 第 {self._number} 行") from None


class Counts:
    """What is told of the lines, to be compared with the manifest."""

    def __init__(self):
        self.count = self.dropped = self.tampered_count = 0
        self.first_index = self.last_index = None

    def add(self, index, state):
        self.count += 1
        self.dropped += state == "dropped"
        self.tampered_count += state == "tampered"
        self.first_index = index if self.first_index is None else self.first_index
        self.last_index = index


class PackCheck:
    def __init__(self, path, policy, held=()):
        """held: list of (name for messages, bytes) of checkpoints."""
        self._path, self._policy, self._counts, self._held = path, policy, Counts(), held
        self._origin = policy.origin.encode("utf-8")
        self.head = self.begun = None  # its checkpoint; what it says of the epoch before its own

    def run(self):
        """Raises the first Problem. Returns what is proven, in both languages."""
        self._archive = Archive(self._path)
        try:
            self._manifest = self._read_manifest()
            self._check_files()
            self.head = self._checkpoint()
            self._check_tree()
            self._check_counts()
        finally:
            self._archive.close()
        for name, raw in self._held:
            within(name, self._compare, raw)
        return self._said(self.head)

    def _compare(self, raw):
        """A held checkpoint tells something of one with its size, and of the epoch before if its end is known."""
        kept = self._policy.checkpoint(raw)
        if (kept.epoch, kept.size) == (self.head.epoch, self.head.size) and kept.root != self.head.root:
            raise Problem("another root than that of the pack's checkpoint", "其根与证据包的检查点不同")
        if kept.epoch == self.head.epoch - 1 and self.begun is not None:
            self.begun.check(kept)

    def _read_manifest(self):
        for name in NEEDED:
            if name not in self._archive.members:
                raise Problem(f"no evidence pack: {name} is not in the zip", f"不是证据包：压缩包中没有 {name}")
        raw = self._archive.read("manifest.json", LARGEST)
        signature = self._archive.read("manifest.sig", notes.LARGEST)
        manifest = within("manifest.json", Manifest, raw, self._policy)
        within("manifest.sig", manifest.check_signature, raw, signature, self._policy)
        return manifest

    def _check_files(self):
        named, there = self._manifest.files, set(self._archive.members) - {"manifest.json", "manifest.sig"}
        for name in sorted(there - set(named)):
            raise Problem(f"the manifest does not name the member {shown(name)}", f"清单中没有文件 {shown(name)}")
        for name in sorted(set(named) - there):
            raise Problem(f"the member {shown(name)} is missing", f"缺少文件 {shown(name)}")
        for name, (size, digest) in sorted(named.items()):
            if self._archive.members[name].unpacked != size or self._archive.digest(name) != digest:
                raise Problem(f"{name}: size or digest is not that of the manifest, the file was changed",
                              f"{name}：大小或摘要与清单不符，文件已被改动")

    def _checkpoint(self):
        m = self._manifest
        head = within("checkpoint.txt", self._policy.checkpoint, self._archive.read("checkpoint.txt", notes.LARGEST))
        if (head.epoch, head.size, head.root) != (m.epoch, m.tree_size, m.root):
            raise Problem("checkpoint.txt: its epoch, size or root is not that of the manifest",
                          "checkpoint.txt：纪元、大小或根与清单不符")
        return head

    def _check_tree(self):
        m, proof = self._manifest, self._archive.lines("proof.txt")
        taken = 0

        def next_hash():
            nonlocal taken
            line = next(proof, None)
            taken += 1
            if line is None:
                raise Problem(f"proof.txt has {taken - 1} hashes, more are needed: a line or a hash is missing",
                              f"proof.txt 只有 {taken - 1} 个哈希，不够用：缺少行或哈希")
            try:
                return strict.base64_bytes(line.decode("ascii", "replace"), leaves.HASH, "hash")
            except Problem as p:
                raise p.within(f"proof.txt, line {taken}", f"proof.txt 第 {taken} 行") from None

        lines = Lines(self._archive.lines("entries.jsonl"), self._check_line)
        root = leaves.root_of_range(0, m.tree_size, lines, next_hash)
        if lines.index is not None:
            raise Problem(f"entries.jsonl: index {lines.index} is not in the tree of {m.tree_size} leaves",
                          f"entries.jsonl：序号 {lines.index} 不在有 {m.tree_size} 个叶子的树中")
        if next(proof, None) is not None:
            raise Problem(f"proof.txt has more hashes than the {taken} that are needed", f"proof.txt 的哈希多于所需的 {taken} 个")
        if root != m.root:
            raise Problem("the root of lines and proof.txt is not that of the checkpoint: an entry was changed, removed or put in between",
                          "由各行和 proof.txt 算出的根与检查点不符：有条目被改动、删除或插入")

    def _check_line(self, raw):
        """Index and leaf hash of a line that is what it says."""
        e = strict.json_object(raw)
        strict.members(e, "the line", MEMBERS)
        index = strict.integer(e["index"], "index")
        leaf_hash = strict.base64_bytes(e["leaf_hash"], leaves.HASH, "leaf_hash")
        state = e["state"]
        if state == "intact" or state == "dropped":
            self._check_leaf(e, leaf_hash)
            (check_content if state == "intact" else self._check_dropped)(e)
            if index == 0 and self._manifest.epoch > 1:
                self.begun = beginning.of_line(e, self._manifest.epoch)
        elif state != "tampered":
            raise Problem(f"unknown state {shown(state)}", f"未知状态 {shown(state)}")
        self._counts.add(index, state)
        return index, leaf_hash

    def _check_leaf(self, e, leaf_hash):
        id_ = strict.entry_id(e["id"], "id")
        if e["at"] != strict.entry_time(id_).isoformat(timespec="milliseconds") + "Z":
            raise Problem(f"at is not the time in id: {shown(e['at'])}", f"at 不是编号中的时间：{shown(e['at'])}")
        kind = strict.utf8(strict.text(e["kind"], "kind"), "kind")
        if not 1 <= len(kind) <= 255:
            raise Problem("kind does not have 1 to 255 bytes", "kind 不是 1 到 255 字节")
        epoch = strict.integer(e["epoch"], "epoch", 1, self._manifest.epoch)
        commitments = strict.base64_bytes(e["commitments"], leaves.HASH * len(leaves.FIELDS), "commitments")
        if leaves.leaf_hash(leaves.build(self._origin, epoch, id_, kind, commitments)) != leaf_hash:
            raise Problem("leaf_hash is not that of epoch, id, kind and commitments: one of them was changed",
                          "leaf_hash 与 epoch、id、kind、commitments 不符：其中之一已被改动")

    def _check_dropped(self, e):
        if e["content"] is not None or e["salts"] is not None:
            raise Problem("called dropped, but there is content", "标为 dropped，却有内容")
        at = strict.entry_time(strict.entry_id(e["id"], "id"))
        months = at.year * 12 + at.month + YEARS * 12
        year, month = divmod(months, 12)
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)  # who makes packs may name any time
        if year > 9999 or datetime.datetime(year, month + 1, 1) > min(self._manifest.created_at, now):
            raise Problem(f"content dropped less than {YEARS} years after the end of its month",
                          f"内容在其月份结束后不满 {YEARS} 年即被删除")

    def _check_counts(self):
        m, c = self._manifest, self._counts
        for name in ("count", "first_index", "last_index", "dropped", "tampered_count"):
            if getattr(m, name) != getattr(c, name):
                raise Problem(f"manifest.json: {name} is {getattr(m, name)}, by the lines it is {getattr(c, name)}",
                              f"manifest.json：{name} 为 {getattr(m, name)}，按各行应为 {getattr(c, name)}")
        if m.range is not None:
            first, end = m.range
            runs = c.count == 0 if first == end else (c.first_index, c.last_index, c.count) == (first, end - 1, end - first)
            if not runs or end > m.tree_size:
                raise Problem(f"called contiguous from {first} up to {end}, but the lines are not: some are missing",
                              f"声称从 {first} 到 {end}（不含）连续，但实际并不连续：缺少条目")
        if c.tampered_count:
            raise Problem(f"{c.tampered_count} lines say themselves that they were tampered with; their places are proven, their content is not",
                          f"有 {c.tampered_count} 行自称已被篡改：其位置得到证明，内容没有")

    def _said(self, head):
        m, c = self._manifest, self._counts
        english = [f"{many(c.count, 'entry', 'entries')} of {tree_name(self._policy, m)} {'is' if c.count == 1 else 'are'} in the tree of {head.size} leaves that the log and {many(head.witnesses, 'witness', 'witnesses')} signed."]
        chinese = [f"{tree_name(self._policy, m)} 的 {c.count} 个条目在日志和 {head.witnesses} 个见证人签名的、有 {head.size} 个叶子的树中。"]
        if m.range is not None:
            english.append(f"The pack is complete from index {m.range[0]} up to, and without, {m.range[1]}.")
            chinese.append(f"从序号 {m.range[0]} 到 {m.range[1]}（不含），证据包是完整的。")
        else:
            english.append("It is a selection: nothing follows about entries that are not in it.")
            chinese.append("这是筛选结果：对未包含的条目不能得出任何结论。")
        if c.dropped:
            english.append(f"{c.dropped} entries have lost their content after {YEARS} years: that they happened is proven, no longer what.")
            chinese.append(f"{c.dropped} 个条目的内容已满 {YEARS} 年被删除：只能证明发生过，不能证明内容。")
        return " ".join(english), "".join(chinese)


def tree_name(policy, manifest):
    return shown(f"{policy.origin}/{manifest.epoch}", 300)


def check_content(e):
    """Each value and salt of an intact line has its commitment."""
    content = strict.members(e["content"], "content", leaves.FIELDS)
    salts = strict.base64_bytes(e["salts"], leaves.SALT * len(leaves.FIELDS), "salts")
    commitments = strict.base64_bytes(e["commitments"], leaves.HASH * len(leaves.FIELDS), "commitments")
    for i, name in enumerate(leaves.FIELDS):
        value = leaves.value_bytes(name, content[name])
        if leaves.commitment(i, salts[16 * i:16 * i + 16], value) != commitments[32 * i:32 * i + 32]:
            raise Problem(f"{name} is not what was committed to: it was changed", f"{name} 与其承诺不符：已被改动")
