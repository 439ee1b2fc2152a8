package evidence

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"lethe/internal/ledger"
	"lethe/internal/ledger/querylog"
)

// entry is one entry of a pack: its place in the tree, and what the database has of it.
type entry struct {
	index    int64
	leafHash []byte
	row      querylog.Row
}

// commitmentBytes is how many bytes at the end of a leaf are its commitments.
const commitmentBytes = len(ledger.FieldNames) * ledger.CommitmentSize

const timeFormat = "2006-01-02T15:04:05.000Z"

// appendLine writes e as a [Line]. It is written by hand because encoding/json takes several times as
// long, and exports have millions of lines.
func appendLine(b []byte, e *entry) []byte {
	r := &e.row
	b = append(b, `{"index":`...)
	b = strconv.AppendInt(b, e.index, 10)
	b = append(b, `,"epoch":`...)
	b = strconv.AppendInt(b, int64(r.Epoch), 10)
	b = append(b, `,"id":"`...)
	b = append(b, r.ID.String()...)
	b = append(b, `","at":"`...)
	b = ledger.TimeOf(r.ID).AppendFormat(b, timeFormat)
	b = append(b, `","kind":`...)
	b = appendText(b, string(r.Kind))
	b = appendBytes(append(b, `,"leaf_hash":`...), e.leafHash)
	var commitments []byte
	if len(r.Leaf) >= commitmentBytes {
		commitments = r.Leaf[len(r.Leaf)-commitmentBytes:]
	}
	b = appendBytes(append(b, `,"commitments":`...), commitments)
	if r.Content == nil {
		b = append(b, `,"salts":null,"content":null`...)
	} else {
		b = appendBytes(append(b, `,"salts":`...), r.Salts)
		b = appendContent(append(b, `,"content":`...), r.Content)
	}
	b = append(b, `,"state":"`...)
	b = append(b, r.State...)
	return append(b, "\"}\n"...)
}

func appendContent(b []byte, c *ledger.Content) []byte {
	b = appendText(append(b, `{"action":`...), c.Action)
	b = appendID(append(b, `,"actor_id":`...), c.ActorID)
	b = appendText(append(b, `,"actor_role":`...), c.ActorRole)
	b = appendText(append(b, `,"authenticated":`...), c.Authenticated)
	b = appendID(append(b, `,"user_id":`...), c.UserID)
	b = appendID(append(b, `,"subject_id":`...), c.SubjectID)
	b = appendText(append(b, `,"object":`...), c.Object)
	b = appendText(append(b, `,"requested_by":`...), c.RequestedBy)
	b = appendText(append(b, `,"purpose":`...), c.Purpose)
	b = appendText(append(b, `,"reason":`...), c.Reason)
	b = appendText(append(b, `,"result":`...), c.Result)
	b = appendText(append(b, `,"rule":`...), c.Rule)
	b = appendText(append(b, `,"request_id":`...), c.RequestID)
	return append(appendDetails(append(b, `,"details":`...), c.Details), '}')
}

func appendDetails(b []byte, details map[string]string) []byte {
	b = append(b, '{')
	for i, key := range slices.Sorted(maps.Keys(details)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(appendText(b, key), ':'), details[key])
	}
	return append(b, '}')
}

func appendID(b []byte, id *uuid.UUID) []byte {
	if id == nil {
		return append(b, "null"...)
	}
	return append(append(append(b, '"'), id.String()...), '"')
}

func appendBytes(b, data []byte) []byte {
	if data == nil {
		return append(b, "null"...)
	}
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), data), '"')
}

// appendText writes a JSON string (RFC 8259, section 7): only what must be escaped is.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	if b = append(b, s[from:]...); !utf8.ValidString(s) {
		panic("a text of Postgres is no UTF-8") // which stores nothing else
	}
	return append(b, '"')
}

func rfc3339(t time.Time) string { return t.UTC().Format(timeFormat) }
