package approval

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/models"
)

// give notes that somebody was given a half of the code that a user was enrolled with.
func (w *world) give(t testing.TB, to, of person) {
	t.Helper()
	w.tx(t, context.Background(), func(tx *database.Tx) error {
		entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindIdentity, Action: "enrolment_code.delivered"})
		if err != nil {
			return err
		}
		return tx.DB().Create(&models.EnrolmentHalf{ID: uuid.New(), UserID: of.user, GivenTo: to.actor, LedgerEntryID: &entry}).Error
	})
}

// Whoever was given one half may have got hold of the other. Neither gets an approval from the user that
// was enrolled with them, nor decides about what it asks for, until its owner is confirmed.
func TestI21_WhoHeldAHalfOfTheCodeIsNoSecondPerson(t *testing.T) {
	w := newWorld(t)
	for name, k := range map[string]struct{ holder, user, decides person }{
		"the user decides about its holder":   {holder: w.asker, user: w.first, decides: w.first},
		"the holder decides about the user's": {holder: w.second, user: w.asker, decides: w.second},
	} {
		t.Run(name, func(t *testing.T) {
			w.give(t, k.holder, k.user)
			w.give(t, w.subject, k.user) // the other half: who has nothing to do with this request
			row, target := w.ask(t)
			for _, decision := range []models.ApprovalState{models.ApprovalApproved, models.ApprovalRejected} {
				if _, err := w.decide(k.decides, row.ID, decision); !errors.Is(err, ErrOwnerUnconfirmed) {
					t.Errorf("%s: %v", decision, err)
				}
			}
			if w.effects(t, target) != 0 {
				t.Error("it was carried out")
			}
			w.exec(t, "UPDATE enrolment_halves SET confirmed_at = lethe_now(), ledger_entry_id = @entry WHERE given_to = ?", k.holder.actor)
			if got, err := w.decide(k.decides, row.ID, models.ApprovalApproved); err != nil || got.State != models.ApprovalApproved {
				t.Errorf("once the owner is confirmed: %s, %v", got.State, err)
			}
			w.exec(t, "UPDATE enrolment_halves SET confirmed_at = lethe_now(), ledger_entry_id = @entry WHERE confirmed_at IS NULL")
		})
	}
}

// ends are the ways in which somebody stops being who they were.
func (w *world) ends(of person, role models.Role) map[string]func(tx *database.Tx) error {
	return map[string]func(tx *database.Tx) error{
		"disabled": func(tx *database.Tx) error { return identity.Disable(tx, of.user, models.System) },
		"left":     func(tx *database.Tx) error { return identity.EndAll(tx, of.actor) },
		"without the role": func(tx *database.Tx) error {
			return identity.RevokeRole(tx, of.user, role, models.System)
		},
		"reset": func(tx *database.Tx) error {
			_, err := w.identity().Reset(tx, models.System, of.user)
			return err
		},
	}
}

func (w *world) identity() *identity.Service {
	return identity.New(w.env.Facts, nil, identity.Options{})
}

// comeBack gives somebody user and roles again, as new ones do.
func (w *world) comeBack(t testing.TB, p person) {
	t.Helper()
	w.tx(t, context.Background(), func(tx *database.Tx) error {
		for _, state := range []models.UserState{models.UserEnrolling, models.UserActive} {
			if err := tx.DB().Exec("UPDATE users SET state = ?, ledger_entry_id = ? WHERE id = ? AND state <> 'active'", state, databasetest.Entry(t, tx), p.user).Error; err != nil {
				return database.Hide(err)
			}
		}
		return errors.Join(identity.Grant(tx, p.user, models.RoleHRAdmin, models.System), identity.Grant(tx, p.user, models.RoleReviewer, models.System))
	})
}

// What somebody asked for ends with them: it is approved neither while they are gone nor once they are back,
// and is shown as what it is, whether somebody tries to decide or nobody does.
func TestI32_TheUndecidedRequestsOfWhoIsGoneEnd(t *testing.T) {
	w := newWorld(t)
	for how, gone := range w.ends(w.asker, models.RoleHRAdmin) {
		for _, back := range []bool{false, true} {
			for _, swept := range []bool{false, true} {
				row, target := w.ask(t)
				w.tx(t, t.Context(), gone)
				if back {
					w.comeBack(t, w.asker)
				}
				if swept {
					if n, err := w.registry.EndLeft(t.Context(), w.env.Facts); err != nil || n != 1 {
						t.Errorf("%s: %d ended, %v", how, n, err)
					}
				}
				_, err := w.decide(w.first, row.ID, models.ApprovalApproved)
				var over *EndedError
				if swept != errors.As(err, &over) || !swept && err != nil {
					t.Errorf("%s, back %v, swept %v: %v", how, back, swept, err)
				}
				got := w.get(t, row.ID)
				if got.State != models.ApprovalVoid || got.VoidReason != models.VoidRequesterEnded || w.effects(t, target) != 0 {
					t.Errorf("%s, back %v, swept %v: %s %s, %d effects", how, back, swept, got.State, got.VoidReason, w.effects(t, target))
				}
				if !slices.Equal(w.actions(t, row.ID), []string{ActionRequested, ActionVoided}) {
					t.Errorf("%s: the ledger says %v", how, w.actions(t, row.ID))
				}
				if noted := w.count(t, "SELECT count(*) FROM counters WHERE id = ? AND noted", target); noted != 0 {
					t.Errorf("%s: what was noted at the target stays", how)
				}
				w.comeBack(t, w.asker)
			}
		}
	}
	row, _ := w.ask(t)
	if n, err := w.registry.EndLeft(t.Context(), w.env.Facts); err != nil || n != 0 {
		t.Errorf("%d ended of who is there, %v", n, err)
	}
	if got, err := w.decide(w.first, row.ID, models.ApprovalApproved); err != nil || got.State != models.ApprovalApproved {
		t.Errorf("who is back asks anew: %s, %v", got.State, err)
	}
}

