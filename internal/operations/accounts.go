package operations

import (
	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/models"
)

// Detachment is the command of [Detach]: the accounts of somebody's latest employment in these systems,
// or in all.
type Detachment struct {
	EmployeeID   uuid.UUID `json:"employee_id"`
	Systems      []string  `json:"systems,omitempty"`
	AllOrNothing bool      `json:"all_or_nothing,omitempty"`
}

// detach severs links and leaves the accounts as they are. A later departure takes such an account as
// settled, so that its owner would keep the access: it gives up a protection, as a waiver does.
func (d Deps) detach() approval.Operation {
	return approval.Define(approval.Spec[Detachment]{
		Judge: func(tx *database.Tx, c Detachment) (approval.Matter, error) {
			employee, employment, err := archive.LatestFile(tx, c.EmployeeID)
			if err != nil {
				return approval.Matter{}, gone(err, database.ErrNotFound)
			}
			accounts, err := account.LockUnlinkable(tx, employment.ID, c.Systems)
			if err != nil {
				return approval.Matter{}, err
			}
			if len(accounts) == 0 {
				return approval.Matter{}, gone(account.ErrNothingToUnlink, account.ErrNothingToUnlink)
			}
			m := approval.Matter{
				Subjects: []uuid.UUID{employee.ID},
				Changes:  []approval.Change{shown("person", employee.EmployeeNo+" "+employee.Name)},
			}
			for _, a := range accounts {
				m.Targets = append(m.Targets, approval.Target{Kind: "account", ID: a.ID, Version: approval.Version(a.State, a.Attempt)})
				m.Changes = append(m.Changes, shown("system", a.System),
					word("account", "account_state", string(a.State), string(models.AccountDetached)))
			}
			return m, nil
		},
		Run: func(tx *database.Tx, by approval.By, c Detachment) (string, error) {
			_, employment, err := archive.LatestFile(tx, c.EmployeeID)
			if err != nil {
				return "", err
			}
			op, ordered, err := account.OrderUnlink(tx, account.UnlinkOrder{
				EmploymentID: employment.ID, Mode: models.ModeDetach, Origin: models.OriginStandalone, AllOrNothing: c.AllOrNothing,
				Systems: c.Systems, By: by.Requester, Superseded: departure.OperationChanged,
			})
			if err == nil && !ordered {
				err = account.ErrNothingToUnlink
			}
			return "/api/v1/account-unlinkings/" + op.ID.String(), err
		},
	})
}
