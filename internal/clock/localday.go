package clock

import "time"

// Today is the date that a calendar in loc shows at now.
func Today(now time.Time, loc *time.Location) Date { return DateOf(now.In(loc)) }

// StartOfDay is the instant at which d begins in loc, which is the one at which the day before has
// ended. Where midnight does not exist it is the first instant that does.
func StartOfDay(d Date, loc *time.Location) time.Time { return At(d, Midnight, loc) }

// EndOfDay is the first existing instant after the local day d: from there on no clock in loc
// shows d or an earlier day again. It is midnight in most zones and on most days; where midnight is
// skipped (America/Santiago, Asia/Beirut) it is the instant of the skip, and the end of a day that
// a zone left out altogether (Pacific/Apia, 30 December 2011) is the end of the day before. Where
// the clock is set back across midnight (America/St_Johns until 2011, at 00:01) the day ends for
// good only at the second midnight.
func EndOfDay(d Date, loc *time.Location) time.Time { return StartOfDay(d.AddDays(1), loc) }

// At is the instant at which clocks in loc have reached the wall time and do not fall behind it
// again. A wall time that a zone skips gives the first existing instant after it. One that occurs
// twice gives the second: what ends at that time must end for nobody an hour early, and what may
// be deleted then must not be deleted an hour early.
func At(d Date, at TimeOfDay, loc *time.Location) time.Time {
	// Wall times are compared as if they were UTC. No zone was ever 24 hours away from UTC, so a bit
	// more than a day after the wall time read as UTC every clock is past it. From there the walk
	// goes back, from one stretch of constant offset to the one before.
	wall := d.utc().Add(time.Duration(at) * time.Second)
	end := wall.Add(26 * time.Hour)
	for {
		offset := offsetBefore(end, loc)
		begin := stretchBegin(end, offset, loc)
		reached := wall.Add(-offset)
		if reached.After(begin) {
			if reached.After(end) {
				return end // the wall time falls into the gap between this stretch and the next
			}
			return reached
		}
		end = begin
	}
}

// offsetBefore is what clocks in loc were ahead of UTC just before t.
func offsetBefore(t time.Time, loc *time.Location) time.Duration {
	_, seconds := t.Add(-time.Nanosecond).In(loc).Zone()
	return time.Duration(seconds) * time.Second
}

// stretchBegin is when the offset that was in force just before end came into force, at most three
// hours earlier. It asks for offsets alone: time.ZoneBounds is wrong in the last stretch
// that a zone lists and at the end of leap years (Go 1.26).
func stretchBegin(end time.Time, offset time.Duration, loc *time.Location) time.Time {
	begin := end.Add(-3 * time.Hour)
	if offsetBefore(begin.Add(time.Nanosecond), loc) == offset {
		return begin
	}
	same := end.Add(-time.Nanosecond)
	for same.Sub(begin) > time.Nanosecond {
		middle := begin.Add(same.Sub(begin) / 2)
		if offsetBefore(middle.Add(time.Nanosecond), loc) == offset {
			same = middle
		} else {
			begin = middle
		}
	}
	return same
}
