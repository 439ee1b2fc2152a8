package login

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

func TestLoginByTheCompanysProvider(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	p := b.logIn("hr", "")
	if p.status != http.StatusSeeOther || p.location != w.api+"/" {
		t.Fatalf("answered %d %s %s", p.status, p.location, p.body)
	}
	s, ok := b.current()
	if !ok || s.Role != string(models.RoleHRAdmin) || s.Authenticated != string(models.ByOIDC) || s.SteppedUpAt != nil {
		t.Errorf("the session: %+v %v", s, ok)
	}
	for _, c := range p.cookies {
		if c.Name == "lethe" && (!c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/") {
			t.Errorf("the cookie: %+v", c)
		}
		if c.Name == "lethe-oidc" && c.MaxAge >= 0 {
			t.Error("the flow's cookie stays")
		}
	}
	if n := w.recorded("session.opened", ""); n != 1 {
		t.Errorf("%d entries", n)
	}
	// A second login of the same browser leaves nothing of the first behind.
	before := b.session()
	if p := b.logIn("auditor", ""); p.status != http.StatusSeeOther {
		t.Fatalf("answered %d %s", p.status, p.body)
	}
	old := w.browser()
	if p := old.get(w.api+"/api/v1/me", "Cookie", "lethe="+before); p.status != http.StatusUnauthorized {
		t.Errorf("the session from before: %d", p.status)
	}
}

func TestARoleThatIsNotHeldOpensNothing(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	if p := b.logIn("hr", "?role=reviewer"); p.status != http.StatusForbidden {
		t.Errorf("answered %d %s", p.status, p.code)
	}
	if n := w.recorded("session.refused", "oidc_role_not_granted"); n != 1 || b.session() != "" {
		t.Errorf("%d entries, session %q", n, b.session())
	}
	w.browser().get(w.api+"/api/v1/oidc/login?role=root").wants(t, "no such role", http.StatusUnprocessableEntity, "validation_failed")
}

// What a stranger can get hold of, the state, the code, the whole address, finishes no login in
// another browser, a second time, or in another login.
func TestStrangersCannotFinishALogin(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	victim, stranger := w.browser(), w.browser()
	back, _ := victim.atProvider(victim.begin(""), "hr")
	stranger.get(back).wants(t, "another browser", http.StatusForbidden, "oidc_flow_unknown")
	stranger.begin("")
	stranger.get(back).wants(t, "another browser with a login of its own", http.StatusForbidden, "oidc_flow_unknown")
	victim.get(strings.Replace(back, "state=", "state=x", 1)).wants(t, "another state", http.StatusForbidden, "oidc_flow_unknown")
	victim.get(w.api+"/api/v1/oidc/callback").wants(t, "nothing at all", http.StatusForbidden, "oidc_flow_unknown")
	if p := victim.get(back + "&session_state=of-the-provider"); p.status != http.StatusSeeOther {
		t.Fatalf("the victim itself: %d %s", p.status, p.body)
	}
	victim.get(back).wants(t, "a second time", http.StatusForbidden, "oidc_flow_unknown")
}

// The code of one login in the answer to another: the verifier does not fit, and neither would the
// nonce. A stranger can plant a code of their own in nobody's browser.
func TestCodesOfOtherLoginsAreRefused(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	victim, stranger := w.browser(), w.browser()
	mine, _ := victim.atProvider(victim.begin(""), "hr")
	theirs, _ := stranger.atProvider(stranger.begin(""), "auditor")
	victim.get(withCode(t, mine, theirs)).wants(t, "a stranger's code", http.StatusForbidden, "oidc_proof_rejected")
	if n := w.recorded("session.refused", "oidc_proof_rejected"); n != 1 || victim.session() != "" {
		t.Errorf("%d entries, session %q", n, victim.session())
	}

	used, _ := victim.atProvider(victim.begin(""), "hr")
	if p := victim.get(used); p.status != http.StatusSeeOther {
		t.Fatalf("answered %d %s", p.status, p.body)
	}
	again, _ := victim.atProvider(victim.begin(""), "hr")
	victim.get(withCode(t, again, used)).wants(t, "a code that was used", http.StatusForbidden, "oidc_proof_rejected")
	empty, _ := victim.atProvider(victim.begin(""), "hr")
	victim.get(strings.Replace(empty, "code=", "kode=", 1)).wants(t, "no code", http.StatusForbidden, "oidc_proof_rejected")
}

