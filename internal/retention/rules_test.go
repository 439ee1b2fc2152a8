package retention

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

func TestEveryPackHasARuleForEveryCategory(t *testing.T) {
	for _, jurisdiction := range append([]string{models.DemoJurisdiction}, packs...) {
		if _, err := loadPack(jurisdiction); err != nil {
			t.Error(err)
		}
	}
}

func TestPackRefusesWhatIsWrong(t *testing.T) {
	good, err := loadPack("CN")
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*packedRule){
		"below the floor":   func(r *packedRule) { r.Period = "P1Y" },
		"cannot compare":    func(r *packedRule) { r.Period = "P900D" },
		"unknown anchor":    func(r *packedRule) { r.Anchor = "whenever" },
		"names no law":      func(r *packedRule) { r.BasisZh = "" },
		"unknown category":  func(r *packedRule) { r.Category = "hobbies" },
		"category repeated": func(r *packedRule) { r.Category = models.CategoryIdentity },
	} {
		spoiled := pack{good.Jurisdiction, append([]packedRule(nil), good.Rules...)}
		spoil(&spoiled.Rules[0])
		if spoiled.check("CN") == nil {
			t.Errorf("%s: the pack is accepted", name)
		}
	}
	if good.Rules = good.Rules[1:]; good.check("CN") == nil {
		t.Error("a pack without a rule for a category is accepted")
	}
}

func rule(period, floor, anchor string) models.RetentionRule {
	return models.RetentionRule{Jurisdiction: "CN", Category: models.CategoryContract, Period: period, Floor: floor, Anchor: anchor}
}

func zone(t failer, name string) *time.Location {
	loc, err := clock.LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestI7_DeadlineKnownCases(t *testing.T) {
	const end, year = models.AnchorEmploymentEnd, models.AnchorEndOfCalendarYear
	for _, c := range []struct{ name, zone, ended, period, anchor, want string }{
		{"to the end of the day", "Asia/Shanghai", "2026-06-30T16:00:00Z", "P2Y", end, "2028-06-30T16:00:00Z"},
		{"the day itself is not counted", "Asia/Shanghai", "2026-06-30T03:00:00Z", "P2Y", end, "2028-06-30T16:00:00Z"},
		{"29 February, BGB § 188(3)", "Europe/Berlin", "2024-02-29T23:00:00Z", "P1Y", end, "2025-02-28T23:00:00Z"},
		{"the last day before a leap year's", "Europe/Berlin", "2023-02-28T23:00:00Z", "P1Y", end, "2024-02-29T23:00:00Z"},
		{"a month that is too short", "Asia/Tokyo", "2026-01-30T15:00:00Z", "P1M", end, "2026-02-28T15:00:00Z"},
		{"end of February and a month", "Asia/Tokyo", "2026-02-28T15:00:00Z", "P1M", end, "2026-03-31T15:00:00Z"},
		{"days over the change of clocks", "Europe/Berlin", "2026-03-20T23:00:00Z", "P30D", end, "2026-04-19T22:00:00Z"},
		{"missing midnight at the start", "America/Santiago", "2024-09-08T04:00:00Z", "P1Y", end, "2025-09-08T03:00:00Z"},
		{"missing midnight at the end", "America/Santiago", "2023-09-08T03:00:00Z", "P1Y", end, "2024-09-08T04:00:00Z"},
		{"the year in which it ended", "Europe/Berlin", "2026-06-30T22:00:00Z", "P8Y", year, "2034-12-31T23:00:00Z"},
		{"ended with the year", "Europe/Berlin", "2026-12-31T23:00:00Z", "P8Y", year, "2034-12-31T23:00:00Z"},
		{"ended just after the year", "Europe/Berlin", "2026-12-31T23:00:01Z", "P8Y", year, "2035-12-31T23:00:00Z"},
		{"seconds", "Asia/Shanghai", "2026-06-30T16:00:00Z", "PT5S", end, "2026-06-30T16:00:05Z"},
	} {
		ended, err := time.Parse(time.RFC3339, c.ended)
		if err != nil {
			t.Fatal(err)
		}
		got, floor, err := Deadline(rule(c.period, "P0D", c.anchor), ended, zone(t, c.zone))
		if err != nil || got.Format(time.RFC3339) != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, got.Format(time.RFC3339), err, c.want)
		}
		if floor.Before(ended) {
			t.Errorf("%s: the minimum %s is before the end %s", c.name, floor, ended)
		}
	}
}

func drawRule(t *rapid.T, label string) models.RetentionRule {
	anchor := rapid.SampledFrom([]string{models.AnchorEmploymentEnd, models.AnchorEndOfCalendarYear}).Draw(t, label+"anchor")
	floor := clock.Period{Months: rapid.IntRange(0, 100).Draw(t, label+"months"), Days: rapid.IntRange(0, 40).Draw(t, label+"days")}
	period := clock.Period{Months: floor.Months + rapid.IntRange(0, 30).Draw(t, label+"more"), Days: floor.Days, Exact: time.Duration(rapid.IntRange(0, 90).Draw(t, label+"s")) * time.Second}
	return rule(period.String(), floor.String(), anchor)
}

