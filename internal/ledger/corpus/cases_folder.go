package corpus

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// folder is a ledger's folder: its files by their names.
type folder map[string][]byte

// folder has the files of epochs, the first of so many leaves and the second of so many; witnessed is of
// what the witnesses have seen of the first.
func (w *world) folder(first, witnessed, second int) folder {
	f := folder{}
	put := func(epoch string, files map[string][]byte) {
		for name, content := range files {
			f[epoch+"/"+name] = content
		}
	}
	put("1", w.first.files(first))
	f["1/checkpoint"], f["1/checkpoint.witnessed"] = []byte(w.signed(1, first)), []byte(w.witnessed(1, witnessed))
	if second >= 0 {
		put("2", w.second.files(second))
		f["2/checkpoint"], f["2/checkpoint.witnessed"] = []byte(w.signed(2, second)), []byte(w.witnessed(2, second))
	}
	return f
}

// told is what is given with a folder.
type told struct{ checkpoints, receipts, packs []string }

func (m *maker) folder(name, verdict, section string, f folder, with told) {
	x := Case{Name: "folder: " + name, Mode: "folder", Verdict: verdict, Section: section, Policy: m.policy, Folder: map[string]int{}}
	for _, file := range slices.Sorted(maps.Keys(f)) {
		x.Folder[file] = m.blob(f[file])
	}
	x.Checkpoints, x.Receipts, x.Packs = m.texts(with.checkpoints), m.texts(with.receipts), m.texts(with.packs)
	m.add(x)
}

func (m *maker) folders() {
	none := told{}
	begun := told{packs: []string{string(m.contiguous(2, 7, 0, 1).bytes())}}
	good := func(name string, f folder, with told) { m.folder(name, Verified, secFolder, f, with) }
	good("one epoch", m.world.folder(300, 300, -1), none)
	good("newer leaves that no witness has seen", m.world.folder(300, 290, -1), none)
	good("one full tile", m.world.folder(256, 256, -1), none)
	good("one leaf less than a full tile", m.world.folder(255, 255, -1), none)
	good("one leaf", m.world.folder(1, 1, -1), none)
	good("two epochs", m.world.folder(300, 300, 7), begun)
	m.folder("a second epoch without the leaves that a pack has", Wrong, secFolder, m.world.folder(300, 300, 0), begun)
	good("held checkpoints", m.world.folder(300, 300, -1), told{checkpoints: []string{m.witnessed(1, 1), m.witnessed(1, 256), m.witnessed(1, 300)}})
	good("receipts", m.world.folder(300, 290, -1), told{receipts: []string{m.receipt(1, 0), m.receipt(1, 255), m.receipt(1, 299)}})
	good("a receipt of the second epoch", m.world.folder(300, 300, 7), told{packs: begun.packs, receipts: []string{m.receipt(2, 6), m.receipt(1, 295)}})
	good("a pack of the same tree", m.world.folder(300, 300, -1), told{packs: []string{string(m.contiguous(1, 300, 3, 6).bytes())}})
	more := m.world.folder(300, 300, -1)
	for _, name := range []string{".publishing.lock", ".draft-1", "0/x", "x/checkpoint", "01/checkpoint", "1/x", "1/tile/0/000.p/5", "1/tile/9/000", "4294967297/checkpoint"} {
		more[name] = []byte("of no meaning")
	}
	good("names of no meaning", more, none)
	empty := m.world.folder(1, 1, -1)
	maps.DeleteFunc(empty, func(name string, _ []byte) bool { return strings.Contains(name, "tile") })
	empty["1/checkpoint"] = []byte(m.firstSigned(0))
	delete(empty, "1/checkpoint.witnessed")
	good("a tree of no leaves, which no witness has seen", empty, none)
	full := m.world.folder(300, 300, -1)
	grown := m.world.folder(40, 40, -1)
	for _, name := range []string{"1/tile/0/000", "1/tile/entries/000"} {
		grown[name] = full[name]
		delete(grown, name+".p/40")
	}
	good("full tiles for partial ones that are gone", grown, none)
	both := maps.Clone(grown)
	both["1/tile/0/000.p/40"], both["1/tile/0/000"] = full["1/tile/0/000"][:40*32], []byte("of no meaning beside the partial one")
	good("a partial tile beside another full one", both, none)
	m.filesChanged(none)
	m.folderEnds(begun)
	m.folderTold()
	m.bundles(grown)
}