// withCode is the first address with the second's code.
func withCode(t *testing.T, address, other string) string {
	t.Helper()
	a, errA := url.Parse(address)
	o, errO := url.Parse(other)
	if errA != nil || errO != nil {
		t.Fatal(errA, errO)
	}
	q := a.Query()
	q.Set("code", o.Query().Get("code"))
	a.RawQuery = q.Encode()
	return a.String()
}

func TestAWrongNonceIsRefused(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	w.provider.behaves(func(b *behaviour) { b.Nonce = "of another login" })
	w.browser().logIn("hr", "").wants(t, "another nonce", http.StatusForbidden, "oidc_proof_rejected")
	w.provider.behaves(func(b *behaviour) { b.Nonce = "" })
	if p := w.browser().logIn("hr", ""); p.status != http.StatusSeeOther {
		t.Errorf("the right one: %d %s", p.status, p.body)
	}
}

// The same address in the directory is nobody's identity; neither is the same subject elsewhere.
func TestSameAddressAndOtherSubjectIsNobody(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	b.logIn("stranger", "").wants(t, "same e-mail, other subject", http.StatusForbidden, "oidc_not_linked")
	if n := w.recorded("session.refused", "oidc_not_linked"); n != 1 || b.session() != "" {
		t.Errorf("%d entries, session %q", n, b.session())
	}
	w.linkLogin(w.hire("third", models.RoleEmployee), "https://other.example", "s-stranger")
	w.browser().logIn("stranger", "").wants(t, "the subject is another issuer's", http.StatusForbidden, "oidc_not_linked")
}

func TestAnswersOfAnotherIssuerAreRefused(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	back, _ := b.atProvider(b.begin(""), "hr")
	b.get(back+"&iss=https%3A%2F%2Fother.example").wants(t, "another issuer", http.StatusForbidden, "oidc_proof_rejected")
	back, _ = b.atProvider(b.begin(""), "hr")
	if p := b.get(back + "&iss=" + url.QueryEscape(w.provider.issuer)); p.status != http.StatusSeeOther {
		t.Errorf("the right issuer: %d %s", p.status, p.body)
	}
	// The document of the provider that we reach names another issuer than the one configured.
	elsewhere := w.newClient(strings.Replace(w.provider.issuer, "127.0.0.1", "localhost", 1))
	if _, err := w.service.BeginLogin(t.Context(), elsewhere, "", [16]byte{}, identity.Client{}); err == nil {
		t.Error("a document of another issuer was believed")
	}
}

func TestARefusalAtTheProviderIsTold(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	address, err := url.Parse(b.begin(""))
	if err != nil {
		t.Fatal(err)
	}
	back := w.api + "/api/v1/oidc/callback?error=access_denied&state=" + address.Query().Get("state")
	b.get(back).wants(t, "denied", http.StatusForbidden, "oidc_denied")
	if n := w.recorded("session.refused", "oidc_denied"); n != 1 {
		t.Errorf("%d entries", n)
	}
}

