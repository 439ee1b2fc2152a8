package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// AskLater has connected systems asked about leavers whose order did not ask them: of a version that
// asked only where an account was registered, or from before the system was connected. One call looks at
// up to limit departures for each system that answers; it returns how many orders it extended. Where a
// system has been asked about everybody it costs one small read.
//
// What is found in use becomes a support case: the order was over, so people say what happens. How far
// it got is a fact (system_askings), so that it goes on after a crash and several processes share it.
func (s *Service) AskLater(ctx context.Context, limit int, hooks Hooks) (int, error) {
	due, err := s.unfinishedAskings(ctx)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	var healthy []string
	for _, name := range s.systems.Names() {
		if s.answers(ctx, name) {
			healthy = append(healthy, name)
		}
	}
	n := 0
	for _, name := range due {
		if !slices.Contains(healthy, name) {
			continue // else everybody who ever left would become a case of a system that is down
		}
		asked, err := s.askAbout(ctx, name, healthy, limit, hooks)
		n += asked
		if err != nil {
			return n, fmt.Errorf("asking %s about former leavers: %w", name, err)
		}
	}
	return n, nil
}

type asking struct {
	System     string
	After      uuid.UUID
	FinishedAt *time.Time
}

func (asking) TableName() string { return "system_askings" }

func (s *Service) unfinishedAskings(ctx context.Context) ([]string, error) {
	var rows []asking
	if err := s.db.Read(ctx).Find(&rows).Error; err != nil {
		return nil, database.Wrap("reading who was asked about", err)
	}
	return slices.DeleteFunc(s.systems.Names(), func(name string) bool {
		return slices.ContainsFunc(rows, func(a asking) bool { return a.System == name && a.FinishedAt != nil })
	}), nil
}

func (s *Service) answers(ctx context.Context, name string) bool {
	limited, cancel := context.WithTimeout(ctx, s.timings.HTTPTimeout)
	defer cancel()
	system, ok := s.systems.Get(name)
	return ok && system.Connector.Health(limited) == nil
}

// askAbout goes on where the system's asking stands, by up to limit departures, each in a transaction of
// its own together with how far it got.
func (s *Service) askAbout(ctx context.Context, name string, healthy []string, limit int, hooks Hooks) (int, error) {
	n := 0
	for range limit {
		more, extended := false, false
		err := database.Run(ctx, s.db, func(tx *database.Tx) error {
			more, extended = false, false
			err := tx.DB().Exec("INSERT INTO system_askings (system) VALUES (?) ON CONFLICT (system) DO NOTHING", name).Error
			if err != nil {
				return database.Wrap("beginning to ask", err)
			}
			row, err := database.First[asking](tx.DB().Clauses(clause.Locking{Strength: "UPDATE", Options: "SKIP LOCKED"}).
				Where("system = ? AND finished_at IS NULL", name))
			if errors.Is(err, database.ErrNotFound) {
				return nil // another process is at it, or it is finished
			}
			if err != nil {
				return err
			}
			dep, err := nextUnasked(tx, row)
			if errors.Is(err, database.ErrNotFound) {
				return database.Hide(tx.DB().Exec("UPDATE system_askings SET finished_at = lethe_now() WHERE system = ?", name).Error)
			}
			if err != nil {
				return err
			}
			more = true
			err = tx.DB().Exec("UPDATE system_askings SET after = ? WHERE system = ?", dep.ID, name).Error
			if err != nil {
				return database.Wrap("noting how far the asking got", err)
			}
			extended, err = s.askOne(tx, dep, healthy, hooks)
			return err
		})
		if err != nil || !more {
			return n, err
		}
		if extended {
			n++
		}
	}
	return n, nil
}

// Those whose access has been taken away or is being taken away.
var cutStates = []models.AccountsState{models.AccountsUnlinking, models.AccountsSettled, models.AccountsNeedsAttention}

// nextUnasked is the next departure after the mark whose order did not ask the system.
func nextUnasked(tx *database.Tx, row asking) (models.Departure, error) {
	return database.First[models.Departure](tx.DB().Select("id", "employee_id", "employment_id").
		Where("id > ? AND stage NOT IN ? AND accounts_state IN ?", row.After,
			[]models.Stage{models.StageWithdrawn, models.StageAnnulled}, cutStates).
		Where(`NOT EXISTS (SELECT 1 FROM account_operations o WHERE o.departure_id = departures.id AND o.kind = ?
			AND o.state <> ? AND o.asked @> ARRAY[?]::text[])`, models.OperationUnlink, models.OperationSuperseded, row.System).
		Order("id"))
}

