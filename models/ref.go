package models

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Ref names a row that a command made or changed, without saying where it is to be found.
type Ref struct {
	Kind string
	ID   uuid.UUID
}

// The kinds of rows that are named.
const (
	RefApproval   = "approval"
	RefCut        = "access_cut"
	RefCatalogue  = "field_catalogue"
	RefAttachment = "attachment"
	RefCase       = "support_case"
	RefDepartment = "department"
	RefEntity     = "legal_entity"
	RefDeparture  = "departure"
	RefDepartures = "departure_batch"
	RefDisclosure = "disclosure"
	RefDuty       = "duty_shift"
	RefEmergency  = "emergency_call"
	RefEmployee   = "employee"
	RefExport     = "query_log_export"
	RefFeedback   = "feedback"
	RefHold       = "hold"
	RefImport     = "employee_import"
	RefMessage    = "message"
	RefPermission = "permissions"
	RefPolicy     = "privacy_policies"
	RefPurge      = "purge"
	RefReconcile  = "reconciliation"
	RefRelinking  = "account_relinking"
	RefSession    = "session"
	RefSite       = "site"
	RefSubject    = "subject_request"
	RefSuccession = "succession"
	RefToken      = "token"
	RefUnlinking  = "account_unlinking"
	RefUser       = "user"
)

// String is how a reference is stored: the kind, a slash, the id.
func (r Ref) String() string { return r.Kind + "/" + r.ID.String() }

// ParseRef reads what String wrote.
func ParseRef(s string) (Ref, error) {
	kind, id, _ := strings.Cut(s, "/")
	parsed, err := uuid.Parse(id)
	if err != nil {
		return Ref{}, fmt.Errorf("reading a reference: %w", err)
	}
	return Ref{kind, parsed}, nil
}
