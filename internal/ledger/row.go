package ledger

import (
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Row is an entry with its content as the database has it. Nothing of it is to be believed before
// [Recompute].
type Row struct {
	ID            uuid.UUID
	At            time.Time
	Kind          Kind
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
	Details       []byte // JSON: one object of strings
	Salts         []byte
	Leaf          []byte
}

// RowColumns are the columns of a [Row], from ledger_content as c and ledger_entries as e.
const RowColumns = `c.entry_id AS id, c.at, c.kind, c.action, c.actor_id, c.actor_role, c.authenticated, c.user_id, c.subject_id,
	c.object, c.requested_by, c.purpose, c.reason, c.result, c.rule, c.request_id, c.details, c.salts, e.leaf`

// Rows selects rows with content. Conditions and order are the caller's.
func Rows(g *gorm.DB) *gorm.DB {
	return g.Table("ledger_content AS c").Joins("JOIN ledger_entries AS e ON e.id = c.entry_id AND e.at = c.at").Select(RowColumns)
}

// Content is what the row says, in the form in which it was committed to.
func (r Row) Content() (Content, error) {
	c := Content{
		Action: r.Action, ActorID: r.ActorID, ActorRole: r.ActorRole, Authenticated: r.Authenticated, UserID: r.UserID, SubjectID: r.SubjectID,
		Object: r.Object, RequestedBy: r.RequestedBy, Purpose: r.Purpose, Reason: r.Reason, Result: r.Result, Rule: r.Rule,
		RequestID: r.RequestID,
	}
	if err := json.Unmarshal(r.Details, &c.Details); err != nil {
		return Content{}, fmt.Errorf("reading the details of an entry: %w", ErrTampered)
	}
	return c, nil
}

// Recompute computes the commitments of a row with its content anew. A row that does not say what its leaf commits to
// is ErrTampered. It does not look at the tree: that is for proofs and the verifier.
func Recompute(r Row, content Content) error {
	tampered := func() error { return fmt.Errorf("entry %s: %w", r.ID, ErrTampered) }
	leaf, err := ParseLeaf(r.Leaf)
	if err != nil || leaf.ID != r.ID || leaf.Kind != r.Kind || !leaf.At().Equal(r.At) || len(r.Salts) != fieldCount*SaltSize {
		return tampered()
	}
	for i, value := range content.values() {
		expected := commit(i, r.Salts[i*SaltSize:(i+1)*SaltSize], value)
		if !hmac.Equal(expected[:], leaf.Commitments[i][:]) {
			return tampered()
		}
	}
	return nil
}
