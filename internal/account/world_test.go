package account

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/vault"
	"lethe/models"
)

var short = Timings{
	StartToClose: 5 * time.Second, ScheduleToClose: 30 * time.Second, HTTPTimeout: time.Second,
	RetryInitial: 100 * time.Millisecond, RetryMax: time.Second, AcceptedCheck: time.Second, Tries: 4,
}

// world is a database with an entity and a department, a vault and three systems.
type world struct {
	env        *databasetest.Env
	vault      *vault.Vault
	targets    map[string]*target
	service    *Service
	connected  *connector.Registry
	entity     uuid.UUID
	department uuid.UUID
	changes    []string // of all systems, in the order in which they happened
}

var systems = []string{"mail", "finance", "attendance"}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{env: sharedEnv(), targets: map[string]*target{}, entity: uuid.New(), department: uuid.New()}
	path := filepath.Join(t.TempDir(), "kek")
	if err := vault.CreateKEKFile(path); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.LoadKEKFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w.vault = vault.New(w.env.Keys, kek, w.env.Installation.ID)
	for _, name := range systems {
		w.targets[name] = newTarget(name, &w.changes)
	}
	w.connected = registryOf(t, w.targets)
	w.service = New(w.env.Facts, w.vault, w.connected, short)
	w.exec(t, "INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, ?, '甲', 'E', 'DEMO', 'Asia/Shanghai')", w.entity, w.entity)
	w.exec(t, "INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, ?, '部', 'D')", w.department, w.entity, w.department)
	return w
}

func (w *world) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if err := databasetest.Exec(t, w.env.Facts, sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (w *world) tx(t testing.TB, fn func(tx *database.Tx) error) {
	t.Helper()
	if err := w.try(fn); err != nil {
		t.Fatal(err)
	}
}

func (w *world) try(fn func(tx *database.Tx) error) error {
	return database.Run(context.Background(), w.env.Facts, fn)
}

// leaver is an employment with an account in each system.
type leaver struct {
	employee, employment uuid.UUID
	no                   string
	departure            *uuid.UUID
}

func (w *world) person(t testing.TB) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	w.exec(t, "INSERT INTO employees (id, employee_no, name, department_id) VALUES (?, ?, 'N', ?)", id, numberOf(id), w.department)
	return id
}

func numberOf(employee uuid.UUID) string { return "P" + employee.String() }

func (w *world) leaver(t testing.TB) *leaver {
	t.Helper()
	l := &leaver{employee: w.person(t), employment: uuid.Must(uuid.NewV7())}
	l.no = numberOf(l.employee)
	w.exec(t, `INSERT INTO employments (id, employee_id, legal_entity_id, department_id, jurisdiction, time_zone, hired_on, ledger_entry_id)
		VALUES (?, ?, ?, ?, 'DEMO', 'Asia/Shanghai', '2020-01-01', @entry)`, l.employment, l.employee, w.entity, w.department)
	w.tx(t, func(tx *database.Tx) error {
		if err := w.vault.CreateCategories(tx, l.employment); err != nil {
			return err
		}
		for _, name := range systems {
			id := l.id(name)
			if _, err := Link(tx, l.employment, name, name, &id); err != nil {
				return err
			}
		}
		return nil
	})
	for _, name := range systems {
		tg := w.targets[name]
		tg.mu.Lock()
		tg.accounts[l.id(name)] = &holder{no: l.no, active: true, groups: []string{"g1", "g2"}, sessions: 2}
		tg.mu.Unlock()
	}
	return l
}

func (l *leaver) id(system string) string { return system + "-" + l.no }

// leave gives the leaver a departure whose employment has ended.
func (w *world) leave(t testing.TB, l *leaver) {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	l.departure = &id
	w.exec(t, databasetest.Begun(`INSERT INTO departures (id, employee_id, employment_id, kind, notice_received_on, last_working_day,
		employment_end_date, access_cutoff_at, employment_ended_at, time_zone)
		VALUES (?, ?, ?, 'resignation', '2020-01-01', '2020-01-02', '2020-01-02', '2020-01-02', '2020-01-02', 'Asia/Shanghai')`),
		id, l.employee, l.employment)
}

// waiting is what waits of a leaver, beside another one of whom nothing does.
func (w *world) waiting(t testing.TB, l *leaver) ([]Waited, error) {
	t.Helper()
	other := w.leaver(t)
	w.leave(t, other)
	all, err := Waiting(context.Background(), w.env.Facts, []uuid.UUID{*other.departure, *l.departure})
	if len(all[*other.departure]) != 0 {
		t.Errorf("of somebody else waits %+v", all[*other.departure])
	}
	return all[*l.departure], err
}

func (w *world) unlink(t testing.TB, l *leaver, shape func(*UnlinkOrder)) models.AccountOperation {
	t.Helper()
	op, created, err := w.tryUnlink(l, shape)
	if err != nil || !created {
		t.Fatalf("ordering an unlinking: created %v, %v", created, err)
	}
	return op
}

func (w *world) tryUnlink(l *leaver, shape func(*UnlinkOrder)) (op models.AccountOperation, created bool, err error) {
	o := UnlinkOrder{EmploymentID: l.employment, Mode: models.ModeDisable, Origin: models.OriginStandalone, Connected: w.connected, By: models.System}
	if l.departure != nil {
		o.Origin, o.DepartureID = models.OriginDeparture, l.departure
	}
	if shape != nil {
		shape(&o)
	}
	err = w.try(func(tx *database.Tx) error {
		if err := l.lock(tx); err != nil {
			return err
		}
		op, created, err = OrderUnlink(tx, o)
		if err == nil && created && o.DepartureID != nil {
			return w.derive(tx, *o.DepartureID)
		}
		return err
	})
	return op, created, err
}

