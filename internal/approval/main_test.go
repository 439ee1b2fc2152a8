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
	goleak.VerifyTestMain(m, launchtest.Goroutines()...)
}
