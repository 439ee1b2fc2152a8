package api

import (
	"testing"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

// Who is disabled leaves their requests undecided no longer; their holds, rejections and cases stay as they
// are, and are shown as the role's.
func TestI32_WhatSomebodyHeldPassesToTheRole(t *testing.T) {
	f := newFixture(t)
	placer, rejecter := f.hire("R-placer", f.b), f.hire("R-rejecter", f.b)
	placing := f.freshSession(placer, hr)
	var hold, other HoldView
	placing.ask("POST", "/api/v1/holds", `{"employee_id": "`+f.hire("E-1", f.a).String()+`", "matter": "M-1"}`).into(t, &hold)
	f.ask(hr, "POST", "/api/v1/holds", `{"employee_id": "`+f.hire("E-2", f.a).String()+`", "matter": "M-2"}`).into(t, &other)
	purge := f.purgeInReview(f.resign(f.hire("E-3", f.a)))
	kase := f.stuckCase(f.hire("E-4", f.a))
	f.freshSession(rejecter, reviewer).ask("POST", "/api/v1/purges/"+purge.String()+"/decision", `{"decision": "rejected"}`)
	asked := placing.ask("POST", addressOf(models.RefHold, other.ID)+"/release", `{}`).header.Get("Location")

	look := f.session(auditor)
	see := func(path string, v any) {
		t.Helper()
		look.ask("GET", path, "").into(t, v)
	}
	var rejected PurgeView
	see(addressOf(models.RefHold, hold.ID), &hold)
	see("/api/v1/purges/"+purge.String(), &rejected)
	if hold.PassedTo != nil || rejected.PassedTo != nil {
		t.Error("passed on while its holder is there")
	}
	f.run(func(tx *database.Tx) error {
		if err := identity.EndAll(tx, placer); err != nil {
			return err
		}
		return identity.RevokeRole(tx, f.user(rejecter), reviewer, models.System)
	})
	if _, err := f.server.Approvals.EndLeft(t.Context(), f.server.DB); err != nil {
		t.Fatal(err)
	}
	var page Page[HoldView]
	see("/api/v1/holds", &page)
	for _, h := range page.Items {
		if passed := h.PassedTo != nil && *h.PassedTo == hr; h.ReleasedAt != nil || passed != (h.ID == hold.ID) {
			t.Errorf("the hold of matter %s: released %v, passed on %v", h.Matter, h.ReleasedAt, passed)
		}
	}
	see(addressOf(models.RefHold, hold.ID), &hold)
	see("/api/v1/purges/"+purge.String(), &rejected)
	if hold.PassedTo == nil || rejected.PassedTo == nil || *rejected.PassedTo != reviewer || rejected.Decision != "rejected" || rejected.State != models.PurgeRejected {
		t.Errorf("the hold %+v, the rejection %+v", hold, rejected)
	}
	var stuck CaseView
	see("/api/v1/support-cases/"+kase.String(), &stuck)
	if stuck.State != "open" {
		t.Errorf("the case is %s", stuck.State)
	}
	var request ApprovalView
	see(asked, &request)
	if request.State != models.ApprovalVoid || request.VoidReason != models.VoidRequesterEnded || request.VoidReasonText == "" {
		t.Errorf("the request is %s %s %q", request.State, request.VoidReason, request.VoidReasonText)
	}
}
