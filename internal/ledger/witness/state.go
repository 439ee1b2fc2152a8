package witness

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	answers = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "lethe_ledger_witness_answers_total",
		Help: "Answers of the ledger's witnesses: cosigned, refused, unavailable, ahead (it has seen a larger ledger: an alarm), forgot.",
	}, []string{"witness", "answer"})
	witnessedSize = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "lethe_ledger_witnessed_size",
		Help: "Entries under the latest checkpoint that enough witnesses cosigned.",
	})
	unwitnessed = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "lethe_ledger_unwitnessed_since_seconds",
		Help: "Unix time since when the latest checkpoint waits for cosignatures; 0 when none waits.",
	})
)

// Status is how witnessing goes, for readiness details.
type Status struct {
	Witnessed int64         // entries under the latest witnessed checkpoint
	Waiting   time.Duration // how long there has been a checkpoint that is not witnessed; 0: there is none
	// Failing are the witnesses whose last answer was not a cosignature, and what it was.
	Failing map[string]string
}

// state is what a feeder knows of its witnesses.
type state struct {
	mu        sync.Mutex
	last      map[string]int64 // by witness: the size it cosigned last
	failing   map[string]string
	witnessed int64
	since     time.Time
}

func newState(members []Member) *state {
	s := &state{last: map[string]int64{}, failing: map[string]string{}}
	for _, m := range members {
		for _, answer := range []string{"cosigned", "refused", "unavailable", "ahead", "forgot"} {
			answers.WithLabelValues(m.Verifier.Name(), answer)
		}
	}
	return s
}

func (s *state) known(name string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[name]
}

func (s *state) cosigned(name string, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[name] = size
}

func (s *state) forgot(name string) { answers.WithLabelValues(name, "forgot").Inc() }

func (s *state) answered(name string, err error) {
	answer := answerOf(err)
	answers.WithLabelValues(name, answer).Inc()
	s.mu.Lock()
	defer s.mu.Unlock()
	if delete(s.failing, name); err != nil {
		s.failing[name] = answer
	}
}

func answerOf(err error) string {
	var r *RefusedError
	switch {
	case err == nil:
		return "cosigned"
	case errors.Is(err, ErrAhead):
		return "ahead"
	case errors.As(err, &r), errors.Is(err, ErrNoSignature):
		return "refused"
	}
	return "unavailable"
}

func (s *state) caughtUp(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.witnessed, s.since = max(s.witnessed, size), time.Time{}
	witnessedSize.Set(float64(s.witnessed))
	unwitnessed.Set(0)
}

func (s *state) behind(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if size > s.witnessed && s.since.IsZero() {
		s.since = time.Now() // how long this process has waited; nothing is decided by it
		unwitnessed.Set(float64(s.since.Unix()))
	}
}

// Status is how witnessing goes in this process.
func (f *Feeder) Status() Status {
	s := f.state
	s.mu.Lock()
	defer s.mu.Unlock()
	status := Status{Witnessed: s.witnessed, Failing: map[string]string{}}
	for name, answer := range s.failing {
		status.Failing[name] = answer
	}
	if !s.since.IsZero() {
		status.Waiting = time.Since(s.since)
	}
	return status
}

// Names are the witnesses that are asked.
func (f *Feeder) Names() []string {
	var names []string
	for _, m := range f.members {
		names = append(names, m.Verifier.Name())
	}
	slices.Sort(names)
	return names
}
