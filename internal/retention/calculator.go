package retention

import (
	"fmt"
	"time"

	"lethe/internal/clock"
	"lethe/models"
)

// Deadline says from when a category may be destroyed, and the statutory minimum of that, for an
// employment that ended at endedAt, counted on calendars in loc. The deadline is never before the
// minimum.
//
// A period of days, months or years does not count the day on which the employment ended and runs
// to the end of its last day: BGB §§ 187, 188; 民法典 第二百零一条、第二百零二条; 民法 第140条–第143条.
// A period of seconds (DEMO) counts from the instant.
func Deadline(rule models.RetentionRule, endedAt time.Time, loc *time.Location) (deadline, floorAt time.Time, err error) {
	r, err := parseRule(rule)
	if err != nil {
		return time.Time{}, time.Time{}, fmt.Errorf("rule %s of %s: %w", rule.Category, rule.Jurisdiction, err)
	}
	deadline = expiry(r.period, r.anchor, endedAt, loc)
	floorAt = expiry(r.floor, r.anchor, endedAt, loc)
	if deadline.Before(floorAt) {
		deadline = floorAt
	}
	return deadline, floorAt, nil
}

// Ceiling is the latest instant to which two people may extend a deadline; zero: the rule sets none.
func Ceiling(rule models.RetentionRule, eventAt time.Time, loc *time.Location) (time.Time, error) {
	r, err := parseRule(rule)
	if err != nil {
		return time.Time{}, fmt.Errorf("rule %s of %s: %w", rule.Category, rule.Jurisdiction, err)
	}
	if r.ceiling == nil {
		return time.Time{}, nil
	}
	return expiry(*r.ceiling, r.anchor, eventAt, loc), nil
}

func expiry(p clock.Period, anchor string, endedAt time.Time, loc *time.Location) time.Time {
	last := lastDay(endedAt, loc)
	switch {
	case anchor == models.AnchorEndOfCalendarYear:
		last = clock.Date{Year: last.Year, Month: time.December, Day: 31}
	case !p.IsCalendar():
		return endedAt.Add(p.Exact).UTC()
	}
	// The laws differ in whether the last day has the number of the day on which the employment
	// ended, or is the one before the day that has the number of the day after it (28 February and
	// a month: 28 or 31 March). The later one satisfies both.
	end := clock.EndOfDay(p.AddToDate(last), loc)
	if following := clock.StartOfDay(p.AddToDate(last.AddDays(1)), loc); following.After(end) {
		end = following
	}
	return end.Add(p.Exact)
}

// lastDay is the day on which an employment ended: at the very end of it, or within it.
func lastDay(endedAt time.Time, loc *time.Location) clock.Date {
	day := clock.Today(endedAt, loc)
	if clock.StartOfDay(day, loc).Equal(endedAt) {
		return day.AddDays(-1)
	}
	return day
}

// Inputs are all facts that deadlines depend on: when they count from, on whose calendar, and the rules
// of the jurisdiction (which follows from the legal entity).
type Inputs struct {
	EndedAt time.Time
	Zone    *time.Location
	Rules   []models.RetentionRule
}

// Shortens says whether the new facts would bring any deadline or minimum forward (I6). A category
// that loses its rule, or a rule that cannot be read, counts as brought forward.
func Shortens(old, new Inputs) bool {
	for _, was := range old.Rules {
		before, floorBefore, err := Deadline(was, old.EndedAt, old.Zone)
		if err != nil {
			return true
		}
		becomes, ok := ruleFor(new.Rules, was.Category)
		if !ok {
			return true
		}
		after, floorAfter, err := Deadline(becomes, new.EndedAt, new.Zone)
		if err != nil || after.Before(before) || floorAfter.Before(floorBefore) {
			return true
		}
	}
	return false
}

func ruleFor(rules []models.RetentionRule, category models.Category) (models.RetentionRule, bool) {
	for _, rule := range rules {
		if rule.Category == category {
			return rule, true
		}
	}
	return models.RetentionRule{}, false
}
