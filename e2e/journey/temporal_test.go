package journey

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"lethe/e2e/harness"
	"lethe/sandbox/control"
	"lethe/workflows"
)

// IT operations find in Temporal UI what is stuck, where and why, by the queries of docs/operations.md, and no
// longer once it is solved. I24: the values are names of systems and codes.
func TestI24_WhatIsStuckIsFoundInTemporal(t *testing.T) {
	j := here(t, harness.Hire{KnownIDs: true})
	j.fault("finance", control.Rule{Kind: control.Status, Status: 403, Match: control.Match{Operation: control.OpDisable}})
	id := j.depart(immediately)
	d := j.until(id, 60*time.Second, "people are asked", func(d harness.Departure) bool { return d.AccountsState == "needs_attention" && len(d.Waiting) > 0 })
	mine := " AND LetheDepartureId='" + id + "'"
	finds := map[string]int{
		`LetheState="stuck" AND LetheSystem="finance"`:                                    1,
		`LetheState="stuck" AND LetheReason="unauthorized"`:                               1,
		`LetheState="stuck" AND LetheSystem="mail"`:                                       0,
		`LetheState="stuck" AND WorkflowType="` + workflows.TypeDeparture + `"`:           1,
		`LetheState="running" AND WorkflowType="` + workflows.TypeUnlinking + `"`:         0,
		`LetheSystem IN ("finance", "mail") AND LetheReason IN ("unauthorized", "other")`: 1,
	}
	for query, want := range finds {
		j.wantFound(query+mine, want)
	}
	i := slices.IndexFunc(d.Waiting, func(w harness.Waiting) bool { return w.SupportCaseID != "" })
	j.calm("finance")
	if err := j.stack.As(j.stack.Staff.ITOps).Resolve(j.ctx, d.Waiting[i].SupportCaseID, "retry"); err != nil {
		t.Fatal(err)
	}
	j.until(id, 40*time.Second, "settled", func(d harness.Departure) bool { return d.AccountsState == "settled" })
	j.wantFound(`LetheState="stuck"`+mine, 0)
	j.wantFound(`LetheSystem="finance"`+mine, 0)
}

// wantFound waits until a query finds so many workflows: Temporal's list follows a moment behind.
func (j *journey) wantFound(query string, want int) {
	j.Helper()
	temporal, err := j.stack.Temporal()
	if err != nil {
		j.Fatal(err)
	}
	defer temporal.Close()
	err = harness.Eventually(j.ctx, 15*time.Second, func() error {
		answer, err := temporal.ListWorkflow(j.ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		if err != nil {
			return err
		}
		if found := answer.GetExecutions(); len(found) != want {
			return fmt.Errorf("%d workflows, want %d", len(found), want)
		}
		for _, e := range answer.GetExecutions() {
			for _, name := range []string{workflows.AttributeSystem.GetName(), workflows.AttributeReason.GetName()} {
				var values []string
				field, there := e.GetSearchAttributes().GetIndexedFields()[name]
				if !there {
					continue
				}
				if err := converter.GetDefaultDataConverter().FromPayload(field, &values); err != nil {
					return harness.Final(err)
				}
				if !slices.Equal(values, []string{"finance"}) && !slices.Equal(values, []string{"unauthorized"}) {
					return harness.Final(fmt.Errorf("%s is %v", name, values))
				}
			}
		}
		return nil
	})
	if err != nil {
		j.Errorf("%s: %v", query, err)
	}
}