func (w *world) relink(t testing.TB, l *leaver, undoes *uuid.UUID) (op models.AccountOperation, created bool) {
	t.Helper()
	op, created, err := w.tryRelink(l, undoes)
	if err != nil {
		t.Fatal(err)
	}
	return op, created
}

func (w *world) tryRelink(l *leaver, undoes *uuid.UUID) (op models.AccountOperation, created bool, err error) {
	o := RelinkOrder{EmploymentID: l.employment, Origin: models.OriginStandalone, Undoes: undoes, By: models.System}
	if undoes == nil {
		o.Origin, o.DepartureID = models.OriginWithdrawal, l.departure
	}
	err = w.try(func(tx *database.Tx) error {
		if err := l.lock(tx); err != nil {
			return err
		}
		if op, created, err = OrderRelink(tx, o); err != nil || o.DepartureID == nil {
			return err
		}
		if err := tx.DB().Exec("UPDATE departures SET stage = 'withdrawn' WHERE id = ?", *o.DepartureID).Error; err != nil {
			return err
		}
		if err := databasetest.Told(tx, *o.DepartureID); err != nil {
			return err
		}
		if !created {
			return nil
		}
		return w.derive(tx, *o.DepartureID)
	})
	return op, created, err
}

func (l *leaver) lock(tx *database.Tx) error {
	op := models.AccountOperation{EmploymentID: l.employment, DepartureID: l.departure}
	if l.departure == nil {
		return tx.DB().Exec("SELECT 1 FROM employments WHERE id = ? FOR NO KEY UPDATE", l.employment).Error
	}
	return lockOwner(tx, op)
}

// derive does what the departure does when its accounts changed; the triggers check it.
func (w *world) derive(tx *database.Tx, departure uuid.UUID) error {
	state, err := DeriveAccountsState(tx, departure)
	if err != nil {
		return err
	}
	return database.Hide(tx.DB().Exec("UPDATE departures SET accounts_state = ? WHERE id = ?", state, departure).Error)
}

func (w *world) hooks() Hooks {
	return Hooks{OperationChanged: func(tx *database.Tx, op models.AccountOperation) error {
		if op.DepartureID == nil {
			return nil
		}
		return w.derive(tx, *op.DepartureID)
	}}
}

func (w *world) facts(t testing.TB, op models.AccountOperation) Facts {
	t.Helper()
	var f Facts
	w.tx(t, func(tx *database.Tx) (err error) {
		f, err = w.service.Facts(tx, op.ID)
		return err
	})
	return f
}

// drive does what the workflow does, with the database's clock moved over the pauses, until only
// people could go on. It returns the last facts.
func (w *world) drive(t testing.TB, op models.AccountOperation) Facts {
	t.Helper()
	for range 200 {
		f := w.facts(t, op)
		if f.Done || !slices.ContainsFunc(f.Steps, func(s StepFacts) bool { return s.Run }) {
			if !f.Done && f.WakeIn > 0 {
				w.env.Advance(t, f.WakeIn)
				continue
			}
			return f
		}
		w.turn(t, op, f)
	}
	t.Fatal("the operation comes to no end")
	return Facts{}
}

func (w *world) turn(t testing.TB, op models.AccountOperation, f Facts) {
	t.Helper()
	least := time.Duration(-1)
	for _, s := range f.Steps {
		if !s.Run {
			continue
		}
		if s.WaitFor > 0 {
			if least < 0 || s.WaitFor < least {
				least = s.WaitFor
			}
			continue
		}
		least = 0
		w.run(t, op, s.ID)
	}
	if least > 0 {
		w.env.Advance(t, least+time.Millisecond)
	}
}

func (w *world) run(t testing.TB, op models.AccountOperation, step uuid.UUID) Result {
	t.Helper()
	r, err := w.service.RunStep(context.Background(), op.ID, step, w.hooks())
	if err != nil {
		t.Fatalf("running a step: %v", err)
	}
	return r
}

func (w *world) step(t testing.TB, op models.AccountOperation, system string) models.AccountStep {
	t.Helper()
	s, err := database.First[models.AccountStep](w.env.Facts.Read(context.Background()).Where("operation_id = ? AND system = ?", op.ID, system))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// account is the registered one of a system; what a look-up found without one is [world.lookUp]'s.
func (w *world) account(t testing.TB, l *leaver, system string) models.LinkedAccount {
	t.Helper()
	a, err := database.First[models.LinkedAccount](w.env.Facts.Read(context.Background()).
		Where("employment_id = ? AND system = ?", l.employment, system).
		Order(clause.OrderBy{Expression: clause.Expr{SQL: "registered DESC, id"}}))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (w *world) operation(t testing.TB, id uuid.UUID) models.AccountOperation {
	t.Helper()
	op, err := database.First[models.AccountOperation](w.env.Facts.Read(context.Background()).Where("id = ?", id))
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func (w *world) openCases(t testing.TB, op models.AccountOperation) []CaseView {
	t.Helper()
	items, _, err := Cases(context.Background(), w.env.Facts, CaseFilter{OperationID: &op.ID})
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(items, func(c CaseView) bool { return c.State == models.CaseClosed })
}

func (w *world) wantAccount(t testing.TB, l *leaver, system string, want models.AccountState) {
	t.Helper()
	if got := w.account(t, l, system).State; got != want {
		t.Errorf("%s: account is %s, want %s", system, got, want)
	}
}

func (w *world) wantActive(t testing.TB, l *leaver, system string, want bool) {
	t.Helper()
	if got := w.targets[system].holder(l.id(system)).active; got != want {
		t.Errorf("%s: active at the target is %v, want %v", system, got, want)
	}
}
