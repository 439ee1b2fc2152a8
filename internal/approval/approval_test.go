package approval

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/vault"
	"lethe/models"
)

func TestI21_TheSecondPersonRunsTheStoredCommandOnce(t *testing.T) {
	w := newWorld(t)
	row, target := w.ask(t)
	if w.effects(t, target) != 0 || w.count(t, "SELECT count(*) FROM counters WHERE id = ? AND noted", target) != 1 {
		t.Error("asking is no effect, but noted at the target")
	}
	decided, err := w.decide(w.first, row.ID, models.ApprovalApproved)
	if err != nil || decided.State != models.ApprovalApproved || decided.Result != "counter/"+target.String() {
		t.Fatalf("%+v, %v", decided, err)
	}
	want := w.count(t, "SELECT count(*) FROM effects WHERE target = ? AND requester = ? AND approver = ? AND approval = ?", target, w.asker.actor, w.first.actor, row.ID)
	if want != 1 || w.effects(t, target) != 1 {
		t.Errorf("%d effects, %d of them by both", w.effects(t, target), want)
	}
	// Used once: the same person is told the same, anybody else that it is over.
	if again, err := w.decide(w.first, row.ID, models.ApprovalApproved); err != nil || again.State != models.ApprovalApproved {
		t.Errorf("the same decision again: %v, %v", again.State, err)
	}
	var ended *EndedError
	if _, err := w.decide(w.second, row.ID, models.ApprovalApproved); !errors.As(err, &ended) {
		t.Errorf("another decision: %v", err)
	}
	if w.effects(t, target) != 1 {
		t.Error("the effect happened again")
	}
	after := w.get(t, row.ID)
	if !after.CommandSealed.IsNull() || after.Fingerprint != nil || !cmp.Equal(after.CommandHash, row.CommandHash) {
		t.Error("the command is cleared when the request ends, and its hash stays")
	}
	if diff := cmp.Diff([]string{ActionRequested, ActionApproved}, w.actions(t, row.ID)); diff != "" {
		t.Errorf("ledger: %s", diff)
	}
}

func TestI21_WhoMayNotDecide(t *testing.T) {
	w := newWorld(t)
	target := w.counter(t)
	w.exec(t, "UPDATE counters SET subject = ? WHERE id = ?", w.subject.actor, target)
	row := w.askFor(t, target)
	otherAccount := w.asker
	w.tx(t, context.Background(), func(tx *database.Tx) error {
		otherAccount.user = uuid.New()
		err := tx.DB().Exec("INSERT INTO users (id, employee_id, login, state, ledger_entry_id) VALUES (?, ?, 'second-account', 'active', ?)",
			otherAccount.user, w.asker.actor, databasetest.Entry(t, tx)).Error
		return errors.Join(database.Hide(err), identity.Grant(tx, otherAccount.user, models.RoleReviewer, models.System))
	})
	puppet := w.person(t)
	w.exec(t, "UPDATE users SET created_by = ?, credentials_set_by = ?, ledger_entry_id = @entry WHERE id = ?", w.asker.actor, w.asker.actor, puppet.user)
	reset := w.person(t)
	w.exec(t, "UPDATE users SET credentials_set_by = ?, ledger_entry_id = @entry WHERE id = ?", w.asker.actor, reset.user)
	stale := w.session(w.first, models.RoleReviewer, models.ByTOTP, 6*time.Minute)
	never := w.bearer(w.first, models.RoleReviewer)
	w.exec(t, "UPDATE sessions SET stepped_up_at = NULL WHERE id = ?", never.SessionID)
	token := w.bearer(w.first, models.RoleReviewer)
	token.SessionID, token.TokenID = uuid.Nil, uuid.New()
	glass := w.session(w.first, models.RoleReviewer, models.ByBreakGlass, time.Second)
	for name, k := range map[string]struct {
		by   identity.Bearer
		want error
	}{
		"the requester":               {w.bearer(w.asker, models.RoleReviewer), ErrSamePerson},
		"the requester's other user":  {w.bearer(otherAccount, models.RoleReviewer), ErrSamePerson},
		"the person it is about":      {w.bearer(w.subject, models.RoleReviewer), ErrSubject},
		"a user the requester made":   {w.bearer(puppet, models.RoleReviewer), ErrMadeByRequester},
		"a user the requester reset":  {w.bearer(reset, models.RoleReviewer), ErrMadeByRequester},
		"a role that does not decide": {w.bearer(w.first, models.RoleHRAdmin), ErrRoleMayNot},
		"a stale step-up":             {stale, ErrStepUpRequired},
		"no step-up":                  {never, ErrStepUpRequired},
		"a token":                     {token, ErrSessionRequired},
		"break-glass":                 {glass, ErrBreakGlass},
	} {
		for _, decision := range []models.ApprovalState{models.ApprovalApproved, models.ApprovalRejected} {
			ctx := models.WithCaller(context.Background(), k.by.Caller("test"))
			if _, err := w.registry.Decide(ctx, w.env.Facts, k.by, row.ID, decision, ""); !errors.Is(err, k.want) {
				t.Errorf("%s, %s: %v, want %v", name, decision, err, k.want)
			}
		}
	}
	if got := w.get(t, row.ID); got.State != models.ApprovalPending || w.effects(t, target) != 0 {
		t.Fatalf("state %s, %d effects", got.State, w.effects(t, target))
	}
	// Once its owner has enrolled again, the user is the owner's.
	w.exec(t, "UPDATE users SET credentials_set_by = NULL, ledger_entry_id = @entry WHERE id = ?", reset.user)
	if got, err := w.decide(reset, row.ID, models.ApprovalApproved); err != nil || got.State != models.ApprovalApproved {
		t.Errorf("after enrolling: %v, %v", got.State, err)
	}
}

