package messages_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/api/messages"
	"lethe/internal/archive"
	"lethe/internal/consent"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/message"
	"lethe/models"
	"lethe/sandbox/inbox"
)

const address, day = "lina.private@mail.example", 24 * time.Hour

// post is the API with a mail server beside it.
type post struct {
	*apitest.Fixture
	hr    *apitest.Visitor
	inbox *inbox.Inbox
	smtp  message.SMTP
}

func newPost(t *testing.T) *post {
	f := apitest.New(t)
	p := &post{Fixture: f, hr: f.Session(models.RoleHRAdmin), inbox: &inbox.Inbox{}}
	certified := httptest.NewTLSServer(nil)
	t.Cleanup(certified.Close)
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	p.smtp = p.serve(&tls.Config{Certificates: certified.TLS.Certificates}) //nolint:gosec // of a test
	p.smtp.Roots = &tls.Config{RootCAs: roots}                              //nolint:gosec // of a test
	return p
}

// serve takes mail on a port of its own.
func (p *post) serve(secure *tls.Config) message.SMTP {
	p.T.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.T.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.inbox.Serve(ctx, l, secure) }()
	p.T.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			p.T.Error(err)
		}
	})
	return message.SMTP{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Encryption: message.STARTTLS, From: "hr@company.example", Timeout: 5 * time.Second}
}

func (p *post) deliverer(s message.Server) *message.Deliverer {
	return &message.Deliverer{DB: p.API.DB, Vault: p.Vault, Server: s, Log: slog.New(slog.NewTextHandler(p.Log, nil))}
}

func (p *post) round(s message.Server) {
	p.T.Helper()
	if err := p.deliverer(s).Round(p.T.Context()); err != nil {
		p.T.Fatal(err)
	}
}

// employee has a private address in the file.
func (p *post) employee(no string) uuid.UUID {
	p.T.Helper()
	id, value := p.Hire(no, p.A), address
	p.Run(func(tx *database.Tx) error {
		return archive.Update(tx, p.Vault, id, archive.Patch{Fields: map[string]*string{"personal_email": &value}})
	})
	return id
}

func (p *post) says(id uuid.UUID, agreed bool) {
	p.T.Helper()
	p.Run(func(tx *database.Tx) error {
		_, err := consent.Record(tx, models.Actor{EmployeeID: id, Role: models.RoleEmployee}, consent.Answers{
			EmployeeID: id, Version: 1, Answers: []consent.Answer{{Purpose: models.ConsentMessages, Agreed: agreed}},
		})
		return err
	})
}

// leaver left and agreed to messages.
func (p *post) leaver(no string) uuid.UUID {
	p.T.Helper()
	id := p.employee(no)
	p.says(id, true)
	p.LeftLongAgo(id, -2, false)
	return id
}

func path(person uuid.UUID) string { return "/api/v1/employees/" + person.String() + "/messages" }

// passOn has HR pass a message on.
func (p *post) passOn(person uuid.UUID, body string) (m messages.Message) {
	p.T.Helper()
	got := p.hr.Ask("POST", path(person), body)
	if got.Into(p.T, &m); got.Status != 202 || got.Header.Get("Location") != "/api/v1/messages/"+m.ID.String() {
		p.T.Fatalf("%d %s", got.Status, got.Body)
	}
	return m
}

func (p *post) read(id uuid.UUID) (m messages.Message) {
	p.T.Helper()
	// Sessions that nobody uses end as the clock goes on; a token does not.
	p.Ask(models.RoleHRAdmin, "GET", "/api/v1/messages/"+id.String(), "", "Accept-Language", "zh").Into(p.T, &m)
	return m
}

func (p *post) want(id uuid.UUID, state models.MessageState, why models.MessageEnd, mails int) {
	p.T.Helper()
	if m := p.read(id); m.Delivery.State != state || m.Delivery.EndedAs != why {
		p.T.Errorf("the message is %s %s, want %s %s", m.Delivery.State, m.Delivery.EndedAs, state, why)
	}
	if n := len(p.inbox.Mails()); n != mails {
		p.T.Errorf("%d mails came, want %d", n, mails)
	}
}

