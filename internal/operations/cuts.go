package operations

import (
	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/cut"
	"lethe/internal/database"
	"lethe/models"
)

// CutLift is the command of [LiftCut].
type CutLift struct {
	CutID uuid.UUID `json:"access_cut_id"`
}

// liftCut opens again what an emergency cut closed.
func (d Deps) liftCut() approval.Operation {
	return approval.Define(approval.Spec[CutLift]{
		Judge: func(tx *database.Tx, c CutLift) (approval.Review, error) {
			row, err := cut.Liftable(tx, models.Actor{}, c.CutID)
			if err != nil {
				return approval.Review{}, gone(err, cut.ErrNotFound, cut.ErrLifted, cut.ErrEnded)
			}
			who, err := person(tx, row.EmployeeID)
			if err != nil {
				return approval.Review{}, err
			}
			return approval.Review{
				Subjects: []uuid.UUID{row.EmployeeID},
				Targets:  []approval.Target{{Kind: models.RefCut, ID: row.ID, Version: approval.Version(row.State.Stands())}},
				Changes:  []approval.Change{who, word("access_cut", "cut_state", string(row.State), string(models.CutLifted))},
			}, nil
		},
		Check: func(tx *database.Tx, by models.Actor, c CutLift) error { return refusal(cut.Liftable(tx, by, c.CutID)) },
		Run: func(tx *database.Tx, by approval.By, c CutLift) (models.Ref, error) {
			row, err := cut.Lift(tx, by.Requester, by.Approver, c.CutID)
			return models.Ref{Kind: models.RefCut, ID: row.ID}, err
		},
	})
}
