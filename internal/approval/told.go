package approval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/reasons"
	"lethe/internal/vault"
	"lethe/models"
)

// Told is what the requester and those who may decide are told of a request.
type Told struct {
	Changes []Change       `json:"changes"`
	Causes  []models.Cause `json:"causes,omitempty"`
}

func (s stored) told() Told { return Told{s.Changes, s.Causes} }

// columnTold is part of what the record of a decision is sealed for.
const columnTold = "approval_records.told_sealed"

// keepTold keeps what was decided about, without the texts that are sealed at their own place, until data of the
// person is destroyed ([Forget]) or the log of the month ends.
func keepTold(tx *database.Tx, id uuid.UUID, told Told) error {
	if len(told.Changes) == 0 {
		return nil
	}
	kept := Told{Causes: told.Causes}
	for _, c := range told.Changes {
		if c.Sealed {
			c.Before, c.After = "", ""
		}
		kept.Changes = append(kept.Changes, c)
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return errors.New("writing what was decided failed")
	}
	sealed, err := reasons.Seal(tx, reasons.Cell(columnTold, id), string(text))
	if err != nil {
		return err
	}
	return database.Wrap("keeping what was decided",
		tx.DB().Exec("INSERT INTO approval_records (id, told_sealed) VALUES (?, ?)", id, sealed).Error)
}

// Forget destroys what is kept of the decided requests that are about somebody, or that led to them; those that
// were decided since the person was employed anew belong to that employment (I8).
func Forget(tx *database.Tx, employeeID uuid.UUID, anew *time.Time) error {
	err := tx.DB().Exec(`UPDATE approval_records SET told_sealed = NULL WHERE told_sealed IS NOT NULL AND id IN (
		SELECT id FROM approvals WHERE (@id = ANY (subject_ids) OR right(result_location, 36) = @text)
			AND (ended_at < @anew OR CAST(@anew AS timestamptz) IS NULL))`,
		map[string]any{"id": employeeID, "text": employeeID.String(), "anew": anew}).Error
	return database.Wrap("forgetting what was decided", err)
}

// Tell opens what requests would change, or what was decided, and why they take two people, by request, as their
// requesters were told; nothing of one that ended undecided, nor of one that cannot be opened any more.
func (r *Registry) Tell(ctx context.Context, db *database.DB, rows ...models.Approval) (map[uuid.UUID]Told, error) {
	told := make(map[uuid.UUID]Told, len(rows))
	var commands []vault.LooseValue
	var open, decided []uuid.UUID
	for _, row := range rows {
		switch row.State {
		case models.ApprovalPending:
			open = append(open, row.ID)
			commands = append(commands, vault.LooseValue{Cell: place(row.ID), Sealed: row.CommandSealed})
		case models.ApprovalApproved, models.ApprovalRejected:
			decided = append(decided, row.ID)
		}
	}
	if err := tellDecided(ctx, db, decided, told); err != nil || len(open) == 0 {
		return told, err
	}
	opened, err := r.sealer.OpenLooseAll(ctx, commands)
	if err != nil {
		return nil, fmt.Errorf("opening stored commands: %w", err)
	}
	for i, id := range open {
		s, err := readStored(opened[i].Plain, opened[i].Err)
		if err != nil && !errors.Is(err, errUnreadable) {
			return nil, err
		}
		told[id] = s.told()
	}
	return told, nil
}

func tellDecided(ctx context.Context, db *database.DB, ids []uuid.UUID, told map[uuid.UUID]Told) error {
	if len(ids) == 0 {
		return nil
	}
	var kept []struct {
		ID         uuid.UUID
		ToldSealed models.Sealed
	}
	if err := db.Read(ctx).Table("approval_records").Where("id IN ?", ids).Find(&kept).Error; err != nil {
		return fmt.Errorf("reading what was decided: %w", database.Hide(err))
	}
	texts := make([]reasons.Text, len(kept))
	for i, k := range kept {
		texts[i] = reasons.Text{Cell: reasons.Cell(columnTold, k.ID), Sealed: k.ToldSealed}
	}
	opened, err := reasons.Open(ctx, db, texts...)
	if err != nil {
		return err
	}
	for i, k := range kept {
		var t Told
		if opened[i] != "" && json.Unmarshal([]byte(opened[i]), &t) != nil {
			return errors.New("what was decided cannot be read")
		}
		told[k.ID] = t
	}
	return nil
}
