package messages_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"lethe/api/apitest"
	"lethe/api/users"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/retention"
	"lethe/models"
)

// counter is HR's desk at which somebody who has left stands in person.
type counter struct {
	*post
	one, other    uuid.UUID
	first, second *apitest.Visitor
}

func newCounter(t *testing.T) *counter {
	p := newPost(t)
	c := &counter{post: p, one: p.People[models.RoleHRAdmin], other: p.Hire("HR2", p.B)}
	c.stepUp()
	return c
}

func (c *counter) stepUp() {
	c.first, c.second = c.FreshSession(c.one, models.RoleHRAdmin), c.FreshSession(c.other, models.RoleHRAdmin)
}

// appears asks for another authenticator, as the first of two does who check the document.
func (c *counter) appears(person uuid.UUID, body string) apitest.Reply {
	c.T.Helper()
	return c.first.Ask("POST", "/api/v1/employees/"+person.String()+"/former-enrolments", body)
}

// handsOver is both halves of the code, of a request that the second agrees to.
func (c *counter) handsOver(asked apitest.Reply) string {
	c.T.Helper()
	var decided struct {
		ResultLocation string `json:"result_location"`
	}
	c.second.Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "approved"}`).Into(c.T, &decided)
	whole := ""
	for _, v := range []*apitest.Visitor{c.first, c.second} {
		var half users.EnrolmentCode
		v.Ask("POST", decided.ResultLocation+"/enrolment-code", "").Into(c.T, &half)
		if again := v.Ask("POST", decided.ResultLocation+"/enrolment-code", ""); again.Status != 409 {
			c.T.Errorf("a half is shown twice: %d", again.Status)
		}
		whole += half.Code
	}
	return whole
}

// mailed asks for a link and reads it.
func (c *counter) mailed(login string) string {
	c.T.Helper()
	c.Exec("DELETE FROM login_lanes")
	if got := c.asks(login); got.Status != 202 {
		c.T.Fatalf("%d %s", got.Status, got.Body)
	}
	c.round(c.smtp)
	return c.link()
}

func (c *counter) begins(link, code string) apitest.Reply {
	return c.Ask("", "POST", "/api/v1/former-enrolments", `{"code": "`+link+`", "enrolment_code": "`+code+`"}`)
}

func (c *counter) confirms(link, code, six string) apitest.Reply {
	return c.Ask("", "POST", "/api/v1/former-enrolments/confirmation", `{"code": "`+link+`", "enrolment_code": "`+code+`", "totp": "`+six+`"}`)
}

func (c *counter) shows(secret string) string {
	c.T.Helper()
	now, err := c.Env.Facts.Now(c.T.Context())
	if err != nil {
		c.T.Fatal(err)
	}
	six, err := totp.GenerateCode(secret, now)
	if err != nil {
		c.T.Fatal(err)
	}
	return six
}

// TestWhoeverLostTheAuthenticatorEnrolsAnotherInPerson: two people check the document, hand over half a code each, and it
// works with a link to the private address, once. The log has the kind of the document, and the former authenticator ends.
func TestWhoeverLostTheAuthenticatorEnrolsAnotherInPerson(t *testing.T) {
	c := newCounter(t)
	person, old := c.former("E1")
	asked := c.appears(person, `{"document": "passport"}`)
	if asked.Status != 202 {
		t.Fatalf("asked: %d %s", asked.Status, asked.Body)
	}
	if again := c.appears(person, `{"document": "passport"}`); again.Header.Get("Location") != asked.Header.Get("Location") {
		t.Errorf("asked again: %d %s", again.Status, again.Body)
	}
	if got := c.first.Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != 403 || got.Problem.Code != "same_person" {
		t.Errorf("one person twice: %d %s", got.Status, got.Body)
	}
	code := c.handsOver(asked)
	link := c.mailed(old.Login)
	c.shut("half the code", c.begins(link, code[:len(code)/2]))
	c.shut("without a link", c.begins(code, code))
	c.shut("confirmed before it began", c.confirms(link, code, "123456"))
	var made users.SecondFactor
	c.begins(link, code).Into(t, &made)
	c.shut("a wrong code", c.confirms(link, code, "000000"))
	if c.Count("ledger_content WHERE action = 'totp.enrolled'") != 0 {
		t.Error("the log says that it was enrolled")
	}
	earlier := c.opens(c.mailed(old.Login), c.Code(old, 0)) // the former one holds until now
	if earlier.Status != 201 {
		t.Errorf("the former authenticator before: %d %s", earlier.Status, earlier.Body)
	}
	var both sync.WaitGroup
	var got [2]apitest.Reply
	six := c.shows(made.Secret)
	for i := range got {
		both.Go(func() { got[i] = c.confirms(link, code, six) })
	}
	both.Wait()
	if got[0].Status+got[1].Status != 201+401 {
		t.Fatalf("two at once: %d %d %s", got[0].Status, got[1].Status, got[0].Body)
	}
	done := got[0]
	if done.Status != 201 {
		done = got[1]
	}
	var enrolled users.FormerEnrolled
	if done.Into(t, &enrolled); len(enrolled.RecoveryCodes.RecoveryCodes) != 10 || enrolled.Session.Authenticated != models.ByLink {
		t.Errorf("enrolled: %s", done.Body)
	}
	cookie := func(r apitest.Reply) string { return "lethe=" + apitest.CookieOf(t, r, "lethe").Value }
	if me := c.Ask("", "POST", "/api/v1/me/copy", "", "Cookie", cookie(done)); me.Status != 200 {
		t.Errorf("the copy: %d %s", me.Status, me.Body)
	}
	if me := c.Ask("", "GET", "/api/v1/me", "", "Cookie", cookie(earlier)); me.Status != 401 {
		t.Errorf("a session of the former authenticator: %d", me.Status)
	}
	fresh := c.mailed(old.Login)
	c.shut("the code a second time", c.begins(fresh, code))
	c.shut("the former authenticator", c.opens(fresh, c.Code(old, 1)))
	if got := c.Ask("", "POST", "/api/v1/former-sessions", `{"code": "`+fresh+`", "recovery_code": "`+enrolled.RecoveryCodes.RecoveryCodes[0]+`"}`); got.Status != 201 {
		t.Errorf("a recovery code: %d %s", got.Status, got.Body)
	}
	if c.Count("ledger_content WHERE action = 'former_access.enrolment_opened' AND details->>'identity_document' = 'passport'") != 1 ||
		c.Count("ledger_content WHERE action = 'enrolment_code.delivered'") != 2 || c.Count("ledger_content WHERE action = 'totp.enrolled'") != 1 {
		t.Error("the log lacks who checked what")
	}
	if c.Count("ledger_content WHERE details::text LIKE '%"+code[:9]+"%'") != 0 {
		t.Error("the log has the code")
	}
	if got := c.Login(old, six); got.Status != 401 {
		t.Errorf("the usual login: %d", got.Status)
	}
	if got := c.Ask("", "POST", "/api/v1/enrolments", `{"login": "`+old.Login+`", "code": "`+code+`", "password": "correct horse battery staple"}`); got.Status != 401 {
		t.Errorf("the code for a password: %d", got.Status)
	}
}

// TestWhoeverNeverHadAnAccountGetsOne, for the own data alone, also while a hold keeps it.
func TestWhoeverNeverHadAnAccountGetsOne(t *testing.T) {
	c := newCounter(t)
	person := c.employee("E1")
	c.LeftLongAgo(person, -2, false)
	c.Run(func(tx *database.Tx) error {
		_, _, err := retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: person, Matter: "M-1", By: models.System})
		return err
	})
	before := len(c.inbox.Mails())
	c.asks("e1")
	c.round(c.smtp)
	if len(c.inbox.Mails()) != before {
		t.Error("a link was sent to nobody")
	}
	code := c.handsOver(c.appears(person, `{"document": "identity_card"}`))
	link := c.mailed("E1")
	var made users.SecondFactor
	c.begins(link, code).Into(t, &made)
	if got := c.confirms(link, code, c.shows(made.Secret)); got.Status != 201 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if n := c.Count("users WHERE employee_id = '" + person.String() + "' AND state = 'disabled'"); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

// TestACodeThatWasHandedOverEnds after a day, with five wrong tries of a link, another private address, another code, a
// second employment, and the person's data.
func TestACodeThatWasHandedOverEnds(t *testing.T) {
	c := newCounter(t)
	person, a := c.former("E1")
	again := func() string {
		c.stepUp()
		asked := c.appears(person, `{"document": "passport"}`)
		if asked.Status != 202 {
			t.Fatalf("asked: %d %s", asked.Status, asked.Body)
		}
		return c.handsOver(asked)
	}
	code := again()
	if err := databasetest.MoveClock(t.Context(), c.Env.Facts, 24*time.Hour+time.Second); err != nil {
		t.Fatal(err)
	}
	c.shut("a day later", c.begins(c.mailed(a.Login), code))

	code = again()
	link := c.mailed(a.Login)
	for range 5 {
		c.shut("a wrong code", c.begins(link, strings.Repeat("A", 32)))
	}
	c.shut("after five wrong ones", c.begins(link, code))

	newer := again()
	c.shut("after another one", c.begins(c.mailed(a.Login), code))
	link = c.mailed(a.Login)
	if got := c.begins(link, newer); got.Status != 200 {
		t.Errorf("the newer one: %d %s", got.Status, got.Body)
	}
	asked := c.first.Ask("PATCH", "/api/v1/employees/"+person.String(), `{"fields": {"personal_email": "other@mail.example"}}`)
	if got := c.second.Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != 200 {
		t.Fatalf("another address: %d %s", got.Status, got.Body)
	}
	c.shut("after another address", c.begins(c.mailed(a.Login), newer))

	code = again()
	link = c.mailed(a.Login)
	waits := c.appears(person, `{"document": "travel_permit"}`)
	c.Exec("UPDATE employees SET status = 'purged' WHERE id = ?", person)
	c.shut("after the purge", c.begins(link, code))
	if got := c.appears(person, `{"document": "driving_licence"}`); got.Status != 409 || got.Problem.Code != "former_data_deleted" {
		t.Errorf("asked after the purge: %d %s", got.Status, got.Body)
	}
	if got := c.second.Ask("POST", waits.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status < 400 {
		t.Errorf("agreed after the purge: %d %s", got.Status, got.Body)
	}

	person, a = c.former("E2")
	code = again()
	link = c.mailed(a.Login)
	c.Exec("UPDATE employees SET status = 'active' WHERE id = ?", person) // comes back
	c.shut("hired again", c.begins(link, code))
	if got := c.appears(person, `{"document": "passport"}`); got.Status != 409 || got.Problem.Code != "former_not_left" {
		t.Errorf("asked for who works here: %d %s", got.Status, got.Body)
	}
}

// TestI27_WhoMayEnrolInPersonIsNotToldFromNobody: one answer, whatever is wrong.
func TestI27_WhoMayEnrolInPersonIsNotToldFromNobody(t *testing.T) {
	c := newCounter(t)
	person, a := c.former("E1")
	link := c.mailed(a.Login) // nothing was handed over
	nobody := c.begins("AAAA", "BBBB")
	c.shut("nobody", nobody)
	for what, got := range map[string]apitest.Reply{
		"a link without a code": c.begins(link, "BBBB"), "confirming": c.confirms(link, "BBBB", "123456"), "nobody confirming": c.confirms("AAAA", "BBBB", "123456"),
	} {
		if c.shut(what, got); got.Problem.Detail != nobody.Problem.Detail {
			t.Errorf("%s: %s", what, got.Body)
		}
	}
	if got := c.appears(uuid.New(), `{"document": "passport"}`); got.Status != 404 || got.Problem.Code != "employee_not_found" {
		t.Errorf("nobody in person: %d %s", got.Status, got.Body)
	}
	if got := c.appears(person, `{"document": "a friend's word"}`); got.Status != 422 {
		t.Errorf("no document: %d %s", got.Status, got.Body)
	}
	// Who asked is disabled before the other decides.
	asked := c.appears(person, `{"document": "passport"}`)
	c.Run(func(tx *database.Tx) error { return identity.EndAll(tx, c.one) })
	if got := c.second.Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status < 400 {
		t.Errorf("agreed with who is disabled: %d %s", got.Status, got.Body)
	}
	if c.Count("enrolments") != 0 {
		t.Error("a code was prepared")
	}
}
