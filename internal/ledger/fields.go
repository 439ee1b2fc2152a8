package ledger

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Content is what an entry says, in the form in which it is committed to and stored. Its time and
// kind are not here: they stand in clear in the leaf.
type Content struct {
	Action        string
	ActorID       *uuid.UUID
	ActorRole     string
	Authenticated string
	UserID        *uuid.UUID
	SubjectID     *uuid.UUID
	Object        string
	RequestedBy   string
	Purpose       string
	Reason        string
	Result        string
	Rule          string
	RequestID     string
	Details       map[string]string
}

// FieldNames are the committed fields of format 1. The place of a name is the field's number: it
// never changes, and a new field means a new format.
var FieldNames = [...]string{
	"action", "actor_id", "actor_role", "authenticated", "user_id", "subject_id", "object", "requested_by",
	"purpose", "reason", "result", "rule", "request_id", "details",
}

const fieldCount = len(FieldNames)

// values are the canonical bytes of each field, in the order of FieldNames.
func (c Content) values() [fieldCount][]byte {
	return [fieldCount][]byte{
		[]byte(c.Action), idValue(c.ActorID), []byte(c.ActorRole), []byte(c.Authenticated), idValue(c.UserID),
		idValue(c.SubjectID), []byte(c.Object), []byte(c.RequestedBy), []byte(c.Purpose), []byte(c.Reason),
		[]byte(c.Result), []byte(c.Rule), []byte(c.RequestID), detailsValue(c.Details),
	}
}

// idValue is a UUID's 36 characters in lower case; nothing for none.
func idValue(id *uuid.UUID) []byte {
	if id == nil {
		return nil
	}
	return []byte(id.String())
}

// detailsValue is, for each key in the order of its bytes, key and value, each after its length
// (four bytes, big endian). JSON has no one form that two languages agree on.
func detailsValue(details map[string]string) []byte {
	var out []byte
	for _, key := range slices.Sorted(maps.Keys(details)) {
		for _, s := range []string{key, details[key]} {
			out = binary.BigEndian.AppendUint32(out, uint32(len(s)))
			out = append(out, s...)
		}
	}
	return out
}

// clean makes what Postgres cannot store storable: what was refused because it was malformed is
// recorded all the same.
func (c *Content) clean() {
	for _, s := range []*string{
		&c.Action, &c.ActorRole, &c.Authenticated, &c.Object, &c.RequestedBy, &c.Purpose, &c.Reason, &c.Result, &c.Rule, &c.RequestID,
	} {
		*s = cleanText(*s)
	}
	if len(c.Details) > 0 {
		details := make(map[string]string, len(c.Details))
		for key, value := range c.Details {
			details[cleanText(key)] = cleanText(value)
		}
		c.Details = details
	}
}

func cleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
