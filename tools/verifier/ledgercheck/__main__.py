"""The command line. Ends with 0: verified; 3: wrong; 2: unusable, or wrong usage."""

import io
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
from problem import Problem, Unusable, many, shown, within
from rules import LARGEST, Policy

VERIFIED, UNUSABLE, WRONG = 0, 2, 3
USAGE = """usage: verify PACK.zip --policy POLICY.json [--checkpoint FILE]...
       verify --proof FILE --policy POLICY.json
       verify --tree FOLDER --policy POLICY.json [--checkpoint FILE]... [--receipt FILE]... [--pack PACK.zip]...
       verify --batch
       verify --self-test
用法：verify 证据包.zip --policy 策略.json [--checkpoint 检查点文件]...
      verify --proof 证明文件 --policy 策略.json
      verify --tree 账本目录 --policy 策略.json [--checkpoint 检查点文件]... [--receipt 回执文件]... [--pack 证据包.zip]...
      verify --batch
      verify --self-test
exit status 退出码: 0 verified 已核验, 3 wrong 有误, 2 unusable 无法判定"""


class Usage(Exception):
    pass


def main(arguments):
    if arguments in (["--help"], ["-h"]):
        say(USAGE, sys.stdout)
        return VERIFIED
    if arguments == ["--self-test"]:
        return report(selftest.run)
    if arguments == ["--batch"]:
        return batch()
    try:
        check = prepare(arguments)
    except Usage as e:
        say("\n".join(filter(None, (str(e), USAGE))), sys.stderr)
        return UNUSABLE
    except Problem as p:
        return failed(Unusable(p.english, p.chinese))
    return report(check)


def batch():
    """Answers each line of its input, arguments with tabs between them, by one line: the exit status and what was said."""
    for line in sys.stdin:
        stdout, stderr = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = said = io.StringIO()
        try:
            status = main(line.rstrip("\n").split("\t"))
        finally:
            sys.stdout, sys.stderr = stdout, stderr
        print(status, " ".join(said.getvalue().split("\n")), flush=True)
    return VERIFIED


def prepare(arguments):
    """What is to be run. Without files that can be read and a policy that is one, there is nothing to judge."""
    positional, options = parse(arguments)
    modes = [("pack", p) for p in positional] + [(m, v) for m in ("proof", "tree") for v in options[m]]
    if len(modes) != 1 or len(options["policy"]) != 1:
        raise Usage("")
    mode, target = modes[0]
    if mode != "tree" and (options["receipt"] or options["pack"]) or mode == "proof" and options["checkpoint"]:
        raise Usage("")
    policy = within(options["policy"][0], Policy, read(options["policy"][0], LARGEST))
    held, receipts = ([(name, read(name, notes.LARGEST)) for name in options[o]] for o in ("checkpoint", "receipt"))
    for name in options["pack"] + [target] * (mode == "pack"):
        read(name, 0)
    if mode == "tree":
        if not os.path.isdir(target):
            raise Unusable(f"not a folder: {shown(target)}", f"不是目录：{shown(target)}")
        return lambda: Folder(target, policy, held, receipts, options["pack"]).run()
    if mode == "pack":
        return lambda: PackCheck(target, policy, held).run()
    content = read(target, notes.LARGEST)
    return lambda: proven_entry(content, policy)


def parse(arguments):
    positional, options = [], {o: [] for o in ("policy", "proof", "tree", "checkpoint", "receipt", "pack")}
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
        raise Unusable(f"cannot read {shown(name)}: {why}", f"无法读取 {shown(name)}：{why}") from None


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
        return failed(p)
    except Exception as e:  # whatever a hostile file brings about is no proof, and no crash
        name = type(e).__name__
        return failed(Problem(f"it cannot be read: {name}: {shown(str(e))}", f"无法读取：{name}：{shown(str(e))}"))
    say(f"VERIFIED: {english}\n已核验：{chinese}", sys.stdout)
    return VERIFIED


def failed(problem):
    if isinstance(problem, Unusable):
        say(f"UNUSABLE: {problem.english}\n无法判定：{problem.chinese}", sys.stdout)
        return UNUSABLE
    say(f"WRONG: {problem.english}\n有误：{problem.chinese}", sys.stdout)
    return WRONG


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
