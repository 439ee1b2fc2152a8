package disclosure

import (
	"slices"
	"strconv"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/reasons"
	"lethe/internal/screening"
	"lethe/internal/textform"
	"lethe/models"
)

// Outcome is what came of a look.
type Outcome struct {
	Outcome models.DisclosureOutcome
	// Note says to whom something was passed on, and what else there is to say; it is sealed.
	Note string
	// Pressed: HR was urged to look.
	Pressed bool
}

// maxNote is in characters.
const maxNote = 500

// Close tells what came of a look, once. What was passed on to somebody says to whom.
func Close(tx *database.Tx, by models.Actor, id uuid.UUID, o Outcome) (models.Disclosure, error) {
	row, err := Lock(tx, id)
	if err != nil {
		return row, err
	}
	teller, err := tellerOf(tx, row)
	if err != nil {
		return row, err
	}
	text, fault := textform.Paragraphs(o.Note, maxNote)
	switch code := invalid.Text(fault); {
	case teller != by.EmployeeID && row.ActorID != by.EmployeeID:
		return row, ErrNotLooker
	case row.State == models.LookClosed:
		later, err := Later(tx.Context(), tx, row)
		if err == nil && (row.Outcome != o.Outcome || row.Pressed != o.Pressed || later.Outcome != text) {
			err = ErrClosed
		}
		return row, err
	case row.State != models.LookShown:
		return row, ErrNotShown
	case !comesOf(row, o.Outcome):
		return row, invalid.At("outcome", invalid.NotAllowed)
	case code == invalid.Required && o.Outcome == models.PassedOn, code != "" && code != invalid.Required:
		return row, invalid.At("note", code)
	}
	now, err := tx.Now()
	if err != nil {
		return row, err
	}
	sealed, err := reasons.Seal(tx, cell(columnOutcomeNote, id), text)
	if err != nil {
		return row, err
	}
	row.State, row.Outcome, row.Pressed, row.ClosedAt, row.OutcomeNoteSealed = models.LookClosed, o.Outcome, o.Pressed, &now, sealed
	return row, change(tx, &row, actionClosed, map[string]string{"disclosure_outcome": string(o.Outcome), "pressed": strconv.FormatBool(o.Pressed)}, map[string]any{
		"state": row.State, "outcome": o.Outcome, columnOutcomeNote: sealed, "pressed": o.Pressed, "closed_at": now,
	})
}

// tellerOf is who tells what came of a look: who looked, or to whom that passed since; nobody: somebody has to take it first.
func tellerOf(tx *database.Tx, row models.Disclosure) (uuid.UUID, error) {
	var passed []models.Succession
	err := tx.DB().Where("kind = ? AND thing_id = ?", models.HoldingLook, row.ID).Order("turn DESC").Limit(1).Find(&passed).Error
	switch {
	case err != nil:
		return uuid.Nil, database.Wrap("reading who tells what came of a look", err)
	case len(passed) == 0:
		return row.ActorID, nil
	case passed[0].ToID == nil:
		return uuid.Nil, nil
	}
	return *passed[0].ToID, nil
}

// comesOf says whether that can come of a look for its purpose.
func comesOf(row models.Disclosure, o models.DisclosureOutcome) bool {
	p, known := purposeOf(access.Purpose(row.Purpose))
	return known && slices.Contains(p.Outcomes(), o)
}

