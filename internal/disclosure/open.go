package disclosure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/consent"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/internal/permission"
	"lethe/internal/reasons"
	"lethe/internal/vault"
	"lethe/models"
)

// Lock reads a look and keeps it as it is to the end of the transaction.
func Lock(tx *database.Tx, id uuid.UUID) (models.Disclosure, error) {
	row, err := database.Lock[models.Disclosure](tx, "a look", id)
	if errors.Is(err, database.ErrNotFound) {
		err = ErrNotFound
	}
	return row, err
}

// Open opens a look that a reviewer agreed to, once; or shows again, counted, what was shown within the last half hour.
// It is judged anew: if the person's status changed since, the data is being destroyed, a consent was withdrawn, or the
// looker is not permitted to any more, a look that was agreed to lapses, which the [Look] that comes back says. What was
// shown and is being destroyed is [vault.ErrPurged], what is not permitted any more [ErrNotPermitted].
func Open(tx *database.Tx, opener vault.Opener, by models.Actor, id uuid.UUID, language i18n.Language) (look Look, err error) {
	if look.Disclosure, err = Lock(tx, id); err != nil {
		return look, err
	}
	now, err := tx.Now()
	switch {
	case err != nil:
		return look, err
	case look.ActorID != by.EmployeeID || look.ActorRole != by.Role:
		return look, ErrNotLooker
	case look.State != models.LookGranted && look.State != models.LookShown && look.State != models.LookClosed || look.OpenUntil == nil || look.SubjectRequestID != nil:
		return look, ErrNotOpen
	case !look.OpenUntil.After(now) && look.State == models.LookGranted:
		return look, look.lapse(tx)
	case !look.OpenUntil.After(now) || look.State == models.LookClosed:
		return look, ErrNotOpen
	}
	fields, err := archive.LookFields(tx, look.EmploymentID, look.Fields)
	if err != nil {
		return look, err
	}
	person, err := database.First[models.Employee](tx.DB().Where("id = ?", look.EmployeeID))
	if err != nil {
		return look, fmt.Errorf("reading whose data it is: %w", err)
	}
	destroyed := slices.ContainsFunc(fields, func(f archive.LookField) bool { return f.State != models.CategoryOpen })
	agreed, err := look.stillAgreed(tx)
	if err != nil {
		return look, err
	}
	permitted, err := stillPermitted(tx, look.Disclosure)
	switch {
	case err != nil:
		return look, err
	case look.State == models.LookGranted && (destroyed || person.Status != look.Status || !agreed || !permitted):
		return look, look.lapse(tx)
	case destroyed:
		return look, vault.ErrPurged
	case !agreed:
		return look, ErrNotOpen
	case !permitted:
		return look, ErrNotPermitted
	}
	look.Notice = notice(fields, language)
	columns, action := map[string]any{"shown_times": look.ShownTimes + 1}, actionAgain
	if look.State == models.LookGranted {
		show(&look.Disclosure, now)
		columns, action = map[string]any{"state": look.State, "shown_at": now, "shown_times": 1, "open_until": look.OpenUntil}, actionShown
	} else {
		look.ShownTimes++
	}
	entry := entryOf(look.Disclosure, action, map[string]string{"notice": look.Notice, "times": strconv.Itoa(look.ShownTimes)})
	if look.LedgerEntryID, look.Receipt, err = ledger.AppendWithReceipt(tx, entry, ""); err != nil {
		return look, err
	}
	columns["ledger_entry_id"] = look.LedgerEntryID
	if err := database.UpdateOne(tx.DB().Model(&models.Disclosure{}).Where("id = ?", id).Updates(columns)); err != nil {
		return look, fmt.Errorf("noting that a look was opened: %w", err)
	}
	look.Shown, err = open(tx, opener, fields, language)
	return look, err
}

