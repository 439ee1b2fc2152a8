package retention

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/vault"
	"lethe/models"
)

// world is a pair of databases with the rules and the catalogue, one legal entity for each
// jurisdiction, a vault and a tombstone file.
type world struct {
	env        *databasetest.Env
	vault      *vault.Vault
	tombstones *vault.Tombstones
	reviewer   models.Actor
	hr         models.Actor
	department map[string]uuid.UUID // by jurisdiction
	certified  atomic.Int64         // calls of the purged hook that were committed or tried
	people     atomic.Int64
}

var zoneOf = map[string]string{"CN": "Asia/Shanghai", "DE": "Europe/Berlin", "JP": "Asia/Tokyo", "DEMO": "America/Santiago"}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{env: databasetest.New(t), department: map[string]uuid.UUID{}}
	folder := t.TempDir()
	if err := vault.CreateKEKFile(filepath.Join(folder, "kek")); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.LoadKEKFile(filepath.Join(folder, "kek"))
	if err != nil {
		t.Fatal(err)
	}
	w.vault = vault.New(w.env.Keys, kek, w.env.Installation.ID)
	if w.tombstones, err = vault.OpenTombstones(filepath.Join(folder, "tombstones")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.tombstones.Close() })
	w.tx(t, func(tx *database.Tx) error { return InstallRules(tx, true) })
	w.tx(t, archive.InstallCatalogue)
	for jurisdiction, zone := range zoneOf {
		entity, department := uuid.New(), uuid.New()
		w.exec(t, "INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, ?, '甲', 'E', ?, ?)", entity, entity, jurisdiction, zone)
		w.exec(t, "INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, ?, '部', 'D')", department, entity, department)
		w.department[jurisdiction] = department
	}
	w.reviewer = models.Actor{EmployeeID: w.hire(t, "CN").employee, Role: models.RoleReviewer}
	w.hr = models.Actor{EmployeeID: w.hire(t, "CN").employee, Role: models.RoleHRAdmin}
	return w
}

