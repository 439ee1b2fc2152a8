package account

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// seen is what somebody sees of a person's accounts who knows of no cut before the person was told.
func (w *world) seen(t *testing.T, l *leaver) []View {
	t.Helper()
	views, err := OfPerson(context.Background(), w.env.Facts, l.employee)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(AsBefore(views), func(v View) bool { return v.CalledOff })
}

func (w *world) wantSeen(t *testing.T, when string, l *leaver, want []View) {
	t.Helper()
	if diff := cmp.Diff(want, w.seen(t, l)); diff != "" {
		t.Errorf("%s something is seen of the cut:\n%s", when, diff)
	}
}

// giveBack does what lifting a cut does to the accounts.
func (w *world) giveBack(t *testing.T, l *leaver, cut uuid.UUID) (relinks []models.AccountOperation) {
	t.Helper()
	w.lift(t, cut)
	w.tx(t, func(tx *database.Tx) error {
		ops, err := UnlinkingsOf(tx, cut)
		if err != nil {
			return err
		}
		if err := l.lock(tx); err != nil {
			return err
		}
		for _, op := range ops {
			relink, created, err := OrderRelink(tx, RelinkOrder{
				EmployeeID: l.employee, EmploymentID: l.employment, Origin: models.OriginStandalone, Undoes: &op.ID, Cut: &cut, By: models.System,
			})
			if err != nil && !errors.Is(err, ErrNothingToUndo) && !errors.Is(err, ErrDepartureOwns) {
				return err
			}
			if created {
				relinks = append(relinks, relink)
			}
		}
		return nil
	})
	return relinks
}

func onlyMail(mode models.OperationMode) func(*UnlinkOrder) {
	return func(o *UnlinkOrder) { o.Mode, o.Systems = mode, []string{"mail"} }
}

// histories are how an account may have come to where a cut finds it.
func histories(w *world, t *testing.T) map[string]func() *leaver {
	unlinked := func(drive bool, mode models.OperationMode) func() *leaver {
		return func() *leaver {
			l := w.leaver(t)
			op := w.unlink(t, l, onlyMail(mode))
			if drive {
				w.drive(t, op)
			}
			return l
		}
	}
	stuck := func(l *leaver, shape func(*UnlinkOrder)) models.AccountOperation {
		w.targets["mail"].fail("disable", times(short.Tries, fault{lie: true})...)
		op := w.unlink(t, l, shape)
		w.drive(t, op)
		w.wantAccount(t, l, "mail", models.AccountStuck)
		return op
	}
	givenBack := func(l *leaver, first, second bool) *leaver {
		op := w.unlink(t, l, onlyMail(models.ModeDisable))
		if first {
			w.drive(t, op)
		}
		if relink, created := w.relink(t, l, &op.ID); created && second {
			w.drive(t, relink)
		}
		return l
	}
	carried := func() *leaver {
		l := w.employ(t, w.person(t))
		w.carry(l, "mail", l.id("mail"))
		return l
	}
	return map[string]func() *leaver{
		"linked":                  func() *leaver { return w.leaver(t) },
		"linked again at once":    func() *leaver { return givenBack(w.leaver(t), false, false) },
		"relinking":               func() *leaver { return givenBack(w.leaver(t), true, false) },
		"relinked":                func() *leaver { return givenBack(w.leaver(t), true, true) },
		"unlinking":               unlinked(false, models.ModeDisable),
		"disabled":                unlinked(true, models.ModeDisable),
		"detached":                unlinked(true, models.ModeDetach),
		"never there":             func() *leaver { return w.employ(t, w.person(t)) },
		"there, never registered": carried,
		"found":                   func() *leaver { l := carried(); w.drive(t, w.unlink(t, l, onlyMail(models.ModeDisable))); return l },
		"found, given back":       func() *leaver { return givenBack(carried(), true, true) },
		"asked, not there": func() *leaver {
			l := w.employ(t, w.person(t))
			w.drive(t, w.unlink(t, l, onlyMail(models.ModeDisable)))
			return l
		},
		"asked, not answered": func() *leaver {
			l := w.employ(t, w.person(t))
			w.unlink(t, l, onlyMail(models.ModeDisable))
			return l
		},
		"not found": func() *leaver {
			l := w.leaver(t)
			delete(w.targets["mail"].accounts, l.id("mail"))
			w.drive(t, w.unlink(t, l, onlyMail(models.ModeDisable)))
			return l
		},
		"accepted": func() *leaver {
			l := w.leaver(t)
			w.targets["mail"].fail("disable", fault{accept: true})
			op := w.unlink(t, l, onlyMail(models.ModeDisable))
			w.facts(t, op)
			w.run(t, op, w.step(t, op, "mail").ID)
			w.wantAccount(t, l, "mail", models.AccountAccepted)
			return l
		},
		"stuck": func() *leaver { l := w.leaver(t); stuck(l, onlyMail(models.ModeDisable)); return l },
		"waived": func() *leaver {
			l := w.leaver(t)
			w.decide(t, w.openCases(t, stuck(l, onlyMail(models.ModeDisable)))[0].ID, models.ResolutionWaive)
			return l
		},
		"waived in a departure": func() *leaver {
			l := w.leaver(t)
			w.leave(t, l)
			w.decide(t, w.openCases(t, stuck(l, nil))[0].ID, models.ResolutionWaive)
			return l
		},
		"given back by a departure": func() *leaver {
			l := w.leaver(t)
			w.leave(t, l)
			w.drive(t, w.unlink(t, l, nil))
			relink, _ := w.relink(t, l, nil)
			w.drive(t, relink)
			return l
		},
	}
}

