package login

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// browser keeps cookies and goes where it is told, step by step.
type browser struct {
	w      *world
	client *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{w: w, client: &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// page is an answer that was read to its end.
type page struct {
	status   int
	location string
	code     string // of a problem
	body     string
	cookies  []*http.Cookie
}

func (b *browser) do(method, address, body string, headers ...string) page {
	b.w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		b.w.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	p := page{status: response.StatusCode, body: string(content), cookies: response.Cookies()}
	if location := response.Header.Get("Location"); location != "" {
		at, err := response.Request.URL.Parse(location)
		if err != nil {
			b.w.t.Fatal(err)
		}
		p.location = at.String()
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/problem+json") {
		var problem struct{ Code string }
		if err := json.Unmarshal(content, &problem); err != nil {
			b.w.t.Fatal(err)
		}
		p.code = problem.Code
	}
	return p
}

func (b *browser) get(address string, headers ...string) page {
	b.w.t.Helper()
	return b.do(http.MethodGet, address, "", headers...)
}

// begin asks the API to be sent to the provider, and is the address there.
func (b *browser) begin(query string) string {
	b.w.t.Helper()
	p := b.get(b.w.api + "/api/v1/oidc/login" + query)
	if p.status != http.StatusSeeOther || !strings.HasPrefix(p.location, b.w.provider.issuer) {
		b.w.t.Fatalf("beginning a login: %d %s %s", p.status, p.location, p.body)
	}
	return p.location
}

// atProvider goes there, logs in if asked, and is the address that the provider sends the browser
// back to. asked says whether the provider wanted to know who it is.
func (b *browser) atProvider(address, name string) (back string, asked bool) {
	b.w.t.Helper()
	for range 6 {
		p := b.get(address)
		if p.status == http.StatusOK {
			asked = true
			id, err := url.Parse(address)
			if err != nil {
				b.w.t.Fatal(err)
			}
			form := url.Values{"id": {id.Query().Get("id")}, "login": {name}}
			p = b.do(http.MethodPost, b.w.provider.issuer+"/login", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		}
		if p.location == "" {
			b.w.t.Fatalf("at the provider: %d %s", p.status, p.body)
		}
		if strings.HasPrefix(p.location, b.w.api) {
			return p.location, asked
		}
		address = p.location
	}
	b.w.t.Fatal("the provider sends the browser in circles")
	return "", false
}

// logIn is the whole way.
func (b *browser) logIn(name, query string) page {
	b.w.t.Helper()
	back, _ := b.atProvider(b.begin(query), name)
	return b.get(back)
}

// session is the value of the session's cookie.
func (b *browser) session() string {
	address, err := url.Parse(b.w.api)
	if err != nil {
		b.w.t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(address) {
		if c.Name == "lethe" {
			return c.Value
		}
	}
	return ""
}

// sessions are those that the API lists for the browser's user.
type session struct {
	ID            string     `json:"id"`
	Role          string     `json:"role"`
	Authenticated string     `json:"authenticated"`
	SteppedUpAt   *time.Time `json:"stepped_up_at"`
	Current       bool       `json:"current"`
}

func (b *browser) current() (s session, ok bool) {
	b.w.t.Helper()
	p := b.get(b.w.api + "/api/v1/sessions")
	if p.status != http.StatusOK {
		return session{}, false
	}
	var all struct{ Items []session }
	if err := json.Unmarshal([]byte(p.body), &all); err != nil {
		b.w.t.Fatal(err)
	}
	for _, s := range all.Items {
		if s.Current {
			return s, true
		}
	}
	return session{}, false
}

// wants checks how an answer was refused.
func (p page) wants(t *testing.T, what string, status int, code string) {
	t.Helper()
	if p.status != status || p.code != code {
		t.Errorf("%s: answered %d %q, want %d %q", what, p.status, p.code, status, code)
	}
	for _, c := range p.cookies {
		if c.Name == "lethe" && c.Value != "" {
			t.Errorf("%s: a session's cookie came with the refusal", what)
		}
	}
}
