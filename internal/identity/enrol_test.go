package identity

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// newcomer makes a user as an approved request does: first asked, second approved.
func (w *world) newcomer(first, second models.Actor, login string) (user models.User) {
	w.t.Helper()
	person := w.Hire(w.t, "CN").EmployeeID
	ctx := models.WithCaller(context.Background(), models.Caller{Actor: second, Authenticated: models.ByTOTP})
	w.must(database.Run(ctx, w.Facts, func(tx *database.Tx) (err error) {
		user, err = CreateUser(tx, first, NewUser{EmployeeID: person, Login: login, Roles: []models.Role{models.RoleReviewer}})
		return err
	}))
	return user
}

func (w *world) half(by models.Actor, user models.User) (code string, err error) {
	w.t.Helper()
	err = w.run(func(tx *database.Tx) error {
		code, err = giveHalf(tx, by, user.ID)
		return err
	})
	return code, err
}

func (w *world) twoPeople() (first, second models.Actor) {
	return models.Actor{EmployeeID: w.person, Role: models.RoleHRAdmin},
		models.Actor{EmployeeID: w.Hire(w.t, "CN").EmployeeID, Role: models.RoleReviewer}
}

// TestI21_NeitherOfTwoCanEnrolAlone: who asked for a user and who approved it have one half of the
// code each, and only both open it.
func TestI21_NeitherOfTwoCanEnrolAlone(t *testing.T) {
	w := newWorld(t, Options{})
	first, second := w.twoPeople()
	user := w.newcomer(first, second, "New.Comer")
	one, err := w.half(first, user)
	w.must(err)
	begin := func(code string) error {
		_, err := w.s.BeginEnrolment(t.Context(), Enrolling{Login: "new.comer", Code: code}, "noch ein Satz über Wind")
		return err
	}
	for name, code := range map[string]string{"one half": one, "one half twice": one + one, "nothing": ""} {
		if err := begin(code); !errors.Is(err, ErrEnrolment) {
			t.Errorf("%s before the other was collected: %v", name, err)
		}
	}
	two, err := w.half(second, user)
	w.must(err)
	for name, code := range map[string]string{"one half": one, "one half twice": one + one, "the other": two} {
		if err := begin(code); !errors.Is(err, ErrEnrolment) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.half(first, user); !errors.Is(err, ErrAlreadyDelivered) {
		t.Errorf("collected again: %v", err)
	}
	third := models.Actor{EmployeeID: w.Hire(t, "CN").EmployeeID, Role: models.RoleHRAdmin}
	if _, err := w.half(third, user); !errors.Is(err, ErrNotYourHalf) {
		t.Errorf("a third person: %v", err)
	}
	if err := begin(two + " " + one); err != nil {
		t.Errorf("both: %v", err)
	}
}

func TestI21_CreatedOrResetUntilTheOwnerHasEnrolled(t *testing.T) {
	w := newWorld(t, Options{})
	first, second := w.twoPeople()
	user := w.newcomer(first, second, "newcomer")
	made := func(by uuid.UUID) (yes bool) {
		w.must(w.run(func(tx *database.Tx) (err error) {
			yes, err = CreatedOrReset(tx, by, user.ID)
			return err
		}))
		return yes
	}
	if !made(first.EmployeeID) || made(second.EmployeeID) {
		t.Error("a new user is not its creator's")
	}
	w.enrol(user, first, second)
	if made(first.EmployeeID) {
		t.Error("after the owner enrolled it is still its creator's")
	}
	w.must(w.run(func(tx *database.Tx) error { _, err := w.s.Reset(tx, second, user.ID); return err }))
	if !made(second.EmployeeID) || made(first.EmployeeID) {
		t.Error("after a reset it is not its resetter's")
	}
}

// enrol walks an owner through and returns the authenticator's secret.
func (w *world) enrol(user models.User, first, second models.Actor) string {
	w.t.Helper()
	one, err := w.half(first, user)
	w.must(err)
	two, err := w.half(second, user)
	w.must(err)
	e := Enrolling{Login: user.Login, Code: one, Second: two}
	made, err := w.s.BeginEnrolment(context.Background(), e, "noch ein Satz über Wind")
	w.must(err)
	if !slices.Contains(w.actions(), "enrolment.begun") {
		w.t.Error("a password was set, and the ledger does not know")
	}
	if _, err := w.s.FinishEnrolment(context.Background(), e, "000000"); !errors.Is(err, ErrCode) {
		w.t.Errorf("confirmed with a wrong code: %v", err)
	}
	recovery, err := w.s.FinishEnrolment(context.Background(), e, w.code(made.Secret, 0))
	w.must(err)
	if len(recovery) != recoveryCodes {
		w.t.Errorf("%d recovery codes", len(recovery))
	}
	if _, err := w.s.FinishEnrolment(context.Background(), e, w.code(made.Secret, 1)); !errors.Is(err, ErrEnrolment) {
		w.t.Errorf("enrolled twice: %v", err)
	}
	return made.Secret
}

func TestEnrolment(t *testing.T) {
	w := newWorld(t, Options{})
	first, second := w.twoPeople()
	w.user = w.newcomer(first, second, "newcomer")
	w.secret = w.enrol(w.user, first, second)
	w.next()
	opened, err := w.login(from("192.0.2.1"), "noch ein Satz über Wind")
	w.must(err)
	if opened.Session.Role != models.RoleReviewer {
		t.Errorf("the role is %s", opened.Session.Role)
	}
	var secret string
	w.must(w.run(func(tx *database.Tx) (err error) {
		secret, _, err = Issue(tx, w.user.EmployeeID, models.RoleReviewer, "", time.Hour, true)
		return err
	}))
	w.must(database.Run(models.WithCaller(t.Context(), models.Caller{Actor: second, Authenticated: models.ByTOTP}), w.Facts,
		func(tx *database.Tx) error { _, err := w.s.Reset(tx, first, w.user.ID); return err }))
	if _, err := w.s.AuthenticateSession(t.Context(), opened.Token); !errors.Is(err, ErrSessionUnknown) {
		t.Errorf("the session after a reset: %v", err)
	}
	if _, err := Authenticate(t.Context(), w.Facts, secret, true); !errors.Is(err, ErrTokenRevoked) {
		t.Errorf("the token after a reset: %v", err)
	}
	w.next()
	if _, err := w.login(from("192.0.2.1"), "noch ein Satz über Wind"); !errors.Is(err, ErrLoginFailed) {
		t.Errorf("a login after a reset: %v", err)
	}
	// The user is active again, and nothing of before is.
	w.secret = w.enrol(w.user, first, second)
	w.next()
	_, err = w.login(from("192.0.2.1"), "noch ein Satz über Wind")
	w.must(err)
	if _, err := w.s.AuthenticateSession(t.Context(), opened.Token); !errors.Is(err, ErrSessionUnknown) {
		t.Errorf("the session from before the reset, once the owner has enrolled anew: %v", err)
	}
	if _, err := Authenticate(t.Context(), w.Facts, secret, true); !errors.Is(err, ErrTokenRevoked) {
		t.Errorf("the token from before the reset, once the owner has enrolled anew: %v", err)
	}
}

// TestEnrolmentExpires: a code opens a user for 72 hours, and what comes later is told that and nothing
// else, and recorded; so is who collects a half too late, and who began in time.
func TestEnrolmentExpires(t *testing.T) {
	w := newWorld(t, Options{})
	first, second := w.twoPeople()
	user, other := w.newcomer(first, second, "newcomer"), w.newcomer(first, second, "another")
	one, err := w.half(first, user)
	w.must(err)
	two, err := w.half(second, user)
	w.must(err)
	_, err = w.half(first, other)
	w.must(err)
	e := Enrolling{Login: user.Login, Code: one, Second: two}
	begin := func(password string) error {
		_, err := w.s.BeginEnrolment(t.Context(), e, password)
		return err
	}
	lock := func() error {
		return w.run(func(tx *database.Tx) error { return w.s.lockEnrolment(tx, user.ID, e) })
	}
	w.Advance(t, 72*time.Hour-time.Minute)
	w.must(errors.Join(begin("noch ein Satz über Wind"), lock()))
	w.Advance(t, time.Minute)
	for _, password := range []string{"noch ein Satz über Wind", "kurz"} {
		if err := begin(password); !errors.Is(err, ErrEnrolment) {
			t.Errorf("%q after its time: %v", password, err)
		}
	}
	if err := lock(); !errors.Is(err, ErrEnrolment) {
		t.Errorf("out of time between two looks: %v", err)
	}
	if _, err := w.half(second, other); !errors.Is(err, ErrEnrolment) {
		t.Errorf("a half after its time: %v", err)
	}
	if n := len(slices.DeleteFunc(w.actions(), func(a string) bool { return a != "enrolment.refused" })); n != 2 {
		t.Errorf("%d entries of a refusal for two codes after their time", n)
	}
}

func TestBootstrapHappensOnce(t *testing.T) {
	w := newWorld(t, Options{})
	a, b := w.Hire(t, "CN").EmployeeID, w.Hire(t, "CN").EmployeeID
	bootstrap := func(a, b uuid.UUID) (codes [2]string, err error) {
		ctx := models.WithCaller(context.Background(), models.Caller{Actor: models.System, Authenticated: models.ByHost})
		err = database.Run(ctx, w.Facts, func(tx *database.Tx) error {
			codes, err = Bootstrap(tx, FirstUser{EmployeeID: a, Login: "first"}, FirstUser{EmployeeID: b, Login: "second"})
			return err
		})
		return codes, err
	}
	if _, err := bootstrap(a, b); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("with users there: %v", err)
	}
	// What refers to users goes with them: imports, and the departures that came by one.
	w.must(w.Facts.Read(t.Context()).Exec("ALTER TABLE departures DROP COLUMN batch_id CASCADE, DROP COLUMN begun_batch_id CASCADE; TRUNCATE users CASCADE").Error)
	if _, err := bootstrap(a, a); !errors.Is(err, ErrOnePerson) {
		t.Errorf("one person twice: %v", err)
	}
	codes, err := bootstrap(a, b)
	w.must(err)
	renew := func() (renewed []string, err error) {
		err = w.run(func(tx *database.Tx) (err error) {
			_, renewed, err = RenewBootstrap(tx)
			return err
		})
		return renewed, err
	}
	former := Enrolling{Login: "first", Code: codes[0]}
	_, err = w.s.BeginEnrolment(t.Context(), former, "noch ein Satz über Wind")
	w.must(err)
	fresh, err := renew() // one had begun, and lost the code
	w.must(err)
	if _, err := w.s.BeginEnrolment(t.Context(), former, "noch ein Satz über Wind"); !errors.Is(err, ErrEnrolment) {
		t.Errorf("the former code: %v", err)
	}
	e := Enrolling{Login: "first", Code: fresh[0]}
	made, err := w.s.BeginEnrolment(t.Context(), e, "noch ein Satz über Wind")
	w.must(err)
	_, err = w.s.FinishEnrolment(t.Context(), e, w.code(made.Secret, 0))
	w.must(err)
	if _, err := renew(); !errors.Is(err, ErrEnrolled) {
		t.Errorf("once one has enrolled: %v", err)
	}
	if _, err := w.s.BeginEnrolment(t.Context(), Enrolling{Login: "second", Code: codes[0]}, "noch ein Satz über Wind"); !errors.Is(err, ErrEnrolment) {
		t.Errorf("the other's code: %v", err)
	}
	if !slices.Contains(w.actions(), "installation.bootstrapped") {
		t.Error("it is not in the ledger")
	}
}

