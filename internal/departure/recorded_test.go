package departure_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"lethe/e2e/recorded"
	"lethe/internal/account"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/retention"
	"lethe/internal/vault"
	"lethe/models"
)

// life is one installation with a system for the accounts and everything that carries work out.
type life struct {
	*stand
	system   *shaky
	accounts *account.Service
	purger   *retention.Purger
	done     map[string]int // what was tried and worked
}

func newLife(t *testing.T) *life {
	t.Helper()
	l := &life{stand: newStand(t), system: &shaky{active: map[string]bool{}}, done: map[string]int{}}
	l.run(t, func(tx *database.Tx) error {
		return tx.DB().Exec("UPDATE legal_entities SET jurisdiction = 'DEMO', ledger_entry_id = ?", databasetest.Entry(t, tx)).Error
	})
	var listed []connector.System
	for _, name := range []string{"finance", "mail"} {
		listed = append(listed, connector.System{Name: name, Kind: name, Connector: l.system})
	}
	registry, err := connector.RegistryOf(listed...)
	if err != nil {
		t.Fatal(err)
	}
	l.connected = registry
	l.accounts = account.New(l.Facts, l.vault, registry, account.Timings{
		StartToClose: time.Second, ScheduleToClose: time.Minute, HTTPTimeout: 100 * time.Millisecond,
		RetryInitial: time.Millisecond, RetryMax: time.Millisecond, AcceptedCheck: time.Millisecond, Tries: 2,
	})
	stones, err := vault.OpenTombstones(filepath.Join(t.TempDir(), "tombstones"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stones.Close() })
	l.purger = retention.NewPurger(l.Facts, l.vault, stones)
	return l
}

// join hires somebody whose accounts are in the system.
func (l *life) join(t testing.TB) uuid.UUID {
	t.Helper()
	id := l.hire(t)
	for _, a := range l.rows(t, `SELECT a.external_id AS text FROM linked_accounts a JOIN employments m ON m.id = a.employment_id
		WHERE m.employee_id = ?`, id) {
		l.system.active[a.Text] = true
	}
	return id
}

type found struct {
	ID   uuid.UUID
	Text string
}

func (l *life) rows(t testing.TB, sql string, args ...any) (rows []found) {
	t.Helper()
	if err := l.Facts.Read(t.Context()).Raw(sql, args...).Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	return rows
}

// errUndone ends a transaction whose work must leave nothing.
var errUndone = errors.New("undone")

// command runs a command, perhaps undoes it at its end, perhaps repeats it.
func (l *life) command(t testing.TB, r *rapid.T, name string, f func(tx *database.Tx) error) {
	t.Helper()
	switch rapid.SampledFrom([]string{"", "", "", "undone", "twice"}).Draw(r, "how") {
	case "undone":
		_ = l.try(t, func(tx *database.Tx) error { return errors.Join(f(tx), errUndone) })
		return
	case "twice":
		_ = l.try(t, f)
	}
	if l.try(t, f) == nil {
		l.done[name]++
	}
}

// step is one thing that happens, to a random row that it may happen to.
type step struct {
	name string
	rows string
	do   func(t testing.TB, l *life, r *rapid.T, row found)
}

