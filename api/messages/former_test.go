package messages_test

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/disclosures"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/api/users"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/models"
)

// former is somebody who left, with an authenticator and a private address.
func (p *post) former(no string) (uuid.UUID, apitest.Credentials) {
	p.T.Helper()
	id := p.employee(no)
	a := p.Enrolled(id, models.RoleEmployee)
	p.LeftLongAgo(id, -2, false)
	return id, a
}

func (p *post) asks(login string) apitest.Reply {
	return p.Ask("", "POST", "/api/v1/former-links", `{"login": "`+login+`"}`)
}

var codePattern = regexp.MustCompile(`([A-Z2-7]{4}-){7}[A-Z2-7]{4}`)

// link is the code of the last mail.
func (p *post) link() string {
	p.T.Helper()
	mails := p.inbox.Mails()
	if len(mails) == 0 {
		p.T.Fatal("no mail came in")
	}
	return codePattern.FindString(plain(p.T, mails[len(mails)-1].Text))
}

func (p *post) opens(code, totp string) apitest.Reply {
	return p.Ask("", "POST", "/api/v1/former-sessions", `{"code": "`+code+`", "totp": "`+totp+`"}`)
}

func (p *post) shut(what string, got apitest.Reply) {
	p.T.Helper()
	if got.Status != 401 || got.Problem.Code != "former_access_refused" {
		p.T.Errorf("%s: %d %s", what, got.Status, got.Body)
	}
}

// TestWhoeverLeftReachesTheOwnData, whatever role they had: who has left is an employee to it.
func TestWhoeverLeftReachesTheOwnData(t *testing.T) {
	p := newPost(t)
	person := p.employee("E1")
	a := p.Enrolled(person, models.RoleAuditor)
	p.LeftLongAgo(person, -2, false)
	p.asks(a.Login)
	p.round(p.smtp)
	got := p.opens(p.link(), p.Code(a, 0))
	if got.Status != 201 {
		t.Fatalf("opened: %d %s", got.Status, got.Body)
	}
	if me := p.Ask("", "GET", "/api/v1/me", "", "Cookie", "lethe="+apitest.CookieOf(t, got, "lethe").Value); me.Status != 200 || !strings.Contains(string(me.Body), `"role":"employee"`) {
		t.Errorf("is %d %s", me.Status, me.Body)
	}
}

// TestSomebodyWhoHasLeftReachesTheOwnData by a link to the private address and the authenticator, and nothing else.
func TestSomebodyWhoHasLeftReachesTheOwnData(t *testing.T) {
	p := newPost(t)
	person, a := p.former("E1")
	if got := p.asks(strings.ToUpper(a.Login)); got.Status != 202 {
		t.Fatalf("asked: %d %s", got.Status, got.Body)
	}
	p.round(p.smtp)
	code := p.link()
	if code == "" || p.Count("access_links WHERE login_sealed IS NULL AND code_hash IS NOT NULL") != 1 {
		t.Fatalf("the mail brings %q", p.inbox.Mails())
	}
	if n := p.Count("ledger_content WHERE details::text LIKE '%" + code[:9] + "%'"); n != 0 {
		t.Error("the log has the code")
	}
	p.shut("without the authenticator", p.opens(code, "000000"))
	got := p.opens(code, p.Code(a, 0))
	var session users.SessionView
	got.Into(t, &session)
	if session.Authenticated != models.ByLink || session.ExpiresAt.Sub(session.CreatedAt) != identity.FormerLasts {
		t.Errorf("opened: %+v", session)
	}
	cookie := "lethe=" + apitest.CookieOf(t, got, "lethe").Value
	ask := func(method, path, body string) apitest.Reply { return p.Ask("", method, path, body, "Cookie", cookie) }
	var c disclosures.OwnCopy
	if ask("POST", "/api/v1/me/copy", "").Into(t, &c); c.EmployeeID != person || len(c.Employments) != 1 || !strings.Contains(string(got.Body), "") {
		t.Errorf("the copy is %+v", c)
	}
	for route, body := range map[string]string{
		"GET /me": "", "GET /me/requests": "", "POST /me/requests": `{"kind": "erasure", "text": "请删除"}`, "GET /consents": "",
		"POST /consents": `{"policy_version": 1, "answers": [{"purpose": "message_passing", "agreed": false}]}`,
		"GET /employees/" + person.String() + "/disclosures": "", "GET /privacy-policies": "", "GET /employees/" + person.String(): "",
	} {
		method, path, _ := strings.Cut(route, " ")
		if got := ask(method, "/api/v1"+path, body); got.Status >= 300 {
			t.Errorf("%s: %d %s", route, got.Status, got.Body)
		}
	}
	var kept httpkit.Page[purges.RetentionView]
	if ask("GET", "/api/v1/me/retention", "").Into(t, &kept); len(kept.Items) == 0 || kept.Items[0].Basis == "" || len(kept.Items) != len(c.KeptUntil) {
		t.Errorf("kept: %+v", kept)
	}
	if got := ask("GET", "/api/v1/employees/"+p.employee("E2").String(), ""); got.Status != 404 {
		t.Errorf("somebody else's file: %d %s", got.Status, got.Body)
	}
	// Everything else is shut, whatever the role of the route.
	open := map[string]bool{"/me": true, "/me/retention": true, "/employees/{id}": true, "/me/copy": true, "/me/requests": true, "/me/requests/{id}/withdrawal": true, "/consents": true, "/privacy-policies": true,
		"/employees/{id}/disclosures": true, "/employees/{id}/emergency-contacts": true, "/disclosures/{id}": true, "/disclosures/{id}/objection": true, "/step-ups": true, "/sessions/current": true}
	for _, route := range p.Routes() {
		method, path, _ := strings.Cut(route, " ")
		short := strings.TrimPrefix(path, "/api/v1")
		if open[short] && !(strings.HasPrefix(short, "/employees/") && method != "GET") || p.API.Routes[route].Open {
			continue
		}
		concrete := regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(path, uuid.NewString())
		got := ask(method, concrete, "{}")
		if got.Status != http.StatusForbidden || got.Problem.Code != "former_not_allowed" && got.Problem.Code != "role_not_allowed" {
			t.Errorf("%s: %d %s", route, got.Status, got.Body)
		}
	}
	p.shut("a second time", p.opens(code, p.Code(a, 1)))
	if got := p.Login(a, p.Code(a, 1)); got.Status != 401 {
		t.Errorf("the usual login of who has left: %d", got.Status)
	}
	if got := p.hr.Ask("GET", "/api/v1/messages", ""); strings.Contains(string(got.Body), person.String()) {
		t.Errorf("HR sees that a link was sent: %s", got.Body)
	}
	// It ends with the person's data.
	p.Exec("UPDATE employees SET status = 'purged' WHERE id = ?", person)
	if got := ask("GET", "/api/v1/me", ""); got.Status != 401 {
		t.Errorf("after the purge: %d %s", got.Status, got.Body)
	}
}

