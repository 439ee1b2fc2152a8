package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// packLine is a line of entries.jsonl (docs/ledger-format.md).
type packLine struct {
	Index       int64      `json:"index"`
	Epoch       int        `json:"epoch"`
	ID          uuid.UUID  `json:"id"`
	At          string     `json:"at"`
	Kind        string     `json:"kind"`
	LeafHash    []byte     `json:"leaf_hash"`
	Commitments []byte     `json:"commitments"`
	Salts       []byte     `json:"salts"`
	Content     *packEntry `json:"content"`
	State       string     `json:"state"`
}

// packEntry is what the entry says.
type packEntry struct {
	Action        string            `json:"action"`
	ActorID       *uuid.UUID        `json:"actor_id"`
	ActorRole     string            `json:"actor_role"`
	Authenticated string            `json:"authenticated"`
	UserID        *uuid.UUID        `json:"user_id"`
	SubjectID     *uuid.UUID        `json:"subject_id"`
	Object        string            `json:"object"`
	RequestedBy   string            `json:"requested_by"`
	Purpose       string            `json:"purpose"`
	Reason        string            `json:"reason"`
	Result        string            `json:"result"`
	Rule          string            `json:"rule"`
	RequestID     string            `json:"request_id"`
	Details       map[string]string `json:"details"`
}

func (c *packEntry) values() [fields][]byte {
	id := func(id *uuid.UUID) []byte {
		if id == nil {
			return nil
		}
		return []byte(id.String())
	}
	return [fields][]byte{
		[]byte(c.Action), id(c.ActorID), []byte(c.ActorRole), []byte(c.Authenticated), id(c.UserID), id(c.SubjectID), []byte(c.Object),
		[]byte(c.RequestedBy), []byte(c.Purpose), []byte(c.Reason), []byte(c.Result), []byte(c.Rule), []byte(c.RequestID), canonical(c.Details),
	}
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
	hash, ok := hashOf(l.LeafHash)
	if !ok || l.Epoch < 1 || l.Epoch > tree || l.ID.Version() != 7 || l.Kind == "" || len(l.Kind) > 255 {
		return Malformed, "leaf_hash"
	}
	if l.At != timeOf(l.ID).Format(packTime) {
		return ChangedRow, "at"
	}
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
	row := contentRow{values: l.Content.values(), salts: l.Salts}
	if field, opens := h.opens(parsed, &row); !opens {
		return ChangedContent, field
	}
	if l.State != "intact" {
		return ChangedContent, "state"
	}
	return "", ""
}

// readLine reads a line, and refuses one that is not in the one form that a line has: what a person
// reads in it must be what was checked.
func readLine(text []byte) (*packLine, bool) {
	var l packLine
	if json.Unmarshal(text, &l) != nil || !bytes.Equal(l.marshal(), text) {
		return nil, false
	}
	return &l, true
}

// marshal writes the line: the members in their order, no blanks, and nothing escaped that need not be.
func (l *packLine) marshal() []byte {
	b := strconv.AppendInt([]byte(`{"index":`), l.Index, 10)
	b = strconv.AppendInt(append(b, `,"epoch":`...), int64(l.Epoch), 10)
	b = append(append(b, `,"id":"`...), l.ID.String()...)
	b = quoted(append(b, `","at":`...), l.At)
	b = quoted(append(b, `,"kind":`...), l.Kind)
	for _, v := range []struct {
		name  string
		bytes []byte
	}{{"leaf_hash", l.LeafHash}, {"commitments", l.Commitments}, {"salts", l.Salts}} {
		b = append(append(append(b, `,"`...), v.name...), `":`...)
		if v.bytes == nil {
			b = append(b, "null"...)
		} else {
			b = append(base64.StdEncoding.AppendEncode(append(b, '"'), v.bytes), '"')
		}
	}
	b = append(b, `,"content":`...)
	if l.Content == nil {
		b = append(b, "null"...)
	} else {
		b = l.Content.marshal(b)
	}
	return append(quoted(append(b, `,"state":`...), l.State), '}')
}

func (c *packEntry) marshal(b []byte) []byte {
	b = append(b, '{')
	for i, v := range []struct {
		name string
		text string
		id   *uuid.UUID
		isID bool
	}{
		{name: "action", text: c.Action}, {name: "actor_id", id: c.ActorID, isID: true}, {name: "actor_role", text: c.ActorRole},
		{name: "authenticated", text: c.Authenticated}, {name: "user_id", id: c.UserID, isID: true}, {name: "subject_id", id: c.SubjectID, isID: true},
		{name: "object", text: c.Object}, {name: "requested_by", text: c.RequestedBy}, {name: "purpose", text: c.Purpose},
		{name: "reason", text: c.Reason}, {name: "result", text: c.Result}, {name: "rule", text: c.Rule}, {name: "request_id", text: c.RequestID},
	} {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(quoted(b, v.name), ':')
		switch {
		case !v.isID:
			b = quoted(b, v.text)
		case v.id == nil:
			b = append(b, "null"...)
		default:
			b = quoted(b, v.id.String())
		}
	}
	b = append(b, `,"details":{`...)
	for i, key := range slices.Sorted(maps.Keys(c.Details)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = quoted(append(quoted(b, key), ':'), c.Details[key])
	}
	return append(b, "}}"...)
}

// quoted writes a JSON string with the fewest escapes (RFC 8259, section 7).
func quoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
