package chaos

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/departure"
	"lethe/models"
)

// Violation is a broken invariant.
type Violation struct {
	Invariant string // "I1"
	What      string
}

func (v Violation) String() string { return v.Invariant + ": " + v.What }

// checker collects what it finds.
type checker struct {
	Evidence
	found []Violation
}

func (c *checker) report(invariant, format string, args ...any) {
	c.found = append(c.found, Violation{invariant, fmt.Sprintf(format, args...)})
}

// Check judges the evidence of a stack at rest: faults are off, every process had time to finish.
func Check(e Evidence) []Violation {
	c := &checker{Evidence: e}
	c.deadlinesKept()
	c.nothingDueIsLeft()
	c.onePurgeOneEffect()
	c.oneOpenDeparture()
	c.acceptedMeansDone()
	c.timelinesAreLegal()
	c.noAccountIsSilentlyActive()
	c.settledMeansAsked()
	c.whatIsOffIsOff()
	c.accessComesBackOnlyWhenAsked()
	c.oneEffectPerOperation()
	c.everyFactIsRecorded()
	c.theLedgerVerifies()
	return c.found
}

func open(d models.Departure) bool {
	return d.Stage != models.StageWithdrawn && d.Stage != models.StageAnnulled
}

// oneOpenDeparture is I9 as far as facts show it: Temporal itself has one run for an id at most.
func (c *checker) oneOpenDeparture() {
	count := map[uuid.UUID]int{}
	for _, d := range c.Departures {
		if open(d) {
			count[d.EmploymentID]++
		}
	}
	for employment, n := range count {
		if n > 1 {
			c.report("I9", "employment %s has %d open departures", employment, n)
		}
	}
	unlinkings := map[uuid.UUID]int{}
	for _, op := range c.Operations {
		if op.DepartureID != nil && op.Kind == models.OperationUnlink && op.State != models.OperationSuperseded {
			unlinkings[*op.DepartureID]++
		}
	}
	for id, n := range unlinkings {
		if n > 1 {
			c.report("I9", "departure %s ordered %d unlinkings", id, n)
		}
	}
}

// acceptedMeansDone is I10: what was answered 202 is there and reached its end.
func (c *checker) acceptedMeansDone() {
	byID := map[uuid.UUID]models.Departure{}
	for _, d := range c.Departures {
		byID[d.ID] = d
		if problem := unfinished(d); problem != "" {
			c.report("I10", "departure %s has not reached its end: %s", d.ID, problem)
		}
	}
	for _, op := range c.Operations {
		switch op.State {
		case models.OperationRunning, models.OperationNeedsAttention, models.OperationCompensating:
			c.report("I10", "%s %s has not reached its end: %s", op.Kind, op.ID, op.State)
		}
	}
	for id, employee := range c.Acknowledged {
		d, ok := byID[id]
		switch {
		case !ok:
			c.report("I10", "departure %s was accepted and is lost", id)
		case d.EmployeeID != employee:
			c.report("I10", "departure %s is about another person", id)
		}
	}
}

func unfinished(d models.Departure) string {
	want := []models.AccountsState{models.AccountsSettled}
	switch d.Stage {
	case models.StagePurged:
	case models.StageWithdrawn, models.StageAnnulled:
		want = []models.AccountsState{models.AccountsLinked, models.AccountsRelinked}
	default:
		return "stage " + string(d.Stage) + ", accounts " + string(d.AccountsState)
	}
	if !slices.Contains(want, d.AccountsState) {
		return "stage " + string(d.Stage) + ", accounts " + string(d.AccountsState)
	}
	return ""
}

// stageAfter is the employment track as the timeline tells it: which event leads where, and from where.
var stageAfter = map[string]struct {
	from []models.Stage
	to   models.Stage
}{
	departure.EventStarted:      {[]models.Stage{""}, models.StagePendingDeparture},
	departure.EventEntered:      {[]models.Stage{""}, models.StageDeparted},
	departure.EventWithdrawn:    {[]models.Stage{models.StagePendingDeparture}, models.StageWithdrawn},
	departure.EventAnnulled:     {[]models.Stage{models.StagePendingDeparture, models.StageDeparted}, models.StageAnnulled},
	departure.EventDeparted:     {[]models.Stage{models.StagePendingDeparture}, models.StageDeparted},
	departure.EventPurgingBegan: {[]models.Stage{models.StageDeparted}, models.StagePurging},
	departure.EventPurged:       {[]models.Stage{models.StagePurging}, models.StagePurged},
}

// timelinesAreLegal is I11: the timeline tells a legal story that ends where the departure is.
func (c *checker) timelinesAreLegal() {
	events := map[uuid.UUID][]models.DepartureEvent{}
	for _, e := range c.Events {
		events[e.DepartureID] = append(events[e.DepartureID], e)
	}
	for _, d := range c.Departures {
		story := events[d.ID]
		slices.SortFunc(story, func(a, b models.DepartureEvent) int { return cmp.Compare(a.ID, b.ID) })
		var stage models.Stage
		for i, e := range story {
			if i > 0 && e.At.Before(story[i-1].At) {
				c.report("I11", "departure %s: %s lies before what came before it", d.ID, e.What)
			}
			if e.What == departure.EventCategoryPurged && stage != models.StagePurging {
				c.report("I11", "departure %s: a category purged in stage %q", d.ID, stage)
			}
			move, ok := stageAfter[e.What]
			if !ok {
				continue
			}
			if !slices.Contains(move.from, stage) {
				c.report("I11", "departure %s: %s in stage %q", d.ID, e.What, stage)
			}
			stage = move.to
		}
		if stage != d.Stage {
			c.report("I11", "departure %s: stage %s, its timeline ends at %q", d.ID, d.Stage, stage)
		}
		if d.DepartedAt != nil && d.DepartedAt.Before(d.EmploymentEndedAt) {
			c.report("I11", "departure %s: departed before the employment ended", d.ID)
		}
	}
}
