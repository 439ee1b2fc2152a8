package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"

	"lethe/internal/connector"
	"lethe/sandbox"
	"lethe/sandbox/control"
)

// SystemNames are the connected systems of every stack, in the order in which accounts are linked.
var SystemNames = []string{"mail", "finance", "attendance"}

// systems are the three sandboxes. They live in the test's process, over real HTTP, and keep their
// state in files.
type systems struct {
	control map[string]*control.Client
	cancel  context.CancelFunc
	running sync.WaitGroup
	closers []func() error
}

// dialects give each system another form of PATCH, as providers differ.
var dialects = map[string]sandbox.Dialect{
	"mail": sandbox.DialectBoth, "finance": sandbox.DialectPath, "attendance": sandbox.DialectPathless,
}

// startSystems starts them and writes the file that lists them for the product.
func startSystems(folder string) (*systems, string, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &systems{control: map[string]*control.Client{}, cancel: cancel}
	var configs []connector.SystemConfig
	for _, name := range SystemNames {
		const token, controlToken = "scim-token-of-the-test", "control-token-of-the-test"
		system, err := sandbox.New(sandbox.Options{
			Name: name, Kind: name, StatePath: filepath.Join(folder, "systems", name+".json"),
			Token: token, ControlToken: controlToken, Dialect: dialects[name],
		})
		if err != nil {
			return s, "", err
		}
		s.closers = append(s.closers, system.Close)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return s, "", fmt.Errorf("opening a port for %s: %w", name, err)
		}
		s.running.Go(func() { _ = sandbox.ServeListener(ctx, listener, system) })
		base := "http://" + listener.Addr().String()
		s.control[name] = control.NewClient(base, controlToken)
		configs = append(configs, connector.SystemConfig{
			Name: name, Kind: name, Protocol: "scim", BaseURL: base + "/scim/v2", Token: token,
			HTTPTimeout: connector.Duration(httpTimeout),
		})
	}
	path := filepath.Join(folder, "systems.json")
	raw, err := json.Marshal(configs)
	if err != nil {
		return s, "", fmt.Errorf("writing the list of systems: %w", err)
	}
	return s, path, os.WriteFile(path, raw, 0o600)
}

func (s *systems) close() error {
	for _, c := range s.control {
		c.Close()
	}
	s.cancel()
	s.running.Wait()
	var failures []error
	for _, closer := range s.closers {
		failures = append(failures, closer())
	}
	return errors.Join(failures...)
}