// TestI24_TheScene: a creditor is refused, HR passes a message on, the leaver gets it once, without the matter, and
// nobody else learns of it; the address is nowhere but in the mail.
func TestI24_TheScene(t *testing.T) {
	p := newPost(t)
	id := p.leaver("E1")
	plea := func(person uuid.UUID) string {
		got := p.hr.Ask("POST", "/api/v1/pleas", `{"employee_id": "`+person.String()+`", "matter": "private_debt", "requested_by": {"description": "自称朋友的来电者"}}`, "Accept-Language", "zh")
		if got.Status != 201 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		return string(got.Body)
	}
	if body := plea(id); !strings.Contains(body, `"pass_message"`) || !strings.Contains(body, "不要告诉求助人") {
		t.Errorf("passing on is not offered: %s", body)
	}
	active := p.employee("E2")
	p.says(active, true)
	for what, person := range map[string]uuid.UUID{"who works here": active, "who did not agree": p.Hire("E3", p.A)} {
		if body := plea(person); strings.Contains(body, `"pass_message"`) {
			t.Errorf("offered for %s: %s", what, body)
		}
	}
	m := p.passOn(id, `{}`)
	p.round(p.smtp)
	p.round(p.smtp)
	p.want(m.ID, models.MessageSent, "", 1)
	mail := p.inbox.Mails()[0]
	if len(mail.To) != 1 || mail.To[0] != address || mail.From != "hr@company.example" || !strings.Contains(mail.Text, "<"+m.ID.String()+"@company.example>") {
		t.Errorf("sent as %+v", mail)
	}
	if text := plain(t, mail.Text); !strings.Contains(text, "有人希望与您联系") || !strings.Contains(text, "somebody would like to hear from you") || strings.Contains(text, "债") || strings.Contains(text, "来电者") {
		t.Errorf("the mail says %s", text)
	}
	var kept string
	p.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw(`SELECT (SELECT string_agg(m::text, ' ') FROM messages m) || (SELECT string_agg(l::text, ' ') FROM ledger_content l)`).Row().Scan(&kept))
	})
	if strings.Contains(kept+p.Log.String(), "lina.private") || !strings.Contains(kept, "message.sent") {
		t.Error("the address stands in rows, entries or the log")
	}
	for action, n := range map[string]int{"message.asked": 1, "message.handing_over": 1, "message.sent": 1} {
		p.WantEntries(action, n)
	}
	for _, role := range []models.Role{models.RoleEmployee, models.RoleDepartmentHead, models.RoleReviewer, models.RoleITOps} {
		var page httpkit.Page[messages.Message]
		if p.Ask(role, "GET", "/api/v1/messages", "").Into(t, &page); len(page.Items) != 0 {
			t.Errorf("%s sees %+v", role, page.Items)
		}
		if got := p.Ask(role, "GET", "/api/v1/messages/"+m.ID.String(), ""); got.Status != 404 {
			t.Errorf("%s reads it: %d", role, got.Status)
		}
	}
}

