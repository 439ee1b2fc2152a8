"""Signed notes: a text, an empty line, and signature lines."""

import base64
import hashlib
from collections import namedtuple

import ed25519
import strict
from problem import Problem, shown

LOG, WITNESS = 0x01, 0x04  # types of keys
LARGEST = 1 << 20  # bytes of a note
MOST_SIGNATURES = 100
PREFIX = "— "
WHITE_SPACE = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000")

Note = namedtuple("Note", "text signatures")  # bytes; (key name, key id, signature)


class Key:
    """A public key with its name; its id is made of both and of its type."""

    def __init__(self, name, kind, public):
        self.name, self.kind, self.public = name, kind, public
        self.id = hashlib.sha256(name.encode("utf-8") + b"\n" + bytes([kind]) + public).digest()[:4]

    def __str__(self):
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    def verifies(self, text, signature):
        if self.kind == WITNESS:
            if len(signature) != 72:
                return False
            time = int.from_bytes(signature[:8], "big")
            if not 0 < time < 1 << 63:
                return False
            text, signature = b"cosignature/v1\ntime %d\n" % time + text, signature[8:]
        return ed25519.verify(self.public, text, signature)


def parse_key(text, kind, what):
    """A key of the form name+id+base64, of that type."""
    parts = strict.text(text, what).split("+", 2)
    if len(parts) != 3 or not is_name(parts[0]):
        raise Problem(f"{what} is not <name>+<id>+<key>: {shown(text)}", f"{what} 不是 <名称>+<编号>+<公钥>：{shown(text)}")
    raw = strict.base64_bytes(parts[2], 33, what)
    key = Key(parts[0], kind, raw[1:])
    if raw[0] != kind or key.id.hex() != parts[1]:
        raise Problem(f"{what} has the wrong type or a key id that does not fit: {shown(text)}",
                      f"{what} 的类型不对，或密钥编号不符：{shown(text)}")
    return key


def is_name(name):
    return name != "" and "+" not in name and not any(c in WHITE_SPACE or c < " " for c in name)


def parse(raw):
    """The text and the signatures, checked for their form only."""
    if len(raw) > LARGEST:
        raise Problem("too long for a signed note", "对签名文本来说过长")
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError as e:
        raise Problem(f"byte {e.start} is not UTF-8", f"第 {e.start} 个字节不是 UTF-8") from None
    if any(c < " " and c != "\n" for c in whole):
        raise Problem("there is a control character in it", "其中有控制字符")
    text, empty_line, rest = whole.partition("\n\n")
    if not empty_line or text == "" or text.startswith("\n"):
        raise Problem("not a signed note: no text, or no empty line before the signatures",
                      "不是签名文本：没有正文，或签名前没有空行")
    if not rest.endswith("\n"):
        raise Problem("no signature, or the last line is cut off", "没有签名，或最后一行被截断")
    lines = rest[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise Problem("too many signatures", "签名过多")
    return Note((text + "\n").encode("utf-8"), [_signature(line) for line in lines])


def _signature(line):
    name, space, encoded = line[len(PREFIX):].partition(" ")
    if not line.startswith(PREFIX) or not space or not is_name(name):
        raise Problem(f"not a signature line: {shown(line)}", f"不是签名行：{shown(line)}")
    raw = strict.base64_bytes(encoded, None, "signature")
    if len(raw) < 5:
        raise Problem(f"a signature is too short: {shown(line)}", f"签名过短：{shown(line)}")
    return name, raw[:4], raw[4:]


def signers(note, keys):
    """Those of the keys that signed. A wrong signature in the name of one makes the note invalid."""
    signed = []
    for name, id_, signature in note.signatures:
        named = [key for key in keys if (key.name, key.id) == (name, id_)]
        right = [key for key in named if key.verifies(note.text, signature)]
        if named and not right:
            raise Problem(f"the signature by {shown(name)} is wrong", f"{shown(name)} 的签名不正确")
        signed += right
    return signed
