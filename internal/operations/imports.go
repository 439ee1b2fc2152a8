package operations

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/database"
	"lethe/internal/imports"
	"lethe/models"
)

// ImportRun is the command of [RunImport].
type ImportRun struct {
	ImportID uuid.UUID `json:"import_id"`
}

// runImport enters and changes the people of a file: one agreement for all of it.
func (d Deps) runImport() approval.Operation {
	return approval.Define(approval.Spec[ImportRun]{
		Judge: func(tx *database.Tx, c ImportRun) (approval.Review, error) {
			b, err := imports.Runnable(tx, c.ImportID)
			if err != nil {
				return approval.Review{}, gone(fmt.Errorf("judging an import: %w", err), database.ErrNotFound, imports.ErrState, imports.ErrNothingToDo)
			}
			left, err := imports.Leaving(tx.DB(), b.ID)
			if err != nil {
				return approval.Review{}, err
			}
			return approval.Review{
				Targets: []approval.Target{{
					Kind: models.RefImport, ID: b.ID, Version: approval.Version(b.Rows, b.ToCreate, b.ToChange, b.Same, b.Faulty, b.Mapping, b.ContentUntil, left),
				}},
				Changes: append([]approval.Change{
					count("import_rows", b.Rows), count("import_to_create", b.ToCreate), count("import_to_change", b.ToChange),
					count("import_same", b.Same), count("import_faulty", b.Faulty),
				}, whoLeft(left)...),
			}, nil
		},
		Asked: func(tx *database.Tx, _ models.Actor, c ImportRun) error { return imports.Ask(tx, c.ImportID) },
		Dropped: func(tx *database.Tx, _ models.Actor, target uuid.UUID, ended models.ApprovalState) error {
			if ended == models.ApprovalApproved {
				return nil
			}
			err := imports.Unask(tx, target)
			if errors.Is(err, database.ErrNotFound) {
				return nil
			}
			return err
		},
		Run: func(tx *database.Tx, by approval.By, c ImportRun) (models.Ref, error) {
			err := imports.Run(tx, c.ImportID, imports.Agreement{Approval: by.Approval, Approver: by.Approver.EmployeeID})
			return models.Ref{Kind: models.RefImport, ID: c.ImportID}, err
		},
	})
}

// whoLeft is what is agreed to of people who left: when, and what of theirs would be due at once.
func whoLeft(left models.BatchLeaving) []approval.Change {
	if left.People == 0 {
		return nil
	}
	changes := []approval.Change{
		count("import_departed", left.People), shown("import_left_first", left.First.String()), shown("import_left_last", left.Last.String()),
		count("import_due_people", left.DuePeople),
	}
	for _, category := range models.Categories {
		if n := left.Due[category]; n > 0 {
			due := count("import_due", n)
			due.About = []string{"category." + string(category)}
			changes = append(changes, due)
		}
	}
	return changes
}
