package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/api/enums/v1"
	sdkworker "go.temporal.io/sdk/worker"

	"lethe/workflows"
)

// Goals of the design's performance budget.
const (
	goalRatio      = 0.85
	goalActivities = 7
	goalEvents     = 75
)

// pair runs both halves once, after a warm-up, and returns departures per second of each.
func pair(ctx context.Context, w *world, s settings, tune func(*sdkworker.Options), bareFirst bool) (real, empty float64, last string, err error) {
	rate := func(h half) (float64, string, error) {
		took, ids, err := h.run(ctx, s.departures, s.inFlight)
		if err != nil {
			return 0, "", err
		}
		return float64(s.departures) / took.Seconds(), ids[len(ids)-1], nil
	}
	measureReal := func() error {
		return w.with(ctx, tune, func(h half) (err error) { real, last, err = rate(h); return err })
	}
	measureBare := func() error {
		return w.withBare(tune, func(h half) (err error) { empty, _, err = rate(h); return err })
	}
	order := []func() error{measureReal, measureBare}
	if bareFirst {
		slices.Reverse(order)
	}
	for _, measure := range order {
		if err = measure(); err != nil {
			return 0, 0, "", err
		}
	}
	return real, empty, last, nil
}

func throughput(ctx context.Context, w *world, s settings) error {
	warm := s
	warm.departures = min(50, s.departures)
	if _, _, _, err := pair(ctx, w, warm, nil, false); err != nil {
		return err
	}
	fmt.Printf("\ndepartures per second, three systems, %d in flight, %d in each half\n", s.inFlight, s.departures)
	fmt.Println("pair   lethe    bare   ratio")
	var ratios []float64
	var last string
	for i := range s.pairs {
		real, empty, id, err := pair(ctx, w, s, nil, i%2 == 1)
		if err != nil {
			return err
		}
		last = id
		ratios = append(ratios, real/empty)
		fmt.Printf("%4d %7.1f %7.1f %7.2f\n", i+1, real, empty, real/empty)
	}
	fmt.Printf("median ratio %.2f (goal: at least %.2f)\n", median(ratios), goalRatio)
	return countHistory(ctx, w, last)
}

// countHistory counts the events and activities of one departure over all its workflows.
func countHistory(ctx context.Context, w *world, departure string) error {
	ids := []string{workflows.DepartureID(departure), workflows.RetentionID(departure)}
	var operations []string
	err := w.facts.Read(ctx).Raw("SELECT id::text FROM account_operations WHERE departure_id = ?", departure).Scan(&operations).Error
	if err != nil {
		return fmt.Errorf("reading the operations: %w", err)
	}
	for _, o := range operations {
		ids = append(ids, workflows.UnlinkingID(o))
	}
	events, acts := 0, 0
	for _, id := range ids {
		history := w.client.GetWorkflowHistory(ctx, id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for history.HasNext() {
			e, err := history.Next()
			if err != nil {
				return fmt.Errorf("reading a history: %w", err)
			}
			events++
			if e.GetEventType() == enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED {
				acts++
			}
		}
	}
	fmt.Printf("one departure until Retention sleeps: %d activities (goal: at most %d), %d events (goal: at most %d)\n",
		acts, goalActivities, events, goalEvents)
	return nil
}

type lever struct {
	name string
	tune func(*sdkworker.Options)
}

// levers are each tried against the shipped setting: autoscaled pollers up to 16, eager activities.
var levers = []lever{
	{"2 pollers each", func(o *sdkworker.Options) {
		o.WorkflowTaskPollerBehavior = sdkworker.NewPollerBehaviorSimpleMaximum(sdkworker.PollerBehaviorSimpleMaximumOptions{MaximumNumberOfPollers: 2})
		o.ActivityTaskPollerBehavior = sdkworker.NewPollerBehaviorSimpleMaximum(sdkworker.PollerBehaviorSimpleMaximumOptions{MaximumNumberOfPollers: 2})
	}},
	{"16 pollers each", func(o *sdkworker.Options) {
		o.WorkflowTaskPollerBehavior = sdkworker.NewPollerBehaviorSimpleMaximum(sdkworker.PollerBehaviorSimpleMaximumOptions{MaximumNumberOfPollers: 16})
		o.ActivityTaskPollerBehavior = sdkworker.NewPollerBehaviorSimpleMaximum(sdkworker.PollerBehaviorSimpleMaximumOptions{MaximumNumberOfPollers: 16})
	}},
	{"eager activities off", func(o *sdkworker.Options) { o.DisableEagerActivities = true }},
}

func tryLevers(ctx context.Context, w *world, s settings) error {
	fmt.Println("\nlevers, each beside the shipped setting (autoscaled pollers up to 16, eager activities)")
	fmt.Println("lever                  shipped   lever   lever/shipped")
	for _, l := range levers {
		var shipped, changed float64
		for _, side := range []struct {
			tune func(*sdkworker.Options)
			rate *float64
		}{{nil, &shipped}, {l.tune, &changed}} {
			var took time.Duration
			err := w.with(ctx, side.tune, func(h half) (err error) { took, _, err = h.run(ctx, s.departures/2, s.inFlight); return err })
			if err != nil {
				return err
			}
			*side.rate = float64(s.departures/2) / took.Seconds()
		}
		fmt.Printf("%-22s %7.1f %7.1f %10.2f\n", l.name, shipped, changed, changed/shipped)
	}
	return nil
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
