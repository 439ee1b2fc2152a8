package approval

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// Target is a row that a request is about. Version changes with whatever people judge the row by.
type Target struct {
	Kind    string    `json:"kind"`
	ID      uuid.UUID `json:"id"`
	Version string    `json:"version,omitempty"`
}

// WordsOfFile are the [Change.Words] of keys of the field catalogue.
const WordsOfFile = "archive_field"

// Change is one thing that would change, for the approver to see, without a language: Field names
// it, and Words, if given, are the catalogue's keys of its two values.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	Words  string `json:"words,omitempty"`
	// About says what of the field it is: texts, in both languages ([i18n.Both]) where there are two, or keys of the catalogues.
	About []string `json:"about,omitempty"`
	// Zone marks instants (RFC 3339, UTC): people see them as that zone's clock shows them.
	Zone string `json:"zone,omitempty"`
	// Rule is by what a deadline counts: jurisdiction, category and version.
	Rule string `json:"rule,omitempty"`
	// Sealed marks a text that is sealed where it is kept: that somebody reads it is recorded ([RecordRead]).
	Sealed bool `json:"sealed,omitempty"`
}

// Review is what a command is about, as judged within a transaction that has locked it.
type Review struct {
	// Subjects are the persons whose matter it is: none of them decides about it.
	Subjects []uuid.UUID
	Targets  []Target
	// Changes are what the approver sees. What stands before is the state that the request is bound to.
	Changes []Change
	// Rules are the versions of the rules that it was judged by.
	Rules []string
}

// By is who is behind an effect. All but the requester is empty where one person was enough.
type By struct {
	Requester models.Actor
	// Authenticated is how the requester proved who they are when they asked.
	Authenticated models.Authentication
	Approver      models.Actor
	Approval      uuid.UUID
}

// Spec describes an operation on commands of type C, which are plain data: whatever JSON keeps.
type Spec[C any] struct {
	// Complete, if given, fills in the command's defaults, so that they are part of what is agreed to.
	Complete func(tx *database.Tx, by models.Actor, c C) (C, error)
	// Alike, if given, leaves out of a command what does not make it another request while one is open.
	Alike func(c C) C
	// Judge locks what the command is about and reads it. What does not exist is ErrGone.
	Judge func(tx *database.Tx, c C) (Review, error)
	// Check refuses for whoever asks what Run would refuse as things are: Run begins with the same. It locks
	// and reads, and writes nothing.
	Check func(tx *database.Tx, by models.Actor, c C) error
	// Asked, in place of Check, notes at the target that something was asked for, or refuses.
	Asked func(tx *database.Tx, by models.Actor, c C) error
	// Dropped takes back what Asked noted for that person at the matter's first target, which may have
	// changed since. It does without the command, which may not open any more. ended is how the request ends.
	Dropped func(tx *database.Tx, by models.Actor, target uuid.UUID, ended models.ApprovalState) error
	// Run carries the command out and names the result.
	Run func(tx *database.Tx, by By, c C) (models.Ref, error)
}

// Operation is a dangerous step: it needs a re-authentication, and often a second person.
type Operation struct {
	// Name is the operation's for good: rows, entries and settings hold it.
	Name string
	// Floor: two people always. Otherwise a setting may ask for them, and a token's call does.
	Floor bool
	// Approvers are the roles that may agree.
	Approvers []models.Role

	complete func(tx *database.Tx, by models.Actor, command any) (any, error)
	alike    func(command any) any
	decode   func(raw []byte) (any, error)
	judge    func(tx *database.Tx, command any) (Review, error)
	asked    func(tx *database.Tx, by models.Actor, command any) error
	dropped  func(tx *database.Tx, by models.Actor, target uuid.UUID, ended models.ApprovalState) error
	run      func(tx *database.Tx, by By, command any) (models.Ref, error)
}

// Define makes an operation of a description; who decides about it is for the table to say.
func Define[C any](s Spec[C]) Operation {
	return Operation{
		complete: func(tx *database.Tx, by models.Actor, command any) (any, error) {
			c, ok := command.(C)
			if !ok {
				return nil, fmt.Errorf("an operation on %T takes no %T", c, command)
			}
			if s.Complete == nil {
				return c, nil
			}
			return s.Complete(tx, by, c)
		},
		alike: func(command any) any {
			if s.Alike == nil {
				return command
			}
			return s.Alike(command.(C))
		},
		decode: func(raw []byte) (any, error) {
			var c C
			decoder := json.NewDecoder(bytes.NewReader(raw))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&c); err != nil {
				return nil, fmt.Errorf("decoding a stored %T failed", c) // the cause could quote it
			}
			return c, nil
		},
		judge: func(tx *database.Tx, command any) (Review, error) { return s.Judge(tx, command.(C)) },
		asked: func(tx *database.Tx, by models.Actor, command any) error {
			if s.Asked != nil {
				return s.Asked(tx, by, command.(C))
			}
			return s.Check(tx, by, command.(C))
		},
		dropped: s.Dropped,
		run:     func(tx *database.Tx, by By, command any) (models.Ref, error) { return s.Run(tx, by, command.(C)) },
	}
}

// Version shortens what people judge a row by to the version of a [Target].
func Version(parts ...any) string {
	texts := make([][]byte, len(parts))
	for i, p := range parts {
		if t, ok := p.(time.Time); ok {
			p = t.UTC().Format(time.RFC3339Nano)
		}
		texts[i] = []byte(fmt.Sprint(p))
	}
	return hex.EncodeToString(digest(texts...)[:12])
}
