package verify

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
)

// The zip of a pack is read here and not with archive/zip, which forgives what docs/ledger-format.md
// does not: members follow one another from the first byte on, in the order of the directory, then the
// directory, then its end, and nothing else. What an unpacker shows is what was checked.

// packMembers are what a pack consists of; the first seven are never missing.
var packMembers = []string{
	packReadme, packManifest, packSignature, packLines, packSummary, packCheckpoint, packProof, "entries.csv", "entries.xlsx",
}

const mandatoryMembers = 7

// The zip format's own numbers.
const (
	zipLocal, zipDirectory, zipDescriptor = 0x04034b50, 0x02014b50, 0x08074b50
	zipEnd, zipEnd64, zipLocator          = 0x06054b50, 0x06064b50, 0x07064b50

	localSize, directorySize, endSize, end64Size, locatorSize = 30, 46, 22, 56, 20

	zipDescribed = 0x0008 // sizes and checksum follow the member
	zipFlags     = 0x0806 | zipDescribed
	zipStored    = 0
	zipDeflated  = 8
	zipExtra64   = 0x0001
)

// zipExtras are what may stand in an extra field: sizes of ZIP64, times, owners.
var zipExtras = []uint16{zipExtra64, 0x000a, 0x5455, 0x5855, 0x7875}

// largestDirectory is how many bytes the directory of nine members may have.
const largestDirectory = 1 << 20

var errZip = errors.New("not the zip of a pack")

// member is a member of a pack.
type member struct {
	name             string
	flags, method    uint16
	crc              uint32
	packed, unpacked uint64
	at               uint64 // of its header
	data             uint64 // of its first byte
	wide             bool   // the directory has its sizes in ZIP64
	archive          io.ReaderAt
}

// zipReader reads little-endian numbers from the front of bytes; what is missing is an error that stays.
type zipReader struct {
	b   []byte
	err error
}

func (r *zipReader) take(n int) []byte {
	if n > len(r.b) {
		r.err, r.b = errZip, nil
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *zipReader) u16() uint16 { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *zipReader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *zipReader) u64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }

// want is an error unless it holds.
func (r *zipReader) want(holds bool) {
	if !holds {
		r.err = errZip
	}
}

// words reads those numbers of 32 bits, or it is an error.
func (r *zipReader) words(wanted ...uint32) {
	for _, w := range wanted {
		r.want(r.u32() == w)
	}
}

// piece reads n bytes at a place.
func piece(archive io.ReaderAt, size int64, at uint64, n int) *zipReader {
	b := make([]byte, n)
	if n < 0 || at > uint64(size) || uint64(size)-at < uint64(n) {
		return &zipReader{b: b, err: errZip}
	}
	_, err := archive.ReadAt(b, int64(at))
	if errors.Is(err, io.EOF) {
		err = nil // a full read may say so
	}
	return &zipReader{b: b, err: err}
}

