package consent

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
	"lethe/internal/textform"
	"lethe/models"
)

// Answer is yes or no to a purpose.
type Answer struct {
	Purpose models.ConsentPurpose
	Agreed  bool
}

// Answers are what somebody says to a version of the policy.
type Answers struct {
	EmployeeID uuid.UUID
	Version    int
	Answers    []Answer
	// Paper is set if HR records what the person signed.
	Paper *Paper
}

// Paper is what the person signed.
type Paper struct {
	SignedOn clock.Date
	// KeptAt says where it is kept.
	KeptAt string
}

const maxKeptAt = 200

// What the ledger says about an answer.
const actionEnded = "consent.ended"

var actions = map[models.ConsentAnswer]string{
	models.ConsentGiven: "consent.given", models.ConsentDeclined: "consent.declined", models.ConsentWithdrawn: "consent.withdrawn",
}

func cell(id uuid.UUID) string { return reasons.Cell("consents.evidence_sealed", id) }

// Record keeps what somebody answers, at once and for each purpose by itself. An answer that is in force already changes
// nothing. A yes is to the version in force, or to the version of a paper; a no is taken to any.
func Record(tx *database.Tx, by models.Actor, a Answers) (made []models.Consent, err error) {
	if err := a.check(tx, by); err != nil {
		return nil, err
	}
	person, err := database.Lock[models.Employee](tx, "an employee", a.EmployeeID)
	switch {
	case err != nil:
		return nil, err
	case person.Status == models.StatusPurged:
		return nil, ErrGone
	}
	policy, asked, err := a.policies(tx.DB())
	if err != nil {
		return nil, err
	}
	standings, err := Of(tx.DB(), a.EmployeeID)
	if err != nil {
		return nil, err
	}
	for i, answer := range a.Answers {
		s := Standing{Purpose: answer.Purpose, State: Unanswered, Ask: policy.Ask(answer.Purpose)}
		for _, known := range standings {
			if known.Purpose == answer.Purpose {
				s = known
			}
		}
		row, err := a.row(answer, s, asked, i)
		if err != nil {
			return made, err
		}
		if row == nil {
			continue
		}
		if err := row.keep(tx, by, a.Paper); err != nil {
			return made, err
		}
		made = append(made, row.Consent)
	}
	return made, nil
}

// policies are the one in force and the one that was answered. A yes by the own login is to the one in force.
func (a Answers) policies(g *gorm.DB) (current, answered Policy, err error) {
	if current, err = Current(g); err != nil {
		return current, answered, err
	}
	if answered, err = Read(g, a.Version); err != nil {
		return current, answered, err
	}
	for _, answer := range a.Answers {
		if answer.Agreed && a.Paper == nil && answered.Version != current.Version {
			return current, answered, ErrChanged
		}
	}
	return current, answered, nil
}

type row struct {
	models.Consent
	policy Policy
}

// row is what an answer is kept as; nil: it is in force already.
func (a Answers) row(answer Answer, s Standing, asked Policy, at int) (*row, error) {
	ask := asked.Ask(answer.Purpose)
	if ask == nil && (answer.Agreed || s.Last == nil) {
		return nil, invalid.At(fmt.Sprintf("answers[%d].purpose", at), CodeNotAsked)
	}
	since := asked.Version
	if ask != nil {
		since = ask.Since
	} else {
		since = min(since, s.Last.AskedSince)
	}
	said := models.ConsentDeclined
	switch {
	case answer.Agreed:
		said = models.ConsentGiven
	case s.State == Given || s.State == Outdated || s.State == Withdrawn:
		said = models.ConsentWithdrawn
	}
	if s.Last != nil && s.Last.Answer == said && s.Last.AskedSince >= since {
		return nil, nil //nolint:nilnil // it is so already
	}
	if a.Paper != nil && answer.Agreed && s.Last != nil && s.State != Ended && !a.Paper.SignedOn.After(clock.DateOf(s.Last.AnsweredAt.UTC())) {
		return nil, ErrAnsweredLater
	}
	return &row{models.Consent{
		ID: models.NewID(), EmployeeID: a.EmployeeID, Purpose: answer.Purpose, Answer: said, Form: models.ConsentInPerson,
		PolicyVersion: asked.Version, AskedSince: since,
	}, asked}, nil
}