// Who linked a login with the requester's user may have asked as that user.
func TestI21_WhoLinkedALoginDoesNotDecideAboutWhatItAsked(t *testing.T) {
	w := newWorld(t)
	link := uuid.New()
	w.exec(t, "INSERT INTO oidc_links (id, user_id, issuer, subject, linked_by, ledger_entry_id) VALUES (?, ?, 'https://login.example', 's', ?, @entry)", link, w.asker.user, w.first.actor)
	row, target := w.ask(t)
	w.exec(t, "UPDATE oidc_links SET unlinked_at = lethe_now(), unlinked_by = ?, ledger_entry_id = @entry WHERE id = ?", w.first.actor, link)
	if _, err := w.decide(w.first, row.ID, models.ApprovalApproved); !errors.Is(err, ErrMadeByDecider) || w.effects(t, target) != 0 {
		t.Errorf("the linker decided: %v", err)
	}
	if got, err := w.decide(w.second, row.ID, models.ApprovalApproved); err != nil || got.State != models.ApprovalApproved {
		t.Errorf("somebody else: %v, %v", got.State, err)
	}
	row, _ = w.ask(t)
	w.exec(t, "UPDATE oidc_links SET confirmed_at = lethe_now(), ledger_entry_id = @entry WHERE id = ?", link)
	if got, err := w.decide(w.first, row.ID, models.ApprovalApproved); err != nil || got.State != models.ApprovalApproved {
		t.Errorf("once the owner has confirmed: %v, %v", got.State, err)
	}
}

