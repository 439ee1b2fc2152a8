package holds

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/retention"
)

var (
	codeHoldTooLate       = httpkit.Code("hold_too_late", http.StatusConflict)
	codeHoldFilterUnknown = httpkit.Code("hold_filter_unknown", http.StatusUnprocessableEntity)
)

func init() {
	httpkit.Explains(func(*retention.TooLateError) *httpkit.Problem { return httpkit.NewProblem(codeHoldTooLate) })
	httpkit.Refuses(retention.ErrReachesOneself, httpkit.CodeOwnMatter)
	httpkit.Refuses(retention.ErrHoldReleased, httpkit.Code("hold_released", http.StatusConflict))
	httpkit.Refuses(retention.ErrHoldScope, httpkit.Code("hold_scope_unclear", http.StatusUnprocessableEntity), "employee_id")
	httpkit.Refuses(retention.ErrHoldPeriod, httpkit.Code("hold_period", http.StatusUnprocessableEntity), "query.left_to")
	httpkit.Refuses(retention.ErrHoldEntity, codeHoldFilterUnknown, "query.legal_entity_id")
	httpkit.Refuses(retention.ErrHoldDepartment, codeHoldFilterUnknown, "query.department_id")
	httpkit.Refuses(retention.ErrUnknownCategory, httpkit.Code("unknown_category", http.StatusUnprocessableEntity), "categories")
}
