package conformance

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/connector"
)

func testI14AnswerLost(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	snapshot, err := c.Snapshot(ctx, id, true)
	if err != nil {
		t.Fatal(err)
	}
	h.Fault(t, Fault{Kind: CutAfter, On: Disable, Count: 1})
	_, err = c.Disable(ctx, id)
	wantCode(t, err, connector.CodeConnectionCut, true)
	if s, err := c.ReadBack(ctx, id); err != nil || s.Active {
		t.Fatalf("reading back resolves a lost answer: got %+v, %v", s, err)
	}
	if _, err := c.Disable(ctx, id); err != nil {
		t.Fatal(err)
	}
	h.Fault(t, Fault{Kind: CutAfter, On: Revoke, Count: 1})
	_, err = c.RevokeSessions(ctx, id)
	wantCode(t, err, connector.CodeConnectionCut, true)
	if _, err = c.RevokeSessions(ctx, id); err != nil {
		t.Fatal(err)
	}
	h.Fault(t, Fault{Kind: CutAfter, On: LeaveGroup, Count: 1})
	_, err = c.LeaveGroups(ctx, id)
	wantCode(t, err, connector.CodeConnectionCut, true)
	if _, err = c.LeaveGroups(ctx, id); err != nil {
		t.Fatal(err)
	}
	wantActual(t, h, id, gone(leaver))
	h.Fault(t, Fault{Kind: CutAfter, On: Enable, Count: 1})
	_, err = c.Restore(ctx, id, snapshot.State)
	wantCode(t, err, connector.CodeConnectionCut, true)
	if _, err = c.Restore(ctx, id, snapshot.State); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[Op]int{Disable: 1, Revoke: 1, Enable: 1, LeaveGroup: len(leaver.Groups), JoinGroup: len(leaver.Groups)} {
		if n := changes(t, h, id, kind); n != want {
			t.Errorf("%s had %d effects, want %d", kind, n, want)
		}
	}
}

// learn lets the connector find out how this system wants to be spoken to, so that
// calls can be counted afterwards.
func learn(t *testing.T, h Harness) {
	t.Helper()
	id := h.Plant(t, Account{EmployeeNo: "E-0", Groups: []string{"learning"}})
	takeAway(t, h, id)
}

// A client library may repeat a request by itself when a kept connection is cut.
// Such a repetition asks no fence and could undo a relink.
func testI14NoSilentRepeat(t *testing.T, h Harness) {
	ctx, c := connector.WithIdempotencyKey(ctxOf(t), "operation/system/step"), h.Connector
	id := h.Plant(t, leaver)
	learn(t, h)
	asked := 0
	fenced := connector.WithFence(ctx, func(context.Context) error { asked++; return nil })
	for _, step := range []struct {
		on   Op
		call func(context.Context) error
	}{
		{Disable, func(ctx context.Context) error { _, err := c.Disable(ctx, id); return err }},
		{Revoke, func(ctx context.Context) error { _, err := c.RevokeSessions(ctx, id); return err }},
	} {
		h.Fault(t, Fault{Kind: CutBefore, On: step.on})
		if _, err := c.ReadBack(ctx, id); err != nil { // there is a kept connection now
			t.Fatal(err)
		}
		before := h.Requests(t, step.on)
		asked = 0
		wantCode(t, step.call(fenced), connector.CodeConnectionCut, true)
		if sent := h.Requests(t, step.on) - before; sent != asked || sent != 1 {
			t.Errorf("%s was sent %d times, the fence was asked %d times; want one each", step.on, sent, asked)
		}
	}
	wantActual(t, h, id, leaver)
}

func testTimeout(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	h.Fault(t, Fault{Kind: Slow, On: Disable})
	started := time.Now()
	_, err := h.Impatient.Disable(ctx, id)
	wantCode(t, err, connector.CodeTimeout, true)
	if waited := time.Since(started); waited > 10*time.Second {
		t.Errorf("waited %v for one call", waited)
	}
	h.Fault(t, Fault{Kind: Slow, On: Lookup})
	_, err = h.Impatient.Find(ctx, leaver.EmployeeNo)
	wantCode(t, err, connector.CodeTimeout, true)
	h.Clear(t)
	if _, err := c.Disable(ctx, id); err != nil {
		t.Fatal(err)
	}
	if n := changes(t, h, id, Disable); n != 1 {
		t.Errorf("disabled %d times", n)
	}
}

func testStatuses(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	snapshot, err := c.Snapshot(ctx, id, true)
	if err != nil {
		t.Fatal(err)
	}
	for code, temporary := range map[connector.Code]bool{
		connector.CodeUnauthorized: false, connector.CodeRateLimited: true,
		connector.CodeUnavailable: true, connector.CodeConflict: true,
	} {
		h.Fault(t, Fault{Kind: Status, Meaning: code, RetryAfter: 7 * time.Second})
		_, err := c.Disable(ctx, id)
		wantCode(t, err, code, temporary)
		_, err = c.ReadBack(ctx, id)
		wantCode(t, err, code, temporary)
		_, err = c.Find(ctx, leaver.EmployeeNo)
		wantCode(t, err, code, temporary)
		h.Fault(t, Fault{Kind: Status, On: AnyEffect, Meaning: code, RetryAfter: 7 * time.Second})
		_, err = c.RevokeSessions(ctx, id)
		if e := wantCode(t, err, code, temporary); code == connector.CodeRateLimited && e.RetryAfter != 7*time.Second {
			t.Errorf("retry after %v, want 7s", e.RetryAfter)
		}
		_, err = c.Disable(ctx, id)
		wantCode(t, err, code, temporary)
	}
	wantActual(t, h, id, leaver)
	h.Clear(t)
	if _, err := c.Disable(ctx, id); err != nil {
		t.Fatal(err)
	}
	h.Fault(t, Fault{Kind: Status, On: Enable, Meaning: connector.CodeConflict})
	_, err = c.Restore(ctx, id, snapshot.State)
	wantCode(t, err, connector.CodeConflict, true)
	h.Clear(t)
	r, err := c.Restore(ctx, id, snapshot.State)
	wantOutcome(t, r, err, connector.Confirmed)
}