func TestI21_EveryOtherEndHasNoEffect(t *testing.T) {
	w := newWorld(t)
	ends := map[string]struct {
		do     func(row models.Approval, target uuid.UUID) (models.Approval, error)
		state  models.ApprovalState
		action string
	}{
		"rejected": {func(row models.Approval, _ uuid.UUID) (models.Approval, error) {
			return w.decide(w.first, row.ID, models.ApprovalRejected)
		}, models.ApprovalRejected, ActionRejected},
		"withdrawn": {func(row models.Approval, _ uuid.UUID) (models.Approval, error) {
			return w.registry.Withdraw(w.as(w.asker, models.RoleHRAdmin), w.env.Facts, row.ID)
		}, models.ApprovalWithdrawn, ActionWithdrawn},
		"changed": {func(row models.Approval, target uuid.UUID) (models.Approval, error) {
			w.exec(t, "UPDATE counters SET version = version + 1 WHERE id = ?", target)
			return w.decide(w.first, row.ID, models.ApprovalApproved)
		}, models.ApprovalVoid, ActionVoided},
		"gone": {func(row models.Approval, target uuid.UUID) (models.Approval, error) {
			w.exec(t, "DELETE FROM counters WHERE id = ?", target)
			return w.decide(w.first, row.ID, models.ApprovalApproved)
		}, models.ApprovalVoid, ActionVoided},
		"other subject": {func(row models.Approval, target uuid.UUID) (models.Approval, error) {
			w.exec(t, "UPDATE counters SET subject = ? WHERE id = ?", w.first.actor, target)
			return w.decide(w.first, row.ID, models.ApprovalApproved)
		}, models.ApprovalVoid, ActionVoided},
		"tampered": {func(row models.Approval, target uuid.UUID) (models.Approval, error) {
			other := bytes.Replace(row.CommandSealed.Box(), []byte(target.String()), []byte(uuid.NewString()), 1)
			err := databasetest.Unguarded(w.env.Facts, "approvals", "approvals_command",
				fmt.Sprintf(`UPDATE approvals SET command_sealed = '\x%x' WHERE id = '%s'`, other, row.ID))
			if err != nil {
				t.Fatal(err)
			}
			return w.decide(w.first, row.ID, models.ApprovalApproved)
		}, models.ApprovalVoid, ActionVoided},
		"expired": {func(row models.Approval, _ uuid.UUID) (models.Approval, error) {
			w.env.Advance(t, 72*time.Hour)
			return w.decide(w.first, row.ID, models.ApprovalApproved)
		}, models.ApprovalExpired, ActionExpired},
	}
	for name, k := range ends {
		row, target := w.ask(t)
		ended, err := k.do(row, target)
		if err != nil || ended.State != k.state {
			t.Errorf("%s: %s, %v", name, ended.State, err)
		}
		got := w.get(t, row.ID)
		if got.State != k.state || !got.CommandSealed.IsNull() {
			t.Errorf("%s: stored as %s", name, got.State)
		}
		if name == "tampered" && got.VoidReason != models.VoidUnreadable {
			t.Errorf("a command that is not the one that was asked for is void as %s", got.VoidReason)
		}
		noted := w.count(t, "SELECT count(*) FROM counters WHERE id = ? AND noted", target)
		if w.effects(t, target) != 0 || noted != 0 {
			t.Errorf("%s left something behind", name)
		}
		if diff := cmp.Diff([]string{ActionRequested, k.action}, w.actions(t, row.ID)); diff != "" {
			t.Errorf("%s: ledger: %s", name, diff)
		}
		var over *EndedError
		if _, err := w.decide(w.second, row.ID, models.ApprovalApproved); !errors.As(err, &over) || over.State != k.state {
			t.Errorf("%s: deciding afterwards: %v", name, err)
		}
	}
}

func TestWithdrawalIsTheRequesters(t *testing.T) {
	w := newWorld(t)
	row, _ := w.ask(t)
	if _, err := w.registry.Withdraw(w.as(w.first, models.RoleHRAdmin), w.env.Facts, row.ID); !errors.Is(err, ErrNotRequester) {
		t.Errorf("somebody else withdrew: %v", err)
	}
}

func TestTheSameRequestIsOpenOnce(t *testing.T) {
	w := newWorld(t)
	row, target := w.ask(t)
	if again := w.askFor(t, target); again.ID != row.ID {
		t.Error("the same person asking again got another request")
	}
	other := database.Run(w.as(w.second, models.RoleHRAdmin), w.env.Facts, func(tx *database.Tx) error {
		_, err := w.registry.Request(tx, Order{Operation: opBump, Command: bump{Target: target}})
		return err
	})
	var open *OpenError
	if !errors.As(other, &open) || open.ID != row.ID {
		t.Errorf("another person asking for the same: %v", other)
	}
	for range 4 { // the first round opens the connections
		w.askAtOnce(t)
	}
	// An expired one does not stand in the way of the next, swept or not.
	w.env.Advance(t, 72*time.Hour)
	if next := w.askFor(t, target); next.ID == row.ID {
		t.Error("the expired request was given again")
	}
	if got := w.get(t, row.ID); got.State != models.ApprovalExpired {
		t.Errorf("the former is %s", got.State)
	}
}

