package corpus

import (
	"fmt"
	"slices"
	"strings"
)

// The sections of the page.
const (
	secPack     = "Export pack"
	secManifest = "The manifest"
	secLine     = "The lines"
	secProofTxt = "The proof of a pack"
	secZip      = "The zip"
	secJSON     = "JSON"
	secWords    = "Numbers, base64, ids and times"
	secNote     = "Signed notes"
	secHead     = "Checkpoints"
	secCosign   = "Cosignatures"
	secPolicy   = "The policy"
	secFiles    = "The files"
	secFolder   = "To verify the folder"
	secReceipt  = "Receipts"
	secProof    = "Proof of an entry"
	secEpochs   = "Epochs"
	secDropped  = "Dropped content"
)

// packs are whole ones of every sort, and those that do not hang together.
func (m *maker) packs() {
	good := func(name string, p *pack, held ...string) { m.pack(name, Verified, secPack, p.bytes(), held...) }
	good("everything of the first epoch", m.contiguous(1, 300, 0, 300))
	good("a range over two tiles", m.contiguous(1, 300, 250, 261))
	good("a range of one", m.contiguous(1, 300, 256, 257))
	good("the last one", m.contiguous(1, 300, 299, 300))
	good("an empty range", m.contiguous(1, 300, 7, 7))
	good("an empty range at the end", m.contiguous(1, 300, 300, 300))
	good("an empty range at the beginning", m.contiguous(1, 300, 0, 0))
	good("a selection", m.filtered(1, 300, 3, 17, 18, 255, 256, 298))
	good("a selection of none", m.filtered(1, 300))
	good("content that was dropped", m.contiguous(1, 300, 0, 5))
	good("a tree of one", firstKeys(m.contiguous(1, 1, 0, 1)))
	good("a tree of two", firstKeys(m.contiguous(1, 2, 0, 2)))
	good("a tree of three, without its middle", firstKeys(m.filtered(1, 3, 0, 2)))
	good("a tree of four", firstKeys(m.filtered(1, 4, 3)))
	good("the second epoch", m.contiguous(2, 7, 0, 7))
	good("the second epoch without its first entry", m.contiguous(2, 7, 1, 7))
	for size := 1; size <= size2; size++ {
		good(fmt.Sprintf("the first entry of the second epoch in a tree of %d", size), m.contiguous(2, size, 0, 1))
	}
	good("a held checkpoint of the same tree", m.contiguous(1, 300, 3, 6), m.witnessed(1, 300))
	good("a held checkpoint of an earlier tree", m.contiguous(1, 300, 3, 6), m.witnessed(1, 120))
	good("a held checkpoint of the end of the epoch before", m.contiguous(2, 7, 0, 2), m.witnessed(1, 300), m.witnessed(1, 295))
	tables := m.contiguous(1, 300, 3, 6)
	tables.extra = map[string][]byte{"entries.csv": []byte("index\r\n3\r\n"), "entries.xlsx": []byte("PK, as people see it")}
	good("with tables", tables)
	empty := m.contiguous(1, 300, 3, 6)
	empty.extra = map[string][]byte{"entries.csv": {}}
	good("with an empty table", empty)
	m.brokenPacks()
	m.ends()
}

// firstKeys signs with the keys that count for small trees.
func firstKeys(p *pack) *pack {
	p.signature = func(export string, manifest []byte) string {
		text := manifestText(export, manifest)
		return text + "\n" + receipt1.line(origin+"/receipt", text)
	}
	return p
}

// changed is a pack of three entries (and more with n) after a change.
func (m *maker) changed(change func(p *pack)) []byte {
	p := m.contiguous(1, 300, 3, 6)
	change(p)
	return p.bytes()
}