func testLie(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	h.Fault(t, Fault{Kind: Lie, On: AnyEffect})
	r, err := c.Disable(ctx, id)
	wantOutcome(t, r, err, connector.Confirmed)
	if s, err := c.ReadBack(ctx, id); err != nil || !s.Active {
		t.Fatalf("reading back did not uncover the lie: %+v, %v", s, err)
	}
	left, err := c.Residue(ctx, id)
	if err != nil || len(left) == 0 {
		t.Fatalf("residue did not uncover the lie: %v, %v", left, err)
	}
	h.Clear(t)
	r, err = c.Disable(ctx, id)
	wantOutcome(t, r, err, connector.Confirmed)
}

func testAcceptLater(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	h.Fault(t, Fault{Kind: AcceptLater, On: AnyEffect})
	r, err := c.Disable(ctx, id)
	wantOutcome(t, r, err, connector.Accepted)
	r, err = c.RevokeSessions(ctx, id)
	wantOutcome(t, r, err, connector.Accepted)
	if s, err := c.ReadBack(ctx, id); err != nil || !s.Active {
		t.Fatalf("not done yet: got %+v, %v", s, err)
	}
	r, err = c.LeaveGroups(ctx, id)
	wantOutcome(t, r, err, connector.Accepted)
	h.Settle(t)
	wantActual(t, h, id, gone(leaver))
	r, err = c.Disable(ctx, id)
	wantOutcome(t, r, err, connector.AlreadyDone)
	r, err = c.LeaveGroups(ctx, id)
	wantOutcome(t, r, err, connector.AlreadyDone)
}

func testResidue(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	h.Fault(t, Fault{Kind: LeaveResidue})
	takeAway(t, h, id)
	want := []connector.Residue{
		{Kind: connector.ResidueGroups, Count: 2}, {Kind: connector.ResidueSessions, Count: 1},
	}
	got, err := c.Residue(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("residue (-want +got):\n%s", diff)
	}
	h.Clear(t)
	r, err := c.LeaveGroups(ctx, id)
	wantOutcome(t, r, err, connector.Confirmed) // the account was off, its groups were left
	if _, err := c.RevokeSessions(ctx, id); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Residue(ctx, id); err != nil || len(got) != 0 {
		t.Fatalf("the second try left %v, %v", got, err)
	}
}

func testReenabled(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	if _, err := c.Disable(ctx, id); err != nil {
		t.Fatal(err)
	}
	h.Reenable(t, id)
	if s, err := c.ReadBack(ctx, id); err != nil || !s.Active {
		t.Fatalf("got %+v, %v; want active", s, err)
	}
	r, err := c.Disable(ctx, id)
	wantOutcome(t, r, err, connector.Confirmed)
}

func testI13Fence(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	snapshot, err := c.Snapshot(ctx, id, true)
	if err != nil {
		t.Fatal(err)
	}
	stale := errors.New("a stale attempt")
	closed := connector.WithFence(ctx, func(context.Context) error { return stale })
	if _, err := c.Disable(closed, id); !errors.Is(err, stale) {
		t.Fatalf("got %v, want the fence's error", err)
	}
	if _, err := c.RevokeSessions(closed, id); !errors.Is(err, stale) {
		t.Fatalf("got %v, want the fence's error", err)
	}
	if _, err := c.LeaveGroups(closed, id); !errors.Is(err, stale) {
		t.Fatalf("got %v, want the fence's error", err)
	}
	wantActual(t, h, id, leaver)
	learn(t, h)
	asked := 0
	once := connector.WithFence(ctx, func(context.Context) error {
		if asked++; asked > 1 {
			return stale
		}
		return nil
	})
	if _, err := c.LeaveGroups(once, id); !errors.Is(err, stale) {
		t.Fatalf("an attempt that became stale on the way went on: %v", err)
	}
	if n := len(h.Effects(t, id)); n != 1 {
		t.Fatalf("%d effects behind a fence that let one pass", n)
	}
	if _, err := c.Disable(ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Restore(closed, id, snapshot.State); !errors.Is(err, stale) {
		t.Fatalf("got %v, want the fence's error", err)
	}
}

func testIdempotencyKey(t *testing.T, h Harness) {
	ctx := connector.WithIdempotencyKey(ctxOf(t), "op-1/mail/disable")
	id := h.Plant(t, leaver)
	if _, err := h.Connector.Disable(ctx, id); err != nil {
		t.Fatal(err)
	}
	effects := h.Effects(t, id)
	if len(effects) == 0 {
		t.Fatal("no effects")
	}
	for _, e := range effects {
		if e.Key != "op-1/mail/disable" {
			t.Errorf("%s came with key %q", e.Kind, e.Key)
		}
	}
}

func testCancellation(t *testing.T, h Harness) {
	id := h.Plant(t, leaver)
	ctx, cancel := context.WithCancel(ctxOf(t))
	h.Fault(t, Fault{Kind: Slow, On: Disable})
	fenced := connector.WithFence(ctx, func(context.Context) error { cancel(); return nil })
	if _, err := h.Connector.Disable(fenced, id); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the cancellation", err)
	}
	wantActual(t, h, id, leaver)
}
