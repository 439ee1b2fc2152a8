package corpus

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// zipped is a member as it is put into a zip; whatever is set deviates from the plain form.
type zipped struct {
	name    string
	content []byte
	stored  bool

	flags                    uint16
	method                   int // as it is called, if it is not 0 or 8; 0: as it is
	packed                   []byte
	extra, localExtra        []byte
	localName                string
	comment                  string
	disk                     uint16
	attributes               uint32
	crc, localCRC            uint32 // added to the right one
	packedMore, unpackedMore uint32 // as above, in the directory
	localPacked, localSize   uint32 // as above, in the header
	described, wide          bool   // a descriptor; 64 bit numbers everywhere
	descriptor               []byte // another descriptor
	before, after            []byte // bytes before the header and after the member
	offset                   uint32 // added to the right one
	onesInHeader             bool   // sizes in the header are all ones, and only the directory has ZIP64
	placeTwice               bool   // ZIP64 in the directory repeats the place, as Go writes it
}

// archive is a zip; whatever is set deviates from the plain form.
type archive struct {
	members                []*zipped
	between                []byte // before the directory
	swap                   bool   // the directory names the first two members the other way round
	wideEnd                bool   // with the end of ZIP64
	endGap, comment, after []byte
	count, length, start   uint32 // added to the right ones
	disk                   uint16
	endSize                uint64 // added to the size of ZIP64's end
	locator                uint64 // added to where the locator says it is
	plainEnd               bool   // ZIP64's end is there, and the end has its own numbers
}

// deflate packs in blocks that are only stored, which every version of every packer does alike, or with
// the fixed code for literals.
func deflate(content []byte, coded bool) []byte {
	if coded {
		return fixed(content)
	}
	var out []byte
	for first := true; first || len(content) > 0; first = false {
		n := min(len(content), 0xffff)
		last := byte(0)
		if n == len(content) {
			last = 1
		}
		out = append(out, last)
		out = binary.LittleEndian.AppendUint16(out, uint16(n))
		out = binary.LittleEndian.AppendUint16(out, ^uint16(n))
		out, content = append(out, content[:n]...), content[n:]
	}
	return out
}

// fixed packs into one block of the fixed code (RFC 1951, section 3.2.6), without looking for repetitions.
func fixed(content []byte) []byte {
	var out []byte
	var acc, n uint
	put := func(v, bits uint) {
		acc |= v << n
		for n += bits; n >= 8; n -= 8 {
			out, acc = append(out, byte(acc)), acc>>8
		}
	}
	code := func(v, bits uint) { // codes are packed from their most significant bit
		for i := int(bits) - 1; i >= 0; i-- {
			put(v>>uint(i)&1, 1)
		}
	}
	put(1, 1)
	put(1, 2)
	for _, c := range content {
		if c < 144 {
			code(0x30+uint(c), 8)
		} else {
			code(0x190+uint(c)-144, 9)
		}
	}
	code(0, 7)
	if n > 0 {
		put(0, 8-n)
	}
	return out
}

func (z *zipped) pack() []byte {
	switch {
	case z.packed != nil:
		return z.packed
	case z.stored:
		return z.content
	}
	return deflate(z.content, false)
}

const ones = 0xffffffff

func le16(b []byte, vs ...uint16) []byte {
	for _, v := range vs {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}

func le32(b []byte, vs ...uint32) []byte {
	for _, v := range vs {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func le64(b []byte, vs ...uint64) []byte {
	for _, v := range vs {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

// field is an extra field.
func field(id uint16, data []byte) []byte { return append(le16(nil, id, uint16(len(data))), data...) }

func (a *archive) bytes() []byte {
	var out []byte
	var entries [][]byte
	for _, z := range a.members {
		packed := z.pack()
		out = append(out, z.before...)
		at := uint32(len(out))
		out = z.header(out, packed)
		out = append(out, packed...)
		if z.described {
			out = z.describe(out, packed)
		}
		out = append(out, z.after...)
		entries = append(entries, z.entry(packed, at+z.offset))
	}
	if a.swap {
		entries[0], entries[1] = entries[1], entries[0]
	}
	out = append(out, a.between...)
	start := len(out)
	out = append(out, slices.Concat(entries...)...)
	return a.end(out, start)
}

func (z *zipped) kind() uint16 {
	switch {
	case z.method != 0:
		return uint16(z.method)
	case z.stored:
		return 0
	}
	return 8
}

func (z *zipped) header(out, packed []byte) []byte {
	name := z.name
	if z.localName != "" {
		name = z.localName
	}
	flags, crc, p, u := z.flags, crc32.ChecksumIEEE(z.content)+z.localCRC, uint32(len(packed))+z.localPacked, uint32(len(z.content))+z.localSize
	extra := z.localExtra
	switch {
	case z.described:
		flags, crc, p, u = flags|8, z.localCRC, z.localPacked, z.localSize
	case z.wide:
		p, u, extra = ones, ones, append(field(1, le64(nil, uint64(u), uint64(p))), extra...)
	case z.onesInHeader:
		p, u = ones, ones
	}
	out = le16(le32(out, 0x04034b50), 20, flags, z.kind(), 0, 0x5c3f)
	out = le16(le32(out, crc, p, u), uint16(len(name)), uint16(len(extra)))
	return append(append(out, name...), extra...)
}

func (z *zipped) describe(out, packed []byte) []byte {
	if z.descriptor != nil {
		return append(out, z.descriptor...)
	}
	out = le32(out, 0x08074b50, crc32.ChecksumIEEE(z.content))
	if z.wide || z.onesInHeader {
		return le64(out, uint64(len(packed)), uint64(len(z.content)))
	}
	return le32(out, uint32(len(packed)), uint32(len(z.content)))
}

func (z *zipped) entry(packed []byte, at uint32) []byte {
	flags, p, u, place := z.flags, uint32(len(packed))+z.packedMore, uint32(len(z.content))+z.unpackedMore, at
	if z.described {
		flags |= 8
	}
	extra := z.extra
	if z.wide || z.onesInHeader {
		data := le64(nil, uint64(u), uint64(p))
		switch {
		case z.placeTwice:
			data = le64(data, uint64(at))
		case z.wide:
			data, place = le64(data, uint64(at)), ones
		}
		p, u, extra = ones, ones, append(field(1, data), extra...)
	}
	out := le16(le32(nil, 0x02014b50), 0x031e, 20, flags, z.kind(), 0, 0x5c3f)
	out = le16(le32(out, crc32.ChecksumIEEE(z.content)+z.crc, p, u), uint16(len(z.name)), uint16(len(extra)), uint16(len(z.comment)), z.disk, 0)
	out = le32(out, z.attributes, place)
	return append(append(append(out, z.name...), extra...), z.comment...)
}

func (a *archive) end(out []byte, start int) []byte {
	count, length := uint32(len(a.members))+a.count, uint32(len(out)-start)+a.length
	place := uint32(start) + a.start
	out = append(out, a.endGap...)
	c, l, p := uint16(count), length, place
	if a.wideEnd {
		at := uint64(len(out))
		out = le64(le32(out, 0x06064b50), 44+a.endSize)
		out = le32(le16(out, 45, 45), 0, 0)
		out = le64(out, uint64(count), uint64(count), uint64(length), uint64(place))
		out = le32(le64(le32(out, 0x07064b50, 0), at+a.locator), 1)
		if !a.plainEnd {
			c, l, p = 0xffff, ones, ones
		}
	}
	out = le16(le32(out, 0x06054b50), a.disk, 0, c, c)
	out = le16(le32(out, l, p), uint16(len(a.comment)))
	return append(append(out, a.comment...), a.after...)
}