var steps = []step{
	{"begin", "SELECT id FROM employees WHERE status = 'active' AND id IN (SELECT employee_id FROM employments WHERE ended_at IS NULL)",
		func(t testing.TB, l *life, r *rapid.T, row found) {
			wish := departure.RequestedDates{Immediate: true}
			if rapid.Bool().Draw(r, "planned") {
				wish = planned(l.inDays(t, rapid.IntRange(0, 9).Draw(r, "in days")))
			}
			l.command(t, r, "begin", func(tx *database.Tx) error {
				_, err := departure.Begin(tx, l.vault, l.hr, departure.Notice{EmployeeID: row.ID, Kind: models.KindResignation, Note: "n", RequestedDates: wish})
				return err
			})
		}},
	{"reschedule", "SELECT id FROM departures", func(t testing.TB, l *life, r *rapid.T, row found) {
		wish := planned(l.inDays(t, rapid.IntRange(5, 30).Draw(r, "in days")))
		l.command(t, r, "reschedule", func(tx *database.Tx) error { return reschedule(tx, l.hr, row.ID, wish) })
	}},
	{"withdraw", "SELECT id FROM departures", func(t testing.TB, l *life, r *rapid.T, row found) {
		l.command(t, r, "withdraw", func(tx *database.Tx) error {
			return departure.WithdrawApproved(tx, l.vault, l.hr, row.ID, "r", true)
		})
	}},
	{"annul", "SELECT id FROM departures", func(t testing.TB, l *life, r *rapid.T, row found) {
		l.command(t, r, "ask", func(tx *database.Tx) error { return departure.AskAnnulment(tx, l.vault, l.hr, row.ID, "r") })
		if rapid.Bool().Draw(r, "confirm") {
			l.command(t, r, "annul", func(tx *database.Tx) error { return departure.ConfirmAnnulment(tx, l.second, row.ID) })
		}
	}},
	{"advance", "SELECT id FROM departures", func(t testing.TB, l *life, r *rapid.T, row found) {
		l.command(t, r, "advance", func(tx *database.Tx) error { _, err := departure.Advance(tx, row.ID, l.connected); return err })
	}},
	{"account", `SELECT id, operation_id::text AS text FROM account_steps
		WHERE state IN ('pending', 'running', 'accepted', 'done')`, func(t testing.TB, l *life, r *rapid.T, row found) {
		l.system.mu.Lock()
		l.system.mood = rapid.SampledFrom([]string{"", "", "busy", "refuses", "refuses", "slow"}).Draw(r, "mood")
		l.system.mu.Unlock()
		changed := func(tx *database.Tx, op models.AccountOperation) error {
			if op.DepartureID == nil {
				return nil
			}
			return departure.AccountsChanged(tx, *op.DepartureID)
		}
		if rapid.IntRange(0, 3).Draw(r, "dies") == 0 { // at the end of the run: nothing of it may stay
			changed = func(*database.Tx, models.AccountOperation) error { return errUndone }
		}
		result, err := l.accounts.RunStep(t.Context(), uuid.MustParse(row.Text), row.ID, account.Hooks{OperationChanged: changed})
		if err == nil {
			l.done["step "+string(result.Outcome)]++
		}
	}},
	{"alone", "SELECT id FROM employments WHERE ended_at IS NULL", func(t testing.TB, l *life, r *rapid.T, row found) {
		o := account.UnlinkOrder{EmploymentID: row.ID, Mode: models.ModeDisable, Origin: models.OriginStandalone, By: l.hr,
			AllOrNothing: rapid.Bool().Draw(r, "all or nothing")}
		l.command(t, r, "unlink", func(tx *database.Tx) error { _, _, err := account.OrderUnlink(tx, o); return err })
	}},
	{"give back", "SELECT id, employment_id::text AS text FROM account_operations WHERE kind = 'unlink' AND origin = 'standalone'",
		func(t testing.TB, l *life, r *rapid.T, row found) {
			o := account.RelinkOrder{EmploymentID: uuid.MustParse(row.Text), Origin: models.OriginStandalone, Undoes: &row.ID, By: l.hr}
			l.command(t, r, "relink", func(tx *database.Tx) error { _, _, err := account.OrderRelink(tx, o); return err })
		}},
	{"case", "SELECT id FROM support_cases WHERE state <> 'closed'", func(t testing.TB, l *life, r *rapid.T, row found) {
		ops := models.Actor{EmployeeID: l.hr.EmployeeID, Role: models.RoleITOps}
		decide := func(action models.Resolution) {
			l.command(t, r, "case "+string(action), func(tx *database.Tx) (err error) {
				var c models.SupportCase
				switch action {
				case "confirm":
					c, err = account.ConfirmCase(tx, row.ID, l.second, "")
				case "drop":
					return account.DropWaiver(tx, row.ID, ops)
				default:
					c, err = account.ResolveCase(tx, row.ID, ops, action, "")
				}
				if err != nil || c.DepartureID == nil {
					return err
				}
				return departure.AccountsChanged(tx, *c.DepartureID)
			})
		}
		action := rapid.SampledFrom([]string{"retry", "resolved_by_hand", "waive", "waive", "abort"}).Draw(r, "action")
		decide(models.Resolution(action))
		if action == "waive" {
			decide(models.Resolution(rapid.SampledFrom([]string{"confirm", "confirm", "drop"}).Draw(r, "then")))
		}
	}},
	{"hold", "SELECT id FROM employees", func(t testing.TB, l *life, r *rapid.T, row found) {
		o := retention.HoldOrder{EmployeeID: row.ID, Matter: "m", By: l.hr}
		if rapid.Bool().Draw(r, "one category") {
			o.Categories = []models.Category{rapid.SampledFrom(models.Categories).Draw(r, "category")}
		}
		l.command(t, r, "hold", func(tx *database.Tx) error { _, _, err := retention.PlaceHold(tx, o); return err })
	}},
	{"release", "SELECT id FROM holds", func(t testing.TB, l *life, r *rapid.T, row found) {
		l.command(t, r, "release", func(tx *database.Tx) error { return retention.ReleaseHold(tx, row.ID, l.hr, models.Actor{}) })
	}},
	{"look", "SELECT id FROM retentions", func(t testing.TB, l *life, r *rapid.T, row found) {
		l.command(t, r, "look", func(tx *database.Tx) error { _, err := retention.Look(tx, row.ID, retention.Spread{}); return err })
	}},
	{"purge", "SELECT id FROM purges", func(t testing.TB, l *life, r *rapid.T, row found) { l.purge(t, r, row.ID) }},
	{"wait", "SELECT gen_random_uuid() AS id", func(t testing.TB, l *life, r *rapid.T, _ found) {
		l.Advance(t, time.Duration(rapid.IntRange(1, 72).Draw(r, "hours"))*time.Hour)
	}},
}

