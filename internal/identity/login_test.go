package identity

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// TestACodeIsAcceptedOnce: of many who use the same code at once, one gets in.
func TestACodeIsAcceptedOnce(t *testing.T) {
	w := newWorld(t, Options{})
	code := w.code(w.secret, 0)
	var accepted atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			err := w.run(func(tx *database.Tx) error { return w.s.CheckTOTP(tx, w.user, code) })
			if err == nil {
				accepted.Add(1)
			} else if !errors.Is(err, ErrCode) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if accepted.Load() != 1 {
		t.Errorf("the code was accepted %d times", accepted.Load())
	}
	// An older code is not accepted after a newer one, though its time is not over.
	if err := w.run(func(tx *database.Tx) error { return w.s.CheckTOTP(tx, w.user, w.code(w.secret, -1)) }); !errors.Is(err, ErrCode) {
		t.Errorf("the code of the step before: %v", err)
	}
	if err := w.run(func(tx *database.Tx) error { return w.s.CheckTOTP(tx, w.user, w.code(w.secret, 1)) }); err != nil {
		t.Errorf("the code of the next step: %v", err)
	}
	for _, far := range []int{-3, 3} {
		w.Advance(t, 10*totpStep*time.Second)
		if err := w.run(func(tx *database.Tx) error { return w.s.CheckTOTP(tx, w.user, w.code(w.secret, far)) }); !errors.Is(err, ErrCode) {
			t.Errorf("a code %d steps away: %v", far, err)
		}
	}
}

func TestRecoveryCodesWorkOnceEach(t *testing.T) {
	w := newWorld(t, Options{})
	other := w.grant(w.Hire(t, "CN").EmployeeID, models.RoleEmployee)
	_, err := w.s.SetCredentials(t.Context(), other.ID, rightPassword)
	w.must(err)
	renew := func(user models.User) (codes []string) {
		w.must(w.run(func(tx *database.Tx) (err error) {
			codes, err = w.s.RenewRecoveryCodes(tx, Bearer{UserID: user.ID, Actor: models.Actor{EmployeeID: user.EmployeeID, Role: models.RoleEmployee}})
			return err
		}))
		return codes
	}
	codes, others := renew(w.user), renew(other)
	if slices.Sort(codes); len(slices.Compact(slices.Clone(codes))) != 10 {
		t.Fatalf("the codes are %v", codes)
	}
	try := func(user models.User, code string) error {
		_, err := w.s.Login(t.Context(), LoginOrder{Login: user.Login, Password: rightPassword, RecoveryCode: code, Client: from("192.0.2.1")})
		return err
	}
	if err := try(w.user, others[0]); !errors.Is(err, ErrLoginFailed) {
		t.Errorf("a code of another user: %v", err)
	}
	if err := try(other, others[0]); err != nil {
		t.Errorf("the same code for whom it is: %v", err)
	}
	if err := try(w.user, strings.ToLower(codes[0])); err != nil {
		t.Errorf("a code in lower case: %v", err)
	}
	if err := try(w.user, codes[0]); !errors.Is(err, ErrLoginFailed) {
		t.Errorf("the same again: %v", err)
	}
	renew(w.user)
	if err := try(w.user, codes[1]); !errors.Is(err, ErrLoginFailed) {
		t.Errorf("a code that was replaced: %v", err)
	}
	if err := try(other, others[1]); err != nil {
		t.Errorf("the codes of another user were replaced, too: %v", err)
	}
}

