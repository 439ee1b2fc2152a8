package disclosure

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/consent"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/internal/permission"
	"lethe/internal/reasons"
	"lethe/internal/screening"
	"lethe/internal/vault"
	"lethe/models"
)

// RequestedBy is who asked HR for it: a colleague, an outsider by a description, or nobody.
type RequestedBy struct {
	EmployeeID  *uuid.UUID
	Description string
}

// Request is a look that somebody asks for.
type Request struct {
	EmployeeID uuid.UUID
	// EmploymentID is whose file; nil: the latest employment's.
	EmploymentID *uuid.UUID
	Fields       []string
	Purpose      access.Purpose
	Reason       string
	Evidence     map[string]string
	RequestedBy  RequestedBy
	// Compare is a number that somebody names: nothing is shown, but whether it is the one in the file.
	Compare *string
	// Copy, if given, is a copy of the whole file that HR prints: Fields are then all that is stored.
	Copy *PaperCopy
	// Language is what the notice is shown in.
	Language i18n.Language
	// Proved says whether the looker has just proved who they are (I22).
	Proved func(now time.Time) bool
}

// PaperCopy is what somebody asked for on paper.
type PaperCopy struct {
	RequestID uuid.UUID
	// EnteredAlone: whoever prints it entered the paper, or has a user of who did.
	EnteredAlone bool
	ByRelative   bool // a near relative of somebody who died asks
}

// Statement is what was written for a look; it is kept sealed.
type Statement struct {
	Reason      string            `json:"reason,omitempty"`
	Evidence    map[string]string `json:"evidence,omitempty"`
	RequestedBy string            `json:"requested_by,omitempty"` // an outsider
	// Nonce keeps the digest of it that the ledger holds from being guessed.
	Nonce string `json:"nonce"`
}

// Shown is one field as a look shows it.
type Shown struct {
	Key, Label, Notice string
	Value, Text        *string // nil: the file has nothing for it; the text is of a choice in words
	// Attachments are the documents of a field that takes them; their content is sent by [Attachment].
	Attachments []archive.NamedAttachment
}

// Look is what a request came to.
type Look struct {
	models.Disclosure
	Decision Decision
	// Shown is set if values were opened. They must not leave before the transaction has committed.
	Shown   []Shown
	Notice  string // those of the fields, each once
	Receipt string
}

const (
	maxFields = 20
	// shownAgain is how long what was shown may be shown again, counted.
	shownAgain = 30 * time.Minute
	// openable is how long one that a reviewer agreed to waits for being opened.
	openable = 24 * time.Hour
	// after a refusal what is asked for the same person goes to a reviewer for so long.
	refusedFor = 30 * day
)

// Asked is a look with the decision about it. It is known before anything is written.
type Asked struct {
	Decision Decision
	// Waiting is the same look, if it waits for a reviewer already.
	Waiting *uuid.UUID

	request Request
	judged  judged
}

// Prepare judges a look and writes nothing. What is malformed is *invalid.ValuesError, a look for which the looker has to prove
// first who they are [ErrProve], somebody who is not there database.ErrNotFound, and one that waits for a reviewer already
// but was asked for in other words *WaitingError.
func Prepare(tx *database.Tx, by models.Actor, r Request) (a Asked, err error) {
	purpose, err := r.check()
	if err != nil {
		return a, err
	}
	if a.judged, err = read(tx, by, r, purpose); err != nil {
		return a, err
	}
	if r.Copy != nil {
		r.Fields = keysOf(a.judged.fields)
	}
	r.Fields = slices.Sorted(slices.Values(r.Fields)) // the same ones in another order are the same look
	a.request = r
	if a.judged.facts.Text.Doubt == screening.SaysNothing {
		return a, invalid.At("reason", CodeSaysNothing)
	}
	if r.Compare != nil && !archive.Comparable(a.judged.fields[0].FieldDefinition) {
		return a, invalid.At("fields", CodeNotComparable)
	}
	a.Decision = Decide(a.judged.facts)
	switch a.Decision.Verdict {
	case Prove:
		if !r.Proved(a.judged.now) {
			return a, ErrProve
		}
	case Review:
		a.Waiting, err = a.again(tx, by)
	}
	return a, err
}

