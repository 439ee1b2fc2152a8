// Package subject keeps what people ask for of the own data: a correction, an erasure, a copy. Each request gets an answer,
// in words, by a date that the law of the employment gives. Granting one changes nothing by a way of its own: a correction
// is a change of the file like any other, an erasure removes what rests on consent alone, or brings deadlines forward as
// far as the law lets them.
package subject

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
	"lethe/internal/textform"
	"lethe/models"
)

// The ways in which a command is refused.
var (
	ErrNotFound = errors.New("no such request")
	// ErrOwn: nobody answers the own request, and HR enters none for itself.
	ErrOwn = errors.New("nobody decides about the own request")
	// ErrClosed: it was answered, withdrawn or ended.
	ErrClosed = errors.New("the request is not open any more")
	// ErrTooMany: too many of the person's requests are open.
	ErrTooMany = errors.New("too many requests are open")
	// ErrGone: the person's data is deleted.
	ErrGone = errors.New("the person's data is deleted")
	// ErrNoExtension: the law of the employment gives no more time.
	ErrNoExtension = errors.New("the answer cannot be put off")
	// ErrNoPaper: who asked by the own login takes the copy there; and nothing but a copy is printed.
	ErrNoPaper = errors.New("no copy was asked for on paper")
	// ErrNotDead: a near relative asks for nobody who lives.
	ErrNotDead = errors.New("nobody asks for a person who is not recorded as dead")
	// ErrProofOnce: of a relative's request nothing is granted before a second person saw the proof.
	ErrProofOnce = errors.New("a second person has to see the proof first")
	// ErrAfterDeath: a paper that was entered as the person's own, and the person is recorded as dead since.
	ErrAfterDeath = errors.New("the person is recorded as dead: only a near relative's request can be granted")
	// ErrObjected: the person had arranged in life that relatives get nothing.
	ErrObjected = errors.New("the person had objected to it")
	// ErrExtended: it was put off once.
	ErrExtended = errors.New("the answer was put off already")
)

// Codes of a refused value, besides those of package invalid.
const (
	CodeNotRequested = "not_requested"
	CodeNotByConsent = "not_by_consent"
)

// In characters, and how many of a person's requests may be open.
const (
	maxText   = 2000
	maxKeptAt = 200
	maxOpen   = 20
	// earliest is how long before its entry a paper may have come, in days.
	earliest = 366
)

// What the ledger says about a request.
const (
	actionAsked     = "subject_request.asked"
	actionWithdrawn = "subject_request.withdrawn"
	actionExtended  = "subject_request.extended"
	actionOverdue   = "subject_request.overdue"
	actionAnswered  = "subject_request.answered"
	actionEnded     = "subject_request.ended"
	actionRead      = "subject_request.read"
	actionAnnulled  = "subject_request.annulled"
	actionProof     = "subject_request.proof_seen"
)

// The sealed columns: their names are part of what they are sealed for.
const (
	columnText      = "text_sealed"
	columnEvidence  = "evidence_sealed"
	columnExtension = "extension_sealed"
	columnAnswer    = "answer_sealed"
	columnBasis     = "basis_sealed"
	columnRelative  = "relative_sealed"
)

func cell(column string, id uuid.UUID) string { return reasons.Cell("subject_requests."+column, id) }

// New is what somebody asks for.
type New struct {
	EmployeeID uuid.UUID
	Kind       models.SubjectRequestKind
	Fields     []string
	Text       string
	// Paper is set if HR enters what somebody handed in.
	Paper *Paper
	// Relative is set if a near relative of somebody who died asks.
	Relative *Relative
}

// Paper is what somebody handed in.
type Paper struct {
	ReceivedOn clock.Date
	KeptAt     string
}

