package imports

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	walkedRows = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "lethe_import_rows_total", Help: "Rows of imports, by step (checking, running) and what became of them.",
	}, []string{"step", "result"})
	partSeconds = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "lethe_import_part_seconds", Help: "How long a part of an import, up to 500 rows, takes.", Buckets: []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15},
	}, []string{"step"})
	reached = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "lethe_imports_total", Help: "Imports whose dry run or run a worker saw end, by the state that they came to.",
	}, []string{"state"})
)

var results = [outcomes]string{faulty: "faulty", creates: "created", changes: "changed", stays: "unchanged"}

// tell counts a part whose transaction has committed.
func (s step) tell(began time.Time, counts [outcomes]int) {
	partSeconds.WithLabelValues(string(s.state)).Observe(time.Since(began).Seconds())
	for outcome, result := range results {
		if result != "" {
			walkedRows.WithLabelValues(string(s.state), result).Add(float64(counts[outcome]))
		}
	}
}
