"""Readers that accept one spelling only: base64, decimals, UUIDs, times, JSON."""

import base64
import binascii
import datetime
import json
import re

from problem import Problem, shown

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
HEX_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
EPOCH_START = datetime.datetime(1970, 1, 1)
LARGEST = 2**63 - 1  # of indexes and sizes
LARGEST_EPOCH = 2**31 - 1
DEEPEST = 32  # levels of arrays and objects


def base64_bytes(text, length, what):
    """The bytes of canonical base64: RFC 4648 section 4, padded, no stray bits, nothing around it."""
    if isinstance(text, str):
        try:
            raw = base64.b64decode(text.encode("ascii"), validate=True)
            if base64.b64encode(raw).decode("ascii") == text and length in (None, len(raw)):
                return raw
        except (binascii.Error, ValueError):
            pass
    size, size_zh = (f" of {length} bytes", f"（{length} 字节）") if length is not None else ("", "")
    raise Problem(f"{what} is not the base64{size} that it should be: {shown(text)}",
                  f"{what} 不是规范的 base64{size_zh}：{shown(text)}")


def decimal(text, what, least=0, most=LARGEST):
    """The number of a canonical decimal: no sign, no leading zero."""
    if not DECIMAL.fullmatch(text) or not least <= int(text) <= most:
        raise Problem(f"{what} is not a decimal number from {least} on: {shown(text)}",
                      f"{what} 不是从 {least} 起的规范十进制数：{shown(text)}")
    return int(text)


class Number:
    """A JSON number as it was written."""

    def __init__(self, written):
        self.written = written

    def __repr__(self):
        return self.written


def integer(value, what, least=0, most=LARGEST):
    """A JSON number that is an integer of that range, written like a decimal."""
    if type(value) is not Number or not DECIMAL.fullmatch(value.written) or not least <= int(value.written) <= most:
        raise Problem(f"{what} is not an integer from {least} to {most}: {shown(value)}",
                      f"{what} 不是 {least} 到 {most} 之间的整数：{shown(value)}")
    return int(value.written)


def text(value, what):
    if type(value) is not str:
        raise Problem(f"{what} is not a text: {shown(value)}", f"{what} 不是文本：{shown(value)}")
    return value


def uuid(value, what):
    """A UUID's 36 characters, as they are."""
    if type(value) is not str or not UUID.fullmatch(value):
        raise Problem(f"{what} is not a UUID in lower case: {shown(value)}",
                      f"{what} 不是小写的 UUID：{shown(value)}")
    return value


def entry_id(value, what):
    """The 16 bytes of an entry's id, a UUID of version 7."""
    raw = bytes.fromhex(uuid(value, what).replace("-", ""))
    check_entry_id(raw, what)
    return raw


def check_entry_id(raw, what):
    if raw[6] >> 4 != 7 or raw[8] >> 6 != 2:
        raise Problem(f"{what} is not a UUID of version 7: {raw.hex()}", f"{what} 不是第 7 版 UUID：{raw.hex()}")


def entry_time(raw):
    """The time in an entry's id, in UTC and without a zone."""
    try:
        return EPOCH_START + datetime.timedelta(milliseconds=int.from_bytes(raw[:6], "big"))
    except OverflowError:
        raise Problem(f"the id {raw.hex()} has a time after the year 9999",
                      f"编号 {raw.hex()} 中的时间晚于 9999 年") from None


def rfc3339(value, what):
    """A time in UTC, written with Z; without its fraction of a second."""
    match = re.fullmatch(r"(?!0000)(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z", text(value, what), re.ASCII)
    try:
        return datetime.datetime.strptime(match.group(1), "%Y-%m-%dT%H:%M:%S")
    except (AttributeError, ValueError):
        raise Problem(f"{what} is not a time of RFC 3339 in UTC: {shown(value)}",
                      f"{what} 不是 RFC 3339 的 UTC 时间：{shown(value)}") from None


def _once(pairs):
    names = dict(pairs)
    if len(names) != len(pairs):
        seen = set()
        twice = next(n for n, _ in pairs if n in seen or seen.add(n))
        raise Problem(f"the name {shown(twice)} stands twice in one JSON object",
                      f"同一个 JSON 对象中名称 {shown(twice)} 出现两次")
    return names


def _constant(name):
    raise Problem(f"{name} is no JSON", f"{name} 不是 JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_int=Number, parse_float=Number, parse_constant=_constant)


def json_object(raw):
    """A JSON object (RFC 8259) of UTF-8 bytes, in which no name stands twice."""
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError as e:
        raise Problem(f"byte {e.start} is not UTF-8", f"第 {e.start} 个字节不是 UTF-8") from None
    except RecursionError:
        raise Problem("JSON nested too deeply", "JSON 嵌套过深") from None
    except ValueError as e:
        reason = shown(str(e))
        raise Problem(f"no JSON: {reason}", f"不是 JSON：{reason}") from None
    _check_form(value)
    if type(value) is not dict:
        raise Problem("not a JSON object", "不是 JSON 对象")
    return value


def utf8(value, what):
    """The bytes of a text; JSON can spell halves of characters, which have none."""
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise Problem(f"{what} has half of a character (a lone surrogate)",
                      f"{what} 中有不完整的字符（孤立代理项）") from None


def _check_form(value):
    """Refuses a lone surrogate anywhere, and what is nested too deeply."""
    pending = [(value, 1)]
    while pending:
        v, depth = pending.pop()
        if type(v) is str:
            utf8(v, "JSON")
        elif type(v) in (list, dict):
            if depth > DEEPEST:
                raise Problem("JSON nested too deeply", "JSON 嵌套过深")
            pending.extend((w, depth + 1) for w in v)
            if type(v) is dict:
                pending.extend((w, depth + 1) for w in v.values())


def members(value, what, needed, optional=()):
    """Refuses a value that is not an object of exactly these names."""
    if type(value) is not dict:
        raise Problem(f"{what} is not an object", f"{what} 不是对象")
    for name in needed:
        if name not in value:
            raise Problem(f"{what} has no {shown(name)}", f"{what} 缺少 {shown(name)}")
    if len(value) > len(needed):
        for name in value:
            if name not in needed and name not in optional:
                raise Problem(f"{what} has the unknown name {shown(name)}", f"{what} 中有未知名称 {shown(name)}")
    return value


def array(value, what):
    if type(value) is not list:
        raise Problem(f"{what} is not an array", f"{what} 不是数组")
    return value
