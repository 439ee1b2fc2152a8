package account

import (
	"slices"
	"testing"

	"lethe/models"
)

// A run that lost the fence leaves word of the effects it had and of nothing else: what it saw is that
// of an account which somebody else is changing, and what it did not do anymore is not begun.
func TestI13_ARunThatLostItsFenceLeavesWordOfItsEffectsAlone(t *testing.T) {
	for _, c := range []struct {
		lost string // where another run takes the account over
		want []string
	}{
		{"unlink.disable.before", []string{subDisable + ":" + outBegun}},
		{"unlink.finish.before", []string{
			subDisable + ":" + outBegun, subDisable + ":" + outConfirmed, subRevoke + ":" + outBegun, subRevoke + ":" + outConfirmed,
			subLeave + ":" + outBegun, subLeave + ":" + outConfirmed,
		}},
		// The next call is not made: no word says that it may have been.
		{"unlink.disable.after", []string{subDisable + ":" + outBegun, subDisable + ":" + outConfirmed}},
		{"unlink.begin.after", nil},
	} {
		t.Run(c.lost, func(t *testing.T) {
			w := newWorld(t)
			l := w.leaver(t)
			op := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"mail"} })
			step := w.step(t, op, "mail")
			late := *w.service
			late.mark = func(name string) {
				if name == c.lost {
					w.exec(t, "UPDATE linked_accounts SET attempt = attempt + 1 WHERE id = ?", step.AccountID)
				}
			}
			r, err := late.RunStep(t.Context(), op.ID, step.ID, w.hooks())
			if err != nil || r.Outcome != Stale {
				t.Fatalf("the run came to %+v, %v", r, err)
			}
			var rows []models.AccountEvidence
			if err := w.env.Facts.Read(t.Context()).Where("step_id = ?", step.ID).Order("id").Find(&rows).Error; err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, e := range rows {
				if e.Substep == subReadBack || e.Substep == subResidue || e.Substep == subFind {
					t.Errorf("it kept what it saw: %s %s", e.Substep, e.Outcome)
				} else if e.Substep != subSnapshot {
					left = append(left, e.Substep+":"+e.Outcome)
				}
			}
			if !slices.Equal(left, c.want) {
				t.Errorf("it left word of %v, want %v", left, c.want)
			}
			w.drive(t, op)
			w.wantAccount(t, l, "mail", models.AccountDisabled)
		})
	}
}
