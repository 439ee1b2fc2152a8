package users_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/api/users"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

const newPassword = "vier andere Wörter im Regen"

// again is another session of the same user.
func again(v *apitest.Visitor, role models.Role) *apitest.Visitor {
	v.F.T.Helper()
	return v.F.PlainSession(v.F.People[role], role)
}

func ended(v *apitest.Visitor) bool {
	v.F.T.Helper()
	return v.Ask("GET", "/api/v1/me", "").Status == http.StatusUnauthorized
}

// Changing the password takes the present one, whatever the session has shown before, and ends
// whatever else is open.
func TestPasswordIsChanged(t *testing.T) {
	f := apitest.New(t)
	a := f.Enrolled(f.People[httpkit.HR], httpkit.HR)
	mine := f.Session(httpkit.HR)
	other := again(mine, httpkit.HR)
	change := func(present, next string) apitest.Reply {
		return mine.Ask("PUT", "/api/v1/me/password", `{"current_password": "`+present+`", "new_password": "`+next+`"}`)
	}
	if got := change("something else entirely", newPassword); got.Status < 400 || got.Status >= 500 {
		t.Errorf("without the present password: %d", got.Status)
	}
	if got := change(a.Password, "password1234"); got.Status != http.StatusUnprocessableEntity {
		t.Errorf("a common one: %d %s", got.Status, got.Problem.Code)
	}
	if ended(other) {
		t.Error("a refused change ended a session")
	}
	if got := change(a.Password, newPassword); got.Status != http.StatusNoContent {
		t.Fatalf("answered %d %s", got.Status, got.Body)
	}
	if ended(mine) || !ended(other) {
		t.Errorf("ended: mine %v, the other %v", ended(mine), ended(other))
	}
	if got := f.Login(a, f.Code(a, 0)); got.Status != http.StatusUnauthorized {
		t.Errorf("with the old one: %d", got.Status)
	}
	a.Password = newPassword
	if got := f.Login(a, f.Code(a, 0)); got.Status != http.StatusCreated {
		t.Errorf("with the new one: %d %s", got.Status, got.Body)
	}
}

// A change of the password is no way to guess the present one: each try is recorded, and too many end
// the session.
func TestGuessingThePasswordOfASessionIsRecordedAndEndsIt(t *testing.T) {
	f := apitest.New(t)
	f.Enrolled(f.People[httpkit.HR], httpkit.HR)
	v := f.PlainSession(f.People[httpkit.HR], httpkit.HR)
	tries, last := 0, apitest.Reply{}
	for range 15 {
		last = v.Ask("PUT", "/api/v1/me/password", `{"current_password": "something else entirely", "new_password": "`+newPassword+`"}`)
		if last.Status != http.StatusUnauthorized {
			break
		}
		tries++
	}
	if last.Status != http.StatusTooManyRequests || !ended(v) {
		t.Errorf("after %d tries: %d %s, ended %v", tries, last.Status, last.Problem.Code, ended(v))
	}
	f.WantEntries("password.change_refused", tries)
}

