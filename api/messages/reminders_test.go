package messages_test

import (
	"strings"
	"testing"
	"time"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/internal/clock"
	"lethe/internal/notify"
	"lethe/models"
)

const office = "second.pair@company.example"

// morning is nine o'clock of the next working day.
func (p *post) morning() clock.Date {
	p.T.Helper()
	zone, err := clock.LoadZone("Asia/Shanghai")
	if err != nil {
		p.T.Fatal(err)
	}
	for {
		p.Env.AdvanceToHour(p.T, "Asia/Shanghai", "00:00")
		p.Env.AdvanceToHour(p.T, "Asia/Shanghai", "09:00")
		now, err := p.Env.Facts.Now(p.T.Context())
		if err != nil {
			p.T.Fatal(err)
		}
		if day := clock.Today(now, zone); (clock.Place{Jurisdiction: "CN"}).WorkingDay(day) {
			return day
		}
	}
}

// reminded is how many mails come when two processes look.
func (p *post) reminded() []string {
	p.T.Helper()
	before := len(p.inbox.Mails())
	for range 2 {
		d := p.deliverer(p.smtp)
		d.Reminders = &notify.Reminders{DB: p.API.DB, Approvals: p.Approvals, PublicURL: "https://lethe.company.example"}
		if err := d.Round(p.T.Context()); err != nil {
			p.T.Fatal(err)
		}
	}
	var texts []string
	for _, m := range p.inbox.Mails()[before:] {
		if len(m.To) != 1 || m.To[0] != office {
			p.T.Errorf("a reminder went to %v", m.To)
		}
		texts = append(texts, plain(p.T, m.Text))
	}
	return texts
}

func (p *post) remind(v *apitest.Visitor, digest models.DigestEvery, urgent string) {
	p.T.Helper()
	if got := v.Ask("PUT", "/api/v1/me/reminders", `{"address": "`+office+`", "digest": "`+string(digest)+`", "urgent": `+urgent+`, "language": "en"}`); got.Status != 200 {
		p.T.Fatalf("%d %s", got.Status, got.Body)
	}
}

