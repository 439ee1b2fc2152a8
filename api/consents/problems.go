package consents

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/consent"
)

func init() {
	httpkit.Refuses(consent.ErrNotFound, httpkit.Code("policy_unknown", http.StatusUnprocessableEntity), "policy_version")
	httpkit.Refuses(consent.ErrChanged, httpkit.Code("policy_changed", http.StatusConflict), "policy_version")
	httpkit.Refuses(consent.ErrSame, httpkit.Code("policy_same", http.StatusUnprocessableEntity))
	httpkit.Refuses(consent.ErrOthers, httpkit.Code("consent_of_another", http.StatusForbidden), "employee_id")
	httpkit.Refuses(consent.ErrOwnPaper, httpkit.Code("consent_own_paper", http.StatusForbidden), "paper")
	httpkit.Refuses(consent.ErrAnsweredLater, httpkit.Code("consent_answered_later", http.StatusConflict), "paper.signed_on")
	httpkit.Refuses(consent.ErrGone, httpkit.Code("consent_gone", http.StatusConflict), "employee_id")
}
