package api

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/identity"
)

func (f *fixture) tokenOrder(rest string) string {
	now, err := f.env.Facts.Now(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return `{"label": "script", "expires_at": "` + now.Add(time.Hour).Format(time.RFC3339) + `"` + rest + `}`
}

// TestI26_ATokenIsShownOnce: a repeated request makes no second one, and shows the first no more.
func TestI26_ATokenIsShownOnce(t *testing.T) {
	f := newFixture(t)
	v := f.session(auditor)
	order := f.tokenOrder("")
	key := []string{"Idempotency-Key", uuid.NewString()}
	first := v.ask("POST", "/api/v1/tokens", order, key...)
	var issued IssuedToken
	first.into(t, &issued)
	again := v.ask("POST", "/api/v1/tokens", order, key...)
	if again.status != 409 || again.problem.Code != codeAlreadyDelivered || again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("repeated: %d %s at %q", again.status, again.problem.Code, again.header.Get("Location"))
	}
	if strings.Contains(string(again.body), issued.Token) {
		t.Error("the secret is shown twice")
	}
	var page Page[TokenView]
	v.ask("GET", "/api/v1/tokens", "").into(t, &page)
	if n := len(page.Items); n != 2 || page.Items[0].ID != issued.ID { // the fixture's own is the other
		t.Errorf("%d tokens: %+v", n, page.Items)
	}
	f.tokens["mine"] = issued.Token
	if got := f.ask("mine", "GET", "/api/v1/me", ""); got.status != 200 {
		t.Errorf("with the token: %d %s", got.status, got.problem.Code)
	}
	if got := v.ask("DELETE", "/api/v1/tokens/"+issued.ID.String(), ""); got.status != 204 {
		t.Errorf("revoking: %d %s", got.status, got.body)
	}
	if got := f.ask("mine", "GET", "/api/v1/me", ""); got.problem.Code != codeTokenRevoked {
		t.Errorf("after revoking: %d %s", got.status, got.problem.Code)
	}
	if got := f.session(hr).ask("DELETE", "/api/v1/tokens/"+f.tokenIDs[auditor].String(), ""); got.status != 404 {
		t.Errorf("another's token: %d", got.status)
	}
}

func TestI22_ATokenNeedsAStepUp(t *testing.T) {
	f := newFixture(t)
	plain := f.plainSession(f.people[auditor], auditor)
	if got := plain.ask("POST", "/api/v1/tokens", f.tokenOrder("")); got.problem.Code != codeStepUpRequired {
		t.Errorf("without a step-up: %d %s", got.status, got.problem.Code)
	}
	v := f.session(auditor)
	f.env.Advance(t, 5*time.Minute)
	if got := v.ask("POST", "/api/v1/tokens", f.tokenOrder("")); got.problem.Code != codeStepUpRequired {
		t.Errorf("five minutes after a step-up: %d %s", got.status, got.problem.Code)
	}
}

func TestTokenOrdersAreRefused(t *testing.T) {
	f := newFixture(t)
	v := f.session(hr)
	for name, c := range map[string]struct{ body, code string }{
		"past":          {`{"label": "x", "expires_at": "2020-01-01T00:00:00Z"}`, codeTokenTTL},
		"too far":       {`{"label": "x", "expires_at": "2099-01-01T00:00:00Z"}`, codeTokenTTL},
		"unknown scope": {f.tokenOrder(`, "scopes": ["root"]`), codeValidationFailed},
		"no label":      {`{"label": "", "expires_at": "2020-01-01T00:00:00Z"}`, codeValidationFailed},
	} {
		if got := v.ask("POST", "/api/v1/tokens", c.body); got.status != 422 || got.problem.Code != c.code {
			t.Errorf("%s: %d %s", name, got.status, got.problem.Code)
		}
	}
}

// Whoever administers the host could ask as anybody, and approve as themselves: a token from there
// asks for nothing. Its owner's own token does.
func TestI21_ATokenIssuedOnTheHostAsksForNothing(t *testing.T) {
	f := newFixture(t)
	head := f.hire("R-head", f.a)
	f.exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, f.a)
	f.run(func(tx *database.Tx) (err error) {
		f.tokens["host"], _, err = identity.Issue(tx, f.people[hr], hr, "", time.Hour, false)
		return err
	})
	var own IssuedToken
	f.session(hr).ask("POST", "/api/v1/tokens", f.tokenOrder("")).into(t, &own)
	f.tokens["own"] = own.Token
	if got := f.ask("host", "GET", "/api/v1/me", ""); got.status != 200 {
		t.Errorf("what needs nobody else: %d %s", got.status, got.problem.Code)
	}
	order := `{"employee_id": "` + head.String() + `", "kind": "dismissal", "immediate": true}`
	before := f.rows()
	if got := f.ask("host", "POST", "/api/v1/departures", order); got.status != 403 || got.problem.Code != codeHostToken {
		t.Errorf("a token of the host's: %d %s", got.status, got.body)
	}
	if after := f.rows(); after["approvals"] != before["approvals"] || after["departures"] != before["departures"] {
		t.Error("the refused call left something behind")
	}
	if got := f.ask("own", "POST", "/api/v1/departures", order); got.status != 202 {
		t.Errorf("the owner's own token: %d %s", got.status, got.body)
	}
}
