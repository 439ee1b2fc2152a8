package departures

import (
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/account"
	"lethe/internal/closed"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/operations"
	"lethe/models"
)

// WaitingView is something that waits for a person.
type WaitingView struct {
	What          string        `json:"what" enum:"account_stuck,waiver_confirmation,account_retry,account_accepted,no_system_connected,annulment_confirmation,approval,earlier_dates,purge_review,purge_rejected,legal_hold,orchestration"`
	WhatText      string        `json:"what_text"`
	Role          models.Role   `json:"role" enum:"hr_admin,reviewer,it_ops" doc:"Who can go on with it; of several roles the first"`
	Roles         []models.Role `json:"roles" doc:"All who can"`
	RolesText     []string      `json:"roles_text"`
	RoleText      string        `json:"role_text" doc:"Them in words"`
	Since         time.Time     `json:"since"`
	System        string        `json:"system,omitempty"`
	SystemText    string        `json:"system_text,omitempty"`
	SupportCaseID *uuid.UUID    `json:"support_case_id,omitempty"`
	PurgeID       *uuid.UUID    `json:"purge_id,omitempty"`
	HoldID        *uuid.UUID    `json:"hold_id,omitempty" doc:"The hold that keeps the data"`
	EscalatedAt   *time.Time    `json:"escalated_at,omitempty" doc:"Since when it is shown that nobody decides"`
	ApprovalID    *uuid.UUID    `json:"approval_id,omitempty" doc:"The request that waits for a second person"`
}

// What waits besides accounts.
const (
	WaitsForAnnulment     = "annulment_confirmation"
	WaitsForApproval      = "approval"
	WaitsForEarlierDates  = "earlier_dates"
	waitsForReview        = "purge_review"
	WaitsForRejected      = "purge_rejected"
	WaitsForRelease       = "legal_hold"
	WaitsForOrchestration = "orchestration"
)

func (r around) waitingViews(language i18n.Language, dep models.Departure, lastEvent time.Time) []WaitingView {
	views := []WaitingView{}
	add := func(v WaitingView) {
		if v.Roles == nil {
			v.Roles = []models.Role{v.Role}
		}
		v.RolesText = closed.Texts(language, v.Roles)
		v.RoleText = language.List(v.RolesText)
		v.WhatText, v.Since = i18n.Text(language, "waiting."+v.What), v.Since.UTC()
		views = append(views, v)
	}
	for _, c := range r.waiting[dep.ID] {
		add(WaitingView{What: c.What, Role: c.Role, Since: c.Since, System: c.System, SupportCaseID: httpkit.Given(c.SupportCaseID)})
	}
	for _, request := range r.requests[dep.ID] {
		what := WaitsForApproval
		switch request.Operation {
		case operations.Annul:
			if !r.annullable[dep.ID] {
				continue
			}
			what = WaitsForAnnulment
		case operations.EarlierDates:
			what = WaitsForEarlierDates
		}
		add(WaitingView{What: what, Role: models.RoleReviewer, Roles: r.deciders[request.Operation], Since: request.RequestedAt, ApprovalID: &request.ID})
	}
	if since := departure.Unattended(dep, lastEvent, r.now); !since.IsZero() {
		add(WaitingView{What: WaitsForOrchestration, Role: models.RoleITOps, Since: since})
	}
	if dep.DepartedAt == nil {
		return views
	}
	for _, p := range r.undecided[dep.ID] {
		v := WaitingView{What: waitsForReview, Role: models.RoleReviewer, Since: p.CreatedAt, PurgeID: &p.ID, EscalatedAt: render.UTC(p.EscalatedAt)}
		if p.State == models.PurgeRejected {
			v.What, v.Since = WaitsForRejected, *p.RejectedAt
		}
		add(v)
	}
	for _, h := range r.holds[dep.ID] {
		add(WaitingView{What: WaitsForRelease, Role: models.RoleHRAdmin, Since: h.PlacedAt, HoldID: &h.ID})
	}
	return views
}

// partOfWaiting is the part of a departure that something that waits belongs to. What is new here and
// is named nowhere counts as a request, which the fewest know of.
func partOfWaiting(what string) access.Part {
	switch what {
	case account.WaitsForSupport, account.WaitsForRetry, account.WaitsForSystem, account.WaitsForConnection, WaitsForOrchestration:
		return access.PartTroubles
	case waitsForReview, WaitsForRejected, WaitsForRelease:
		return access.PartReviews
	}
	return access.PartRequests
}
