package notify

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/approval"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/models"
)

const (
	planEvery = 30 * time.Second
	// fromHour is when digests are sent, by the clock of where somebody is employed.
	fromHour = 8
	// urgentPause is how long what is urgent waits after the last mail: much at once is one mail.
	urgentPause = time.Hour
)

// Reminders are the mails. They are planned by any number of processes: each is a row, once.
type Reminders struct {
	DB *database.DB
	// Approvals say which requests a role decides about.
	Approvals *approval.Registry
	// PublicURL is where people reach the console; empty: mails have no links.
	PublicURL string

	mu   sync.Mutex
	next time.Time
}

// told is somebody who is told, and what they were told last.
type told struct {
	UserID, EmployeeID uuid.UUID
	Digest             models.DigestEvery
	Urgent             bool
	Language           i18n.Language
	TimeZone           string
	clock.Place
	Held     models.Names `gorm:"type:text[]"`
	Digested string       // the day of the last digest
	UrgentAt *time.Time   // of the last urgent one to this address
	Waits    bool         // one of them was not sent yet
}

// of reads who is told, or one of them.
func of(g *gorm.DB, person uuid.UUID) (rows []told, err error) {
	err = g.Raw(`SELECT r.user_id, u.employee_id, r.digest, r.urgent, r.language, m.time_zone, m.jurisdiction, l.region,
		ARRAY(SELECT role FROM user_roles WHERE user_id = u.id AND revoked_at IS NULL) AS held,
		coalesce((SELECT max(reminder_of) FROM messages WHERE employee_id = e.id AND reminder = 'digest'), '') AS digested,
		(SELECT max(requested_at) FROM messages WHERE employee_id = e.id AND reminder = 'urgent' AND requested_at >= r.set_at) AS urgent_at,
		EXISTS (SELECT FROM messages WHERE employee_id = e.id AND reminder <> '' AND state IN ('queued', 'sending')) AS waits
		FROM reminders r JOIN users u ON u.id = r.user_id JOIN employees e ON e.id = u.employee_id
		JOIN employments m ON m.employee_id = e.id AND m.ended_at IS NULL JOIN legal_entities l ON l.id = m.legal_entity_id
		WHERE u.state = 'active' AND e.status IN ('active', 'pending_departure') AND (@person = @nobody OR e.id = @person)`,
		map[string]any{"person": person, "nobody": uuid.Nil}).Scan(&rows).Error
	return rows, database.Wrap("reading who is told what waits", err)
}

// roles are those of theirs that something waits for.
func (t told) roles() []models.Role {
	return slices.DeleteFunc(slices.Clone(Roles), func(r models.Role) bool { return !slices.Contains(t.Held, string(r)) })
}

// digestOf is the day whose digest is due now; empty: none is.
func (t told) digestOf(now time.Time) string {
	zone, err := clock.LoadZone(t.TimeZone)
	if err != nil || t.Digest == models.DigestNever || t.Waits {
		return ""
	}
	today := clock.Today(now, zone)
	if now.In(zone).Hour() < fromHour || !t.WorkingDay(today) || t.Digested >= today.String() {
		return ""
	}
	if t.Digest == models.DigestWeekly {
		for d := monday(today); d.Before(today); d = d.AddDays(1) {
			if t.WorkingDay(d) {
				return ""
			}
		}
	}
	return today.String()
}

// monday is the one that a day's week begins with (ISO 8601).
func monday(d clock.Date) clock.Date { return d.AddDays(-(int(d.Weekday()) + 6) % 7) }

// urgentOf is the instant by which a mail about what is urgent goes, if something newer than the last one is and enough time
// has passed since.
func (t told) urgentOf(newest *time.Time, now time.Time) string {
	if newest == nil || t.Waits || t.UrgentAt != nil && (!newest.After(*t.UrgentAt) || now.Sub(*t.UrgentAt) < urgentPause) {
		return ""
	}
	return now.UTC().Format(time.RFC3339Nano)
}

// Plan has what is due told.
func (n *Reminders) Plan(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Now().Before(n.next) {
		return nil
	}
	all, err := of(n.DB.Read(ctx), uuid.Nil)
	if err != nil {
		return err
	}
	n.next = time.Now().Add(planEvery)
	for _, t := range all { // what fails for one keeps nothing from the others
		err = errors.Join(err, n.plan(ctx, t))
	}
	return err
}

func (n *Reminders) plan(ctx context.Context, t told) error {
	due := func(g *gorm.DB, t told, now time.Time) (models.ReminderKind, string, error) {
		if day := t.digestOf(now); day != "" {
			return models.ReminderDigest, day, nil
		}
		_, newest, err := urgent(g, t)
		return models.ReminderUrgent, t.urgentOf(newest, now), err
	}
	now, err := n.DB.Now(ctx)
	if err != nil {
		return err
	}
	if _, what, err := due(n.DB.Read(ctx), t, now); err != nil || what == "" {
		return err
	}
	return database.Run(ctx, n.DB, func(tx *database.Tx) error {
		// Looked at again under the lock: another process may have been first.
		if _, err := database.Lock[models.User](tx, "a user", t.UserID); err != nil {
			return err
		}
		again, err := of(tx.DB(), t.EmployeeID)
		if err != nil || len(again) != 1 {
			return err
		}
		notice, what, err := due(tx.DB(), again[0], now)
		if err != nil || what == "" {
			return err
		}
		m := models.Message{ID: models.NewID(), EmployeeID: t.EmployeeID, State: models.MessageQueued, RequestedAt: now, NextAt: &now, Reminder: notice, ReminderOf: &what}
		m.LedgerEntryID, err = ledger.Append(tx, ledger.Entry{
			Kind: ledger.KindIdentity, Actor: &models.System, Action: "reminder.asked", Subject: &m.EmployeeID, Object: "message/" + m.ID.String(), Details: map[string]string{"notice": string(notice)},
		})
		if err != nil {
			return err
		}
		return database.Wrap("keeping a reminder", tx.DB().Create(&m).Error)
	})
}

// Address opens where somebody is told.
func (n *Reminders) Address(tx *database.Tx, person uuid.UUID) (string, error) {
	rows, err := of(tx.DB(), person)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	s, err := Of(tx.Context(), tx.DB(), tx, person)
	if err != nil || s == nil {
		return "", err
	}
	return s.Address, nil
}
