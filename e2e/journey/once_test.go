package journey

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"lethe/e2e/harness"
	"lethe/workflows"
)

const requests = 50

// I9: fifty identical requests at once with one Idempotency-Key are one departure with one workflow,
// and every one is answered with its address.
func TestI9_FiftyRequestsWithAKeyAreOneDeparture(t *testing.T) {
	j := here(t, harness.Hire{Systems: []string{"mail"}})
	ids, failures := j.askAtOnce("Idempotency-Key", "the-same-"+j.person.No)
	for i := range requests {
		if failures[i] != nil {
			t.Fatalf("request %d: %v", i, failures[i])
		}
		if ids[i] != ids[0] {
			t.Fatalf("request %d is answered with departure %s, another with %s", i, ids[i], ids[0])
		}
	}
	j.wantOne(ids[0])
}

// I9: without a key one is accepted, and every other is refused with the address of the first.
func TestI9_FiftyRequestsWithoutAKeyAreOneDeparture(t *testing.T) {
	j := here(t, harness.Hire{Systems: []string{"mail"}})
	ids, failures := j.askAtOnce()
	var first string
	for i := range requests {
		if failures[i] == nil && first != "" {
			t.Fatalf("two requests were accepted: %s and %s", first, ids[i])
		}
		if failures[i] == nil {
			first = ids[i]
		}
	}
	if first == "" {
		t.Fatalf("no request was accepted: %v", failures[0])
	}
	for _, err := range failures {
		var refused *harness.RefusedError
		if err == nil {
			continue
		}
		if !errors.As(err, &refused) || refused.Code != "departure_exists" {
			t.Errorf("answered with %v, want departure_exists", err)
		} else if refused.Problem.Location != "/api/v1/departures/"+first {
			t.Errorf("refused with the address %q, want the first one's, %s", refused.Problem.Location, first)
		}
	}
	j.wantOne(first)
}

func (j *journey) askAtOnce(headers ...string) (ids []string, failures []error) {
	ids, failures = make([]string, requests), make([]error, requests)
	var wg sync.WaitGroup
	for i := range requests {
		wg.Go(func() {
			ids[i], failures[i] = j.stack.As(j.stack.Staff.HR).Depart(j.ctx, j.person.EmployeeID.String(), immediately, headers...)
		})
	}
	wg.Wait()
	return ids, failures
}

// wantOne checks the facts and, once everything is over, Temporal's list of runs.
func (j *journey) wantOne(id string) {
	j.Helper()
	var rows int64
	if err := j.stack.Facts.Read(j.ctx).Table("departures").Where("employment_id = ?", j.person.EmploymentID).Count(&rows).Error; err != nil || rows != 1 {
		j.Fatalf("%d departures, %v, want one", rows, err)
	}
	j.untilPurged(id)
	temporal, err := j.stack.Temporal()
	if err != nil {
		j.Fatal(err)
	}
	defer temporal.Close()
	if runs := j.runs(temporal, workflows.DepartureID(id)); runs == 0 {
		j.Errorf("Temporal knows no workflow of the departure")
	}
}

// runs counts the runs of a workflow id, and checks that no two were under way at once. They may
// follow each other: a nudge that comes after the end starts the next.
func (j *journey) runs(temporal client.Client, id string) int {
	j.Helper()
	answer, err := temporal.ListWorkflow(j.ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: "WorkflowId = '" + id + "'"})
	if err != nil {
		j.Fatal(err)
	}
	executions := answer.GetExecutions()
	slices.SortFunc(executions, func(a, b *workflow.WorkflowExecutionInfo) int {
		return a.GetStartTime().AsTime().Compare(b.GetStartTime().AsTime())
	})
	for i, e := range executions {
		if e.GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_FAILED {
			j.Errorf("run %s of %s failed", e.GetExecution().GetRunId(), id)
		}
		if i+1 == len(executions) {
			break
		}
		if next := executions[i+1]; e.GetCloseTime() == nil || e.GetCloseTime().AsTime().After(next.GetStartTime().AsTime().Add(tolerance)) {
			j.Errorf("two runs of %s overlap", id)
		}
	}
	return len(executions)
}

// tolerance is how far a run's end may be noted after the start of the one that continues it.
const tolerance = 50 * time.Millisecond
