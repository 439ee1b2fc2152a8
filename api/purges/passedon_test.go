package purges_test

import (
	"testing"

	"lethe/api/accounts"
	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/holds"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

// Who is disabled leaves their requests undecided no longer; their holds, rejections and cases stay as they
// are, and are shown as the role's.
func TestI32_WhatSomebodyHeldPassesToTheRole(t *testing.T) {
	f := apitest.New(t)
	placer, rejecter := f.Hire("R-placer", f.B), f.Hire("R-rejecter", f.B)
	placing := f.FreshSession(placer, httpkit.HR)
	var hold, other holds.HoldView
	placing.Ask("POST", "/api/v1/holds", `{"employee_id": "`+f.Hire("E-1", f.A).String()+`", "matter": "M-1"}`).Into(t, &hold)
	f.Ask(httpkit.HR, "POST", "/api/v1/holds", `{"employee_id": "`+f.Hire("E-2", f.A).String()+`", "matter": "M-2"}`).Into(t, &other)
	purge := f.PurgeInReview(f.Resign(f.Hire("E-3", f.A)))
	kase := f.StuckCase(f.Hire("E-4", f.A))
	f.FreshSession(rejecter, httpkit.Reviewer).Ask("POST", "/api/v1/purges/"+purge.String()+"/decision", `{"decision": "rejected"}`)
	asked := placing.Ask("POST", httpkit.AddressOf(models.RefHold, other.ID)+"/release", `{}`).Header.Get("Location")

	look := f.Session(httpkit.Auditor)
	see := func(path string, v any) {
		t.Helper()
		look.Ask("GET", path, "").Into(t, v)
	}
	var rejected purges.PurgeView
	see(httpkit.AddressOf(models.RefHold, hold.ID), &hold)
	see("/api/v1/purges/"+purge.String(), &rejected)
	if hold.PassedTo != nil || rejected.PassedTo != nil {
		t.Error("passed on while its holder is there")
	}
	f.Run(func(tx *database.Tx) error {
		if err := identity.EndAll(tx, placer); err != nil {
			return err
		}
		return identity.RevokeRole(tx, f.User(rejecter), httpkit.Reviewer, models.System)
	})
	if _, err := f.Approvals.EndLeft(t.Context(), f.API.DB); err != nil {
		t.Fatal(err)
	}
	var page httpkit.Page[holds.HoldView]
	see("/api/v1/holds", &page)
	for _, h := range page.Items {
		if passed := h.PassedTo != nil && *h.PassedTo == httpkit.HR; h.ReleasedAt != nil || passed != (h.ID == hold.ID) {
			t.Errorf("the hold of matter %s: released %v, passed on %v", h.Matter, h.ReleasedAt, passed)
		}
	}
	see(httpkit.AddressOf(models.RefHold, hold.ID), &hold)
	see("/api/v1/purges/"+purge.String(), &rejected)
	if hold.PassedTo == nil || rejected.PassedTo == nil || *rejected.PassedTo != httpkit.Reviewer || rejected.Decision != "rejected" || rejected.State != models.PurgeRejected {
		t.Errorf("the hold %+v, the rejection %+v", hold, rejected)
	}
	var stuck accounts.CaseView
	see("/api/v1/support-cases/"+kase.String(), &stuck)
	if stuck.State != "open" {
		t.Errorf("the case is %s", stuck.State)
	}
	var request approvals.ApprovalView
	see(asked, &request)
	if request.State != models.ApprovalVoid || request.VoidReason != models.VoidRequesterEnded || request.VoidReasonText == "" {
		t.Errorf("the request is %s %s %q", request.State, request.VoidReason, request.VoidReasonText)
	}
}
