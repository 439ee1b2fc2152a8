package account

import (
	"slices"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// asks are the systems that an order to take access away has to ask by employee number, a fact of the
// order from then on: those that are connected now, and those of the accounts that it takes. A
// detachment asks none: it severs what is registered.
func (o UnlinkOrder) asks(accounts []models.LinkedAccount) models.Names {
	if o.Mode != models.ModeDisable {
		return nil
	}
	asked := models.Names{}
	if o.Connected != nil {
		asked = append(asked, o.Connected.Names()...)
	}
	if o.Systems != nil {
		asked = slices.DeleteFunc(asked, func(name string) bool { return !slices.Contains(o.Systems, name) })
	}
	for _, a := range accounts {
		if !slices.Contains(asked, a.System) {
			asked = append(asked, a.System)
		}
	}
	slices.Sort(asked)
	return asked
}

// lookUps are the questions for accounts in the systems where an order takes none: asked before, or new.
func (o UnlinkOrder) lookUps(tx *database.Tx, employee uuid.UUID, asked []string, all, taken []models.LinkedAccount) ([]models.LinkedAccount, error) {
	var rows []models.LinkedAccount
	for _, name := range asked {
		in := func(a models.LinkedAccount) bool { return a.System == name }
		if slices.ContainsFunc(taken, in) {
			continue
		}
		if i := slices.IndexFunc(all, func(a models.LinkedAccount) bool { return in(a) && a.LookUp() }); i >= 0 {
			rows = append(rows, all[i])
			continue
		}
		kind := ""
		if system, ok := o.Connected.Get(name); ok {
			kind = system.Kind
		}
		row, err := recordFound(tx, employee, o.EmploymentID, name, kind, nil)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// recordFound adds a row that nobody registered: an account that was found by employee number or, without
// an id, the question for one.
func recordFound(tx *database.Tx, employee, employmentID uuid.UUID, system, kind string, externalID *string) (models.LinkedAccount, error) {
	id := models.NewID()
	a := models.LinkedAccount{
		ID: id, EmploymentID: employmentID, System: system, Kind: kind, ExternalID: externalID, State: models.AccountLinked,
	}
	action := actionSought
	if externalID != nil {
		a.Finding, action = models.FindingFound, actionFound
	}
	entry, err := ledger.AppendWith(tx, ledger.Entry{
		Kind: ledger.KindAccount, Action: action, Subject: &employee, Object: "account/" + id.String(),
		Details: map[string]string{"employment": employmentID.String(), "system": system},
	}, `INSERT INTO linked_accounts (id, employment_id, system, kind, external_id, seen_at, state, registered, finding, ledger_entry_id)
		SELECT ?::uuid, ?::uuid, ?::text, ?::text, ?::text, CASE WHEN ?::boolean THEN lethe_now() END, ?::text, false, ?::text, entry_id FROM pending`,
		id, employmentID, system, kind, externalID, externalID != nil, string(a.State), string(a.Finding))
	a.LedgerEntryID = &entry
	return a, err
}