// firstSigned is a checkpoint that the first log key signed.
func (m *maker) firstSigned(size int) string { return m.signed(1, size) }

// filesChanged does everything to every file.
func (m *maker) filesChanged(none told) {
	wrong := func(name string, f folder) { m.folder(name, Wrong, secFiles, f, none) }
	whole := m.world.folder(300, 290, -1)
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		for what, change := range ordered(map[string]func(b []byte) []byte{
			"empty": func([]byte) []byte { return nil }, "cut off": func(b []byte) []byte { return b[:len(b)-1] }, "a byte longer": func(b []byte) []byte { return append(bytes.Clone(b), 0) },
			"changed at its beginning": func(b []byte) []byte { return flipped(b, 0) }, "changed in its middle": func(b []byte) []byte { return flipped(b, len(b)/2) },
			"changed at its end": func(b []byte) []byte { return flipped(b, len(b)-2) }, "missing": nil,
		}) {
			f := maps.Clone(whole)
			if change == nil {
				delete(f, name)
			} else {
				f[name] = change(f[name])
			}
			wrong(name+" "+what, f)
		}
	}
	unseen := m.world.folder(300, 290, -1)
	unseen["1/checkpoint.witnessed"] = []byte(m.signed(1, 290))
	wrong("checkpoint.witnessed without witnesses", unseen)
	exchanged := m.world.folder(300, 290, -1)
	exchanged["1/checkpoint"] = exchanged["1/checkpoint.witnessed"]
	m.folder("checkpoint older than the leaves", Wrong, secFiles, func() folder {
		f := maps.Clone(exchanged)
		delete(f, "1/tile/entries/001.p/44")
		return f
	}(), none)
	older := m.world.folder(290, 290, -1)
	older["1/checkpoint.witnessed"] = []byte(m.witnessed(1, 300))
	wrong("checkpoint older than checkpoint.witnessed", older)
	m.folder("no witnesses, and none are asked for", Verified, secFolder, func() folder {
		f := m.world.folder(300, 290, -1)
		f["1/checkpoint.witnessed"] = []byte(m.witnessed(1, 290))
		return f
	}(), none)
	x := m.Cases[len(m.Cases)-1]
	p := policy()
	p.set("quorum", "0")
	x.Name, x.Folder, x.Policy = "folder: without checkpoint.witnessed, and a quorum of 0", maps.Clone(x.Folder), m.blob([]byte(p.String()))
	delete(x.Folder, "1/checkpoint.witnessed")
	m.add(x)
	x.Name, x.Folder = "folder: without checkpoint, and a quorum of 0", maps.Clone(x.Folder)
	delete(x.Folder, "1/checkpoint")
	x.Verdict = Wrong
	m.add(x)
	forkedFolder := m.world.folder(300, 290, -1)
	forkedFolder["1/checkpoint"] = []byte(forked(300))
	wrong("a forked checkpoint", forkedFolder)
	forkedFolder = m.world.folder(300, 290, -1)
	forkedFolder["1/checkpoint.witnessed"] = []byte(forked(290))
	wrong("a forked checkpoint.witnessed", forkedFolder)
	other := m.world.folder(300, 290, -1)
	other["1/checkpoint.witnessed"] = []byte(m.witnessed(2, 7))
	wrong("checkpoint.witnessed of another epoch", other)
	other = m.world.folder(300, 290, -1)
	other["1/checkpoint"] = []byte(m.signed(2, 7))
	wrong("checkpoint of another epoch", other)
	wrong("no epoch", folder{"x": nil})
	gap := m.world.folder(300, 300, 7)
	maps.DeleteFunc(gap, func(name string, _ []byte) bool { return strings.HasPrefix(name, "1/") })
	wrong("the first epoch is missing", gap)
	third := m.world.folder(300, 300, -1)
	third["3/checkpoint"] = third["1/checkpoint"]
	wrong("the second epoch of three is missing", third)
	asFile := m.world.folder(300, 300, -1)
	asFile["2"] = []byte("no folder")
	wrong("an epoch that is a file", asFile)
	asFolder := m.world.folder(300, 300, -1)
	delete(asFolder, "1/tile/0/000")
	asFolder["1/tile/0/000/x"] = nil
	wrong("a tile that is a folder", asFolder)
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[max(at, 0)] ^= 1
	return b
}

