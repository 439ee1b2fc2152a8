package login

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"lethe/internal/identity"
)

// byPassword logs a browser in with both factors.
func (w *world) byPassword(b *browser) page {
	w.t.Helper()
	body, err := json.Marshal(map[string]string{"login": w.hr.Login, "password": password, "totp": w.code()})
	if err != nil {
		w.t.Fatal(err)
	}
	return b.do(http.MethodPost, w.api+"/api/v1/sessions", string(body), "Content-Type", "application/json")
}

func (w *world) code() string {
	w.t.Helper()
	now, err := w.env.Facts.Now(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	code, err := totp.GenerateCode(w.secret, now)
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

func TestI22_AFreshLoginAtTheProviderStepsUp(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	b.logIn("hr", "")
	before := b.session()
	back, asked := b.atProvider(b.begin("?step_up=true"), "hr")
	if !asked {
		t.Error("the provider did not ask again")
	}
	if p := b.get(back); p.status != http.StatusSeeOther {
		t.Fatalf("answered %d %s", p.status, p.body)
	}
	if s, ok := b.current(); !ok || s.SteppedUpAt == nil {
		t.Errorf("the session: %+v %v", s, ok)
	}
	if p := w.browser().get(w.api+"/api/v1/me", "Cookie", "lethe="+before); p.status != http.StatusUnauthorized {
		t.Errorf("the cookie from before: %d", p.status)
	}
	if n := w.recorded("session.stepped_up", ""); n != 1 {
		t.Errorf("%d entries", n)
	}
	links, err := identity.Links(t.Context(), w.env.Facts, w.hr.ID)
	if err != nil || links[0].ConfirmedAt != nil {
		t.Errorf("a login confirmed itself: %+v %v", links, err)
	}
}

// The provider is asked for a fresh login, and may not obey; what it says of the time decides.
func TestI22_AnOldLoginAtTheProviderIsNoStepUp(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	b.logIn("hr", "")
	for name, wrong := range map[string]func(*behaviour){
		"keeps the old login":    func(b *behaviour) { b.IgnoresMaxAge, b.LoginAge = true, "10m" },
		"a minute old":           func(b *behaviour) { b.LoginAge = "1m" },
		"does not tell the time": func(b *behaviour) { b.NoLoginTime = true },
	} {
		w.provider.behaves(func(b *behaviour) { b.IgnoresMaxAge, b.LoginAge, b.NoLoginTime = false, "", false; wrong(b) })
		back, _ := b.atProvider(b.begin("?step_up=true"), "hr")
		b.get(back).wants(t, name, http.StatusForbidden, "oidc_login_stale")
		if s, ok := b.current(); !ok || s.SteppedUpAt != nil {
			t.Errorf("%s: the session: %+v %v", name, s, ok)
		}
	}
	if n := w.recorded("session.step_up_refused", "oidc_stale"); n != 3 {
		t.Errorf("%d entries", n)
	}
}

func TestI22_SomebodyElsesLoginIsNoStepUp(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b, other := w.browser(), w.browser()
	b.logIn("hr", "")
	back, _ := b.atProvider(b.begin("?step_up=true"), "auditor")
	b.get(back).wants(t, "a colleague's login", http.StatusForbidden, "oidc_other_login")
	back, _ = b.atProvider(b.begin("?step_up=true"), "stranger")
	b.get(back).wants(t, "a stranger's login", http.StatusForbidden, "oidc_not_linked")
	if s, ok := b.current(); !ok || s.SteppedUpAt != nil {
		t.Errorf("the session: %+v %v", s, ok)
	}
	other.get(w.api+"/api/v1/oidc/login?step_up=true").wants(t, "no session", http.StatusUnauthorized, "session_unknown")
}

// A browser that logged somebody else in meanwhile steps up neither session.
func TestI22_AStepUpIsOfTheSessionThatBeganIt(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	b.logIn("hr", "")
	address := b.begin("?step_up=true")
	back, _ := b.atProvider(address, "hr")
	if p := w.byPassword(b); p.status != http.StatusCreated {
		t.Fatalf("answered %d %s", p.status, p.body)
	}
	mine, _ := b.current()
	b.get(back).wants(t, "another session of the browser", http.StatusForbidden, "oidc_flow_unknown")
	if s, ok := b.current(); !ok || s.ID != mine.ID {
		t.Errorf("the session: %+v %v", s, ok)
	}
}

// The owner, logged in by password, shows that the linked login is theirs.
func TestI21_AStepUpFromAPasswordSessionConfirmsTheLink(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	if p := w.byPassword(b); p.status != http.StatusCreated {
		t.Fatalf("answered %d %s", p.status, p.body)
	}
	back, _ := b.atProvider(b.begin("?step_up=true"), "hr")
	if p := b.get(back); p.status != http.StatusSeeOther {
		t.Fatalf("answered %d %s", p.status, p.body)
	}
	links, err := identity.Links(t.Context(), w.env.Facts, w.hr.ID)
	if err != nil || links[0].ConfirmedAt == nil {
		t.Errorf("%+v %v", links, err)
	}
}

func TestI22_StepUpOverHTTP(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	if p := w.byPassword(b); p.status != http.StatusCreated {
		t.Fatalf("answered %d %s", p.status, p.body)
	}
	w.env.Advance(t, identity.StepUpLasts+time.Second)
	ask := func(body string, headers ...string) page {
		return b.do(http.MethodPost, w.api+"/api/v1/step-ups", body, append([]string{"Content-Type", "application/json"}, headers...)...)
	}
	before := b.session()
	ask(`{"password": "wrong"}`).wants(t, "a wrong password", http.StatusForbidden, "step_up_failed")
	ask(`{"totp": "000000"}`).wants(t, "a wrong code", http.StatusForbidden, "step_up_failed")
	ask(`{}`).wants(t, "nothing", http.StatusUnprocessableEntity, "validation_failed")
	ask(`{"password": "`+password+`"}`, "Sec-Fetch-Site", "cross-site").wants(t, "another site", http.StatusForbidden, "cross_origin_refused")
	code := w.code()
	if p := ask(`{"totp": "` + code + `"}`); p.status != http.StatusCreated {
		t.Fatalf("answered %d %s", p.status, p.body)
	}
	if b.session() == before {
		t.Error("the cookie stayed")
	}
	ask(`{"totp": "`+code+`"}`).wants(t, "the same code", http.StatusForbidden, "step_up_failed")
	s, ok := b.current()
	now, err := w.env.Facts.Now(t.Context())
	if err != nil || !ok || s.SteppedUpAt == nil || now.Sub(*s.SteppedUpAt) > time.Minute {
		t.Errorf("the session: %+v %v", s, ok)
	}
}
