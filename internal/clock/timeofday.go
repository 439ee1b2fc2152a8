package clock

import (
	"errors"
	"fmt"
	"time"
)

// TimeOfDay is a local wall time, in whole seconds after midnight.
type TimeOfDay int

// Midnight begins a day.
const Midnight TimeOfDay = 0

var errTimeOfDay = errors.New("a time of day is written HH:MM or HH:MM:SS")

// ParseTimeOfDay reads "15:04" or "15:04:05".
func ParseTimeOfDay(s string) (TimeOfDay, error) {
	layout := "15:04:05"
	if len(s) == len("15:04") {
		layout = "15:04"
	}
	if len(s) != len(layout) {
		return 0, errTimeOfDay
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return 0, errTimeOfDay
	}
	return TimeOfDay(t.Hour()*3600 + t.Minute()*60 + t.Second()), nil
}

// String is "15:04:05".
func (t TimeOfDay) String() string {
	return fmt.Sprintf("%02d:%02d:%02d", int(t)/3600, int(t)/60%60, int(t)%60)
}
