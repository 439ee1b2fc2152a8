package emergencies

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/closed"
	"lethe/internal/duty"
	"lethe/internal/i18n"
)

var codeCannot = httpkit.Code("duty_cannot", http.StatusConflict)

func init() {
	httpkit.Refuses(duty.ErrShiftNotFound, httpkit.CodeNotFound)
	httpkit.Refuses(duty.ErrCallNotFound, httpkit.CodeNotFound)
	httpkit.Refuses(duty.ErrOwn, httpkit.CodeOwnMatter)
	httpkit.Refuses(duty.ErrOverlaps, httpkit.Code("duty_overlaps", http.StatusConflict))
	httpkit.Refuses(duty.ErrOver, httpkit.Code("duty_over", http.StatusConflict))
	httpkit.Refuses(duty.ErrTooOften, httpkit.Code("emergency_too_often", http.StatusTooManyRequests))
	httpkit.Refuses(duty.ErrTaken, httpkit.Code("emergency_taken", http.StatusConflict))
	httpkit.Refuses(duty.ErrNotTaken, httpkit.Code("emergency_not_taken", http.StatusConflict))
	httpkit.Refuses(duty.ErrClosed, httpkit.Code("emergency_closed", http.StatusConflict))
}

// cannot tells HR why somebody cannot be on duty.
func cannot(e *duty.CannotError, language i18n.Language) *httpkit.Problem {
	p := httpkit.NewProblem(codeCannot)
	p.Rule, p.RuleText = string(e.Why), closed.Text(language, e.Why)
	return p
}
