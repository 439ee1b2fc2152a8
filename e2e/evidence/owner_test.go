package evidence

import (
	"context"
	"strings"
	"testing"
	"time"

	"lethe/e2e/harness"
)

// TestI19_ProcessesRefuseTheOwner: with the owner's login, which could rewrite the ledger, neither
// process starts, and each says what to do.
func TestI19_ProcessesRefuseTheOwner(t *testing.T) {
	s := harness.Start(t, harness.Options{WithoutProcesses: true})
	for _, command := range []string{"serve", "worker"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		out, err := s.Command(ctx, command, "--dev")
		if err == nil || ctx.Err() != nil {
			t.Errorf("lethe %s runs as the owner: %v", command, err)
		}
		cancel()
		for _, said := range []string{"LETHE_DATABASE_URL", "is a superuser", "a member of its group role", "docs/production.md"} {
			if !strings.Contains(string(out), said) {
				t.Errorf("lethe %s does not say %q: %s", command, said, out)
			}
		}
	}
}