// TestI24_WhatWaitsIsToldByMail: on working days, once, in the own language, with numbers and links, naming nobody; nothing
// where nothing waits, and nothing to who is disabled.
func TestI24_WhatWaitsIsToldByMail(t *testing.T) {
	p := newPost(t)
	dep := p.LeftLongAgo(p.Hire("E77", p.B), -20, false)
	asked := p.Ask(httpkit.HR, "POST", httpkit.AddressOf(models.RefDeparture, dep.ID)+"/annulment", `{"reason": "mistaken"}`)
	if asked.Status != 202 {
		t.Fatalf("%d %s", asked.Status, asked.Body)
	}
	p.morning()
	if got := p.reminded(); len(got) != 0 {
		t.Errorf("told without having asked for it: %q", got)
	}
	reviewer := p.Session(models.RoleReviewer)
	p.remind(reviewer, models.DigestDaily, "false")
	p.remind(reviewer, models.DigestDaily, "false") // the same again
	got := p.reminded()
	if len(got) != 1 || !strings.Contains(got[0], "Requests that you may decide about: 1") || !strings.Contains(got[0], "https://lethe.company.example/console/approvals") {
		t.Fatalf("the digest: %q", got)
	}
	if strings.Contains(got[0], "E77") || strings.Contains(got[0], dep.ID.String()) {
		t.Errorf("the mail names somebody: %q", got[0])
	}
	if again := p.reminded(); len(again) != 0 {
		t.Errorf("told twice in a day: %q", again)
	}
	var set struct {
		Address, Digest, Language string
	}
	reviewer.Ask("GET", "/api/v1/me/reminders", "").Into(t, &set)
	if set.Address != office || set.Digest != "daily" || set.Language != "en" {
		t.Errorf("set: %+v", set)
	}
	p.morning()
	if got := p.reminded(); len(got) != 1 {
		t.Errorf("the next day: %q", got)
	}
	if got := p.Session(models.RoleReviewer).Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "rejected"}`); got.Status >= 300 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	p.morning()
	if got := p.reminded(); len(got) != 0 {
		t.Errorf("nothing waits: %q", got)
	}
	if n := p.Count(`messages WHERE reminder = 'digest' AND ended_as = 'nothing_waits'`); n != 1 {
		t.Errorf("%d reminders ended since nothing waits", n)
	}
	// Nobody reads of them among the messages to people who left.
	if body := string(p.Session(models.RoleHRAdmin).Ask("GET", "/api/v1/messages", "").Body); !strings.Contains(body, `"items":[]`) {
		t.Errorf("messages: %s", body)
	}
	p.Exec("UPDATE users SET state = 'disabled', ledger_entry_id = @entry WHERE employee_id = ?", p.People[models.RoleReviewer])
	if err := notify.Sweep(t.Context(), p.API.DB); err != nil {
		t.Fatal(err)
	}
	if n := p.Count("reminders"); n != 0 {
		t.Error("the address of somebody who is disabled is kept")
	}
}

// TestI24_WhatCannotWaitIsToldAtOnce: an answer that is overdue, to who wants to be told; and to nobody who stopped it.
func TestI24_WhatCannotWaitIsToldAtOnce(t *testing.T) {
	p := newPost(t)
	asks := p.Session(models.RoleEmployee)
	if got := asks.Ask("POST", "/api/v1/me/requests", `{"kind": "copy", "text": "a copy of my file, please"}`); got.Status != 201 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	p.Env.Advance(t, 100*24*time.Hour)
	hr := p.Session(models.RoleHRAdmin)
	p.remind(hr, models.DigestNever, "false")
	if got := p.reminded(); len(got) != 0 {
		t.Errorf("told what was not wanted: %q", got)
	}
	p.remind(hr, models.DigestNever, "true")
	if got := p.reminded(); len(got) != 1 || !strings.Contains(got[0], "whose answer is overdue: 1") {
		t.Fatalf("what is overdue: %q", got)
	}
	p.Env.Advance(t, 2*time.Hour)
	if got := p.reminded(); len(got) != 0 {
		t.Errorf("told again: %q", got)
	}
	hr = p.Session(models.RoleHRAdmin)
	if got := hr.Ask("DELETE", "/api/v1/me/reminders", ""); got.Status != 204 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if n := p.Count("reminders"); n != 0 {
		t.Error("the address is kept")
	}
	for what, body := range map[string]string{
		"no address": `{"address": "nobody", "digest": "daily", "urgent": true, "language": "zh"}`, "a name": `{"address": "Boss <boss@company.example>", "digest": "daily", "urgent": true, "language": "zh"}`,
		"no such language": `{"address": "a@b.example", "digest": "daily", "urgent": true, "language": "fr"}`, "no such rhythm": `{"address": "a@b.example", "digest": "hourly", "urgent": true, "language": "zh"}`,
	} {
		if got := hr.Ask("PUT", "/api/v1/me/reminders", body); got.Status != 422 || strings.Contains(string(got.Body), "boss@") {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
		}
	}
}

// TestI24_WhoLosesTheRoleIsRemindedOfNothing: the address goes, and could be taken back before; a corrected one is told anew.
func TestI24_WhoLosesTheRoleIsRemindedOfNothing(t *testing.T) {
	p := newPost(t)
	if got := p.Session(models.RoleEmployee).Ask("POST", "/api/v1/me/requests", `{"kind": "copy", "text": "a copy of my file, please"}`); got.Status != 201 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	p.Env.Advance(t, 100*24*time.Hour)
	hr, person := p.Session(models.RoleHRAdmin), p.People[models.RoleHRAdmin]
	for range 2 {
		p.remind(hr, models.DigestNever, "true")
		if got := p.reminded(); len(got) != 1 {
			t.Errorf("told at this address: %q", got)
		}
		if got := p.FreshSession(person, models.RoleEmployee).Ask("DELETE", "/api/v1/me/reminders", ""); got.Status != 204 {
			t.Fatalf("stopped in another role: %d %s", got.Status, got.Body)
		}
		p.Env.Advance(t, time.Minute)
	}
	p.remind(hr, models.DigestDaily, "true")
	p.Exec("UPDATE user_roles SET revoked_at = lethe_now(), ledger_entry_id = @entry WHERE user_id = ?", p.User(person))
	if err := notify.Sweep(t.Context(), p.API.DB); err != nil {
		t.Fatal(err)
	}
	if n := p.Count("reminders"); n != 0 {
		t.Error("the address of somebody without a role is kept")
	}
}
