package api

import (
	"testing"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"
)

// TestTwoPeopleMakeAUser: one asks, one approves, each collects half a code, and the owner enrols
// with both and logs in.
func TestTwoPeopleMakeAUser(t *testing.T) {
	f := newFixture(t)
	asks, approves := f.session(hr), f.session(reviewer)
	person := f.hire("NEW-1", f.b)
	asked := asks.ask("POST", "/api/v1/users", `{"employee_id": "`+person.String()+`", "login": "New.Person", "roles": ["reviewer"]}`)
	if asked.status != 202 {
		t.Fatalf("asked: %d %s", asked.status, asked.body)
	}
	if got := approves.ask("POST", asked.header.Get("Location")+"/decision", `{"decision": "approved"}`); got.status != 200 {
		t.Fatalf("approved: %d %s", got.status, got.body)
	}
	user := f.userOf(asks, "new.person")
	if user.State != "enrolling" || user.EmployeeID != person || user.CreatedBy == nil || *user.CreatedBy != f.people[hr] || user.Password {
		t.Errorf("the user is %+v", user)
	}
	collect := "/api/v1/users/" + user.ID.String() + "/enrolment-code"
	var halves [2]EnrolmentCode
	for i, v := range []*visitor{asks, approves} {
		v.ask("POST", collect, "").into(t, &halves[i])
		if got := v.ask("POST", collect, ""); got.status != 409 || got.problem.Code != codeAlreadyDelivered {
			t.Errorf("collected twice: %d %s", got.status, got.problem.Code)
		}
	}
	if got := f.session(it).ask("POST", collect, ""); got.status != 403 || got.problem.Code != codeEnrolmentHalf {
		t.Errorf("collected by a third: %d %s", got.status, got.problem.Code)
	}
	enrol := func(code, rest string) string { return `{"login": "new.person", "code": "` + code + `", ` + rest + `}` }
	secret := `"password": "` + password + `"`
	if got := f.ask("", "POST", "/api/v1/enrolments", enrol(halves[0].Code, secret)); got.problem.Code != codeEnrolment {
		t.Errorf("with one half: %d %s", got.status, got.problem.Code)
	}
	both := halves[1].Code + " " + halves[0].Code
	for weak, code := range map[string]string{"short": codePasswordLength, "password1234": codePasswordCommon, "new.person123": codePasswordContext} {
		if got := f.ask("", "POST", "/api/v1/enrolments", enrol(both, `"password": "`+weak+`"`)); got.problem.Code != code {
			t.Errorf("the password %s: %d %s", weak, got.status, got.problem.Code)
		}
	}
	var factor SecondFactor
	f.ask("", "POST", "/api/v1/enrolments", enrol(both, secret)).into(t, &factor)
	now, err := f.env.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(factor.Secret, now)
	if err != nil {
		t.Fatal(err)
	}
	var recovery RecoveryCodes
	f.ask("", "POST", "/api/v1/enrolments/confirmation", enrol(both, `"totp": "`+code+`"`)).into(t, &recovery)
	opened := f.ask("", "POST", "/api/v1/sessions", `{"login": "NEW.person", "password": "`+password+`", "recovery_code": "`+recovery.RecoveryCodes[0]+`"}`)
	if opened.status != 201 {
		t.Fatalf("the owner logs in: %d %s", opened.status, opened.body)
	}
	owner := &visitor{f: f, token: cookieOf(t, opened, "lethe").Value}
	if user = f.userOf(asks, "new.person"); user.Confirmed {
		t.Error("its owner is confirmed towards those who had the halves")
	}
	ends := asks.ask("POST", "/api/v1/users/"+user.ID.String()+"/disabling", "") // of a reviewer
	if got := approves.ask("POST", ends.header.Get("Location")+"/decision", `{"decision": "approved"}`); ends.status != 202 || got.status != 200 {
		t.Errorf("disabling: %d %s, %d %s", ends.status, ends.body, got.status, got.body)
	}
	if got := owner.ask("GET", "/api/v1/me", ""); got.problem.Code != codeSessionUnknown {
		t.Errorf("after disabling: %d %s", got.status, got.problem.Code)
	}
}

// userOf finds a user by login, page by page.
func (f *fixture) userOf(v *visitor, login string) UserView {
	f.t.Helper()
	seen := map[uuid.UUID]bool{}
	for cursor := ""; ; {
		var page Page[UserView]
		v.ask("GET", "/api/v1/users?limit=2"+cursor, "").into(f.t, &page)
		for _, user := range page.Items {
			if seen[user.ID] {
				f.t.Fatalf("%s is listed twice", user.Login)
			}
			seen[user.ID] = true
			if user.Login == login {
				var one UserView
				v.ask("GET", "/api/v1/users/"+user.ID.String(), "").into(f.t, &one)
				return one
			}
		}
		if page.NextCursor == nil {
			f.t.Fatalf("no user %s among %d", login, len(seen))
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}