func TestAProviderThatIsDownStopsNothingElse(t *testing.T) {
	w := newWorld(t) // the API serves, and nobody answers at the provider's address
	b := w.browser()
	b.get(w.api+"/api/v1/oidc/login").wants(t, "before it is there", http.StatusServiceUnavailable, "oidc_unavailable")
	if p := w.byPassword(b); p.status != http.StatusCreated {
		t.Errorf("a login by password meanwhile: %d %s", p.status, p.body)
	}
	w.provider.start()
	back, _ := b.atProvider(b.begin(""), "hr")
	w.provider.stop()
	b.get(back).wants(t, "gone while the browser was there", http.StatusServiceUnavailable, "oidc_unavailable")
	w.provider.start()
	if p := b.logIn("hr", ""); p.status != http.StatusSeeOther {
		t.Errorf("when it is back, with other keys: %d %s", p.status, p.body)
	}
}

// Clocks that differ by seconds do no harm; a token of another time is refused.
func TestClocksMayDifferALittle(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	ahead := time.Duration(0) // of our clock
	for _, c := range []struct {
		ahead  time.Duration
		passes bool
	}{{-5 * time.Minute, false}, {-20 * time.Second, true}, {0, true}, {20 * time.Second, true}, {6 * time.Minute, false}} {
		w.env.Advance(t, c.ahead-ahead)
		ahead = c.ahead
		p := w.browser().logIn("hr", "")
		if c.passes != (p.status == http.StatusSeeOther) || (!c.passes && p.code != "oidc_proof_rejected") {
			t.Errorf("our clock is %s ahead: %d %s", c.ahead, p.status, p.code)
		}
	}
}

func TestALoginOfYesterdayOpensNothing(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	for age, passes := range map[string]bool{"11h59m": true, "12h1m": false} {
		w.provider.behaves(func(b *behaviour) { b.LoginAge = age })
		if p := b.logIn("hr", ""); passes != (p.status == http.StatusSeeOther) || (!passes && p.code != "oidc_login_stale") {
			t.Errorf("a login of %s ago: %d %s", age, p.status, p.code)
		}
	}
}

func TestI23_ARevokedLinkOpensNothing(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	b.logIn("hr", "")
	back, _ := b.atProvider(b.begin(""), "hr")
	w.run(func(tx *database.Tx) error { return identity.UnlinkLogin(tx, w.hr.ID, w.link.ID, models.System) })
	if p := b.get(w.api + "/api/v1/me"); p.status != http.StatusUnauthorized {
		t.Errorf("the session of the login: %d", p.status)
	}
	b.get(back).wants(t, "on the way", http.StatusForbidden, "oidc_not_linked")
}

func TestI23_ACutOffPersonCannotComeBack(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	b.logIn("hr", "")
	back, _ := b.atProvider(b.begin(""), "hr")
	w.run(func(tx *database.Tx) error { return identity.EndAll(tx, w.hr.EmployeeID) })
	if p := b.get(w.api + "/api/v1/me"); p.status != http.StatusUnauthorized {
		t.Errorf("the session: %d", p.status)
	}
	b.get(back).wants(t, "on the way", http.StatusForbidden, "oidc_not_linked")
	if _, ok := b.current(); ok {
		t.Error("a session was opened")
	}
	if n := w.recorded("session.refused", "oidc_not_linked"); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// Another site can send a browser anywhere; to a login it is not let through.
func TestAnotherSiteCannotBeginALogin(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	for site, refused := range map[string]bool{"cross-site": true, "same-site": true, "same-origin": false, "none": false, "": false} {
		p := w.browser().get(w.api+"/api/v1/oidc/login", "Sec-Fetch-Site", site)
		if refused != (p.code == "cross_origin_refused") || refused == (p.status == http.StatusSeeOther) {
			t.Errorf("%q: %d %s", site, p.status, p.code)
		}
	}
}

func TestALoginTakesFiveMinutesAtMost(t *testing.T) {
	w := newWorld(t)
	w.provider.start()
	b := w.browser()
	back, _ := b.atProvider(b.begin(""), "hr")
	w.env.Advance(t, identity.FlowLasts+time.Second)
	b.get(back).wants(t, "too late", http.StatusForbidden, "oidc_flow_unknown")
}
