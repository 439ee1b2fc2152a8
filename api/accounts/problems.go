package accounts

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/account"
	"lethe/internal/cut"
	"lethe/models"
)

var (
	// CodeUnknownSystem refuses the name of a system that is not connected.
	CodeUnknownSystem      = httpkit.Code("unknown_system", http.StatusUnprocessableEntity)
	codeDepartureOwns      = httpkit.Code("departure_owns_accounts", http.StatusConflict)
	codeNoWaiverAsked      = httpkit.Code("waiver_not_requested", http.StatusConflict)
	codeActionUnknown      = httpkit.Code("unknown_action", http.StatusUnprocessableEntity)
	codeAlreadyCut         = httpkit.Code("already_cut", http.StatusConflict)
	codeLastReviewers      = httpkit.Code("cut_last_reviewers", http.StatusConflict)
	codeLastAdministrators = httpkit.Code("cut_last_administrators", http.StatusConflict)
	codeUnlinkingRunning   = httpkit.Code("unlinking_running", http.StatusConflict)
)

func init() {
	httpkit.OwnNotAllowed["body.action"] = httpkit.OwnCode{Code: codeActionUnknown, Among: string(models.ResolutionRetry)}
	httpkit.Explains(func(running *account.AlreadyRunningError) *httpkit.Problem {
		p := httpkit.NewProblem(codeUnlinkingRunning)
		p.Location = httpkit.AddressOf(models.RefUnlinking, running.OperationID)
		return p
	})
	httpkit.Explains(func(stands *cut.StandsError) *httpkit.Problem {
		p := httpkit.NewProblem(codeAlreadyCut)
		p.Location = httpkit.AddressOf(models.RefCut, stands.ID)
		return p
	})
	httpkit.Explains(func(last *cut.LastError) *httpkit.Problem {
		if last.Role == models.RoleReviewer {
			return httpkit.NewProblem(codeLastReviewers)
		}
		return httpkit.NewProblem(codeLastAdministrators)
	})
	httpkit.Refuses(cut.ErrNotFound, httpkit.CodeNotFound)
	httpkit.Refuses(cut.ErrOwn, httpkit.CodeOwnMatter)
	httpkit.Refuses(cut.ErrNothing, httpkit.Code("nothing_to_cut", http.StatusConflict), "employee_id")
	httpkit.Refuses(cut.ErrPurged, httpkit.Code("cut_data_deleted", http.StatusConflict), "employee_id")
	httpkit.Refuses(cut.ErrHolderADay, httpkit.Code("cut_holder_a_day", http.StatusConflict), "employee_id")
	httpkit.Refuses(cut.ErrSamePerson, httpkit.CodeSamePerson)
	httpkit.Refuses(cut.ErrLifted, httpkit.Code("cut_lifted", http.StatusConflict))
	httpkit.Refuses(cut.ErrEnded, httpkit.Code("cut_access_ended", http.StatusConflict))
	httpkit.Refuses(cut.ErrReason, httpkit.CodeValidationFailed, "reason")
	httpkit.Refuses(account.ErrCutStands, httpkit.Code("cut_stands", http.StatusConflict))
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