// askAtOnce asks for the same several times at once, and wants one request.
func (w *world) askAtOnce(t *testing.T) {
	t.Helper()
	fresh := w.counter(t)
	ids := make(chan uuid.UUID, 8)
	for range cap(ids) {
		go func() {
			var made models.Approval
			err := database.Run(w.as(w.asker, models.RoleHRAdmin), w.env.Facts, func(tx *database.Tx) (err error) {
				made, err = w.registry.Request(tx, Order{Operation: opBump, Command: bump{Target: fresh}})
				return err
			})
			if err != nil {
				t.Error(err)
			}
			ids <- made.ID
		}()
	}
	first := <-ids
	for range cap(ids) - 1 {
		if id := <-ids; id != first {
			t.Error("two requests for the same are open")
		}
	}
}

func TestSweepExpiresWhatIsDue(t *testing.T) {
	w := newWorld(t)
	row, target := w.ask(t)
	if n, err := w.registry.Sweep(t.Context(), w.env.Facts); err != nil || n != 0 {
		t.Fatalf("%d swept early, %v", n, err)
	}
	w.env.Advance(t, 72*time.Hour)
	if n, err := w.registry.Sweep(t.Context(), w.env.Facts); err != nil || n != 1 {
		t.Fatalf("%d swept, %v", n, err)
	}
	if got := w.get(t, row.ID); got.State != models.ApprovalExpired || w.effects(t, target) != 0 {
		t.Errorf("state %s", got.State)
	}
}

// The database is the second lock: none of this can be written past the program.
// Whoever had a login linked with somebody's account may be the one who is logged in.
func TestI21_AnUnconfirmedLoginDecidesAboutNothing(t *testing.T) {
	w := newWorld(t)
	link := uuid.New()
	w.exec(t, "INSERT INTO oidc_links (id, user_id, issuer, subject, linked_by, ledger_entry_id) VALUES (?, ?, 'https://login.example', 's', ?, @entry)", link, w.first.user, w.subject.actor)
	row, _ := w.ask(t)
	b := w.session(w.first, models.RoleReviewer, models.ByOIDC, time.Second)
	decide := func() (models.Approval, error) {
		return w.registry.Decide(models.WithCaller(t.Context(), b.Caller("test")), w.env.Facts, b, row.ID, models.ApprovalApproved, "")
	}
	if _, err := decide(); !errors.Is(err, identity.ErrLoginUnconfirmed) {
		t.Errorf("by a login that nobody confirmed: %v", err)
	}
	w.exec(t, "UPDATE oidc_links SET confirmed_at = lethe_now(), ledger_entry_id = @entry WHERE id = ?", link)
	if got, err := decide(); err != nil || got.State != models.ApprovalApproved {
		t.Errorf("once confirmed: %v, %v", got.State, err)
	}
}

// A purge leaves no copy of what it destroys in a request that waits.
func TestI25_ARequestEndsWithTheDataThatItIsAbout(t *testing.T) {
	w := newWorld(t)
	target, employment := w.counter(t), w.env.Hire(t, "CN")
	w.exec(t, "INSERT INTO employment_categories (id, employment_id, category) VALUES (gen_random_uuid(), ?, 'departure_file')", employment.ID)
	w.exec(t, "UPDATE counters SET subject = ? WHERE id = ?", employment.EmployeeID, target)
	row, other := w.askFor(t, target), w.askFor(t, w.counter(t))
	if n, err := w.registry.Sweep(t.Context(), w.env.Facts); err != nil || n != 0 {
		t.Fatalf("%d swept early, %v", n, err)
	}
	w.exec(t, "UPDATE employment_categories SET purging_at = lethe_now() WHERE employment_id = ?", employment.ID)
	if n, err := w.registry.Sweep(t.Context(), w.env.Facts); err != nil || n != 1 {
		t.Fatalf("%d swept, %v", n, err)
	}
	if got := w.get(t, row.ID); got.State != models.ApprovalVoid || got.VoidReason != models.VoidGone || !got.CommandSealed.IsNull() {
		t.Errorf("%s, %s", got.State, got.VoidReason)
	}
	if got := w.get(t, other.ID); got.State != models.ApprovalPending {
		t.Errorf("another one is %s", got.State)
	}
	if w.count(t, "SELECT count(*) FROM counters WHERE id = ? AND noted", target) != 0 {
		t.Error("what was noted at the target stays")
	}
}

