package subject

import (
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/reasons"
	"lethe/internal/retention"
	"lethe/internal/textform"
	"lethe/internal/vault"
	"lethe/models"
)

// Answer is what is answered to a request, and what of it is carried out.
type Answer struct {
	Answer models.SubjectAnswer
	// Text is for the person; Basis, of what is not granted, the reason in law (PIPL Art. 50, GDPR Art. 12(4)).
	Text, Basis string
	// Fields are values that a correction writes.
	Fields map[string]*string
	// EraseFields are removed, of what rests on consent alone; of EraseCategories the deadlines come forward.
	EraseFields     []string
	EraseCategories []models.Category
}

// Assess says why one person may not answer so alone: a deadline would come forward (I6), or what is written takes two.
func (a Answer) Assess(tx *database.Tx, id uuid.UUID) (causes []models.Cause, err error) {
	if values := a.values(); len(values) > 0 {
		r, err := database.First[models.SubjectRequest](tx.DB().Where("id = ?", id))
		if err != nil {
			return nil, database.Found("reading a request", err, ErrNotFound)
		}
		if causes, err = archive.Assess(tx, r.EmployeeID, archive.PatchOf(values)); err != nil {
			return nil, err
		}
	}
	if len(a.EraseCategories) > 0 {
		causes = append(causes, models.CauseForward)
	}
	return causes, nil
}

// Named are the fields that are written or removed.
func (a Answer) Named() []string { return slices.Sorted(maps.Keys(a.values())) }

func (a Answer) values() map[string]*string {
	values := maps.Clone(a.Fields)
	if values == nil {
		values = map[string]*string{}
	}
	for _, key := range a.EraseFields {
		values[key] = nil
	}
	return values
}

// Prepare judges an answer, and locks what it would change but the request itself, which comes last. What the law wants
// kept is a *retention.KeptError.
func (a *Answer) Prepare(tx *database.Tx, by models.Actor, id uuid.UUID) (r models.SubjectRequest, moved []retention.Erasable, err error) {
	if r, err = database.First[models.SubjectRequest](tx.DB().Where("id = ?", id)); err != nil {
		return r, nil, database.Found("reading a request", err, ErrNotFound)
	}
	switch {
	case by.EmployeeID == r.EmployeeID:
		return r, nil, ErrOwn
	case r.State != models.SubjectOpen:
		return r, nil, ErrClosed
	}
	if a.Answer != models.SubjectRefused {
		if err := grantable(tx, r); err != nil {
			return r, nil, err
		}
	}
	if err := a.check(tx, r); err != nil {
		return r, nil, err
	}
	if len(a.EraseCategories) > 0 {
		if moved, err = retention.PrepareErasure(tx, r.EmployeeID, a.EraseCategories); err != nil {
			return r, nil, err
		}
	}
	if values := a.values(); len(values) > 0 {
		_, err = archive.PatchOf(values).Prepare(tx, r.EmployeeID)
	}
	return r, moved, err
}

// check says what of an answer is malformed, or does not fit the request.
func (a *Answer) check(tx *database.Tx, r models.SubjectRequest) error {
	found := &invalid.ValuesError{}
	text, fault := textform.Paragraphs(a.Text, maxText)
	found.Add("text", invalid.Text(fault))
	basis, fault := textform.Paragraphs(a.Basis, maxText)
	if code := invalid.Text(fault); code != invalid.Required || a.Answer != models.SubjectGranted {
		found.Add("basis", code)
	}
	a.Text, a.Basis = text, basis
	if !slices.Contains(models.SubjectAnswers, a.Answer) {
		found.Add("answer", invalid.Unknown)
	}
	does := len(a.Fields)+len(a.EraseFields)+len(a.EraseCategories) > 0
	switch {
	case a.Answer == models.SubjectRefused && does:
		found.Add("answer", invalid.NotWanted)
	case len(a.Fields) > 0 && r.Kind != models.SubjectCorrection:
		found.Add("fields", invalid.NotWanted)
	case len(a.EraseFields)+len(a.EraseCategories) > 0 && r.Kind != models.SubjectErasure:
		found.Add("erase_fields", invalid.NotWanted)
	case a.Answer != models.SubjectRefused && r.Kind == models.SubjectErasure && !does:
		found.Add("erase_fields", invalid.Required) // what is granted is done with the answer
	}
	for _, key := range a.EraseFields {
		if !archive.OnConsentAlone(key) {
			found.Add("erase_fields", CodeNotByConsent)
			break
		}
	}
	if err := a.checkCorrection(tx, r, found); err != nil {
		return err
	}
	return found.Err()
}

