package httpkit_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"lethe/api/accounts"
	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/internal/clock"
	"lethe/models"
)

func TestI26_RepeatedRequestHasOneEffect(t *testing.T) {
	f := apitest.New(t)
	leaver := f.Hire("E1", f.A)
	unlinked := f.Hire("E2", f.A)
	for _, c := range []struct{ path, body, table string }{
		{"/api/v1/departures", f.Notice(leaver, 30), "departures"},
		{"/api/v1/employees", f.Newcomer("N1", f.A, ""), "approvals"},
		{accounts.AccountsAddress(leaver), `{"system": "finance"}`, "linked_accounts"},
		{"/api/v1/account-unlinkings", `{"employee_id": "` + unlinked.String() + `", "mode": "disable", "all_or_nothing": false}`, "account_operations"},
	} {
		key := []string{"Idempotency-Key", "key of " + c.table}
		before := f.Count(c.table)
		first := f.Ask(models.RoleHRAdmin, "POST", c.path, c.body, key...)
		// The same content, written differently.
		again := f.Ask(models.RoleHRAdmin, "POST", c.path, strings.ReplaceAll(c.body, `": "`, `" : "`), key...)
		if first.Status >= 300 || first.Header.Get("Location") == "" {
			t.Fatalf("%s: %d %s", c.path, first.Status, first.Body)
		}
		if again.Status != first.Status || again.Header.Get("Location") != first.Header.Get("Location") {
			t.Errorf("%s: first %d %s, then %d %s", c.path, first.Status, first.Header.Get("Location"), again.Status, again.Header.Get("Location"))
		}
		if n := f.Count(c.table) - before; n != 1 {
			t.Errorf("%s: %d rows", c.path, n)
		}
		if got := f.Ask(models.RoleHRAdmin, "GET", first.Header.Get("Location"), ""); got.Status != http.StatusOK {
			t.Errorf("%s: the Location answers %d", c.path, got.Status)
		}
	}
	stays := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(leaver, 30), "Idempotency-Key", "another key")
	if stays.Status != http.StatusConflict {
		t.Errorf("another key: %d", stays.Status)
	}
}

func TestI26_KeyWithAnotherBodyIsRefused(t *testing.T) {
	f := apitest.New(t)
	a, b := f.Hire("E1", f.A), f.Hire("E2", f.A)
	key := []string{"Idempotency-Key", "k"}
	if got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(a, 30), key...); got.Status != 202 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	before := f.Count("departures")
	for name, got := range map[string]apitest.Reply{
		"another body":  f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(b, 30), key...),
		"another route": f.Ask(models.RoleHRAdmin, "POST", accounts.AccountsAddress(a), `{"system": "mail"}`, key...),
	} {
		if got.Status != 422 || got.Problem.Code != "idempotency_key_reused" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if f.Count("departures") != before {
		t.Error("a refused request had an effect")
	}
	// Another person's key of the same text is another key.
	other, _ := f.Token(f.People[models.RoleAuditor], models.RoleHRAdmin)
	f.Tokens["other"] = other
	firsts, others := f.Notice(a, 30), f.Notice(b, 30)
	first := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", firsts, key...)
	second := f.Ask("other", "POST", "/api/v1/departures", others, key...)
	if second.Status != 202 || second.Header.Get("Location") == first.Header.Get("Location") {
		t.Errorf("another person: %d %s", second.Status, second.Body)
	}
	// Both repeat it, and each is answered with what is theirs.
	for who, c := range map[models.Role]struct {
		body string
		want apitest.Reply
	}{models.RoleHRAdmin: {firsts, first}, "other": {others, second}} {
		if got := f.Ask(who, "POST", "/api/v1/departures", c.body, key...); got.Status != 202 || got.Header.Get("Location") != c.want.Header.Get("Location") {
			t.Errorf("%s repeats it: %d %s", who, got.Status, got.Body)
		}
	}
}

// TestI26_AForgottenRequestIsNotAnswered: a purge emptied the digest of a request, and its key comes again
// with the same content, with other content, and on another route.
func TestI26_AForgottenRequestIsNotAnswered(t *testing.T) {
	f := apitest.New(t)
	a, b := f.Hire("E1", f.A), f.Hire("E2", f.A)
	key := []string{"Idempotency-Key", "k"}
	if got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(a, 30), key...); got.Status != 202 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if err := f.Env.Facts.Read(t.Context()).Exec("UPDATE idempotency_keys SET request_hash = NULL").Error; err != nil {
		t.Fatal(err)
	}
	before := f.Count("departures")
	for name, got := range map[string]apitest.Reply{
		"the same":      f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(a, 30), key...),
		"another body":  f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(b, 30), key...),
		"another route": f.Ask(models.RoleHRAdmin, "POST", accounts.AccountsAddress(a), `{"system": "mail"}`, key...),
	} {
		if got.Status != 409 || got.Problem.Code != "idempotency_key_forgotten" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if f.Count("departures") != before {
		t.Error("a refused request had an effect")
	}
}

func TestI26_FailedRequestMayBeTriedAgain(t *testing.T) {
	f := apitest.New(t)
	leaver := f.Hire("E1", f.A)
	bad := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(leaver, -5), "Idempotency-Key", "k")
	good := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(leaver, 5), "Idempotency-Key", "k")
	if bad.Status != 422 || good.Status != 202 {
		t.Errorf("%d, then %d %s", bad.Status, good.Status, good.Body)
	}
}

func TestI26_ConcurrentRequestsWaitForTheFirst(t *testing.T) {
	f := apitest.New(t)
	leaver := f.Hire("E1", f.A)
	body := f.Notice(leaver, 30)
	answers := make([]apitest.Reply, 6)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			answers[i] = f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", body, "Idempotency-Key", "k")
		})
	}
	wg.Wait()
	for _, a := range answers {
		if a.Status != 202 || a.Header.Get("Location") != answers[0].Header.Get("Location") {
			t.Errorf("%d %s %s", a.Status, a.Header.Get("Location"), a.Body)
		}
	}
	if n := f.Count("departures"); n != 1 {
		t.Errorf("%d departures", n)
	}
}

func TestIdempotencyKeyExpires(t *testing.T) {
	f := apitest.New(t)
	for i := range 2 {
		no := fmt.Sprintf("N%d", i)
		got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/employees", f.Newcomer(no, f.A, ""), "Idempotency-Key", "k")
		if got.Status != 202 {
			t.Fatalf("%s: %d %s", no, got.Status, got.Body)
		}
		f.Env.Advance(t, httpkit.KeyLife+time.Minute)
	}
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/employees", f.Newcomer("N9", f.A, ""), "Idempotency-Key", "another")
	if n := f.Count("idempotency_keys"); n != 1 {
		t.Errorf("%d keys are kept, want the one that has not expired", n)
	}
}

func TestBodyOfARepeatIsFresh(t *testing.T) {
	f := apitest.New(t)
	leaver := f.Hire("E1", f.A)
	key := []string{"Idempotency-Key", "k"}
	var first, again departures.DepartureView
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(leaver, 30), key...).Into(t, &first)
	f.Ask(models.RoleHRAdmin, "PUT", httpkit.AddressOf(models.RefDeparture, first.ID)+"/dates", `{"last_working_day": "`+f.Day(35)+`"}`)
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(leaver, 30), key...).Into(t, &again)
	want, _ := clock.ParseDate(f.Day(35))
	if again.ID != first.ID || again.LastWorkingDay != want {
		t.Errorf("the repeat shows %v of %v", again.LastWorkingDay, again.ID)
	}
}
