package identity

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	throttled = promauto.NewCounter(prometheus.CounterOpts{
		Name: "lethe_logins_throttled_total", Help: "Tries to log in that were refused because there were too many.",
	})
	formerSessions = promauto.NewCounter(prometheus.CounterOpts{
		Name: "lethe_former_sessions_total", Help: "Sessions that people who have left opened by a mailed link, for their own data.",
	})
	formerEnrolments = promauto.NewCounter(prometheus.CounterOpts{
		Name: "lethe_former_enrolments_total", Help: "Authenticators that people who have left set up anew, after two people checked their document.",
	})
	breakGlassUsed = promauto.NewCounter(prometheus.CounterOpts{
		Name: "lethe_break_glass_total", Help: "Sessions opened with the sealed codes. Any is an alarm.",
	})
)
