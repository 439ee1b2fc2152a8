package demo

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/vault"
	"lethe/models"
)

// leaver is a departure to begin with. It is begun as HR would; the real workflows take it from
// there once a worker runs.
type leaver struct {
	no        string
	kind      models.DepartureKind
	days      int // from today to the last working day; as far back as one person may enter
	immediate bool
	withdrawn bool
}

// refusedNo is whose finance account cannot be disabled.
const refusedNo = "CN-0028"

var leavers = []leaver{
	{no: "CN-0020", kind: models.KindResignation, days: 14},
	{no: "CN-0033", kind: models.KindMutualAgreement, days: 30},
	{no: "CN-0080", kind: models.KindContractEnd, days: 45},
	{no: "DE-0007", kind: models.KindResignation, days: 21},
	{no: "JP-0012", kind: models.KindRetirement, days: 60},
	{no: "DEMO-0003", kind: models.KindResignation, days: 10},
	{no: "CN-0041", kind: models.KindResignation, days: 25, withdrawn: true},
	{no: "CN-0025", kind: models.KindResignation, days: -20},
	{no: "DE-0011", kind: models.KindMutualAgreement, days: -29},
	{no: "JP-0005", kind: models.KindResignation, days: -15},
	{no: "CN-0060", kind: models.KindResignation, days: -25},
	{no: refusedNo, kind: models.KindDismissal, days: -3},
	{no: "DEMO-0004", kind: models.KindResignation, immediate: true},
}

// leaves says whether a person is among the leavers.
func leaves(no string) bool {
	return slices.ContainsFunc(leavers, func(l leaver) bool { return l.no == no })
}

// depart begins the departures, in the name of the HR administrator.
func depart(tx *database.Tx, sealer vault.Sealer, ids map[string]uuid.UUID) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	hr := models.Actor{EmployeeID: ids[Bearers[models.RoleHRAdmin]], Role: models.RoleHRAdmin}
	for _, l := range leavers {
		if err := l.depart(tx, sealer, hr, ids[l.no], clock.DateOf(now.UTC())); err != nil {
			return fmt.Errorf("beginning the departure of %s: %w", l.no, err)
		}
	}
	return nil
}

func (l leaver) depart(tx *database.Tx, sealer vault.Sealer, hr models.Actor, id uuid.UUID, today clock.Date) error {
	notice := departure.Notice{EmployeeID: id, Kind: l.kind, Note: "演示数据 · demo data"}
	if notice.Immediate = l.immediate; !l.immediate {
		last := today.AddDays(l.days)
		notice.LastWorkingDay, notice.ConfirmPast = &last, l.days < 0
	}
	begun, err := departure.Begin(tx, sealer, hr, notice)
	if err != nil || !l.withdrawn {
		return err
	}
	return departure.Withdraw(tx, sealer, hr, begun.ID, "（示例）员工改变主意，公司同意 · sample", true)
}
