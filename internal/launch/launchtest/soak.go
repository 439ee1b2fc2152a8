package launchtest

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// Steps is how many steps a random test makes: few, or what LETHE_TEST_SOAK says, as `make soak` sets it.
func Steps(t *testing.T, few int) int {
	t.Helper()
	return int(number(t, "LETHE_TEST_SOAK", uint64(few)))
}

// Seed is what a random test draws from: LETHE_TEST_SEED, or another one each time. It logs the seed.
func Seed(t *testing.T) uint64 {
	t.Helper()
	seed := number(t, "LETHE_TEST_SEED", uint64(time.Now().UnixNano()))
	t.Logf("LETHE_TEST_SEED=%d", seed)
	return seed
}

func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}
