// Package message passes a message on to somebody who has left: that somebody would like to hear from them, without the
// matter. It goes only to who agreed to that, by real mail, to the private address that the file holds; that address is
// opened within the process that sends, right before it sends, and is in no row, entry or log. Who asked learns nothing of
// whether anything was sent.
package message

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/archive"
	"lethe/internal/consent"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
	"lethe/internal/textform"
	"lethe/models"
)

// The ways in which a command is refused.
var (
	ErrNotFound = errors.New("no such message")
	// ErrNoServer: no mail server is set.
	ErrNoServer = errors.New("no mail server is set")
	// ErrOwn: nobody passes a message on to themselves.
	ErrOwn = errors.New("nobody passes a message on to themselves")
	// ErrAsker: the colleague who is to be named does not exist, has left, or is the one it is for.
	ErrAsker = errors.New("nobody who could be named")
	// ErrTooOften: the same colleague, or nobody named, had a message passed on to this person lately.
	ErrTooOften = errors.New("a message was passed on to this person lately")
	// ErrAnswered: the colleague has answered, or not in time.
	ErrAnswered = errors.New("nobody waits for this answer any more")
	// ErrContact: the contact is missing, too long or no text.
	ErrContact = errors.New("the contact is missing, too long or no text")
)

// NotPossibleError says why nothing can be passed on to somebody.
type NotPossibleError struct{ Why models.MessageEnd }

func (e *NotPossibleError) Error() string {
	return "nothing can be passed on to this person: " + string(e.Why)
}

const (
	// again is how long the same asker, named or not, waits before the next message to the same person.
	again = 30 * 24 * time.Hour
	// most messages reach one person within that time, whoever asks.
	most = 5
	// confirmWithin is how long a colleague may agree to be named.
	confirmWithin = 7 * 24 * time.Hour
	maxContact    = 100
)

// addressField is the field of the file that holds the private address.
const addressField = "personal_email"

// What the ledger says about a message.
const (
	actionAsked     = "message.asked"
	actionConfirmed = "message.confirmed"
	actionSending   = "message.handing_over"
	actionDelayed   = "message.delayed"
	actionSent      = "message.sent"
	actionUnsure    = "message.unsure"
	actionEnded     = "message.ended"
)

func cell(id uuid.UUID) string { return reasons.Cell("messages.contact_sealed", id) }

// Possible says why nothing can be passed on to somebody; empty: it can. Nothing is opened for it.
func Possible(g *gorm.DB, person uuid.UUID) (models.MessageEnd, error) {
	return reachable(g, person, true)
}

// reachable is Possible; what the person asked for needs no other consent.
func reachable(g *gorm.DB, person uuid.UUID, agree bool) (models.MessageEnd, error) {
	e, err := database.First[models.Employee](g.Where("id = ?", person))
	switch {
	case errors.Is(err, database.ErrNotFound):
		return "", err
	case err != nil:
		return "", fmt.Errorf("reading to whom a message goes: %w", err)
	case e.Status == models.StatusPurged:
		return models.EndDeleted, nil
	case e.Status != models.StatusDeparted:
		return models.EndNotLeft, nil
	}
	agreed, err := consent.To(g, person, models.ConsentMessages)
	if err != nil {
		return "", err
	}
	if agree && agreed.State != consent.Given {
		return models.EndNotAgreed, nil
	}
	there, err := has(g, person, addressField)
	if err == nil && !there {
		return models.EndNoAddress, nil
	}
	return "", err
}

// Addressed says whether a file of somebody holds a private address, and when it was written last.
func Addressed(g *gorm.DB, person uuid.UUID) (since time.Time, there bool, err error) {
	var found []time.Time
	err = g.Raw(`SELECT v.updated_at FROM field_values v JOIN employments m ON m.id = v.employment_id JOIN employment_categories c ON c.id = v.category_id
		WHERE m.employee_id = ? AND v.field_key = ? AND v.value_sealed IS NOT NULL AND c.state = 'open'
		ORDER BY m.created_at DESC, m.id DESC LIMIT 1`, person, addressField).Scan(&found).Error
	if err != nil || len(found) == 0 {
		return since, false, database.Wrap("looking for an address", err)
	}
	return found[0], true, nil
}

// has says whether a file of somebody holds an address, without opening it.
func has(g *gorm.DB, person uuid.UUID, field string) (there bool, err error) {
	err = g.Raw(`SELECT EXISTS (SELECT FROM field_values v JOIN employments m ON m.id = v.employment_id JOIN employment_categories c ON c.id = v.category_id
		WHERE m.employee_id = ? AND v.field_key = ? AND v.value_sealed IS NOT NULL AND c.state = 'open')`, person, field).Scan(&there).Error
	return there, database.Wrap("looking for an address", err)
}

