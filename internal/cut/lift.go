package cut

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/models"
)

// Liftable locks a cut and the person's employments, and is why [Lift] would refuse, if it would.
func Liftable(tx *database.Tx, by models.Actor, id uuid.UUID) (models.AccessCut, error) {
	c, err := database.First[models.AccessCut](tx.DB().Where("id = ?", id))
	if err != nil {
		return c, database.Found("reading an emergency cut", err, ErrNotFound)
	}
	employments, err := archive.LockEmployments(tx, c.EmployeeID)
	if err != nil {
		return c, err
	}
	if c, err = lock(tx, id); err != nil {
		return c, err
	}
	switch {
	case c.EmployeeID == by.EmployeeID:
		return c, ErrOwn
	case c.State == models.CutLifted:
		return c, ErrLifted
	case c.State == models.CutEnded:
		return c, ErrEnded
	}
	for _, m := range employments {
		ended, err := account.Ended(tx, m)
		if err != nil {
			return c, err
		}
		if !ended {
			return c, nil
		}
	}
	return c, ErrEnded
}

// Lift opens again what a cut closed: accounts as their snapshots have them, and the own users unless they were disabled
// for another reason. What a former employment had stays closed. Two people have agreed.
func Lift(tx *database.Tx, by, second models.Actor, id uuid.UUID) (models.AccessCut, error) {
	c, err := Liftable(tx, by, id)
	if err != nil {
		return c, err
	}
	now, err := tx.Now()
	if err != nil {
		return c, err
	}
	c.State, c.LiftedAt, c.LiftedBy, c.LiftedWith = models.CutLifted, &now, by.ID(), second.ID()
	details := map[string]string{}
	if second.ID() != nil {
		details["approved_by"] = second.EmployeeID.String()
	}
	err = change(tx, &c, actionLifted, by, details, map[string]any{"state": c.State, "lifted_at": now, "lifted_by": c.LiftedBy, "lifted_with": c.LiftedWith})
	if err != nil {
		return c, err
	}
	if err := identity.Resume(tx, c.EmployeeID, by); err != nil {
		return c, err
	}
	ops, err := account.UnlinkingsOf(tx, id)
	if err != nil {
		return c, err
	}
	for _, op := range ops {
		if err := giveBack(tx, c, by, op); err != nil {
			return c, err
		}
	}
	return c, nil
}

// giveBack undoes one unlinking of a cut, unless its employment has ended.
func giveBack(tx *database.Tx, c models.AccessCut, by models.Actor, op models.AccountOperation) error {
	employment, err := archive.LockEmployment(tx, op.EmploymentID)
	if err != nil {
		return err
	}
	ended, err := account.Ended(tx, employment)
	if err != nil || ended {
		return err
	}
	_, _, err = account.OrderRelink(tx, account.RelinkOrder{
		EmployeeID: c.EmployeeID, EmploymentID: op.EmploymentID, Origin: models.OriginStandalone, Undoes: &op.ID, Cut: &c.ID, By: by, Superseded: departure.OperationChanged,
	})
	if errors.Is(err, account.ErrNothingToUndo) { // another one has it, or nothing was there
		return nil
	}
	if err != nil {
		return fmt.Errorf("giving back what a cut took: %w", err)
	}
	return nil
}