// again finds the same look that waits already.
func (a Asked) again(tx *database.Tx, by models.Actor) (*uuid.UUID, error) {
	r := a.request
	q := tx.DB().Where("actor_id = ? AND state = ?", by.EmployeeID, models.LookWaiting)
	if r.Copy != nil {
		q = q.Where("subject_request_id = ?", r.Copy.RequestID)
	} else {
		q = q.Where("employment_id = ? AND purpose = ? AND fields = ? AND subject_request_id IS NULL", a.judged.employmentID, r.Purpose, models.Codes(r.Fields))
	}
	row, err := database.First[models.Disclosure](q.Order("id"))
	if errors.Is(err, database.ErrNotFound) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, err
	}
	written, err := Statements(tx.Context(), tx, row)
	if err == nil && (written[0].Reason != r.Reason || !maps.Equal(written[0].Evidence, r.Evidence)) {
		err = &WaitingError{row.ID}
	}
	return &row.ID, err
}

// Carry records a look and, if it is allowed, opens the fields: the entry, the row and the opening are one transaction.
// A refusal is recorded as well. One that a reviewer has to decide about waits from then on.
func (a Asked) Carry(tx *database.Tx, opener vault.Opener, by models.Actor) (look Look, err error) {
	r, j := a.request, a.judged
	look.Decision, look.Notice = a.Decision, notice(j.fields, r.Language)
	if look.Disclosure, err = j.row(tx, by, r, look.Decision); err != nil {
		return look, err
	}
	action := map[Verdict]string{Refuse: actionRefused, Review: actionRequested, Prove: actionShown, Show: actionShown}[look.Decision.Verdict]
	if action == actionShown && r.Compare != nil {
		action = actionCompared
		if err := look.compare(tx, opener, a); err != nil {
			return look, err
		}
	}
	if err := look.keep(tx, action, j.details(look.Disclosure, look.Notice), r.RequestedBy.Description != ""); err != nil {
		return look, err
	}
	if look.State == models.LookShown && r.Copy == nil {
		look.Shown, err = open(tx, opener, j.fields, r.Language)
	}
	return look, err
}

// keep inserts a look with its entry.
func (l *Look) keep(tx *database.Tx, action string, details map[string]string, byOutsider bool) (err error) {
	entry := entryOf(l.Disclosure, action, details)
	if byOutsider {
		entry.RequestedBy = outsider
	}
	d := l.Disclosure
	l.LedgerEntryID, l.Receipt, err = ledger.AppendWithReceipt(tx, entry, insertLook, d.ID, d.EmployeeID, d.EmploymentID, d.ActorID, string(d.ActorRole),
		d.Fields, d.Purpose, d.SubjectRequestID, string(d.Status), string(d.State), d.Rule, d.Flags, d.Matter, d.StatementSealed, d.RequestedBy,
		d.AskedAt, d.OpenUntil, d.ShownAt, d.ShownTimes, d.ReviewDueAt, d.Pressed, d.Compares, d.Matched)
	return err
}

// insertLook inserts a look as it begins.
const insertLook = `INSERT INTO disclosures (id, employee_id, employment_id, actor_id, actor_role, fields, purpose, subject_request_id, status, state, rule, flags,
		matter, statement_sealed, requested_by, asked_at, open_until, shown_at, shown_times, review_due_at, pressed, compares, matched, ledger_entry_id)
	SELECT ?::uuid, ?::uuid, ?::uuid, ?::uuid, ?::text, ?::text[], ?::text, ?::uuid, ?::text, ?::text, ?::text, ?::text[],
		?::text, ?::bytea, ?::uuid, ?::timestamptz, ?::timestamptz, ?::timestamptz, ?::int, ?::timestamptz, ?::boolean, ?::boolean, ?::boolean, entry_id FROM pending`

// judged is a request with the facts that it is judged by.
type judged struct {
	facts        Facts
	employmentID uuid.UUID
	fields       []archive.LookField
	statement    Statement
	now          time.Time
	zone         *time.Location
	place        clock.Place
}

// read reads the facts.
func read(tx *database.Tx, by models.Actor, r Request, purpose Purpose) (j judged, err error) {
	first, err := alone(tx, by)
	if err != nil {
		return j, err
	}
	j.now = first.Now
	j.facts = Facts{Role: by.Role, Relation: access.RelationNone, Asker: by.EmployeeID, Purpose: purpose, Compares: r.Compare != nil}
	if j.facts.Matrix, err = first.Matrix(tx.DB()); err != nil {
		return j, err
	}
	if err := r.knowsAsker(tx, by); err != nil {
		return j, err
	}
	if r.Compare != nil { // so that no number of people at once gets past the tries
		if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", "comparisons/"+r.EmployeeID.String()).Error; err != nil {
			return j, database.Wrap("waiting for other comparisons", err)
		}
	}
	if err := j.readFile(tx, by, r); err != nil {
		return j, err
	}
	if j.facts.Consent, err = consented(tx, purpose, r.EmployeeID); err != nil {
		return j, err
	}
	if by.EmployeeID == r.EmployeeID {
		j.facts.Relation = access.RelationSelf
	}
	if j.facts.LongAgo, err = r.judgeEvidence(purpose, j); err != nil {
		return j, err
	}
	j.facts.Text = screening.Builtin().Screen(r.Reason, string(r.Purpose))
	j.statement = Statement{Reason: r.Reason, Evidence: r.Evidence, RequestedBy: r.RequestedBy.Description, Nonce: nonce()}
	return j, nil
}

