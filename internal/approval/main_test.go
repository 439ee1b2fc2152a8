package approval

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"lethe/internal/launch/launchtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(childKillAt) != "" {
		decideAndDie()
		return
	}
	// Connections that a test's own client keeps.
	kept := []goleak.Option{goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop")}
	goleak.VerifyTestMain(m, append(kept, launchtest.Goroutines()...)...)
}
