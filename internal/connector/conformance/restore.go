package conformance

import (
	"testing"

	"pgregory.net/rapid"

	"lethe/internal/connector"
)

func testRestore(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	snapshot, err := c.Snapshot(ctx, id, true)
	if err != nil {
		t.Fatal(err)
	}
	takeAway(t, h, id)
	r, err := c.Restore(ctx, id, snapshot.State)
	wantOutcome(t, r, err, connector.Confirmed)
	back := leaver
	back.Sessions, back.Tokens = 0, 0 // people sign in anew
	wantActual(t, h, id, back)
	r, err = c.Restore(ctx, id, snapshot.State)
	wantOutcome(t, r, err, connector.AlreadyDone)
	if n := changes(t, h, id, Enable); n != 1 {
		t.Fatalf("enabled %d times", n)
	}
}

func testRestoreOnlyGives(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	was := Account{EmployeeNo: "E-7", Inactive: true, Groups: []string{"old"}}
	id := h.Plant(t, was)
	snapshot, err := c.Snapshot(ctx, id, false)
	if err != nil {
		t.Fatal(err)
	}
	takeAway(t, h, id)
	if _, err := c.Restore(ctx, id, snapshot.State); err != nil {
		t.Fatal(err)
	}
	wantActual(t, h, id, was) // it was disabled before us: we don't open it
	h.Reenable(t, id)
	if _, err := c.Restore(ctx, id, snapshot.State); err != nil {
		t.Fatal(err)
	}
	was.Inactive = false
	wantActual(t, h, id, was) // somebody opened it since: we don't close it
}

func testRestoreForeign(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	id := h.Plant(t, leaver)
	other := h.Plant(t, Account{EmployeeNo: "E-2", Groups: []string{"directors"}})
	foreign, err := c.Snapshot(ctx, other, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range [][]byte{foreign.State, nil, []byte("{}"), []byte("\x00"), foreign.State[:len(foreign.State)/2]} {
		_, err := c.Restore(ctx, id, state)
		wantCode(t, err, connector.CodeBadSnapshot, false)
	}
	wantActual(t, h, id, leaver)
}

// testRepetition checks, for random sequences of calls, that repeating any of them
// any number of times, with answers lost and connections cut in between, ends in
// the state that one undisturbed call ends in.
func testRepetition(t *testing.T, h Harness) {
	ctx, c := ctxOf(t), h.Connector
	rapid.Check(t, func(rt *rapid.T) {
		want := Account{
			EmployeeNo: rapid.StringMatching(`R-[0-9]{9}`).Draw(rt, "number"),
			Inactive:   rapid.Bool().Draw(rt, "inactive"),
			Sessions:   rapid.IntRange(0, 2).Draw(rt, "sessions"),
		}
		if rapid.Bool().Draw(rt, "in a group") {
			want.Groups = []string{"all-staff"}
		}
		before := want
		h.Clear(rt)
		id := h.Plant(rt, want)
		snapshot, err := c.Snapshot(ctx, id, !before.Inactive)
		if err != nil {
			rt.Fatalf("snapshot: %v", err)
		}
		for range rapid.IntRange(1, 6).Draw(rt, "calls") {
			var call func() error
			name := rapid.SampledFrom([]string{"disable", "revoke", "leave", "restore", "detach", "read"}).Draw(rt, "call")
			switch name {
			case "disable":
				call = func() error { _, err := c.Disable(ctx, id); return err }
				want.Inactive = true
			case "leave":
				call = func() error { _, err := c.LeaveGroups(ctx, id); return err }
				want.Groups = nil
			case "revoke":
				call = func() error { _, err := c.RevokeSessions(ctx, id); return err }
				want.Sessions = 0
			case "restore":
				call = func() error { _, err := c.Restore(ctx, id, snapshot.State); return err }
				want.Groups = before.Groups
				want.Inactive = want.Inactive && before.Inactive
			case "detach":
				call = func() error { _, err := c.Detach(ctx, id); return err }
			case "read":
				call = func() error { _, err := c.ReadBack(ctx, id); return err }
			}
			h.Fault(rt, Fault{
				Kind:    rapid.SampledFrom([]FaultKind{CutBefore, CutAfter, Status, Lie}).Draw(rt, "fault"),
				Meaning: connector.CodeUnavailable, On: AnyEffect, Count: rapid.IntRange(1, 2).Draw(rt, "count"),
			})
			for range rapid.IntRange(0, 2).Draw(rt, "disturbed") {
				_ = call() // whatever it came to
			}
			h.Clear(rt)
			for range rapid.IntRange(1, 3).Draw(rt, "undisturbed") {
				if err := call(); err != nil {
					rt.Fatalf("%s: %v", name, err)
				}
			}
			wantActual(rt, h, id, want)
		}
	})
}
