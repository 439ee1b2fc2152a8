"""The zip file of a pack, read without trust: nothing twice, nothing between its members, no bombs.

Members are read in pieces; only after the manifest's signature was checked is more than the
manifest unpacked, and never more of a member than the manifest says.
"""

import hashlib
import io
import struct
import zipfile
import zlib

from problem import Problem, shown

MOST_MEMBERS = 64
PIECE = 1 << 20
LONGEST_LINE = 1 << 24  # bytes
END_SIZE = 22  # bytes of the end of the directory, without its comment
LOCAL_HEADER = struct.Struct("<4s5H3I2H")
ENCRYPTED, DESCRIPTOR, STRONG, MASKED = 0x1, 0x8, 0x40, 0x2000
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, struct.error, ValueError, NotImplementedError,
           RuntimeError, OverflowError, IndexError, KeyError, AttributeError)


class Archive:
    def __init__(self, path):
        try:
            self._zip = zipfile.ZipFile(path)
            infos = self._zip.infolist()
        except DAMAGED as e:
            raise damaged(e) from None
        if len(infos) > MOST_MEMBERS:
            raise Problem(f"the zip has {len(infos)} members, too many for a pack", f"压缩包有 {len(infos)} 个文件，过多")
        self.members = {}
        for info in infos:
            if info.orig_filename in self.members:
                raise Problem(f"the member {shown(info.orig_filename)} is in the zip twice",
                              f"压缩包中文件 {shown(info.orig_filename)} 出现两次")
            self.members[info.orig_filename] = info
        with open(path, "rb") as file:
            try:
                _check_layout(file, sorted(infos, key=lambda i: i.header_offset), self._zip.start_dir)
                _check_end(file, len(self._zip.comment))
            except DAMAGED as e:
                raise damaged(e) from None

    def read(self, name, limit):
        """A small member, whole."""
        if self.members[name].file_size > limit:
            raise Problem(f"{name} is larger than {limit} bytes", f"{name} 超过 {limit} 字节")
        return b"".join(self._pieces(name))

    def digest(self, name):
        """How many bytes a member has unpacked, and their SHA-256 in hexadecimal."""
        size, digest = 0, hashlib.sha256()
        for piece in self._pieces(name):
            size += len(piece)
            digest.update(piece)
        return size, digest.hexdigest()

    def lines(self, name):
        """The lines of a member without their line ends; the last must have one too."""
        number = 0
        try:
            with self._zip.open(self.members[name]) as member:
                reader = io.BufferedReader(member, PIECE)
                while True:
                    line = reader.readline(LONGEST_LINE + 1)
                    if not line:
                        return
                    number += 1
                    if not line.endswith(b"\n"):
                        if len(line) > LONGEST_LINE:
                            raise Problem(f"{name}, line {number}: longer than {LONGEST_LINE} bytes",
                                          f"{name} 第 {number} 行：超过 {LONGEST_LINE} 字节")
                        raise Problem(f"{name}, line {number}: cut off, it has no line end",
                                      f"{name} 第 {number} 行：被截断，没有换行符")
                    yield line[:-1]
        except DAMAGED as e:
            raise damaged(e).within(name) from None

    def _pieces(self, name):
        try:
            with self._zip.open(self.members[name]) as member:
                while True:
                    piece = member.read(PIECE)
                    if not piece:
                        return
                    yield piece
        except DAMAGED as e:
            raise damaged(e).within(name) from None


def damaged(error):
    why = shown(str(error) or type(error).__name__)
    return Problem(f"the zip cannot be read to its end, it is cut off or damaged: {why}",
                   f"压缩包无法完整读取，已被截断或损坏：{why}")


def _check_layout(file, infos, directory):
    """Members stand one after the other from the first byte to the directory, as it describes them."""
    at = 0
    for info in infos:
        name = shown(info.orig_filename)
        if info.flag_bits & (ENCRYPTED | STRONG | MASKED) or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Problem(f"the member {name} is encrypted, or neither deflated nor stored",
                          f"文件 {name} 已加密，或压缩方式既非 deflate 也非 stored")
        if info.header_offset != at:
            raise Problem(f"there is something in the zip before {name} that is no member, or members overlap",
                          f"压缩包中 {name} 之前有不属于任何文件的内容，或文件重叠")
        file.seek(at)
        header = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
        _, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length = header
        raw = file.read(name_length)
        if header[0] != b"PK\x03\x04" or method != info.compress_type or flags & DESCRIPTOR != info.flag_bits & DESCRIPTOR \
                or raw.decode("utf-8" if flags & 0x800 else "cp437") != info.orig_filename:
            raise Problem(f"the header of {name} is not what the zip's directory says", f"{name} 的文件头与压缩包目录不符")
        at += LOCAL_HEADER.size + name_length + extra_length + info.compress_size
        if flags & DESCRIPTOR:
            file.seek(at)
            at += _descriptor(file.read(24), info)
        elif crc != info.CRC or packed not in (info.compress_size, 0xFFFFFFFF) or unpacked not in (info.file_size, 0xFFFFFFFF):
            raise Problem(f"the header of {name} is not what the zip's directory says", f"{name} 的文件头与压缩包目录不符")
    if at != directory:
        raise Problem("there is something in the zip before its directory that is no member", "压缩包目录之前有不属于任何文件的内容")


def _check_end(file, comment):
    """The directory's end, and its comment, are the last bytes."""
    file.seek(-(END_SIZE + comment), io.SEEK_END)
    end = file.read(END_SIZE)
    if end[:4] != b"PK\x05\x06" or int.from_bytes(end[-2:], "little") != comment:
        raise Problem("there is something behind the end of the zip", "压缩包末尾之后还有其他内容")


def _descriptor(raw, info):
    """The length of the data descriptor behind a member, which repeats checksum and sizes."""
    for form in ("<4sIII", "<4sIQQ", "<III", "<IQQ"):
        size = struct.calcsize(form)
        if len(raw) < size:
            continue
        values = struct.unpack_from(form, raw)
        if "s" in form:
            if values[0] != b"PK\x07\x08":
                continue
            values = values[1:]
        if values == (info.CRC, info.compress_size, info.file_size):
            return size
    name = shown(info.orig_filename)
    raise Problem(f"what stands behind {name} in the zip is not its checksum and sizes", f"压缩包中 {name} 之后的校验和与大小不符")