// Judge is a second person's review of a look that was shown without one before. Neither the looker, nor who tells
// what came of it in their place, nor the person whose data it is reviews it.
func Judge(tx *database.Tx, by models.Actor, id uuid.UUID, finding models.LookReview, note string) (models.Disclosure, error) {
	row, err := Lock(tx, id)
	if err != nil {
		return row, err
	}
	teller, err := tellerOf(tx, row)
	if err != nil {
		return row, err
	}
	text, fault := textform.Paragraphs(note, maxNote)
	switch code := invalid.Text(fault); {
	case by.EmployeeID == row.ActorID || by.EmployeeID == row.EmployeeID || by.EmployeeID == teller:
		return row, ErrOwn
	case row.ReviewDueAt == nil:
		return row, ErrNoReview
	case row.ReviewedAt != nil:
		later, err := Later(tx.Context(), tx, row)
		if err == nil && (row.Review != finding || *row.ReviewedBy != by.EmployeeID || later.Review != text) {
			err = ErrReviewed
		}
		return row, err
	case code == invalid.Required && finding == models.LookImproper, code != "" && code != invalid.Required:
		return row, invalid.At("note", code)
	}
	now, err := tx.Now()
	if err != nil {
		return row, err
	}
	sealed, err := reasons.Seal(tx, cell(columnReviewNote, id), text)
	if err != nil {
		return row, err
	}
	row.Review, row.ReviewedAt, row.ReviewedBy, row.ReviewNoteSealed = finding, &now, by.ID(), sealed
	return row, change(tx, &row, actionReviewed, map[string]string{"look_review": string(finding)}, map[string]any{
		"review": finding, "reviewed_at": now, "reviewed_by": by.ID(), columnReviewNote: sealed,
	})
}

// Plea is what somebody came with for which nobody's data is opened.
type Plea struct {
	EmployeeID  uuid.UUID
	Matter      screening.Category
	RequestedBy RequestedBy
	// Said is what the asker said; it is sealed.
	Said    string
	Pressed bool
}

// Register records that somebody asked HR for somebody's data for a matter that never opens any. Nothing is asked for,
// and nothing is shown.
func Register(tx *database.Tx, by models.Actor, p Plea) (look Look, err error) {
	r := Request{EmployeeID: p.EmployeeID, RequestedBy: p.RequestedBy}
	if !slices.Contains(Matters, p.Matter) {
		return look, invalid.At("matter", invalid.Unknown)
	}
	text, fault := textform.Line(p.RequestedBy.Description, maxEvidence)
	switch code := invalid.Text(fault); {
	case p.RequestedBy.Description != "" && p.RequestedBy.EmployeeID != nil:
		return look, invalid.At("requested_by", invalid.OneOfTwo)
	case p.RequestedBy.Description != "" && code != "":
		return look, invalid.At("requested_by.description", code)
	}
	said, fault := textform.Paragraphs(p.Said, maxReason)
	if code := invalid.Text(fault); code != "" && code != invalid.Required {
		return look, invalid.At("said", code)
	}
	if err := r.knowsAsker(tx, by); err != nil {
		return look, err
	}
	person, err := database.First[models.Employee](tx.DB().Scopes(archive.VisibleTo(by)).Where("employees.id = ?", p.EmployeeID))
	if err != nil {
		return look, err
	}
	if person.ID == by.EmployeeID {
		return look, ErrOwn
	}
	employment, err := archive.LatestEmployment(tx.DB(), person.ID)
	if err != nil {
		return look, err
	}
	now, err := tx.Now()
	if err != nil {
		return look, err
	}
	look.Decision = Decision{Verdict: Refuse, Rule: RuleRegistered, Consulted: []Consulted{{RuleRegistered, false}}}
	look.Disclosure = models.Disclosure{
		ID: models.NewID(), EmployeeID: person.ID, EmploymentID: employment.ID, ActorID: by.EmployeeID, ActorRole: by.Role, Purpose: string(p.Matter),
		Status: person.Status, AskedAt: now, State: models.LookRefused, Rule: string(RuleRegistered), Matter: string(p.Matter), RequestedBy: p.RequestedBy.EmployeeID, Pressed: p.Pressed,
	}
	j := judged{now: now, statement: Statement{Reason: said, RequestedBy: text, Nonce: nonce()}}
	if look.StatementSealed, err = j.seal(tx, look.ID); err != nil {
		return look, err
	}
	return look, look.keep(tx, actionPlea, j.details(look.Disclosure, ""), text != "")
}
