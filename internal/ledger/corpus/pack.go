package corpus

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// pack is an evidence pack before it is put together; what is changed in it before is signed by the log,
// what is changed behind is not.
type pack struct {
	w          *world
	epoch      int
	size       int
	lines      []*line
	proof      [][]byte
	checkpoint string
	manifest   *object
	by         *object
	selection  *object
	extra      map[string][]byte // more members
	without    []string          // members that are left out

	rawLines    func(string) string // changes entries.jsonl
	rawProof    func(string) string
	rawManifest func(string) string
	files       func(files []*object) []*object
	signature   func(export string, manifest []byte) string
	unsigned    func(members map[string][]byte) // changes members that the manifest has already
	zip         func(a *archive)
}

// line is one of entries.jsonl.
type line struct {
	*object
	content, details *object
}

func (l *line) String() string {
	if l.details != nil {
		l.content.set("details", l.details.String())
		l.details = nil
	}
	if l.content != nil {
		l.set("content", l.content.String())
		l.content = nil
	}
	return l.object.String()
}

// lineOf writes an entry in its place.
func lineOf(index int, e *entry) *line {
	l := &line{object: newObject(
		"index", number(int64(index)), "epoch", number(int64(e.epoch)), "id", text(uuidOf(e.id)), "at", text(e.at.Format("2006-01-02T15:04:05.000Z")),
		"kind", text(e.kind), "leaf_hash", text(b64(digest([]byte{0}, e.leaf()))), "commitments", text(b64(e.commitments())),
	)}
	if e.dropped {
		for _, null := range []string{"salts", "content"} {
			l.set(null, "null")
		}
		l.set("state", `"dropped"`)
		return l
	}
	l.set("salts", text(b64(e.salts)))
	l.content, l.details = newObject(), newObject()
	for _, name := range fieldNames {
		switch value := e.texts[name]; {
		case name == "details":
			for _, k := range sortedKeys(e.details) {
				l.details.set(k, text(e.details[k]))
			}
		case value == "" && strings.HasSuffix(name, "_id") && name != "request_id":
			l.content.set(name, "null")
		default:
			l.content.set(name, text(value))
		}
	}
	l.set("content", "")
	l.set("state", `"intact"`)
	return l
}

func between(first, end int) (indexes []int) {
	for i := first; i < end; i++ {
		indexes = append(indexes, i)
	}
	return indexes
}

// contiguous is a pack of a range of an epoch, with a checkpoint of size leaves.
func (w *world) contiguous(epoch, size, first, end int) *pack {
	p := w.filtered(epoch, size, between(first, end)...)
	p.selection = newObject("kind", `"contiguous"`, "first_index", number(int64(first)), "end_index", number(int64(end)))
	return p
}

// filtered is a pack of chosen entries.
func (w *world) filtered(epoch, size int, indexes ...int) *pack {
	t := w.tree(epoch)
	p := &pack{w: w, epoch: epoch, size: size, proof: t.proof(size, indexes), checkpoint: w.witnessed(epoch, size), extra: map[string][]byte{}}
	dropped := 0
	first, last := "null", "null"
	for i, index := range indexes {
		p.lines = append(p.lines, lineOf(index, t.entries[index]))
		if t.entries[index].dropped {
			dropped++
		}
		if last = number(int64(index)); i == 0 {
			first = last
		}
	}
	p.by = newObject("employee_id", `"019c0000-0000-7000-8000-00000000000e"`, "role", `"auditor"`, "authenticated", `"oidc"`)
	p.selection = newObject("kind", `"filtered"`, "filters", `{"kind":"departure","limit":-1.5e3}`)
	p.manifest = newObject("format", `"lethe-evidence-pack/1"`, "export_id", `"019c0000-0000-7000-8000-0000000000ff"`,
		"origin", text(origin), "epoch", number(int64(epoch)), "created_at", `"2026-02-01T00:00:00.5Z"`,
		"request_entry", `"019c1352-2262-7000-8000-000000000002"`, "requested_by", "", "reason", `"劳动仲裁 <&>"`, "selection", "",
		"tree_size", number(int64(size)), "root", text(b64(t.root(0, size))), "count", number(int64(len(indexes))), "first_index", first, "last_index", last,
		"dropped", number(int64(dropped)), "tampered", "[]", "tampered_count", "0", "other_epochs", "0", "files", "")
	return p
}

// bytes puts it together.
func (p *pack) bytes() []byte {
	change := func(f func(string) string, s string) []byte {
		if f != nil {
			s = f(s)
		}
		return []byte(s)
	}
	var lines, proof strings.Builder
	for _, l := range p.lines {
		lines.WriteString(l.String() + "\n")
	}
	for _, h := range p.proof {
		proof.WriteString(b64(h) + "\n")
	}
	members := map[string][]byte{
		"README.txt": []byte("\ufeffHow to check this pack. 核验说明。\r\n"), "entries.jsonl": change(p.rawLines, lines.String()),
		"summary.pdf": []byte("%PDF-1.4\n%%EOF\n"), "checkpoint.txt": []byte(p.checkpoint), "proof.txt": change(p.rawProof, proof.String()),
	}
	for name, content := range p.extra {
		members[name] = content
	}
	for _, name := range p.without {
		delete(members, name)
	}
	var files []*object
	for _, name := range []string{"entries.jsonl", "entries.csv", "entries.xlsx", "proof.txt", "checkpoint.txt", "README.txt", "summary.pdf", "more.txt"} {
		if content, there := members[name]; there {
			files = append(files, newObject("name", text(name), "bytes", number(int64(len(content))), "sha256", text(hex.EncodeToString(digest(content)))))
		}
	}
	if p.files != nil {
		files = p.files(files)
	}
	for name, raw := range map[string]string{"requested_by": p.by.String(), "selection": p.selection.String(), "files": fmt.Sprint("[", joined(files), "]")} {
		if i := p.manifest.find(name); i >= 0 && p.manifest.members[i].raw == "" {
			p.manifest.set(name, raw)
		}
	}
	manifest := change(p.rawManifest, p.manifest.spaced("", "\n  ")+"\n")
	members["manifest.json"] = manifest
	if p.signature == nil {
		p.signature = signManifest
	}
	members["manifest.sig"] = []byte(p.signature("019c0000-0000-7000-8000-0000000000ff", manifest))
	for _, name := range p.without {
		delete(members, name)
	}
	if p.unsigned != nil {
		p.unsigned(members)
	}
	return p.archive(members)
}

func joined(objects []*object) string {
	var all []string
	for _, o := range objects {
		all = append(all, o.String())
	}
	return strings.Join(all, ",")
}

func manifestText(export string, manifest []byte) string {
	return origin + "/export\n" + export + "\n" + b64(digest(manifest)) + "\n"
}

func signManifest(export string, manifest []byte) string {
	text := manifestText(export, manifest)
	return text + "\n" + receipt2.line(origin+"/receipt", text)
}

func (p *pack) archive(members map[string][]byte) []byte {
	a := &archive{}
	for _, name := range []string{
		"entries.jsonl", "entries.csv", "entries.xlsx", "proof.txt", "checkpoint.txt", "README.txt", "summary.pdf", "more.txt", "manifest.json", "manifest.sig",
	} {
		if content, there := members[name]; there {
			a.members = append(a.members, &zipped{name: name, content: content, stored: name != "proof.txt"})
		}
	}
	if p.zip != nil {
		p.zip(a)
	}
	return a.bytes()
}

// member is one of the zip by its name.
func (a *archive) member(name string) *zipped {
	return a.members[slices.IndexFunc(a.members, func(z *zipped) bool { return z.name == name })]
}
