package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

const newPassword = "vier andere Wörter im Regen"

// again is another session of the same user.
func (v *visitor) again(role models.Role) *visitor {
	v.f.t.Helper()
	return v.f.plainSession(v.f.people[role], role)
}

func (v *visitor) ended() bool {
	v.f.t.Helper()
	return v.ask("GET", "/api/v1/me", "").status == http.StatusUnauthorized
}

// Changing the password takes the present one, whatever the session has shown before, and ends
// whatever else is open.
func TestPasswordIsChanged(t *testing.T) {
	f := newFixture(t)
	a := f.enrolled(f.people[hr], hr)
	mine := f.session(hr)
	other := mine.again(hr)
	change := func(present, next string) reply {
		return mine.ask("PUT", "/api/v1/me/password", `{"current_password": "`+present+`", "new_password": "`+next+`"}`)
	}
	if got := change("something else entirely", newPassword); got.status < 400 || got.status >= 500 {
		t.Errorf("without the present password: %d", got.status)
	}
	if got := change(a.password, "password1234"); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a common one: %d %s", got.status, got.problem.Code)
	}
	if other.ended() {
		t.Error("a refused change ended a session")
	}
	if got := change(a.password, newPassword); got.status != http.StatusNoContent {
		t.Fatalf("answered %d %s", got.status, got.body)
	}
	if mine.ended() || !other.ended() {
		t.Errorf("ended: mine %v, the other %v", mine.ended(), other.ended())
	}
	if got := f.login(a, f.code(a, 0)); got.status != http.StatusUnauthorized {
		t.Errorf("with the old one: %d", got.status)
	}
	a.password = newPassword
	if got := f.login(a, f.code(a, 0)); got.status != http.StatusCreated {
		t.Errorf("with the new one: %d %s", got.status, got.body)
	}
}

// A change of the password is no way to guess the present one: each try is recorded, and too many end
// the session.
func TestGuessingThePasswordOfASessionIsRecordedAndEndsIt(t *testing.T) {
	f := newFixture(t)
	f.enrolled(f.people[hr], hr)
	v := f.plainSession(f.people[hr], hr)
	tries, last := 0, reply{}
	for range 15 {
		last = v.ask("PUT", "/api/v1/me/password", `{"current_password": "something else entirely", "new_password": "`+newPassword+`"}`)
		if last.status != http.StatusUnauthorized {
			break
		}
		tries++
	}
	if last.status != http.StatusTooManyRequests || !v.ended() {
		t.Errorf("after %d tries: %d %s, ended %v", tries, last.status, last.problem.Code, v.ended())
	}
	f.wantEntries("password.change_refused", tries)
}

func TestAWrongEnrolmentCodeIsRecorded(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/api/v1/enrolments", "/api/v1/enrolments/confirmation"} {
		body := `{"login": "nobody", "code": "AAAA-BBBB", "password": "` + newPassword + `"}`
		if strings.HasSuffix(path, "confirmation") {
			body = `{"login": "nobody", "code": "AAAA-BBBB", "totp": "123456"}`
		}
		if got := f.ask("", "POST", path, body); got.status < 400 || got.status >= 500 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	f.wantEntries("enrolment.refused", 2)
}

// wantEntries counts the ledger's entries of an action.
func (f *fixture) wantEntries(action string, want int) {
	f.t.Helper()
	var n int
	f.run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT count(*) FROM ledger_content WHERE action = ?", action).Scan(&n).Error)
	})
	if n != want || want == 0 {
		f.t.Errorf("%d entries of %s, want %d", n, action, want)
	}
}