type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func (w *world) exec(t failer, sql string, args ...any) {
	t.Helper()
	if err := databasetest.Exec(t, w.env.Facts, sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (w *world) try(fn func(tx *database.Tx) error) error {
	return database.Run(context.Background(), w.env.Facts, fn)
}

// agreed is what two people agreed to about a purge. Whom the product refuses to ask is nobody's approval.
func (w *world) agreed(t failer, operation string, purge uuid.UUID, first, second models.Actor, fn func(tx *database.Tx) error) error {
	t.Helper()
	if first.EmployeeID == second.EmployeeID {
		return w.try(fn)
	}
	subject := uuid.MustParse(query[string](t, w, "SELECT d.employee_id::text FROM purges p JOIN departures d ON d.id = p.departure_id WHERE p.id = ?", purge))
	return databasetest.Agreed(t, w.env.Facts, databasetest.Agreement{
		Operation: operation, Subject: subject, Kind: "purge", Target: purge, Requester: first.EmployeeID, Approver: second.EmployeeID,
	}, fn)
}

func (w *world) tx(t failer, fn func(tx *database.Tx) error) {
	t.Helper()
	if err := w.try(fn); err != nil {
		t.Fatal(err)
	}
}

func (w *world) now(t failer) time.Time {
	t.Helper()
	now, err := w.env.Facts.Now(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return now
}

func query[T any](t failer, w *world, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := w.env.Facts.Read(context.Background()).Raw(sql, args...).Scan(&v).Error; err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// person is somebody employed under a jurisdiction, and the departure if there is one.
type person struct {
	employee, employment, departure uuid.UUID
	jurisdiction, number            string
}

// fields has one value in each category that the catalogue has fields for.
var fields = map[string]string{
	"contract_no": "C-1", "emergency_contact_phone": "13800000000", "id_number": "110101199001011237",
	"bank_account": "6222000000000009", "social_insurance_no": "S-1",
}

func (w *world) hire(t failer, jurisdiction string) person {
	t.Helper()
	return w.hireAs(t, jurisdiction, fmt.Sprintf("E%d", w.people.Add(1)), clock.NewDate(2020, 1, 1))
}

func (w *world) hireAs(t failer, jurisdiction, number string, hiredOn clock.Date) person {
	t.Helper()
	p := person{jurisdiction: jurisdiction, number: number}
	w.tx(t, func(tx *database.Tx) (err error) {
		p.employee, p.employment, err = archive.Create(tx, w.vault, archive.NewEmployee{
			EmployeeNo: number, Name: "张伟", DepartmentID: w.department[jurisdiction],
			HiredOn: hiredOn, Fields: fields,
		})
		return err
	})
	return p
}

// depart inserts a departure that ends the employment at endedAt, not after now, and was entered then, and
// schedules the retention: it took effect late.
func (w *world) depart(t failer, p person, endedAt time.Time) person {
	t.Helper()
	p.departure = uuid.Must(uuid.NewV7())
	w.tx(t, func(tx *database.Tx) error {
		if _, err := archive.LockEmployment(tx, p.employment); err != nil {
			return err
		}
		note, _, err := w.vault.Seal(tx, vault.Cell{
			Table: "departures", Row: p.departure, Employment: p.employment, Category: models.CategoryDepartureFile, Field: "note_sealed",
		}, []byte("a note"))
		if err != nil {
			return err
		}
		day := clock.DateOf(endedAt)
		dep := models.Departure{
			ID: p.departure, EmployeeID: p.employee, EmploymentID: p.employment, Kind: models.KindResignation,
			Stage: models.StagePendingDeparture, AccountsState: models.AccountsLinked,
			NoticeReceivedOn: day, LastWorkingDay: day, EmploymentEndDate: day, AccessCutoffAt: endedAt, EmploymentEndedAt: endedAt,
			TimeZone: zoneOf[p.jurisdiction], NoteSealed: note, CreatedBy: w.hr.ID(), CountsFrom: endedAt, Driven: models.Driven{Revision: 1},
		}
		if err := databasetest.Earlier(tx, endedAt, func() error { return database.Hide(tx.DB().Create(&dep).Error) }); err != nil {
			return err
		}
		err = tx.DB().Exec("UPDATE departures SET stage = 'departed', departed_at = lethe_now() WHERE id = ?", p.departure).Error
		if err != nil {
			return database.Hide(err)
		}
		if err := databasetest.Told(tx, p.departure); err != nil {
			return err
		}
		if err := archive.EndEmployment(tx, p.employment, &endedAt, databasetest.Entry(t, tx)); err != nil {
			return err
		}
		for _, status := range []models.EmployeeStatus{models.StatusPendingDeparture, models.StatusDeparted} {
			if err := archive.SetStatus(tx, p.employee, status); err != nil {
				return err
			}
		}
		return Schedule(tx, dep, p.jurisdiction)
	})
	return p
}

// departedNow is a DEMO person whose employment has just ended.
func (w *world) departedNow(t failer, jurisdiction string) person {
	t.Helper()
	return w.depart(t, w.hire(t, jurisdiction), w.now(t))
}

// The departure's hooks, as the package departure has them.

func began(tx *database.Tx, departureID uuid.UUID) error {
	err := database.UpdateOne(tx.DB().Exec("UPDATE departures SET stage = 'purging' WHERE id = ? AND stage = 'departed'", departureID))
	return errors.Join(err, databasetest.Told(tx, departureID))
}

// clearFile clears the files of every departure of the employment: a withdrawn one has a file under the same key.
func clearFile(tx *database.Tx, departureID uuid.UUID) error {
	return tx.DB().Exec(`UPDATE departures SET note_sealed = NULL, withdrawal_reason_sealed = NULL, annulment_reason_sealed = NULL
		WHERE employment_id = (SELECT employment_id FROM departures WHERE id = ?)`, departureID).Error
}

func (w *world) purged(tx *database.Tx, certificate models.DestructionCertificate, _ []models.Category) error {
	w.certified.Add(1)
	departureID := certificate.DepartureID
	all, err := AllPurged(tx, departureID)
	if err != nil || !all {
		return err
	}
	err = database.UpdateOne(tx.DB().Exec("UPDATE departures SET stage = 'purged', purged_at = lethe_now() WHERE id = ?", departureID))
	return errors.Join(err, databasetest.Told(tx, departureID))
}

func (w *world) purger() *Purger { return NewPurger(w.env.Facts, w.vault, w.tombstones) }

func (w *world) look(t failer, p person) Facts {
	t.Helper()
	var f Facts
	w.tx(t, func(tx *database.Tx) (err error) { f, err = Look(tx, p.departure, Spread{}); return err })
	return f
}

func (w *world) lookAtPurge(t failer, id uuid.UUID) PurgeFacts {
	t.Helper()
	var f PurgeFacts
	w.tx(t, func(tx *database.Tx) (err error) { f, err = LookAtPurge(tx, id); return err })
	return f
}

func (w *world) intent(id uuid.UUID) (intent Intent, err error) {
	err = w.try(func(tx *database.Tx) error {
		intent, err = CommitIntent(tx, id)
		if err == nil && intent.First {
			return began(tx, intent.DepartureID)
		}
		return err
	})
	return intent, err
}

// steps are all steps of a purge, by the name of the column that records each.
func (w *world) steps(p *Purger, id uuid.UUID) []func() error {
	ctx := context.Background()
	return []func() error{
		func() error { _, err := w.intent(id); return err },
		func() error { return p.Tombstone(ctx, id) },
		func() error { return p.DestroyKeys(ctx, id) },
		func() error { return p.Clear(ctx, id, clearFile) },
		func() error { return p.Probe(ctx, id) },
		func() error { _, err := p.Certify(ctx, id, w.purged); return err },
	}
}

// carryOut does what the purge activity does.
func (w *world) carryOut(id uuid.UUID) error {
	intent, err := w.intent(id)
	if err != nil || !intent.Began {
		return err
	}
	for _, step := range w.steps(w.purger(), id)[1:] {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) openPurges(t failer, p person) []uuid.UUID {
	t.Helper()
	return query[[]uuid.UUID](t, w, "SELECT id FROM purges WHERE departure_id = ? AND state IN ('claimed', 'in_review', 'rejected', 'purging') ORDER BY id", p.departure)
}

// onePurge waits for everything to be due and returns the one purge that Look orders.
func (w *world) onePurge(t failer, p person) uuid.UUID {
	t.Helper()
	w.env.Advance(t.(testing.TB), time.Minute)
	w.look(t, p)
	open := w.openPurges(t, p)
	if len(open) != 1 {
		t.Fatalf("%d purges were ordered, want 1", len(open))
	}
	return open[0]
}

func (w *world) states(t failer, p person) map[models.Category]string {
	t.Helper()
	rows := query[[]struct{ Category, Deadline, State string }](t, w, `SELECT l.category, l.state AS deadline, c.state FROM retention_deadlines l
		JOIN employment_categories c ON c.id = l.category_id WHERE l.departure_id = ?`, p.departure)
	states := map[models.Category]string{}
	for _, r := range rows {
		states[models.Category(r.Category)] = r.Deadline + "/" + r.State
	}
	return states
}

func (w *world) expectAll(t failer, p person, want string) {
	t.Helper()
	states := w.states(t, p)
	if len(states) != len(models.Categories) {
		t.Fatalf("%d categories have a deadline", len(states))
	}
	for category, state := range states {
		if state != want {
			t.Fatalf("%s is %s, want %s", category, state, want)
		}
	}
}

func (w *world) categoryID(t failer, p person, c models.Category) uuid.UUID {
	t.Helper()
	return query[models.EmploymentCategory](t, w, "SELECT * FROM employment_categories WHERE employment_id = ? AND category = ?", p.employment, c).ID
}

// hold places one; two people place one by a filter.
func (w *world) hold(o HoldOrder) (hold models.Hold, err error) {
	if !o.Query.Empty() {
		o.Approver = w.reviewer
	}
	err = w.try(func(tx *database.Tx) error { hold, _, err = PlaceHold(tx, o); return err })
	return hold, err
}

func held(states map[models.Category]string, c models.Category) bool {
	return states[c] == "held/open"
}
