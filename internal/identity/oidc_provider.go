package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// What can be wrong with a login by the company's OpenID provider.
var (
	ErrNoProvider     = errors.New("no OpenID provider is configured")
	ErrProviderDown   = errors.New("the OpenID provider does not answer")
	ErrProviderDenied = errors.New("the OpenID provider did not log the person in")
	ErrProofRejected  = errors.New("what the OpenID provider handed over does not hold")
)

const (
	providerTimeout = 10 * time.Second
	// clockLeeway is how far the provider's clock may be from the database's.
	clockLeeway = 30 * time.Second
	// callbackPath is where the provider sends the browser back to.
	callbackPath = "/api/v1/oidc/callback"
	// discoveryLasts bounds how long a key that the provider withdrew is still believed.
	discoveryLasts = time.Hour
)

// ProviderOptions name an OpenID provider and us as its client.
type ProviderOptions struct {
	Issuer       string // exactly as the provider's discovery document writes it
	ClientID     string
	ClientSecret string
	PublicURL    string // under which browsers reach the API
}

// Provider is the company's OpenID provider. Its discovery document is read when it is first
// needed, so that the API starts without it, and again after an hour, so that keys which the
// provider withdrew are forgotten; new keys are found as soon as a token names one.
type Provider struct {
	options  ProviderOptions
	redirect string
	client   *http.Client

	mu      sync.Mutex
	found   *oidc.Provider
	foundAt time.Time
}

// NewProvider makes the client of a provider without asking the provider anything.
func NewProvider(o ProviderOptions) *Provider {
	return &Provider{
		options:  o,
		redirect: strings.TrimSuffix(o.PublicURL, "/") + callbackPath,
		client: &http.Client{Timeout: providerTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // neither codes nor secrets follow a redirect
		}},
	}
}

// Issuer is the provider's name.
func (p *Provider) Issuer() string { return p.options.Issuer }

// discover asks without holding the lock: a provider that is slow must not queue everybody up.
func (p *Provider) discover(ctx context.Context, now time.Time) (*oidc.Provider, error) {
	p.mu.Lock()
	found, age := p.found, now.Sub(p.foundAt)
	p.mu.Unlock()
	if found != nil && age >= 0 && age < discoveryLasts {
		return found, nil
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.options.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: reading its discovery document", ErrProviderDown)
	}
	if !offersPKCE(found) {
		return nil, fmt.Errorf("%w: it does not offer PKCE with S256", ErrProviderDown)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.found, p.foundAt = found, now
	return found, nil
}

// offersPKCE holds unless the provider says that it knows other methods only (RFC 8414, 2: what is
// left out says nothing).
func offersPKCE(p *oidc.Provider) bool {
	var metadata struct {
		Methods []string `json:"code_challenge_methods_supported"`
	}
	return p.Claims(&metadata) == nil && (len(metadata.Methods) == 0 || slices.Contains(metadata.Methods, "S256"))
}

func (p *Provider) config(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.options.ClientID, ClientSecret: p.options.ClientSecret,
		Endpoint: found.Endpoint(), RedirectURL: p.redirect, Scopes: []string{oidc.ScopeOpenID},
	}
}

// handshake is what one browser needs to come back with. Only the secret leaves this process, in
// the browser's cookie, and the state, through the provider; nonce and verifier are derived from
// both, so that whoever reads the database can finish nobody's login.
type handshake struct{ secret, state string }

func newHandshake() (handshake, error) {
	var random [2 * secretBytes]byte
	if _, err := rand.Read(random[:]); err != nil {
		return handshake{}, fmt.Errorf("drawing the secrets of a login: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return handshake{secret: encode(random[:secretBytes]), state: encode(random[secretBytes:])}, nil
}

func (h handshake) derive(use string) string {
	mac := hmac.New(sha256.New, []byte(h.secret))
	mac.Write([]byte(use + "\x00" + h.state))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (h handshake) nonce() string { return h.derive("nonce") }

// verifier has 43 characters, the least that RFC 7636, 4.1, allows, and 256 bits.
func (h handshake) verifier() string { return h.derive("verifier") }

// address is where to send the browser. The login there shall be no older than maxAge; with none at
// all the person is asked again, whatever cookie the provider keeps (OpenID Connect Core, 3.1.2.1).
func (p *Provider) address(ctx context.Context, h handshake, maxAge time.Duration, now time.Time) (string, error) {
	found, err := p.discover(ctx, now)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{
		oidc.Nonce(h.nonce()), oauth2.S256ChallengeOption(h.verifier()),
		oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(maxAge.Seconds()))),
	}
	if maxAge == 0 {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	return p.config(found).AuthCodeURL(h.state, options...), nil
}

// proof is what the provider says of a person.
type proof struct {
	issuer, subject string
	loggedInAt      *time.Time
}

// redeem exchanges the code and checks the ID token: signature, issuer, audience, times by now,
// nonce (OpenID Connect Core, 3.1.3.7).
func (p *Provider) redeem(ctx context.Context, h handshake, code string, now time.Time) (proof, error) {
	found, err := p.discover(ctx, now)
	if err != nil {
		return proof{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	answer, err := p.config(found).Exchange(ctx, code, oauth2.VerifierOption(h.verifier()))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.Response.StatusCode < http.StatusInternalServerError:
		return proof{}, fmt.Errorf("%w: the code was refused", ErrProofRejected)
	case err != nil:
		return proof{}, fmt.Errorf("%w: exchanging a code", ErrProviderDown)
	}
	raw, ok := answer.Extra("id_token").(string)
	if !ok {
		return proof{}, fmt.Errorf("%w: there is no ID token", ErrProofRejected)
	}
	verifier := found.Verifier(&oidc.Config{ClientID: p.options.ClientID, Now: func() time.Time { return now.Add(-clockLeeway) }})
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return proof{}, fmt.Errorf("%w: the ID token is not valid", ErrProofRejected)
	}
	return checkToken(token, h, p.options.ClientID, now)
}

// claims that go-oidc leaves to its caller.
type claims struct {
	AuthorizedParty string `json:"azp"`
	// AuthTime is a NumericDate (RFC 7519, 2): it may have a fraction.
	AuthTime *float64 `json:"auth_time"`
}

const maxSubject = 255 // characters, OpenID Connect Core, 2

func checkToken(token *oidc.IDToken, h handshake, clientID string, now time.Time) (proof, error) {
	var c claims
	if err := token.Claims(&c); err != nil {
		return proof{}, fmt.Errorf("%w: its claims cannot be read", ErrProofRejected)
	}
	switch {
	case !hmac.Equal([]byte(token.Nonce), []byte(h.nonce())):
		return proof{}, fmt.Errorf("%w: the nonce is another", ErrProofRejected)
	case token.IssuedAt.After(now.Add(clockLeeway)):
		return proof{}, fmt.Errorf("%w: the ID token is from the future", ErrProofRejected)
	case (c.AuthorizedParty != "" || len(token.Audience) > 1) && c.AuthorizedParty != clientID:
		return proof{}, fmt.Errorf("%w: the ID token is for another client", ErrProofRejected)
	case token.Subject == "" || len(token.Subject) > maxSubject:
		return proof{}, fmt.Errorf("%w: the subject is missing or too long", ErrProofRejected)
	}
	found := proof{issuer: token.Issuer, subject: token.Subject}
	if c.AuthTime != nil {
		at := time.Unix(int64(math.Floor(*c.AuthTime)), 0)
		found.loggedInAt = &at
	}
	return found, nil
}
