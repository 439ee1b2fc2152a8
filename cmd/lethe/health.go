package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// healthTimeout bounds one check; a supervisor asks again soon.
const healthTimeout = 3 * time.Second

// HealthCmd asks a running process for its health. An image without a shell has nothing else to
// ask with.
type HealthCmd struct {
	URL string `arg:"" optional:"" default:"http://127.0.0.1:8081/readyz" help:"The address to ask. 要检查的网址。"`
}

// Run succeeds if the address answers 200.
func (h HealthCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking for health: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking for health: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", h.URL, response.Status)
	}
	return nil
}
