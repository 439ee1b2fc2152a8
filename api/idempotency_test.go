package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"lethe/internal/clock"
	"lethe/models"
)

func (f *fixture) count(table string) int64 {
	f.t.Helper()
	var n int64
	if err := f.env.Facts.Read(context.Background()).Table(table).Count(&n).Error; err != nil {
		f.t.Fatal(err)
	}
	return n
}

func TestI26_RepeatedRequestHasOneEffect(t *testing.T) {
	f := newFixture(t)
	leaver := f.hire("E1", f.a)
	unlinked := f.hire("E2", f.a)
	for _, c := range []struct{ path, body, table string }{
		{"/api/v1/departures", f.notice(leaver, 30), "departures"},
		{"/api/v1/employees", f.newcomer("N1", f.a, ""), "approvals"},
		{accountsAddress(leaver), `{"system": "finance"}`, "linked_accounts"},
		{"/api/v1/account-unlinkings", `{"employee_id": "` + unlinked.String() + `", "mode": "disable", "all_or_nothing": false}`, "account_operations"},
	} {
		key := []string{"Idempotency-Key", "key of " + c.table}
		before := f.count(c.table)
		first := f.ask(models.RoleHRAdmin, "POST", c.path, c.body, key...)
		// The same content, written differently.
		again := f.ask(models.RoleHRAdmin, "POST", c.path, strings.ReplaceAll(c.body, `": "`, `" : "`), key...)
		if first.status >= 300 || first.header.Get("Location") == "" {
			t.Fatalf("%s: %d %s", c.path, first.status, first.body)
		}
		if again.status != first.status || again.header.Get("Location") != first.header.Get("Location") {
			t.Errorf("%s: first %d %s, then %d %s", c.path, first.status, first.header.Get("Location"), again.status, again.header.Get("Location"))
		}
		if n := f.count(c.table) - before; n != 1 {
			t.Errorf("%s: %d rows", c.path, n)
		}
		if got := f.ask(models.RoleHRAdmin, "GET", first.header.Get("Location"), ""); got.status != http.StatusOK {
			t.Errorf("%s: the Location answers %d", c.path, got.status)
		}
	}
	stays := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(leaver, 30), "Idempotency-Key", "another key")
	if stays.status != http.StatusConflict {
		t.Errorf("another key: %d", stays.status)
	}
}

func TestI26_KeyWithAnotherBodyIsRefused(t *testing.T) {
	f := newFixture(t)
	a, b := f.hire("E1", f.a), f.hire("E2", f.a)
	key := []string{"Idempotency-Key", "k"}
	if got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(a, 30), key...); got.status != 202 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	before := f.count("departures")
	for name, got := range map[string]reply{
		"another body":  f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(b, 30), key...),
		"another route": f.ask(models.RoleHRAdmin, "POST", accountsAddress(a), `{"system": "mail"}`, key...),
	} {
		if got.status != 422 || got.problem.Code != codeIdempotencyReuse {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if f.count("departures") != before {
		t.Error("a refused request had an effect")
	}
	// Another person's key of the same text is another key.
	other, _ := f.token(f.people[models.RoleAuditor], models.RoleHRAdmin)
	f.tokens["other"] = other
	firsts, others := f.notice(a, 30), f.notice(b, 30)
	first := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", firsts, key...)
	second := f.ask("other", "POST", "/api/v1/departures", others, key...)
	if second.status != 202 || second.header.Get("Location") == first.header.Get("Location") {
		t.Errorf("another person: %d %s", second.status, second.body)
	}
	// Both repeat it, and each is answered with what is theirs.
	for who, c := range map[models.Role]struct {
		body string
		want reply
	}{models.RoleHRAdmin: {firsts, first}, "other": {others, second}} {
		if got := f.ask(who, "POST", "/api/v1/departures", c.body, key...); got.status != 202 || got.header.Get("Location") != c.want.header.Get("Location") {
			t.Errorf("%s repeats it: %d %s", who, got.status, got.body)
		}
	}
}

// TestI26_AForgottenRequestIsNotAnswered: a purge emptied the digest of a request, and its key comes again
// with the same content, with other content, and on another route.
func TestI26_AForgottenRequestIsNotAnswered(t *testing.T) {
	f := newFixture(t)
	a, b := f.hire("E1", f.a), f.hire("E2", f.a)
	key := []string{"Idempotency-Key", "k"}
	if got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(a, 30), key...); got.status != 202 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if err := f.env.Facts.Read(t.Context()).Exec("UPDATE idempotency_keys SET request_hash = NULL").Error; err != nil {
		t.Fatal(err)
	}
	before := f.count("departures")
	for name, got := range map[string]reply{
		"the same":      f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(a, 30), key...),
		"another body":  f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(b, 30), key...),
		"another route": f.ask(models.RoleHRAdmin, "POST", accountsAddress(a), `{"system": "mail"}`, key...),
	} {
		if got.status != 409 || got.problem.Code != codeIdempotencyGone {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if f.count("departures") != before {
		t.Error("a refused request had an effect")
	}
}

func TestI26_FailedRequestMayBeTriedAgain(t *testing.T) {
	f := newFixture(t)
	leaver := f.hire("E1", f.a)
	bad := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(leaver, -5), "Idempotency-Key", "k")
	good := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(leaver, 5), "Idempotency-Key", "k")
	if bad.status != 422 || good.status != 202 {
		t.Errorf("%d, then %d %s", bad.status, good.status, good.body)
	}
}

func TestI26_ConcurrentRequestsWaitForTheFirst(t *testing.T) {
	f := newFixture(t)
	leaver := f.hire("E1", f.a)
	body := f.notice(leaver, 30)
	answers := make([]reply, 6)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			answers[i] = f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", body, "Idempotency-Key", "k")
		})
	}
	wg.Wait()
	for _, a := range answers {
		if a.status != 202 || a.header.Get("Location") != answers[0].header.Get("Location") {
			t.Errorf("%d %s %s", a.status, a.header.Get("Location"), a.body)
		}
	}
	if n := f.count("departures"); n != 1 {
		t.Errorf("%d departures", n)
	}
}

func TestIdempotencyKeyExpires(t *testing.T) {
	f := newFixture(t)
	for i := range 2 {
		no := fmt.Sprintf("N%d", i)
		got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/employees", f.newcomer(no, f.a, ""), "Idempotency-Key", "k")
		if got.status != 202 {
			t.Fatalf("%s: %d %s", no, got.status, got.body)
		}
		f.env.Advance(t, keyLife+time.Minute)
	}
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/employees", f.newcomer("N9", f.a, ""), "Idempotency-Key", "another")
	if n := f.count("idempotency_keys"); n != 1 {
		t.Errorf("%d keys are kept, want the one that has not expired", n)
	}
}

func TestBodyOfARepeatIsFresh(t *testing.T) {
	f := newFixture(t)
	leaver := f.hire("E1", f.a)
	key := []string{"Idempotency-Key", "k"}
	var first, again DepartureView
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(leaver, 30), key...).into(t, &first)
	f.ask(models.RoleHRAdmin, "PUT", addressOf(models.RefDeparture, first.ID)+"/dates", `{"last_working_day": "`+f.day(35)+`"}`)
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(leaver, 30), key...).into(t, &again)
	want, _ := clock.ParseDate(f.day(35))
	if again.ID != first.ID || again.LastWorkingDay != want {
		t.Errorf("the repeat shows %v of %v", again.LastWorkingDay, again.ID)
	}
}