func TestBreakGlass(t *testing.T) {
	w := newWorld(t, Options{})
	var one, two string
	seal := func() {
		w.must(w.run(func(tx *database.Tx) (err error) {
			one, two, err = SealBreakGlass(tx)
			return err
		}))
	}
	seal()
	former := one
	seal()
	try := func(login, first, second string) (Opened, error) {
		return w.s.BreakGlass(t.Context(), BreakGlassOrder{Login: login, First: first, Second: second, Client: from("192.0.2.1")})
	}
	for name, c := range map[string][3]string{
		"one code twice": {w.user.Login, one, one}, "a former code": {w.user.Login, former, two},
		"one code": {w.user.Login, one, ""}, "nobody": {"nobody", one, two},
	} {
		if _, err := try(c[0], c[1], c[2]); !errors.Is(err, ErrBreakGlass) {
			t.Errorf("%s: %v", name, err)
		}
	}
	opened, err := try(w.user.Login, two, one)
	w.must(err)
	bearer, err := w.s.AuthenticateSession(t.Context(), opened.Token)
	if err != nil || !bearer.BreakGlass || bearer.Authenticated != models.ByBreakGlass {
		t.Errorf("the bearer is %+v, %v", bearer, err)
	}
	if _, err := try(w.user.Login, one, two); !errors.Is(err, ErrBreakGlass) {
		t.Errorf("used twice: %v", err)
	}
	other := w.grant(w.Hire(t, "CN").EmployeeID, models.RoleEmployee)
	for _, user := range []models.User{w.user, other} {
		notices, err := Notices(t.Context(), w.Facts, user.ID)
		if err != nil || len(notices) != 1 || notices[0].Kind != NoticeBreakGlass {
			t.Fatalf("%s is told %+v, %v", user.Login, notices, err)
		}
		w.must(w.run(func(tx *database.Tx) error { return Acknowledge(tx, user.ID, notices[0].ID) }))
		if notices, err = Notices(t.Context(), w.Facts, user.ID); err != nil || len(notices) != 0 {
			t.Errorf("after acknowledging: %+v, %v", notices, err)
		}
	}
	for range 3 {
		w.Advance(t, 19*time.Minute)
		_, err = w.s.AuthenticateSession(t.Context(), opened.Token)
		w.must(err)
	}
	w.Advance(t, 4*time.Minute)
	if _, err := w.s.AuthenticateSession(t.Context(), opened.Token); !errors.Is(err, ErrSessionUnknown) {
		t.Errorf("after an hour: %v", err)
	}
}

