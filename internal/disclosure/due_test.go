package disclosure

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/access"
	"lethe/internal/clock"
	"lethe/internal/invalid"
	"lethe/models"
)

func instant(t *testing.T, s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestAReviewIsDueWithinADayOrByNoonOfTheNextWorkingDay in the employment's zone, whichever is later.
func TestAReviewIsDueWithinADayOrByNoonOfTheNextWorkingDay(t *testing.T) {
	for _, c := range []struct{ what, place, zone, shown, due string }{
		{"a Monday morning", "CN", "Asia/Shanghai", "2026-11-30T09:00:00+08:00", "2026-12-01T12:00:00+08:00"},
		{"at noon both are the same", "CN", "Asia/Shanghai", "2026-11-30T12:00:00+08:00", "2026-12-01T12:00:00+08:00"},
		{"a Monday evening", "CN", "Asia/Shanghai", "2026-11-30T20:00:00+08:00", "2026-12-01T20:00:00+08:00"},
		{"at three at night", "CN", "Asia/Shanghai", "2026-12-02T03:00:00+08:00", "2026-12-03T12:00:00+08:00"},
		{"a Thursday", "CN", "Asia/Shanghai", "2026-12-03T15:00:00+08:00", "2026-12-04T15:00:00+08:00"},
		{"a Friday", "CN", "Asia/Shanghai", "2026-12-04T15:00:00+08:00", "2026-12-07T12:00:00+08:00"},
		{"a Friday in UTC that is Saturday there", "CN", "Asia/Shanghai", "2026-12-04T17:00:00Z", "2026-12-07T12:00:00+08:00"},
		{"a Saturday", "CN", "Asia/Shanghai", "2026-12-05T10:00:00+08:00", "2026-12-07T12:00:00+08:00"},
		{"a Sunday morning", "CN", "Asia/Shanghai", "2026-12-06T09:00:00+08:00", "2026-12-07T12:00:00+08:00"},
		{"a Sunday evening", "CN", "Asia/Shanghai", "2026-12-06T18:00:00+08:00", "2026-12-07T18:00:00+08:00"},
		{"a Sunday in UTC that is Saturday there", "CN", "America/Los_Angeles", "2026-12-06T03:00:00Z", "2026-12-07T12:00:00-08:00"},
		{"a Friday in UTC that is Thursday there", "CN", "America/Los_Angeles", "2026-12-04T03:00:00Z", "2026-12-05T03:00:00Z"},
		{"over the last night of summer time", "DE", "Europe/Berlin", "2026-10-23T15:00:00+02:00", "2026-10-26T12:00:00+01:00"},
		{"over the first night of summer time", "DE", "Europe/Berlin", "2026-03-27T15:00:00+01:00", "2026-03-30T12:00:00+02:00"},
		{"a day of 25 hours has noon 24 hours after 13:00", "DE", "Europe/Berlin", "2026-10-24T13:00:00+02:00", "2026-10-26T12:00:00+01:00"},
		{"the eve of the National Day", "CN", "Asia/Shanghai", "2026-09-30T15:00:00+08:00", "2026-10-08T12:00:00+08:00"},
		{"before a Sunday that is worked", "CN", "Asia/Shanghai", "2026-09-19T15:00:00+08:00", "2026-09-20T15:00:00+08:00"},
		{"before Easter", "DE", "Europe/Berlin", "2026-04-02T15:00:00+02:00", "2026-04-07T12:00:00+02:00"},
		{"before All Saints' Day where it is one", "DE-BY", "Europe/Berlin", "2027-10-29T15:00:00+02:00", "2027-11-02T12:00:00+01:00"},
		{"and where it is none", "DE", "Europe/Berlin", "2027-10-29T15:00:00+02:00", "2027-11-01T12:00:00+01:00"},
		{"a year that was not announced", "CN", "Asia/Shanghai", "2027-09-30T15:00:00+08:00", "2027-10-01T15:00:00+08:00"},
	} {
		zone, err := clock.LoadZone(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := reviewDue(instant(t, c.shown), clock.Place{Jurisdiction: c.place[:2], Region: strings.Trim(c.place[2:], "-")}, zone), instant(t, c.due).UTC(); !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: due %s, want %s", c.what, got, want)
		}
	}
}

// TestEvidenceIsHeldAgainstTheClockAndTheStatus.
func TestEvidenceIsHeldAgainstTheClockAndTheStatus(t *testing.T) {
	const now = "2026-11-30T10:00:00+08:00"
	for _, c := range []struct {
		what     string
		purpose  access.Purpose
		evidence map[string]string
		status   models.EmployeeStatus
		longAgo  bool
		refused  []invalid.Value
	}{
		{"just now", access.MedicalEmergency, map[string]string{"when": now}, models.StatusActive, false, nil},
		{"a clock that is four minutes ahead", access.MedicalEmergency, map[string]string{"when": "2026-11-30T10:04:00+08:00"}, models.StatusActive, false, nil},
		{"a clock that is an hour ahead", access.MedicalEmergency, map[string]string{"when": "2026-11-30T11:00:00+08:00"}, models.StatusActive, false, []invalid.Value{{Location: "evidence.when", Code: invalid.InFuture}}},
		{"the same in another zone", access.MedicalEmergency, map[string]string{"when": "2026-11-30T03:00:00Z"}, models.StatusActive, false, []invalid.Value{{Location: "evidence.when", Code: invalid.InFuture}}},
		{"three days ago", access.MedicalEmergency, map[string]string{"when": "2026-11-27T10:00:00+08:00"}, models.StatusActive, false, nil},
		{"a minute more than three days ago", access.MedicalEmergency, map[string]string{"when": "2026-11-27T09:59:00+08:00"}, models.StatusActive, true, nil},
		{"five days ago", access.MedicalEmergency, map[string]string{"when": "2026-11-25T09:00:00+08:00"}, models.StatusActive, true, nil},
		{"in the year one", access.MedicalEmergency, map[string]string{"when": "0001-01-01T00:00:00Z"}, models.StatusActive, true, nil},
		{"today", access.DeathInService, map[string]string{"when": "2026-11-30"}, models.StatusActive, false, nil},
		{"a tomorrow that has begun nowhere", access.DeathInService, map[string]string{"when": "2026-12-01"}, models.StatusActive, false, []invalid.Value{{Location: "evidence.when", Code: invalid.InFuture}}},
		{"what is today in Los Angeles", access.DeathInService, map[string]string{"when": "2026-11-29"}, models.StatusActive, false, nil},
		{"91 days ago", access.DeathInService, map[string]string{"when": "2026-08-31"}, models.StatusActive, false, nil},
		{"92 days ago", access.DeathInService, map[string]string{"when": "2026-08-30"}, models.StatusActive, true, nil},
		{"not seen since yesterday", access.Unreachable, map[string]string{"since": "2026-11-29T10:00:00+08:00"}, models.StatusActive, false, nil},
		{"about to leave", access.Unreachable, map[string]string{"since": "2026-11-29T10:00:00+08:00"}, models.StatusPendingDeparture, false, nil},
		{"who has left, without the police", access.Unreachable, map[string]string{"since": "2026-11-29T10:00:00+08:00"}, models.StatusDeparted, false, []invalid.Value{{Location: "evidence.police_reference", Code: invalid.Required}}},
		{"who has left and is forgotten", access.Unreachable, map[string]string{"since": "2026-11-29T10:00:00+08:00"}, models.StatusPurged, false, []invalid.Value{{Location: "evidence.police_reference", Code: invalid.Required}}},
		{"who has left, with the police", access.Unreachable, map[string]string{"since": "2026-11-29T10:00:00+08:00", "police_reference": "受案字〔2026〕7号"}, models.StatusDeparted, false, nil},
		{"who has left, and blanks for the police", access.Unreachable, map[string]string{"since": "2026-11-29T10:00:00+08:00", "police_reference": " \u3000\u200b"}, models.StatusDeparted, false, []invalid.Value{{Location: "evidence.police_reference", Code: invalid.Required}}},
		{"both are told", access.Unreachable, map[string]string{"since": "2027-11-29T10:00:00+08:00"}, models.StatusDeparted, false, []invalid.Value{{Location: "evidence.since", Code: invalid.InFuture}, {Location: "evidence.police_reference", Code: invalid.Required}}},
	} {
		purpose, _ := purposeOf(c.purpose)
		r := Request{Fields: []string{"id_number"}, Purpose: c.purpose, Reason: "何事", Evidence: c.evidence}
		for _, e := range purpose.Evidence { // what the case is not about
			if _, given := c.evidence[e.Key]; !given && !e.OfLeavers {
				c.evidence[e.Key] = "前台"
			}
		}
		if _, err := r.check(); err != nil {
			t.Errorf("%s: the form: %v", c.what, err)
		}
		zone, err := clock.LoadZone("Asia/Shanghai")
		if err != nil {
			t.Fatal(err)
		}
		longAgo, err := r.judgeEvidence(purpose, judged{facts: Facts{Status: c.status}, now: instant(t, now), zone: zone})
		var refused []invalid.Value
		if e, ok := err.(*invalid.ValuesError); ok {
			refused = e.Problems
		}
		if diff := cmp.Diff(c.refused, refused); diff != "" || longAgo != c.longAgo {
			t.Errorf("%s: long ago %t %s", c.what, longAgo, diff)
		}
	}
}

// TestATodayIsTodayWhereverSomebodyWritesIt: what has begun anywhere does not lie in the future.
func TestATodayIsTodayWhereverSomebodyWritesIt(t *testing.T) {
	date := Evidence{Kind: Date}
	from, to, ok := date.span("2026-12-01")
	if !ok || !from.Equal(instant(t, "2026-12-01T00:00:00+14:00")) || !to.Equal(instant(t, "2026-12-02T00:00:00-12:00")) {
		t.Errorf("from %s to %s", from, to)
	}
}