// askOne adds a question for each of the systems that the departure's order did not ask.
func (s *Service) askOne(tx *database.Tx, dep models.Departure, systems []string, hooks Hooks) (bool, error) {
	op := models.AccountOperation{EmploymentID: dep.EmploymentID, DepartureID: &dep.ID}
	if err := lockOwner(tx, op); err != nil {
		return false, err
	}
	now, err := database.First[models.Departure](tx.DB().Where("id = ?", dep.ID))
	if err != nil {
		return false, fmt.Errorf("reading a departure: %w", err)
	}
	if now.Stage == models.StageWithdrawn || now.Stage == models.StageAnnulled || !slices.Contains(cutStates, now.AccountsState) {
		return false, nil
	}
	former, err := lockAll(tx, dep.EmploymentID, nil)
	if err != nil {
		return false, err
	}
	current, err := currentOperation(tx, dep.ID, models.OperationUnlink)
	if err != nil {
		return false, err
	}
	if current != nil {
		systems = slices.DeleteFunc(slices.Clone(systems), func(name string) bool { return slices.Contains(current.Asked, name) })
	}
	if len(systems) == 0 {
		return false, nil
	}
	op, sought, err := s.extendOrder(tx, current, dep, systems, former.accounts)
	if err != nil {
		return false, err
	}
	steps, err := database.Find[models.AccountStep](tx.DB(), "steps", "operation_id = ?", op.ID)
	if err != nil {
		return false, err
	}
	for i, a := range sought {
		step := models.AccountStep{Position: len(steps) + i + 1, Action: models.OperationUnlink, Cautious: true}
		if err := takeOver(tx, op, a, step, models.AccountUnlinking); err != nil {
			return false, err
		}
	}
	if op, _, err = advance(tx, op); err != nil {
		return false, err
	}
	if err := tx.Touch(models.DrivenOperation, op.ID); err != nil {
		return false, err
	}
	if hooks.OperationChanged == nil {
		return true, nil
	}
	return true, hooks.OperationChanged(tx, op)
}

// extendOrder adds systems to what a departure's order asks, and takes it up again if it was over. A
// departure that had nothing to unlink gets its order now.
func (s *Service) extendOrder(tx *database.Tx, current *models.AccountOperation, dep models.Departure, systems []string, all []models.LinkedAccount) (models.AccountOperation, []models.LinkedAccount, error) {
	order := UnlinkOrder{
		EmployeeID: dep.EmployeeID, EmploymentID: dep.EmploymentID, DepartureID: &dep.ID, Mode: models.ModeDisable,
		Origin: models.OriginDeparture, Connected: s.systems, By: models.System,
	}
	taken, err := openSteps(tx, current, all)
	if err != nil {
		return models.AccountOperation{}, nil, err
	}
	sought, err := order.lookUps(tx, dep.EmployeeID, systems, all, taken)
	if err != nil {
		return models.AccountOperation{}, nil, err
	}
	if current == nil {
		op, err := createOperation(tx, models.AccountOperation{
			EmploymentID: dep.EmploymentID, DepartureID: &dep.ID, Kind: models.OperationUnlink, Mode: order.Mode,
			Origin: order.Origin, Asked: systems,
		}, func(op models.AccountOperation) (*uuid.UUID, error) {
			return recordOrder(tx, op, dep.EmployeeID, order.By, formers{}, sought)
		})
		return op, sought, err
	}
	op := *current
	op.Asked = append(slices.Clone(op.Asked), systems...)
	slices.Sort(op.Asked)
	columns := map[string]any{"asked": op.Asked}
	if ended(op.State) {
		op.State, op.EndedAt = models.OperationRunning, nil
		columns["state"], columns["ended_at"] = op.State, nil
	}
	if err := recordExtension(tx, op, dep.EmployeeID, systems); err != nil {
		return op, nil, err
	}
	return op, sought, change[models.AccountOperation](tx, "an account operation", op.ID, columns)
}

// openSteps are the accounts that the order still works on: their steps ask the system themselves.
func openSteps(tx *database.Tx, op *models.AccountOperation, all []models.LinkedAccount) ([]models.LinkedAccount, error) {
	if op == nil {
		return nil, nil
	}
	steps, err := database.Find[models.AccountStep](tx.DB(), "steps", "operation_id = ?", op.ID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(a models.LinkedAccount) bool {
		return !slices.ContainsFunc(steps, func(s models.AccountStep) bool { return s.AccountID == a.ID && !final(s.State) })
	}), nil
}

// recordExtension appends that further systems are asked for an order.
func recordExtension(tx *database.Tx, op models.AccountOperation, employee uuid.UUID, systems []string) error {
	_, err := ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindAccount, Action: actionUnlinkingExtended, Subject: &employee, Object: orderObject(op),
		Details: map[string]string{"employment": op.EmploymentID.String(), "asked": joined(systems)},
	}.As(tx.Context(), models.System))
	return err
}
