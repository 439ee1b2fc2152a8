package users_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/api/users"
	"lethe/models"
)

// TestTwoPeopleMakeAUser: one asks, one approves, each collects half a code, and the owner enrols
// with both and logs in.
func TestTwoPeopleMakeAUser(t *testing.T) {
	f := apitest.New(t)
	asks, approves := f.Session(httpkit.HR), f.Session(httpkit.Reviewer)
	person := f.Hire("NEW-1", f.B)
	asked := asks.Ask("POST", "/api/v1/users", `{"employee_id": "`+person.String()+`", "login": "New.Person", "roles": ["reviewer"]}`)
	if asked.Status != 202 {
		t.Fatalf("asked: %d %s", asked.Status, asked.Body)
	}
	if got := approves.Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != 200 {
		t.Fatalf("approved: %d %s", got.Status, got.Body)
	}
	user := userOf(f, asks, "new.person")
	if user.State != "enrolling" || user.EmployeeID != person || user.CreatedBy == nil || *user.CreatedBy != f.People[httpkit.HR] || user.Password {
		t.Errorf("the user is %+v", user)
	}
	collect := "/api/v1/users/" + user.ID.String() + "/enrolment-code"
	var halves [2]users.EnrolmentCode
	for i, v := range []*apitest.Visitor{asks, approves} {
		v.Ask("POST", collect, "").Into(t, &halves[i])
		if got := v.Ask("POST", collect, ""); got.Status != 409 || got.Problem.Code != "already_delivered" {
			t.Errorf("collected twice: %d %s", got.Status, got.Problem.Code)
		}
	}
	if got := f.Session(httpkit.IT).Ask("POST", collect, ""); got.Status != 403 || got.Problem.Code != "enrolment_code_not_yours" {
		t.Errorf("collected by a third: %d %s", got.Status, got.Problem.Code)
	}
	enrol := func(code, rest string) string { return `{"login": "new.person", "code": "` + code + `", ` + rest + `}` }
	secret := `"password": "` + apitest.Password + `"`
	if got := f.Ask("", "POST", "/api/v1/enrolments", enrol(halves[0].Code, secret)); got.Problem.Code != "enrolment_refused" {
		t.Errorf("with one half: %d %s", got.Status, got.Problem.Code)
	}
	both := halves[1].Code + " " + halves[0].Code
	for weak, code := range map[string]string{"short": "password_length", "password1234": "password_common", "new.person123": "password_about_you"} {
		if got := f.Ask("", "POST", "/api/v1/enrolments", enrol(both, `"password": "`+weak+`"`)); got.Problem.Code != code {
			t.Errorf("the password %s: %d %s", weak, got.Status, got.Problem.Code)
		}
	}
	var factor users.SecondFactor
	f.Ask("", "POST", "/api/v1/enrolments", enrol(both, secret)).Into(t, &factor)
	now, err := f.Env.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(factor.Secret, now)
	if err != nil {
		t.Fatal(err)
	}
	var recovery users.RecoveryCodes
	f.Ask("", "POST", "/api/v1/enrolments/confirmation", enrol(both, `"totp": "`+code+`"`)).Into(t, &recovery)
	opened := f.Ask("", "POST", "/api/v1/sessions", `{"login": "NEW.person", "password": "`+apitest.Password+`", "recovery_code": "`+recovery.RecoveryCodes[0]+`"}`)
	if opened.Status != 201 {
		t.Fatalf("the owner logs in: %d %s", opened.Status, opened.Body)
	}
	owner := &apitest.Visitor{F: f, Token: apitest.CookieOf(t, opened, "lethe").Value}
	if user = userOf(f, asks, "new.person"); user.Confirmed {
		t.Error("its owner is confirmed towards those who had the halves")
	}
	ends := asks.Ask("POST", "/api/v1/users/"+user.ID.String()+"/disabling", "") // of a reviewer
	if got := approves.Ask("POST", ends.Header.Get("Location")+"/decision", `{"decision": "approved"}`); ends.Status != 202 || got.Status != 200 {
		t.Errorf("disabling: %d %s, %d %s", ends.Status, ends.Body, got.Status, got.Body)
	}
	if got := owner.Ask("GET", "/api/v1/me", ""); got.Problem.Code != "session_unknown" {
		t.Errorf("after disabling: %d %s", got.Status, got.Problem.Code)
	}
}

// TestUsersAreFound by part of a name, a number or a login; not others.
func TestUsersAreFound(t *testing.T) {
	f := apitest.New(t)
	f.Enrolled(f.Hire("K-4711", f.A), models.RoleEmployee)
	f.Enrolled(f.Hire("K-4812", f.A), models.RoleEmployee)
	for q, want := range map[string]int{"K-4711": 1, "k-4": 2, "K-4999": 0} {
		var page httpkit.Page[users.UserView]
		if f.Ask(models.RoleHRAdmin, "GET", "/api/v1/users?q="+q, "").Into(t, &page); len(page.Items) != want {
			t.Errorf("%s finds %d, want %d", q, len(page.Items), want)
		}
	}
}

// userOf finds a user by login, page by page.
func userOf(f *apitest.Fixture, v *apitest.Visitor, login string) users.UserView {
	f.T.Helper()
	seen := map[uuid.UUID]bool{}
	for cursor := ""; ; {
		var page httpkit.Page[users.UserView]
		v.Ask("GET", "/api/v1/users?limit=2"+cursor, "").Into(f.T, &page)
		for _, user := range page.Items {
			if seen[user.ID] {
				f.T.Fatalf("%s is listed twice", user.Login)
			}
			seen[user.ID] = true
			if user.Login == login {
				var one users.UserView
				v.Ask("GET", "/api/v1/users/"+user.ID.String(), "").Into(f.T, &one)
				return one
			}
		}
		if page.NextCursor == nil {
			f.T.Fatalf("no user %s among %d", login, len(seen))
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}

// Who has left would otherwise have a login that no cutoff ends.
func TestWhoHasLeftGetsNoUser(t *testing.T) {
	f := apitest.New(t)
	left := f.Hire("OLD-1", f.A)
	f.LeftLongAgo(left, -40, false)
	got := f.Session(httpkit.HR).Ask("POST", "/api/v1/users", `{"employee_id": "`+left.String()+`", "login": "old.person", "roles": ["hr_admin"]}`)
	if got.Status != 409 || got.Problem.Code != "person_left" || f.Count("approvals WHERE state = 'pending'") != 0 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// A reset would bring back what the departure has ended.
func TestTheUserOfWhoHasLeftIsNotReset(t *testing.T) {
	f := apitest.New(t)
	left := f.Hire("OLD-1", f.A)
	user := f.Enrolled(left, httpkit.Employee)
	reset := func() apitest.Reply {
		return f.Session(httpkit.HR).Ask("POST", "/api/v1/users/"+user.ID.String()+"/reset", `{}`)
	}
	asked := reset()
	if asked.Status != 202 {
		t.Fatalf("before: %d %s", asked.Status, asked.Body)
	}
	f.LeftLongAgo(left, -3, false)
	got := f.FreshSession(f.Hire("R-hr-2", f.B), httpkit.HR).Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "approved"}`)
	if got.Status == 200 {
		t.Errorf("agreed to after the departure: %d %s", got.Status, got.Body)
	}
	if got := reset(); got.Status != 409 || got.Problem.Code != "person_left" || len(got.Problem.Errors) != 0 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