// often lists the places of the steps in steps, those of accounts and cases several times.
var often = func() (places []int) {
	for i, s := range steps {
		places = append(places, i)
		if s.name == "account" || s.name == "case" {
			places = append(places, i, i, i)
		}
	}
	return places
}()

// purge carries out some of a purge's steps, as an activity that dies would, some of them twice.
func (l *life) purge(t testing.TB, r *rapid.T, id uuid.UUID) {
	t.Helper()
	ctx := t.Context()
	began := false
	l.command(t, r, "intent", func(tx *database.Tx) error {
		intent, err := retention.CommitIntent(tx, id)
		if err != nil {
			return err
		}
		began = intent.Began
		if intent.First {
			return departure.PurgingBegan(tx, intent.DepartureID)
		}
		return nil
	})
	if !began {
		return
	}
	carryOut := []func() error{
		func() error { return l.purger.Tombstone(ctx, id) },
		func() error { return l.purger.DestroyKeys(ctx, id) },
		func() error { return l.purger.Clear(ctx, id, departure.ClearFile) },
		func() error { return l.purger.Probe(ctx, id) },
		func() error { _, err := l.purger.Certify(ctx, id, departure.CategoriesPurged); return err },
	}
	for range rapid.IntRange(1, 2).Draw(r, "times") {
		for _, f := range carryOut[:rapid.IntRange(0, len(carryOut)).Draw(r, "steps")] {
			l.atOnce(rapid.IntRange(1, 3).Draw(r, "at once"), f)
		}
	}
}

// atOnce carries out a step of a purge in several workers at the same moment.
func (l *life) atOnce(workers int, f func() error) {
	var all sync.WaitGroup
	var worked atomic.Int64
	for range workers {
		all.Go(func() {
			if f() == nil {
				worked.Add(1)
			}
		})
	}
	all.Wait()
	l.done["purge step"] += int(worked.Load())
}

// TestI18_EveryFactHasExactlyOneEntry lives random lives: commands that are refused, repeated and
// undone, runs that fail and die, purges that stop half-way. After each step facts and ledger agree.
func TestI18_EveryFactHasExactlyOneEntry(t *testing.T) {
	l := newLife(t)
	rapid.Check(t, func(r *rapid.T) {
		l.join(t)
		for range rapid.IntRange(8, 25).Draw(r, "steps") {
			s := steps[rapid.SampledFrom(often).Draw(r, "step")]
			rows := l.rows(t, s.rows+" ORDER BY 1 DESC LIMIT 4")
			if len(rows) == 0 {
				continue
			}
			s.do(t, l, r, rapid.SampledFrom(rows).Draw(r, "row"))
		}
		l.agree(t, r)
	})
	t.Log(l.done)
	for _, what := range []string{
		"begin", "reschedule", "withdraw", "annul", "advance", "step done", "step stuck", "step retry", "step accepted", "unlink", "relink",
		"case retry", "case waive", "hold", "release", "look", "intent", "purge step",
	} {
		if l.done[what] == 0 {
			t.Errorf("never done: %s", what)
		}
	}
	l.waive(t)
	l.noticed(t)
}

