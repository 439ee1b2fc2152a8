package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// late is how long an entry may wait for its place in the tree: what waits longer is guarded by its
// MAC alone.
const late = time.Second

// settling is how long a process has after its start before alarms are raised.
const settling = 5 * time.Second

// register shows on the ops port how the ledger goes. It is called once in a process.
func (l *recording) register() {
	gauge := func(name, help string, value func() float64) {
		promauto.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	gauge("lethe_ledger_size", "Entries under the latest signed checkpoint.",
		func() float64 { return float64(l.sequencer.Status().Size) })
	gauge("lethe_ledger_oldest_pending_seconds", "Age of the oldest entry that waits for its place in the tree; above 1 is an alarm.",
		func() float64 { return l.sequencer.Status().OldestPending.Seconds() })
	gauge("lethe_ledger_refused_entries", "Entries that were not written by us or were changed since; any is an alarm.",
		func() float64 { return float64(l.sequencer.Status().Refused) })
	gauge("lethe_ledger_stopped", "1 while the ledger is not sequenced: see the log for the reason.", func() float64 {
		if l.sequencer.Status().Problem != nil {
			return 1
		}
		return 0
	})
}

// watch writes an alarm into the log when one begins, and when it ends.
func (l *recording) watch(ctx context.Context) {
	raised := map[string]bool{}
	tell := func(alarm string, on bool, args ...any) {
		if on && !raised[alarm] {
			l.log.Error("ledger alarm", append([]any{"alarm", alarm}, args...)...)
		}
		if !on && raised[alarm] {
			l.log.Info("ledger alarm is over", "alarm", alarm)
		}
		raised[alarm] = on
	}
	// What waited for this process to start, as the entries of `lethe migrate` do, is not late yet.
	pause(ctx, settling)
	for ctx.Err() == nil {
		pause(ctx, watchEvery)
		status := l.sequencer.Status()
		tell("entries wait longer than a second", status.OldestPending > late, "oldest", status.OldestPending.String())
		tell("entries that were not written by us", status.Refused > 0, "count", status.Refused)
		l.mu.Lock()
		feeder := l.feeder
		l.mu.Unlock()
		if feeder == nil {
			continue
		}
		for _, name := range feeder.Names() {
			answer := feeder.Status().Failing[name]
			tell("the witness "+name+" does not cosign", answer != "", "answer", answer)
		}
	}
}
