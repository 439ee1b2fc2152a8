package operations

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/consent"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/models"
)

// LookAsked is a look that waits for a reviewer.
type LookAsked struct {
	DisclosureID uuid.UUID `json:"disclosure_id"`
}

// look lets somebody open sensitive fields once, which a reviewer agreed to.
func (d Deps) look() approval.Operation {
	return approval.Define(approval.Spec[LookAsked]{
		Judge: func(tx *database.Tx, c LookAsked) (approval.Review, error) {
			row, err := disclosure.Waiting(tx, c.DisclosureID)
			if errors.Is(err, disclosure.ErrNotFound) || errors.Is(err, disclosure.ErrNotWaiting) {
				return approval.Review{}, errors.Join(approval.ErrGone, err)
			}
			if err != nil {
				return approval.Review{}, err
			}
			who, err := person(tx, row.EmployeeID)
			if err != nil {
				return approval.Review{}, err
			}
			written, err := disclosure.Statements(tx.Context(), tx, row)
			if err != nil {
				return approval.Review{}, err
			}
			agreed, err := consentChange(tx, row)
			if err != nil {
				return approval.Review{}, err
			}
			targets := []approval.Target{{Kind: "disclosure", ID: row.ID, Version: approval.Version(row.Status)}}
			if row.SubjectRequestID != nil { // whose answer a printed copy is; that it is open is judged when it is printed
				targets = append(targets, approval.Target{Kind: models.RefSubject, ID: *row.SubjectRequestID, Version: approval.Version(row.ID)})
			}
			return approval.Review{
				Subjects: []uuid.UUID{row.EmployeeID},
				Targets:  targets,
				Changes:  append(lookChanges(who, row, written[0]), agreed...),
			}, nil
		},
		Check: func(tx *database.Tx, _ models.Actor, c LookAsked) error {
			return refusal(disclosure.Waiting(tx, c.DisclosureID))
		},
		Dropped: func(tx *database.Tx, _ models.Actor, id uuid.UUID, ended models.ApprovalState) error {
			return disclosure.Drop(tx, id, ended == models.ApprovalRejected)
		},
		Run: func(tx *database.Tx, _ approval.By, c LookAsked) (models.Ref, error) {
			return models.Ref{Kind: models.RefDisclosure, ID: c.DisclosureID}, disclosure.Grant(tx, c.DisclosureID)
		},
	})
}

// lookChanges are what a reviewer sees of a look.
func lookChanges(who approval.Change, row models.Disclosure, written disclosure.Statement) []approval.Change {
	changes := []approval.Change{who, word("purpose", "purpose", "", row.Purpose)}
	fields := shown("fields", strings.Join(row.Fields, " "))
	fields.Words = approval.WordsOfFile
	changes = append(changes, fields, word("flags", "disclosure_rule", "", strings.Join(row.Flags, " ")))
	text := shown("look_reason", written.Reason)
	text.Sealed = true
	changes = append(changes, text)
	for _, key := range slices.Sorted(maps.Keys(written.Evidence)) {
		c := shown("evidence_key."+key, written.Evidence[key])
		if disclosure.Chosen(row.Purpose, key) {
			c.Words = "evidence_choice"
		}
		c.Sealed = true
		changes = append(changes, c)
	}
	return changes
}

// consentChange is how the person stands to what the look rests on, if that is consent.
func consentChange(tx *database.Tx, row models.Disclosure) ([]approval.Change, error) {
	for _, p := range disclosure.Purposes() {
		if string(p.Purpose) != row.Purpose || p.Consent == "" {
			continue
		}
		s, err := consent.To(tx.DB(), row.EmployeeID, p.Consent)
		changes := []approval.Change{word("consent", "consent_state", "", string(s.State))}
		if s.Last != nil {
			changes = append(changes, word("consent_form", "consent_form", "", string(s.Last.Form)))
		}
		return changes, err
	}
	return nil, nil
}