// A new authenticator needs a step-up, works from its first code on, and ends whatever else is open.
func TestI22_ANewAuthenticatorNeedsAStepUp(t *testing.T) {
	f := newFixture(t)
	a := f.enrolled(f.people[hr], hr)
	mine := f.plainSession(f.people[hr], hr)
	other := mine.again(hr)
	for _, path := range []string{"/api/v1/totp", "/api/v1/recovery-codes"} {
		if got := mine.ask("POST", path, ""); got.problem.Code != codeStepUpRequired {
			t.Errorf("%s without a step-up: %d %s", path, got.status, got.problem.Code)
		}
	}
	stepped := mine.ask("POST", "/api/v1/step-ups", `{"password": "`+a.password+`"}`)
	before := mine.token
	mine.token = cookieOf(t, stepped, "lethe").Value
	var made SecondFactor
	mine.ask("POST", "/api/v1/totp", "").into(t, &made)
	if got := f.login(a, f.code(a, 0)); got.status != http.StatusCreated {
		t.Errorf("the old authenticator before the new one is confirmed: %d", got.status)
	}
	now, err := f.env.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(made.Secret, now)
	if err != nil {
		t.Fatal(err)
	}
	var codes RecoveryCodes
	mine.ask("POST", "/api/v1/totp/confirmation", `{"totp": "`+code+`"}`).into(t, &codes)
	if !other.ended() || mine.ended() {
		t.Errorf("ended: the other %v, mine %v", other.ended(), mine.ended())
	}
	if got := f.ask("", "GET", "/api/v1/me", "", "Cookie", "lethe="+before); got.status != http.StatusUnauthorized {
		t.Errorf("the cookie from before the step-up: %d", got.status)
	}
	if got := f.login(a, f.code(a, 1)); got.status != http.StatusUnauthorized {
		t.Errorf("the old authenticator: %d", got.status)
	}
}

func TestSessionsAreListedAndRevoked(t *testing.T) {
	f := newFixture(t)
	mine := f.plainSession(f.people[hr], hr)
	other, theirs := mine.again(hr), f.plainSession(f.people[auditor], auditor)
	var page Page[SessionView]
	mine.ask("GET", "/api/v1/sessions", "").into(t, &page)
	listed := map[uuid.UUID]bool{}
	for _, s := range page.Items {
		listed[s.ID] = s.Current
	}
	if current, ok := listed[other.id]; len(listed) != 2 || !listed[mine.id] || !ok || current {
		t.Errorf("listed %v", listed)
	}
	if got := mine.ask("DELETE", "/api/v1/sessions/"+theirs.id.String(), ""); got.status != http.StatusNotFound || theirs.ended() {
		t.Errorf("somebody else's: %d", got.status)
	}
	if got := mine.ask("DELETE", "/api/v1/sessions/"+other.id.String(), ""); got.status != http.StatusNoContent || !other.ended() || mine.ended() {
		t.Errorf("the own other one: %d", got.status)
	}
}

func TestI23_DisablingAUserEndsEverything(t *testing.T) {
	f := newFixture(t)
	session := f.plainSession(f.people[auditor], auditor)
	if got := f.session(hr).ask("POST", "/api/v1/users/"+session.userID.String()+"/disabling", ""); got.status >= 300 {
		t.Fatalf("answered %d %s", got.status, got.body)
	}
	if !session.ended() {
		t.Error("the session goes on")
	}
	if got := f.ask(auditor, "GET", "/api/v1/me", ""); got.status != http.StatusUnauthorized {
		t.Errorf("the token goes on: %d", got.status)
	}
}

// A login leaves nothing of what the browser held before, whoever's it was.
func TestALoginEndsTheBrowsersFormerSession(t *testing.T) {
	f := newFixture(t)
	a := f.enrolled(f.people[hr], hr)
	before, elsewhere := f.plainSession(f.people[auditor], auditor), f.plainSession(f.people[auditor], auditor)
	got := f.login(a, f.code(a, 0), "Cookie", "lethe="+before.token)
	if got.status != http.StatusCreated || cookieOf(t, got, "lethe").Value == before.token {
		t.Fatalf("answered %d %s", got.status, got.body)
	}
	if !before.ended() || elsewhere.ended() {
		t.Errorf("ended: the browser's %v, one elsewhere %v", before.ended(), elsewhere.ended())
	}
	a.password = "not the password"
	mine := f.plainSession(f.people[auditor], auditor)
	if got := f.login(a, f.code(a, 1), "Cookie", "lethe="+mine.token); got.status != http.StatusUnauthorized || mine.ended() {
		t.Errorf("a failed login: %d, ended %v", got.status, mine.ended())
	}
}