// stillAgreed says whether the consent that a look rests on still stands: what the person withdrew is not shown again, and
// what was taken as recorded has to be so still. So do the purposes of the fields.
func (l *Look) stillAgreed(tx *database.Tx) (bool, error) {
	if fit, err := archive.OpenFor(tx, l.Fields, l.Purpose); err != nil || !fit {
		return false, err
	}
	purpose, _ := purposeOf(access.Purpose(l.Purpose))
	state, err := consented(tx, purpose, l.EmployeeID)
	if err != nil || purpose.Consent == "" || state == consent.Given || state.Refuses() {
		return !state.Refuses(), err
	}
	written, err := Statements(tx.Context(), tx, l.Disclosure)
	return err == nil && !slices.ContainsFunc(purpose.Evidence, func(e Evidence) bool { return e.Unrecorded && written[0].Evidence[e.Key] == "" }), err
}

// stillPermitted says whether the permissions let the looker look as far as the look went: by the matrix in force, and as
// the person stands to the looker now. One that nobody reviewed before rests on a grant that wants no reviewer, but for an
// emergency of somebody employed (I28).
func stillPermitted(tx *database.Tx, d models.Disclosure) (bool, error) {
	looker := models.Actor{EmployeeID: d.ActorID, Role: d.ActorRole}
	purpose, _ := purposeOf(access.Purpose(d.Purpose))
	f := Facts{Role: d.ActorRole, Asker: d.ActorID, Purpose: purpose}
	var err error
	if f.Matrix, err = permission.Current(tx.DB()); err != nil {
		return false, err
	}
	var rows []archive.LookRow
	file, err := archive.LookRows(tx.DB(), looker, d.EmployeeID, &d.EmploymentID, d.Fields)
	if err != nil {
		return false, err
	}
	if err := file.Select(archive.LookColumns, map[string]any{"asker": d.ActorID}).Scan(&rows).Error; err != nil {
		return false, database.Wrap("reading a file for a look", err)
	}
	for _, row := range rows {
		f.about(d.EmployeeID, row)
		f.asks(row.LookField)
	}
	level := f.level()
	return level == access.Look || level == access.LookAfterReview && (d.Rule != string(RuleGranted) || purpose.Emergency && f.employed()), nil
}

// RecordNotPermitted records that a look was refused with [ErrNotPermitted].
func RecordNotPermitted(tx *database.Tx, id uuid.UUID) error {
	row, err := Lock(tx, id)
	if err != nil {
		return err
	}
	row.Rule = string(RulePurposeNotForField)
	_, err = ledger.Append(tx, entryOf(row, actionRefused, map[string]string{"fields": strings.Join(row.Fields, ",")}))
	return err
}

// Attachment lets a document be sent that a look showed, to who looked, within the half hour in which it may be shown
// again: counted, and recorded before anything of it leaves (I18). One that is not of the look, or was destroyed or
// removed since, is archive.ErrAttachmentNotFound; what is not permitted any more [ErrNotPermitted].
func Attachment(tx *database.Tx, by models.Actor, id, attachment uuid.UUID) (a archive.Attached, err error) {
	look := Look{}
	if look.Disclosure, err = Lock(tx, id); err != nil {
		return a, err
	}
	now, err := tx.Now()
	switch {
	case err != nil:
		return a, err
	case look.ActorID != by.EmployeeID || look.ActorRole != by.Role:
		return a, ErrNotLooker
	case look.State != models.LookShown || look.OpenUntil == nil || !look.OpenUntil.After(now):
		return a, ErrNotOpen
	}
	if agreed, err := look.stillAgreed(tx); err != nil || !agreed {
		return a, errors.Join(err, ErrNotOpen)
	}
	if permitted, err := stillPermitted(tx, look.Disclosure); err != nil {
		return a, err
	} else if !permitted {
		return a, ErrNotPermitted
	}
	a, err = archive.AttachmentOf(tx.DB(), attachment)
	if err == nil && (a.EmploymentID != look.EmploymentID || !slices.Contains(look.Fields, a.FieldKey)) {
		err = archive.ErrAttachmentNotFound
	}
	if err != nil {
		return a, err
	}
	look.ShownTimes++
	details := map[string]string{"attachment": a.ID.String(), "fields": a.FieldKey, "times": strconv.Itoa(look.ShownTimes)}
	return a, change(tx, &look.Disclosure, actionSent, details, map[string]any{"shown_times": look.ShownTimes})
}

