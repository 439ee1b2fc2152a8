package reconcile_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/connector"
	"lethe/internal/connector/scim"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/reconcile"
	"lethe/internal/vault"
	"lethe/models"
	"lethe/sandbox"
	"lethe/sandbox/control"
)

// world is a company with two real systems beside it.
type world struct {
	*testing.T
	env        *databasetest.Env
	vault      *vault.Vault
	department uuid.UUID
	entity     uuid.UUID
	systems    *connector.Registry
	controls   map[string]*control.Client
	worker     *reconcile.Worker
	accounts   *account.Service
	people     int
}

var names = []string{"finance", "mail"}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, env: databasetest.New(t), department: uuid.New(), entity: uuid.New(), controls: map[string]*control.Client{}}
	path := filepath.Join(t.TempDir(), "kek")
	kek, err := func() (*vault.KEK, error) {
		if err := vault.CreateKEKFile(path); err != nil {
			return nil, err
		}
		return vault.LoadKEKFile(path)
	}()
	if err != nil {
		t.Fatal(err)
	}
	w.vault = vault.New(w.env.Keys, kek, w.env.Installation.ID)
	now := func() time.Time {
		at, err := w.env.Facts.Now(context.Background())
		if err != nil {
			t.Error(err)
		}
		return at
	}
	var listed []connector.System
	for _, name := range names {
		sys, err := sandbox.New(sandbox.Options{Name: name, Kind: name, Token: "s", ControlToken: "c", Clock: now})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(sys.Handler())
		client, err := scim.New(scim.Options{BaseURL: server.URL + "/scim/v2", Token: "s", Timeout: 5 * time.Second, PageSize: 7, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		w.controls[name] = control.NewClient(server.URL, "c")
		t.Cleanup(func() { client.Close(); w.controls[name].Close(); server.Close(); _ = sys.Close() })
		listed = append(listed, connector.System{Name: name, Kind: name, Connector: client})
	}
	if w.systems, err = connector.RegistryOf(listed...); err != nil {
		t.Fatal(err)
	}
	w.worker = &reconcile.Worker{
		DB: w.env.Facts, Systems: w.systems, Log: slog.New(slog.DiscardHandler), Shrink: 0.2, NoSignIn: 90 * 24 * time.Hour, Pause: time.Millisecond,
	}
	w.accounts = account.New(w.env.Facts, w.vault, w.systems, account.Timings{
		StartToClose: 5 * time.Second, ScheduleToClose: 30 * time.Second, HTTPTimeout: 5 * time.Second,
		RetryInitial: time.Millisecond, RetryMax: time.Second, AcceptedCheck: time.Second, Tries: 3,
	})
	w.exec("ALTER TABLE employments DISABLE TRIGGER USER") // when one ends is not what these tests are about
	w.exec("INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, ?, '甲', 'E', 'DEMO', 'Asia/Shanghai')", w.entity, w.entity)
	w.exec("INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, ?, '部', 'D')", w.department, w.entity, w.department)
	return w
}

func (w *world) exec(sql string, args ...any) {
	w.Helper()
	if err := databasetest.Exec(w, w.env.Facts, sql, args...); err != nil {
		w.Fatalf("%s: %v", sql, err)
	}
}

func (w *world) tx(fn func(tx *database.Tx) error) {
	w.Helper()
	if err := database.Run(context.Background(), w.env.Facts, fn); err != nil {
		w.Fatal(err)
	}
}

// person is an employee with one employment.
type person struct {
	id, employment uuid.UUID
	no             string
	departure      uuid.UUID
}

func (w *world) hire() *person {
	w.Helper()
	w.people++
	p := &person{id: uuid.Must(uuid.NewV7())}
	p.no = "P" + p.id.String()
	w.exec("INSERT INTO employees (id, employee_no, name, department_id) VALUES (?, ?, 'N', ?)", p.id, p.no, w.department)
	w.employ(p)
	return p
}

func (w *world) employ(p *person) {
	w.Helper()
	p.employment = uuid.Must(uuid.NewV7())
	w.exec(`INSERT INTO employments (id, employee_id, legal_entity_id, department_id, jurisdiction, time_zone, hired_on, created_at, ledger_entry_id)
		VALUES (?, ?, ?, ?, 'DEMO', 'Asia/Shanghai', '2020-01-01', '2020-01-01', @entry)`, p.employment, p.id, w.entity, w.department)
	w.tx(func(tx *database.Tx) error { return w.vault.CreateCategories(tx, p.employment) })
}

func (w *world) plant(system string, p control.Plant) string {
	w.Helper()
	a, err := w.controls[system].Plant(w.Context(), p)
	if err != nil {
		w.Fatal(err)
	}
	return a[0].ID
}

// link plants an account of somebody and links it.
func (w *world) link(p *person, system string) string {
	w.Helper()
	id := w.plant(system, control.Plant{EmployeeNo: p.no})
	w.linkTo(p, system, id)
	return id
}

func (w *world) linkTo(p *person, system, id string) {
	w.Helper()
	w.tx(func(tx *database.Tx) error {
		_, err := account.Link(tx, p.employment, system, system, &id)
		return err
	})
}

// change plants the account anew, otherwise.
func (w *world) change(system, id string, p control.Plant) {
	p.ID = id
	w.plant(system, p)
}

// leave takes the person's access away at the end of the employment, or only enters the departure.
func (w *world) leave(p *person, ended bool) {
	w.Helper()
	p.departure = uuid.Must(uuid.NewV7())
	day := "2020-01-02"
	if !ended {
		day = "2099-01-02"
	}
	w.exec(databasetest.Begun(`INSERT INTO departures (id, employee_id, employment_id, kind, notice_received_on, last_working_day,
		employment_end_date, access_cutoff_at, employment_ended_at, time_zone)
		VALUES (?, ?, ?, 'resignation', '2020-01-01', ?, ?, CAST(? AS date), CAST(? AS date), 'Asia/Shanghai')`), p.departure, p.id, p.employment, day, day, day, day)
	if ended {
		w.unlink(p, account.UnlinkOrder{Origin: models.OriginDeparture, DepartureID: &p.departure, Mode: models.ModeDisable})
	}
}

func (w *world) unlink(p *person, o account.UnlinkOrder) models.AccountOperation {
	w.Helper()
	o.EmployeeID, o.EmploymentID, o.Connected, o.By = p.id, p.employment, w.systems, models.System
	var op models.AccountOperation
	w.tx(func(tx *database.Tx) (err error) {
		if err := tx.DB().Exec("SELECT 1 FROM employments WHERE id = ? FOR NO KEY UPDATE", p.employment).Error; err != nil {
			return err
		}
		if op, _, err = account.OrderUnlink(tx, o); err == nil && o.DepartureID != nil {
			err = departure.AccountsChanged(tx, *o.DepartureID)
		}
		return err
	})
	w.drive(op.ID)
	return op
}

// drive does what the operation's workflow does until only people could go on.
func (w *world) drive(id uuid.UUID) {
	w.Helper()
	for range 100 {
		var f account.Facts
		w.tx(func(tx *database.Tx) (err error) {
			f, err = w.accounts.Facts(tx, id)
			return err
		})
		going := false
		for _, s := range f.Steps {
			if !s.Run {
				continue
			}
			going = true
			if s.WaitFor > 0 {
				w.env.Advance(w, s.WaitFor+time.Millisecond)
			}
			if _, err := w.accounts.RunStep(context.Background(), id, s.ID, account.Hooks{OperationChanged: departure.OperationChanged}); err != nil {
				w.Fatal(err)
			}
		}
		if !going {
			return
		}
	}
	w.Fatal("the operation comes to no end")
}

// run is a whole run, as its workflow makes it.
func (w *world) run(o reconcile.Order) (models.Reconciliation, map[string]models.ReconciliationSystem) {
	w.Helper()
	var row models.Reconciliation
	ctx := context.Background()
	if o.AcceptSmaller { // somebody says so
		ctx = models.WithCaller(ctx, models.Caller{Actor: models.Actor{EmployeeID: w.hire().id, Role: models.RoleITOps}})
	}
	if err := database.Run(ctx, w.env.Facts, func(tx *database.Tx) (err error) {
		row, err = reconcile.Begin(tx, w.systems, o)
		return err
	}); err != nil {
		w.Fatal(err)
	}
	for range 10 {
		var f reconcile.RunFacts
		w.tx(func(tx *database.Tx) (err error) {
			f, err = reconcile.Look(tx, row.ID)
			return err
		})
		if f.Done {
			break
		}
		for _, system := range f.Systems {
			if err := w.worker.Compare(context.Background(), row.ID, system); err != nil {
				w.Fatalf("comparing %s: %v", system, err)
			}
		}
	}
	row, err := reconcile.Get(w.Context(), w.env.Facts, row.ID)
	if err != nil {
		w.Fatal(err)
	}
	systems, err := reconcile.SystemsOf(w.Context(), w.env.Facts, []uuid.UUID{row.ID}, uuid.Nil)
	if err != nil {
		w.Fatal(err)
	}
	of := map[string]models.ReconciliationSystem{}
	for _, s := range systems[row.ID] {
		of[s.System] = s
	}
	return row, of
}

// found is one finding, as a test names it.
type found struct {
	system, id string
	kind       models.DriftKind
	person     uuid.UUID
	hasCase    bool
}

// open is all drift that is open, sorted.
func (w *world) open() []found {
	w.Helper()
	yes := true
	rows, err := reconcile.Drift(w.Context(), w.env.Facts, reconcile.DriftFilter{Open: &yes, Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	all := make([]found, len(rows))
	for i, d := range rows {
		all[i] = found{system: d.System, id: *d.ExternalID, kind: d.Kind, hasCase: d.SupportCaseID != nil}
		if d.EmployeeID != nil {
			all[i].person = *d.EmployeeID
		}
	}
	sorted(all)
	return all
}

func sorted(all []found) {
	slices.SortFunc(all, func(a, b found) int {
		if a.system+a.id+string(a.kind) < b.system+b.id+string(b.kind) {
			return -1
		}
		return 1
	})
}
