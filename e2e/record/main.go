// Command record plays the lives that a departure can have, on real servers, and writes the
// workflows' histories down for the replay tests. It is run once for each release, from the
// released commit: a history that the code under test made by itself would prove nothing.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"
	"gorm.io/gorm/clause"

	"lethe/e2e/harness"
	"lethe/models"
	"lethe/sandbox/control"
	"lethe/workflows"
)

const playWithin = 5 * time.Minute

func main() {
	out := flag.String("out", "", "folder to write to; it must not exist")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), playWithin)
	err := record(ctx, *out)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func record(ctx context.Context, out string) (err error) {
	if out == "" {
		return errors.New("say where to write with -out")
	}
	if err := os.Mkdir(out, 0o755); err != nil {
		return fmt.Errorf("recorded histories are only added: %w", err)
	}
	s, err := harness.Open(ctx, harness.Options{OwnPostgres: true, OwnTemporal: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(false)) }()
	for _, play := range []func(context.Context, *harness.Stack) error{whole, troubled, withdrawn, annulled, imported, together, compared, asleep} {
		if err := play(ctx, s); err != nil {
			return err
		}
	}
	key, err := os.ReadFile(filepath.Join(s.Folder, "codec"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "codec.json"), key, 0o644); err != nil {
		return err
	}
	c, err := s.Temporal()
	if err != nil {
		return err
	}
	defer c.Close()
	return write(ctx, s, c, out)
}