// keep inserts an answer with its entry.
func (r *row) keep(tx *database.Tx, by models.Actor, paper *Paper) (err error) {
	r.RecordedBy = by.ID()
	details := map[string]string{
		"consent_purpose": string(r.Purpose), "policy_version": strconv.Itoa(r.PolicyVersion), "policy_sha256": r.policy.Digest(),
	}
	if paper != nil {
		r.Form, r.SignedOn = models.ConsentWritten, &paper.SignedOn
		details["signed_on"] = paper.SignedOn.String()
		if r.EvidenceSealed, err = reasons.Seal(tx, cell(r.ID), paper.KeptAt); err != nil {
			return err
		}
	}
	details["consent_form"] = string(r.Form)
	return r.insert(tx, ledger.Entry{Action: actions[r.Answer], Details: details}.As(tx.Context(), by))
}

func (r *row) insert(tx *database.Tx, e ledger.Entry) (err error) {
	e.Kind, e.Subject, e.Object = ledger.KindConsent, &r.EmployeeID, "consent/"+r.ID.String()
	if r.LedgerEntryID, err = ledger.Append(tx, e); err != nil {
		return err
	}
	err = tx.DB().Create(&r.Consent).Error
	return database.Wrap("keeping what somebody agreed to", err)
}

// check says what of it is malformed, and who may say it.
func (a *Answers) check(tx *database.Tx, by models.Actor) error {
	switch {
	case a.Paper == nil && a.EmployeeID != by.EmployeeID:
		return ErrOthers
	case a.Paper != nil && a.EmployeeID == by.EmployeeID:
		return ErrOwnPaper
	case a.Paper != nil && by.Role != models.RoleHRAdmin:
		return ErrOthers
	}
	var found []invalid.Value
	if len(a.Answers) == 0 {
		found = append(found, invalid.Value{Location: "answers", Code: invalid.Required})
	}
	seen := map[models.ConsentPurpose]bool{}
	for i, answer := range a.Answers {
		if seen[answer.Purpose] {
			found = append(found, invalid.Value{Location: fmt.Sprintf("answers[%d].purpose", i), Code: invalid.Repeated})
		}
		seen[answer.Purpose] = true
	}
	if a.Paper != nil {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		found = append(found, a.Paper.check(now)...)
	}
	if len(found) > 0 {
		return &invalid.ValuesError{Problems: found}
	}
	return nil
}

// check refuses a paper from the future: a day that has begun nowhere.
func (p *Paper) check(now time.Time) (found []invalid.Value) {
	if p.SignedOn.After(clock.DateOf(now.UTC().Add(14 * time.Hour))) {
		found = append(found, invalid.Value{Location: "paper.signed_on", Code: invalid.InFuture})
	}
	text, fault := textform.Line(p.KeptAt, maxKeptAt)
	if code := invalid.Text(fault); code != "" {
		found = append(found, invalid.Value{Location: "paper.kept_at", Code: code})
	}
	p.KeptAt = text
	return found
}

// End notes that nothing of what a person said counts any more: the person's data is deleted. Who comes back is asked
// again.
func End(tx *database.Tx, employeeID uuid.UUID) error {
	standings, err := Of(tx.DB(), employeeID)
	if err != nil {
		return err
	}
	for _, s := range standings {
		if s.Last == nil || s.State == Ended {
			continue
		}
		r := row{Consent: models.Consent{
			ID: models.NewID(), EmployeeID: employeeID, Purpose: s.Purpose, Answer: models.ConsentEnded, Form: models.ConsentByDeletion,
			PolicyVersion: s.Last.PolicyVersion, AskedSince: s.Last.AskedSince,
		}}
		err := r.insert(tx, ledger.Entry{Action: actionEnded, Actor: &models.System, Details: map[string]string{"consent_purpose": string(s.Purpose)}})
		if err != nil {
			return err
		}
	}
	return nil
}

// KeptAt says where the papers are kept that answers rest on, in the order of the rows. What ended with the log, and
// what was no paper, is empty.
func KeptAt(ctx context.Context, c reasons.Carrier, rows ...models.Consent) ([]string, error) {
	texts := make([]reasons.Text, len(rows))
	for i, r := range rows {
		texts[i] = reasons.Text{Cell: cell(r.ID), Sealed: r.EvidenceSealed}
	}
	return reasons.Open(ctx, c, texts...)
}
