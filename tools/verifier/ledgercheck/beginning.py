"""What the first entry of an epoch after the first says of the end of the one before."""

from collections import namedtuple

import strict
from problem import Problem, shown

ACTION = "ledger.epoch_begun"
DETAILS = ("epoch", "previous_size", "previous_root", "kept_size")


class Beginning(namedtuple("Beginning", "size root")):
    """How many leaves the log signed of the epoch before, and their root."""

    def check(self, head):
        """A checkpoint of the epoch before must fit."""
        if head.size > self.size:
            raise Problem(f"it has {head.size} leaves, but by the first entry of epoch {head.epoch + 1} only {self.size} were signed",
                          f"它有 {head.size} 个叶子，而第 {head.epoch + 1} 纪元的首条记录载明只签署了 {self.size} 个")
        if head.size == self.size and head.root != self.root:
            raise Problem(f"its root is not the one that the first entry of epoch {head.epoch + 1} names",
                          f"其根与第 {head.epoch + 1} 纪元首条记录载明的不同")

    def check_newest(self, head):
        """The newest checkpoint of the epoch before is the last one that was signed."""
        self.check(head)
        if head.size < self.size:
            raise Problem(f"it has {head.size} leaves, but {self.size} were signed: the end was cut off",
                          f"它有 {head.size} 个叶子，而已签署 {self.size} 个：末尾被截断")


def of_line(e, epoch):
    """That of a proven line, the first of an epoch; None if its content was dropped."""
    if e["kind"] != "ledger" or strict.integer(e["epoch"], "epoch") != epoch:
        raise Problem("an epoch must begin with an entry of kind ledger of this epoch", "纪元必须以本纪元的 ledger 类条目开始")
    if e["content"] is None:
        return None
    details = e["content"]["details"]
    if e["content"]["action"] != ACTION or not set(DETAILS) <= set(details) or details["epoch"] != str(epoch):
        raise Problem(f"the first entry of epoch {epoch} does not begin it: {shown(e['content']['action'])}",
                      f"第 {epoch} 纪元的首条记录不是纪元的开始：{shown(e['content']['action'])}")
    size = strict.decimal(details["previous_size"], "previous_size")
    strict.decimal(details["kept_size"], "kept_size", 0, size)
    return Beginning(size, strict.base64_bytes(details["previous_root"], 32, "previous_root"))