// Who decides is looked at again once the locks are held: a decision that waited is not committed by
// somebody who was disabled meanwhile, and whoever disables waits for a decision that came first.
func TestI23_ADecisionThatWaitedIsNotThatOfWhoIsGone(t *testing.T) {
	w := newWorld(t)
	ends := w.ends(w.first, models.RoleReviewer)
	ends["logged out"] = func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec("UPDATE sessions SET revoked_at = lethe_now() WHERE user_id = ? AND revoked_at IS NULL", w.first.user).Error)
	}
	for how, gone := range ends {
		row, target := w.ask(t)
		held, release := make(chan struct{}), make(chan struct{})
		var blocked, decided = make(chan error, 1), make(chan error, 1)
		go func() {
			blocked <- database.Run(context.Background(), w.env.Facts, func(tx *database.Tx) error {
				_, err := lock(tx, row.ID)
				close(held)
				<-release
				return err
			})
		}()
		<-held
		b := w.bearer(w.first, models.RoleReviewer)
		go func() {
			_, err := w.registry.Decide(models.WithCaller(context.Background(), b.Caller("waits")), w.env.Facts, b, row.ID, models.ApprovalApproved, "")
			decided <- err
		}()
		w.waiting(t)
		w.tx(t, t.Context(), gone)
		close(release)
		if err := <-blocked; err != nil {
			t.Fatal(err)
		}
		if err := <-decided; !errors.Is(err, identity.ErrSessionUnknown) {
			t.Errorf("%s: %v", how, err)
		}
		if got := w.get(t, row.ID); got.State != models.ApprovalPending || w.effects(t, target) != 0 {
			t.Errorf("%s: %s, %d effects", how, got.State, w.effects(t, target))
		}
		w.comeBack(t, w.first)
	}
}

// waiting returns once somebody waits for a row.
func (w *world) waiting(t testing.TB) {
	t.Helper()
	for began := time.Now(); w.count(t, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 0; {
		if time.Since(began) > 30*time.Second {
			t.Fatal("nobody waits")
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// The triggers are a lock of their own: they refuse what the program, by a mistake, would write.
func TestI21_TheDatabaseRefusesADecisionWithoutAuthority(t *testing.T) {
	w := newWorld(t)
	decide := func(row models.Approval, by person, state models.ApprovalState) error {
		return databasetest.Exec(t, w.env.Facts, `UPDATE approvals SET state = ?, decided_by = ?, decided_by_user_id = ?,
			ended_at = lethe_now(), command_sealed = NULL, fingerprint = NULL, ledger_entry_id = @entry WHERE id = ?`, state, by.actor, by.user, row.ID)
	}
	refused := func(name string, err error) {
		t.Helper()
		if database.Code(err) != "LT017" {
			t.Errorf("%s: %v", name, err)
		}
	}
	row, _ := w.ask(t)
	refused("by a user of another person", decide(row, person{w.first.actor, w.second.user}, models.ApprovalApproved))
	w.give(t, w.asker, w.first)
	refused("by whom the requester enrolled", decide(row, w.first, models.ApprovalApproved))
	w.give(t, w.second, w.asker)
	refused("by who enrolled the requester", decide(row, w.second, models.ApprovalApproved))
	w.exec(t, "UPDATE enrolment_halves SET confirmed_at = lethe_now(), ledger_entry_id = @entry WHERE confirmed_at IS NULL")
	w.tx(t, t.Context(), func(tx *database.Tx) error { return identity.Disable(tx, w.first.user, models.System) })
	refused("by a disabled one", decide(row, w.first, models.ApprovalApproved))
	refused("rejected by a disabled one", decide(row, w.first, models.ApprovalRejected))
	w.tx(t, t.Context(), w.ends(w.asker, models.RoleHRAdmin)["without the role"])
	refused("for who lost the role", decide(row, w.second, models.ApprovalApproved))
	w.comeBack(t, w.asker)
	refused("for who has it anew", decide(row, w.second, models.ApprovalApproved))
	row, _ = w.ask(t)
	if err := decide(row, w.second, models.ApprovalApproved); err != nil {
		t.Errorf("between two who may: %v", err)
	}
	for _, sql := range []string{
		"UPDATE enrolment_halves SET confirmed_at = NULL", "UPDATE enrolment_halves SET given_to = user_id", "DELETE FROM enrolment_halves",
	} {
		if err := database.Hide(w.env.Facts.Read(t.Context()).Exec(sql).Error); database.Code(err) != "LT003" {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