// Who found a browser open guesses a few times, and then holds nothing.
func TestGuessingInASessionEndsIt(t *testing.T) {
	f := newFixture(t)
	f.enrolled(f.people[hr], hr)
	v := f.plainSession(f.people[hr], hr)
	var last reply
	for range 15 {
		if last = v.ask("POST", "/api/v1/step-ups", `{"totp": "000000"}`); last.problem.Code != codeStepUpFailed {
			break
		}
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" || !v.ended() {
		t.Errorf("answered %d %s, Retry-After %q, ended %v", last.status, last.problem.Code, last.header.Get("Retry-After"), v.ended())
	}
}

// Whoever linked a login with an account may be the one who uses it: until the owner has confirmed it,
// its sessions make nothing that would outlive the link.
func TestI21_AnUnconfirmedLoginChangesNoCredentials(t *testing.T) {
	f := newFixture(t)
	a := f.enrolled(f.people[hr], hr)
	byPassword, byLogin := f.session(hr), f.openSession(f.people[hr], hr, models.ByOIDC)
	f.exec("INSERT INTO oidc_links (id, user_id, issuer, subject, linked_by, ledger_entry_id) VALUES (?, ?, 'https://login.example', 's', ?, @entry)",
		uuid.New(), a.id, f.people[auditor])
	f.run(func(tx *database.Tx) (err error) {
		byLogin.token, err = f.server.Identity.StepUp(tx, byLogin.id, databasetest.Entry(f.t, tx))
		return err
	})
	calls := []struct{ method, path, body string }{
		{"POST", "/api/v1/recovery-codes", ""},
		{"POST", "/api/v1/totp", ""},
		{"POST", "/api/v1/totp/confirmation", `{"totp": "123456"}`},
		{"POST", "/api/v1/tokens", f.tokenOrder("")},
		{"PUT", "/api/v1/me/password", `{"current_password": "` + a.password + `", "new_password": "` + newPassword + `"}`},
	}
	for _, c := range calls {
		if got := byLogin.ask(c.method, c.path, c.body); got.status != http.StatusForbidden || got.problem.Code != codeLoginUnconfirmed {
			t.Errorf("%s %s by the login: %d %s", c.method, c.path, got.status, got.body)
		}
	}
	for _, c := range calls {
		if got := byPassword.ask(c.method, c.path, c.body); got.problem.Code == codeLoginUnconfirmed {
			t.Errorf("%s %s by password: %d %s", c.method, c.path, got.status, got.body)
		}
	}
	f.exec("UPDATE oidc_links SET confirmed_at = lethe_now(), ledger_entry_id = @entry WHERE user_id = ?", a.id)
	confirmed := f.openSession(f.people[hr], hr, models.ByOIDC)
	f.run(func(tx *database.Tx) (err error) {
		confirmed.token, err = f.server.Identity.StepUp(tx, confirmed.id, databasetest.Entry(f.t, tx))
		return err
	})
	if got := confirmed.ask("POST", "/api/v1/recovery-codes", ""); got.status >= 300 {
		t.Errorf("once the owner has confirmed it: %d %s", got.status, got.body)
	}
}

// Taking access away stops others from doing their work: it takes somebody who is there, and has just
// proved it.
func TestI22_TakingAccessAwayNeedsAStepUp(t *testing.T) {
	f := newFixture(t)
	theirs := f.plainSession(f.people[auditor], auditor)
	plain, fresh := f.plainSession(f.people[hr], hr), f.session(hr)
	user := "/api/v1/users/" + theirs.userID.String()
	for _, c := range []struct{ method, path string }{{"DELETE", user + "/roles/auditor"}, {"POST", user + "/disabling"}} {
		if got := f.ask(hr, c.method, c.path, ""); got.problem.Code != codeSessionRequired {
			t.Errorf("%s %s by a token: %d %s", c.method, c.path, got.status, got.body)
		}
		if got := plain.ask(c.method, c.path, ""); got.problem.Code != codeStepUpRequired {
			t.Errorf("%s %s without a step-up: %d %s", c.method, c.path, got.status, got.body)
		}
	}
	if theirs.ended() {
		t.Fatal("a refused call took access away")
	}
	if got := fresh.ask("DELETE", user+"/roles/auditor", ""); got.status != http.StatusNoContent || !theirs.ended() {
		t.Errorf("taking a role away: %d %s", got.status, got.body)
	}
	if got := fresh.ask("POST", user+"/disabling", ""); got.status != http.StatusNoContent {
		t.Errorf("disabling: %d %s", got.status, got.body)
	}
}
