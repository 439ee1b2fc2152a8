package users_test

import (
	"net/http"
	"testing"
	"time"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/api/users"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

func TestLoginAndLogout(t *testing.T) {
	f := apitest.New(t)
	a := f.Enrolled(f.People[httpkit.HR], httpkit.HR, httpkit.Auditor)
	opened := f.Login(a, f.Code(a, 0))
	var view users.SessionView
	opened.Into(t, &view)
	cookie := apitest.CookieOf(t, opened, "lethe")
	if opened.Status != 201 || view.Role != httpkit.HR || !view.Current || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Errorf("answered %d, %+v, cookie %+v", opened.Status, view, cookie)
	}
	v := &apitest.Visitor{F: f, Token: cookie.Value, ID: view.ID}
	var me users.Me
	v.Ask("GET", "/api/v1/me", "").Into(t, &me)
	if me.Session == nil || me.Session.ID != view.ID || me.User.ID != a.ID || len(me.User.Roles) != 2 || me.Session.SteppedUpAt != nil {
		t.Errorf("I am %+v", me)
	}
	var page httpkit.Page[users.SessionView]
	v.Ask("GET", "/api/v1/sessions", "").Into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != view.ID || !page.Items[0].Current {
		t.Errorf("my sessions are %+v", page.Items)
	}
	gone := v.Ask("DELETE", "/api/v1/sessions/current", "")
	if gone.Status != 204 || apitest.CookieOf(t, gone, "lethe").MaxAge >= 0 {
		t.Errorf("logout answered %d %v", gone.Status, gone.Header["Set-Cookie"])
	}
	if got := v.Ask("GET", "/api/v1/me", ""); got.Status != 401 || got.Problem.Code != "session_unknown" {
		t.Errorf("after the logout: %d %s", got.Status, got.Problem.Code)
	}
}

func TestLoginNeedsBothFactors(t *testing.T) {
	f := apitest.New(t)
	a := f.Enrolled(f.People[httpkit.HR], httpkit.HR)
	body := func(login, password, rest string) string {
		return `{"login": "` + login + `", "password": "` + password + `"` + rest + `}`
	}
	code := `, "totp": "` + f.Code(a, 0) + `"`
	for name, sent := range map[string]string{
		"unknown login":  body("nobody", a.Password, code),
		"wrong password": body(a.Login, a.Password+"x", code),
		"no code":        body(a.Login, a.Password, ""),
		"wrong code":     body(a.Login, a.Password, `, "totp": "000000"`),
		"wrong recovery": body(a.Login, a.Password, `, "recovery_code": "AAAA-BBBB-CCCC-DDDD"`),
	} {
		got := f.Ask("", "POST", "/api/v1/sessions", sent)
		if got.Status != 401 || got.Problem.Code != "login_failed" || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %s", name, got.Status, got.Problem.Code)
		}
	}
	if got := f.Ask("", "POST", "/api/v1/sessions", body(a.Login, a.Password, code+`, "role": "it_ops"`)); got.Problem.Code != "role_not_granted" {
		t.Errorf("a role that is not held: %d %s", got.Status, got.Problem.Code)
	}
	if got := f.Login(a, f.Code(a, 0)); got.Status != 201 {
		t.Fatalf("the right ones: %d %s", got.Status, got.Body)
	}
	if got := f.Login(a, f.Code(a, 0)); got.Problem.Code != "login_failed" {
		t.Errorf("the same code again: %d %s", got.Status, got.Problem.Code)
	}
}