// Ask keeps a request, and says by when it is answered.
func Ask(tx *database.Tx, by models.Actor, n New) (r models.SubjectRequest, err error) {
	if (n.Paper == nil) != (n.EmployeeID == by.EmployeeID) {
		return r, ErrOwn
	}
	if n.Paper != nil {
		if _, err := database.First[models.Employee](tx.DB().Scopes(archive.VisibleTo(by)).Where("employees.id = ?", n.EmployeeID)); err != nil {
			return r, err
		}
	}
	person, err := database.Lock[models.Employee](tx, "an employee", n.EmployeeID)
	if err == nil && n.Paper != nil {
		err = n.Relative.fits(tx, n.EmployeeID)
	}
	switch {
	case err != nil:
		return r, err
	case person.Status == models.StatusPurged:
		return r, ErrGone
	}
	employment, err := archive.LatestEmployment(tx.DB(), n.EmployeeID)
	if err != nil {
		return r, err
	}
	zone, err := clock.LoadZone(employment.TimeZone)
	if err != nil {
		return r, fmt.Errorf("loading an employment's zone: %w", err)
	}
	now, err := tx.Now()
	if err != nil {
		return r, err
	}
	if err := n.check(tx, clock.Today(now, zone)); err != nil {
		return r, err
	}
	var open int64
	if err := tx.DB().Model(&r).Where("employee_id = ? AND state = ?", n.EmployeeID, models.SubjectOpen).Count(&open).Error; err != nil {
		return r, database.Wrap("counting requests", err)
	}
	if open >= maxOpen {
		return r, ErrTooMany
	}
	r = models.SubjectRequest{
		ID: models.NewID(), EmployeeID: n.EmployeeID, Kind: n.Kind, Fields: n.Fields, State: models.SubjectOpen, Form: models.ConsentInPerson,
		EnteredBy: by.EmployeeID, EnteredAt: now,
	}
	on := clock.Today(now, zone)
	if n.Paper != nil {
		on = n.Paper.ReceivedOn
		r.Form, r.ReceivedOn = models.ConsentWritten, &on
	}
	place, err := archive.PlaceOf(tx.DB(), employment)
	if err != nil {
		return r, err
	}
	r.AnswerDueAt = disclosure.AnswerBy(place, on, zone)
	if n.Relative != nil {
		if r.Objected, err = objected(tx, n.EmployeeID); err != nil {
			return r, err
		}
		r.ByRelative, r.Objected = true, r.Objected || n.Relative.Objected
	}
	return r, n.keep(tx, &r)
}

// keep seals what was written, and inserts the request with its entry.
func (n New) keep(tx *database.Tx, r *models.SubjectRequest) (err error) {
	if r.TextSealed, err = reasons.Seal(tx, cell(columnText, r.ID), n.Text); err != nil {
		return err
	}
	if n.Paper != nil {
		if r.EvidenceSealed, err = reasons.Seal(tx, cell(columnEvidence, r.ID), n.Paper.KeptAt); err != nil {
			return err
		}
	}
	if n.Relative != nil {
		if r.RelativeSealed, err = n.Relative.seal(tx, r.ID); err != nil {
			return err
		}
	}
	details := map[string]string{"subject_request_kind": string(r.Kind), "answer_due_at": r.AnswerDueAt.Format(time.RFC3339), "consent_form": string(r.Form)}
	if len(r.Fields) > 0 {
		details["fields"] = strings.Join(r.Fields, ",")
	}
	if r.ReceivedOn != nil {
		details["received_on"] = r.ReceivedOn.String()
	}
	if r.ByRelative {
		details["by_relative"] = strconv.FormatBool(true)
	}
	if r.Objected {
		details["relative_objected"] = strconv.FormatBool(true)
	}
	if r.LedgerEntryID, err = ledger.Append(tx, entryOf(*r, actionAsked, details)); err != nil {
		return err
	}
	return database.Wrap("keeping a request", tx.DB().Create(r).Error)
}

// check puts what was written into the form in which it is kept.
func (n *New) check(tx *database.Tx, today clock.Date) error {
	found := &invalid.ValuesError{}
	if !slices.Contains(models.SubjectRequestKinds, n.Kind) {
		found.Add("kind", invalid.Unknown)
	}
	text, fault := textform.Paragraphs(n.Text, maxText)
	if code := invalid.Text(fault); code != invalid.Required || n.Kind != models.SubjectCopy { // a copy explains itself
		found.Add("text", code)
	}
	n.Text = text
	if n.Paper != nil {
		kept, fault := textform.Line(n.Paper.KeptAt, maxKeptAt)
		found.Add("paper.kept_at", invalid.Text(fault))
		n.Paper.KeptAt = kept
		switch {
		case n.Paper.ReceivedOn.After(today):
			found.Add("paper.received_on", invalid.InFuture)
		case n.Paper.ReceivedOn.Before(today.AddDays(-earliest)):
			found.Add("paper.received_on", invalid.TooEarly)
		}
	}
	n.Relative.check(n.Paper != nil, found)
	slices.Sort(n.Fields)
	n.Fields = slices.Compact(n.Fields)
	if len(n.Fields) > 0 {
		if n.Kind == models.SubjectCopy {
			found.Add("fields", invalid.NotWanted)
		}
		known, err := archive.Definitions(tx.DB(), n.Fields)
		if err != nil {
			return err
		}
		if len(known) < len(n.Fields) {
			found.Add("fields", invalid.Unknown)
		}
	}
	return found.Err()
}