// until waits for a departure to look as wanted.
func until(ctx context.Context, s *harness.Stack, id, what string, holds func(harness.Departure) bool) error {
	err := harness.Eventually(ctx, 90*time.Second, func() error {
		d, err := s.As(s.Staff.HR).Departure(ctx, id)
		if err != nil {
			return err
		}
		if !holds(d) {
			return fmt.Errorf("stage %s, accounts %s", d.Stage, d.AccountsState)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", what, err)
	}
	return nil
}

func depart(ctx context.Context, s *harness.Stack, h harness.Hire, fields map[string]any) (string, error) {
	p, err := s.Hire(ctx, h)
	if err != nil {
		return "", err
	}
	return s.As(s.Staff.HR).Depart(ctx, p.EmployeeID.String(), fields)
}

var immediate = map[string]any{"immediate": true}

// whole is a life from resignation to purge without trouble.
func whole(ctx context.Context, s *harness.Stack) error {
	id, err := depart(ctx, s, harness.Hire{No: "R-WHOLE"}, immediate)
	if err != nil {
		return err
	}
	return until(ctx, s, id, "a whole life", func(d harness.Departure) bool { return d.Stage == string(models.StagePurged) })
}

// troubled has passing faults, an order that is carried out later, and a case that people solve.
func troubled(ctx context.Context, s *harness.Stack) error {
	p, err := s.Hire(ctx, harness.Hire{No: "R-TROUBLE"})
	if err != nil {
		return err
	}
	faults := map[string]control.Rule{
		"mail":       {Match: control.Match{EmployeeNo: p.No}, Kind: "status", Status: 503, Count: 2},
		"finance":    {Match: control.Match{EmployeeNo: p.No}, Kind: "accept_later", After: control.Duration(time.Second), Count: 1},
		"attendance": {Match: control.Match{EmployeeNo: p.No}, Kind: "lie"},
	}
	for system, rule := range faults {
		if err := s.System(system).SetFaults(ctx, control.Faults{Rules: []control.Rule{rule}}); err != nil {
			return err
		}
	}
	id, err := s.As(s.Staff.HR).Depart(ctx, p.EmployeeID.String(), immediate)
	if err != nil {
		return err
	}
	var stuck string
	err = until(ctx, s, id, "a stuck account", func(d harness.Departure) bool {
		for _, w := range d.Waiting {
			if w.SupportCaseID != "" {
				stuck = w.SupportCaseID
			}
		}
		return stuck != ""
	})
	if err != nil {
		return err
	}
	if err := s.System("attendance").ClearFaults(ctx); err != nil {
		return err
	}
	if err := s.As(s.Staff.ITOps).Resolve(ctx, stuck, models.ResolutionRetry); err != nil {
		return err
	}
	return until(ctx, s, id, "the end of trouble", func(d harness.Departure) bool {
		return d.AccountsState == string(models.AccountsSettled)
	})
}

// withdrawn is taken back while accounts are unlinked.
func withdrawn(ctx context.Context, s *harness.Stack) error {
	now, err := s.Facts.Now(ctx)
	if err != nil {
		return err
	}
	today, err := s.Today(ctx)
	if err != nil {
		return err
	}
	id, err := depart(ctx, s, harness.Hire{No: "R-WITHDRAWN"}, map[string]any{
		"last_working_day": today, "access_cutoff_at": now.Add(2 * time.Second).Format(time.RFC3339),
	})
	if err != nil {
		return err
	}
	if err := until(ctx, s, id, "settled accounts", func(d harness.Departure) bool { return d.AccountsState == string(models.AccountsSettled) }); err != nil {
		return err
	}
	if err := s.Withdraw(ctx, id, "stays after all"); err != nil {
		return err
	}
	return until(ctx, s, id, "a relink", func(d harness.Departure) bool { return d.AccountsState == string(models.AccountsRelinked) })
}

// annulled is undone by two people during retention.
func annulled(ctx context.Context, s *harness.Stack) error {
	id, err := depart(ctx, s, harness.Hire{No: "R-ANNULLED", Jurisdiction: "CN"}, immediate)
	if err != nil {
		return err
	}
	if err := until(ctx, s, id, "settled accounts", func(d harness.Departure) bool { return d.AccountsState == string(models.AccountsSettled) }); err != nil {
		return err
	}
	if err := s.As(s.Staff.HR).AskAnnulment(ctx, id, "the wrong person"); err != nil {
		return err
	}
	if err := s.ConfirmAnnulment(ctx, id); err != nil {
		return err
	}
	return until(ctx, s, id, "a relink", func(d harness.Departure) bool { return d.AccountsState == string(models.AccountsRelinked) })
}

// imported is a file that is checked, agreed to and entered, and another one that waits after its dry run.
func imported(ctx context.Context, s *harness.Stack) error {
	hr := s.As(s.Staff.HR)
	for _, file := range []struct {
		rows  string
		enter bool
	}{{"R-FILE-1,导入人,D-%s,2024-01-02\nR-FILE-2,导入人,D-%[1]s,2024-01-02\n", true}, {"R-FILE-3,导入人,D-%s,2024-01-02\n", false}} {
		content := "工号,姓名,部门,入职日期\n" + fmt.Sprintf(file.rows, models.DemoJurisdiction)
		a, err := hr.Do(ctx, http.MethodPost, "/api/v1/employee-imports", []byte(content), "Content-Type", "text/csv")
		if err != nil {
			return err
		}
		var sent struct{ ID string }
		if err := json.Unmarshal(a.Body, &sent); err != nil || sent.ID == "" {
			return fmt.Errorf("sending a file: %d %s", a.Status, a.Body)
		}
		if err := walked(ctx, hr, "/api/v1/employee-imports/"+sent.ID, "checked"); err != nil {
			return err
		}
		if !file.enter {
			continue
		}
		if a, err = hr.Do(ctx, http.MethodPost, "/api/v1/employee-imports/"+sent.ID+"/run", map[string]any{}); err != nil {
			return err
		}
		if err := errors.Join(s.Agree(ctx, a), walked(ctx, hr, "/api/v1/employee-imports/"+sent.ID, "done")); err != nil {
			return err
		}
	}
	return nil
}

// together lets people leave by a file, and looks at another that is left alone.
func together(ctx context.Context, s *harness.Stack) error {
	hr := s.As(s.Staff.HR)
	content := "工号,离职类型,最后工作日\n"
	for _, no := range []string{"R-FILE-1", "R-FILE-2"} {
		content += no + ",辞职," + time.Now().AddDate(0, 0, 40).Format(time.DateOnly) + "\n"
	}
	for _, run := range []bool{true, false} {
		a, err := hr.Do(ctx, http.MethodPost, "/api/v1/departure-batches", []byte(content), "Content-Type", "text/csv")
		if err != nil {
			return err
		}
		var sent struct{ ID string }
		if err := json.Unmarshal(a.Body, &sent); err != nil || sent.ID == "" {
			return fmt.Errorf("sending a file of departures: %d %s", a.Status, a.Body)
		}
		at := "/api/v1/departure-batches/" + sent.ID
		if err := walked(ctx, hr, at, "checked"); err != nil || !run {
			return err
		}
		if a, err = hr.Do(ctx, http.MethodPost, at+"/run", map[string]any{}); err != nil {
			return err
		}
		if err := errors.Join(s.Agree(ctx, a), walked(ctx, hr, at, "done")); err != nil {
			return err
		}
	}
	return nil
}

// compared compares all systems with the facts.
func compared(ctx context.Context, s *harness.Stack) error {
	it := s.As(s.Staff.ITOps)
	a, err := it.Do(ctx, http.MethodPost, "/api/v1/reconciliations", map[string]any{})
	if err != nil {
		return err
	}
	var begun struct{ ID string }
	if err := json.Unmarshal(a.Body, &begun); err != nil || begun.ID == "" {
		return fmt.Errorf("comparing: %d %s", a.Status, a.Body)
	}
	return walked(ctx, it, "/api/v1/reconciliations/"+begun.ID, "done")
}

// walked waits for what has an address to be in a state.
func walked(ctx context.Context, by *harness.Client, at, state string) error {
	return harness.Eventually(ctx, 90*time.Second, func() error {
		a, err := by.Do(ctx, http.MethodGet, at, nil)
		if err != nil {
			return err
		}
		var file struct{ State string }
		if err := json.Unmarshal(a.Body, &file); err != nil || file.State != state {
			return fmt.Errorf("it is %q (%d), not %s", file.State, a.Status, state)
		}
		return nil
	})
}

// asleep leaves a departure before its cutoff and one in retention: the sleepers that a new
// release must not break.
func asleep(ctx context.Context, s *harness.Stack) error {
	id, err := depart(ctx, s, harness.Hire{No: "R-ASLEEP", Jurisdiction: "CN"}, immediate)
	if err != nil {
		return err
	}
	if err := until(ctx, s, id, "settled accounts", func(d harness.Departure) bool { return d.AccountsState == string(models.AccountsSettled) }); err != nil {
		return err
	}
	now, err := s.Facts.Now(ctx)
	if err != nil {
		return err
	}
	_, err = depart(ctx, s, harness.Hire{No: "R-PENDING", Jurisdiction: "CN"}, map[string]any{
		"last_working_day": now.AddDate(0, 1, 0).Format(time.DateOnly),
	})
	time.Sleep(3 * time.Second) // its workflow falls asleep
	return err
}

// write writes every workflow's history as the server has it, encrypted payloads included.
func write(ctx context.Context, s *harness.Stack, c client.Client, out string) error {
	prefixes := map[models.DrivenKind]func(string) string{
		models.DrivenDeparture: workflows.DepartureID, models.DrivenOperation: workflows.UnlinkingID,
		models.DrivenRetention: workflows.RetentionID, models.DrivenPurge: workflows.PurgeID,
		models.DrivenBatch: workflows.BatchID, models.DrivenReconciliation: workflows.ReconciliationID,
	}
	for kind, workflowID := range prefixes {
		var ids []string
		if err := s.Facts.Read(ctx).Table(kind.Table()).Order(clause.OrderByColumn{Column: clause.Column{Name: "id"}}).Pluck("id::text", &ids).Error; err != nil {
			return err
		}
		for i, id := range ids {
			var h historypb.History
			for events := c.GetWorkflowHistory(ctx, workflowID(id), "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
				e, err := events.Next()
				if err != nil {
					return err
				}
				h.Events = append(h.Events, e)
			}
			text, err := protojson.MarshalOptions{Multiline: true}.Marshal(&h)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s-%02d.json", strings.ToLower(string(kind)), i+1)
			if err := os.WriteFile(filepath.Join(out, name), append(text, '\n'), 0o644); err != nil {
				return err
			}
			fmt.Printf("%s: %d events\n", name, len(h.Events))
		}
	}
	return nil
}
