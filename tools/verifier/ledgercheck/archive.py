"""The zip file of a pack, read by the page's grammar: its members one after the other from the first byte
on, in the order of the directory, then the directory, then its end, and nothing else.

Members are unpacked in pieces, and never more of one than the directory says.
"""

import hashlib
import os
import struct
import zlib

from problem import Problem, shown

NEEDED = ("README.txt", "manifest.json", "manifest.sig", "entries.jsonl", "summary.pdf", "checkpoint.txt", "proof.txt")
OPTIONAL = ("entries.csv", "entries.xlsx")
LARGEST_DIRECTORY = 1 << 20  # bytes
PIECE = 1 << 16
LONGEST_LINE = 1 << 24  # bytes, without the line end
STORED, DEFLATED = 0, 8
DESCRIBED = 0x0008  # sizes and checksum follow the member
FLAGS = 0x0806 | DESCRIBED
ZIP64 = 0x0001
EXTRAS = (ZIP64, 0x000A, 0x5455, 0x5855, 0x7875)
SHORT, ONES = 0xFFFF, 0xFFFFFFFF
LOCAL = struct.Struct("<I2xHH4xIIIHH")
DIRECTORY = struct.Struct("<I4xHH4xIIIHHHH2xII")
END = struct.Struct("<IHHHHIIH")
END64 = struct.Struct("<IQ4xIIQQQQ")
LOCATOR = struct.Struct("<IIQI")


class Member:
    def __init__(self, name, flags, method, crc, packed, unpacked, at, wide):
        self.name, self.flags, self.method, self.crc, self.packed, self.unpacked = name, flags, method, crc, packed, unpacked
        self.at, self.wide, self.data = at, wide, 0


class Archive:
    def __init__(self, path):
        self._file = open(path, "rb")
        self._size = os.fstat(self._file.fileno()).st_size
        count, at, length = self._end()
        if length > LARGEST_DIRECTORY:
            raise damaged("its directory is too large")
        directory, self.members, place, rest = self._piece(at, length), {}, 0, 0
        for _ in range(count):
            member, rest = _directory_entry(directory, rest)
            if member.name in self.members:
                raise Problem(f"the member {shown(member.name)} is in the zip twice", f"压缩包中文件 {shown(member.name)} 出现两次")
            if member.at != place or place >= at:
                raise damaged(f"there is something before {member.name} that is no member, or members overlap")
            place = self._header(member, at)
            self.members[member.name] = member
        if rest != len(directory) or place != at:
            raise damaged("there is something between the members and the end that is no member")

    def close(self):
        self._file.close()

    def _piece(self, at, length):
        if not 0 <= at <= self._size - length:
            raise damaged("it is cut off")
        self._file.seek(at)
        piece = self._file.read(length)
        if len(piece) != length:
            raise damaged("it is cut off")
        return piece

    def _end(self):
        """How many members there are, where their directory is, and its length."""
        end = self._size - END.size
        magic, disk, first, here, count, length, at, comment = END.unpack(self._piece(end, END.size))
        if magic != 0x06054B50 or disk or first or here != count or comment:
            raise damaged("it does not end with the end of a directory")
        if SHORT == count or ONES in (length, at):
            end -= LOCATOR.size + END64.size
            magic, size, disk, first, here64, count64, length64, at64 = END64.unpack(self._piece(end, END64.size))
            locator = LOCATOR.unpack(self._piece(end + END64.size, LOCATOR.size))
            if magic != 0x06064B50 or size != END64.size - 12 or disk or first or here64 != count64 or locator != (0x07064B50, 0, end, 1) \
                    or count not in (SHORT, count64) or length not in (ONES, length64) or at not in (ONES, at64):
                raise damaged("the end of its directory, in ZIP64, is not what it should be")
            count, length, at = count64, length64, at64
        if count > len(NEEDED) + len(OPTIONAL) or at + length != end:
            raise damaged("its directory does not stand right before its end, or has too many members")
        return count, at, length

    def _header(self, member, size):
        """Reads the header before a member. Returns where what follows the member begins."""
        if member.at + LOCAL.size > size:
            raise damaged("a member's header is cut off")
        magic, flags, method, crc, packed, unpacked, name_length, extra_length = LOCAL.unpack(self._piece(member.at, LOCAL.size))
        member.data = member.at + LOCAL.size + name_length + extra_length
        if member.data > size or member.packed > size - member.data:
            raise damaged(f"{member.name} reaches into the directory")
        names = self._piece(member.at + LOCAL.size, name_length + extra_length)
        wide = _extras(names[name_length:])
        if magic != 0x04034B50 or (flags, method) != (member.flags, member.method) or names[:name_length] != member.name.encode("ascii"):
            raise different(member)
        end = member.data + member.packed
        if flags & DESCRIBED:
            if crc or packed or unpacked:
                raise different(member)
            form = struct.Struct("<IIQQ" if member.wide else "<IIII")
            if end + form.size > size or form.unpack(self._piece(end, form.size)) != (0x08074B50, member.crc, member.packed, member.unpacked):
                raise different(member)
            return end + form.size
        if crc != member.crc:
            raise different(member)
        for short, want in ((unpacked, member.unpacked), (packed, member.packed)):
            if short != ONES:
                fits = short == want
            elif wide:
                fits, wide = len(wide) >= 8 and int.from_bytes(wide[:8], "little") == want, wide[8:]
            else:
                fits = member.wide
            if not fits:
                raise different(member)
        return end

    def read(self, name, limit):
        """A small member, whole."""
        if self.members[name].unpacked > limit:
            raise Problem(f"{name} is larger than {limit} bytes", f"{name} 超过 {limit} 字节")
        return b"".join(self._pieces(name))

    def digest(self, name):
        """The SHA-256 of a member, in hexadecimal."""
        digest = hashlib.sha256()
        for piece in self._pieces(name):
            digest.update(piece)
        return digest.hexdigest()

    def lines(self, name):
        """The lines of a member without their line ends; the last must have one too."""
        number, begun, length = 0, [], 0
        for piece in self._pieces(name):
            whole = piece.split(b"\n")
            for part in whole[:-1]:
                number += 1
                line = b"".join(begun) + part
                begun, length = [], 0
                _check_length(len(line), name, number)
                yield line
            begun.append(whole[-1])
            length += len(whole[-1])
            _check_length(length, name, number + 1)
        if length:
            raise Problem(f"{name}, line {number + 1}: cut off, it has no line end", f"{name} 第 {number + 1} 行：被截断，没有换行符")

    def _pieces(self, name):
        """A member in pieces; raises unless size and checksum are right and nothing is left."""
        member = self.members[name]
        unpack = zlib.decompressobj(-zlib.MAX_WBITS) if member.method == DEFLATED else None
        at, left, size, crc = member.data, member.packed, 0, 0
        pending = b""
        while True:
            if not pending and left:
                pending = self._piece(at, min(PIECE, left))
                at, left = at + len(pending), left - len(pending)
            if unpack is None:
                piece, pending = pending, b""
            else:
                try:
                    piece = unpack.decompress(pending, PIECE)
                except zlib.error as e:
                    raise damaged(str(e)).within(name) from None
                pending = unpack.unconsumed_tail
                if unpack.unused_data or unpack.eof and (pending or left):
                    raise damaged("something follows what is packed").within(name)
            size, crc = size + len(piece), zlib.crc32(piece, crc)
            if size > member.unpacked:
                raise damaged("it is longer than the directory says").within(name)
            if piece:
                yield piece
            if (unpack.eof if unpack else not left):
                break
            if not piece and not pending and not left:
                raise damaged("it is cut off").within(name)
        if (size, crc) != (member.unpacked, member.crc):
            raise damaged("size or checksum is wrong").within(name)


