package disclosure

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
)

// TestPatternsAreFoundAtTheirThresholdsAndNotBelow, each by itself.
func TestPatternsAreFoundAtTheirThresholdsAndNotBelow(t *testing.T) {
	zone, err := clock.LoadZone("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	one, two := uuid.New(), uuid.New()
	noon := time.Date(2026, 11, 2, 12, 0, 0, 0, zone)
	// at has n looks of one person, each at somebody else and for another reason.
	at := func(actor uuid.UUID, n int, change func(i int, g *Glance)) (all []Glance) {
		for i := range n {
			g := Glance{ID: uuid.New(), ActorID: actor, EmployeeID: uuid.New(), At: noon.AddDate(0, 0, i), Zone: zone, Reason: fmt.Sprint(i)}
			if change != nil {
				change(i, &g)
			}
			all = append(all, g)
		}
		return all
	}
	same := uuid.New()
	night := func(hour int) func(int, *Glance) {
		return func(_ int, g *Glance) { g.At, g.EmployeeID = g.At.Add(time.Duration(hour-12)*time.Hour), same }
	}
	for what, c := range map[string]struct {
		all  []Glance
		want []PatternKind
	}{
		"nothing":                               {nil, nil},
		"19 people":                             {at(one, 19, nil), nil},
		"20 people":                             {at(one, 20, nil), []PatternKind{ManyPeople}},
		"20 looks at one":                       {at(one, 20, func(_ int, g *Glance) { g.EmployeeID = same }), nil},
		"20 people, the others 6":               {append(at(one, 20, nil), at(two, 6, nil)...), []PatternKind{ManyPeople}},
		"20 people, the others 7":               {append(at(one, 20, nil), at(two, 7, nil)...), nil},
		"4 nights":                              {at(one, 4, night(23)), nil},
		"5 nights":                              {at(one, 5, night(22)), []PatternKind{AtNight}},
		"5 early mornings":                      {at(one, 5, night(5)), []PatternKind{AtNight}},
		"5 mornings":                            {at(one, 5, night(6)), nil},
		"5 evenings":                            {at(one, 5, night(21)), nil},
		"5 nights of emergencies":               {at(one, 5, func(i int, g *Glance) { night(3)(i, g); g.Urgent = true }), nil},
		"5 nights of UTC that are days there":   {at(one, 5, func(_ int, g *Glance) { g.At = time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC) }), nil},
		"one reason for 5 people":               {at(one, 5, func(_ int, g *Glance) { g.Reason = "核对" }), []PatternKind{OneReason}},
		"one reason for 4":                      {at(one, 4, func(_ int, g *Glance) { g.Reason = "核对" }), nil},
		"one reason 5 times for one":            {at(one, 5, func(_ int, g *Glance) { g.Reason, g.EmployeeID = "核对", same }), nil},
		"one reason of two who look":            {append(at(one, 3, func(_ int, g *Glance) { g.Reason = "核对" }), at(two, 3, func(_ int, g *Glance) { g.Reason = "核对" })...), nil},
		"no reason is none that is repeated":    {at(one, 5, func(_ int, g *Glance) { g.Reason = "" }), nil},
		"3 colleagues":                          {at(one, 3, func(_ int, g *Glance) { g.Colleague = true }), []PatternKind{Colleagues}},
		"2 colleagues":                          {at(one, 3, func(i int, g *Glance) { g.Colleague = i > 0 }), nil},
		"what one alone would not do, both not": {append(at(one, 2, func(_ int, g *Glance) { g.Colleague = true }), at(two, 2, func(_ int, g *Glance) { g.Colleague = true })...), nil},
	} {
		found := FindPatterns(c.all)
		var kinds []PatternKind
		for _, p := range found {
			kinds = append(kinds, p.Kind)
			if p.ActorID != one || len(p.Looks) == 0 || p.First.After(p.Last) || p.People < 1 || p.Of < len(p.Looks) {
				t.Errorf("%s: %+v", what, p)
			}
		}
		if fmt.Sprint(kinds) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", what, kinds, c.want)
		}
	}
}