// folderEnds are about how an epoch ended.
func (m *maker) folderEnds(begun told) {
	m.folder("two epochs, and nothing about the end of the first", Unusable, secEpochs, m.world.folder(300, 300, 7), told{})
	m.folder("two epochs, and a pack without the first entry of the second", Unusable, secEpochs, m.world.folder(300, 300, 7),
		told{packs: []string{string(m.contiguous(2, 7, 1, 3).bytes())}})
	m.folder("an epoch that was signed past its previous_size", Wrong, secEpochs, m.signedPast(), begun)
	m.folder("an epoch that was signed past its previous_size, and nothing about its end", Unusable, secEpochs, m.signedPast(), told{})
	m.folder("an epoch that was cut off before its previous_size", Wrong, secEpochs, m.world.folder(295, 295, 7), begun)
	m.folder("an epoch with its kept leaves only", Wrong, secEpochs, m.world.folder(290, 290, 7), begun)
	other := begun
	other.checkpoints = []string{m.witnessed(1, 295)}
	m.folder("a checkpoint within what was lost", Verified, secEpochs, m.world.folder(300, 300, 7), other)
	other.checkpoints = []string{forked(295)}
	m.folder("a forked checkpoint within what was lost", Wrong, secEpochs, m.world.folder(300, 300, 7), other)
	broken := m.world.folder(300, 300, 7)
	delete(broken, "2/checkpoint.witnessed")
	m.folder("nothing about the end of the first epoch, and no witness of the second", Wrong, secEpochs, broken, told{})
	first := newWorld()
	first.second.entries = first.second.entries[1:]
	t := &tree{epoch: 2}
	for _, e := range first.second.entries {
		t.add(e)
	}
	first.second = t
	m.folder("a second epoch that begins with another entry", Wrong, secEpochs, first.folder(300, 300, 6), begun)
	later := newWorld()
	e := *later.second.entries[6]
	e.epoch = 3
	later.second.leaves[6], later.second.hashes[6] = e.leaf(), digest([]byte{0}, e.leaf())
	m.folder("a leaf of a later epoch", Wrong, secFiles, later.folder(300, 300, 7), begun)
	rewritten := newWorld()
	o := *rewritten.first.entries[150]
	o.texts = copied(o.texts)
	o.texts["reason"] = "another"
	rewritten.first.leaves[150], rewritten.first.hashes[150] = o.leaf(), digest([]byte{0}, o.leaf())
	m.folder("a tree that was rewritten, and a held checkpoint", Wrong, secFolder, rewritten.folder(300, 300, -1), told{checkpoints: []string{m.witnessed(1, 290)}})
	m.folder("a tree that was rewritten, and a receipt that differs from its leaf", Wrong, secReceipt, rewritten.folder(300, 300, -1), told{receipts: []string{m.receipt(1, 150)}})
	m.folder("a tree that was rewritten, and nothing held", Verified, secFolder, rewritten.folder(300, 300, -1), told{})
}

// signedPast has leaves in the first epoch beyond those that the second one names.
func (m *maker) signedPast() folder {
	w := newWorld()
	for n := range 3 {
		w.first.add(newEntry(1, 1000+n, w.first.entries[299].at, "account", map[string]string{"action": "account.linked"}, nil))
	}
	return w.folder(303, 303, 7)
}

