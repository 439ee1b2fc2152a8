package approvals

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/approval"
	"lethe/models"
)

var (
	codeApprovalOpen    = httpkit.Code("approval_open", http.StatusConflict)
	codeOtherReason     = httpkit.Code("approval_open_other_reason", http.StatusConflict)
	codeApprovalEnded   = httpkit.Code("approval_ended", http.StatusConflict)
	codeApprovalExpired = httpkit.Code("approval_expired", http.StatusConflict)
	codeApprovalVoid    = httpkit.Code("approval_void", http.StatusConflict)
	codeRequesterEnded  = httpkit.Code("requester_ended", http.StatusConflict)
)

func init() {
	httpkit.Explains(func(open *approval.OpenError) *httpkit.Problem {
		p := httpkit.NewProblem(codeApprovalOpen)
		p.Location = httpkit.AddressOf(models.RefApproval, open.ID)
		return p
	})
	httpkit.Explains(func(open *approval.OtherReasonError) *httpkit.Problem {
		p := httpkit.AtField("approval_reason", codeOtherReason)
		p.Location = httpkit.AddressOf(models.RefApproval, open.ID)
		return p
	})
	httpkit.Explains(func(ended *approval.EndedError) *httpkit.Problem { return overtakenProblem(ended.ID, ended.State) })
	httpkit.Explains(func(role *approval.RoleError) *httpkit.Problem {
		p := httpkit.NewProblem(httpkit.CodeRoleNotAllowed)
		p.AllowedRoles = role.Deciders
		return p
	})
	httpkit.Refuses(approval.ErrSessionRequired, httpkit.CodeSessionRequired)
	httpkit.Refuses(approval.ErrStepUpRequired, httpkit.CodeStepUpRequired)
	httpkit.Refuses(approval.ErrUnknownDecision, httpkit.CodeValidationFailed, "decision")
	httpkit.Refuses(approval.ErrSamePerson, httpkit.CodeSamePerson)
	httpkit.Refuses(approval.ErrSubject, httpkit.CodeOwnMatter)
	httpkit.Refuses(approval.ErrMadeByRequester, httpkit.Code("user_made_by_requester", http.StatusForbidden))
	httpkit.Refuses(approval.ErrMadeByDecider, httpkit.Code("requester_linked_by_decider", http.StatusForbidden))
	httpkit.Refuses(approval.ErrOwnerUnconfirmed, httpkit.Code("owner_unconfirmed", http.StatusForbidden))
	httpkit.Refuses(approval.ErrHostToken, httpkit.Code("token_issued_on_host", http.StatusForbidden))
	httpkit.Refuses(approval.ErrRoleMayNot, httpkit.CodeRoleNotAllowed)
	httpkit.Refuses(approval.ErrBreakGlass, httpkit.CodeBreakGlassMayNot)
	httpkit.Refuses(approval.ErrNotRequester, httpkit.Code("not_the_requester", http.StatusForbidden))
}
