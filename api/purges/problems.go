package purges

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/retention"
)

func init() {
	httpkit.Explains(func(*retention.MissingRulesError) *httpkit.Problem {
		return httpkit.NewProblem(httpkit.CodeNoRetentionRules)
	})
	httpkit.Refuses(retention.ErrApprovalRequired, httpkit.CodeApprovalRequired)
	httpkit.Refuses(retention.ErrPurgeBegan, httpkit.CodePurgeBegan)
	httpkit.Refuses(retention.ErrNotInReview, httpkit.Code("purge_not_in_review", http.StatusConflict))
	httpkit.Refuses(retention.ErrRejected, httpkit.Code("purge_rejected", http.StatusConflict))
	httpkit.Refuses(retention.ErrNotRejected, httpkit.Code("purge_not_rejected", http.StatusConflict))
	httpkit.Refuses(retention.ErrUntilPast, httpkit.Code("extension_too_short", http.StatusUnprocessableEntity), "until")
	httpkit.Refuses(retention.ErrAboveCeiling, httpkit.Code("extension_too_long", http.StatusUnprocessableEntity), "until")
	httpkit.Refuses(retention.ErrUnknownDecision, httpkit.CodeValidationFailed, "decision")
	httpkit.Refuses(retention.ErrListChanged, httpkit.Code("list_changed", http.StatusConflict))
	httpkit.Refuses(retention.ErrNotInList, httpkit.Code("not_in_list", http.StatusUnprocessableEntity), "but")
	httpkit.Refuses(retention.ErrNobodyLeft, httpkit.Code("nobody_in_list", http.StatusUnprocessableEntity), "but")
	httpkit.Refuses(retention.ErrRoleMayNot, httpkit.CodeRoleNotAllowed)
	httpkit.Refuses(retention.ErrSubject, httpkit.CodeOwnMatter)
	httpkit.Refuses(retention.ErrRejecter, httpkit.Code("rejected_by_yourself", http.StatusForbidden))
	httpkit.Refuses(retention.ErrSamePerson, httpkit.CodeSamePerson)
}
