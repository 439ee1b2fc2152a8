package message

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/reasons"
	"lethe/internal/vault"
	"lethe/models"
)

// Server is a mail server.
type Server interface {
	// Connect logs in. What fails is tried again later.
	Connect(ctx context.Context) (Connection, error)
}

// Connection hands mails over.
type Connection interface {
	Send(ctx context.Context, m Mail) Outcome
	Close()
}

// Mail is what is sent.
type Mail struct {
	// ID is the message's: it makes the Message-ID, which is the same at each try.
	ID            uuid.UUID
	To            string
	Subject, Text string
	At            time.Time
}

// Outcome is what came of handing a mail over.
type Outcome string

// The outcomes.
const (
	Taken Outcome = "taken"
	// Later: not taken for now.
	Later Outcome = "later"
	// Refused: never taken.
	Refused Outcome = "refused"
	// Unknown: the connection ended before the answer.
	Unknown Outcome = "unknown"
)

const (
	// lease is how long handing one over may take; a process that died meanwhile leaves it to others after that.
	lease = 5 * time.Minute
	// giveUpAfter is how long a mail server may be away.
	giveUpAfter = 7 * 24 * time.Hour
	firstPause  = time.Minute
	longPause   = time.Hour
	roundEvery  = 2 * time.Second
)

var (
	outcomes = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "lethe_messages_total", Help: "Messages that came to an end, by how.",
	}, []string{"end"})
	unreachable = promauto.NewCounter(prometheus.CounterOpts{
		Name: "lethe_mail_server_failures_total", Help: "Tries to reach the mail server, or to log in there, that failed.",
	})
)

// Reminders tell people who work here what waits for them.
type Reminders interface {
	// Plan has what is due told.
	Plan(ctx context.Context) error
	// Address is where somebody is told; empty: nowhere any more.
	Address(tx *database.Tx, person uuid.UUID) (string, error)
	// Write is the mail's subject and text; empty: nothing waits.
	Write(ctx context.Context, m models.Message) (subject, text string, err error)
}

// Deliverer sends what is to be sent.
type Deliverer struct {
	DB     *database.DB
	Vault  vault.Opener
	Server Server
	// Reminders are the mails about what waits; nil: there are none.
	Reminders Reminders
	// PublicURL is where people reach the API: a link leads there; empty: a mail brings the code alone.
	PublicURL string
	Log       *slog.Logger
}

