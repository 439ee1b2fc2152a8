package departures

import (
	"errors"
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/departure"
	"lethe/models"
)

var (
	codeDepartureExists  = httpkit.Code("departure_exists", http.StatusConflict)
	codeFileDeleted      = httpkit.Code("file_deleted", http.StatusConflict)
	codeUnknownKind      = httpkit.Code("unknown_kind", http.StatusUnprocessableEntity)
	codeUnknownInitiator = httpkit.Code("unknown_initiator", http.StatusUnprocessableEntity)
	codeLastDayInPast    = httpkit.Code("last_working_day_in_past", http.StatusUnprocessableEntity)
	codeTooFarAhead      = httpkit.Code("too_far_ahead", http.StatusUnprocessableEntity)
	codeDatesOutOfOrder  = httpkit.Code("dates_out_of_order", http.StatusUnprocessableEntity)
	codeNoAnnulment      = httpkit.Code("annulment_not_requested", http.StatusConflict)
)

func init() {
	httpkit.OwnNotAllowed["body.kind"] = httpkit.OwnCode{Code: codeUnknownKind, Among: string(models.KindResignation)}
	httpkit.OwnNotAllowed["body.initiator"] = httpkit.OwnCode{Code: codeUnknownInitiator, Among: string(models.InitiatorEmployee)}
	httpkit.Explains(func(exists *departure.ExistsError) *httpkit.Problem {
		p := httpkit.AtField("employee_id", codeDepartureExists)
		if exists.Stage == models.StagePurged {
			p = httpkit.AtField("employee_id", codeFileDeleted)
		}
		p.Location = httpkit.AddressOf(models.RefDeparture, exists.ID)
		return p
	})
	httpkit.Explains(func(past *departure.PastError) *httpkit.Problem {
		p := httpkit.AtField("last_working_day", codeLastDayInPast)
		p.DaysBack = past.Days
		return p
	})
	httpkit.Explains(func(order *departure.OrderError) *httpkit.Problem {
		return httpkit.AtField(order.Field, codeDatesOutOfOrder)
	})
	httpkit.Refuses(departure.ErrEmployeeNotFound, httpkit.CodeEmployeeNotFound, "employee_id")
	httpkit.Refuses(departure.ErrNotFound, httpkit.CodeNotFound)
	httpkit.Refuses(departure.ErrUnknownKind, codeUnknownKind, "kind")
	httpkit.Refuses(departure.ErrNotACode, httpkit.Code("not_a_code", http.StatusUnprocessableEntity), "reason_code")
	httpkit.Refuses(departure.ErrUnknownInitiator, codeUnknownInitiator, "initiator")
	httpkit.Refuses(departure.ErrNotSupportedYet, httpkit.Code("not_supported_yet", http.StatusUnprocessableEntity), "confidential_until")
	httpkit.Refuses(departure.ErrLastDayMissing, httpkit.Code("last_working_day_missing", http.StatusUnprocessableEntity), "last_working_day")
	httpkit.Refuses(departure.ErrImmediateDates, httpkit.Code("immediate_with_dates", http.StatusUnprocessableEntity), "immediate")
	httpkit.Refuses(departure.ErrLastDayInPast, codeLastDayInPast, "last_working_day")
	httpkit.Refuses(departure.ErrBeforeHire, httpkit.Code("before_hire_date", http.StatusUnprocessableEntity), "last_working_day")
	httpkit.Refuses(departure.ErrTooFarAhead, codeTooFarAhead)
	httpkit.Refuses(departure.ErrUnknownZone, httpkit.CodeUnknownZone, "time_zone")
	httpkit.Refuses(departure.ErrNoRules, httpkit.CodeNoRetentionRules)
	httpkit.Refuses(departure.ErrApprovalRequired, httpkit.CodeApprovalRequired)
	httpkit.Refuses(departure.ErrStage, httpkit.CodeStageConflict)
	httpkit.Refuses(departure.ErrNotEarlier, httpkit.Code("dates_not_earlier", http.StatusUnprocessableEntity), "last_working_day")
	httpkit.Refuses(departure.ErrConsentRequired, httpkit.Code("company_consent_required", http.StatusUnprocessableEntity), "company_consent")
	httpkit.Refuses(departure.ErrEnded, httpkit.Code("employment_ended", http.StatusConflict))
	httpkit.Refuses(departure.ErrPurgeBegan, httpkit.CodePurgeBegan)
	httpkit.Refuses(departure.ErrNoAnnulment, codeNoAnnulment)
	httpkit.Refuses(departure.ErrSamePerson, httpkit.CodeSamePerson)
	httpkit.Refuses(departure.ErrSubject, httpkit.CodeOwnMatter)
	httpkit.Refuses(departure.ErrRehired, httpkit.Code("rehired", http.StatusConflict))
	httpkit.Refuses(departure.ErrCutoffPassed, httpkit.Code("cutoff_passed", http.StatusConflict), "access_cutoff_at")
}

// locate adds to a refusal of dates that are too far ahead which of them ends the employment.
func (w RequestedDates) locate(err error) error {
	switch {
	case !errors.Is(err, departure.ErrTooFarAhead):
		return err
	case w.EmploymentEndDate != nil:
		return httpkit.AtField("employment_end_date", codeTooFarAhead)
	}
	return httpkit.AtField("last_working_day", codeTooFarAhead)
}