// plain is the text of a mail whose body is quoted-printable.
func plain(t testing.TB, mail string) string {
	t.Helper()
	_, body, _ := strings.Cut(mail, "\r\n\r\n")
	text, err := quoted(body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestAColleagueIsNamedByTheOwnWordAlone: with name and contact in the mail, which nobody sees elsewhere; whether it was
// sent the colleague does not learn, and is asked just so for somebody to whom nothing can be passed on.
func TestAColleagueIsNamedByTheOwnWordAlone(t *testing.T) {
	p := newPost(t)
	asker := p.Hire("ASKER", p.A)
	own := p.PlainSession(asker, models.RoleEmployee)
	naming := `{"asker_id": "` + asker.String() + `"}`
	reached, impossible := p.passOn(p.leaver("E1"), naming), p.passOn(p.employee("E2"), naming)
	if impossible.Delivery.NotPossible != models.EndNotLeft || impossible.Delivery.NotPossibleText == "" || reached.Delivery.NotPossible != "" {
		t.Errorf("HR is told %+v and %+v", reached.Delivery, impossible.Delivery)
	}
	p.round(p.smtp)
	p.want(reached.ID, models.MessageWaiting, "", 0)
	confirm := func(v *apitest.Visitor, id uuid.UUID, body string) apitest.Reply {
		return v.Ask("POST", "/api/v1/messages/"+id.String()+"/confirmation", body)
	}
	yes := `{"agreed": true, "contact": "分机 8023"}`
	if got := confirm(p.PlainSession(p.Hire("E3", p.A), models.RoleEmployee), reached.ID, yes); got.Status != 404 {
		t.Errorf("by another colleague: %d %s", got.Status, got.Body)
	}
	if got := confirm(p.hr, reached.ID, yes); got.Status != 404 {
		t.Errorf("by HR: %d %s", got.Status, got.Body)
	}
	token, _ := p.Token(asker, models.RoleEmployee)
	if got := p.Ask("", "POST", "/api/v1/messages/"+reached.ID.String()+"/confirmation", yes, "Authorization", "Bearer "+token); got.Problem.Code != "session_required" {
		t.Errorf("by a token: %d %s", got.Status, got.Body)
	}
	for _, body := range []string{`{"agreed": true}`, `{"agreed": true, "contact": " "}`} {
		if got := confirm(own, reached.ID, body); got.Status != 422 {
			t.Errorf("without a contact: %d %s", got.Status, got.Body)
		}
	}
	see := func() string {
		got := own.Ask("GET", "/api/v1/messages", "")
		return strings.NewReplacer(reached.ID.String(), "ID", impossible.ID.String(), "ID").Replace(string(got.Body))
	}
	if body := see(); strings.Contains(body, "delivery") || strings.Count(body, `"to_confirm":true`) != 2 {
		t.Errorf("the colleague sees %s", body)
	}
	for _, id := range []uuid.UUID{reached.ID, impossible.ID} {
		for range 2 { // repeated, it is the same
			if got := confirm(own, id, yes); got.Status != 200 || strings.Contains(string(got.Body), "delivery") {
				t.Errorf("agreed: %d %s", got.Status, got.Body)
			}
		}
	}
	before := see()
	p.round(p.smtp)
	p.want(reached.ID, models.MessageSent, "", 1)
	p.want(impossible.ID, models.MessageEnded, models.EndNotLeft, 1)
	if after := see(); after != before {
		t.Errorf("the colleague sees a difference: %s, then %s", before, after)
	}
	if text := plain(t, p.inbox.Mails()[0].Text); !strings.Contains(text, "Person ASKER") || !strings.Contains(text, "分机 8023") {
		t.Errorf("the mail says %s", text)
	}
	var left int
	p.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT count(*) FROM messages WHERE contact_sealed IS NOT NULL").Row().Scan(&left))
	})
	if left != 0 {
		t.Errorf("%d contacts are kept after the mail", left)
	}
	declined, silent := p.passOn(p.leaver("E4"), naming), p.passOn(p.leaver("E5"), naming)
	if got := confirm(own, declined.ID, `{"agreed": false}`); got.Status != 200 {
		t.Errorf("declined: %d %s", got.Status, got.Body)
	}
	if got := confirm(own, declined.ID, yes); got.Status != 409 || got.Problem.Code != "message_answered" {
		t.Errorf("agreed after all: %d %s", got.Status, got.Body)
	}
	p.Env.Advance(t, 8*day)
	p.round(p.smtp)
	p.want(declined.ID, models.MessageEnded, models.EndAskerDeclined, 1)
	p.want(silent.ID, models.MessageEnded, models.EndAskerSilent, 1)
}

// TestToWhomNothingIsPassedOn: HR is told why; whoever is not there is nobody; and nobody is written to often.
func TestToWhomNothingIsPassedOn(t *testing.T) {
	p := newPost(t)
	works, silent, withdrew, nowhere, purged := p.employee("E1"), p.employee("E2"), p.leaver("E3"), p.Hire("E4", p.A), p.leaver("E5")
	p.says(works, true)
	p.LeftLongAgo(silent, -2, false)
	p.says(withdrew, false)
	p.says(nowhere, true)
	p.LeftLongAgo(nowhere, -2, false)
	p.Exec("UPDATE employees SET status = 'purged' WHERE id = ?", purged)
	for person, why := range map[uuid.UUID]models.MessageEnd{
		works: models.EndNotLeft, silent: models.EndNotAgreed, withdrew: models.EndNotAgreed, nowhere: models.EndNoAddress, purged: models.EndDeleted,
	} {
		if got := p.hr.Ask("POST", path(person), `{}`); got.Status != 409 || got.Problem.Code != "message_not_possible" || got.Problem.Rule != string(why) || got.Problem.RuleText == "" {
			t.Errorf("%s: %d %s", why, got.Status, got.Body)
		}
	}
	nobody := uuid.New()
	p.Exec("INSERT INTO employees (id, employee_no, name, department_id, status) VALUES (?, 'E9', 'n', ?, 'departed')", nobody, p.A)
	for what, k := range map[string]struct {
		person uuid.UUID
		body   string
		status int
		code   string
	}{
		"who is not there":        {uuid.New(), `{}`, 404, "employee_not_found"},
		"without any employment":  {nobody, `{}`, 409, "message_not_possible"},
		"HR itself":               {p.People[models.RoleHRAdmin], `{}`, 403, "own_matter"},
		"named by who is nobody":  {withdrew, `{"asker_id": "` + uuid.NewString() + `"}`, 422, "message_asker"},
		"named by the leaver":     {withdrew, `{"asker_id": "` + withdrew.String() + `"}`, 422, "message_asker"},
		"named by another leaver": {withdrew, `{"asker_id": "` + silent.String() + `"}`, 422, "message_asker"},
	} {
		if got := p.hr.Ask("POST", path(k.person), k.body); got.Status != k.status || got.Problem.Code != k.code {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
		}
	}
	if n := p.Count("messages"); n != 0 {
		t.Fatalf("%d messages after refusals", n)
	}
	err := database.Run(t.Context(), p.Env.Facts, func(tx *database.Tx) error {
		_, err := message.Ask(tx, models.Actor{EmployeeID: p.People[models.RoleHRAdmin], Role: models.RoleHRAdmin}, message.Request{EmployeeID: p.leaver("E6")})
		return err
	})
	if !errors.Is(err, message.ErrNoServer) {
		t.Errorf("without a mail server: %v", err)
	}
}

