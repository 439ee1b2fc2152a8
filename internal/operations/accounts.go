package operations

import (
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/models"
)

// Detachment is the command of [Detach] and of [Unlink]: the accounts of one employment of somebody in
// these systems, or in all.
type Detachment struct {
	EmployeeID uuid.UUID `json:"employee_id"`
	// EmploymentID: the latest, if it is left out; nil in requests of former versions.
	EmploymentID *uuid.UUID `json:"employment_id,omitempty"`
	Systems      []string   `json:"systems,omitempty"`
	AllOrNothing bool       `json:"all_or_nothing,omitempty"`
}

// unlink takes accounts away apart from a departure. Detached ones stay as they are, and a later departure
// takes them as settled, so that their owner would keep the access: it gives up a protection, as a waiver
// does. Those of a head or an administrator are disabled by two people, as by a departure.
func (d Deps) unlink(mode models.OperationMode, after models.AccountState) approval.Operation {
	return approval.Define(approval.Spec[Detachment]{
		Complete: func(tx *database.Tx, _ models.Actor, c Detachment) (Detachment, error) {
			// Whoever is hired again meanwhile keeps what the new employment has.
			employment, err := archive.EmploymentOf(tx, c.EmployeeID, c.EmploymentID)
			c.EmploymentID = &employment.ID
			return c, err
		},
		Judge: func(tx *database.Tx, c Detachment) (approval.Review, error) {
			employee, employment, err := archive.FileOf(tx, c.EmployeeID, c.EmploymentID)
			if err != nil {
				return approval.Review{}, gone(err, database.ErrNotFound)
			}
			accounts, asked, err := d.order(mode, employment.ID, c, models.Actor{}).Takes(tx)
			if err != nil {
				return approval.Review{}, gone(err, account.ErrNothingToUnlink, account.ErrDepartureOwns)
			}
			m := approval.Review{
				Subjects: []uuid.UUID{employee.ID},
				Changes: []approval.Change{
					shown("person", employee.EmployeeNo+" "+employee.Name), shown("hired_on", dayText(employment.HiredOn)),
				},
			}
			for _, a := range accounts {
				m.Targets = append(m.Targets, approval.Target{Kind: "account", ID: a.ID, Version: approval.Version(a.State, a.Attempt)})
				m.Changes = append(m.Changes, shown("system", a.System),
					word("account", "account_state", string(a.State), string(after)))
			}
			for _, system := range asked {
				m.Changes = append(m.Changes, shown("system", system), word("account", "account_state", "", string(after)))
			}
			return m, nil
		},
		Check: func(tx *database.Tx, by models.Actor, c Detachment) error {
			_, employment, err := archive.FileOf(tx, c.EmployeeID, c.EmploymentID)
			if err == nil {
				_, _, err = d.order(mode, employment.ID, c, by).Takes(tx)
			}
			return err
		},
		Run: func(tx *database.Tx, by approval.By, c Detachment) (models.Ref, error) {
			_, employment, err := archive.FileOf(tx, c.EmployeeID, c.EmploymentID)
			if err != nil {
				return models.Ref{}, err
			}
			op, ordered, err := account.OrderUnlink(tx, d.order(mode, employment.ID, c, by.Requester))
			if err == nil && !ordered {
				err = account.ErrNothingToUnlink
			}
			return models.Ref{Kind: models.RefUnlinking, ID: op.ID}, err
		},
	})
}

func (d Deps) order(mode models.OperationMode, employment uuid.UUID, c Detachment, by models.Actor) account.UnlinkOrder {
	return account.UnlinkOrder{
		EmploymentID: employment, Mode: mode, Origin: models.OriginStandalone, AllOrNothing: c.AllOrNothing,
		Systems: c.Systems, Connected: d.Systems, By: by, Superseded: departure.OperationChanged,
	}
}

// Relinking is the command of [Relink]: a stand-alone unlinking to undo, in these systems or in all.
type Relinking struct {
	UnlinkingID uuid.UUID `json:"unlinking_id"`
	Systems     []string  `json:"systems,omitempty"`
}

// relink gives back what a stand-alone unlinking took from a head or an administrator.
func (d Deps) relink() approval.Operation {
	return approval.Define(approval.Spec[Relinking]{
		Judge: func(tx *database.Tx, c Relinking) (approval.Review, error) {
			op, employment, err := lockUnlinking(tx, c.UnlinkingID)
			if err != nil {
				return approval.Review{}, gone(err, database.ErrNotFound)
			}
			who, err := person(tx, employment.EmployeeID)
			if err != nil {
				return approval.Review{}, fmt.Errorf("naming whose accounts they are: %w", err)
			}
			m := approval.Review{
				Subjects: []uuid.UUID{employment.EmployeeID},
				Targets:  []approval.Target{{Kind: "account_operation", ID: op.ID, Version: approval.Version(op.State)}},
				Changes:  []approval.Change{who},
			}
			var accounts []models.LinkedAccount
			query := tx.DB().Where("operation_id = ?", op.ID)
			if c.Systems != nil {
				query = query.Where("system IN ?", c.Systems)
			}
			if err := query.Order(clause.OrderByColumn{Column: clause.Column{Name: "id"}}).Find(&accounts).Error; err != nil {
				return m, fmt.Errorf("reading accounts: %w", database.Hide(err))
			}
			for _, a := range accounts {
				if a.LookUp() {
					continue // nothing was found that could be given back
				}
				m.Changes = append(m.Changes, shown("system", a.System),
					word("account", "account_state", string(a.State), string(models.AccountRelinked)))
			}
			return m, nil
		},
		Check: func(tx *database.Tx, by models.Actor, c Relinking) error {
			o, err := c.order(tx, by)
			if err == nil {
				err = o.Check(tx)
			}
			return err
		},
		Run: func(tx *database.Tx, by approval.By, c Relinking) (models.Ref, error) {
			return RelinkStandalone(tx, by.Requester, c)
		},
	})
}

// RelinkStandalone orders that what a stand-alone unlinking took is given back, and names the relinking; what it
// had not touched yet is linked again on the spot, and then it is the unlinking.
func RelinkStandalone(tx *database.Tx, by models.Actor, c Relinking) (models.Ref, error) {
	o, err := c.order(tx, by)
	if err != nil {
		return models.Ref{}, err
	}
	op, ordered, err := account.OrderRelink(tx, o)
	if err == nil && !ordered {
		return models.Ref{Kind: models.RefUnlinking, ID: c.UnlinkingID}, nil
	}
	return models.Ref{Kind: models.RefRelinking, ID: op.ID}, err
}

func (c Relinking) order(tx *database.Tx, by models.Actor) (account.RelinkOrder, error) {
	_, employment, err := lockUnlinking(tx, c.UnlinkingID)
	return account.RelinkOrder{
		EmploymentID: employment.ID, Origin: models.OriginStandalone, Undoes: &c.UnlinkingID,
		Systems: c.Systems, By: by, Superseded: departure.OperationChanged,
	}, err
}

// lockUnlinking locks the employment of an operation, and reads both.
func lockUnlinking(tx *database.Tx, id uuid.UUID) (op models.AccountOperation, employment models.Employment, err error) {
	if op, err = database.First[models.AccountOperation](tx.DB().Where("id = ?", id)); err != nil {
		return op, employment, fmt.Errorf("reading an unlinking: %w", err)
	}
	if employment, err = archive.LockEmployment(tx, op.EmploymentID); err != nil {
		return op, employment, err
	}
	op, err = database.First[models.AccountOperation](tx.DB().Where("id = ?", id))
	return op, employment, err
}
