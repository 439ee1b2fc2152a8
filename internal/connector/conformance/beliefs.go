package conformance

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/connector"
)

// The tests of this file are about what a connector believes: a system that says less,
// more or something else than it should must not make an account look gone or off, and
// no call may reach anybody but the person.

func testLeave(t *testing.T, h Harness) {
	ctx := ctxOf(t)
	id := h.Plant(t, leaver)
	want := leaver
	want.Groups = nil
	r, err := h.Connector.LeaveGroups(ctx, id)
	wantOutcome(t, r, err, connector.Confirmed)
	wantActual(t, h, id, want) // and is as active as before
	r, err = h.Connector.LeaveGroups(ctx, id)
	wantOutcome(t, r, err, connector.AlreadyDone)
}

// A step that fails keeps no other from what it can do: least of all a group that the
// system keeps for itself.
func testI12Independent(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	steps := map[Op]func(context.Context, string) (connector.Result, error){
		Disable: c.Disable, Revoke: c.RevokeSessions, LeaveGroup: c.LeaveGroups,
	}
	for on, failing := range steps {
		id := h.Plant(t, leaver)
		h.Fault(t, Fault{Kind: Status, On: on, Meaning: connector.CodeUnauthorized})
		_, err := failing(ctx, id)
		wantCode(t, err, connector.CodeUnauthorized, false)
		for other, call := range steps {
			if r, err := call(ctx, id); other != on && (err != nil || r.Outcome != connector.Confirmed) {
				t.Errorf("%s while %s fails: got %+v, %v", other, on, r, err)
			}
		}
	}
	h.Clear(t)
	id := h.Plant(t, leaver)
	h.Fault(t, Fault{Kind: RefuseGroup, Group: leaver.Groups[0]})
	if _, err := c.LeaveGroups(ctx, id); err == nil {
		t.Error("a group that refused was not reported")
	}
	want := leaver
	want.Groups = leaver.Groups[:1]
	wantActual(t, h, id, want)
	left, err := c.Residue(ctx, id)
	if err != nil || !slices.Contains(left, connector.Residue{Kind: connector.ResidueGroups, Count: 1}) {
		t.Errorf("residue %v, %v; want one group", left, err)
	}
}

func testI12IgnoredForm(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	h.Fault(t, Fault{Kind: IgnoreForm, On: Disable})
	r, err := c.Disable(ctx, id)
	wantOutcome(t, r, err, connector.Confirmed)
	want := leaver
	want.Inactive = true
	wantActual(t, h, id, want)
}

func testI12HiddenGroups(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	h.Plant(t, Account{EmployeeNo: "E-2", Groups: []string{"board"}})
	h.Fault(t, Fault{Kind: HideGroups})
	left, err := c.Residue(ctx, id)
	if err != nil || !slices.Contains(left, connector.Residue{Kind: connector.ResidueGroups, Count: len(leaver.Groups)}) {
		t.Fatalf("residue %v, %v; want %d groups", left, err, len(leaver.Groups))
	}
	snapshot, err := c.Snapshot(ctx, id, true)
	if err != nil {
		t.Fatal(err)
	}
	takeAway(t, h, id)
	wantActual(t, h, id, gone(leaver))
	if _, err := c.Restore(ctx, id, snapshot.State); err != nil {
		t.Fatal(err)
	}
	back := leaver
	back.Sessions, back.Tokens = 0, 0
	wantActual(t, h, id, back)
}

func testI14Foreign(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	h.Fault(t, Fault{Kind: Foreign})
	_, err := c.ReadBack(ctx, id)
	wantCode(t, err, connector.CodeBadAnswer, true)
	_, err = c.Residue(ctx, id)
	wantCode(t, err, connector.CodeBadAnswer, true)
	_, err = c.Snapshot(ctx, id, true)
	wantCode(t, err, connector.CodeBadAnswer, true)
	if got, err := c.Find(ctx, leaver.EmployeeNo); err == nil {
		t.Errorf("a stranger's list: %v", got)
	}
	for _, call := range []func(context.Context, string) (connector.Result, error){c.Disable, c.RevokeSessions, c.LeaveGroups} {
		if r, err := call(ctx, id); err == nil {
			t.Errorf("a stranger's word was taken for %q", r.Outcome)
		}
	}
	// Only the change meets the stranger; the account can be read.
	h.Fault(t, Fault{Kind: Foreign, On: Disable})
	if r, err := c.Disable(ctx, id); err == nil {
		t.Errorf("a stranger's word was taken for %q", r.Outcome)
	}
	// The system's own word has to be said twice.
	h.Fault(t, Fault{Kind: Forget, Account: id, On: Read, Count: 1})
	if s, err := c.ReadBack(ctx, id); err != nil || !s.Active {
		t.Errorf("gone for a moment: got %+v, %v", s, err)
	}
}

