package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// forger is a provider that hands over whatever a test wants. What an honest one does is tested
// with a real one in e2e/login.
type forger struct {
	url       string
	key       *ecdsa.PrivateKey
	token     func(*forger) string
	status    int
	discovery func(map[string]any)
	verifier  string
}

const clientSecret = "secret-secret-secret-secret-secret-"

func newForger(t *testing.T) *forger {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := &forger{key: key, status: http.StatusOK}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		document := map[string]any{
			"issuer": f.url, "authorization_endpoint": f.url + "/authorize", "token_endpoint": f.url + "/token",
			"jwks_uri": f.url + "/keys", "id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
			"code_challenge_methods_supported": []string{"S256"},
		}
		if f.discovery != nil {
			f.discovery(document)
		}
		_ = json.NewEncoder(w).Encode(document)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "1", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		f.verifier = r.FormValue("code_verifier")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.status)
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": f.token(f)})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *forger) provider() *Provider {
	return NewProvider(ProviderOptions{Issuer: f.url, ClientID: "lethe", ClientSecret: clientSecret, PublicURL: "https://lethe.example.com/"})
}

// sign makes a token of claims with a key; a nil key leaves the signature out.
func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	content, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	if key == nil {
		encode := base64.RawURLEncoding.EncodeToString
		return encode([]byte(`{"alg":"none"}`)) + "." + encode(content) + "."
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "1"))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(content)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestForgedIDTokensAreRefused(t *testing.T) {
	f := newForger(t)
	p, now := f.provider(), time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)
	h, err := newHandshake()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]any{
		"iss": f.url, "sub": "s-1", "aud": "lethe", "nonce": h.nonce(), "auth_time": now.Unix(),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "email": "boss@example.com",
	}
	with := func(changes map[string]any) map[string]any {
		all := maps.Clone(good)
		maps.Copy(all, changes)
		return all
	}
	for name, c := range map[string]struct {
		token  string
		passes bool
	}{
		"as it should be":          {sign(t, jose.ES256, f.key, good), true},
		"for us among others":      {sign(t, jose.ES256, f.key, with(map[string]any{"aud": []string{"lethe", "other"}, "azp": "lethe"})), true},
		"a decimal auth_time":      {sign(t, jose.ES256, f.key, with(map[string]any{"auth_time": json.Number(fmt.Sprintf("%d.25", now.Unix()))})), true},
		"an auth_time of zeroes":   {sign(t, jose.ES256, f.key, with(map[string]any{"auth_time": json.Number(fmt.Sprintf("%d.0", now.Unix()))})), true},
		"an auth_time in words":    {sign(t, jose.ES256, f.key, with(map[string]any{"auth_time": "now"})), false},
		"just expired":             {sign(t, jose.ES256, f.key, with(map[string]any{"exp": now.Add(-20 * time.Second).Unix()})), true},
		"a little ahead":           {sign(t, jose.ES256, f.key, with(map[string]any{"iat": now.Add(20 * time.Second).Unix()})), true},
		"signed by a stranger":     {sign(t, jose.ES256, stranger, good), false},
		"not signed":               {sign(t, "", nil, good), false},
		"signed with our secret":   {sign(t, jose.HS256, []byte(clientSecret), good), false},
		"another issuer":           {sign(t, jose.ES256, f.key, with(map[string]any{"iss": "https://other.example"})), false},
		"another client":           {sign(t, jose.ES256, f.key, with(map[string]any{"aud": "other"})), false},
		"another authorized party": {sign(t, jose.ES256, f.key, with(map[string]any{"azp": "other"})), false},
		"among others, for nobody": {sign(t, jose.ES256, f.key, with(map[string]any{"aud": []string{"lethe", "other"}})), false},
		"another nonce":            {sign(t, jose.ES256, f.key, with(map[string]any{"nonce": "x"})), false},
		"no nonce":                 {sign(t, jose.ES256, f.key, with(map[string]any{"nonce": ""})), false},
		"expired":                  {sign(t, jose.ES256, f.key, with(map[string]any{"exp": now.Add(-31 * time.Second).Unix()})), false},
		"from the future":          {sign(t, jose.ES256, f.key, with(map[string]any{"iat": now.Add(31 * time.Second).Unix()})), false},
		"without a subject":        {sign(t, jose.ES256, f.key, with(map[string]any{"sub": ""})), false},
		"no token":                 {"", false},
	} {
		f.token = func(*forger) string { return c.token }
		got, err := p.redeem(t.Context(), h, "code", now)
		switch {
		case c.passes && (err != nil || got.issuer != f.url || got.subject != "s-1" || !got.loggedInAt.Equal(now)):
			t.Errorf("%s: %+v, %v", name, got, err)
		case !c.passes && !errors.Is(err, ErrProofRejected):
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// The challenge that goes through the browser is the hash of the verifier that never does.
func TestVerifierStaysWithUs(t *testing.T) {
	f := newForger(t)
	p, now := f.provider(), time.Now()
	h, err := newHandshake()
	if err != nil {
		t.Fatal(err)
	}
	address, err := p.address(t.Context(), h, 0, now)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	f.token, f.status = func(*forger) string { return "" }, http.StatusBadRequest
	if _, err := p.redeem(t.Context(), h, "code", now); !errors.Is(err, ErrProofRejected) {
		t.Errorf("a refused code: %v", err)
	}
	sum := sha256.Sum256([]byte(f.verifier))
	if q.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || q.Get("code_challenge_method") != "S256" || len(f.verifier) < 43 {
		t.Errorf("challenge %q, verifier of %d characters", q.Get("code_challenge"), len(f.verifier))
	}
	if q.Get("max_age") != "0" || q.Get("prompt") != "login" || q.Get("redirect_uri") != "https://lethe.example.com/api/v1/oidc/callback" {
		t.Errorf("asked for %v", q)
	}
	for _, secret := range []string{h.secret, h.verifier(), clientSecret} {
		if strings.Contains(address, secret) {
			t.Error("the address shows a secret")
		}
	}
	other := handshake{secret: h.secret, state: h.state + "x"}
	if other.nonce() == h.nonce() || other.verifier() == h.verifier() || h.nonce() == h.verifier() {
		t.Error("nonce and verifier do not depend on the flow")
	}
}

// A document of another issuer, or of a provider that cannot do PKCE, is not used; the next try
// asks again.
func TestDiscoveryIsCheckedAndTriedAgain(t *testing.T) {
	f := newForger(t)
	p := f.provider()
	h, err := newHandshake()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)
	for _, wrong := range []func(map[string]any){
		func(d map[string]any) { d["issuer"] = "https://other.example" },
		func(d map[string]any) { d["code_challenge_methods_supported"] = []string{"plain"} },
	} {
		f.discovery = wrong
		if _, err := p.address(t.Context(), h, time.Hour, now); !errors.Is(err, ErrProviderDown) {
			t.Errorf("got %v", err)
		}
	}
	f.discovery = nil
	if _, err := p.address(t.Context(), h, time.Hour, now); err != nil {
		t.Errorf("after it was mended: %v", err)
	}
	f.discovery = func(d map[string]any) { d["authorization_endpoint"] = f.url + "/moved" }
	for _, c := range []struct {
		age  time.Duration
		want string
	}{{time.Minute, "/authorize"}, {discoveryLasts, "/moved"}} {
		address, err := p.address(context.Background(), h, time.Hour, now.Add(c.age))
		if u, _ := url.Parse(address); err != nil || u.Path != c.want {
			t.Errorf("after %s: %q, %v", c.age, u.Path, err)
		}
	}
}

func TestFreshByBothClocks(t *testing.T) {
	sent := time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)
	now := sent.Add(2 * time.Minute)
	for loggedIn, want := range map[time.Time]bool{
		sent: true, sent.Add(-30 * time.Second): true, sent.Add(-31 * time.Second): false, sent.Add(-time.Hour): false,
		now: true, now.Add(30 * time.Second): true, now.Add(31 * time.Second): false,
	} {
		if got := fresh(&loggedIn, sent, now); got != want {
			t.Errorf("%s after it was sent: %v", loggedIn.Sub(sent), got)
		}
	}
	if fresh(nil, sent, now) {
		t.Error("a login without a time is fresh")
	}
}