// beginning is when a look is judged, and by which permissions.
type beginning struct {
	Now time.Time
	permission.Head
}

// consented is how somebody stands to what a purpose rests on; of one that rests on something else it is nothing.
func consented(tx *database.Tx, purpose Purpose, person uuid.UUID) (consent.State, error) {
	if purpose.Consent == "" {
		return "", nil
	}
	s, err := consent.To(tx.DB(), person, purpose.Consent)
	return s.State, err
}

// alone has the looks of one person judged one after the other, so that no number of them at once gets past what is
// counted.
func alone(tx *database.Tx, by models.Actor) (b beginning, err error) {
	err = tx.DB().Raw("SELECT public.lethe_now() AS now, "+permission.HeadColumns+" FROM (SELECT pg_advisory_xact_lock(hashtextextended(?, 0)) OFFSET 0) AS mine",
		"looks/"+by.EmployeeID.String()).Scan(&b).Error
	return b, database.Wrap("waiting for the looker's other looks", err)
}

// counted is how often the looker looked, and whether a look was refused: for another purpose, or for its text, which
// another text does not undo.
const counted = `(SELECT count(DISTINCT employee_id) FROM disclosures WHERE actor_id = @asker AND asked_at > @day AND (shown_at IS NOT NULL OR matched IS NOT NULL) AND employee_id <> @person) AS people,
	(SELECT count(*) FROM disclosures WHERE actor_id = @asker AND asked_at > @week AND (shown_at IS NOT NULL OR matched IS NOT NULL) AND employee_id = @person) AS looks,
	(SELECT count(*) FROM disclosures WHERE employee_id = @person AND asked_at > @day AND matched IS NOT NULL AND fields = CAST(@fields AS text[])) AS tries,
	EXISTS (SELECT FROM disclosures WHERE employee_id = @person AND asked_at > @month AND disclosures.state = 'refused'
		AND (rule IN ('never_for_this', 'registered') OR rule = 'purpose_not_for_field' AND purpose <> @purpose)) AS refused`

// readFile reads whose file it is, how it stands to who asks, its fields, and what was looked at before.
func (j *judged) readFile(tx *database.Tx, by models.Actor, r Request) error {
	var rows []struct {
		archive.LookRow
		People, Looks, Tries int
		Refused              bool
	}
	if r.Copy != nil {
		r.Fields = []string{""} // no field: the row of the person alone
	}
	file, err := archive.LookRows(tx.DB(), by, r.EmployeeID, r.EmploymentID, r.Fields)
	if err != nil {
		return err
	}
	err = file.Select(archive.LookColumns+", "+counted, map[string]any{
		"asker": by.EmployeeID, "person": r.EmployeeID, "purpose": r.Purpose, "fields": models.Codes(r.Fields),
		"day": j.now.Add(-day), "week": j.now.Add(-7 * day), "month": j.now.Add(-refusedFor),
	}).Scan(&rows).Error
	if err != nil {
		return database.Wrap("reading a file for a look", err)
	}
	if len(rows) == 0 {
		return fmt.Errorf("reading a file for a look: %w", database.ErrNotFound)
	}
	for _, row := range rows {
		if row.Key != "" {
			j.fields = append(j.fields, row.LookField)
			j.facts.asks(row.LookField)
		}
	}
	if r.Copy != nil {
		err = j.readAll(tx, r)
	} else {
		err = archive.InOrder(j.fields, r.Fields)
	}
	if err != nil {
		return err
	}
	of := rows[0]
	j.employmentID = of.EmploymentID
	j.facts.about(r.EmployeeID, of.LookRow)
	j.facts.People, j.facts.Looks, j.facts.Tries, j.facts.RefusedBefore = of.People, of.Looks, of.Tries, of.Refused
	j.place = clock.Place{Jurisdiction: of.Jurisdiction, Region: of.Region}
	j.zone, err = clock.LoadZone(of.TimeZone)
	return err
}