// TestStrangersLockNobodyOut: strangers who try an account's password are held up; its owner,
// who has logged in before, is not.
func TestStrangersLockNobodyOut(t *testing.T) {
	w := newWorld(t, Options{})
	home := from("192.0.2.1")
	opened, err := w.login(home, rightPassword)
	w.must(err)
	browser := Client{Address: from("203.0.113.7").Address, Device: opened.Device}
	var throttled *ThrottledError
	for i := range 30 {
		stranger := from("198.51.100." + string(rune('0'+i%10)))
		if _, err := w.login(stranger, "wrong"); errors.As(err, &throttled) && i < 10 {
			t.Fatalf("held up at try %d", i)
		} else if !errors.As(err, &throttled) && i >= 10 {
			t.Fatalf("not held up at try %d: %v", i, err)
		}
	}
	w.next()
	if _, err := w.login(from("198.51.100.1"), rightPassword); !errors.As(err, &throttled) {
		t.Errorf("a stranger with the right password meanwhile: %v", err)
	}
	for name, place := range map[string]Client{"from the known address": home, "with the known browser elsewhere": browser} {
		w.next()
		if _, err := w.login(place, rightPassword); err != nil {
			t.Errorf("the owner %s: %v", name, err)
		}
	}
	w.Advance(t, 6*time.Minute)
	if _, err := w.login(from("198.51.100.200"), rightPassword); err != nil {
		t.Errorf("from a new place later: %v", err)
	}
}

// TestLoginIsThrottled: tries are counted before they are judged, so that side by side no more get through than one by one.
func TestLoginIsThrottled(t *testing.T) {
	w := newWorld(t, Options{})
	var judged atomic.Int32
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			_, err := w.s.Login(t.Context(), LoginOrder{Login: w.user.Login, Password: "wrong", TOTP: "1", Client: from("192.0.2.9")})
			if errors.Is(err, ErrLoginFailed) {
				judged.Add(1)
			}
		})
	}
	all.Wait()
	if judged.Load() != 10 {
		t.Errorf("%d of 40 passwords were looked at", judged.Load())
	}
}

// TestI18_ALoginThatCannotBeRecordedDoesNotHappen, nor is a wrong password answered as such.
func TestI18_ALoginThatCannotBeRecordedDoesNotHappen(t *testing.T) {
	w := newWorld(t, Options{})
	w.must(w.Facts.Read(t.Context()).Exec("ALTER TABLE ledger_pending RENAME TO ledger_pending_gone").Error)
	for _, password := range []string{rightPassword, "wrong"} {
		if _, err := w.login(from("192.0.2.1"), password); err == nil || errors.Is(err, ErrLoginFailed) {
			t.Errorf("answered %v", err)
		}
	}
	var sessions int64
	w.must(w.Facts.Read(t.Context()).Model(&models.Session{}).Count(&sessions).Error)
	if sessions != 0 {
		t.Errorf("%d sessions were opened", sessions)
	}
}