func (m *maker) folderTold() {
	whole := m.world.folder(300, 290, -1)
	try := func(name, section string, with told) { m.folder(name, Wrong, section, whole, with) }
	try("a held checkpoint that is larger", secFolder, told{checkpoints: []string{forked(301)}})
	try("a held checkpoint that is a fork", secFolder, told{checkpoints: []string{forked(120)}})
	try("a held checkpoint of no leaves that is a fork", secFolder, told{checkpoints: []string{m.earlyFork(0)}})
	try("a held checkpoint of an epoch that is not there", secFolder, told{checkpoints: []string{m.witnessed(2, 7)}})
	try("a held checkpoint that was not witnessed", secFolder, told{checkpoints: []string{m.signed(1, 290)}})
	try("a held checkpoint that is none", secFolder, told{checkpoints: []string{"x\n"}})
	try("a pack of an epoch that is not there", secFolder, told{packs: []string{string(m.contiguous(2, 7, 0, 1).bytes())}})
	try("a pack that is wrong", secFolder, told{packs: []string{"x"}})
	receipt := m.receipt(1, 5)
	id, leaf := uuidOf(m.first.entries[5].id), b64(m.first.hashes[5])
	plain := origin + "/receipt\n" + id + "\n" + leaf + "\n"
	for name, r := range ordered(map[string]string{
		"for another leaf":               signedBy(strings.Replace(plain, leaf, b64(m.first.hashes[6]), 1)),
		"for another entry":              signedBy(strings.Replace(plain, id, uuidOf(m.first.entries[6].id), 1)),
		"for an entry that is not there": m.receipt(2, 3),
		"changed":                        strings.Replace(receipt, id, uuidOf(m.first.entries[6].id), 1),
		"by somebody":                    plain + "\n" + stranger.line(origin+"/receipt", plain),
		"by the log's key":               plain + "\n" + log2.line(origin+"/1", plain),
		"of another ledger":              signedBy(strings.Replace(plain, "corpus", "korpus", 1)),
		"for an export":                  signedBy(strings.Replace(plain, "/receipt", "/export", 1)),
		"with a line more":               signedBy(plain + "x\n"),
		"with a line less":               signedBy(strings.Replace(plain, leaf+"\n", "", 1)),
		"with an id in upper case":       signedBy(strings.Replace(plain, id, strings.ToUpper(id), 1)),
		"with an id without hyphens":     signedBy(strings.Replace(plain, id, strings.ReplaceAll(id, "-", ""), 1)),
		"with an id of version 4":        signedBy(strings.Replace(plain, id, "8f14e45f-ceea-467f-9d2c-1b2f3c4d5e6f", 1)),
		"with stray bits":                signedBy(strings.Replace(plain, leaf, leaf[:42]+stray(leaf[42])+"=", 1)),
		"with a hash too short":          signedBy(strings.Replace(plain, leaf, leaf[:40], 1)),
		"that is empty":                  "",
		"that is a checkpoint":           m.witnessed(1, 300),
		"without its last line end":      receipt[:len(receipt)-1],
		"with a line end more":           receipt + "\n",
		"with line ends of Windows":      strings.ReplaceAll(receipt, "\n", "\r\n"),
	}) {
		try("a receipt "+name, secReceipt, told{receipts: []string{m.receipt(1, 7), r}})
	}
	early := origin + "/receipt\n" + id + "\n" + leaf + "\n"
	m.folder("a receipt by a key whose range has another checkpoint", Verified, secReceipt, whole,
		told{receipts: []string{early + "\n" + receipt1.line(origin+"/receipt", early)}})
}

// earlyFork is a forked checkpoint by the first log key.
func (m *maker) earlyFork(size int) string {
	text := head(1, size, named("fork"))
	return text + "\n" + log1.line(origin+"/1", text) + cosignatures(text)
}