func (m *maker) brokenPacks() {
	for name, change := range ordered(map[string]func(p *pack){
		"a line removed":                     func(p *pack) { p.lines = slices.Delete(p.lines, 1, 2) },
		"the last line removed":              func(p *pack) { p.lines = p.lines[:2] },
		"all lines removed":                  func(p *pack) { p.lines = nil },
		"a line twice":                       func(p *pack) { p.lines = slices.Insert(p.lines, 1, lineOf(3, p.w.first.entries[3])) },
		"two lines exchanged":                func(p *pack) { p.lines[0], p.lines[1] = p.lines[1], p.lines[0] },
		"a line more":                        func(p *pack) { p.lines = append(p.lines, lineOf(6, p.w.first.entries[6])) },
		"a line of another index":            func(p *pack) { p.lines[2].set("index", "7") },
		"a line beyond the tree":             func(p *pack) { p.lines[2].set("index", "300") },
		"another entry's line":               func(p *pack) { p.lines[1] = lineOf(4, p.w.first.entries[8]) },
		"an index of the end of integers":    func(p *pack) { p.lines[2].set("index", "9223372036854775807") },
		"a count too small":                  func(p *pack) { p.manifest.set("count", "2") },
		"a count too large":                  func(p *pack) { p.manifest.set("count", "4") },
		"another first index":                func(p *pack) { p.manifest.set("first_index", "2") },
		"another last index":                 func(p *pack) { p.manifest.set("last_index", "6") },
		"a larger range":                     func(p *pack) { p.selection.set("end_index", "7") },
		"a range that begins earlier":        func(p *pack) { p.selection.set("first_index", "2") },
		"a smaller range":                    func(p *pack) { p.selection.set("end_index", "5") },
		"an empty range with lines":          func(p *pack) { p.selection.set("end_index", "3") },
		"a range that ends before it begins": func(p *pack) { p.selection.set("end_index", "2") },
		"another dropped":                    func(p *pack) { p.manifest.set("dropped", "1") },
		"another tree size":                  func(p *pack) { p.manifest.set("tree_size", "299") },
		"another root":                       func(p *pack) { p.manifest.set("root", text(b64(named("root")))) },
		"another epoch":                      func(p *pack) { p.manifest.set("epoch", "2") },
		"another origin":                     func(p *pack) { p.manifest.set("origin", `"ledger.example/other"`) },
		"another checkpoint":                 func(p *pack) { p.checkpoint = p.w.witnessed(1, 299) },
		"the checkpoint of another epoch":    func(p *pack) { p.checkpoint = p.w.witnessed(2, 7) },
		"a forked checkpoint": func(p *pack) {
			text := head(1, 300, named("fork"))
			p.checkpoint = text + "\n" + logLine(1, 300, text) + cosignatures(text)
		},
		"a fork with its manifest": func(p *pack) {
			text := head(1, 300, named("fork"))
			p.checkpoint = text + "\n" + logLine(1, 300, text) + cosignatures(text)
			p.manifest.set("root", `"`+b64(named("fork"))+`"`)
		},
		"other_epochs below zero":                          func(p *pack) { p.manifest.set("other_epochs", "-1") },
		"tampered lines that are not":                      func(p *pack) { p.manifest.set("tampered", "[4]"); p.manifest.set("tampered_count", "1") },
		"tampered, but none counted":                       func(p *pack) { p.manifest.set("tampered", "[4]") },
		"a tampered line":                                  tamper(true),
		"a tampered line that the manifest does not count": tamper(false),
		"a member more":                                    func(p *pack) { p.extra = map[string][]byte{"more.txt": []byte("more")} },
		"another state":                                    func(p *pack) { p.lines[0].set("state", `"whole"`) },
		"called dropped":                                   func(p *pack) { p.lines[0].set("state", `"dropped"`) },
	}) {
		m.pack("broken: "+name, Wrong, secPack, m.changed(change))
	}
	for _, name := range []string{"README.txt", "manifest.json", "manifest.sig", "entries.jsonl", "summary.pdf", "checkpoint.txt", "proof.txt"} {
		m.pack("without "+name, Wrong, secPack, m.changed(func(p *pack) { p.without = []string{name} }))
		if !strings.HasPrefix(name, "manifest") {
			m.pack("without "+name+", which the manifest has", Wrong, secPack, m.changed(func(p *pack) {
				p.unsigned = func(members map[string][]byte) { delete(members, name) }
			}))
			m.pack(name+" changed behind the manifest", Wrong, secManifest, m.changed(func(p *pack) {
				p.unsigned = func(members map[string][]byte) { members[name] = append([]byte(" "), members[name]...) }
			}))
		}
	}
	m.pack("a table that the manifest does not have", Wrong, secPack, m.changed(func(p *pack) {
		p.unsigned = func(members map[string][]byte) { members["entries.csv"] = []byte("index\r\n") }
	}))
	for name, held := range ordered(map[string]string{
		"a fork": forked(300), "not witnessed": m.signed(1, 300), "no checkpoint": "no checkpoint\n", "of another log": strings.ReplaceAll(m.witnessed(1, 300), "corpus", "korpus"),
		"an empty file": "",
	}) {
		m.pack("a held checkpoint that is "+name, Wrong, secPack, m.contiguous(1, 300, 3, 6).bytes(), held)
	}
	m.proofTexts()
}

// forked is a checkpoint of another tree of the first epoch, signed and witnessed.
func forked(size int) string {
	text := head(1, size, named("fork"))
	return text + "\n" + logLine(1, size, text) + cosignatures(text)
}

func tamper(counted bool) func(p *pack) {
	return func(p *pack) {
		p.lines[1].set("state", `"tampered"`)
		for _, name := range []string{"commitments", "salts"} {
			p.lines[1].set(name, "null")
		}
		p.lines[1].content = nil
		p.lines[1].details = nil
		p.lines[1].set("content", "null")
		if counted {
			p.manifest.set("tampered", "[4]")
			p.manifest.set("tampered_count", "1")
		}
	}
}

func (m *maker) proofTexts() {
	for name, change := range ordered(map[string]func(string) string{
		"a hash too few":           func(s string) string { return s[45:] },
		"a hash too many":          func(s string) string { return s + s[:45] },
		"the last hash cut off":    func(s string) string { return s[:len(s)-45] },
		"without a last line end":  func(s string) string { return s[:len(s)-1] },
		"two hashes exchanged":     func(s string) string { return s[45:90] + s[:45] + s[90:] },
		"an empty line":            func(s string) string { return s[:45] + "\n" + s[45:] },
		"an empty line at the end": func(s string) string { return s + "\n" },
		"line ends of Windows":     func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"a space before a hash":    func(s string) string { return " " + s },
		"a space behind a hash":    func(s string) string { return strings.Replace(s, "\n", " \n", 1) },
		"no padding":               func(s string) string { return strings.Replace(s, "=\n", "\n", 1) },
		"the other alphabet":       func(string) string { return strings.Repeat("_", 42) + "8=\n" },
		"stray bits":               func(s string) string { return s[:42] + stray(s[42]) + s[43:] },
		"a byte order mark":        func(s string) string { return "\ufeff" + s },
		"no UTF-8":                 func(s string) string { return "\xff" + s[1:] },
		"nothing":                  func(string) string { return "" },
		"a hash of 31 bytes":       func(s string) string { return b64(named("x")[:31]) + s[44:] },
		"a hash that is another":   func(s string) string { return b64(named("x")) + s[44:] },
	}) {
		m.pack("proof.txt: "+name, Wrong, secProofTxt, m.changed(func(p *pack) { p.rawProof = change }))
	}
}

// stray is another letter of base64 for the same bytes: the bits that stand for nothing are not zero.
func stray(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return string(alphabet[strings.IndexByte(alphabet, c)|1])
}

