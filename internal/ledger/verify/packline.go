package verify

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
	"lethe/internal/ledger/strict"
)

// packLine is a line of entries.jsonl (docs/ledger-format.md).
type packLine struct {
	Index       int64
	Epoch       int
	ID          uuid.UUID
	At          string
	Kind        string
	LeafHash    []byte
	Commitments []byte
	Salts       []byte          // nil: null
	Content     *[fields][]byte // the values in the form that is committed to; nil: null
	State       string
}

var lineNames = []string{"index", "epoch", "id", "at", "kind", "leaf_hash", "commitments", "salts", "content", "state"}

// readLine reads a line; false for what is none. Of a line that says that it was tampered with only
// its place is of interest.
func readLine(text []byte) (*packLine, bool) {
	v, ok := strict.JSON(text)
	if !ok {
		return nil, false
	}
	f := &strict.Form{}
	f.Object(v, "line", lineNames)
	l := &packLine{
		Index: f.Integer(v.Member("index"), "index", 0, strict.Largest), LeafHash: f.Bytes(v.Member("leaf_hash"), "leaf_hash", tlog.HashSize),
		State: f.Text(v.Member("state"), "state"),
	}
	if l.State == "tampered" {
		l.ID, _ = strict.UUID(v.Member("id").Text)
		return l, f.Wrong == ""
	}
	l.Epoch = int(f.Integer(v.Member("epoch"), "epoch", 1, strict.LargestEpoch))
	l.ID = f.EntryID(v.Member("id"), "id")
	l.At = f.Text(v.Member("at"), "at")
	if l.Kind = f.Text(v.Member("kind"), "kind"); l.Kind == "" || len(l.Kind) > 255 {
		f.Fail("kind")
	}
	l.Commitments = f.Bytes(v.Member("commitments"), "commitments", fields*sha256.Size)
	if salts := v.Member("salts"); salts.Kind != strict.Null {
		l.Salts = f.Bytes(salts, "salts", fields*ledger.SaltSize)
	}
	if content := v.Member("content"); content.Kind != strict.Null {
		l.Content = contentOf(f, content)
	}
	return l, f.Wrong == ""
}

// contentOf reads what an entry says.
func contentOf(f *strict.Form, v strict.Value) *[fields][]byte {
	const what = "content"
	f.Object(v, what, ledger.FieldNames[:])
	var values [fields][]byte
	for i, name := range ledger.FieldNames {
		switch field := v.Member(name); {
		case i == fieldDetails:
			values[i] = canonical(f.Texts(field, what))
		case !idFields[i]:
			values[i] = []byte(f.Text(field, what))
		case field.Kind != strict.Null:
			f.UUID(field, what)
			values[i] = []byte(field.Text)
		}
	}
	return &values
}

// leafOf builds the leaf's bytes from what the line says, so that nothing else can be in it.
func (l *packLine) leafOf(origin string) []byte {
	b := append([]byte(leafDomain), 1, byte(len(origin)))
	b = append(b, origin...)
	b = binary.BigEndian.AppendUint32(b, uint32(l.Epoch)) // checked by the caller
	b = append(b, l.ID[:]...)
	b = append(append(b, byte(len(l.Kind))), l.Kind...)
	return append(append(b, byte(fields)), l.Commitments...)
}

const packTime = "2006-01-02T15:04:05.000Z"

// check says what is wrong with a line of a pack that was made at a time: a code and a field, or
// nothing.
func (l *packLine) check(h *hmac256, origin string, tree int, made time.Time) (Code, string) {
	if l.State == "tampered" {
		return ChangedContent, "state"
	}
	if l.Epoch > tree {
		return Malformed, "epoch"
	}
	if timeOf(l.ID).Year() > 9999 || l.At != timeOf(l.ID).Format(packTime) {
		return ChangedRow, "at"
	}
	hash, _ := hashOf(l.LeafHash)
	parsed, ok := parseLeaf(l.leafOf(origin))
	if !ok || tlog.RecordHash(l.leafOf(origin)) != hash {
		return ChangedLeaf, "leaf_hash"
	}
	if l.State == "dropped" {
		if l.Content != nil || l.Salts != nil {
			return ChangedContent, "state"
		}
		if until := keptUntil(timeOf(l.ID)); made.Before(until) || time.Now().Before(until) {
			return MissingContent, "content" // who makes packs could hide what they like
		}
		return "", ""
	}
	if l.Content == nil {
		return MissingContent, "content"
	}
	row := contentRow{values: *l.Content, salts: l.Salts}
	if field, opens := h.opens(parsed, &row); !opens {
		return ChangedContent, field
	}
	if l.State != "intact" {
		return ChangedContent, "state"
	}
	return "", ""
}
