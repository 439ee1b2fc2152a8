// Package consents serves what people are asked to agree to, and what they answer.
package consents

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/closed"
	"lethe/internal/consent"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

type server struct{ *approvals.Desk }

// Register serves the resources.
func Register(desk *approvals.Desk) {
	httpkit.Describe[consent.State](desk.API)
	s := &server{desk}
	r := s.Resource("Consent", identity.ScopePeople)
	httpkit.Handle(r, httpkit.Route{At: "GET /privacy-policies", Summary: "Read what people are asked to agree to: every version of the privacy policy, the one in force first", Former: true, To: httpkit.Everyone}, s.listPolicies)
	httpkit.Handle(r, httpkit.Route{At: "POST /privacy-policies", Summary: "Ask for another version of the privacy policy; a second person decides", To: httpkit.Roles{httpkit.HR}, Status: http.StatusAccepted}, s.publish)
	s.registerConsents(r)
}

// Policy is a version of the privacy policy.
type Policy struct {
	Version        int                `json:"version"`
	InForce        bool               `json:"in_force"`
	Text           string             `json:"text" doc:"In the caller's language"`
	TextZh         string             `json:"text_zh"`
	TextEn         string             `json:"text_en"`
	Asks           []Ask              `json:"asks" doc:"What is done only with the person's consent"`
	WithoutConsent []Basis            `json:"without_consent" doc:"For what sensitive data is looked at without asking, and what that rests on"`
	ChangedAt      *time.Time         `json:"changed_at,omitempty" doc:"Left out: the program's own"`
	ChangedBy      *render.PersonView `json:"changed_by,omitempty" doc:"For HR, reviewers and auditors"`
	ApprovedBy     *render.PersonView `json:"approved_by,omitempty"`
}

// Ask is what a version asks for a purpose.
type Ask struct {
	Purpose     models.ConsentPurpose `json:"purpose"`
	PurposeText string                `json:"purpose_text"`
	Text        string                `json:"text" doc:"In the caller's language"`
	TextZh      string                `json:"text_zh"`
	TextEn      string                `json:"text_en"`
	Since       int                   `json:"since" doc:"The version since which it asks for just this: who answered an older one is asked again"`
}

// Basis is what a purpose rests on that needs no consent.
type Basis struct {
	Purpose     access.Purpose `json:"purpose"`
	PurposeText string         `json:"purpose_text"`
	Basis       string         `json:"basis"`
}

// staff read who published a version.
var staff = httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor}

func (s *server) listPolicies(ctx context.Context, in *struct{ httpkit.Speaking }) (*httpkit.Answer[httpkit.Page[Policy]], error) {
	language := in.Language()
	all, err := consent.Policies(s.DB.Read(ctx))
	if err != nil {
		return nil, err
	}
	people := render.Named{}
	if slices.Contains(staff, httpkit.ActorOf(ctx).Role) {
		var ids []uuid.UUID
		for _, p := range all {
			ids = append(ids, render.GivenOf(p.ChangedBy, p.ApprovedBy)...)
		}
		if people, err = s.People(ctx, language, ids); err != nil {
			return nil, err
		}
	}
	page := httpkit.Page[Policy]{Items: httpkit.Each(all, func(p consent.Policy) Policy { return policyView(p, people, language) })}
	page.Items[0].InForce = true
	return httpkit.AnswerOf(page, nil)
}

func policyView(p consent.Policy, people render.Named, language i18n.Language) Policy {
	v := Policy{
		Version: p.Version, Text: language.Of(p.Zh, p.En), TextZh: p.Zh, TextEn: p.En, ChangedAt: render.UTC(p.ChangedAt),
		ChangedBy: people.Of(p.ChangedBy), ApprovedBy: people.Of(p.ApprovedBy), WithoutConsent: []Basis{},
		Asks: httpkit.Each(p.Asks, func(a consent.Ask) Ask {
			return Ask{a.Purpose, closed.Text(language, a.Purpose), language.Of(a.Zh, a.En), a.Zh, a.En, a.Since}
		}),
	}
	for _, purpose := range disclosure.Purposes() {
		if purpose.Consent == "" {
			v.WithoutConsent = append(v.WithoutConsent, Basis{purpose.Purpose, closed.Text(language, purpose.Purpose), i18n.Text(language, "purpose_basis."+string(purpose.Purpose))})
		}
	}
	return v
}

// NewPolicy is the body of another version.
type NewPolicy struct {
	BaseVersion int      `json:"base_version" minimum:"1" doc:"The version that it was made from"`
	TextZh      string   `json:"text_zh" minLength:"1" maxLength:"20000"`
	TextEn      string   `json:"text_en" minLength:"1" maxLength:"20000"`
	Asks        []NewAsk `json:"asks" maxItems:"20" doc:"What it asks for; what is left out is not asked for any more, and what was agreed to for it counts no more"`
	approvals.ApprovalFields
}

// NewAsk is what it would ask for a purpose.
type NewAsk struct {
	Purpose     models.ConsentPurpose `json:"purpose"`
	TextZh      string                `json:"text_zh" minLength:"1" maxLength:"1000"`
	TextEn      string                `json:"text_en" minLength:"1" maxLength:"1000"`
	SameMeaning bool                  `json:"same_meaning,omitempty" doc:"Other words for the same: who answered is not asked again. Left out, everybody is asked again whose words changed"`
}

type publishInput struct {
	httpkit.Speaking
	Body NewPolicy
}

func (s *server) publish(ctx context.Context, in *publishInput) (*approvals.Outcome[approvals.ApprovalView], error) {
	b := in.Body
	return s.Ask(ctx, in.Language(), approvals.Step{
		Operation: operations.PrivacyPolicy, Reason: b.ApprovalReason,
		Command: consent.Draft{Base: b.BaseVersion, Zh: b.TextZh, En: b.TextEn, Asks: httpkit.Each(b.Asks, func(a NewAsk) consent.DraftAsk {
			return consent.DraftAsk{Purpose: a.Purpose, Zh: a.TextZh, En: a.TextEn, SameMeaning: a.SameMeaning}
		})},
	})
}
