package disclosure

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/reasons"
	"lethe/internal/textform"
	"lethe/models"
)

// Object lets the subject of a look object to it, once.
func Object(tx *database.Tx, by models.Actor, id uuid.UUID, text string) (models.Disclosure, error) {
	row, err := Lock(tx, id)
	if err != nil {
		return row, err
	}
	written, fault := textform.Paragraphs(text, maxNote)
	switch code := invalid.Text(fault); {
	case row.EmployeeID != by.EmployeeID:
		return row, ErrNotFound // whose look it is, nobody else learns from here
	case row.ObjectedAt != nil:
		return row, ErrObjected
	case code != "":
		return row, invalid.At("objection", code)
	}
	now, err := tx.Now()
	if err != nil {
		return row, err
	}
	sealed, err := reasons.Seal(tx, cell(columnObjection, id), written)
	if err != nil {
		return row, err
	}
	employment, err := database.First[models.Employment](tx.DB().Where("id = ?", row.EmploymentID))
	if err != nil {
		return row, database.Wrap("reading whose rules an objection follows", err)
	}
	zone, err := clock.LoadZone(employment.TimeZone)
	if err != nil {
		return row, fmt.Errorf("loading an employment's zone: %w", err)
	}
	place, err := archive.PlaceOf(tx.DB(), employment)
	if err != nil {
		return row, err
	}
	due := AnswerBy(place, clock.Today(now, zone), zone)
	row.ObjectedAt, row.AnswerDueAt, row.ObjectionSealed = &now, &due, sealed
	return row, change(tx, &row, actionObjected, map[string]string{"answer_due_at": due.UTC().Format(time.RFC3339)}, map[string]any{
		"objected_at": now, "answer_due_at": due, columnObjection: sealed,
	})
}

// Answer answers an objection, once: neither the looker nor the subject does.
func Answer(tx *database.Tx, by models.Actor, id uuid.UUID, text string) (models.Disclosure, error) {
	row, err := Lock(tx, id)
	if err != nil {
		return row, err
	}
	written, fault := textform.Paragraphs(text, maxReason)
	switch code := invalid.Text(fault); {
	case by.EmployeeID == row.ActorID || by.EmployeeID == row.EmployeeID:
		return row, ErrOwn
	case row.ObjectedAt == nil:
		return row, ErrNoObjection
	case row.AnsweredAt != nil:
		return row, ErrAnswered
	case code != "":
		return row, invalid.At("answer", code)
	}
	now, err := tx.Now()
	if err != nil {
		return row, err
	}
	sealed, err := reasons.Seal(tx, cell(columnAnswer, id), written)
	if err != nil {
		return row, err
	}
	row.AnsweredAt, row.AnsweredBy, row.AnswerSealed = &now, by.ID(), sealed
	return row, change(tx, &row, actionAnswered, nil, map[string]any{"answered_at": now, "answered_by": by.ID(), columnAnswer: sealed})
}