// waive has two people waive what those lives left stuck, until one waiver is there: by chance nobody did.
func (l *life) waive(t *testing.T) {
	t.Helper()
	ops := models.Actor{EmployeeID: l.hr.EmployeeID, Role: models.RoleITOps}
	for _, row := range l.rows(t, "SELECT id FROM support_cases WHERE state <> 'closed' ORDER BY 1") {
		if l.done["case confirm"] > 0 {
			return
		}
		err := database.Run(t.Context(), l.Facts, func(tx *database.Tx) error {
			_, err := account.ResolveCase(tx, row.ID, ops, models.ResolutionWaive, "")
			if err != nil && !errors.Is(err, account.ErrCaseClosed) { // asked for already
				return err
			}
			c, err := account.ConfirmCase(tx, row.ID, l.second, "")
			if err != nil || c.DepartureID == nil {
				return err
			}
			return departure.AccountsChanged(tx, *c.DepartureID)
		})
		if err == nil {
			l.done["case confirm"]++
		}
	}
}

// noticed doctors what all those lives left, in each way that the check is there to notice.
func (l *life) noticed(t *testing.T) {
	t.Helper()
	someone := uuid.Must(uuid.NewV7())
	entry := func(r *recorded.Records, action string) *recorded.Entry {
		i := slices.IndexFunc(r.Entries, func(e recorded.Entry) bool { return e.Action == action })
		if i < 0 {
			t.Fatalf("no entry of %s", action)
		}
		return &r.Entries[i]
	}
	drop := func(action string) func(r *recorded.Records) {
		return func(r *recorded.Records) { *entry(r, action) = recorded.Entry{ID: someone, Action: "x.y", Leaf: true} }
	}
	for name, doctor := range map[string]func(r *recorded.Records){
		"a departure that was not recorded": drop("departure.started"),
		"a stage that was not recorded":     drop("departure.departed"),
		"an order that was not recorded":    drop("unlinking.ordered"),
		"a step that was not recorded":      drop("account.step_done"),
		"a case that was not recorded":      drop("case.opened"),
		"a waiver that was not recorded":    drop("case.waived"),
		"a hold that was not recorded":      drop("hold.placed"),
		"a release that was not recorded":   drop("hold.released"),
		"deadlines that were not recorded":  drop("retention.scheduled"),
		"a purge that was not recorded":     drop("purge.intended"),
		"keys destroyed unrecorded":         drop("purge.keys_destroyed"),
		"a certificate not recorded":        drop("purge.certified"),
		"an entry without its leaf":         func(r *recorded.Records) { entry(r, "departure.started").Leaf = false },
		"a fact told twice": func(r *recorded.Records) {
			again := *entry(r, "departure.departed")
			again.ID = someone
			r.Entries = append(r.Entries, again)
		},
		"a purge told twice": func(r *recorded.Records) {
			again := *entry(r, "purge.tombstoned")
			again.ID = someone
			r.Entries = append(r.Entries, again)
		},
		"a line of the timeline taken away": func(r *recorded.Records) { r.Events = r.Events[1:] },
		"a line with another one's entry":   func(r *recorded.Records) { r.Events[0].LedgerEntryID = r.Operations[0].LedgerEntryID },
		"a line without an entry":           func(r *recorded.Records) { r.Events[0].LedgerEntryID = nil },
		"evidence changed":                  func(r *recorded.Records) { r.Evidence[0].Outcome = "forged" },
		"evidence taken away":               func(r *recorded.Records) { r.Evidence = r.Evidence[1:] },
		"evidence added":                    func(r *recorded.Records) { r.Evidence = append(r.Evidence, r.Evidence[0]) },
		"a certificate changed":             func(r *recorded.Records) { r.Certificates[0].Statement = `{"format": "forged"}` },
		"a certificate of another digest":   func(r *recorded.Records) { r.Certificates[0].StatementSha256 = []byte("forged") },
		"a certificate taken away":          func(r *recorded.Records) { r.Certificates = r.Certificates[1:] },
		"a departure out of nowhere":        func(r *recorded.Records) { r.Departures = append(r.Departures, models.Departure{ID: someone}) },
	} {
		records, err := recorded.Collect(t.Context(), l.Facts)
		if err != nil {
			t.Fatal(err)
		}
		if doctor(&records); len(recorded.Check(records)) == 0 {
			t.Errorf("not noticed: %s", name)
		}
	}
}

func (l *life) agree(t testing.TB, r *rapid.T) {
	t.Helper()
	records, err := recorded.Collect(context.Background(), l.Facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range recorded.Check(records) {
		r.Errorf("%s", problem)
	}
}
