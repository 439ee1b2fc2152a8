package users_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/api/users"
	"lethe/internal/database"
	"lethe/internal/identity"
)

// TestI26_ATokenIsShownOnce: a repeated request makes no second one, and shows the first no more.
func TestI26_ATokenIsShownOnce(t *testing.T) {
	f := apitest.New(t)
	v := f.Session(httpkit.Auditor)
	order := f.TokenOrder("")
	key := []string{"Idempotency-Key", uuid.NewString()}
	first := v.Ask("POST", "/api/v1/tokens", order, key...)
	var issued users.IssuedToken
	first.Into(t, &issued)
	again := v.Ask("POST", "/api/v1/tokens", order, key...)
	if again.Status != 409 || again.Problem.Code != "already_delivered" || again.Header.Get("Location") != first.Header.Get("Location") {
		t.Errorf("repeated: %d %s at %q", again.Status, again.Problem.Code, again.Header.Get("Location"))
	}
	if strings.Contains(string(again.Body), issued.Token) {
		t.Error("the secret is shown twice")
	}
	var page httpkit.Page[users.TokenView]
	v.Ask("GET", "/api/v1/tokens", "").Into(t, &page)
	if n := len(page.Items); n != 2 || page.Items[0].ID != issued.ID { // the fixture's own is the other
		t.Errorf("%d tokens: %+v", n, page.Items)
	}
	f.Tokens["mine"] = issued.Token
	if got := f.Ask("mine", "GET", "/api/v1/me", ""); got.Status != 200 {
		t.Errorf("with the token: %d %s", got.Status, got.Problem.Code)
	}
	if got := v.Ask("DELETE", "/api/v1/tokens/"+issued.ID.String(), ""); got.Status != 204 {
		t.Errorf("revoking: %d %s", got.Status, got.Body)
	}
	if got := f.Ask("mine", "GET", "/api/v1/me", ""); got.Problem.Code != "token_revoked" {
		t.Errorf("after revoking: %d %s", got.Status, got.Problem.Code)
	}
	if got := f.Session(httpkit.HR).Ask("DELETE", "/api/v1/tokens/"+f.TokenIDs[httpkit.Auditor].String(), ""); got.Status != 404 {
		t.Errorf("another's token: %d", got.Status)
	}
}

func TestI22_ATokenNeedsAStepUp(t *testing.T) {
	f := apitest.New(t)
	plain := f.PlainSession(f.People[httpkit.Auditor], httpkit.Auditor)
	if got := plain.Ask("POST", "/api/v1/tokens", f.TokenOrder("")); got.Problem.Code != "step_up_required" {
		t.Errorf("without a step-up: %d %s", got.Status, got.Problem.Code)
	}
	v := f.Session(httpkit.Auditor)
	f.Env.Advance(t, 5*time.Minute)
	if got := v.Ask("POST", "/api/v1/tokens", f.TokenOrder("")); got.Problem.Code != "step_up_required" {
		t.Errorf("five minutes after a step-up: %d %s", got.Status, got.Problem.Code)
	}
}

func TestTokenOrdersAreRefused(t *testing.T) {
	f := apitest.New(t)
	v := f.Session(httpkit.HR)
	for name, c := range map[string]struct{ body, code string }{
		"past":          {`{"label": "x", "expires_at": "2020-01-01T00:00:00Z"}`, "token_ttl"},
		"too far":       {`{"label": "x", "expires_at": "2099-01-01T00:00:00Z"}`, "token_ttl"},
		"unknown scope": {f.TokenOrder(`, "scopes": ["root"]`), "validation_failed"},
		"no label":      {`{"label": "", "expires_at": "2020-01-01T00:00:00Z"}`, "validation_failed"},
	} {
		if got := v.Ask("POST", "/api/v1/tokens", c.body); got.Status != 422 || got.Problem.Code != c.code {
			t.Errorf("%s: %d %s", name, got.Status, got.Problem.Code)
		}
	}
}

// Whoever administers the host could ask as anybody, and approve as themselves: a token from there
// asks for nothing. Its owner's own token does.
func TestI21_ATokenIssuedOnTheHostAsksForNothing(t *testing.T) {
	f := apitest.New(t)
	head := f.Hire("R-head", f.A)
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, f.A)
	f.Run(func(tx *database.Tx) (err error) {
		f.Tokens["host"], _, err = identity.Issue(tx, f.People[httpkit.HR], httpkit.HR, "", time.Hour, false)
		return err
	})
	var own users.IssuedToken
	f.Session(httpkit.HR).Ask("POST", "/api/v1/tokens", f.TokenOrder("")).Into(t, &own)
	f.Tokens["own"] = own.Token
	if got := f.Ask("host", "GET", "/api/v1/me", ""); got.Status != 200 {
		t.Errorf("what needs nobody else: %d %s", got.Status, got.Problem.Code)
	}
	order := `{"employee_id": "` + head.String() + `", "kind": "dismissal", "immediate": true}`
	before := f.Rows()
	if got := f.Ask("host", "POST", "/api/v1/departures", order); got.Status != 403 || got.Problem.Code != "token_issued_on_host" {
		t.Errorf("a token of the host's: %d %s", got.Status, got.Body)
	}
	if after := f.Rows(); after["approvals"] != before["approvals"] || after["departures"] != before["departures"] {
		t.Error("the refused call left something behind")
	}
	if got := f.Ask("own", "POST", "/api/v1/departures", order); got.Status != 202 {
		t.Errorf("the owner's own token: %d %s", got.Status, got.Body)
	}
}