// TestI26_NobodyIsWrittenToOften: repeated requests are one, and so are many at once; the next one waits thirty days.
func TestI26_NobodyIsWrittenToOften(t *testing.T) {
	p := newPost(t)
	id := p.leaver("E1")
	var wg sync.WaitGroup
	var mu sync.Mutex
	came := map[int]int{}
	for range 6 {
		wg.Go(func() {
			got := p.Ask(models.RoleHRAdmin, "POST", path(id), `{}`)
			mu.Lock()
			defer mu.Unlock()
			came[got.Status]++
		})
	}
	wg.Wait()
	if came[202] != 1 || came[409] != 5 {
		t.Errorf("at once: %v", came)
	}
	other := p.leaver("E2")
	for range 2 {
		if got := p.hr.Ask("POST", path(other), `{}`, "Idempotency-Key", "k"); got.Status != 202 {
			t.Errorf("repeated: %d %s", got.Status, got.Body)
		}
	}
	p.round(p.smtp)
	if n := len(p.inbox.Mails()); n != 2 {
		t.Errorf("%d mails, want 2", n)
	}
	p.Env.Advance(t, 29*day)
	if got := p.Ask(models.RoleHRAdmin, "POST", path(id), `{}`); got.Problem.Code != "message_too_often" {
		t.Errorf("after 29 days: %d %s", got.Status, got.Body)
	}
	p.Env.Advance(t, 2*day)
	if got := p.Ask(models.RoleHRAdmin, "POST", path(id), `{}`); got.Status != 202 {
		t.Errorf("after 31 days: %d %s", got.Status, got.Body)
	}
}

// TestI14_AMailServerThatMisbehaves delays a message and loses none; it is sent once, and where the connection ends
// before the answer it is not sent again.
func TestI14_AMailServerThatMisbehaves(t *testing.T) {
	p := newPost(t)
	sent := 0
	for i, k := range []struct {
		name   string
		faults inbox.Faults
		state  models.MessageState
		why    models.MessageEnd
		kept   int // mails that the server kept while it misbehaved
		then   models.MessageState
	}{
		{"recipient later", inbox.Faults{Recipient: 450}, models.MessageQueued, "", 0, models.MessageSent},
		{"recipient never", inbox.Faults{Recipient: 550}, models.MessageEnded, models.EndRefused, 0, models.MessageEnded},
		{"content later", inbox.Faults{Content: 451}, models.MessageQueued, "", 0, models.MessageSent},
		{"content never", inbox.Faults{Content: 554}, models.MessageEnded, models.EndRefused, 0, models.MessageEnded},
		{"cut after the content", inbox.Faults{CutAfterContent: true}, models.MessageUnsure, "", 1, models.MessageUnsure},
	} {
		m := p.passOn(p.leaver(fmt.Sprint("E", i)), `{}`)
		p.inbox.Set(k.faults)
		p.round(p.smtp)
		sent += k.kept
		t.Log(k.name)
		p.want(m.ID, k.state, k.why, sent)
		p.inbox.Set(inbox.Faults{})
		p.Env.Advance(t, 2*time.Minute)
		p.round(p.smtp)
		if k.then == models.MessageSent {
			sent++
		}
		p.want(m.ID, k.then, k.why, sent)
		p.hr = p.Session(models.RoleHRAdmin)
	}
	gone := p.smtp
	gone.Port = 1 // nobody listens there
	inClear := p.serve(nil)
	inClear.Roots = p.smtp.Roots
	stranger := p.smtp
	stranger.Roots = nil
	for i, s := range []message.SMTP{gone, inClear, stranger} {
		m := p.passOn(p.leaver(fmt.Sprint("F", i)), `{}`)
		for range 3 {
			p.round(s)
			p.Env.Advance(t, 10*time.Minute)
		}
		p.want(m.ID, models.MessageQueued, "", sent)
		p.round(p.smtp)
		sent++
		p.want(m.ID, models.MessageSent, "", sent)
		p.hr = p.Session(models.RoleHRAdmin)
	}
	m := p.passOn(p.leaver("G1"), `{}`)
	p.Env.Advance(t, 15*day)
	p.round(gone)
	p.want(m.ID, models.MessageEnded, models.EndGivenUp, sent)
}

