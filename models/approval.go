package models

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/closed"
)

// ApprovalState is where a request for a second person's agreement stands.
type ApprovalState string

// The states. All but the first are final.
const (
	ApprovalPending   ApprovalState = "pending"
	ApprovalApproved  ApprovalState = "approved" // and carried out, in the same transaction
	ApprovalRejected  ApprovalState = "rejected"
	ApprovalWithdrawn ApprovalState = "withdrawn" // by the requester
	ApprovalExpired   ApprovalState = "expired"
	ApprovalVoid      ApprovalState = "void" // it no longer fitted what it was about
)

// ApprovalStates say what may follow each.
var ApprovalStates = closed.States("approvals.state", "approval.state", [][]ApprovalState{
	{ApprovalPending, ApprovalApproved, ApprovalRejected, ApprovalWithdrawn, ApprovalExpired, ApprovalVoid},
	{ApprovalApproved}, {ApprovalRejected}, {ApprovalWithdrawn}, {ApprovalExpired}, {ApprovalVoid},
})

// VoidReason is why a request is void.
type VoidReason string

// The reasons.
const (
	VoidChanged    VoidReason = "changed"    // the target is not as it was judged
	VoidGone       VoidReason = "gone"       // the target does not exist any more
	VoidUnreadable VoidReason = "unreadable" // the stored command is not the one that was asked for
	// VoidRequesterEnded: whoever asked has been disabled or reset, or has lost the role, since.
	VoidRequesterEnded VoidReason = "requester_ended"
)

// VoidReasons lists them all.
var VoidReasons = closed.Of("approval.void", VoidChanged, VoidGone, VoidUnreadable, VoidRequesterEnded)

// Approval is a request for a step that needs two people, bound to one command and one state.
type Approval struct {
	ID            uuid.UUID
	Operation     string
	CommandSealed Sealed
	Fingerprint   []byte
	CommandHash   []byte
	Targets       string `gorm:"type:jsonb"`
	StateDigest   []byte
	FileHash      []byte
	RuleVersions  string `gorm:"type:jsonb"`
	Hash          []byte
	SubjectIDs    IDs `gorm:"column:subject_ids;type:uuid[]"`
	// The requester is a person; the user is the account of that person that was used.
	RequesterID            uuid.UUID
	RequesterUserID        *uuid.UUID
	RequesterRole          Role
	RequesterAuthenticated Authentication
	// ReasonSealed is for the approver and the ledger: no names, numbers or illnesses. It and the
	// comment are sealed as reasons; PlainReason and PlainComment are those of version 0.2, until the
	// upgrade has sealed them.
	ReasonSealed    Sealed
	PlainReason     string `gorm:"column:reason;->"`
	State           ApprovalState
	RequestedAt     time.Time
	ExpiresAt       time.Time
	DecidedBy       *uuid.UUID
	DecidedByUserID *uuid.UUID
	CommentSealed   Sealed
	PlainComment    string `gorm:"column:comment;->"`
	VoidReason      VoidReason
	EndedAt         *time.Time
	// Result is the [Ref] of what an approved request led to; an address in rows of version 0.2.
	Result        string     `gorm:"column:result_location"`
	LedgerEntryID *uuid.UUID // of its request, then of its end
}

// IDs is a column of the type uuid[].
type IDs []uuid.UUID

// Value writes Postgres' form of an array.
func (ids IDs) Value() (driver.Value, error) {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return "{" + strings.Join(texts, ",") + "}", nil
}

// GormValue hands the ids over as they are: their text would be written here, and read and written once more by the driver.
func (ids IDs) GormValue(context.Context, *gorm.DB) clause.Expr {
	raw := make([][16]byte, len(ids))
	for i, id := range ids {
		raw[i] = id
	}
	return clause.Expr{SQL: "?", Vars: []any{&raw}} // of a slice, each element would be a parameter
}

// Scan reads it; NULL is nil.
func (ids *IDs) Scan(src any) error {
	if src == nil {
		*ids = nil
		return nil
	}
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("an array of ids cannot be read from %T", src)
	}
	*ids = nil
	for part := range strings.SplitSeq(strings.Trim(text, "{}"), ",") {
		if part == "" {
			continue
		}
		id, err := uuid.Parse(part)
		if err != nil {
			return fmt.Errorf("reading an array of ids: %w", err)
		}
		*ids = append(*ids, id)
	}
	return nil
}
