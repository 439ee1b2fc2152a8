// Package harness runs the product as its users do: the real binary as `lethe serve` and
// `lethe worker`, on a real Postgres and a real Temporal server, beside three sandbox systems that
// speak SCIM over HTTP. Everything can be killed and started again under the same address.
package harness

import (
	"maps"
	"slices"
	"time"
)

// Options say which of the servers are the stack's own and how the product is set up.
type Options struct {
	// OwnPostgres starts a Postgres for this stack alone, durable as in production, which may be
	// killed. Otherwise the test run's server is used, with databases of its own.
	OwnPostgres bool
	// OwnTemporal starts a Temporal server with a data file for this stack alone, which may be
	// killed and emptied. Otherwise the test run's server is used, with a task-queue prefix.
	OwnTemporal bool
	// Failpoints is LETHE_FAILPOINTS of the worker ("seed:probability" or names), which then is the
	// binary that was built with failpoints. Empty: none.
	Failpoints string
	// BeforeMidnight, if not zero, sets the databases' clock so that local midnight in [Zone], at
	// which planned employments end, is this far away when Start returns.
	BeforeMidnight time.Duration
	// Env is set over the short timings, without the prefix LETHE_.
	Env map[string]string
	// WithoutProcesses leaves serve and worker to the caller.
	WithoutProcesses bool
	// From is the archive of a recorded installation, which the stack goes on with on servers of its
	// own. It is migrated by this version. Empty: a new one.
	From string
}

// Zone is the time zone of every legal entity of a stack.
const Zone = "Asia/Shanghai"

// MaxConnections is how many connections a stack's own pools keep.
const MaxConnections = 8

// httpTimeout bounds one call to a system.
const httpTimeout = 2 * time.Second

// timings are short, so that a whole life fits into a test; they pass the configuration's checks.
var timings = map[string]string{
	"ACTIVITY_HEARTBEAT":         "1s",
	"ACTIVITY_START_TO_CLOSE":    "5s",
	"ACTIVITY_SCHEDULE_TO_CLOSE": "20s",
	"ACTIVITY_RETRY_INITIAL":     "200ms",
	"ACTIVITY_RETRY_MAX":         "1s",
	"HTTP_TIMEOUT":               httpTimeout.String(),
	"UNLINK_TRIES":               "25",
	"ACCEPTED_CHECK":             "500ms",
	"RELAY_POLL":                 "200ms",
	"RELAY_OVERDUE":              "3s",
	"RELAY_BACKOFF":              "1s",
	"WORKFLOW_POLLERS":           "4",
	"ACTIVITY_POLLERS":           "4",
}

// environment is the settings as os/exec wants them. Nothing of our own environment but what a
// program needs to run is handed down.
func environment(inherited []string, settings ...map[string]string) []string {
	merged := map[string]string{}
	for _, s := range settings {
		maps.Copy(merged, s)
	}
	out := slices.Clone(inherited)
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		out = append(out, "LETHE_"+name+"="+merged[name])
	}
	return out
}