// TestI27_WhateverACutFindsIsSeenAsBefore: while it is ordered, carried out, lifted, and once more.
func TestI27_WhateverACutFindsIsSeenAsBefore(t *testing.T) {
	w := newWorld(t)
	for name, history := range histories(w, t) {
		t.Run(name, func(t *testing.T) {
			w.person(t) // who lifts it
			l := history()
			for _, driven := range []bool{true, false} {
				want := w.seen(t, l)
				cut := w.cut(t, l)
				op, created, err := w.tryUnlink(l, standalone(&cut))
				if err != nil {
					t.Fatal(err)
				}
				w.wantSeen(t, "ordered,", l, want)
				if created && driven {
					w.targets["mail"].land()
					w.drive(t, op)
					w.wantSeen(t, "carried out,", l, want)
				}
				for _, relink := range w.giveBack(t, l, cut) {
					w.wantSeen(t, "being lifted,", l, want)
					w.drive(t, relink)
				}
				w.wantSeen(t, "lifted,", l, want)
			}
		})
	}
}

// TestI27_ADepartureIsSeenAsItsOwn: what it ends while a cut stands is off by its own order, and given back once it is
// taken back.
func TestI27_ADepartureIsSeenAsItsOwn(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	before := w.seen(t, l)
	cut := w.cut(t, l)
	w.drive(t, w.unlink(t, l, standalone(&cut)))
	w.leave(t, l)
	op := w.unlink(t, l, nil)
	w.drive(t, op)
	for _, v := range w.seen(t, l) {
		if v.State != models.AccountDisabled || *v.OperationID != op.ID || v.ConfirmedAt.Before(w.operation(t, op.ID).CreatedAt) {
			t.Errorf("after the cutoff %+v", v)
		}
	}
	if relink, created := w.relink(t, l, nil); created {
		w.drive(t, relink)
	}
	w.wantSeen(t, "withdrawn,", l, before)

	other := w.leaver(t)
	w.leave(t, other)
	w.drive(t, w.unlink(t, other, nil))
	off := w.seen(t, other)
	cut = w.cut(t, other)
	if _, _, err := w.tryUnlink(other, standalone(&cut)); err != nil {
		t.Fatal(err)
	}
	w.wantSeen(t, "cut after the cutoff,", other, off)
	w.relink(t, other, nil)
	known, err := OfPerson(context.Background(), w.env.Facts, other.employee)
	if err != nil {
		t.Fatal(err)
	}
	if got := StateOf(models.AccountsRelinked, known); got != models.AccountsUnlinking {
		t.Errorf("who knows is told %s", got)
	}
	if got := StateOf(models.AccountsRelinked, AsBefore(known)); got != models.AccountsRelinked {
		t.Errorf("who does not know is told %s", got)
	}
	for _, v := range w.seen(t, other) {
		if v.State != models.AccountRelinked {
			t.Errorf("taken back while the cut stands: %+v", v)
		}
	}
}