// openZip reads the directory and the members' headers.
func openZip(archive io.ReaderAt, size int64) ([]*member, error) {
	count, at, length, err := zipEndOf(archive, size)
	if err != nil {
		return nil, err
	}
	if length > largestDirectory {
		return nil, errZip
	}
	r := piece(archive, size, at, int(length))
	members, next := []*member{}, uint64(0)
	for range count {
		m := r.directory()
		if r.err != nil || m.at != next || m.at >= at {
			return nil, errors.Join(errZip, r.err)
		}
		m.archive = archive
		if next, err = m.header(archive, int64(at)); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	if r.err != nil || len(r.b) != 0 || next != at {
		return nil, errZip
	}
	return members, nil
}

// zipEndOf reads the end of the directory, which ends the file: how many members there are, and where
// the directory stands.
func zipEndOf(archive io.ReaderAt, size int64) (count, at, length uint64, err error) {
	r := piece(archive, size, uint64(size)-endSize, endSize)
	r.words(zipEnd, 0) // and the numbers of disks
	here, all, short, start := r.u16(), r.u16(), r.u32(), r.u32()
	r.want(here == all && r.u16() == 0) // no comment
	if r.err != nil {
		return 0, 0, 0, r.err
	}
	count, length, at = uint64(all), uint64(short), uint64(start)
	end := uint64(size) - endSize
	if all == 0xffff || short == 0xffffffff || start == 0xffffffff {
		end -= locatorSize + end64Size
		r := piece(archive, size, end, end64Size+locatorSize)
		r.want(r.u32() == zipEnd64 && r.u64() == end64Size-12)
		r.take(4) // versions
		r.want(r.u64() == 0)
		here, wide := r.u64(), r.u64()
		r.want(here == wide)
		length64, at64 := r.u64(), r.u64()
		r.words(zipLocator, 0)
		r.want(r.u64() == end)
		r.words(1)
		r.want(all == 0xffff || uint64(all) == wide)
		r.want(short == 0xffffffff || uint64(short) == length64)
		r.want(start == 0xffffffff || uint64(start) == at64)
		if r.err != nil {
			return 0, 0, 0, r.err
		}
		count, length, at = wide, length64, at64
	}
	if count > uint64(len(packMembers)) || length > end || at != end-length {
		return 0, 0, 0, errZip
	}
	return count, at, length, nil
}

// directory reads what the directory says of the next member.
func (r *zipReader) directory() *member {
	r.want(r.u32() == zipDirectory)
	r.take(4) // versions
	m := &member{flags: r.u16(), method: r.u16()}
	r.take(4) // time
	m.crc = r.u32()
	packed, unpacked := r.u32(), r.u32()
	name, extra, comment := int(r.u16()), int(r.u16()), r.u16()
	r.want(r.u16() == 0 && comment == 0) // disk
	r.take(2)
	attributes, at := r.u32(), r.u32()
	m.name = string(r.take(name))
	fields := &zipReader{b: r.take(extra)}
	wide := fields.extras()
	widen := func(v uint32) uint64 {
		if v != 0xffffffff {
			return uint64(v)
		}
		m.wide = true
		return wide.u64()
	}
	m.unpacked, m.packed = widen(unpacked), widen(packed)
	sizes := m.wide
	m.at = widen(at)
	// Go's own writer repeats the place where sizes alone would have to be there.
	if len(wide.b) == 8 && sizes && at != 0xffffffff {
		r.want(wide.u64() == m.at)
	}
	r.want(fields.err == nil && wide.err == nil && len(wide.b) == 0)
	m.wide = sizes
	kind := attributes >> 28
	r.want((kind == 0 || kind == 8) && attributes&0x10 == 0) // a file, no link and no folder
	r.want(m.flags&^zipFlags == 0 && (m.method == zipStored || m.method == zipDeflated) && slices.Contains(packMembers, m.name))
	r.want(m.method == zipDeflated || m.packed == m.unpacked)
	return m
}

// extras checks an extra field, and gives what ZIP64 has in it.
func (r *zipReader) extras() *zipReader {
	wide, seen := &zipReader{}, map[uint16]bool{}
	for len(r.b) > 0 && r.err == nil {
		id := r.u16()
		data := r.take(int(r.u16()))
		r.want(slices.Contains(zipExtras, id) && !seen[id])
		if seen[id] = true; id == zipExtra64 {
			wide.b = data
		}
	}
	return wide
}

// header reads the header before a member, which says what the directory says, and where it ends.
func (m *member) header(archive io.ReaderAt, size int64) (end uint64, err error) {
	r := piece(archive, size, m.at, localSize)
	r.want(r.u32() == zipLocal)
	r.take(2)
	flags, method := r.u16(), r.u16()
	r.want(flags == m.flags && method == m.method)
	r.take(4)
	crc, packed, unpacked := r.u32(), r.u32(), r.u32()
	name, extra := int(r.u16()), int(r.u16())
	if r.err != nil {
		return 0, r.err
	}
	r = piece(archive, size, m.at+localSize, name+extra)
	r.want(string(r.take(name)) == m.name)
	wide := r.extras()
	m.data = m.at + localSize + uint64(name) + uint64(extra)
	if m.data > uint64(size) || m.packed > uint64(size)-m.data {
		return 0, errZip
	}
	end = m.data + m.packed
	if m.flags&zipDescribed != 0 {
		r.want(crc == 0 && packed == 0 && unpacked == 0)
		if r.err != nil {
			return 0, r.err
		}
		return m.descriptor(archive, size, end)
	}
	// A size of all ones is one that stands in ZIP64, here or in the directory only.
	same := func(short uint32, want uint64) {
		switch {
		case short != 0xffffffff:
			r.want(uint64(short) == want)
		case len(wide.b) > 0:
			r.want(wide.u64() == want)
		default:
			r.want(m.wide)
		}
	}
	r.want(crc == m.crc)
	same(unpacked, m.unpacked)
	same(packed, m.packed)
	r.want(wide.err == nil)
	return end, r.err
}

// descriptor reads what follows a member that is described there.
func (m *member) descriptor(archive io.ReaderAt, size int64, at uint64) (end uint64, err error) {
	n := 16
	if m.wide {
		n = 24
	}
	r := piece(archive, size, at, n)
	r.words(zipDescriptor, m.crc)
	size64 := func() uint64 { return uint64(r.u32()) }
	if m.wide {
		size64 = r.u64
	}
	packed, unpacked := size64(), size64()
	r.want(packed == m.packed && unpacked == m.unpacked)
	return at + uint64(n), r.err
}

// open reads a member; the end comes as an error unless size and checksum are right and nothing is left.
func (m *member) open() io.Reader {
	packed := bufio.NewReader(io.NewSectionReader(m.archive, int64(m.data), int64(m.packed)))
	r := &unpacker{member: m, packed: packed, from: packed}
	if m.method == zipDeflated {
		r.from = flate.NewReader(packed)
	}
	return r
}

// unpacker checks what it unpacks.
type unpacker struct {
	member *member
	packed *bufio.Reader
	from   io.Reader
	crc    uint32
	n      uint64
}

func (u *unpacker) Read(b []byte) (int, error) {
	n, err := u.from.Read(b)
	u.crc, u.n = crc32.Update(u.crc, crc32.IEEETable, b[:n]), u.n+uint64(n)
	if u.n > u.member.unpacked {
		return 0, errZip
	}
	if errors.Is(err, io.EOF) {
		if _, more := u.packed.Peek(1); u.n != u.member.unpacked || u.crc != u.member.crc || more == nil {
			return n, errZip
		}
	} else if err != nil {
		err = errZip
	}
	return n, err
}
