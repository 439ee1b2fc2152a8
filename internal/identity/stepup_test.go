package identity

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/vault"
	"lethe/models"
)

const goodPassword = "four unlikely words together"

// owner is somebody with both factors, and a service to log in with.
type owner struct {
	env     *databasetest.Env
	service *Service
	user    models.User
	secret  string
}

func newOwner(t *testing.T) *owner {
	t.Helper()
	env := databasetest.New(t)
	path := filepath.Join(t.TempDir(), "kek")
	if err := vault.CreateKEKFile(path); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.LoadKEKFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := &owner{env: env, service: New(env.Facts, vault.New(env.Keys, kek, env.Installation.ID), Options{
		Argon: Argon{Memory: 64, Passes: 1, Lanes: 1}, Insecure: true,
	})}
	employee := person(t, env.Facts)
	hashed, err := o.service.hasher.hash(t.Context(), goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	o.run(t, func(tx *database.Tx) error {
		if o.user, err = GrantTo(tx, employee, models.RoleHRAdmin); err != nil {
			return err
		}
		if err := tx.DB().Model(&models.User{}).Where("id = ?", o.user.ID).Updates(map[string]any{
			"password_hash": hashed, "ledger_entry_id": databasetest.Entry(t, tx),
		}).Error; err != nil {
			return err
		}
		begun, err := o.service.BeginTOTP(tx, o.user.ID)
		o.secret = begun.Secret
		return err
	})
	o.run(t, func(tx *database.Tx) error {
		user, err := lockUser(tx, o.user.ID)
		if err != nil {
			return err
		}
		_, err = o.service.confirm(tx, user, o.code(t), databasetest.Entry(t, tx))
		return err
	})
	return o
}

func (o *owner) run(t *testing.T, do func(tx *database.Tx) error) {
	t.Helper()
	if err := database.Run(t.Context(), o.env.Facts, do); err != nil {
		t.Fatal(err)
	}
}

// code is the one of now, by the database's clock.
func (o *owner) code(t *testing.T) string {
	t.Helper()
	now, err := o.env.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(o.secret, now)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// session opens one, without a step-up.
func (o *owner) session(t *testing.T, how models.Authentication) (token string, b Bearer) {
	t.Helper()
	o.run(t, func(tx *database.Tx) (err error) {
		token, _, err = o.service.Open(tx, Opening{User: o.user, Authenticated: how})
		return err
	})
	return token, o.bearer(t, token)
}

func (o *owner) bearer(t *testing.T, token string) Bearer {
	t.Helper()
	b, err := o.service.AuthenticateSession(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (o *owner) now(t *testing.T) time.Time {
	t.Helper()
	now, err := o.env.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// entries counts the ledger's entries of an action.
func (o *owner) entries(t *testing.T, action string) (n int64) {
	t.Helper()
	if err := o.env.Facts.Read(t.Context()).Table("ledger_content").Where("action = ?", action).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func TestI22_AStepUpLastsFiveMinutesOnItsSession(t *testing.T) {
	o := newOwner(t)
	old, before := o.session(t, models.ByTOTP)
	_, other := o.session(t, models.ByTOTP)
	if Fresh(before, o.now(t)) {
		t.Fatal("a session is fresh without a step-up")
	}
	token, err := o.service.Reauthenticate(t.Context(), before, goodPassword, "")
	if err != nil {
		t.Fatal(err)
	}
	after := o.bearer(t, token)
	if !Fresh(after, o.now(t)) || after.SessionID != before.SessionID {
		t.Errorf("after a step-up: %+v", after)
	}
	if _, err := o.service.AuthenticateSession(t.Context(), old); !errors.Is(err, ErrSessionUnknown) {
		t.Errorf("the token from before the step-up: %v", err)
	}
	again, err := Recheck(t.Context(), o.env.Facts, other)
	if err != nil || Fresh(again, o.now(t)) {
		t.Errorf("the user's other session: fresh %v, %v", Fresh(again, o.now(t)), err)
	}
	o.env.Advance(t, 4*time.Minute+50*time.Second)
	if !Fresh(o.bearer(t, token), o.now(t)) {
		t.Error("gone before its time")
	}
	o.env.Advance(t, 10*time.Second)
	if Fresh(o.bearer(t, token), o.now(t)) {
		t.Error("fresh after five minutes")
	}
	if n := o.entries(t, "session.stepped_up"); n != 1 {
		t.Errorf("%d entries", n)
	}
}

func TestI22_ATokenNeverCounts(t *testing.T) {
	now := time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)
	session, token := uuid.New(), uuid.New()
	for name, c := range map[string]struct {
		b    Bearer
		want bool
	}{
		"a session just stepped up":     {Bearer{SessionID: session, SteppedUpAt: &now}, true},
		"a token with a time":           {Bearer{TokenID: token, SteppedUpAt: &now}, false},
		"a token beside a session":      {Bearer{SessionID: session, TokenID: token, SteppedUpAt: &now}, false},
		"a session without":             {Bearer{SessionID: session}, false},
		"nobody":                        {Bearer{SteppedUpAt: &now}, false},
		"a step-up of five minutes ago": {Bearer{SessionID: session, SteppedUpAt: at(now, -5*time.Minute)}, false},
		"a little younger":              {Bearer{SessionID: session, SteppedUpAt: at(now, time.Nanosecond-5*time.Minute)}, true},
		"a step-up of the future":       {Bearer{SessionID: session, SteppedUpAt: at(now, time.Second)}, false},
	} {
		if got := Fresh(c.b, now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	o := newOwner(t)
	b := Bearer{TokenID: token, UserID: o.user.ID, Actor: models.Actor{EmployeeID: o.user.EmployeeID, Role: models.RoleHRAdmin}}
	if _, err := o.service.Reauthenticate(t.Context(), b, goodPassword, ""); !errors.Is(err, ErrSessionRequired) {
		t.Errorf("a token with the right password: %v", err)
	}
}

func at(t time.Time, d time.Duration) *time.Time { t = t.Add(d); return &t }

func TestI22_WrongProofIsRecordedAndChangesNothing(t *testing.T) {
	o := newOwner(t)
	token, b := o.session(t, models.ByTOTP)
	for name, c := range map[string]struct {
		password, code string
		want           error
	}{
		"wrong password": {"something else", "", ErrStepUpFailed},
		"wrong code":     {"", "000000x", ErrStepUpFailed},
		"nothing":        {"", "", ErrStepUpForm},
		"both":           {goodPassword, "123456", ErrStepUpForm},
	} {
		if got, err := o.service.Reauthenticate(t.Context(), b, c.password, c.code); !errors.Is(err, c.want) || got != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := o.bearer(t, token); got.SteppedUpAt != nil {
		t.Error("the session was stepped up")
	}
	if n := o.entries(t, "session.step_up_refused"); n != 2 {
		t.Errorf("%d entries for two wrong proofs", n)
	}
}

// A code that somebody looked at over the shoulder is worth nothing: of many who use it at once, one
// is let through.
func TestI22_OneCodeIsOneStepUp(t *testing.T) {
	o := newOwner(t)
	o.env.Advance(t, time.Minute)
	_, b := o.session(t, models.ByTOTP)
	code := o.code(t)
	var passed atomic.Int32
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			_, err := o.service.Reauthenticate(t.Context(), b, "", code)
			if err == nil {
				passed.Add(1)
			} else if !errors.Is(err, ErrStepUpFailed) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 1 {
		t.Errorf("%d passed", passed.Load())
	}
}

// Whoever holds a stolen cookie and guesses loses the session; the owner logs in anew.
func TestGuessingEndsTheSession(t *testing.T) {
	o := newOwner(t)
	token, b := o.session(t, models.ByTOTP)
	_, other := o.session(t, models.ByTOTP)
	var throttled *ThrottledError
	tries := 0
	for ; tries < 30 && throttled == nil; tries++ {
		_, err := o.service.Reauthenticate(t.Context(), b, "guess", "")
		if !errors.Is(err, ErrStepUpFailed) && !errors.As(err, &throttled) {
			t.Fatal(err)
		}
	}
	if throttled == nil || tries > 12 {
		t.Fatalf("after %d tries: %v", tries, throttled)
	}
	if _, err := o.service.AuthenticateSession(t.Context(), token); !errors.Is(err, ErrSessionUnknown) {
		t.Errorf("the session that was guessed on: %v", err)
	}
	if _, err := o.service.Reauthenticate(t.Context(), other, goodPassword, ""); err != nil {
		t.Errorf("the owner elsewhere: %v", err)
	}
}

// A session that ended while the password was being looked at is not brought back, however it ended.
func TestI23_NoStepUpOfAnEndedSession(t *testing.T) {
	for name, end := range map[string]func(o *owner, b Bearer){
		"revoked": func(o *owner, b Bearer) {
			o.run(t, func(tx *database.Tx) error { return o.service.RevokeSession(tx, b, b.SessionID) })
		},
		"unused for half an hour": func(o *owner, _ Bearer) { o.env.Advance(t, 30*time.Minute) },
		"without its role": func(o *owner, b Bearer) {
			o.run(t, func(tx *database.Tx) error { return RevokeRole(tx, b.UserID, b.Actor.Role, models.System) })
		},
		"without its user": func(o *owner, b Bearer) {
			o.run(t, func(tx *database.Tx) error { return Disable(tx, b.UserID, models.System) })
		},
	} {
		o := newOwner(t)
		_, b := o.session(t, models.ByTOTP)
		end(o, b)
		if token, err := o.service.Reauthenticate(t.Context(), b, goodPassword, ""); !errors.Is(err, ErrSessionUnknown) || token != "" {
			t.Errorf("%s: %v", name, err)
		}
		if n := o.entries(t, "session.stepped_up"); n != 0 {
			t.Errorf("%s: %d entries of a step-up", name, n)
		}
	}
}