func testI14Case(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, Account{EmployeeNo: "demo-0050"})
	for range 2 * h.PageSize { // so many that nobody reads them all for fun
		h.Plant(t, Account{EmployeeNo: "Demo-0051"})
	}
	for _, kind := range []FaultKind{ExactSearch, ""} {
		h.Clear(t)
		if kind != "" {
			h.Fault(t, Fault{Kind: kind, On: Lookup})
		}
		got, err := c.Find(ctx, "DEMO-0050")
		if diff := cmp.Diff([]string{id}, got); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", kind, err, diff)
		}
		got, err = c.Find(ctx, "DEMO-0052")
		if err != nil || len(got) != 0 {
			t.Errorf("%q: a number that nobody has: %v, %v", kind, got, err)
		}
	}
	if s, err := c.ReadBack(ctx, id); err != nil || !connector.SameNumber(s.EmployeeNo, "DEMO-0050") {
		t.Errorf("read back %+v, %v", s, err)
	}
}

func testI30Lists(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	for range 2*h.PageSize + 1 {
		h.Plant(t, Account{EmployeeNo: "E-2"})
	}
	h.Plant(t, Account{}) // somebody without a number
	h.Fault(t, Fault{Kind: IgnoreSearch})
	got, err := c.Find(ctx, leaver.EmployeeNo)
	if diff := cmp.Diff([]string{id}, got); err != nil || diff != "" {
		t.Fatalf("a search that finds everybody: %v (-want +got):\n%s", err, diff)
	}
	if got, err = c.Find(ctx, "E-3"); err != nil || len(got) != 0 {
		t.Fatalf("nobody in a list of everybody: %v, %v", got, err)
	}
	left, err := c.Residue(ctx, id)
	if err != nil || !slices.Contains(left, connector.Residue{Kind: connector.ResidueGroups, Count: len(leaver.Groups)}) {
		t.Fatalf("residue where every group is listed: %v, %v", left, err)
	}
	for _, lost := range []string{leaver.EmployeeNo, "E-3"} {
		h.Fault(t, Fault{Kind: EmptySearch})
		if got, err := c.Find(ctx, lost); connector.CodeOf(err) != connector.CodeIncompleteList {
			t.Fatalf("a system that lists nobody: %v, %v", got, err)
		}
	}
}

func testI30NobodyElse(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	other := Account{EmployeeNo: "E-2", Groups: leaver.Groups}
	stays := h.Plant(t, other)
	h.Fault(t, Fault{Kind: RefuseForm, On: LeaveGroup})
	for range 2 {
		if r, err := c.LeaveGroups(ctx, id); err == nil && r.Outcome != connector.Confirmed {
			t.Errorf("got %+v", r)
		}
		wantActual(t, h, stays, other)
	}
	h.Clear(t)
	takeAway(t, h, id)
	wantActual(t, h, id, gone(leaver))
	wantActual(t, h, stays, other)
}

func testPartialSnapshot(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	h.Plant(t, Account{EmployeeNo: "E-2", Groups: []string{"board"}})
	h.Fault(t, Fault{Kind: Status, On: Groups, Meaning: connector.CodeUnavailable})
	part, err := c.Snapshot(ctx, id, true)
	if err != nil || !slices.Equal(part.Lacks, []string{connector.ResidueGroups}) {
		t.Fatalf("lacks %v, %v", part.Lacks, err)
	}
	if _, err := c.Disable(ctx, id); err != nil {
		t.Fatalf("the groups could not be read, and the account stayed open: %v", err)
	}
	h.Clear(t)
	whole, err := c.Snapshot(ctx, id, true)
	if err != nil || len(whole.Lacks) > 0 {
		t.Fatalf("lacks %v, %v", whole.Lacks, err)
	}
	takeAway(t, h, id)
	if _, err := c.Restore(ctx, id, whole.State); err != nil {
		t.Fatal(err)
	}
	back := leaver
	back.Sessions, back.Tokens = 0, 0
	wantActual(t, h, id, back) // active as it was, though it was taken of an account that was off
}