// ends are packs that tell how the epoch before ended, and others that begin wrongly.
func (m *maker) ends() {
	begun := func(change func(e *entry)) (*tree, *pack) {
		w := newWorld()
		e := *w.second.entries[0]
		e.texts, e.details = copied(e.texts), copied(e.details)
		change(&e)
		t := &tree{epoch: 2}
		t.add(&e)
		for _, o := range w.second.entries[1:] {
			t.add(o)
		}
		w.second = t
		return t, w.contiguous(2, 7, 0, 7)
	}
	for name, change := range ordered(map[string]func(e *entry){
		"another action":              func(e *entry) { e.texts["action"] = "ledger.policy_changed" },
		"another kind":                func(e *entry) { e.kind = "account" },
		"a leaf of the epoch before":  func(e *entry) { e.epoch = 1 },
		"another epoch":               func(e *entry) { e.details["epoch"] = "3" },
		"an epoch with a zero":        func(e *entry) { e.details["epoch"] = "02" },
		"no previous_size":            func(e *entry) { delete(e.details, "previous_size") },
		"no previous_root":            func(e *entry) { delete(e.details, "previous_root") },
		"no kept_size":                func(e *entry) { delete(e.details, "kept_size") },
		"more kept than there was":    func(e *entry) { e.details["kept_size"] = "301" },
		"a previous_size with a sign": func(e *entry) { e.details["previous_size"] = "+300" },
		"a previous_size with a zero": func(e *entry) { e.details["previous_size"] = "0300" },
		"a previous_size too large":   func(e *entry) { e.details["previous_size"] = "9223372036854775808" },
		"a negative kept_size":        func(e *entry) { e.details["kept_size"] = "-1" },
		"a previous_root cut off":     func(e *entry) { e.details["previous_root"] = e.details["previous_root"][:40] },
		"a previous_root with stray bits": func(e *entry) {
			r := e.details["previous_root"]
			e.details["previous_root"] = r[:42] + stray(r[42]) + r[43:]
		},
	}) {
		_, p := begun(change)
		m.pack("an epoch that begins with "+name, Wrong, secEpochs, p.bytes())
	}
	_, session := begun(func(e *entry) { e.details["session_id"] = "019c0000-0000-7000-8000-00000000000d" })
	m.pack("an epoch that begins with a detail of its session", Verified, secEpochs, session.bytes())
	_, same := begun(func(e *entry) { e.details["kept_size"] = "300" })
	m.pack("an epoch that begins without a loss", Verified, secEpochs, same.bytes())
	m.pack("a checkpoint of the epoch before that is larger than previous_size", Wrong, secEpochs, m.contiguous(2, 7, 0, 1).bytes(), forked(301))
	m.pack("a checkpoint of the epoch before with another root", Wrong, secEpochs, m.contiguous(2, 7, 0, 1).bytes(), forked(300))
	m.pack("a checkpoint of the epoch before within what was lost", Verified, secEpochs, m.contiguous(2, 7, 0, 1).bytes(), m.witnessed(1, 295))
	m.pack("a checkpoint of the epoch before, and nothing about its end", Verified, secEpochs, m.contiguous(2, 7, 1, 3).bytes(), forked(301))
	late := m.contiguous(2, 7, 1, 3)
	late.lines[0].set("epoch", "3")
	m.pack("a leaf of a later epoch", Wrong, secLine, late.bytes())
	m.dropped()
}

// dropped are lines without content.
func (m *maker) dropped() {
	none := func(p *pack) {
		p.lines[0].content, p.lines[0].details = nil, nil
		for _, name := range []string{"salts", "content"} {
			p.lines[0].set(name, "null")
		}
		p.lines[0].set("state", `"dropped"`)
		p.manifest.set("dropped", "1")
	}
	m.pack("content dropped too early", Wrong, secDropped, m.changed(none))
	m.pack("content dropped too early, by a pack that says it is of the year 3000", Wrong, secDropped, m.changed(func(p *pack) {
		none(p)
		p.manifest.set("created_at", `"3000-01-01T00:00:00Z"`)
	}))
	old := func(created string) []byte {
		p := m.contiguous(1, 300, 0, 3)
		p.manifest.set("created_at", text(created))
		return p.bytes()
	}
	m.pack("content dropped on the first day", Verified, secDropped, old("2020-02-01T00:00:00Z"))
	m.pack("content dropped a moment before the first day", Wrong, secDropped, old("2020-01-31T23:59:59.999999999Z"))
	for name, change := range ordered(map[string]func(l *line){
		"with salts":          func(l *line) { l.set("salts", text(b64(make([]byte, 224)))) },
		"with content":        func(l *line) { l.set("content", lineOf(3, m.first.entries[3]).contentText()) },
		"called intact":       func(l *line) { l.set("state", `"intact"`) },
		"without commitments": func(l *line) { l.set("commitments", "null") },
		"with another kind":   func(l *line) { l.set("kind", `"account"`) },
	}) {
		p := m.contiguous(1, 300, 0, 3)
		change(p.lines[0])
		m.pack("dropped content "+name, Wrong, secDropped, p.bytes())
	}
}

func (l *line) contentText() string {
	_ = l.String()
	return l.get("content")
}

func copied(m map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[k] = v
	}
	return out
}