// checkCorrection wants what is granted of the named fields to be written with the answer; other fields nobody asked for.
func (a *Answer) checkCorrection(tx *database.Tx, r models.SubjectRequest, found *invalid.ValuesError) error {
	if r.Kind != models.SubjectCorrection || a.Answer == models.SubjectRefused {
		return nil
	}
	for key, value := range a.Fields {
		if value == nil { // taking away is an erasure, which asks for more
			found.Add("fields", invalid.Required)
			break
		}
		if len(r.Fields) > 0 && !slices.Contains(r.Fields, key) {
			found.Add("fields", CodeNotRequested)
			break
		}
	}
	asked, err := archive.Definitions(tx.DB(), r.Fields)
	if err != nil {
		return err
	}
	wanted, written := 0, 0
	for _, d := range asked {
		if archive.Correctable(d) {
			wanted++
			if _, given := a.Fields[d.Key]; given {
				written++
			}
		}
	}
	switch {
	case a.Answer == models.SubjectGranted && written < wanted, wanted > 0 && written == 0, len(asked) == 0 && len(a.Fields) == 0:
		found.Add("fields", invalid.Required)
	}
	for _, key := range []string{archive.FieldName, archive.FieldPost} {
		if value, given := a.Fields[key]; given && value == nil {
			found.Add("fields."+key, invalid.Required)
		}
	}
	return nil
}

// Give answers a request, once, and carries out what it grants in the same transaction. agreed: two people did, to what
// takes two; without it that is archive.ErrApprovalRequired.
func Give(tx *database.Tx, sealer vault.Sealer, by models.Actor, id uuid.UUID, a Answer, agreed bool) (models.SubjectRequest, error) {
	r, _, err := a.Prepare(tx, by, id)
	if err != nil {
		return r, err
	}
	// The file is locked before the request, as by a purge.
	if err := a.carry(tx, sealer, by, r, agreed); err != nil {
		return r, err
	}
	if r, err = lock(tx, id); err != nil {
		return r, err
	}
	if r.State != models.SubjectOpen {
		return r, ErrClosed
	}
	now, err := tx.Now()
	if err != nil {
		return r, err
	}
	if r.AnswerSealed, err = reasons.Seal(tx, cell(columnAnswer, id), a.Text); err != nil {
		return r, err
	}
	if r.BasisSealed, err = reasons.Seal(tx, cell(columnBasis, id), a.Basis); err != nil {
		return r, err
	}
	r.State, r.Answer, r.AnsweredBy, r.FinishedAt = models.SubjectAnswered, a.Answer, by.ID(), &now
	return r, change(tx, &r, actionAnswered, a.details(r), map[string]any{
		"state": r.State, "answer": r.Answer, "answered_by": r.AnsweredBy, columnAnswer: r.AnswerSealed, columnBasis: r.BasisSealed, "finished_at": now,
	})
}

func (a Answer) details(r models.SubjectRequest) map[string]string {
	details := map[string]string{"subject_request_kind": string(r.Kind), "subject_answer": string(a.Answer)}
	if changed := a.Named(); len(changed) > 0 {
		details["fields"] = strings.Join(changed, ",")
	}
	if len(a.EraseCategories) > 0 {
		categories := make([]string, len(a.EraseCategories))
		for i, c := range a.EraseCategories {
			categories[i] = string(c)
		}
		details["categories"] = strings.Join(categories, ",")
	}
	return details
}

func (a Answer) carry(tx *database.Tx, sealer vault.Sealer, by models.Actor, r models.SubjectRequest, agreed bool) error {
	if len(a.EraseCategories) > 0 { // locks holds and employments first
		if !agreed {
			return archive.ErrApprovalRequired
		}
		if err := retention.Erase(tx, by, r.EmployeeID, r.ID.String(), a.EraseCategories); err != nil {
			return err
		}
	}
	values := a.values()
	if len(values) == 0 {
		return nil
	}
	file, err := archive.PatchOf(values).Prepare(tx, r.EmployeeID)
	if err == nil && len(file.Causes) > 0 && !agreed {
		err = archive.ErrApprovalRequired
	}
	if err != nil {
		return err
	}
	return file.Write(tx, sealer)
}
