package departure

import (
	"errors"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/models"
)

// Plan is what a departure would come to.
type Plan struct {
	Entry
	Employment models.Employment
	TwoPeople  bool // it begins once a second person has agreed
}

// PlanOf judges a notice as [Begin] does, and writes nothing.
func PlanOf(tx *database.Tx, n Notice) (p Plan, err error) {
	if err = n.check(); err != nil {
		return p, err
	}
	p.Employment, err = archive.CurrentEmployment(tx, n.EmployeeID)
	if errors.Is(err, database.ErrNotFound) {
		return p, notCurrent(tx, n.EmployeeID)
	}
	if err != nil {
		return p, err
	}
	if err = refuseSecond(tx, p.Employment.ID); err != nil {
		return p, err
	}
	c, err := circumstancesOf(tx, p.Employment)
	if err != nil {
		return p, err
	}
	if p.Entry, err = Enter(n.Wish, c, false); err != nil {
		return p, err
	}
	err = notSudden(tx, n.EmployeeID, p.Dates)
	if p.TwoPeople = errors.Is(err, ErrApprovalRequired); p.TwoPeople {
		err = nil
	}
	return p, err
}
