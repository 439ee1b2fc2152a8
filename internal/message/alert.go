package message

import (
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/models"
)

// dutyField is the field of the file that holds the address at which somebody on duty is told of an emergency call.
const dutyField = "duty_email"

// Alert has somebody of HR told by mail that there is an emergency call, once. Nothing is sent to who has no duty address.
func Alert(tx *database.Tx, c models.EmergencyCall, person uuid.UUID) error {
	var told bool
	if err := tx.DB().Raw("SELECT EXISTS (SELECT FROM messages WHERE call_id = ? AND employee_id = ?)", c.ID, person).Scan(&told).Error; err != nil || told {
		return database.Wrap("looking who was told of an emergency call", err)
	}
	there, err := has(tx.DB(), person, dutyField)
	if err != nil || !there {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	m := models.Message{ID: models.NewID(), EmployeeID: person, RequestedBy: &c.CallerID, CallID: &c.ID, State: models.MessageQueued, RequestedAt: now, NextAt: &now}
	e := entry(m, actionAsked, map[string]string{"emergency_call": c.ID.String()})
	if m.LedgerEntryID, err = ledger.Append(tx, e); err != nil {
		return err
	}
	return database.Wrap("keeping a message", tx.DB().Create(&m).Error)
}

// possible says why a message cannot be sent any more; empty: it can.
func possible(tx *database.Tx, m models.Message) (models.MessageEnd, error) {
	if m.Reminder != "" {
		return "", nil // who cannot act any more has no address
	}
	if m.CallID == nil {
		return reachable(tx.DB(), m.EmployeeID, !m.Link)
	}
	c, err := database.First[models.EmergencyCall](tx.DB().Where("id = ?", *m.CallID))
	if err != nil {
		return "", fmt.Errorf("reading of what a mail tells: %w", err)
	}
	if c.State != models.EmergencyOpen {
		return models.EndCallTaken, nil
	}
	e, err := database.First[models.Employee](tx.DB().Where("id = ?", m.EmployeeID))
	switch {
	case err != nil:
		return "", fmt.Errorf("reading to whom a mail goes: %w", err)
	case e.Status != models.StatusActive && e.Status != models.StatusPendingDeparture:
		return models.EndCannotAct, nil
	}
	there, err := has(tx.DB(), m.EmployeeID, dutyField)
	if err == nil && !there {
		return models.EndNoAddress, nil
	}
	return "", err
}

// composeAlert says that there is an emergency call, in both languages, and nothing of it.
func composeAlert(m models.Message, address string) *Mail {
	at := m.RequestedAt.UTC().Format("2006-01-02 15:04 UTC")
	part := func(l i18n.Language) string { return fmt.Sprintf(i18n.Text(l, "message.alert"), at) }
	return &Mail{
		ID: m.ID, To: address, At: m.RequestedAt, Subject: i18n.Text(i18n.Chinese, "message.alert_subject") + " / " + i18n.Text(i18n.English, "message.alert_subject"),
		Text: part(i18n.Chinese) + "\n\n----\n\n" + part(i18n.English) + "\n",
	}
}