func TestI21_TheDatabaseRefusesToo(t *testing.T) {
	w := newWorld(t)
	row, _ := w.ask(t)
	approved := "UPDATE approvals SET state = 'approved', command_sealed = NULL, fingerprint = NULL, ended_at = lethe_now(), ledger_entry_id = @entry, decided_by = ? WHERE id = ?"
	refused := func(what, sql string, args ...any) {
		t.Helper()
		if err := databasetest.Exec(t, w.env.Facts, sql, args...); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	refused("a requester's approval", approved, w.asker.actor, row.ID)
	refused("another reason", "UPDATE approvals SET reason_sealed = ? WHERE id = ?", boxHead, row.ID)
	refused("a later expiry", "UPDATE approvals SET expires_at = expires_at + interval '1 day' WHERE id = ?", row.ID)
	refused("an expiry before its time", "UPDATE approvals SET state = 'expired', command_sealed = NULL, fingerprint = NULL, ended_at = lethe_now(), ledger_entry_id = @entry WHERE id = ?", row.ID)
	refused("a removal", "DELETE FROM approvals WHERE id = ?", row.ID)
	w.env.Advance(t, 72*time.Hour)
	refused("an approval after the expiry", approved, w.first.actor, row.ID)
	if _, err := w.registry.Expire(t.Context(), w.env.Facts, row.ID); err != nil {
		t.Fatal(err)
	}
	refused("a change of an ended request", "UPDATE approvals SET comment_sealed = ? WHERE id = ?", boxHead, row.ID)
	refused("a revival", "UPDATE approvals SET state = 'pending', ended_at = NULL, command_sealed = ?, fingerprint = ? WHERE id = ?", row.CommandSealed.Box(), row.Fingerprint, row.ID)
}

func TestTheFloorCannotBeTakenAway(t *testing.T) {
	r, present := newRegistry(t, Options{}), models.Caller{SessionID: uuid.Max}
	if len(r.Assess(present, opBump)) == 0 {
		t.Error("an operation of the floor needs one person")
	}
	if _, err := NewRegistry(plainBoxes{}, Options{Required: []string{"test.unknown"}}, bumping()); err == nil {
		t.Error("a setting may name what does not exist")
	}
	if causes := r.Assess(models.Caller{}, opBump); !slices.Equal(causes, []models.Cause{models.CauseAlways, models.CauseToken}) {
		t.Errorf("a token asks because of %v", causes)
	}
	free := bumping()
	free.Floor = false
	for _, required := range [][]string{nil, {opBump}} {
		r, err := NewRegistry(plainBoxes{}, Options{Required: required}, free)
		if err != nil || (len(r.Assess(present, opBump)) > 0) != (required != nil) {
			t.Errorf("required %v: %v, %v", required, r.Assess(present, opBump), err)
		}
	}
}

// The command is sealed with a key of its own, which is destroyed when the request ends.
func TestTheCommandIsSealedAndItsKeyDestroyed(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "kek")
	if err := vault.CreateKEKFile(path); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.LoadKEKFile(path)
	if err != nil {
		t.Fatal(err)
	}
	v := vault.New(w.env.Keys, kek, w.env.Installation.ID)
	if w.registry, err = NewRegistry(v, Options{}, bumping()); err != nil {
		t.Fatal(err)
	}
	row, _ := w.ask(t)
	if told, err := w.registry.Tell(t.Context(), w.env.Facts, w.get(t, row.ID)); err != nil || len(told[row.ID].Changes) != 1 || told[row.ID].Changes[0].Before != "1" {
		t.Errorf("the approver is shown %v, %v", told, err)
	}
	if got, err := w.decide(w.first, row.ID, models.ApprovalApproved); err != nil || got.State != models.ApprovalApproved {
		t.Fatal(err)
	}
	if _, err := v.OpenLoose(t.Context(), place(row.ID), row.CommandSealed); !errors.Is(err, vault.ErrPurged) {
		t.Errorf("a copy of the command still opens: %v", err)
	}
}