// Run sends until ctx ends. Every worker may: a message is claimed before it is sent.
func (d *Deliverer) Run(ctx context.Context) {
	for {
		if err := d.Round(ctx); err != nil && ctx.Err() == nil {
			d.Log.WarnContext(ctx, "messages are left for now", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(roundEvery):
		}
	}
}

// Round ends what is over and sends what is due, one after the other, until the mail server does not answer.
func (d *Deliverer) Round(ctx context.Context) error {
	if err := d.sweep(ctx); err != nil {
		return err
	}
	if err := d.resolve(ctx); err != nil {
		return err
	}
	if d.Reminders != nil {
		if err := d.Reminders.Plan(ctx); err != nil {
			d.Log.WarnContext(ctx, "reminders are planned again later", "error", err.Error())
		}
	}
	for ctx.Err() == nil {
		m, err := d.claim(ctx)
		if err != nil || m == nil {
			return err
		}
		if up, err := d.deliver(ctx, *m); err != nil || !up {
			return err
		}
	}
	return ctx.Err()
}

// sweep ends what no colleague agreed to in time, and what a process left that died while it handed it over: nobody
// knows whether the mail server took that.
func (d *Deliverer) sweep(ctx context.Context) error {
	return database.Run(ctx, d.DB, func(tx *database.Tx) error {
		over, err := d.due(tx, "state IN ('waiting', 'sending')", 100)
		if err != nil || len(over) == 0 {
			return err
		}
		now, err := tx.Now()
		for i := 0; i < len(over) && err == nil; i++ {
			if m := &over[i]; m.State == models.MessageWaiting {
				err = end(tx, m, models.EndAskerSilent, now)
			} else {
				err = finish(tx, m, models.MessageUnsure, actionUnsure, now)
			}
		}
		return err
	})
}

// due locks what is due of some states; what others hold is theirs.
func (d *Deliverer) due(tx *database.Tx, which string, limit int) (rows []models.Message, err error) {
	err = tx.DB().Raw("SELECT * FROM messages WHERE "+which+" AND next_at <= lethe_now() ORDER BY next_at LIMIT ? FOR NO KEY UPDATE SKIP LOCKED", limit).Scan(&rows).Error
	return rows, database.Wrap("looking for messages that are due", err)
}

// claim takes one message for this process, or ends it if it cannot be sent any more; nil: there is none.
func (d *Deliverer) claim(ctx context.Context) (claimed *models.Message, err error) {
	err = database.Run(ctx, d.DB, func(tx *database.Tx) error {
		claimed = nil
		rows, err := d.due(tx, "state = 'queued'", 1)
		if err != nil || len(rows) == 0 {
			return err
		}
		m := rows[0]
		now, err := tx.Now()
		if err != nil {
			return err
		}
		claimed = &m
		why, err := possible(tx, m)
		if err == nil && why == "" && (now.Sub(m.RequestedAt) > giveUpAfter+confirmWithin || m.Link && now.Sub(m.RequestedAt) > linkGivenUp) {
			why = models.EndGivenUp
		}
		if err != nil || why != "" {
			if err == nil {
				err = end(tx, &m, why, now)
			}
			return err
		}
		m.Attempts++
		next := now.Add(lease)
		m.NextAt = &next
		return database.UpdateOne(tx.DB().Model(&models.Message{}).Where("id = ?", m.ID).Updates(map[string]any{"attempts": m.Attempts, "next_at": next}))
	})
	return claimed, err
}

// deliver hands a claimed message over. up is false if the mail server cannot be reached.
func (d *Deliverer) deliver(ctx context.Context, m models.Message) (up bool, err error) {
	if m.State == models.MessageEnded {
		outcomes.WithLabelValues(string(m.EndedAs)).Inc()
		return true, nil
	}
	connection, err := d.Server.Connect(ctx)
	if err != nil {
		unreachable.Inc()
		d.Log.WarnContext(ctx, "the mail server cannot be reached; the message waits", "message_id", m.ID.String())
		return false, d.postpone(ctx, m)
	}
	defer connection.Close()
	mail, err := d.begin(ctx, m)
	if err != nil || mail == nil {
		return true, err
	}
	came := connection.Send(ctx, *mail)
	return true, d.conclude(context.WithoutCancel(ctx), m, came)
}

// postpone tries a message again later.
func (d *Deliverer) postpone(ctx context.Context, m models.Message) error {
	return database.Run(context.WithoutCancel(ctx), d.DB, func(tx *database.Tx) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		r := tx.DB().Model(&models.Message{}).Where("id = ? AND state = ? AND attempts = ?", m.ID, models.MessageQueued, m.Attempts).
			Updates(map[string]any{"next_at": now.Add(pause(m))})
		return database.Wrap("postponing a message", r.Error)
	})
}

// pause doubles from a minute to an hour; of an emergency it stays a minute.
func pause(m models.Message) time.Duration {
	p := firstPause
	for i := 1; m.CallID == nil && i < m.Attempts && p < longPause; i++ {
		p *= 2
	}
	return min(p, longPause)
}