// change writes columns of a look, with the entry that says so.
func change(tx *database.Tx, d *models.Disclosure, action string, details map[string]string, columns map[string]any) (err error) {
	if d.LedgerEntryID, err = ledger.Append(tx, entryOf(*d, action, details)); err != nil {
		return err
	}
	columns["ledger_entry_id"] = d.LedgerEntryID
	return database.UpdateOne(tx.DB().Model(&models.Disclosure{}).Where("id = ?", d.ID).Updates(columns))
}

func (l *Look) lapse(tx *database.Tx) error {
	l.State = models.LookLapsed
	return change(tx, &l.Disclosure, actionLapsed, nil, map[string]any{"state": models.LookLapsed})
}

// Waiting locks a look about which a reviewer is to decide. About one that could not be opened any more nobody is.
func Waiting(tx *database.Tx, id uuid.UUID) (models.Disclosure, error) {
	row, err := Lock(tx, id)
	if err == nil && row.State != models.LookWaiting {
		err = ErrNotWaiting
	}
	if err != nil {
		return row, err
	}
	state, _, err := overtaken(tx, row)
	if err == nil && state != models.LookWaiting {
		err = ErrNotWaiting
	}
	return row, err
}

// Grant notes that a reviewer agreed: for a day who asked may open it, once.
func Grant(tx *database.Tx, id uuid.UUID) error {
	row, err := Waiting(tx, id)
	if err != nil {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	return change(tx, &row, actionGranted, nil, map[string]any{"state": models.LookGranted, "open_until": now.Add(openable)})
}

// Drop notes that no reviewer agreed: one declined, or the request ended undecided.
func Drop(tx *database.Tx, id uuid.UUID, declined bool) error {
	row, err := Lock(tx, id)
	if err != nil || row.State != models.LookWaiting {
		return err
	}
	if declined {
		return change(tx, &row, actionDeclined, nil, map[string]any{"state": models.LookDeclined})
	}
	ended, err := endOvertaken(tx, &row)
	if err == nil && !ended {
		err = change(tx, &row, actionLapsed, nil, map[string]any{"state": models.LookLapsed})
	}
	return err
}

// Statements opens what was written for looks, in their order. What ended with the log is empty.
func Statements(ctx context.Context, c reasons.Carrier, rows ...models.Disclosure) ([]Statement, error) {
	texts := make([]reasons.Text, len(rows))
	for i, row := range rows {
		texts[i] = reasons.Text{Cell: cell(columnStatement, row.ID), Sealed: row.StatementSealed}
	}
	opened, err := reasons.Open(ctx, c, texts...)
	if err != nil {
		return nil, err
	}
	statements := make([]Statement, len(rows))
	for i, text := range opened {
		if text != "" && json.Unmarshal([]byte(text), &statements[i]) != nil {
			return nil, errors.New("reading what was written for a look failed") // the cause would quote it
		}
	}
	return statements, nil
}

// Afterwards is what was written about a look after it.
type Afterwards struct{ Outcome, Review, Objection, Answer string }

// Later opens what was written about a look after it.
func Later(ctx context.Context, c reasons.Carrier, row models.Disclosure) (a Afterwards, err error) {
	opened, err := reasons.Open(ctx, c, reasons.Text{Cell: cell(columnOutcomeNote, row.ID), Sealed: row.OutcomeNoteSealed},
		reasons.Text{Cell: cell(columnReviewNote, row.ID), Sealed: row.ReviewNoteSealed},
		reasons.Text{Cell: cell(columnObjection, row.ID), Sealed: row.ObjectionSealed},
		reasons.Text{Cell: cell(columnAnswer, row.ID), Sealed: row.AnswerSealed})
	if err == nil {
		a = Afterwards{opened[0], opened[1], opened[2], opened[3]}
	}
	return a, err
}