// TestI27_WhoHasALoginIsNotToldFromNobody: one answer for who left, who is here, who never had an authenticator or an
// address, and nobody; a mail for the first alone.
func TestI27_WhoHasALoginIsNotToldFromNobody(t *testing.T) {
	p := newPost(t)
	_, left := p.former("E1")
	here := p.Enrolled(p.employee("E2"), models.RoleEmployee)
	without := p.employee("E3")
	p.User(without)
	p.LeftLongAgo(without, -2, false)
	homeless := p.Hire("E4", p.A)
	address := p.Enrolled(homeless, models.RoleEmployee)
	p.LeftLongAgo(homeless, -2, false)
	want := p.asks(left.Login)
	for what, login := range map[string]string{"who is here": here.Login, "without an authenticator": "e3", "without an address": address.Login, "nobody": "nobody-at-all"} {
		if got := p.asks(login); got.Status != want.Status || string(got.Body) != string(want.Body) {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
		}
	}
	p.round(p.smtp)
	if n := len(p.inbox.Mails()); n != 1 {
		t.Errorf("%d mails", n)
	}
	if n := p.Count("access_links WHERE login_sealed IS NOT NULL OR resolved_at IS NULL"); n != 0 {
		t.Errorf("%d are left", n)
	}
	for range 3 {
		p.asks("nobody-at-all")
	}
	if got := p.asks("nobody-at-all"); got.Status != 429 {
		t.Errorf("again and again: %d", got.Status)
	}
}