// TestTheLedgerTellsLoginsApart, and shows no login that nobody has: it may be a password.
func TestTheLedgerTellsLoginsApart(t *testing.T) {
	w := newWorld(t, Options{})
	_, err := w.login(from("192.0.2.1"), rightPassword)
	w.must(err)
	w.next()
	if _, err := w.login(from("192.0.2.1"), "wrong"); !errors.Is(err, ErrLoginFailed) {
		t.Errorf("a wrong password with a right code: %v", err)
	}
	_, _ = w.s.Login(t.Context(), LoginOrder{Login: "my-secret-typed-here", Password: "x", Client: from("192.0.2.1")})
	if got := w.actions(); !slices.Equal(got[len(got)-3:], []string{"session.opened", "session.refused", "session.refused"}) {
		t.Errorf("the entries are %v", got)
	}
	var opened struct {
		Authenticated models.Authentication
		UserID        uuid.UUID
		ActorID       uuid.UUID
	}
	w.must(w.Facts.Read(t.Context()).Raw("SELECT authenticated, user_id, actor_id FROM ledger_content WHERE action = 'session.opened'").Scan(&opened).Error)
	if opened.Authenticated != models.ByTOTP || opened.UserID != w.user.ID || opened.ActorID != w.person {
		t.Errorf("the login is of %+v", opened)
	}
	var all string
	w.must(w.Facts.Read(t.Context()).Raw("SELECT string_agg(row_to_json(c)::text, ' ') FROM ledger_content c").Scan(&all).Error)
	for _, shown := range []string{"my-secret-typed-here", rightPassword, w.secret} {
		if strings.Contains(all, shown) {
			t.Errorf("the ledger shows %q", shown)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	w := newWorld(t, Options{})
	open := func() string {
		w.next()
		opened, err := w.login(from("192.0.2.1"), rightPassword)
		w.must(err)
		return opened.Token
	}
	token := open()
	for range 3 {
		w.Advance(t, 20*time.Minute)
		if _, err := w.s.AuthenticateSession(t.Context(), token); err != nil {
			t.Fatalf("a session in use: %v", err)
		}
	}
	w.Advance(t, 31*time.Minute)
	if _, err := w.s.AuthenticateSession(t.Context(), token); !errors.Is(err, ErrSessionUnknown) {
		t.Errorf("after 31 idle minutes: %v", err)
	}
	token = open()
	for range 12*60/20 - 1 {
		w.Advance(t, 20*time.Minute)
		if _, err := w.s.AuthenticateSession(t.Context(), token); err != nil {
			t.Fatalf("a session in use: %v", err)
		}
	}
	listed, err := w.s.Sessions(t.Context(), w.user.ID)
	w.must(err)
	if len(listed) != 1 || !listed[0].IdleExpiresAt.Equal(listed[0].ExpiresAt) {
		t.Errorf("the sessions %+v: one, which is not extended beyond its end", listed)
	}
	w.Advance(t, 19*time.Minute)
	if _, err := w.s.AuthenticateSession(t.Context(), token); err != nil {
		t.Errorf("a minute before its end: %v", err)
	}
	w.Advance(t, time.Minute)
	if _, err := w.s.AuthenticateSession(t.Context(), token); !errors.Is(err, ErrSessionUnknown) {
		t.Errorf("after 12 hours: %v", err)
	}
}

// TestASessionEndsBeforeItsIdleTime: where sessions may idle for three hours, one that the sealed codes
// opened ends after one, and one that was opened otherwise stays.
func TestASessionEndsBeforeItsIdleTime(t *testing.T) {
	w := newWorld(t, Options{Idle: 3 * time.Hour})
	open := func(how models.Authentication) (token string, b Bearer) {
		w.must(w.run(func(tx *database.Tx) error {
			opened, session, err := w.s.Open(tx, Opening{User: w.user, Authenticated: how, Client: from("192.0.2.1")})
			token, b.SessionID = opened, session.ID
			return err
		}))
		return token, b
	}
	sealed, bySealed := open(models.ByBreakGlass)
	ordinary, _ := open(models.ByTOTP)
	w.Advance(t, 59*time.Minute)
	if _, err := Recheck(t.Context(), w.Facts, bySealed); err != nil { // which is not using it
		t.Errorf("before its end: %v", err)
	}
	w.Advance(t, time.Minute)
	if _, err := w.s.AuthenticateSession(t.Context(), sealed); !errors.Is(err, ErrSessionUnknown) {
		t.Errorf("after an hour: %v", err)
	}
	if _, err := w.s.AuthenticateSession(t.Context(), ordinary); err != nil {
		t.Errorf("the other one: %v", err)
	}
}

// TestSessionTokensAreNotStored: neither is one that was rotated, and it is dead after a step-up.
func TestSessionTokensAreNotStored(t *testing.T) {
	w := newWorld(t, Options{})
	opened, err := w.login(from("192.0.2.1"), rightPassword)
	w.must(err)
	var rotated string
	w.must(w.run(func(tx *database.Tx) (err error) {
		rotated, err = w.s.StepUp(tx, opened.Session.ID, databasetest.Entry(t, tx))
		return err
	}))
	if _, err := w.s.AuthenticateSession(t.Context(), opened.Token); !errors.Is(err, ErrSessionUnknown) {
		t.Errorf("the former token: %v", err)
	}
	bearer, err := w.s.AuthenticateSession(t.Context(), rotated)
	if err != nil || bearer.SessionID != opened.Session.ID || bearer.SteppedUpAt == nil {
		t.Errorf("the new one: %+v, %v", bearer, err)
	}
	var row string
	w.must(w.Facts.Read(t.Context()).Raw("SELECT row_to_json(s)::text FROM sessions s").Scan(&row).Error)
	if strings.Contains(row, rotated) || strings.Contains(row, opened.Token) {
		t.Error("the row shows a token")
	}
}

func TestCookies(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.s.SessionCookie("x")
	if c.Name != "__Host-lethe" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" {
		t.Errorf("the cookie is %v", c)
	}
	if token, ok := w.s.TokenOf("a=b; __Host-lethe=secret; c=d"); !ok || token != "secret" {
		t.Errorf("read %q %v", token, ok)
	}
	for _, header := range []string{"", "lethe=secret", "__Host-lethe=", "__Host-lethe=a; __Host-lethe=b"} {
		if token, ok := w.s.TokenOf(header); ok {
			t.Errorf("%q is %q", header, token)
		}
	}
	w.s.options.Insecure = true
	if c := w.s.SessionCookie("x"); c.Name != "lethe" || c.Secure {
		t.Errorf("in development the cookie is %v", c)
	}
}

// TestTracesOfSessionsAreNotKept: address and browser of a session go 30 days after its end, a place 180
// days after it was used last, and what is younger stays.
func TestTracesOfSessionsAreNotKept(t *testing.T) {
	w := newWorld(t, Options{})
	logins := 0
	login := func() {
		t.Helper()
		logins++
		_, err := w.login(Client{Address: from(fmt.Sprintf("192.0.2.%d", logins)).Address, Agent: "Mozilla/5.0", Device: "1"}, rightPassword)
		w.must(err)
	}
	left := func(sessions, places int64) {
		t.Helper()
		for what, k := range map[string]struct {
			query string
			want  int64
		}{
			"sessions with an address": {"SELECT count(*) FROM sessions WHERE address <> ''", sessions},
			"sessions with a browser":  {"SELECT count(*) FROM sessions WHERE agent <> ''", sessions},
			"places":                   {"SELECT count(*) FROM known_places", places},
		} {
			var n int64
			w.must(w.Facts.Read(t.Context()).Raw(k.query).Scan(&n).Error)
			if n != k.want {
				t.Errorf("after login %d there are %d %s, want %d", logins, n, what, k.want)
			}
		}
	}
	login()
	var easy int64
	w.must(w.Facts.Read(t.Context()).Raw("SELECT count(*) FROM known_places WHERE key_hash = ?", w.digest("device", "1")).Scan(&easy).Error)
	if easy != 0 {
		t.Error("a device's name that a browser made up is remembered")
	}
	const ends, day = 12 * time.Hour, 24 * time.Hour
	w.Advance(t, time.Hour)
	login()
	w.Advance(t, ends+30*day-90*time.Minute) // half an hour before the first one's time
	login()
	left(3, 6)
	w.Advance(t, time.Hour)
	login()
	left(3, 8)
	w.Advance(t, 180*day-30*time.Minute) // half an hour before the last one's places, and after the others'
	login()
	left(1, 4)
}

// TestTheCodeThatConfirmedASecretIsUsed: a code is good for one thing, and confirming the secret was it.
func TestTheCodeThatConfirmedASecretIsUsed(t *testing.T) {
	w := newWorld(t, Options{})
	by := Bearer{UserID: w.user.ID, Actor: models.Actor{EmployeeID: w.person, Role: models.RoleHRAdmin}}
	var secret TOTP
	w.must(w.run(func(tx *database.Tx) (err error) {
		secret, err = w.s.BeginTOTP(tx, w.user.ID)
		return err
	}))
	code := w.code(secret.Secret, 0)
	confirm := func(tx *database.Tx) error {
		_, err := w.s.ConfirmTOTP(tx, by, code)
		return err
	}
	w.must(w.run(confirm))
	if err := w.run(confirm); !errors.Is(err, ErrCode) {
		t.Errorf("confirmed once more: %v", err)
	}
	check := func(code string) error {
		return w.run(func(tx *database.Tx) error { return w.s.CheckTOTP(tx, w.reload(), code) })
	}
	if err := check(code); !errors.Is(err, ErrCode) {
		t.Errorf("the code that confirmed, once more: %v", err)
	}
	if err := check(w.code(secret.Secret, -1)); !errors.Is(err, ErrCode) {
		t.Errorf("the code before it: %v", err)
	}
	if err := check(w.code(secret.Secret, 1)); err != nil {
		t.Errorf("the code after it: %v", err)
	}
}