// Request is a message that HR is to pass on.
type Request struct {
	EmployeeID uuid.UUID
	// Asker is the colleague whom it names, once they agree by their own login; nil: it names nobody.
	Asker *uuid.UUID
	// Configured says whether there is a mail server.
	Configured bool
}

// Ask has a message passed on. One that names a colleague waits for that colleague, whether or not it can be sent: whoever
// is asked to agree learns nothing of the other by that.
func Ask(tx *database.Tx, by models.Actor, r Request) (m models.Message, err error) {
	if !r.Configured {
		return m, ErrNoServer
	}
	if r.EmployeeID == by.EmployeeID {
		return m, ErrOwn
	}
	if err := r.check(tx, by); err != nil {
		return m, err
	}
	now, err := tx.Now()
	if err != nil {
		return m, err
	}
	if err := r.bounds(tx, now); err != nil {
		return m, err
	}
	m = models.Message{ID: models.NewID(), EmployeeID: r.EmployeeID, RequestedBy: by.ID(), AskerID: r.Asker, State: models.MessageQueued, RequestedAt: now, NextAt: &now}
	if r.Asker != nil {
		until := now.Add(confirmWithin)
		m.State, m.ConfirmUntil, m.NextAt = models.MessageWaiting, &until, &until
	} else if why, err := Possible(tx.DB(), r.EmployeeID); err != nil || why != "" {
		if err == nil {
			err = &NotPossibleError{why}
		}
		return m, err
	}
	if m.LedgerEntryID, err = ledger.Append(tx, entry(m, actionAsked, nil)); err != nil {
		return m, err
	}
	return m, database.Wrap("keeping a message", tx.DB().Create(&m).Error)
}

// check finds both, and locks to whom it goes: messages to one person take turns.
func (r Request) check(tx *database.Tx, by models.Actor) error {
	_, err := database.First[models.Employee](tx.DB().Scopes(archive.VisibleTo(by)).Select("employees.id").Where("employees.id = ?", r.EmployeeID))
	if err == nil {
		_, err = database.Lock[models.Employee](tx, "an employee", r.EmployeeID)
	}
	if err != nil || r.Asker == nil {
		return err
	}
	asker, err := database.First[models.Employee](tx.DB().Scopes(archive.VisibleTo(by)).Where("employees.id = ?", *r.Asker))
	if errors.Is(err, database.ErrNotFound) || err == nil && (asker.ID == r.EmployeeID || asker.Status != models.StatusActive && asker.Status != models.StatusPendingDeparture) {
		return ErrAsker
	}
	return database.Wrap("looking for who asks", err)
}

// bounds counts what reached the person, or still may: what ended was not sent, but a colleague who said no is not asked again.
func (r Request) bounds(tx *database.Tx, now time.Time) error {
	var n struct{ Same, All int }
	err := tx.DB().Raw(`SELECT count(*) FILTER (WHERE asker_id IS NOT DISTINCT FROM ?) AS same, count(*) AS "all" FROM messages
		WHERE employee_id = ? AND call_id IS NULL AND NOT link AND reminder = '' AND requested_at > ? AND (state <> 'ended' OR ended_as IN ('asker_declined', 'asker_silent'))`, r.Asker, r.EmployeeID, now.Add(-again)).Scan(&n).Error
	if err == nil && (n.Same > 0 || n.All >= most) {
		return ErrTooOften
	}
	return database.Wrap("counting messages", err)
}

// Confirm is the colleague's own word: to be named with a contact, or not. The same again changes nothing.
func Confirm(tx *database.Tx, by models.Actor, id uuid.UUID, agreed bool, contact string) (models.Message, error) {
	m, err := lock(tx, id)
	if err != nil {
		return m, err
	}
	if m.AskerID == nil || *m.AskerID != by.EmployeeID {
		return m, ErrNotFound
	}
	now, err := tx.Now()
	switch {
	case err != nil:
		return m, err
	case m.State != models.MessageWaiting && agreed == (m.ConfirmedAt != nil) && m.EndedAs != models.EndAskerSilent:
		return m, nil
	case m.State != models.MessageWaiting || !m.ConfirmUntil.After(now):
		return m, ErrAnswered
	case !agreed:
		return m, end(tx, &m, models.EndAskerDeclined, now)
	}
	text, fault := textform.Line(contact, maxContact)
	if fault != "" {
		return m, ErrContact
	}
	if m.ContactSealed, err = reasons.Seal(tx, cell(id), text); err != nil {
		return m, err
	}
	m.State, m.ConfirmedAt, m.NextAt = models.MessageQueued, &now, &now
	return m, change(tx, &m, actionConfirmed, nil, map[string]any{"confirmed_at": now, "contact_sealed": m.ContactSealed, "next_at": now})
}

