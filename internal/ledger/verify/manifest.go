package verify

import (
	"encoding/hex"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger/strict"
)

// manifest is manifest.json, as far as something follows from it.
type manifest struct {
	export     uuid.UUID
	createdAt  time.Time
	origin     string
	epoch      int
	treeSize   int64
	root       tlog.Hash
	count      int64
	firstIndex *int64
	lastIndex  *int64
	dropped    int64
	tampered   int64
	contiguous bool
	first, end int64 // of the selection, if it is contiguous
	files      []packFile
}

// packFile is a member as the manifest has it.
type packFile struct {
	name   string
	bytes  int64
	sha256 string
}

var manifestNames = []string{
	"format", "export_id", "request_entry", "origin", "epoch", "created_at", "requested_by", "reason", "selection", "tree_size", "root",
	"count", "first_index", "last_index", "dropped", "tampered", "tampered_count", "other_epochs", "files",
}

// readManifest reads a manifest; wrong is the member of it that is not what the page says.
func readManifest(raw []byte) (m manifest, wrong string) {
	v, ok := strict.JSON(raw)
	if !ok {
		return m, "json"
	}
	f := &strict.Form{}
	f.Object(v, "members", manifestNames)
	if f.Text(v.Member("format"), "format") != packFormat {
		f.Fail("format")
	}
	m.export = f.UUID(v.Member("export_id"), "export_id")
	f.EntryID(v.Member("request_entry"), "request_entry")
	if m.origin = f.Text(v.Member("origin"), "origin"); !strict.IsOrigin(m.origin) {
		f.Text(strict.Value{}, "origin")
	}
	m.epoch = int(f.Integer(v.Member("epoch"), "epoch", 1, strict.LargestEpoch))
	m.createdAt = instant(f, v.Member("created_at"), "created_at")
	by := f.Object(v.Member("requested_by"), "requested_by", []string{"employee_id", "role", "authenticated"})
	f.UUID(by.Member("employee_id"), "requested_by")
	f.Text(by.Member("role"), "requested_by")
	f.Text(by.Member("authenticated"), "requested_by")
	f.Text(v.Member("reason"), "reason")
	m.selection(f, v.Member("selection"))
	m.treeSize = f.Integer(v.Member("tree_size"), "tree_size", 1, strict.Largest)
	copy(m.root[:], f.Bytes(v.Member("root"), "root", tlog.HashSize))
	m.counts(f, v)
	m.listed(f, v.Member("files"))
	return m, f.Wrong
}

func (m *manifest) selection(f *strict.Form, v strict.Value) {
	const what = "selection"
	switch v.Member("kind").Text {
	case "filtered":
		f.Object(v, what, []string{"kind", "filters"})
		if v.Member("filters").Kind != strict.Object {
			f.Text(strict.Value{}, what)
		}
	case "contiguous":
		f.Object(v, what, []string{"kind", "first_index", "end_index"})
		m.contiguous = true
		m.first = f.Integer(v.Member("first_index"), what, 0, strict.Largest)
		m.end = f.Integer(v.Member("end_index"), what, m.first, strict.Largest)
	default:
		f.Text(strict.Value{}, what)
	}
	f.Text(v.Member("kind"), what)
}

func (m *manifest) counts(f *strict.Form, v strict.Value) {
	m.count = f.Integer(v.Member("count"), "count", 0, strict.Largest)
	m.dropped = f.Integer(v.Member("dropped"), "dropped", 0, strict.Largest)
	f.Integer(v.Member("other_epochs"), "other_epochs", 0, strict.Largest)
	m.firstIndex = f.IntegerOrNull(v.Member("first_index"), "first_index")
	m.lastIndex = f.IntegerOrNull(v.Member("last_index"), "last_index")
	f.Integer(v.Member("tampered_count"), "tampered_count", 0, 0)
	if list := f.Array(v.Member("tampered"), "tampered"); len(list) > 0 {
		f.Text(strict.Value{}, "tampered")
	}
}

func (m *manifest) listed(f *strict.Form, v strict.Value) {
	const what = "files"
	for _, file := range f.Array(v, what) {
		f.Object(file, what, []string{"name", "bytes", "sha256"})
		p := packFile{
			name: f.Text(file.Member("name"), what), bytes: f.Integer(file.Member("bytes"), what, 0, strict.Largest), sha256: f.Text(file.Member("sha256"), what),
		}
		digest, err := hex.DecodeString(p.sha256)
		twice := slices.ContainsFunc(m.files, func(o packFile) bool { return o.name == p.name })
		if err != nil || len(digest) != tlog.HashSize || hex.EncodeToString(digest) != p.sha256 || twice {
			f.Text(strict.Value{}, what)
		}
		m.files = append(m.files, p)
	}
}

var rfc3339 = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z$`)

// instant reads RFC 3339 in UTC, from the year 1 on.
func instant(f *strict.Form, v strict.Value, what string) time.Time {
	parts := rfc3339.FindStringSubmatch(f.Text(v, what))
	if parts == nil {
		f.Text(strict.Value{}, what)
		return time.Time{}
	}
	at, err := time.Parse("2006-01-02T15:04:05", parts[1])
	if err != nil || at.Year() < 1 {
		f.Text(strict.Value{}, what)
	}
	return at
}
