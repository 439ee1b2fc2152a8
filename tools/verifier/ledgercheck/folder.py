"""Checks the ledger's folder: tiles, entry bundles and checkpoints of each epoch, and what was held."""

import os
import stat
import struct

import leaves
import notes
from pack import PackCheck
from problem import Problem, Unusable, many, shown, within
from strict import DECIMAL, LARGEST_EPOCH

WIDTH = 256  # of a tile
LARGEST_BUNDLE = WIDTH * (2 + 0xFFFF)


def tile_number(n):
    """5 is 005, 1234067 is x001/x234/067."""
    groups = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        groups.insert(0, f"x{n % 1000:03d}")
    return "/".join(groups)


class Folder:
    def __init__(self, path, policy, held=(), receipts=(), packs=()):
        """held and receipts: lists of (name for messages, bytes); packs: paths."""
        self._path, self._policy = path, policy
        self._held = [(name, within(name, policy.checkpoint, raw)) for name, raw in held]
        self._receipts = [(name, within(name, policy.receipt, raw)) for name, raw in receipts]
        self._found = set()
        self._ends = {}  # of epochs, as the first entry of the next one in a pack says
        for name in packs:
            pack = PackCheck(name, policy)
            within(name, pack.run)
            self._held.append((name, pack.head))
            if pack.begun is not None:
                self._ends[pack.head.epoch - 1] = pack.begun

    def run(self):
        """Raises the first Problem. Returns what is proven, in both languages."""
        epochs = self._epochs()
        untold = [epoch for epoch in range(1, epochs) if epoch not in self._ends]
        for name, head in self._held:
            if head.epoch > epochs:
                raise Problem(f"{name}: the folder has no epoch {head.epoch}: it was removed", f"{name}：目录中没有第 {head.epoch} 纪元：已被删除")
        english, chinese = [], []
        for epoch in range(1, epochs + 1):
            e, c = within(f"{epoch}/", self._epoch, epoch)
            english.append(e)
            chinese.append(c)
        for name, receipt in self._receipts:
            if receipt not in self._found:
                raise Problem(f"{name}: no tree has the entry {receipt.id.hex()} with that hash: it was removed or changed",
                              f"{name}：任何树中都没有带该哈希的条目 {receipt.id.hex()}：已被删除或改动")
        if untold:  # only here: what is wrong comes first
            raise Unusable(f"epoch {untold[0]} ended, and how is not in the folder: give a pack with the first entry of epoch {untold[0] + 1} by --pack",
                           f"第 {untold[0]} 纪元已结束，目录中没有其结束的记载：请用 --pack 提供含第 {untold[0] + 1} 纪元首条记录的证据包")
        if self._held:
            english.append(f"{many(len(self._held), 'held checkpoint agrees', 'held checkpoints agree')}.")
            chinese.append(f"持有的 {len(self._held)} 个检查点相符。")
        if self._receipts:
            english.append(f"The entries of {many(len(self._receipts), 'receipt', 'receipts')} are there.")
            chinese.append(f"{len(self._receipts)} 份回执的条目都在。")
        return " ".join(english), "".join(chinese)

    def _epochs(self):
        try:
            names = os.listdir(self._path)
        except (OSError, ValueError) as e:
            raise Unusable(f"the folder cannot be read: {shown(str(e))}", f"无法读取目录：{shown(str(e))}") from None
        there = {int(n) for n in names if DECIMAL.fullmatch(n) and 1 <= int(n) <= LARGEST_EPOCH}
        for epoch in range(1, len(there) + 1):
            if epoch not in there:
                raise Problem(f"the folder of epoch {epoch} is missing", f"缺少第 {epoch} 纪元的目录")
        if not there:
            raise Problem("no ledger folder: it has no folder of an epoch", "不是账本目录：其中没有纪元目录")
        return len(there)

    def _epoch(self, epoch):
        witnessed = self._checkpoint(epoch, "checkpoint.witnessed", True)  # before the newer one, which may grow
        newest = self._checkpoint(epoch, "checkpoint", False)
        if newest is None:
            raise Problem("the file checkpoint is missing", "缺少 checkpoint 文件")
        targets = [("checkpoint", newest)] + ([("checkpoint.witnessed", witnessed)] if witnessed else [])
        targets += [(name, head) for name, head in self._held if head.epoch == epoch]
        trusted = [0] + [head.size for _, head in targets[1:]] + [newest.size] * (newest.witnesses >= self._policy.quorum)
        if witnessed is None and self._policy.quorum > 0 and newest.size > 0:
            raise Problem("the file checkpoint.witnessed is missing", "缺少 checkpoint.witnessed 文件")
        if epoch in self._ends:
            within("checkpoint", self._ends[epoch].check_newest, newest)
        for name, head in targets:
            if head.size > newest.size:
                raise Problem(f"{name} has {head.size} leaves, the folder's newest checkpoint {newest.size}: the end was cut off",
                              f"{name} 有 {head.size} 个叶子，而目录中最新检查点只有 {newest.size} 个：末尾被截断")
        self._check_tree(epoch, newest.size, targets)
        return (f"Epoch {epoch}: {newest.size} leaves fit their tiles and checkpoints; the first {max(trusted)} are witnessed.",
                f"第 {epoch} 纪元：{newest.size} 个叶子与瓦片和检查点相符，其中前 {max(trusted)} 个经过见证。")

    def _checkpoint(self, epoch, name, witnessed):
        raw = self._read(f"{epoch}/{name}", notes.LARGEST)
        if raw is None:
            return None
        head = within(name, self._policy.checkpoint, raw, witnessed)
        if head.epoch != epoch:
            raise Problem(f"{name} is that of epoch {head.epoch}", f"{name} 属于第 {head.epoch} 纪元")
        return head

    def _check_tree(self, epoch, size, targets):
        frontier, tiles, ids = leaves.Frontier(), Tiles(self, epoch), set()
        check_roots(frontier, targets)
        sizes = {head.size for _, head in targets}
        for raw in self._leaves(epoch, size):
            place = [f"tile/entries/{tile_number(frontier.size // WIDTH)}, {leaf} {frontier.size}" for leaf in ("leaf", "叶子")]
            try:
                leaf = leaves.parse(raw, self._policy.origin.encode("utf-8"))
                self._check_leaf(leaf, epoch, frontier.size, ids)
            except Problem as p:
                raise p.within(*place) from None
            leaf_hash = leaves.leaf_hash(raw)
            self._note_receipts(leaf.id, leaf_hash)
            frontier.append(leaf_hash)
            tiles.append(leaf_hash)
            if frontier.size in sizes:
                check_roots(frontier, targets)
        tiles.finish()

    def _check_leaf(self, leaf, epoch, index, ids):
        if leaf.epoch > epoch:
            raise Problem(f"it is of the later epoch {leaf.epoch}", f"它属于更晚的第 {leaf.epoch} 纪元")
        if leaf.id in ids:
            raise Problem(f"the entry {leaf.id.hex()} is in the tree twice", f"条目 {leaf.id.hex()} 在树中出现两次")
        ids.add(leaf.id)
        if index == 0 and epoch > 1 and (leaf.kind != "ledger" or leaf.epoch != epoch):
            raise Problem("an epoch must begin with an entry of kind ledger of this epoch", "纪元必须以本纪元的 ledger 类条目开始")

    def _note_receipts(self, id_, leaf_hash):
        for _, receipt in self._receipts:
            if receipt.id == id_ and receipt.leaf_hash == leaf_hash:
                self._found.add(receipt)

    def _leaves(self, epoch, size):
        """All leaves up to size, from the bundles."""
        for n in range(-(-size // WIDTH)):
            count = min(WIDTH, size - n * WIDTH)
            name, raw, width = self.tile(epoch, "entries", n, count, LARGEST_BUNDLE)
            at_, taken = 0, 0
            while at_ < len(raw):
                length = struct.unpack_from(">H", raw, at_)[0] if at_ + 2 <= len(raw) else 0xFFFF
                leaf = raw[at_ + 2:at_ + 2 + length]
                if len(leaf) != length or taken == width:
                    raise Problem(f"{name}: cut off, or longer than its leaves", f"{name}：被截断，或长于其叶子")
                at_, taken = at_ + 2 + length, taken + 1
                if taken <= count:
                    yield leaf
            if taken != width:
                raise Problem(f"{name} has {taken} leaves, not {width}", f"{name} 有 {taken} 个叶子，应为 {width} 个")

    def tile(self, epoch, level, n, count, limit):
        """Name, bytes and width of the tile with the first count of WIDTH: the partial one, or the full."""
        full = f"{epoch}/tile/{level}/{tile_number(n)}"
        names = [(full, WIDTH)] if count == WIDTH else [(f"{full}.p/{count}", count), (full, WIDTH)]
        for name, width in names:
            raw = self._read(name, limit)
            if raw is not None:
                return name, raw, width
        raise Problem(f"{names[0][0]} is missing", f"缺少 {names[0][0]}")

    def _read(self, name, limit):
        path = os.path.join(self._path, name)
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise Problem(f"{name} is no file", f"{name} 不是文件")
            with open(path, "rb") as file:
                raw = file.read(limit + 1)
        except FileNotFoundError:
            return None
        except OSError as e:
            raise Problem(f"{name} cannot be read: {shown(str(e.strerror))}", f"无法读取 {name}：{shown(str(e.strerror))}") from None
        if len(raw) > limit:
            raise Problem(f"{name} is too large", f"{name} 过大")
        return raw


class Tiles:
    """Compares hash tiles with those of the leaves, level by level, as the tree grows."""

    def __init__(self, folder, epoch):
        self._folder, self._epoch, self._levels = folder, epoch, []  # of each level: tiles so far, hashes of the next

    def append(self, hash_, level=0):
        if level == len(self._levels):
            self._levels.append([0, []])
        entry = self._levels[level]
        entry[1].append(hash_)
        if len(entry[1]) == WIDTH:
            self._compare(level)
            n, hashes = entry
            self._levels[level] = [n + 1, []]
            self.append(complete_root(hashes), level + 1)

    def finish(self):
        for level, (_, hashes) in enumerate(self._levels):
            if hashes:
                self._compare(level)

    def _compare(self, level):
        n, hashes = self._levels[level]
        name, raw, width = self._folder.tile(self._epoch, level, n, len(hashes), WIDTH * leaves.HASH)
        if len(raw) != width * leaves.HASH:
            raise Problem(f"{name} has {len(raw)} bytes, not {width * leaves.HASH}", f"{name} 有 {len(raw)} 字节，应为 {width * leaves.HASH}")
        if raw[:len(hashes) * leaves.HASH] != b"".join(hashes):
            raise Problem(f"{name} is not what the leaves hash to", f"{name} 与叶子的哈希不符")


def complete_root(hashes):
    while len(hashes) > 1:
        hashes = [leaves.node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def check_roots(frontier, targets):
    for name, head in targets:
        if head.size == frontier.size and head.root != frontier.root():
            raise Problem(f"{name}: its root is not that of the first {head.size} leaves: the tree was changed",
                          f"{name}：其根与前 {head.size} 个叶子不符：树已被改动")
