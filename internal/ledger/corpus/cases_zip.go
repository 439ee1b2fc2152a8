package corpus

import (
	"slices"
	"strings"
)

// zips are the freedoms of a pack's zip, and what is none.
func (m *maker) zips() {
	zip := func(verdict string, table map[string]func(a *archive)) {
		for name, change := range ordered(table) {
			m.pack("zip: "+name, verdict, secZip, m.changed(func(p *pack) { p.zip = change }))
		}
	}
	each := func(change func(z *zipped)) func(a *archive) {
		return func(a *archive) {
			for _, z := range a.members {
				change(z)
			}
		}
	}
	lines := func(change func(z *zipped)) func(a *archive) {
		return func(a *archive) { change(a.member("entries.jsonl")) }
	}
	zip(Verified, map[string]func(a *archive){
		"members in another order": func(a *archive) { slices.Reverse(a.members) },
		"everything stored":        each(func(z *zipped) { z.stored = true }),
		"everything deflated":      each(func(z *zipped) { z.stored = false }),
		"deflated with a code":     each(func(z *zipped) { z.stored, z.packed = false, deflate(z.content, true) }),
		"with times and owners": each(func(z *zipped) {
			z.extra, z.localExtra = field(0x5455, []byte{3, 1, 2, 3, 4}), field(0x7875, []byte{1, 4, 0, 0, 0, 0})
		}),
		"names called UTF-8":                  each(func(z *zipped) { z.flags = 0x0800 }),
		"names called UTF-8 by a fast packer": each(func(z *zipped) { z.flags = 0x0806 }),
		"files with rights":                   each(func(z *zipped) { z.attributes = 0o100600 << 16 }),
		"descriptors":                         each(func(z *zipped) { z.described = true }),
		"ZIP64 everywhere":                    func(a *archive) { a.wideEnd = true; each(func(z *zipped) { z.wide = true })(a) },
		"ZIP64 for the members only":          each(func(z *zipped) { z.wide = true }),
		"ZIP64 at the end only":               func(a *archive) { a.wideEnd = true },
		"ZIP64 in the directory only":         each(func(z *zipped) { z.onesInHeader = true }),
		"ZIP64 with the place once more":      each(func(z *zipped) { z.wide, z.placeTwice = true, true }),
		"ZIP64 and descriptors":               each(func(z *zipped) { z.wide, z.described = true, true }),
	})
	zip(Wrong, map[string]func(a *archive){
		"a member twice": func(a *archive) { a.members = append(a.members, a.members[0]) },
		"a folder":       func(a *archive) { a.members = append(a.members, &zipped{name: "entries/", stored: true}) },
		"a member that no pack has": func(a *archive) {
			a.members = append(a.members, &zipped{name: "more.txt", content: []byte("x"), stored: true})
		},
		"a name in upper case":              lines(func(z *zipped) { z.name = "ENTRIES.JSONL" }),
		"a name with a folder":              lines(func(z *zipped) { z.name = "./entries.jsonl" }),
		"a name with a way out":             lines(func(z *zipped) { z.name = "../entries.jsonl" }),
		"a name that is absolute":           lines(func(z *zipped) { z.name = "/entries.jsonl" }),
		"a name with a zero byte":           lines(func(z *zipped) { z.name = "entries.jsonl\x00" }),
		"a name without letters":            lines(func(z *zipped) { z.name = "" }),
		"another name in the header":        lines(func(z *zipped) { z.localName = "entries.jsonL" }),
		"a link":                            lines(func(z *zipped) { z.attributes = 0o120777 << 16 }),
		"called a folder":                   lines(func(z *zipped) { z.attributes = 0x10 }),
		"a folder by its rights":            lines(func(z *zipped) { z.attributes = 0o040755 << 16 }),
		"a device":                          lines(func(z *zipped) { z.attributes = 0o020600 << 16 }),
		"encrypted":                         lines(func(z *zipped) { z.flags = 1 }),
		"strongly encrypted":                lines(func(z *zipped) { z.flags = 0x41 }),
		"patched data":                      lines(func(z *zipped) { z.flags = 0x20 }),
		"a masked header":                   lines(func(z *zipped) { z.flags = 0x2000 }),
		"bzip2":                             lines(func(z *zipped) { z.method = 12 }),
		"LZMA":                              lines(func(z *zipped) { z.method = 14 }),
		"deflate64":                         lines(func(z *zipped) { z.method = 9 }),
		"Zstandard":                         lines(func(z *zipped) { z.method = 93 }),
		"stored, but called deflated":       lines(func(z *zipped) { z.packed, z.stored = z.content, false }),
		"deflated, but called stored":       lines(func(z *zipped) { z.packed, z.stored = deflate(z.content, false), true }),
		"deflated, and cut off":             lines(func(z *zipped) { d := deflate(z.content, true); z.stored, z.packed = false, d[:len(d)-1] }),
		"deflated, and something behind it": lines(func(z *zipped) { z.stored, z.packed = false, append(deflate(z.content, true), 0) }),
		"deflated without an end":           lines(func(z *zipped) { d := deflate(z.content, false); d[0] = 0; z.stored, z.packed = false, d }),
		"no deflate":                        lines(func(z *zipped) { z.stored, z.packed = false, []byte{7, 1, 2, 3} }),
		"another checksum":                  lines(func(z *zipped) { z.crc, z.localCRC = 1, 1 }),
		"another checksum in the directory": lines(func(z *zipped) { z.crc = 1 }),
		"another checksum in the header":    lines(func(z *zipped) { z.localCRC = 1 }),
		"another size in the header":        lines(func(z *zipped) { z.localSize = 1 }),
		"another packed size in the header": lines(func(z *zipped) { z.localPacked = 1 }),
		"another size in the directory":     lines(func(z *zipped) { z.stored = false; z.unpackedMore, z.localSize = 1, 1 }),
		"a packed size one too large":       lines(func(z *zipped) { z.packedMore, z.localPacked = 1, 1 }),
		"a packed size beyond the file":     lines(func(z *zipped) { z.packedMore, z.localPacked = 1<<30, 1<<30 }),
		"a comment to a member":             lines(func(z *zipped) { z.comment = "x" }),
		"another disk":                      lines(func(z *zipped) { z.disk = 1 }),
		"a comment":                         func(a *archive) { a.comment = []byte("x") },
		"a comment that is not counted":     func(a *archive) { a.after = []byte("x") },
		"a zero byte behind it":             func(a *archive) { a.after = []byte{0} },
		"another end behind it":             func(a *archive) { a.after = append([]byte("PK\x05\x06"), make([]byte, 18)...) },
		"something before it":               func(a *archive) { a.members[0].before = []byte("#!/bin/sh\n") },
		"something before it, and places by it": func(a *archive) {
			a.members[0].before = []byte("#!/bin/sh\n")
			for _, z := range a.members {
				z.offset = ^uint32(9)
			}
			a.start = ^uint32(9)
		},
		"something between two members":           func(a *archive) { a.members[1].before = []byte("x") },
		"something before the directory":          func(a *archive) { a.between = []byte("x") },
		"something behind the directory":          func(a *archive) { a.endGap = []byte("x") },
		"something behind the directory, counted": func(a *archive) { a.endGap, a.length = []byte("x"), 1 },
		"two members at one place":                func(a *archive) { a.members[1].offset = -uint32(30 + 13 + len(a.members[0].content)) },
		"a directory in another order":            func(a *archive) { a.swap = true },
		"a member not in the directory": func(a *archive) {
			hidden := &archive{members: []*zipped{{name: "entries.csv", content: []byte("index\r\n"), stored: true}}}
			b := hidden.bytes()
			a.members[len(a.members)-1].after = b[:30+11+7]
		},
		"a count too small":                    func(a *archive) { a.count = ^uint32(0) },
		"a count too large":                    func(a *archive) { a.count = 1 },
		"a directory that is too short":        func(a *archive) { a.length = ^uint32(0) },
		"a directory elsewhere":                func(a *archive) { a.start = 1 },
		"a disk more":                          func(a *archive) { a.disk = 1 },
		"an unknown extra field":               lines(func(z *zipped) { z.extra = field(0xcafe, nil) }),
		"an unknown extra field in the header": lines(func(z *zipped) { z.localExtra = field(0x7075, []byte("\x01abcdentries.csv")) }),
		"an extra field twice":                 lines(func(z *zipped) { z.extra = append(field(0x5455, []byte{0}), field(0x5455, []byte{0})...) }),
		"an extra field cut off":               lines(func(z *zipped) { z.extra = []byte{0x55, 0x54, 9, 0} }),
		"half an extra field":                  lines(func(z *zipped) { z.extra = []byte{0x55, 0x54} }),
		"an encrypted extra field":             lines(func(z *zipped) { z.extra = field(0x9901, []byte{2, 0, 'A', 'E', 3, 8, 0}) }),
		"ZIP64 without need":                   lines(func(z *zipped) { z.extra = field(1, le64(nil, 1, 1)) }),
		"ZIP64 with too little":                lines(func(z *zipped) { z.packedMore = ones - uint32(len(z.content)); z.extra = field(1, le16(nil, 1)) }),
		"a descriptor that is another":         lines(func(z *zipped) { z.described, z.descriptor = true, make([]byte, 16) }),
		"a descriptor without its mark": lines(func(z *zipped) {
			z.described = true
			z.descriptor = z.describe(nil, z.content)[4:]
		}),
		"a descriptor of 64 bits without ZIP64": lines(func(z *zipped) {
			z.described = true
			z.descriptor = le64(le32(nil, 0x08074b50, le32of(z.describe(nil, z.content)[4:])), uint64(len(z.content)), uint64(len(z.content)))
		}),
		"a descriptor and sizes": lines(func(z *zipped) {
			z.described, z.localSize, z.localPacked = true, uint32(len(z.content)), uint32(len(z.content))
		}),
		"no descriptor where one is said": lines(func(z *zipped) { z.described, z.descriptor = true, []byte{} }),
		"ZIP64's end is of another size":  func(a *archive) { a.wideEnd, a.endSize = true, 1 },
		"ZIP64's end is elsewhere":        func(a *archive) { a.wideEnd, a.locator = true, 1 },
		"ZIP64's end without need":        func(a *archive) { a.wideEnd, a.plainEnd = true, true },
		"something before ZIP64's end":    func(a *archive) { a.wideEnd, a.endGap = true, []byte("x") },
		"all ones in the header without ZIP64": lines(func(z *zipped) {
			z.localSize, z.localPacked = ones-uint32(len(z.content)), ones-uint32(len(z.content))
		}),
	})
	whole := m.contiguous(1, 300, 3, 6).bytes()
	for name, content := range ordered(map[string][]byte{
		"nothing": {}, "its first half": whole[:len(whole)/2], "without its last byte": whole[:len(whole)-1], "without its end": whole[:len(whole)-22], "without its first byte": whole[1:],
		"an end alone": append([]byte("PK\x05\x06"), make([]byte, 18)...), "text": []byte("no zip\n"), "a pack within": slices.Concat(whole, whole), "a policy": []byte(policy().String()),
		"all bytes zero": make([]byte, 1000), "21 bytes": make([]byte, 21), "its middle missing": slices.Concat(whole[:1000], whole[1100:]), "a gzip": []byte("\x1f\x8b\x08" + strings.Repeat("\x00", 30)),
	}) {
		m.pack("no zip: "+name, Wrong, secZip, content)
	}
}

func le32of(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}
