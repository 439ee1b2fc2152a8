package departures

import (
	"errors"

	"lethe/api/httpkit"
	"lethe/internal/departure"
)

// locate adds to a refusal of dates which of them it is about. Dates that are out of order may be
// wrong in more than one place; each that can be is named.
func (w RequestedDates) locate(err error) error {
	switch {
	case errors.Is(err, departure.ErrTooFarAhead):
		return httpkit.AtFields(codeTooFarAhead, w.last())
	case !errors.Is(err, departure.ErrDatesOutOfOrder):
		return err
	}
	if w.LastWorkingDay != nil && w.EmploymentEndDate != nil && w.EmploymentEndDate.Before(*w.LastWorkingDay) {
		return httpkit.AtFields(codeDatesOutOfOrder, []string{"employment_end_date"})
	}
	var fields []string
	if w.NoticeReceivedOn != nil {
		fields = append(fields, "notice_received_on")
	}
	if w.AccessCutoffAt != nil {
		fields = append(fields, "access_cutoff_at")
	}
	return httpkit.AtFields(codeDatesOutOfOrder, fields)
}

// last is the field that sets the end of the employment.
func (w RequestedDates) last() []string {
	switch {
	case w.Immediate:
		return []string{"immediate"}
	case w.EmploymentEndDate != nil:
		return []string{"employment_end_date"}
	case w.LastWorkingDay != nil:
		return []string{"last_working_day"}
	}
	return nil
}