// begin opens the address and notes that the message is being handed over, if it still may be: what was withdrawn or
// deleted since it was claimed is not sent. nil: nothing is to be sent.
func (d *Deliverer) begin(ctx context.Context, claimed models.Message) (mail *Mail, err error) {
	err = database.Run(ctx, d.DB, func(tx *database.Tx) error {
		mail = nil
		// The category is locked before the message, as by a purge.
		address, err := d.address(tx, claimed)
		if err != nil {
			return err
		}
		m, err := lock(tx, claimed.ID)
		if err != nil || m.State != models.MessageQueued || m.Attempts != claimed.Attempts {
			return err // it is somebody else's by now
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		why, err := possible(tx, m)
		if err == nil && why == "" && address == "" {
			why = models.EndNoAddress
		}
		if err != nil || why != "" {
			if err == nil {
				err = end(tx, &m, why, now)
			}
			return err
		}
		if mail, err = d.compose(tx, m, address); err != nil {
			return err
		}
		if mail == nil {
			return end(tx, &m, models.EndNothingWaits, now)
		}
		m.State = models.MessageSending
		return change(tx, &m, actionSending, nil, map[string]any{"next_at": now.Add(lease)})
	})
	if err != nil {
		mail = nil
	}
	return mail, err
}

// address opens the private address, or that of who is on duty: of the latest employment that has one.
func (d *Deliverer) address(tx *database.Tx, m models.Message) (string, error) {
	if m.Reminder != "" {
		if d.Reminders == nil {
			return "", nil
		}
		return d.Reminders.Address(tx, m.EmployeeID)
	}
	field := addressField
	if m.CallID != nil {
		field = dutyField
	}
	var employments []uuid.UUID
	err := tx.DB().Raw("SELECT id FROM employments WHERE employee_id = ? ORDER BY created_at DESC, id DESC", m.EmployeeID).Scan(&employments).Error
	if err != nil {
		return "", database.Wrap("reading employments", err)
	}
	for _, id := range employments {
		fields, err := archive.LookFields(tx, id, []string{field})
		if err != nil {
			return "", err
		}
		for _, f := range fields {
			value, ok, err := archive.OpenField(tx, d.Vault, f)
			switch {
			case errors.Is(err, vault.ErrPurged):
			case err != nil:
				return "", err
			case ok:
				return value, nil
			}
		}
	}
	return "", nil
}

// compose writes the mail, in both languages: the file does not say which the person reads. nil: there is nothing to say.
func (d *Deliverer) compose(tx *database.Tx, m models.Message, address string) (*Mail, error) {
	if m.CallID != nil {
		return composeAlert(m, address), nil
	}
	if m.Reminder != "" {
		subject, text, err := d.Reminders.Write(tx.Context(), m)
		if err != nil || text == "" {
			return nil, err
		}
		return &Mail{ID: m.ID, To: address, Subject: subject, Text: text, At: m.RequestedAt}, nil
	}
	var company struct{ NameZh, NameEn string }
	err := tx.DB().Raw(`SELECT l.name_zh, l.name_en FROM employments m JOIN legal_entities l ON l.id = m.legal_entity_id
		WHERE m.employee_id = ? ORDER BY m.created_at DESC, m.id DESC LIMIT 1`, m.EmployeeID).Scan(&company).Error
	if err != nil {
		return nil, database.Wrap("reading whose HR it is", err)
	}
	if m.Link {
		code, err := identity.IssueLink(tx, m.ID)
		if err != nil {
			return nil, err
		}
		subject, text := writeLink(company.NameZh, company.NameEn, d.PublicURL, code)
		return &Mail{ID: m.ID, To: address, Subject: subject, Text: text, At: m.RequestedAt}, nil
	}
	var asker *named
	if m.AskerID != nil {
		e, err := database.First[models.Employee](tx.DB().Where("id = ?", *m.AskerID))
		if err != nil {
			return nil, fmt.Errorf("reading who asks: %w", err)
		}
		opened, err := reasons.Open(tx.Context(), tx, reasons.Text{Cell: cell(m.ID), Sealed: m.ContactSealed})
		if err != nil {
			return nil, err
		}
		asker = &named{e.Name, opened[0]}
	}
	subject, text := write(company.NameZh, company.NameEn, asker)
	return &Mail{ID: m.ID, To: address, Subject: subject, Text: text, At: m.RequestedAt}, nil
}

// conclude records what came of it.
func (d *Deliverer) conclude(ctx context.Context, claimed models.Message, came Outcome) error {
	return database.Run(ctx, d.DB, func(tx *database.Tx) error {
		m, err := lock(tx, claimed.ID)
		if err != nil || m.State != models.MessageSending || m.Attempts != claimed.Attempts {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		switch {
		case came == Taken:
			return finish(tx, &m, models.MessageSent, actionSent, now)
		case came == Unknown:
			return finish(tx, &m, models.MessageUnsure, actionUnsure, now)
		case came == Refused:
			outcomes.WithLabelValues(string(models.EndRefused)).Inc()
			return end(tx, &m, models.EndRefused, now)
		}
		m.State = models.MessageQueued
		return change(tx, &m, actionDelayed, nil, map[string]any{"next_at": now.Add(pause(m))})
	})
}

func finish(tx *database.Tx, m *models.Message, state models.MessageState, action string, now time.Time) error {
	m.State, m.FinishedAt = state, &now
	outcomes.WithLabelValues(string(state)).Inc()
	return change(tx, m, action, nil, map[string]any{"finished_at": now, "contact_sealed": nil, "next_at": nil})
}
