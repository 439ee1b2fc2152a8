package reconcile

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	drifted = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "lethe_account_drift_total", Help: "What reconciliations found that was not found before, by kind.",
	}, []string{"kind"})
	alarms = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "lethe_reconciliation_alarms_total", Help: "Listings of systems from which nothing was concluded, by why.",
	}, []string{"why"})
	comparedSeconds = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "lethe_reconciliation_seconds", Help: "How long it takes to list one system and to compare it.", Buckets: []float64{0.1, 1, 5, 15, 60, 120, 300, 900},
	})
)
