package apitest

import (
	"testing"

	"go.uber.org/goleak"

	"lethe/internal/launch/launchtest"
)

// Main runs the tests of a package, after which no goroutine may be left.
func Main(m *testing.M) {
	// Connections that the tests' own client keeps.
	kept := []goleak.Option{goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop")}
	goleak.VerifyTestMain(m, append(kept, launchtest.Goroutines()...)...)
}
