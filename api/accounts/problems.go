package accounts

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/account"
	"lethe/models"
)

var (
	codeUnknownSystem    = httpkit.Code("unknown_system", http.StatusUnprocessableEntity)
	codeDepartureOwns    = httpkit.Code("departure_owns_accounts", http.StatusConflict)
	codeNoWaiverAsked    = httpkit.Code("waiver_not_requested", http.StatusConflict)
	codeActionUnknown    = httpkit.Code("unknown_action", http.StatusUnprocessableEntity)
	codeUnlinkingRunning = httpkit.Code("unlinking_running", http.StatusConflict)
)

func init() {
	httpkit.OwnNotAllowed["body.action"] = httpkit.OwnCode{Code: codeActionUnknown, Among: string(models.ResolutionRetry)}
	httpkit.Explains(func(running *account.AlreadyRunningError) *httpkit.Problem {
		p := httpkit.NewProblem(codeUnlinkingRunning)
		p.Location = httpkit.AddressOf(models.RefUnlinking, running.OperationID)
		return p
	})
	httpkit.Refuses(account.ErrAccessEnded, httpkit.Code("access_ended", http.StatusConflict))
	httpkit.Refuses(account.ErrAlreadyLinked, httpkit.Code("account_exists", http.StatusConflict))
	httpkit.Refuses(account.ErrDetached, httpkit.Code("account_detached", http.StatusConflict), "external_id")
	httpkit.Refuses(account.ErrOfAnother, httpkit.Code("account_of_another", http.StatusConflict), "external_id")
	httpkit.Refuses(account.ErrDepartureOwns, codeDepartureOwns)
	httpkit.Refuses(account.ErrCaseClosed, httpkit.Code("case_closed", http.StatusConflict))
	httpkit.Refuses(account.ErrNoWaiverAsked, codeNoWaiverAsked)
	httpkit.Refuses(account.ErrSamePerson, httpkit.CodeSamePerson)
	httpkit.Refuses(account.ErrOwnAccount, httpkit.CodeOwnMatter)
	httpkit.Refuses(account.ErrRoleMayNot, httpkit.CodeRoleNotAllowed)
	httpkit.Refuses(account.ErrAbortNotAllowed, httpkit.Code("abort_not_allowed", http.StatusConflict), "action")
	httpkit.Refuses(account.ErrUnknownAction, codeActionUnknown, "action")
	httpkit.Refuses(account.ErrNothingToUnlink, httpkit.Code("nothing_to_unlink", http.StatusConflict))
	httpkit.Refuses(account.ErrNothingToUndo, httpkit.Code("nothing_to_relink", http.StatusConflict), "unlinking_id")
}
