package disclosure

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
	"lethe/models"
)

// What the ledger says about a look.
const (
	actionShown     = "disclosure.shown"
	actionCompared  = "disclosure.compared"
	actionUnproved  = "disclosure.proof_wanted"
	actionRefused   = "disclosure.refused"
	actionRequested = "disclosure.requested"
	actionGranted   = "disclosure.granted"
	actionDeclined  = "disclosure.declined"
	actionLapsed    = "disclosure.lapsed"
	actionAgain     = "disclosure.shown_again"
	actionSent      = "disclosure.attachment_sent"
	actionOwn       = "disclosure.own_copy"
	actionClosed    = "disclosure.closed"
	actionReviewed  = "disclosure.reviewed"
	actionPlea      = "disclosure.registered"
	actionRead      = "disclosure.read"
	actionPatterns  = "disclosure.patterns_read"
	actionOverdue   = "disclosure.review_overdue"
	actionObjected  = "disclosure.objected"
	actionAnswered  = "disclosure.objection_answered"
)

// outsider stands in the ledger for somebody who is no employee; who it is, the statement says.
const outsider = "outsider"

// The sealed columns: their names are part of what they are sealed for.
const (
	columnStatement   = "statement_sealed"
	columnReviewNote  = "review_note_sealed"
	columnOutcomeNote = "outcome_note_sealed"
	columnObjection   = "objection_sealed"
	columnAnswer      = "answer_sealed"
)

func cell(column string, id uuid.UUID) string { return reasons.Cell("disclosures."+column, id) }

// entryOf is an entry about a look.
func entryOf(d models.Disclosure, action string, details map[string]string) ledger.Entry {
	e := ledger.Entry{
		Kind: ledger.KindDisclosure, Action: action, Subject: &d.EmployeeID, Object: "disclosure/" + d.ID.String(),
		Purpose: d.Purpose, Rule: d.Rule, Details: details,
	}
	if action == actionRefused || action == actionDeclined || action == actionPlea {
		e.Result = ledger.Refused
	}
	if action == actionLapsed || action == actionOverdue {
		e.Actor = &models.System // nobody did it: its time was over
	}
	if d.SubjectRequestID != nil { // a printed copy: whose answer it is
		e.Details = maps.Clone(details)
		if e.Details == nil {
			e.Details = map[string]string{}
		}
		e.Details["subject_request"] = d.SubjectRequestID.String()
	}
	if d.RequestedBy != nil {
		e.RequestedBy = d.RequestedBy.String()
	}
	return e
}

// details are what the entry of an attempt holds besides who, whom and for what: the notice as it was shown, and a
// digest of what was written, which is kept sealed.
func (j judged) details(d models.Disclosure, notice string) map[string]string {
	details := map[string]string{
		"fields": strings.Join(d.Fields, ","), "employment": d.EmploymentID.String(), "status": string(d.Status), "statement": j.statement.digest(),
	}
	if d.Matched != nil {
		details["matched"] = strconv.FormatBool(*d.Matched)
	}
	for key, value := range map[string]string{
		"notice": notice, "flags": strings.Join(d.Flags, ","), "matter": d.Matter, "text_rules": strings.Join(j.facts.Text.Rules, ","),
	} {
		if value != "" {
			details[key] = value
		}
	}
	return details
}

// show notes that values are shown for the first time.
func show(d *models.Disclosure, now time.Time) {
	until := now.Add(shownAgain)
	d.State, d.ShownAt, d.ShownTimes, d.OpenUntil = models.LookShown, &now, 1, &until
}

// reviewDue is when the review of an emergency's look is due: within 24 hours or by noon of the next working day where the
// person is employed, whichever is later.
func reviewDue(now time.Time, place clock.Place, zone *time.Location) time.Time {
	due := now.Add(day)
	if at := place.NextNoon(now, zone); at.After(due) {
		due = at
	}
	return due.UTC()
}

// RecordUnproved records a look that is not made before the looker has proved who they are ([ErrProve]): it was tried all
// the same (I18).
func RecordUnproved(tx *database.Tx, r Request) error {
	_, err := ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindDisclosure, Action: actionUnproved, Subject: &r.EmployeeID, Object: "employee/" + r.EmployeeID.String(), Purpose: string(r.Purpose),
		Result: ledger.Refused, Details: map[string]string{"fields": strings.Join(slices.Sorted(slices.Values(r.Fields)), ",")},
	})
	return err
}

// RecordRead records that somebody reads what was written for a look, before it is shown (I18).
func RecordRead(tx *database.Tx, d models.Disclosure) error {
	_, err := ledger.Append(tx, entryOf(d, actionRead, nil))
	return err
}