// asks adds a field to those that are asked for.
func (f *Facts) asks(field archive.LookField) {
	if g := field.Group(); !slices.Contains(f.Groups, g) {
		f.Groups = append(f.Groups, g)
	}
	f.Destroyed = f.Destroyed || field.State != models.CategoryOpen
	f.Barred = f.Barred || !field.OpensFor(string(f.Purpose.Purpose)) || archive.ForCallsAlone(field.Key)
}

// about says whose file it is, and how that stands to who asks.
func (f *Facts) about(person uuid.UUID, of archive.LookRow) {
	f.Status = of.PersonStatus
	f.Target = access.Target{ID: person, SameEntity: of.SameEntity, SameSite: of.SameSite, OwnDepartment: of.OwnDepartment, BelowDepartment: of.BelowDepartment}
}

func (j judged) row(tx *database.Tx, by models.Actor, r Request, d Decision) (models.Disclosure, error) {
	row := models.Disclosure{
		ID: models.NewID(), EmployeeID: r.EmployeeID, EmploymentID: j.employmentID, ActorID: by.EmployeeID, ActorRole: by.Role,
		Fields: r.Fields, Purpose: string(r.Purpose), Status: j.facts.Status, AskedAt: j.now, Rule: string(d.Rule), RequestedBy: r.RequestedBy.EmployeeID,
		Compares: r.Compare != nil,
	}
	if r.Copy != nil {
		row.SubjectRequestID = &r.Copy.RequestID
	}
	for _, rule := range d.Flags {
		row.Flags = append(row.Flags, string(rule))
	}
	switch d.Verdict {
	case Refuse:
		row.State, row.Matter = models.LookRefused, string(j.facts.Text.Category)
	case Review:
		row.State = models.LookWaiting
	default:
		show(&row, j.now)
		if j.facts.Purpose.Reviewed {
			due := reviewDue(j.now, j.place, j.zone)
			row.ReviewDueAt = &due
		}
		if r.Copy != nil {
			row.OpenUntil = nil // it is printed once
		}
	}
	var err error
	row.StatementSealed, err = j.seal(tx, row.ID)
	return row, err
}

// seal seals what was written for a look.
func (j judged) seal(tx *database.Tx, id uuid.UUID) (models.Sealed, error) {
	text, err := json.Marshal(j.statement)
	if err != nil {
		return models.Sealed{}, errors.New("writing what was said for a look failed")
	}
	return reasons.SealAt(tx.Context(), tx, j.now, cell(columnStatement, id), string(text))
}

func nonce() string { return rand.Text() }

// digest is what the ledger holds of the statement: SHA-256, in hex.
func (s Statement) digest() string {
	text, _ := json.Marshal(s) // strings and a map of them
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// open opens the fields.
func open(tx *database.Tx, opener vault.Opener, fields []archive.LookField, language i18n.Language) ([]Shown, error) {
	var all []Shown
	for _, f := range fields {
		value, ok, err := archive.OpenField(tx, opener, f)
		if err != nil {
			return nil, err
		}
		s := Shown{Key: f.Key, Label: f.Label(language), Notice: f.Notice(language)}
		if f.Type == models.FieldAttachment {
			if s.Attachments, err = archive.OpenAttachments(tx, opener, f); err != nil {
				return nil, err
			}
		}
		if ok {
			text := f.ValueText(language, value)
			s.Value, s.Text = &value, &text
		}
		all = append(all, s)
	}
	return all, nil
}

// notice is what the fields carry, each text once.
func notice(fields []archive.LookField, language i18n.Language) string {
	var texts []string
	for _, f := range fields {
		if n := f.Notice(language); !slices.Contains(texts, n) {
			texts = append(texts, n)
		}
	}
	return strings.Join(texts, language.Of("；", "; "))
}

// InsteadOf is what can be done instead of a refused look. A message is passed on only where that is possible: to whom it
// is, who asked must not learn.
func InsteadOf(d models.Disclosure, messages bool) []Alternative {
	fits, ok := instead[screening.Category(d.Matter)]
	switch {
	case ok:
	case d.Compares && (len(d.Flags) > 0 || d.Rule == string(RuleTries)):
		return []Alternative{AskToLook}
	default:
		fits = insteadOf(Rule(d.Rule), access.Purpose(d.Purpose))
	}
	return slices.DeleteFunc(slices.Clone(fits), func(a Alternative) bool { return a == PassMessage && !messages })
}