// bundles are entry bundles that are not what they should be, with tiles and checkpoints that fit.
func (m *maker) bundles(grown folder) {
	none := told{}
	fit := func(change func(t *tree)) folder {
		w := newWorld()
		change(w.first)
		return w.folder(40, 40, -1)
	}
	put := func(t *tree, leaf []byte) { t.leaves[5], t.hashes[5] = leaf, digest([]byte{0}, leaf) }
	for name, change := range ordered(map[string]func(t *tree){
		"an empty leaf":          func(t *tree) { put(t, nil) },
		"a leaf that is longer":  func(t *tree) { put(t, append(bytes.Clone(t.leaves[5]), 0)) },
		"a leaf that is shorter": func(t *tree) { put(t, t.leaves[5][:517]) },
		"a leaf of another ledger": func(t *tree) {
			e := t.entries[5]
			put(t, leafOf("ledger.example/other!", 1, e.id, e.kind, e.commitments()))
		},
		"a leaf of epoch zero":          func(t *tree) { e := t.entries[5]; put(t, leafOf(origin, 0, e.id, e.kind, e.commitments())) },
		"a leaf of a later epoch":       func(t *tree) { e := t.entries[5]; put(t, leafOf(origin, 2, e.id, e.kind, e.commitments())) },
		"a leaf of an epoch too large":  func(t *tree) { e := t.entries[5]; put(t, leafOf(origin, 1<<31, e.id, e.kind, e.commitments())) },
		"a leaf without a kind":         func(t *tree) { e := t.entries[5]; put(t, leafOf(origin, 1, e.id, "", e.commitments())) },
		"a leaf whose kind is no UTF-8": func(t *tree) { e := t.entries[5]; put(t, leafOf(origin, 1, e.id, "\xff", e.commitments())) },
		"a leaf with 13 commitments":    func(t *tree) { e := t.entries[5]; put(t, leafOf(origin, 1, e.id, e.kind, e.commitments()[:416])) },
		"a leaf of another format":      func(t *tree) { b := bytes.Clone(t.leaves[5]); b[18] = 2; put(t, b) },
		"a leaf with another id version": func(t *tree) {
			e := t.entries[5]
			id := bytes.Clone(e.id)
			id[6] = 0x40
			put(t, leafOf(origin, 1, id, e.kind, e.commitments()))
		},
		"a leaf with another id variant": func(t *tree) {
			e := t.entries[5]
			id := bytes.Clone(e.id)
			id[8] = 0
			put(t, leafOf(origin, 1, id, e.kind, e.commitments()))
		},
		"an entry twice":                    func(t *tree) { put(t, t.leaves[4]) },
		"an entry twice, with another leaf": func(t *tree) { e := t.entries[4]; put(t, leafOf(origin, 1, e.id, "account", e.commitments())) },
	}) {
		m.folder("bundle with "+name, Wrong, secFiles, fit(change), none)
	}
	m.folder("bundle with a kind of 255 bytes", Verified, secFiles, fit(func(t *tree) {
		e := t.entries[5]
		put(t, leafOf(origin, 1, e.id, strings.Repeat("k", 255), e.commitments()))
	}), none)
	for name, change := range ordered(map[string]func(b []byte) []byte{
		"full bundle with a leaf less": func(b []byte) []byte { return b[:bytes.LastIndex(b, []byte("lethe/ledger/leaf\n"))-2] },
		"full bundle with a leaf more": func(b []byte) []byte { return append(bytes.Clone(b), binary.BigEndian.AppendUint16(nil, 0)...) },
		"full bundle that is cut off":  func(b []byte) []byte { return b[:len(b)-1] },
	}) {
		f := maps.Clone(grown)
		f["1/tile/entries/000"] = change(f["1/tile/entries/000"])
		m.folder(name, Wrong, secFiles, f, none)
	}
	beyond := maps.Clone(grown)
	b := bytes.Clone(beyond["1/tile/entries/000"])
	b[len(b)-1] ^= 1
	beyond["1/tile/entries/000"] = b
	tile := bytes.Clone(beyond["1/tile/0/000"])
	tile[len(tile)-1] ^= 1
	beyond["1/tile/0/000"] = tile
	m.folder("full files changed beyond what the checkpoint covers", Verified, secFiles, beyond, none)
}
