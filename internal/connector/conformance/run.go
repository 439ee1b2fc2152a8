package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/connector"
)

// Run runs the whole suite; start is called for each test and cleans up after
// itself by t.Cleanup.
func Run(t *testing.T, start func(t *testing.T) Harness) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Harness)
	}{
		{"find", testFind},
		{"find is complete over pages", testFindPages},
		{"find never matches names, addresses or patterns", testFindNothingElse},
		{"unknown account", testUnknown},
		{"disable", testDisable},
		{"revoke sessions", testRevoke},
		{"leave groups", testLeave},
		{"I12 the steps do not wait for each other", testI12Independent},
		{"I12 a form that has no effect is followed by the other", testI12IgnoredForm},
		{"I12 groups that the account does not list", testI12HiddenGroups},
		{"I14 a stranger's not-found is none", testI14Foreign},
		{"I14 a number is the same in another case", testI14Case},
		{"I30 nobody is concluded from a list of everybody, or of nobody", testI30Lists},
		{"I30 a listing is complete, or an error", testI30Listing},
		{"I30 nobody else leaves a group", testI30NobodyElse},
		{"a snapshot says what it lacks", testPartialSnapshot},
		{"detach leaves the account", testDetach},
		{"restore", testRestore},
		{"restore only gives", testRestoreOnlyGives},
		{"restore refuses foreign snapshots", testRestoreForeign},
		{"I14 one effect when the answer was lost", testI14AnswerLost},
		{"I14 nothing is sent twice behind the fence", testI14NoSilentRepeat},
		{"timeout", testTimeout},
		{"error statuses", testStatuses},
		{"errors quote nobody", testErrorsQuoteNobody},
		{"lie", testLie},
		{"accepted and done later", testAcceptLater},
		{"residue", testResidue},
		{"reenabled by hand", testReenabled},
		{"I13 fence", testI13Fence},
		{"idempotency key", testIdempotencyKey},
		{"cancellation", testCancellation},
		{"health", testHealth},
		{"repetition is harmless", testRepetition},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := start(t)
			c.test(t, h)
			if n := h.Deletions(t); n != 0 {
				t.Errorf("accounts were deleted %d times; unlinking never deletes", n)
			}
		})
	}
}

var leaver = Account{
	EmployeeNo: "E-1001", UserName: "wang.fang", Email: "wang.fang@example.test",
	Groups: []string{"all-staff", "payroll"}, Sessions: 2, Tokens: 3,
}

// gone is the leaver's account when everything was taken away.
func gone(a Account) Account {
	a.Inactive, a.Groups, a.Sessions, a.Tokens = true, nil, 0, 0
	return a
}

// takeAway does everything that an unlinking does.
func takeAway(t *testing.T, h Harness, id string) {
	t.Helper()
	for _, call := range []func(context.Context, string) (connector.Result, error){
		h.Connector.Disable, h.Connector.RevokeSessions, h.Connector.LeaveGroups,
	} {
		if _, err := call(ctxOf(t), id); err != nil {
			t.Fatal(err)
		}
	}
}

func ctxOf(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func wantOutcome(t T, r connector.Result, err error, want connector.Outcome) {
	t.Helper()
	if err != nil || r.Outcome != want {
		t.Fatalf("got %q, %v; want %q", r.Outcome, err, want)
	}
	if (r.CheckAfter > 0) != (want == connector.Accepted) {
		t.Fatalf("check after %v with outcome %q", r.CheckAfter, want)
	}
}

func wantCode(t T, err error, want connector.Code, temporary bool) *connector.Error {
	t.Helper()
	var e *connector.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an error of the port with code %q", err, want)
	}
	if e.Code != want || e.Temporary != temporary {
		t.Fatalf("got code %q, temporary %t; want %q, %t", e.Code, e.Temporary, want, temporary)
	}
	return e
}

func wantActual(t T, h Harness, id string, want Account) {
	t.Helper()
	got, ok := h.Actual(t, id)
	if !ok {
		t.Fatalf("the account is gone")
	}
	got.UserName, want.UserName = "", ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("account as it really is (-want +got):\n%s", diff)
	}
}

