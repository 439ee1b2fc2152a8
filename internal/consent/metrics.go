package consent

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"lethe/models"
)

var answered = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "lethe_consent_answers_total", Help: "Answers to what the privacy policy asks for, by purpose and answer.",
}, []string{"purpose", "answer"})

// Count counts answers whose transaction has committed.
func Count(made []models.Consent) {
	for _, c := range made {
		answered.WithLabelValues(string(c.Purpose), string(c.Answer)).Inc()
	}
}
