package chaos

import (
	"fmt"
	"math/rand/v2"
	"time"

	"lethe/sandbox/control"
)

// Plan is a storm, wholly determined by its seed and length.
type Plan struct {
	Seed    uint64
	Length  time.Duration
	Scenes  []Scene
	Blows   []Blow
	Weather []Weather
}

// What happens in a scene.
const (
	Immediate      = "immediate"
	Planned        = "planned"
	WithdrawEarly  = "withdraw before the cutoff"
	WithdrawLate   = "withdraw while unlinking"
	Annul          = "annul"
	Duplicates     = "ask many times at once"
	AllOrNothing   = "unlink all or nothing"
	AllThenDeparts = "unlink, then depart"
)

var kinds = []string{
	Immediate, Immediate, Immediate, Planned, Planned, WithdrawEarly, WithdrawLate, WithdrawLate, WithdrawLate, Annul, Annul, Duplicates,
	AllOrNothing, AllOrNothing, AllThenDeparts,
}

// Scene is one person's story.
type Scene struct {
	No   string
	At   time.Duration
	Kind string
	// Cutoff is how long after the request a planned departure ends the access.
	Cutoff time.Duration
	// Second is how long after the request, or after the cutoff, the second command follows.
	Second time.Duration
	// Ghost: the account in this system is removed by hand beforehand. Empty: none.
	Ghost string
	// Fault is this person's own fault, in the system Where. Empty: none.
	Fault, Where string
	KnownIDs     bool
}

// What a blow hits.
const (
	Worker   = "worker"
	Serve    = "serve"
	Temporal = "temporal"
	Postgres = "postgres"
	Wipe     = "temporal's data"
)

var targets = []string{Worker, Worker, Worker, Worker, Serve, Serve, Temporal, Temporal, Postgres}

// Blow is one SIGKILL.
type Blow struct {
	At     time.Duration
	Target string
	Down   time.Duration // before it is started again; what is supervised comes back by itself
}

// Weather is the faults of one system from an instant on.
type Weather struct {
	At     time.Duration
	System string
	Rules  []control.Rule
}

// midnight is when planned employments end, as a part of the storm's length.
const midnight = 0.55

// NewPlan makes the storm of a seed.
func NewPlan(seed uint64, length time.Duration, systems []string) Plan {
	r := rand.New(rand.NewPCG(seed, 0x6c65746865))
	p := Plan{Seed: seed, Length: length}
	seconds := func(from, to float64) time.Duration {
		return time.Duration((from + r.Float64()*(to-from)) * float64(time.Second)).Round(10 * time.Millisecond)
	}
	for at := seconds(0, 1); at < length*4/5; at += seconds(1, 3.5) {
		s := Scene{
			No: fmt.Sprintf("C%04d", len(p.Scenes)+1), At: at, Kind: kinds[r.IntN(len(kinds))],
			Cutoff: seconds(1, 6), Second: seconds(0, 3), KnownIDs: r.IntN(2) == 0,
		}
		dated := s.Kind == Planned || s.Kind == WithdrawEarly || s.Kind == WithdrawLate
		if dated && at+s.Cutoff+s.Second > time.Duration(float64(length)*midnight)-5*time.Second {
			s.Kind = Immediate // its day would be over
		}
		if r.IntN(12) == 0 {
			s.Ghost = systems[r.IntN(len(systems))]
		}
		if r.IntN(4) == 0 || (s.Kind == AllOrNothing && r.IntN(2) == 0) {
			s.Where, s.Fault = systems[r.IntN(len(systems))], []string{control.Status, control.Lie, control.Residue}[r.IntN(3)]
		}
		if (s.Kind == WithdrawLate || s.Kind == Annul) && r.IntN(2) == 0 {
			// Taken back while a call that takes away is under way.
			s.Where, s.Fault = systems[r.IntN(len(systems))], control.Delay
		}
		p.Scenes = append(p.Scenes, s)
	}
	for at := seconds(3, 6); at < length; at += seconds(3, 8) {
		p.Blows = append(p.Blows, Blow{At: at, Target: targets[r.IntN(len(targets))], Down: seconds(0, 3)})
	}
	// Whatever chance says, each is hit at least once, and Temporal's data is lost once.
	for i, target := range []string{Worker, Wipe, Serve, Temporal, Postgres} {
		p.Blows[(i+1)*len(p.Blows)/6].Target = target
	}
	for at := time.Duration(0); at < length; at += 8 * time.Second {
		for _, system := range systems {
			p.Weather = append(p.Weather, Weather{At: at, System: system, Rules: rules(r)})
		}
	}
	return p
}

// rules are up to two kinds of misbehaviour.
func rules(r *rand.Rand) []control.Rule {
	sky := []control.Rule{
		{Kind: control.Delay, Delay: control.Duration(300 * time.Millisecond), Match: chance("", 0.3)},
		{Kind: control.Delay, Delay: control.Duration(2500 * time.Millisecond), Match: chance("", 0.1)},
		{Kind: control.Status, Status: 429, RetryAfter: 1, Match: chance("", 0.2)},
		{Kind: control.Status, Status: 500, Match: chance("", 0.25)},
		{Kind: control.Status, Status: 503, Match: chance(control.OpMutate, 0.4)},
		{Kind: control.Status, Status: 409, Match: chance(control.OpMutate, 0.2)},
		{Kind: control.CutBefore, Match: chance("", 0.2)},
		{Kind: control.CutAfter, Match: chance(control.OpMutate, 0.4)},
		{Kind: control.Lie, Match: chance(control.OpDisable, 0.3)},
		{Kind: control.Lie, Match: chance(control.OpEnable, 0.3)},
		{Kind: control.AcceptLater, After: control.Duration(900 * time.Millisecond), Match: chance(control.OpDisable, 0.3)},
		{Kind: control.AcceptLater, After: control.Duration(900 * time.Millisecond), Match: chance(control.OpEnable, 0.3)},
		{Kind: control.Residue, Match: chance("", 0.2)},
		{Kind: control.ShortPage, Match: chance(control.OpFind, 0.4)},
	}
	var out []control.Rule
	for range r.IntN(3) {
		out = append(out, sky[r.IntN(len(sky))])
	}
	return out
}

func chance(operation string, p float64) control.Match {
	return control.Match{Operation: operation, Probability: p}
}