// dying is a server at which this process ends while it hands a mail over.
type dying struct{}

func (dying) Connect(context.Context) (message.Connection, error) { return dying{}, nil }
func (dying) Send(context.Context, message.Mail) message.Outcome  { panic("the process ends") }
func (dying) Close()                                              {}

// meanwhile does something once the connection stands, before anything is handed over.
type meanwhile struct {
	message.Server
	do func()
}

func (m meanwhile) Connect(ctx context.Context) (message.Connection, error) {
	c, err := m.Server.Connect(ctx)
	m.do()
	return c, err
}

// TestI14_WhatHappensWhileAMessageIsSent: withdrawn, or rehired, it is not sent; a process that ends meanwhile leaves it
// unsure; two at once send each once.
func TestI14_WhatHappensWhileAMessageIsSent(t *testing.T) {
	p := newPost(t)
	before, withdrawn, back := p.leaver("E1"), p.leaver("E2"), p.leaver("E3")
	m := p.passOn(before, `{}`)
	p.says(before, false)
	p.round(p.smtp)
	p.want(m.ID, models.MessageEnded, models.EndNotAgreed, 0)
	m = p.passOn(withdrawn, `{}`)
	p.round(meanwhile{p.smtp, func() { p.says(withdrawn, false) }})
	p.want(m.ID, models.MessageEnded, models.EndNotAgreed, 0)
	m = p.passOn(back, `{}`)
	p.round(meanwhile{p.smtp, func() { p.Exec("UPDATE employees SET status = 'active' WHERE id = ?", back) }})
	p.want(m.ID, models.MessageEnded, models.EndNotLeft, 0)

	m = p.passOn(p.leaver("E4"), `{}`)
	func() {
		defer func() { _ = recover() }()
		p.round(dying{})
	}()
	p.round(p.smtp)
	p.want(m.ID, models.MessageSending, "", 0)
	p.Env.Advance(t, 6*time.Minute)
	p.round(p.smtp)
	p.want(m.ID, models.MessageUnsure, "", 0)

	for i := range 6 {
		p.passOn(p.leaver(fmt.Sprint("F", i)), `{}`)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := p.deliverer(p.smtp).Round(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(p.inbox.Mails()); n != 6 {
		t.Errorf("%d mails of 6 messages", n)
	}
	p.Run(func(tx *database.Tx) error { return identity.Disable(tx, p.hr.UserID, models.System) })
	if got := p.hr.Ask("POST", path(p.leaver("G1")), `{}`); got.Status != 401 {
		t.Errorf("by who is disabled: %d", got.Status)
	}
}

// TestI11_TheDatabaseGuardsMessages: no change of state without its entry, and nothing about whom it is for changes.
func TestI11_TheDatabaseGuardsMessages(t *testing.T) {
	p := newPost(t)
	m := p.passOn(p.leaver("E1"), `{}`)
	for what, sql := range map[string]string{
		"sent without an entry": "UPDATE messages SET state = 'sending'",
		"to somebody else":      "UPDATE messages SET employee_id = '" + p.People[models.RoleAuditor].String() + "'",
		"sent at once":          "UPDATE messages SET state = 'sent', finished_at = now(), ledger_entry_id = @entry",
	} {
		err := database.Run(t.Context(), p.Env.Facts, func(tx *database.Tx) error {
			return database.Hide(tx.DB().Exec(strings.ReplaceAll(sql, "@entry", "'"+p.Entry(tx).String()+"'")).Error)
		})
		if err == nil {
			t.Errorf("%s: the database lets it", what)
		}
	}
	p.round(p.smtp)
	p.want(m.ID, models.MessageSent, "", 1)
	err := database.Run(t.Context(), p.Env.Facts, func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec("UPDATE messages SET attempts = 9").Error)
	})
	if err == nil {
		t.Error("what was sent changes")
	}
}