// changes counts the effects of a kind that changed something.
func changes(t T, h Harness, id string, kind Op) int {
	n := 0
	for _, e := range h.Effects(t, id) {
		if e.Kind == kind && e.Changed {
			n++
		}
	}
	return n
}

func testFind(t *testing.T, h Harness) {
	id := h.Plant(t, leaver)
	h.Plant(t, Account{EmployeeNo: "E-10010"})
	h.Plant(t, Account{EmployeeNo: "e-1001x"})
	got, err := h.Connector.Find(ctxOf(t), leaver.EmployeeNo)
	if err != nil || !slices.Equal(got, []string{id}) {
		t.Fatalf("got %v, %v; want %v", got, err, []string{id})
	}
	got, err = h.Connector.Find(ctxOf(t), "E-9999")
	if err != nil || len(got) != 0 {
		t.Fatalf("number without account: got %v, %v", got, err)
	}
	if _, err := h.Connector.Find(ctxOf(t), ""); err == nil {
		t.Fatal("an empty number found something")
	}
	h.Fault(t, Fault{Kind: Status, On: Lookup, Meaning: connector.CodeUnavailable})
	if got, err = h.Connector.Find(ctxOf(t), leaver.EmployeeNo); err == nil {
		t.Fatalf("a failed lookup answered %v", got)
	}
}

func testFindPages(t *testing.T, h Harness) {
	var want []string
	for range 2*h.PageSize + 1 {
		want = append(want, h.Plant(t, Account{EmployeeNo: leaver.EmployeeNo}))
	}
	slices.Sort(want)
	got, err := h.Connector.Find(ctxOf(t), leaver.EmployeeNo)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("ids (-want +got):\n%s", diff)
	}
	h.Fault(t, Fault{Kind: CutList, On: Lookup})
	got, err = h.Connector.Find(ctxOf(t), leaver.EmployeeNo)
	if connector.CodeOf(err) != connector.CodeIncompleteList {
		t.Fatalf("a list that was cut: got %v, %v", got, err)
	}
}