func TestI23_RevokedRoleStopsItsTokensAndSessionsAlone(t *testing.T) {
	w := newWorld(t, Options{})
	w.grant(w.person, models.RoleAuditor)
	tokens := map[models.Role]string{}
	for _, role := range []models.Role{models.RoleHRAdmin, models.RoleAuditor} {
		w.must(w.run(func(tx *database.Tx) (err error) {
			tokens[role], _, err = Issue(tx, w.person, role, "", time.Hour, true)
			return err
		}))
	}
	w.must(w.run(func(tx *database.Tx) error { return RevokeRole(tx, w.user.ID, models.RoleAuditor, models.System) }))
	if _, err := Authenticate(t.Context(), w.Facts, tokens[models.RoleAuditor], true); !errors.Is(err, ErrTokenRevoked) {
		t.Errorf("a token of the role: %v", err)
	}
	if _, err := Authenticate(t.Context(), w.Facts, tokens[models.RoleHRAdmin], true); err != nil {
		t.Errorf("a token of another role: %v", err)
	}
	// Even a row that says otherwise opens nothing without the role.
	w.must(databasetest.Unguarded(w.Facts, "api_tokens", "api_tokens_matter",
		"ALTER TABLE api_tokens DISABLE TRIGGER api_tokens_unrecorded; UPDATE api_tokens SET revoked_at = NULL; ALTER TABLE api_tokens ENABLE ALWAYS TRIGGER api_tokens_unrecorded"))
	if _, err := Authenticate(t.Context(), w.Facts, tokens[models.RoleAuditor], true); !errors.Is(err, ErrUserEnded) {
		t.Errorf("a token of a role that is not held: %v", err)
	}
	w.must(w.run(func(tx *database.Tx) error { return Grant(tx, w.user.ID, models.RoleAuditor, models.System) }))
	if _, err := Authenticate(t.Context(), w.Facts, tokens[models.RoleAuditor], true); err != nil {
		t.Errorf("granted again: %v", err)
	}
}

