package verify

import (
	"testing"

	"go.uber.org/goleak"

	"lethe/internal/launch/launchtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, launchtest.Goroutines()...) }