func TestTokenAndSessionTogetherAreRefused(t *testing.T) {
	f := apitest.New(t)
	v := f.Session(httpkit.HR)
	if got := f.Ask(httpkit.HR, "GET", "/api/v1/me", "", "Cookie", "lethe="+v.Token); got.Status != 400 || got.Problem.Code != "two_credentials" {
		t.Errorf("both: %d %s", got.Status, got.Problem.Code)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", f.HTTP.URL+"/api/v1/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header["Authorization"] = []string{"Bearer " + f.Tokens[httpkit.HR], "Bearer x"}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _ = response.Body.Close(); response.StatusCode != 400 {
		t.Errorf("two tokens: %d", response.StatusCode)
	}
	if got := f.Ask("", "GET", "/api/v1/me", "", "Cookie", "lethe="+v.Token+"; lethe=x"); got.Status != 401 {
		t.Errorf("two cookies of one name: %d", got.Status)
	}
}

func TestI23_ARevokedSessionStopsWithTheNextRequest(t *testing.T) {
	f := apitest.New(t)
	for name, revoke := range map[string]func(v *apitest.Visitor) func(tx *database.Tx) error{
		"session": func(v *apitest.Visitor) func(tx *database.Tx) error {
			return func(tx *database.Tx) error {
				return f.API.Identity.RevokeSession(tx, identity.Bearer{UserID: v.UserID, Actor: models.Actor{EmployeeID: f.People[httpkit.Auditor], Role: httpkit.Auditor}}, v.ID)
			}
		},
		"role": func(v *apitest.Visitor) func(tx *database.Tx) error {
			return func(tx *database.Tx) error { return identity.RevokeRole(tx, v.UserID, httpkit.Auditor, models.System) }
		},
		"user": func(v *apitest.Visitor) func(tx *database.Tx) error {
			return func(tx *database.Tx) error { return identity.EndAll(tx, f.People[httpkit.Auditor]) }
		},
	} {
		v := f.Session(httpkit.Auditor)
		if got := v.Ask("GET", "/api/v1/me", ""); got.Status != 200 {
			t.Fatalf("%s: before %d %s", name, got.Status, got.Body)
		}
		f.Run(revoke(v))
		if got := v.Ask("GET", "/api/v1/me", ""); got.Status != 401 || got.Problem.Code != "session_unknown" {
			t.Errorf("%s: after %d %s", name, got.Status, got.Problem.Code)
		}
		byToken := f.Ask(httpkit.Auditor, "GET", "/api/v1/me", "")
		if want := map[bool]int{true: 200, false: 401}[name == "session"]; byToken.Status != want {
			t.Errorf("%s: the token answers %d", name, byToken.Status)
		}
		if name != "session" { // for the next one
			f.Exec("UPDATE users SET state = 'enrolling', ledger_entry_id = @entry WHERE id = ? AND state = 'disabled'", v.UserID)
			f.Exec("UPDATE users SET state = 'active', ledger_entry_id = @entry WHERE id = ? AND state = 'enrolling'", v.UserID)
			f.People[httpkit.Auditor] = f.Hire("AUD-"+name, f.B)
			f.Tokens[httpkit.Auditor], f.TokenIDs[httpkit.Auditor] = f.Token(f.People[httpkit.Auditor], httpkit.Auditor)
		}
	}
}

func TestI23_StreamEndsWithItsSession(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	defer func(r httpkit.Rhythm) { httpkit.NormalRhythm = r }(httpkit.NormalRhythm)
	httpkit.NormalRhythm.Recheck = 100 * time.Millisecond
	v := f.Session(httpkit.Auditor)
	events := f.FollowWith(httpkit.AddressOf(models.RefDeparture, d.ID), "", "Cookie", "lethe="+v.Token)
	f.Next(events)
	f.Run(func(tx *database.Tx) error { return identity.RevokeRole(tx, v.UserID, httpkit.Auditor, models.System) })
	if e := f.Next(events); e.Kind != httpkit.EventProblem || e.Problem.Code != "session_unknown" {
		t.Errorf("came %+v", e)
	}
	f.Ended(events)
}

// TestI23_StreamsLookOftenEnough: what keeps the promise of 15 seconds.
func TestI23_StreamsLookOftenEnough(t *testing.T) {
	if worst := httpkit.NormalRhythm.Recheck + httpkit.StreamWriteLimit; worst > 15*time.Second {
		t.Errorf("a stream may go on for %v after its bearer ended", worst)
	}
}