// lock reads a request and keeps it as it is to the end of the transaction.
func lock(tx *database.Tx, id uuid.UUID) (models.SubjectRequest, error) {
	r, err := database.Lock[models.SubjectRequest](tx, "a request", id)
	return r, database.Found("locking a request", err, ErrNotFound)
}

// Withdraw is the person's own word, as long as nothing was answered. The same again changes nothing.
func Withdraw(tx *database.Tx, by models.Actor, id uuid.UUID) (models.SubjectRequest, error) {
	r, err := lock(tx, id)
	switch {
	case err != nil:
		return r, err
	case r.EmployeeID != by.EmployeeID || r.ByRelative:
		return r, ErrNotFound
	case r.State == models.SubjectWithdrawn:
		return r, nil
	case r.State != models.SubjectOpen:
		return r, ErrClosed
	}
	now, err := tx.Now()
	if err != nil {
		return r, err
	}
	r.State, r.FinishedAt = models.SubjectWithdrawn, &now
	return r, change(tx, &r, actionWithdrawn, nil, map[string]any{"state": r.State, "finished_at": now})
}

// Extend puts the answer off, once and with a reason, where the law gives more time.
func Extend(tx *database.Tx, by models.Actor, id uuid.UUID, reason string) (models.SubjectRequest, error) {
	r, err := lock(tx, id)
	if err != nil {
		return r, err
	}
	text, fault := textform.Paragraphs(reason, maxText)
	switch code := invalid.Text(fault); {
	case by.EmployeeID == r.EmployeeID:
		return r, ErrOwn
	case r.State != models.SubjectOpen:
		return r, ErrClosed
	case r.ExtendedAt != nil:
		return r, ErrExtended
	case code != "":
		return r, invalid.At("reason", code)
	}
	employment, err := archive.LatestEmployment(tx.DB(), r.EmployeeID)
	if err != nil {
		return r, err
	}
	zone, err := clock.LoadZone(employment.TimeZone)
	if err != nil {
		return r, fmt.Errorf("loading an employment's zone: %w", err)
	}
	on := clock.Today(r.EnteredAt, zone)
	if r.ReceivedOn != nil {
		on = *r.ReceivedOn
	}
	until, may := disclosure.ExtendedBy(employment.Jurisdiction, on, zone)
	now, err := tx.Now()
	if err != nil {
		return r, err
	}
	if !may || !until.After(r.AnswerDueAt) || now.After(r.AnswerDueAt) { // the person has to hear of it within the first term
		return r, ErrNoExtension
	}
	if r.ExtensionSealed, err = reasons.Seal(tx, cell(columnExtension, id), text); err != nil {
		return r, err
	}
	r.ExtendedAt, r.AnswerDueAt = &now, until
	return r, change(tx, &r, actionExtended, map[string]string{"answer_due_at": until.Format(time.RFC3339)}, map[string]any{
		"extended_at": now, "answer_due_at": until, columnExtension: r.ExtensionSealed,
	})
}

// entryOf is an entry about a request.
func entryOf(r models.SubjectRequest, action string, details map[string]string) ledger.Entry {
	e := ledger.Entry{Kind: ledger.KindDisclosure, Action: action, Subject: &r.EmployeeID, Object: "subject_request/" + r.ID.String(), Details: details}
	if action == actionOverdue || action == actionEnded || action == actionAnnulled {
		e.Actor = &models.System
	}
	return e
}

// change writes columns of a request with the entry that says so.
func change(tx *database.Tx, r *models.SubjectRequest, action string, details map[string]string, columns map[string]any) (err error) {
	if r.LedgerEntryID, err = ledger.Append(tx, entryOf(*r, action, details)); err != nil {
		return err
	}
	columns["ledger_entry_id"] = r.LedgerEntryID
	return database.UpdateOne(tx.DB().Model(&models.SubjectRequest{}).Where("id = ?", r.ID).Updates(columns))
}

// End clears what was written in all requests of somebody whose data is deleted, and ends those that are open.
func End(tx *database.Tx, person uuid.UUID) error {
	rows, err := database.LockAll[models.SubjectRequest](tx, "requests", "employee_id = ?", person)
	if err != nil || len(rows) == 0 {
		return err
	}
	now, err := tx.Now()
	for i := 0; i < len(rows) && err == nil; i++ {
		columns := map[string]any{columnText: nil, columnEvidence: nil, columnExtension: nil, columnAnswer: nil, columnBasis: nil, columnRelative: nil}
		if rows[i].State == models.SubjectOpen {
			columns["state"], columns["finished_at"] = models.SubjectEnded, now
		}
		err = change(tx, &rows[i], actionEnded, nil, columns)
	}
	return err
}