func TestI7_DeadlineIsNeverEarlierThanEitherWayOfCounting(t *testing.T) {
	names, err := clock.ZoneNames()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		loc := zone(t, rapid.SampledFrom(names).Draw(t, "zone"))
		r := drawRule(t, "")
		ended := time.Unix(rapid.Int64Range(0, 3_500_000_000).Draw(t, "ended"), 0).UTC()
		deadline, floor, err := Deadline(r, ended, loc)
		if err != nil {
			t.Fatal(err)
		}
		if deadline.Before(floor) || floor.Before(ended) {
			t.Fatalf("deadline %s, minimum %s, end %s are out of order", deadline, floor, ended)
		}
		later := ended.Add(time.Duration(rapid.Int64Range(0, 10_000_000).Draw(t, "later")) * time.Second)
		if after, _, _ := Deadline(r, later, loc); after.Before(deadline) {
			t.Fatalf("ended %s gives %s, ended later, %s, gives %s", ended, deadline, later, after)
		}
		// Whoever counts from the day of the event, step by step, is not past the deadline's day.
		p, _ := clock.ParsePeriod(r.Period)
		if p.IsCalendar() {
			day := clock.Today(deadline.Add(-p.Exact-time.Nanosecond), loc)
			from := clock.Today(ended.Add(-time.Nanosecond), loc)
			if r.Anchor == models.AnchorEmploymentEnd && day.Before(p.AddToDate(from)) {
				t.Fatalf("%s and %s ends on %s", from, p, day)
			}
		}
	})
}

func TestI6_ShortensSeesEveryDeadlineThatComesForward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) Inputs {
			return Inputs{
				EndedAt: time.Unix(rapid.Int64Range(1_700_000_000, 1_702_000_000).Draw(t, label+"ended"), 0),
				Zone:    zone(t, rapid.SampledFrom([]string{"Asia/Shanghai", "Europe/Berlin", "Pacific/Apia"}).Draw(t, label+"zone")),
				Rules:   []models.RetentionRule{drawRule(t, label)},
			}
		}
		old, new := draw("old "), draw("new ")
		before, floorBefore, _ := Deadline(old.Rules[0], old.EndedAt, old.Zone)
		after, floorAfter, _ := Deadline(new.Rules[0], new.EndedAt, new.Zone)
		want := after.Before(before) || floorAfter.Before(floorBefore)
		if got := Shortens(old, new); got != want {
			t.Fatalf("Shortens = %t though %s becomes %s and %s becomes %s", got, before, after, floorBefore, floorAfter)
		}
		if Shortens(old, old) {
			t.Fatal("no change counts as shortening")
		}
		if new.Rules = nil; !Shortens(old, new) {
			t.Fatal("a rule that is lost does not count as shortening")
		}
	})
}

func TestInstallRulesIsIdempotentAndSupersedes(t *testing.T) {
	w := newWorld(t)
	w.tx(t, func(tx *database.Tx) error { return InstallRules(tx, true) })
	if n := query[int](t, w, "SELECT count(*) FROM retention_rules"); n != 4*len(models.Categories) {
		t.Fatalf("%d rules after two installations", n)
	}
	w.exec(t, "UPDATE retention_rules SET basis_en = 'former text' WHERE jurisdiction = 'CN' AND category = 'contract'")
	w.tx(t, func(tx *database.Tx) error { return InstallRules(tx, true) })
	if v := query[int](t, w, "SELECT version FROM retention_rules WHERE jurisdiction = 'CN' AND category = 'contract' AND superseded_at IS NULL"); v != 2 {
		t.Fatalf("version %d is in force, want 2", v)
	}
}

func TestProductionHasNoDemoRules(t *testing.T) {
	w := newWorld(t)
	w.exec(t, "DELETE FROM retention_rules")
	w.tx(t, func(tx *database.Tx) error { return InstallRules(tx, false) })
	w.tx(t, func(tx *database.Tx) error {
		if known, err := HasRules(tx, models.DemoJurisdiction); err != nil || known {
			t.Errorf("HasRules(DEMO) = %t, %v", known, err)
		}
		if known, err := HasRules(tx, "JP"); err != nil || !known {
			t.Errorf("HasRules(JP) = %t, %v", known, err)
		}
		_, err := Rules(tx, models.DemoJurisdiction)
		var missing *MissingRulesError
		if !errors.As(err, &missing) || len(missing.Categories) != len(models.Categories) {
			t.Errorf("Rules(DEMO): %v", err)
		}
		return nil
	})
}

func TestI6_ARuleMayLengthenDeadlinesThatRunAndNotShortenThem(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "CN")
	deadline := func() time.Time {
		return query[time.Time](t, w, "SELECT deadline FROM retention_deadlines WHERE departure_id = ? AND category = 'contract'", p.departure)
	}
	before := deadline()
	change := func(period, floor string) error {
		return w.try(func(tx *database.Tx) error {
			inForce, err := rulesInForce(tx, "CN")
			if err != nil {
				return err
			}
			next := inForce[models.CategoryContract]
			next.Period, next.Floor = period, floor
			return putInForce(tx, "CN", inForce, []models.RetentionRule{next})
		})
	}
	if err := change("P3Y", "P2Y"); err != nil {
		t.Fatal(err)
	}
	after := deadline()
	if want := before.AddDate(1, 0, 0); after.Sub(want).Abs() > 24*time.Hour {
		t.Fatalf("a year more moves %s to %s", before, after)
	}
	for _, shorter := range [][2]string{{"P2Y", "P2Y"}, {"P3Y", "P1Y"}} {
		if err := change(shorter[0], shorter[1]); !errors.Is(err, ErrApprovalRequired) {
			t.Errorf("period %s, floor %s: %v", shorter[0], shorter[1], err)
		}
	}
	if !deadline().Equal(after) {
		t.Error("a refused change moved a deadline")
	}
}
