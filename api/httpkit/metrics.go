package httpkit

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var requests = promauto.NewHistogramVec(prometheus.HistogramOpts{
	Name:    "lethe_http_request_seconds",
	Help:    "Time to answer a request of the API, by route and status.",
	Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
}, []string{"method", "route", "status"})

var streams = promauto.NewGauge(prometheus.GaugeOpts{
	Name: "lethe_event_streams",
	Help: "Open streams of progress events.",
})

var refusedStreams = promauto.NewCounter(prometheus.CounterOpts{
	Name: "lethe_event_streams_refused_total",
	Help: "Streams that were refused because too many were open.",
})

// observe counts a request; a method that HTTP does not know counts as one, so that nobody can
// invent labels.
func observe(method, route string, status int, took time.Duration) {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
	default:
		method = "other"
	}
	requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}
