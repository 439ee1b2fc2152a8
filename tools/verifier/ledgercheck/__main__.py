"""The command line. Ends with 0: proven; 3: not proven; 2: wrong usage."""

import os
import sys

if sys.version_info < (3, 9):
    print("Python 3.9 or newer is needed. 需要 Python 3.9 或更高版本。")
    sys.exit(2)

import notes
import proof
import selftest
from folder import Folder
from pack import PackCheck
from problem import Problem, many, shown, within
from rules import LARGEST, Policy

PROVEN, WRONG_USAGE, NOT_PROVEN = 0, 2, 3
USAGE = """usage: verify PACK.zip --policy POLICY.json
       verify --proof FILE --policy POLICY.json
       verify --tree FOLDER --policy POLICY.json [--checkpoint FILE]... [--receipt FILE]...
       verify --self-test
用法：verify 证据包.zip --policy 策略.json
      verify --proof 证明文件 --policy 策略.json
      verify --tree 账本目录 --policy 策略.json [--checkpoint 检查点文件]... [--receipt 回执文件]...
      verify --self-test
exit status 退出码: 0 proven 已证明, 3 not proven 未能证明, 2 wrong usage 用法错误"""


class Usage(Exception):
    pass


def main(arguments):
    if arguments in (["--help"], ["-h"]):
        say(USAGE, sys.stdout)
        return PROVEN
    if arguments == ["--self-test"]:
        return report(selftest.run)
    try:
        check = prepare(arguments)
    except Usage as e:
        say("\n".join(filter(None, (str(e), USAGE))), sys.stderr)
        return WRONG_USAGE
    except Problem as p:
        say(f"{p.english}\n{p.chinese}", sys.stderr)
        return WRONG_USAGE
    return report(check)


def prepare(arguments):
    """What is to be run. Files that cannot be read and a policy that is none are wrong usage."""
    positional, options = parse(arguments)
    modes = [("pack", p) for p in positional] + [(m, v) for m in ("proof", "tree") for v in options[m]]
    if len(modes) != 1 or len(options["policy"]) != 1:
        raise Usage("")
    mode, target = modes[0]
    if mode != "tree" and (options["checkpoint"] or options["receipt"]):
        raise Usage("")
    policy = within(options["policy"][0], Policy, read(options["policy"][0], LARGEST))
    if mode == "tree":
        if not os.path.isdir(target):
            raise Usage(f"not a folder 不是目录: {shown(target)}")
        held, receipts = ([(name, read(name, notes.LARGEST)) for name in options[o]] for o in ("checkpoint", "receipt"))
        return lambda: Folder(target, policy, held, receipts).run()
    if mode == "pack":
        read(target, 0)
        return lambda: PackCheck(target, policy).run()
    content = read(target, notes.LARGEST)
    return lambda: proven_entry(content, policy)


def parse(arguments):
    positional, options = [], {o: [] for o in ("policy", "proof", "tree", "checkpoint", "receipt")}
    rest = iter(arguments)
    for a in rest:
        name, equals, value = a[2:].partition("=")
        if not a.startswith("-"):
            positional.append(a)
        elif a.startswith("--") and name in options:
            value = value if equals else next(rest, "")
            if value == "":
                raise Usage(f"--{name} needs a value. --{name} 需要一个值。")
            options[name].append(value)
        else:
            raise Usage(f"unknown option 未知选项: {shown(a)}")
    return positional, options


def read(name, limit):
    """At most one byte more than the limit, so that what is too long is seen."""
    try:
        with open(name, "rb") as file:
            return file.read(limit + 1)
    except (OSError, ValueError) as e:
        why = getattr(e, "strerror", None) or str(e)
        raise Usage(f"cannot read 无法读取 {shown(name)}: {why}") from None


def proven_entry(content, policy):
    leaf, index, head = proof.check(content, policy)
    return (f"The entry {leaf.id.hex()} of kind {shown(leaf.kind)} has index {index} in the tree of {head.size} leaves that the log and {many(head.witnesses, 'witness', 'witnesses')} signed.",
            f"类别为 {shown(leaf.kind)} 的条目 {leaf.id.hex()} 在日志和 {head.witnesses} 个见证人签名的、有 {head.size} 个叶子的树中，序号为 {index}。")


def say(text, stream):
    if stream is not None:
        try:
            print(text, file=stream)
        except OSError:
            pass


def report(check):
    try:
        english, chinese = check()
    except Problem as p:
        return not_proven(p)
    except Exception as e:  # whatever a hostile file brings about is no proof, and no crash
        name = type(e).__name__
        return not_proven(Problem(f"it cannot be read: {name}: {shown(str(e))}", f"无法读取：{name}：{shown(str(e))}"))
    say(f"PROVEN: {english}\n已证明：{chinese}", sys.stdout)
    return PROVEN


def not_proven(problem):
    say(f"NOT PROVEN: {problem.english}\n未能证明：{problem.chinese}", sys.stdout)
    return NOT_PROVEN


if __name__ == "__main__":
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="backslashreplace")
    status = main(sys.argv[1:])
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            pass  # nobody reads it; the exit status still tells
    os._exit(status)
