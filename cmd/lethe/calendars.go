package main

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

// lookAhead is how far ahead public holidays are wanted: nothing falls due by working days later than that.
const lookAhead = 31

var calendarYears = promauto.NewGaugeVec(prometheus.GaugeOpts{
	Name: "lethe_calendar_unknown", Help: "1 for a year, by now or soon, whose public holidays are not known where a legal entity is.",
}, []string{"jurisdiction", "year"})

// keepCalendars tells, once in the log and by a gauge, of which year the public holidays are not known: what falls due then
// does so by weekends alone.
func keepCalendars(ctx context.Context, db *database.DB, log *slog.Logger) {
	told := map[clock.Place]int{}
	for ctx.Err() == nil {
		for place, year := range unknownYears(ctx, db) {
			calendarYears.WithLabelValues(place.Jurisdiction, strconv.Itoa(year)).Set(1)
			if told[place] != year {
				log.Warn("the public holidays of a year are not known: reviews and answers are due by weekends alone", "jurisdiction", place.Jurisdiction, "year", year)
			}
			told[place] = year
		}
		pause(ctx, time.Hour)
	}
}

// unknownYears are the nearest ones, by jurisdiction. The demo's has none on purpose.
func unknownYears(ctx context.Context, db *database.DB) map[clock.Place]int {
	now, err := db.Now(ctx)
	var used []string
	if err == nil {
		err = db.Read(ctx).Model(&models.LegalEntity{}).Where("jurisdiction <> ?", models.DemoJurisdiction).Distinct().Pluck("jurisdiction", &used).Error
	}
	if err != nil {
		return nil // asked again
	}
	unknown := map[clock.Place]int{}
	today := clock.Today(now, time.UTC)
	for _, jurisdiction := range used {
		place := clock.Place{Jurisdiction: jurisdiction}
		for _, year := range []int{today.AddDays(lookAhead).Year, today.Year} {
			if _, _, known := place.HolidaysOf(year); !known {
				unknown[place] = year
			}
		}
	}
	return unknown
}