// TestALinkIsUsedOnceInTime: of two at once one is refused, five wrong codes end it, so does half an hour, another private
// address, and being hired again.
func TestALinkIsUsedOnceInTime(t *testing.T) {
	p := newPost(t)
	person, a := p.former("E1")
	fresh := func() string {
		p.T.Helper()
		p.Exec("DELETE FROM login_lanes")
		if got := p.asks(a.Login); got.Status != 202 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		p.round(p.smtp)
		return p.link()
	}
	step := 0
	next := func() string { // each code of the authenticator works once
		if err := databasetest.MoveClock(t.Context(), p.Env.Facts, 31*time.Second); err != nil {
			t.Fatal(err)
		}
		step++
		return p.Code(a, 0)
	}
	code, totp := fresh(), next()
	var both sync.WaitGroup
	var statuses [2]int
	for i := range statuses {
		both.Go(func() { statuses[i] = p.opens(code, totp).Status })
	}
	both.Wait()
	if statuses[0]+statuses[1] != 201+401 {
		t.Errorf("two at once: %v", statuses)
	}

	code = fresh()
	for range 6 { // no code is no try
		if got := p.opens(code, ""); got.Status != 422 || got.Problem.Code != "validation_failed" {
			t.Errorf("without a code: %d %s", got.Status, got.Body)
		}
	}
	for range 4 {
		p.shut("a wrong code", p.opens(code, "000000"))
	}
	if p.Count("access_links WHERE tries = 4 AND used_at IS NULL") != 1 {
		t.Error("other tries than the wrong codes count")
	}
	p.shut("a wrong code", p.opens(code, "000000"))
	p.shut("after five wrong ones", p.opens(code, next()))

	code = fresh()
	if err := databasetest.MoveClock(t.Context(), p.Env.Facts, identity.LinkLasts); err != nil {
		t.Fatal(err)
	}
	p.shut("half an hour later", p.opens(code, next()))

	code = fresh()
	got := p.opens(fresh(), next())
	if got.Status != 201 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	cookie := "lethe=" + apitest.CookieOf(t, got, "lethe").Value
	patch := `{"fields": {"personal_email": "other@mail.example"}}`
	asked := p.FreshSession(p.People[models.RoleHRAdmin], models.RoleHRAdmin).Ask("PATCH", "/api/v1/employees/"+person.String(), patch)
	if asked.Status != 202 {
		t.Fatalf("one person changed where links go: %d %s", asked.Status, asked.Body)
	}
	second := p.FreshSession(p.Hire("HR2", p.B), models.RoleHRAdmin)
	if got := second.Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != 200 {
		t.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
	p.shut("after another address", p.opens(code, next()))
	if got := p.Ask("", "GET", "/api/v1/me", "", "Cookie", cookie); got.Status != 401 {
		t.Errorf("the session of the former address: %d", got.Status)
	}
	code = fresh()
	if to := p.inbox.Mails()[len(p.inbox.Mails())-1].To; len(to) != 1 || to[0] != "other@mail.example" {
		t.Errorf("sent to %v", to)
	}
	got = p.opens(code, next())
	cookie = "lethe=" + apitest.CookieOf(t, got, "lethe").Value
	code = fresh()
	p.Exec("UPDATE employees SET status = 'active' WHERE id = ?", person) // comes back
	p.shut("hired again", p.opens(code, next()))
	if got := p.Ask("", "GET", "/api/v1/me", "", "Cookie", cookie); got.Status != 401 {
		t.Errorf("the session from before the second employment: %d", got.Status)
	}
}

// TestALinkWaitsForTheMailServerAnHour, and is not sent to whoever is not there any more.
func TestALinkWaitsForTheMailServerAnHour(t *testing.T) {
	p := newPost(t)
	_, a := p.former("E1")
	p.asks(a.Login)
	down := p.smtp
	down.Port = 1
	p.round(down)
	if err := databasetest.MoveClock(t.Context(), p.Env.Facts, 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	p.round(p.smtp)
	if n := len(p.inbox.Mails()); n != 0 || p.Count("messages WHERE ended_as = 'given_up'") != 1 {
		t.Errorf("%d mails", n)
	}
}

// TestWhereLinksGoNobodyAloneDecides: not by a change of the file, an answer to a request, or anybody's own word.
func TestWhereLinksGoNobodyAloneDecides(t *testing.T) {
	p := newPost(t)
	person, _ := p.former("E1")
	value := "mine@mail.example"
	err := database.Run(t.Context(), p.Env.Facts, func(tx *database.Tx) error {
		return archive.Update(tx, p.Vault, person, archive.Patch{Fields: map[string]*string{"personal_email": &value}})
	})
	if !errors.Is(err, archive.ErrApprovalRequired) {
		t.Errorf("changed alone: %v", err)
	}
	request := p.AskedToErase(person)
	got := p.FreshSession(p.People[models.RoleHRAdmin], models.RoleHRAdmin).
		Ask("POST", "/api/v1/subject-requests/"+request.String()+"/answer", `{"answer": "granted", "text": "已删", "erase_fields": ["personal_email"]}`)
	if got.Status != 202 {
		t.Errorf("removed on a request by one person: %d %s", got.Status, got.Body)
	}
}

// TestNobodyGetsALinkInTheNameOfTheDead: it is answered as for nobody.
func TestNobodyGetsALinkInTheNameOfTheDead(t *testing.T) {
	p := newPost(t)
	person := p.employee("E1")
	a := p.Enrolled(person, models.RoleEmployee)
	day, err := clock.ParseDate(p.Day(-2))
	if err != nil {
		t.Fatal(err)
	}
	p.Run(func(tx *database.Tx) error {
		dep, err := departure.Begin(tx, p.Vault, models.System, departure.Notice{EmployeeID: person, Kind: models.KindDeath, RequestedDates: departure.RequestedDates{LastWorkingDay: &day, ConfirmPast: true}})
		if err == nil {
			_, err = departure.Advance(tx, dep.ID, p.Systems)
		}
		return err
	})
	before := len(p.inbox.Mails())
	if got := p.asks(a.Login); got.Status != p.asks("nobody-at-all").Status {
		t.Errorf("asked: %d %s", got.Status, got.Body)
	}
	p.round(p.smtp)
	if n := len(p.inbox.Mails()); n != before {
		t.Error("a link was mailed")
	}
}
