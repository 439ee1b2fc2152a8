package disclosure

import (
	"time"

	"lethe/internal/clock"
)

// term is how long an answer to the subject may take.
type term struct {
	workingDays int
	months      int
	days        int
	// extension is by how many months it may be put off once, with a reason.
	extension int
}

// terms are by jurisdiction; elsewhere elsewhereTerm.
//   - CN: PIPL art. 50 has requests answered in time and refusals explained, and names no days. The rules for apps
//     (App违法违规收集使用个人信息行为认定方法, 6(3)) have 15 working days, GB/T 35273-2020, 8.7, at most 30 days: the shorter.
//   - DE: GDPR art. 12(3): a month, which may be put off by two more where that is necessary, with the reason.
//   - JP: APPI art. 33 to 35 say without delay, and name no days: 30 days are this program's.
var terms = map[string]term{
	"CN": {workingDays: 15},
	"DE": {months: 1, extension: 2},
	"JP": {days: 30},
}

var elsewhereTerm = term{days: 30}

func termOf(jurisdiction string) term {
	if t, ok := terms[jurisdiction]; ok {
		return t
	}
	return elsewhereTerm
}

// AnswerBy is the end of the last day, in a zone, on which an answer is in time to what reached the company on a day. That
// day does not count (民法典第二百零一条; Regulation 1182/71, art. 3); working days are those of the place.
func AnswerBy(place clock.Place, on clock.Date, zone *time.Location) time.Time {
	t := termOf(place.Jurisdiction)
	last := place.AddWorkingDays(clock.Period{Months: t.months, Days: t.days}.AddToDate(on), t.workingDays)
	return clock.EndOfDay(last, zone).UTC()
}

// ExtendedBy is until when the answer to it may be put off, once; false where it may not.
func ExtendedBy(jurisdiction string, on clock.Date, zone *time.Location) (time.Time, bool) {
	t := termOf(jurisdiction)
	last := clock.Period{Months: t.months + t.extension, Days: t.days}.AddToDate(on)
	return clock.EndOfDay(last, zone).UTC(), t.extension > 0
}
