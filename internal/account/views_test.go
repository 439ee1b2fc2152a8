package account

import (
	"testing"

	"lethe/internal/connector"
	"lethe/models"
)

// TestWaitingTellsWhatIsTriedAgainOrLeftToASystem: between a failed try and the next, and between a
// system's acceptance and its deed, a departure says what it waits for; afterwards no longer.
func TestWaitingTellsWhatIsTriedAgainOrLeftToASystem(t *testing.T) {
	for what, trouble := range map[string]fault{
		WaitsForRetry:  {before: temporary(connector.CodeUnavailable)},
		WaitsForSystem: {accept: true},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			l := w.leaver(t)
			w.leave(t, l)
			w.targets["mail"].fail("disable", trouble)
			op := w.unlink(t, l, nil)
			waiting := func() []Waited {
				got, err := w.waiting(t, l)
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			if got := waiting(); len(got) != 0 {
				t.Errorf("before the first try: %+v", got)
			}
			w.facts(t, op)
			w.run(t, op, w.step(t, op, "mail").ID)
			step, got := w.step(t, op, "mail"), waiting()
			want := Waited{What: what, Role: models.RoleITOps, System: "mail"}
			if len(got) != 1 || !got[0].Since.Equal(*step.StartedAt) {
				t.Fatalf("the step is %s after %d tries; waiting: %+v", step.State, step.Tries, got)
			}
			if want.Since = got[0].Since; got[0] != want {
				t.Errorf("waiting: %+v", got[0])
			}
			w.targets["mail"].land()
			w.drive(t, op)
			if got := waiting(); len(got) != 0 {
				t.Errorf("at the end: %+v", got)
			}
		})
	}
}
