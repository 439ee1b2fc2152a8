package activities

import (
	"errors"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"lethe/internal/account"
	"lethe/internal/connector"
	"lethe/internal/connector/scim"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/vault"
	"lethe/models"
	"lethe/sandbox"
	"lethe/sandbox/control"
)

// unlinkingRig is one departed employee with a mail account at a sandbox.
type unlinkingRig struct {
	unlinking *Unlinking
	operation models.AccountOperation
	departure uuid.UUID
	mail      *control.Client
	told      []uuid.UUID
}

func newUnlinkingRig(t *testing.T) *unlinkingRig {
	t.Helper()
	env := databasetest.New(t)
	path := filepath.Join(t.TempDir(), "kek")
	if err := vault.CreateKEKFile(path); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.LoadKEKFile(path)
	if err != nil {
		t.Fatal(err)
	}
	keeper := vault.New(env.Keys, kek, env.Installation.ID)
	sys, err := sandbox.New(sandbox.Options{Name: "mail", Kind: "mail", Token: "s", ControlToken: "c"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sys.Handler())
	client, err := scim.New(scim.Options{BaseURL: server.URL + "/scim/v2", Token: "s", Timeout: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	rig := &unlinkingRig{mail: control.NewClient(server.URL, "c"), departure: uuid.Must(uuid.NewV7())}
	t.Cleanup(func() {
		client.Close()
		rig.mail.Close()
		server.Close()
		_ = sys.Close()
	})
	registry, err := connector.RegistryOf(connector.System{Name: "mail", Kind: "mail", Connector: client})
	if err != nil {
		t.Fatal(err)
	}
	rig.unlinking = &Unlinking{
		DB: env.Facts,
		Accounts: account.New(env.Facts, keeper, registry, account.Timings{
			StartToClose: 5 * time.Second, ScheduleToClose: time.Minute, HTTPTimeout: 3 * time.Second,
			RetryInitial: time.Millisecond, RetryMax: time.Second, AcceptedCheck: time.Second, Tries: 3,
		}),
		AccountsChanged: func(_ *database.Tx, id uuid.UUID) error {
			rig.told = append(rig.told, id)
			return nil
		},
	}
	rig.employ(t, env.Facts, keeper)
	return rig
}

func (r *unlinkingRig) employ(t *testing.T, db *database.DB, keeper *vault.Vault) {
	t.Helper()
	ids := [4]uuid.UUID{uuid.New(), uuid.New(), uuid.New(), uuid.New()}
	entity, department, employee, employment := ids[0], ids[1], ids[2], ids[3]
	planted, err := r.mail.Plant(t.Context(), control.Plant{EmployeeNo: "E1", Groups: []string{"staff"}, Sessions: 1})
	if err != nil {
		t.Fatal(err)
	}
	err = database.Run(t.Context(), db, func(tx *database.Tx) error {
		hired := databasetest.Entry(t, tx)
		for _, s := range []struct {
			sql  string
			args []any
		}{
			{"INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, 'E', '甲', 'E', 'DEMO', 'UTC')", []any{entity}},
			{"INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, 'D', '部', 'D')", []any{department, entity}},
			{"INSERT INTO employees (id, employee_no, name, department_id) VALUES (?, 'E1', 'N', ?)", []any{employee, department}},
			{`INSERT INTO employments (id, employee_id, legal_entity_id, department_id, jurisdiction, time_zone, hired_on, ledger_entry_id)
				VALUES (?, ?, ?, ?, 'DEMO', 'UTC', '2020-01-01', ?)`, []any{employment, employee, entity, department, hired}},
			{`INSERT INTO departures (id, employee_id, employment_id, kind, notice_received_on, last_working_day, employment_end_date,
				access_cutoff_at, employment_ended_at, time_zone)
				VALUES (?, ?, ?, 'resignation', '2020-01-01', '2020-01-02', '2020-01-02', '2020-01-02', '2020-01-02', 'UTC')`,
				[]any{r.departure, employee, employment}},
		} {
			if err := tx.DB().Exec(s.sql, s.args...).Error; err != nil {
				return err
			}
		}
		if err := errors.Join(databasetest.Told(tx, r.departure), keeper.CreateCategories(tx, employment)); err != nil {
			return err
		}
		if _, err := account.Link(tx, employment, "mail", "mail", &planted[0].ID); err != nil {
			return err
		}
		var err error
		r.operation, _, err = account.OrderUnlink(tx, account.UnlinkOrder{
			EmploymentID: employment, DepartureID: &r.departure, Mode: models.ModeDisable,
			Origin: models.OriginDeparture, By: models.System,
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func activityEnvironment(u *Unlinking) *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(u)
	return env
}

func TestUnlinking_FromFactsToTheEnd(t *testing.T) {
	r := newUnlinkingRig(t)
	env := activityEnvironment(r.unlinking)
	var facts OperationFacts
	read := func() {
		t.Helper()
		v, err := env.ExecuteActivity(r.unlinking.OperationFacts, Ref{ID: r.operation.ID.String()})
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Get(&facts); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if facts.Done || len(facts.Steps) != 1 || !facts.Steps[0].Run || facts.Steps[0].WaitFor != 0 || facts.WakeIn <= 0 {
		t.Fatalf("facts: %+v", facts)
	}
	checkIn := func(in string) {
		t.Helper()
		err := r.unlinking.DB.Read(t.Context()).Exec("UPDATE account_steps SET check_at = lethe_now() + ?::interval WHERE operation_id = ?", in, r.operation.ID).Error
		if err != nil {
			t.Fatal(err)
		}
		read()
	}
	if checkIn("1 minute"); facts.Steps[0].WaitFor < 30*time.Second || facts.Steps[0].WaitFor > time.Minute {
		t.Errorf("a step to be looked at in a minute waits %s", facts.Steps[0].WaitFor)
	}
	checkIn("0")
	v, err := env.ExecuteActivity(r.unlinking.RunAccountStep, StepInput{OperationID: r.operation.ID.String(), StepID: facts.Steps[0].StepID})
	if err != nil {
		t.Fatal(err)
	}
	var result StepResult
	if err := v.Get(&result); err != nil {
		t.Fatal(err)
	}
	if want := (StepResult{Outcome: StepDone, OperationEnded: true}); result != want {
		t.Errorf("result %+v, want %+v", result, want)
	}
	if len(r.told) != 1 || r.told[0] != r.departure {
		t.Errorf("the departure was told %d times", len(r.told))
	}
	read()
	if !facts.Done || facts.State != string(models.OperationSettled) || facts.WakeIn != 0 {
		t.Errorf("facts at the end: %+v", facts)
	}
}

func TestUnlinking_UnknownIDsAreNotRetried(t *testing.T) {
	r := newUnlinkingRig(t)
	env := activityEnvironment(r.unlinking)
	for name, call := range map[string]func() error{
		"facts": func() error {
			_, err := env.ExecuteActivity(r.unlinking.OperationFacts, Ref{ID: uuid.NewString()})
			return err
		},
		"not an id": func() error { _, err := env.ExecuteActivity(r.unlinking.OperationFacts, Ref{ID: "x"}); return err },
		"a step": func() error {
			_, err := env.ExecuteActivity(r.unlinking.RunAccountStep, StepInput{OperationID: r.operation.ID.String(), StepID: uuid.NewString()})
			return err
		},
		"step no ids": func() error { _, err := env.ExecuteActivity(r.unlinking.RunAccountStep, StepInput{}); return err },
	} {
		var failed *temporal.ApplicationError
		if err := call(); !errors.As(err, &failed) || !failed.NonRetryable() || failed.Type() != errorUnknownRow {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnlinking_HeartbeatsWhileATargetIsSlow(t *testing.T) {
	r := newUnlinkingRig(t)
	err := r.mail.SetFaults(t.Context(), control.Faults{Rules: []control.Rule{{Kind: control.Delay, Delay: control.Duration(1500 * time.Millisecond), Count: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	var facts account.Facts
	err = database.Run(t.Context(), r.unlinking.DB, func(tx *database.Tx) (err error) {
		facts, err = r.unlinking.Accounts.Facts(tx, r.operation.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.RegisterActivity(r.unlinking)
	var beats atomic.Int32
	env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { beats.Add(1) })
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			StartToCloseTimeout: time.Minute, HeartbeatTimeout: time.Second,
		})
		in := StepInput{OperationID: r.operation.ID.String(), StepID: facts.Steps[0].ID.String()}
		return workflow.ExecuteActivity(ctx, r.unlinking.RunAccountStep, in).Get(ctx, nil)
	})
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	if n := beats.Load(); n < 2 {
		t.Errorf("%d heartbeats during a call of 1.5 s with a heartbeat timeout of 1 s", n)
	}
}
