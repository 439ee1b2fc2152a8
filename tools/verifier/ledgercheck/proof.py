"""Checks the proof of one entry, a file as in tlog-proof."""

import leaves
import notes
import strict
from problem import Problem

FIRST_LINE = "c2sp.org/tlog-proof@v1"


def check(raw, policy):
    """The leaf, its index, and the checkpoint that a proof leads to."""
    if len(raw) > notes.LARGEST:
        raise Problem("too long for a proof", "对证明来说过长")
    head, empty_line, checkpoint = raw.partition(b"\n\n")
    try:
        lines = head.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise Problem("not UTF-8", "不是 UTF-8") from None
    if not empty_line or len(lines) < 3 or lines[0] != FIRST_LINE or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise Problem(f"not a proof: the lines {FIRST_LINE}, extra, index or the empty line are missing",
                      f"不是证明：缺少 {FIRST_LINE}、extra、index 行或空行")
    raw_leaf = strict.base64_bytes(lines[1][6:], None, "extra")
    index = strict.decimal(lines[2][6:], "index")
    path = [strict.base64_bytes(line, 32, "hash") for line in lines[3:]]
    signed = policy.checkpoint(checkpoint)
    leaf = leaves.parse(raw_leaf, policy.origin.encode("utf-8"))
    if leaf.epoch > signed.epoch:
        raise Problem("the leaf is of a later epoch than the tree", "叶子的纪元晚于树的纪元")
    if leaves.root_of_path(index, signed.size, leaves.leaf_hash(raw_leaf), path) != signed.root:
        raise Problem("the proof does not lead to the checkpoint's root", "证明得不出检查点的根")
    return leaf, index, signed