// lock reads a message and keeps it as it is to the end of the transaction.
func lock(tx *database.Tx, id uuid.UUID) (models.Message, error) {
	m, err := database.Lock[models.Message](tx, "a message", id)
	return m, database.Found("locking a message", err, ErrNotFound)
}

// entry is one about a message. Whoever it is for is its subject.
func entry(m models.Message, action string, details map[string]string) ledger.Entry {
	if m.CallID != nil {
		action = "emergency_alert" + strings.TrimPrefix(action, "message")
	}
	kind := ledger.KindDisclosure
	if m.Reminder != "" {
		action, kind = "reminder"+strings.TrimPrefix(action, "message"), ledger.KindIdentity
	}
	e := ledger.Entry{Kind: kind, Action: action, Subject: &m.EmployeeID, Object: "message/" + m.ID.String(), Details: details}
	if m.Link {
		e.Purpose = "access_link"
	}
	if m.AskerID != nil {
		e.RequestedBy = m.AskerID.String()
	}
	return e
}

// change writes a message's state and other columns, with the entry that says so.
func change(tx *database.Tx, m *models.Message, action string, details map[string]string, columns map[string]any) (err error) {
	e := entry(*m, action, details)
	if action != actionConfirmed && m.EndedAs != models.EndAskerDeclined {
		e.Actor = &models.System
	}
	if m.LedgerEntryID, err = ledger.Append(tx, e); err != nil {
		return err
	}
	columns["state"], columns["ledger_entry_id"] = m.State, m.LedgerEntryID
	return database.UpdateOne(tx.DB().Model(&models.Message{}).Where("id = ?", m.ID).Updates(columns))
}

// end notes that a message is not sent.
func end(tx *database.Tx, m *models.Message, why models.MessageEnd, now time.Time) error {
	m.State, m.EndedAs, m.FinishedAt, m.ContactSealed = models.MessageEnded, why, &now, models.Sealed{}
	return change(tx, m, actionEnded, map[string]string{"message_end": string(why)},
		map[string]any{"ended_as": why, "finished_at": now, "contact_sealed": nil, "next_at": nil})
}

// End ends what is still to be sent to somebody whose data is deleted. What waits for a colleague goes on to do so: it
// ends once it would be sent, and the colleague learns nothing by it.
func End(tx *database.Tx, person uuid.UUID) error {
	open, err := database.LockAll[models.Message](tx, "messages", "employee_id = ? AND state = ?", person, models.MessageQueued)
	if err != nil {
		return err
	}
	now, err := tx.Now()
	for i := 0; i < len(open) && err == nil; i++ {
		err = end(tx, &open[i], models.EndDeleted, now)
	}
	return err
}

// Filter says which messages are listed.
type Filter struct {
	EmployeeID *uuid.UUID
	AskerID    *uuid.UUID
	State      models.MessageState
	// NotTo leaves out those to one person.
	NotTo  uuid.UUID
	Before uuid.UUID // newest first
	Limit  int
}

// List is a page of messages, newest first, and one more if there are more.
func List(ctx context.Context, db *database.DB, f Filter) (rows []models.Message, err error) {
	q := db.Read(ctx).Where("call_id IS NULL AND NOT link AND reminder = '' AND employee_id <> ?", f.NotTo)
	if f.EmployeeID != nil {
		q = q.Where("employee_id = ?", *f.EmployeeID)
	}
	if f.AskerID != nil {
		q = q.Where("asker_id = ?", *f.AskerID)
	}
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	if f.Before != uuid.Nil {
		q = q.Where("id < ?", f.Before)
	}
	err = q.Order(database.Newest).Limit(f.Limit + 1).Find(&rows).Error
	return rows, database.Wrap("listing messages", err)
}

// Get is one message.
func Get(ctx context.Context, db *database.DB, id uuid.UUID) (models.Message, error) {
	m, err := database.First[models.Message](db.Read(ctx).Where("id = ? AND call_id IS NULL AND NOT link AND reminder = ''", id))
	return m, database.Found("reading a message", err, ErrNotFound)
}
