package operations

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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
			b, err := imports.Runnable(tx, models.BatchImport, c.ImportID)
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
		Asked: func(tx *database.Tx, _ models.Actor, c ImportRun) error {
			return imports.Ask(tx, models.BatchImport, c.ImportID)
		},
		Dropped: unasked,
		Run: func(tx *database.Tx, by approval.By, c ImportRun) (models.Ref, error) {
			err := imports.Run(tx, models.BatchImport, c.ImportID, imports.Agreement{Approval: by.Approval, Approver: by.Approver.EmployeeID})
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

// unasked takes back that a second person was asked to agree to a file.
func unasked(tx *database.Tx, _ models.Actor, target uuid.UUID, ended models.ApprovalState) error {
	if ended == models.ApprovalApproved {
		return nil
	}
	err := imports.Unask(tx, target)
	if errors.Is(err, database.ErrNotFound) {
		return nil
	}
	return err
}

// DeparturesRun is the command of [RunDepartures].
type DeparturesRun struct {
	BatchID uuid.UUID `json:"batch_id"`
}

// namedHolders is how many heads and administrators of a file are shown by name.
const namedHolders = 20

// runDepartures begins the departures of a file: one release for all of them, as the dry run said, and no more.
func (d Deps) runDepartures() approval.Operation {
	return approval.Define(approval.Spec[DeparturesRun]{
		Judge: func(tx *database.Tx, c DeparturesRun) (approval.Review, error) {
			b, err := imports.Runnable(tx, models.BatchDepartures, c.BatchID)
			if err != nil {
				return approval.Review{}, gone(fmt.Errorf("judging a file of departures: %w", err), database.ErrNotFound, imports.ErrState, imports.ErrNothingToDo)
			}
			left, err := imports.Leaving(tx.DB(), b.ID)
			if err != nil {
				return approval.Review{}, err
			}
			changes, holders, err := wouldLeave(tx, b, left)
			return approval.Review{
				Subjects: holders,
				Targets:  []approval.Target{{Kind: models.RefDepartures, ID: b.ID, Version: approval.Version(b.Rows, b.ToCreate, b.Same, b.Faulty, b.Mapping, b.ContentUntil, left)}},
				Changes:  changes,
			}, err
		},
		Asked: func(tx *database.Tx, _ models.Actor, c DeparturesRun) error {
			return imports.Ask(tx, models.BatchDepartures, c.BatchID)
		},
		Dropped: unasked,
		Run: func(tx *database.Tx, by approval.By, c DeparturesRun) (models.Ref, error) {
			if by.Approver.EmployeeID != uuid.Nil { // nobody decides about the own departure
				own, err := imports.InFile(tx, c.BatchID, by.Approver.EmployeeID)
				if err == nil && own {
					err = approval.ErrSubject
				}
				if err != nil {
					return models.Ref{}, err
				}
			}
			err := imports.Run(tx, models.BatchDepartures, c.BatchID, imports.Agreement{Approval: by.Approval, Approver: by.Approver.EmployeeID})
			return models.Ref{Kind: models.RefDepartures, ID: c.BatchID}, err
		},
	})
}

// wouldLeave is what is agreed to: how many, when, and what is unusual of it.
func wouldLeave(tx *database.Tx, b models.Batch, left models.BatchLeaving) (changes []approval.Change, holders []uuid.UUID, err error) {
	changes = []approval.Change{
		count("batch_rows", b.Rows), count("batch_leave", b.ToCreate), shown("batch_first", left.First.String()), shown("batch_last", left.Last.String()),
		count("batch_same", b.Same), count("batch_faulty", b.Faulty),
	}
	for field, n := range map[string]int{"batch_at_once": left.AtOnce, "batch_protected": left.Protected, "batch_sudden": left.Sudden, "batch_past": left.Past} {
		if n > 0 {
			changes = append(changes, count(field, n))
		}
	}
	slices.SortStableFunc(changes[6:], func(a, b approval.Change) int { return strings.Compare(a.Field, b.Field) })
	if holders, err = imports.Holders(tx.DB(), b.ID, namedHolders); err != nil {
		return nil, nil, err
	}
	for _, id := range holders {
		who, err := person(tx, id)
		if err != nil {
			return nil, nil, fmt.Errorf("naming who would leave: %w", database.Hide(err))
		}
		who.Field = "batch_holder"
		changes = append(changes, who)
	}
	return changes, holders, nil
}