func testFindNothingElse(t *testing.T, h Harness) {
	h.Plant(t, Account{EmployeeNo: "E-2", UserName: "E-3", Email: "E-3"})
	for _, number := range []string{
		"E-3", "E-2*", "*", "E-2\" or userName pr or \"", `E-2\`, "E-2)(uid=*", "e-%2d2", "(", "\x00", "工号",
	} {
		got, err := h.Connector.Find(ctxOf(t), number)
		if err != nil || len(got) != 0 {
			t.Fatalf("number %q: got %v, %v", number, got, err)
		}
	}
	if got, err := h.Connector.Find(ctxOf(t), "E-2 "); connector.CodeOf(err) != connector.CodeAmbiguous {
		t.Fatalf("a number that somebody's resembles: got %v, %v", got, err)
	}
	odd := `E "2" \ (测试) *`
	id := h.Plant(t, Account{EmployeeNo: odd})
	got, err := h.Connector.Find(ctxOf(t), odd)
	if err != nil || !slices.Equal(got, []string{id}) {
		t.Fatalf("an odd number: got %v, %v", got, err)
	}
}

func testUnknown(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	snapshot, err := c.Snapshot(ctx, id, true)
	if err != nil {
		t.Fatal(err)
	}
	check := func(id string) {
		t.Helper()
		_, err := c.ReadBack(ctx, id)
		_, err2 := c.Residue(ctx, id)
		_, err3 := c.Snapshot(ctx, id, true)
		for _, err := range []error{err, err2, err3} {
			if !errors.Is(err, connector.ErrNotFound) {
				t.Fatalf("got %v, want not found", err)
			}
		}
		r, err := c.Disable(ctx, id)
		wantOutcome(t, r, err, connector.NotFound)
		r, err = c.RevokeSessions(ctx, id)
		wantOutcome(t, r, err, connector.NotFound)
		r, err = c.LeaveGroups(ctx, id)
		wantOutcome(t, r, err, connector.NotFound)
	}
	for _, id := range []string{"no-such-account", "", "..", "a/b", "?", "x?y#z"} {
		check(id)
	}
	h.Plant(t, Account{EmployeeNo: "E-2"})
	h.Fault(t, Fault{Kind: Forget, Account: id})
	check(id)
	r, err := c.Restore(ctx, id, snapshot.State)
	wantOutcome(t, r, err, connector.NotFound)
	if got, err := c.Find(ctx, leaver.EmployeeNo); err != nil || len(got) != 0 {
		t.Fatalf("got %v, %v; want an empty lookup", got, err)
	}
	wantActual(t, h, id, leaver)
}

func testDisable(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	other := h.Plant(t, Account{EmployeeNo: "E-2", Groups: []string{"all-staff"}})
	s, err := c.ReadBack(ctx, id)
	if err != nil || s != (connector.State{Exists: true, Active: true, EmployeeNo: leaver.EmployeeNo}) {
		t.Fatalf("before: got %+v, %v", s, err)
	}
	r, err := c.Disable(ctx, id)
	wantOutcome(t, r, err, connector.Confirmed)
	s, err = c.ReadBack(ctx, id)
	if err != nil || s != (connector.State{Exists: true, EmployeeNo: leaver.EmployeeNo}) {
		t.Fatalf("after: got %+v, %v", s, err)
	}
	r, err = c.RevokeSessions(ctx, id)
	wantOutcome(t, r, err, connector.Confirmed)
	r, err = c.LeaveGroups(ctx, id)
	wantOutcome(t, r, err, connector.Confirmed)
	wantActual(t, h, id, gone(leaver))
	if left, err := c.Residue(ctx, id); err != nil || len(left) != 0 {
		t.Fatalf("a normal unlinking left %v, %v", left, err)
	}
	r, err = c.Disable(ctx, id)
	wantOutcome(t, r, err, connector.AlreadyDone)
	if n := changes(t, h, id, Disable); n != 1 {
		t.Fatalf("disabled %d times", n)
	}
	wantActual(t, h, other, Account{EmployeeNo: "E-2", Groups: []string{"all-staff"}})
}

func testRevoke(t *testing.T, h Harness) {
	ctx := ctxOf(t)
	id := h.Plant(t, leaver)
	for range 2 {
		r, err := h.Connector.RevokeSessions(ctx, id)
		wantOutcome(t, r, err, connector.Confirmed)
	}
	want := leaver
	want.Sessions, want.Tokens = 0, 0
	wantActual(t, h, id, want)
}

func testDetach(t *testing.T, h Harness) {
	id := h.Plant(t, leaver)
	for range 2 {
		if _, err := h.Connector.Detach(ctxOf(t), id); err != nil {
			t.Fatal(err)
		}
	}
	wantActual(t, h, id, leaver)
}

func testErrorsQuoteNobody(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	var errs []error
	for _, code := range []connector.Code{connector.CodeUnauthorized, connector.CodeUnavailable, connector.CodeConflict} {
		h.Fault(t, Fault{Kind: Status, Meaning: code})
		_, err := c.Find(ctx, leaver.EmployeeNo)
		_, err2 := c.ReadBack(ctx, id)
		_, err3 := c.Disable(ctx, id)
		errs = append(errs, err, err2, err3)
	}
	h.Fault(t, Fault{Kind: CutBefore})
	_, err := c.Find(ctx, leaver.EmployeeNo)
	_, err2 := c.Disable(ctx, id)
	for _, err := range append(errs, err, err2) {
		if err == nil {
			t.Fatal("a fault went unnoticed")
		}
		for _, secret := range []string{leaver.EmployeeNo, leaver.UserName, id, "127.0.0.1", "fault"} {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
				t.Errorf("error %q quotes %q", err, secret)
			}
		}
	}
}

func testHealth(t *testing.T, h Harness) {
	ctx := ctxOf(t)
	if err := h.Connector.Health(ctx); err != nil {
		t.Fatal(err)
	}
	h.Fault(t, Fault{Kind: Status, On: Check, Meaning: connector.CodeUnauthorized})
	wantCode(t, h.Connector.Health(ctx), connector.CodeUnauthorized, false)
	h.Fault(t, Fault{Kind: Status, On: Check, Meaning: connector.CodeUnavailable})
	wantCode(t, h.Connector.Health(ctx), connector.CodeUnavailable, true)
	h.Fault(t, Fault{Kind: Slow, On: Check})
	wantCode(t, h.Impatient.Health(ctx), connector.CodeTimeout, true)
}