// An owner is confirmed by a login of the company's provider, towards everybody but who linked that login,
// which may be one of theirs, and by two others on the host, towards everybody. A reset begins anew.
func TestI21_AnOwnerIsConfirmed(t *testing.T) {
	w := newWorld(t, Options{})
	first, second := w.twoPeople()
	user := w.newcomer(first, second, "owner")
	w.enrol(user, first, second)
	held := func(want ...bool) {
		t.Helper()
		for i, holder := range []models.Actor{first, second} {
			var got bool
			w.must(w.run(func(tx *database.Tx) (err error) {
				got, err = HeldHalf(tx, holder.EmployeeID, user.ID)
				return err
			}))
			if got != want[i] {
				t.Errorf("holder %d: unconfirmed %v, want %v", i+1, got, want[i])
			}
		}
	}
	held(true, true)
	owner := models.Actor{EmployeeID: user.EmployeeID, Role: models.RoleReviewer}
	var link models.OIDCLink
	w.must(w.run(func(tx *database.Tx) (err error) {
		if link, err = LinkLogin(tx, user.ID, "https://login.example", "s", first); err != nil {
			return err
		}
		return confirmOwnerBy(tx, owner, user, link)
	}))
	held(true, false) // the first one linked it
	bearer := func(person uuid.UUID) Bearer {
		u := w.grant(person, models.RoleITOps)
		return Bearer{UserID: u.ID, Actor: models.Actor{EmployeeID: person, Role: models.RoleITOps}}
	}
	confirm := func(login string, a, b Bearer) error {
		return w.run(func(tx *database.Tx) error {
			_, err := ConfirmOwner(tx, login, [2]Bearer{a, b})
			return err
		})
	}
	holder, third := bearer(first.EmployeeID), bearer(w.Hire(t, "CN").EmployeeID)
	again := third // the same person as another user
	w.must(w.run(func(tx *database.Tx) error {
		u, err := EnsureUser(tx, third.Actor.EmployeeID, "third.again")
		again.UserID = u.ID
		return err
	}))
	// The user of one was asked for by the first person; of the code of the other the second one has a half.
	made := bearer(w.newcomer(first, second, "made").EmployeeID)
	enrolled := w.newcomer(third.Actor, second, "enrolled")
	_, err := w.half(second, enrolled)
	w.must(err)
	given := bearer(enrolled.EmployeeID)
	partner := bearer(second.EmployeeID)
	for name, k := range map[string]struct {
		err, want error
	}{
		"one person twice":            {confirm("owner", third, third), ErrNotTwoPeople},
		"one person as two users":     {confirm("owner", third, again), ErrNotTwoPeople},
		"who made the other's user":   {confirm("owner", holder, made), ErrNotTwoPeople},
		"whose user the other made":   {confirm("owner", made, holder), ErrNotTwoPeople},
		"who has a half of the other": {confirm("owner", partner, given), ErrNotTwoPeople},
		"whose half the other has":    {confirm("owner", given, partner), ErrNotTwoPeople},
		"the owner":                   {confirm("owner", third, bearer(user.EmployeeID)), ErrOwnerConfirms},
		"the owner first":             {confirm("owner", bearer(user.EmployeeID), third), ErrOwnerConfirms},
		"nobody's":                    {confirm("nobody", holder, third), ErrNoSuchUser},
	} {
		if !errors.Is(k.err, k.want) {
			t.Errorf("%s: %v, want %v", name, k.err, k.want)
		}
	}
	held(true, false)
	w.must(confirm("OWNER", holder, third))
	held(false, false)
	w.must(confirm("owner", holder, third)) // a second time changes nothing
	if n := len(slices.DeleteFunc(w.actions(), func(a string) bool { return a != "user.owner_confirmed" })); n != 2 {
		t.Errorf("%d entries of a confirmation, want 2", n)
	}
	w.must(w.run(func(tx *database.Tx) error { _, err := w.s.Reset(tx, first, user.ID); return err }))
	_, err = w.half(first, user)
	w.must(err)
	held(true, false)
	if err := confirm("owner", holder, third); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("before the owner enrolled: %v", err)
	}
}
