// Package login tests the company's login over HTTP: a real OpenID provider in a process of its own
// (tools/oidc), the API's real handler, and browsers with cookies.
package login

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/internal/launch"
	"lethe/internal/launch/launchtest"
)

const (
	clientID     = "lethe"
	clientSecret = "a secret between two programs"
)

// provider is the process. Its address stays when it is started again; its people do not.
type provider struct {
	t         *testing.T
	issuer    string
	address   string
	behaviour behaviour
	process   *launch.Process
}

// behaviour is what tools/oidc takes at PUT /control.
type behaviour struct {
	RedirectURIs  []string `json:"redirect_uris"`
	People        []person `json:"people"`
	IgnoresMaxAge bool     `json:"ignores_max_age,omitempty"`
	LoginAge      string   `json:"login_age,omitempty"`
	Nonce         string   `json:"nonce,omitempty"`
	NoLoginTime   bool     `json:"no_login_time,omitempty"`
}

type person struct {
	Login   string `json:"login"`
	Subject string `json:"subject"`
	Email   string `json:"email"`
}

// program is the provider's program: from the folder of the test run, else built.
var program = sync.OnceValues(func() (string, error) {
	if folder := os.Getenv(harness.BinaryFolder); folder != "" {
		return exec.LookPath(filepath.Join(folder, "oidc"))
	}
	root, err := launchtest.ModuleRoot()
	if err != nil {
		return "", err
	}
	folder, err := launchtest.NewScratch(filepath.Join(os.TempDir(), fmt.Sprintf("lethe-e2e-oidc-%d", os.Geteuid())))
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder.Path, "oidc")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", path, ".")
	build.Dir = filepath.Join(root, "tools", "oidc")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the OpenID provider: %w\n%s", err, out)
	}
	return path, nil
})

// newProvider chooses an address; start starts the process.
func newProvider(t *testing.T, redirect string) *provider {
	t.Helper()
	port, err := launch.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	return &provider{t: t, address: address, issuer: "http://" + address, behaviour: behaviour{
		RedirectURIs: []string{redirect},
		People: []person{
			{Login: "hr", Subject: "s-hr", Email: "someone@example.com"},
			{Login: "stranger", Subject: "s-stranger", Email: "someone@example.com"},
			{Login: "auditor", Subject: "s-auditor", Email: "auditor@example.com"},
		},
	}}
}

func (p *provider) start() {
	p.t.Helper()
	path, err := program()
	if err != nil {
		p.t.Fatal(err)
	}
	p.process, err = launch.Start(launch.Command{
		Name: "OpenID provider", Path: path, Args: []string{"-listen", p.address, "-client", clientID},
		Env:     []string{"OIDC_CLIENT_SECRET=" + clientSecret},
		LogFile: filepath.Join(p.t.TempDir(), "provider.log"),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	process := p.process
	p.t.Cleanup(func() { _ = process.Kill() })
	if err := harness.Eventually(p.t.Context(), 20*time.Second, func() error { return p.control(p.t.Context()) }); err != nil {
		p.t.Fatal(err)
	}
}

func (p *provider) stop() {
	p.t.Helper()
	if err := p.process.Kill(); err != nil {
		p.t.Fatal(err)
	}
}

// behaves changes what the provider does from now on.
func (p *provider) behaves(change func(b *behaviour)) {
	p.t.Helper()
	change(&p.behaviour)
	if err := p.control(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *provider) control(ctx context.Context) error {
	body, err := json.Marshal(p.behaviour)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, p.issuer+"/control", bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the provider answers %s", response.Status)
	}
	return nil
}
