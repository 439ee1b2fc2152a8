package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	tlog "go.temporal.io/sdk/log"
	temporalsdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"gorm.io/gorm/clause"

	"lethe/activities"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/retention"
	"lethe/internal/vault"
	"lethe/models"
	"lethe/workflows"
)

const day = 24 * time.Hour

// TestI1_ARejectedPurgeEscalatesEveryFourteenDays lets the workflow sleep on its own time over real facts,
// whose clock goes along.
func TestI1_ARejectedPurgeEscalatesEveryFourteenDays(t *testing.T) {
	env := databasetest.New(t)
	purge := rejectedPurge(t, env)
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(tlog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	temporal := suite.NewTestWorkflowEnvironment()
	temporal.SetTestTimeout(time.Minute)
	begin, err := env.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	temporal.SetStartTime(begin)
	facts := &activities.Purge{DB: env.Facts}
	var states []string
	temporal.RegisterActivityWithOptions(func(ctx context.Context, ref activities.Ref) (activities.PurgeFacts, error) {
		ctx = context.WithoutCancel(ctx) // its deadline is on the workflow's time, the database's answers are not
		now, err := env.Facts.Now(ctx)
		if err != nil {
			return activities.PurgeFacts{}, err
		}
		if ahead := temporal.Now().Sub(now); ahead > 0 {
			if err := databasetest.MoveClock(ctx, env.Facts, ahead); err != nil {
				return activities.PurgeFacts{}, err
			}
		}
		f, err := facts.PurgeFacts(ctx, ref)
		states = append(states, f.State)
		return f, err
	}, activity.RegisterOptions{Name: "PurgeFacts"})
	temporal.RegisterDelayedCallback(temporal.CancelWorkflow, 60*day)
	temporal.ExecuteWorkflow(workflows.Purge, workflows.Input{ID: purge.String(), Timings: workflows.Timings{
		StartToClose: time.Minute, Heartbeat: 10 * time.Second, ScheduleToClose: 10 * time.Minute,
		RetryInitial: time.Second, RetryMax: 30 * time.Second, ContinueAsNewAfter: 100 * day,
	}})
	var told []time.Time
	err = env.Facts.Read(t.Context()).Raw(`SELECT c.at FROM ledger_content c WHERE c.action = 'purge.escalated' AND c.object = ? ORDER BY c.at`,
		"purge/"+purge.String()).Scan(&told).Error
	if err != nil {
		t.Fatal(err)
	}
	if err := temporal.GetWorkflowError(); !errors.As(err, new(*temporalsdk.CanceledError)) {
		t.Errorf("it ended with %v", err)
	}
	if len(told) != 4 || len(states) > 10 {
		t.Fatalf("in 60 days it escalated at %v; the facts were read %d times", told, len(states))
	}
	for i, at := range told {
		want := begin.Add(time.Duration(14*(i+1)) * day)
		if at.Before(want.Add(-time.Hour)) || at.After(want.Add(time.Hour)) {
			t.Errorf("escalation %d at %s, want %s", i+1, at, want)
		}
	}
	for _, state := range states {
		if state != string(models.PurgeRejected) {
			t.Errorf("the facts say %s", state)
		}
	}
}

// rejectedPurge is one of two purges of people who left long ago; a reviewer refused it.
func rejectedPurge(t *testing.T, env *databasetest.Env) (purge uuid.UUID) {
	t.Helper()
	kek := filepath.Join(t.TempDir(), "kek")
	if err := vault.CreateKEKFile(kek); err != nil {
		t.Fatal(err)
	}
	key, err := vault.LoadKEKFile(kek)
	if err != nil {
		t.Fatal(err)
	}
	seal := vault.New(env.Keys, key, env.Installation.ID)
	run := func(f func(tx *database.Tx) error) {
		t.Helper()
		if err := database.Run(t.Context(), env.Facts, f); err != nil {
			t.Fatal(err)
		}
	}
	run(func(tx *database.Tx) error { return retention.InstallRules(tx, true) })
	run(archive.InstallCatalogue)
	reviewer := models.Actor{EmployeeID: env.Hire(t, "CN").EmployeeID, Role: models.RoleReviewer}
	last := clock.NewDate(2022, 5, 31)
	for range 2 {
		person := env.Hire(t, "CN")
		var dep models.Departure
		err := databasetest.Agreed(t, env.Facts, databasetest.Agreement{
			Operation: "departure.begin_immediately", Subject: person.EmployeeID, Kind: "employee", Target: person.EmployeeID,
			Requester: env.Hire(t, "CN").EmployeeID, Approver: reviewer.EmployeeID,
		}, func(tx *database.Tx) (err error) {
			for _, category := range models.Categories {
				row := models.EmploymentCategory{ID: uuid.New(), EmploymentID: person.ID, Category: category, State: models.CategoryOpen}
				if err := tx.DB().Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
					return database.Hide(err)
				}
			}
			dep, err = departure.Begin(tx, seal, models.System, departure.Notice{
				EmployeeID: person.EmployeeID, Kind: models.KindResignation, Approved: true,
				RequestedDates: departure.RequestedDates{LastWorkingDay: &last, ConfirmPast: true, CountFromEnd: true},
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		run(func(tx *database.Tx) error { _, err := departure.Advance(tx, dep.ID, nil); return err })
		run(func(tx *database.Tx) error { _, err := retention.Look(tx, dep.ID, retention.Spread{}); return err })
		purges, _, err := retention.Purges(t.Context(), env.Facts, retention.PurgeFilter{Departures: []uuid.UUID{dep.ID}})
		if err != nil || len(purges) != 1 || !purges[0].ReviewRequired {
			t.Fatalf("purges: %+v, %v", purges, err)
		}
		purge = purges[0].ID
	}
	run(func(tx *database.Tx) error { return retention.Decide(tx, purge, reviewer, models.DecisionRejected) })
	return purge
}