func TestAWrongEnrolmentCodeIsRecorded(t *testing.T) {
	f := apitest.New(t)
	for _, path := range []string{"/api/v1/enrolments", "/api/v1/enrolments/confirmation"} {
		body := `{"login": "nobody", "code": "AAAA-BBBB", "password": "` + newPassword + `"}`
		if strings.HasSuffix(path, "confirmation") {
			body = `{"login": "nobody", "code": "AAAA-BBBB", "totp": "123456"}`
		}
		if got := f.Ask("", "POST", path, body); got.Status < 400 || got.Status >= 500 {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	f.WantEntries("enrolment.refused", 2)
}

// A new authenticator needs a step-up, works from its first code on, and ends whatever else is open.
func TestI22_ANewAuthenticatorNeedsAStepUp(t *testing.T) {
	f := apitest.New(t)
	a := f.Enrolled(f.People[httpkit.HR], httpkit.HR)
	mine := f.PlainSession(f.People[httpkit.HR], httpkit.HR)
	other := again(mine, httpkit.HR)
	for _, path := range []string{"/api/v1/totp", "/api/v1/recovery-codes"} {
		if got := mine.Ask("POST", path, ""); got.Problem.Code != "step_up_required" {
			t.Errorf("%s without a step-up: %d %s", path, got.Status, got.Problem.Code)
		}
	}
	stepped := mine.Ask("POST", "/api/v1/step-ups", `{"password": "`+a.Password+`"}`)
	before := mine.Token
	mine.Token = apitest.CookieOf(t, stepped, "lethe").Value
	var made users.SecondFactor
	mine.Ask("POST", "/api/v1/totp", "").Into(t, &made)
	if got := f.Login(a, f.Code(a, 0)); got.Status != http.StatusCreated {
		t.Errorf("the old authenticator before the new one is confirmed: %d", got.Status)
	}
	now, err := f.Env.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(made.Secret, now)
	if err != nil {
		t.Fatal(err)
	}
	var codes users.RecoveryCodes
	mine.Ask("POST", "/api/v1/totp/confirmation", `{"totp": "`+code+`"}`).Into(t, &codes)
	if !ended(other) || ended(mine) {
		t.Errorf("ended: the other %v, mine %v", ended(other), ended(mine))
	}
	if got := f.Ask("", "GET", "/api/v1/me", "", "Cookie", "lethe="+before); got.Status != http.StatusUnauthorized {
		t.Errorf("the cookie from before the step-up: %d", got.Status)
	}
	if got := f.Login(a, f.Code(a, 1)); got.Status != http.StatusUnauthorized {
		t.Errorf("the old authenticator: %d", got.Status)
	}
}

func TestSessionsAreListedAndRevoked(t *testing.T) {
	f := apitest.New(t)
	mine := f.PlainSession(f.People[httpkit.HR], httpkit.HR)
	other, theirs := again(mine, httpkit.HR), f.PlainSession(f.People[httpkit.Auditor], httpkit.Auditor)
	var page httpkit.Page[users.SessionView]
	mine.Ask("GET", "/api/v1/sessions", "").Into(t, &page)
	listed := map[uuid.UUID]bool{}
	for _, s := range page.Items {
		listed[s.ID] = s.Current
	}
	if current, ok := listed[other.ID]; len(listed) != 2 || !listed[mine.ID] || !ok || current {
		t.Errorf("listed %v", listed)
	}
	if got := mine.Ask("DELETE", "/api/v1/sessions/"+theirs.ID.String(), ""); got.Status != http.StatusNotFound || ended(theirs) {
		t.Errorf("somebody else's: %d", got.Status)
	}
	if got := mine.Ask("DELETE", "/api/v1/sessions/"+other.ID.String(), ""); got.Status != http.StatusNoContent || !ended(other) || ended(mine) {
		t.Errorf("the own other one: %d", got.Status)
	}
}

func TestI23_DisablingAUserEndsEverything(t *testing.T) {
	f := apitest.New(t)
	session := f.PlainSession(f.People[httpkit.Auditor], httpkit.Auditor)
	if got := f.Session(httpkit.HR).Ask("POST", "/api/v1/users/"+session.UserID.String()+"/disabling", ""); got.Status >= 300 {
		t.Fatalf("answered %d %s", got.Status, got.Body)
	}
	if !ended(session) {
		t.Error("the session goes on")
	}
	if got := f.Ask(httpkit.Auditor, "GET", "/api/v1/me", ""); got.Status != http.StatusUnauthorized {
		t.Errorf("the token goes on: %d", got.Status)
	}
}

// A login leaves nothing of what the browser held before, whoever's it was.
func TestALoginEndsTheBrowsersFormerSession(t *testing.T) {
	f := apitest.New(t)
	a := f.Enrolled(f.People[httpkit.HR], httpkit.HR)
	before, elsewhere := f.PlainSession(f.People[httpkit.Auditor], httpkit.Auditor), f.PlainSession(f.People[httpkit.Auditor], httpkit.Auditor)
	got := f.Login(a, f.Code(a, 0), "Cookie", "lethe="+before.Token)
	if got.Status != http.StatusCreated || apitest.CookieOf(t, got, "lethe").Value == before.Token {
		t.Fatalf("answered %d %s", got.Status, got.Body)
	}
	if !ended(before) || ended(elsewhere) {
		t.Errorf("ended: the browser's %v, one elsewhere %v", ended(before), ended(elsewhere))
	}
	a.Password = "not the password"
	mine := f.PlainSession(f.People[httpkit.Auditor], httpkit.Auditor)
	if got := f.Login(a, f.Code(a, 1), "Cookie", "lethe="+mine.Token); got.Status != http.StatusUnauthorized || ended(mine) {
		t.Errorf("a failed login: %d, ended %v", got.Status, ended(mine))
	}
}

// Who found a browser open guesses a few times, and then holds nothing.
func TestGuessingInASessionEndsIt(t *testing.T) {
	f := apitest.New(t)
	f.Enrolled(f.People[httpkit.HR], httpkit.HR)
	v := f.PlainSession(f.People[httpkit.HR], httpkit.HR)
	var last apitest.Reply
	for range 15 {
		if last = v.Ask("POST", "/api/v1/step-ups", `{"totp": "000000"}`); last.Problem.Code != "step_up_failed" {
			break
		}
	}
	if last.Status != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" || !ended(v) {
		t.Errorf("answered %d %s, Retry-After %q, ended %v", last.Status, last.Problem.Code, last.Header.Get("Retry-After"), ended(v))
	}
}

// Whoever linked a login with an account may be the one who uses it: until the owner has confirmed it,
// its sessions make nothing that would outlive the link.
func TestI21_AnUnconfirmedLoginChangesNoCredentials(t *testing.T) {
	f := apitest.New(t)
	a := f.Enrolled(f.People[httpkit.HR], httpkit.HR)
	byPassword, byLogin := f.Session(httpkit.HR), f.OpenSession(f.People[httpkit.HR], httpkit.HR, models.ByOIDC)
	f.Exec("INSERT INTO oidc_links (id, user_id, issuer, subject, linked_by, ledger_entry_id) VALUES (?, ?, 'https://login.example', 's', ?, @entry)",
		uuid.New(), a.ID, f.People[httpkit.Auditor])
	f.Run(func(tx *database.Tx) (err error) {
		byLogin.Token, err = f.API.Identity.StepUp(tx, byLogin.ID, databasetest.Entry(f.T, tx))
		return err
	})
	calls := []struct{ method, path, body string }{
		{"POST", "/api/v1/recovery-codes", ""},
		{"POST", "/api/v1/totp", ""},
		{"POST", "/api/v1/totp/confirmation", `{"totp": "123456"}`},
		{"POST", "/api/v1/tokens", f.TokenOrder("")},
		{"PUT", "/api/v1/me/password", `{"current_password": "` + a.Password + `", "new_password": "` + newPassword + `"}`},
	}
	for _, c := range calls {
		if got := byLogin.Ask(c.method, c.path, c.body); got.Status != http.StatusForbidden || got.Problem.Code != "login_unconfirmed" {
			t.Errorf("%s %s by the login: %d %s", c.method, c.path, got.Status, got.Body)
		}
	}
	for _, c := range calls {
		if got := byPassword.Ask(c.method, c.path, c.body); got.Problem.Code == "login_unconfirmed" {
			t.Errorf("%s %s by password: %d %s", c.method, c.path, got.Status, got.Body)
		}
	}
	f.Exec("UPDATE oidc_links SET confirmed_at = lethe_now(), ledger_entry_id = @entry WHERE user_id = ?", a.ID)
	confirmed := f.OpenSession(f.People[httpkit.HR], httpkit.HR, models.ByOIDC)
	f.Run(func(tx *database.Tx) (err error) {
		confirmed.Token, err = f.API.Identity.StepUp(tx, confirmed.ID, databasetest.Entry(f.T, tx))
		return err
	})
	if got := confirmed.Ask("POST", "/api/v1/recovery-codes", ""); got.Status >= 300 {
		t.Errorf("once the owner has confirmed it: %d %s", got.Status, got.Body)
	}
}

// Taking access away stops others from doing their work: it takes somebody who is there, and has just
// proved it.
func TestI22_TakingAccessAwayNeedsAStepUp(t *testing.T) {
	f := apitest.New(t)
	theirs := f.PlainSession(f.People[httpkit.Auditor], httpkit.Auditor)
	plain, fresh := f.PlainSession(f.People[httpkit.HR], httpkit.HR), f.Session(httpkit.HR)
	user := "/api/v1/users/" + theirs.UserID.String()
	for _, c := range []struct{ method, path string }{{"DELETE", user + "/roles/auditor"}, {"POST", user + "/disabling"}} {
		if got := f.Ask(httpkit.HR, c.method, c.path, ""); got.Problem.Code != "session_required" {
			t.Errorf("%s %s by a token: %d %s", c.method, c.path, got.Status, got.Body)
		}
		if got := plain.Ask(c.method, c.path, ""); got.Problem.Code != "step_up_required" {
			t.Errorf("%s %s without a step-up: %d %s", c.method, c.path, got.Status, got.Body)
		}
	}
	if ended(theirs) {
		t.Fatal("a refused call took access away")
	}
	if got := fresh.Ask("DELETE", user+"/roles/auditor", ""); got.Status != http.StatusNoContent || !ended(theirs) {
		t.Errorf("taking a role away: %d %s", got.Status, got.Body)
	}
	if got := fresh.Ask("POST", user+"/disabling", ""); got.Status != http.StatusNoContent {
		t.Errorf("disabling: %d %s", got.Status, got.Body)
	}
}