def damaged(why):
    return Problem(f"this is not the zip of a pack, or it is cut off or damaged: {shown(why)}", f"不是证据包的压缩包，或已被截断或损坏：{shown(why)}")


def different(member):
    return Problem(f"what stands beside {member.name} in the zip is not what its directory says", f"压缩包中 {member.name} 的头尾信息与目录不符")


def _check_length(length, name, number):
    if length > LONGEST_LINE:
        raise Problem(f"{name}, line {number}: longer than {LONGEST_LINE} bytes", f"{name} 第 {number} 行：超过 {LONGEST_LINE} 字节")


def _directory_entry(directory, at):
    if len(directory) - at < DIRECTORY.size:
        raise damaged("its directory is cut off")
    magic, flags, method, crc, packed, unpacked, name_length, extra_length, comment, disk, attributes, place = DIRECTORY.unpack_from(directory, at)
    at += DIRECTORY.size
    end = at + name_length + extra_length
    if magic != 0x02014B50 or comment or disk or end > len(directory):
        raise damaged("its directory is malformed")
    name = directory[at:at + name_length].decode("latin-1")
    if name not in NEEDED + OPTIONAL:
        raise Problem(f"the zip has a member {shown(name)}, which no pack has", f"压缩包中的 {shown(name)} 不属于证据包")
    if flags & ~FLAGS or method not in (STORED, DEFLATED):
        raise Problem(f"the member {name} is encrypted, or neither deflated nor stored", f"文件 {name} 已加密，或压缩方式既非 deflate 也非 stored")
    if attributes >> 28 not in (0, 8) or attributes & 0x10:
        raise Problem(f"the member {name} is no file", f"{name} 不是普通文件")
    wide, sizes = _extras(directory[at + name_length:end]), ONES in (packed, unpacked)
    values = []
    for short in (unpacked, packed, place):
        if short == ONES:
            if len(wide) < 8:
                raise damaged("its directory lacks a size in ZIP64")
            short, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        values.append(short)
    if len(wide) == 8 and sizes and place != ONES and int.from_bytes(wide, "little") == place:
        wide = b""  # the place once more, where sizes alone would do
    if wide:
        raise damaged("its directory has too much in ZIP64")
    unpacked, packed, place = values
    if method == STORED and packed != unpacked:
        raise damaged("a stored member has two sizes")
    return Member(name, flags, method, crc, packed, unpacked, place, sizes), end


def _extras(raw):
    """Checks an extra field. Returns what ZIP64 has in it."""
    wide, seen, at = b"", set(), 0
    while at < len(raw):
        if len(raw) - at < 4:
            raise damaged("an extra field is cut off")
        kind, length = struct.unpack_from("<HH", raw, at)
        if kind not in EXTRAS or kind in seen or len(raw) - at - 4 < length:
            raise damaged("an extra field that no pack has")
        if kind == ZIP64:
            wide = raw[at + 4:at + 4 + length]
        seen.add(kind)
        at += 4 + length
    return wide
