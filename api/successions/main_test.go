package successions_test

import (
	"testing"

	"lethe/api/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }
