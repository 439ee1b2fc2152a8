package disclosures

import (
	"context"

	"lethe/api/httpkit"
	"lethe/internal/access"
	"lethe/internal/closed"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/message"
	"lethe/internal/screening"
	"lethe/models"
)

// Catalogue is what sensitive fields are opened for, and what for never.
type Catalogue struct {
	Purposes []PurposeView `json:"purposes"`
	Never    []MatterView  `json:"never" doc:"What nobody's data is opened for, with what can be said and done instead"`
}

// PurposeView is a purpose with what it demands.
type PurposeView struct {
	Purpose     access.Purpose `json:"purpose"`
	PurposeText string         `json:"purpose_text"`
	Basis       string         `json:"basis" doc:"What it rests on"`
	Evidence    []DemandView   `json:"evidence"`
	Groups      []GroupView    `json:"groups" doc:"The groups of fields that it opens for HR"`
	Emergency   bool           `json:"emergency" doc:"Of somebody who is employed no reviewer stands before the value"`
	Reviewed    bool           `json:"reviewed" doc:"A second person looks at it afterwards"`
	Outcomes    []OutcomeView  `json:"outcomes" doc:"What can come of a look for it"`
	// Consent is among what the privacy policy asks for.
	Consent     models.ConsentPurpose `json:"consent,omitempty" doc:"What the person has to have agreed to; left out: it rests on something else"`
	ConsentText string                `json:"consent_text,omitempty"`
}

// DemandView is one thing that a purpose demands.
type DemandView struct {
	Key       string          `json:"key"`
	Label     string          `json:"label"`
	Kind      disclosure.Kind `json:"kind"`
	KindText  string          `json:"kind_text"`
	Choices   []ChoiceView    `json:"choices,omitempty"`
	OfLeavers bool            `json:"of_leavers" doc:"Demanded only of who has left"`
	// Unrecorded stands where a recorded consent takes its place.
	Unrecorded bool `json:"unrecorded" doc:"Demanded only where the person's consent is not recorded"`
}

// OutcomeView is one thing that can come of a look.
type OutcomeView struct {
	Outcome     models.DisclosureOutcome `json:"outcome"`
	OutcomeText string                   `json:"outcome_text"`
}

// ChoiceView is one of the values of a choice.
type ChoiceView struct {
	Value string `json:"value"`
	Text  string `json:"text"`
}

// GroupView is a group of fields with how far the purpose reaches.
type GroupView struct {
	Group     access.Group `json:"group"`
	GroupText string       `json:"group_text"`
	Level     access.Level `json:"level"`
	LevelText string       `json:"level_text"`
}

// MatterView is what nobody's data is opened for.
type MatterView struct {
	Matter       screening.Category    `json:"matter"`
	MatterText   string                `json:"matter_text"`
	Reply        httpkit.Reply         `json:"reply"`
	Alternatives []httpkit.Alternative `json:"alternatives"`
}

func (s *server) registerPurposes() {
	r := s.Resource("Looks at sensitive fields", identity.ScopeDisclosures)
	httpkit.Handle(r, httpkit.Route{At: "GET /disclosure-purposes", Summary: "Read what sensitive fields are opened for, and what for never", More: "For whoever looks, or judges looks.", To: httpkit.Roles{httpkit.HR, httpkit.Head, httpkit.Reviewer, httpkit.Auditor}}, s.getPurposes)
}

func (s *server) getPurposes(_ context.Context, in *httpkit.Speaking) (*httpkit.Answer[Catalogue], error) {
	language := in.Language()
	c := Catalogue{Purposes: httpkit.Each(disclosure.Purposes(), func(p disclosure.Purpose) PurposeView { return purposeView(p, language) })}
	for _, m := range disclosure.Matters {
		row := models.Disclosure{Matter: string(m)}
		v := MatterView{Matter: m, Alternatives: alternatives(disclosure.InsteadOf(row, false), language)}
		var reply *httpkit.Reply
		_, v.MatterText, reply = matterOf(row, language)
		v.Reply = *reply
		c.Never = append(c.Never, v)
	}
	return httpkit.AnswerOf(c, nil)
}

func purposeView(p disclosure.Purpose, language i18n.Language) PurposeView {
	v := PurposeView{
		Purpose: p.Purpose, PurposeText: closed.Text(language, p.Purpose), Basis: i18n.Text(language, "purpose_basis."+string(p.Purpose)),
		Emergency: p.Emergency, Reviewed: p.Reviewed, Consent: p.Consent, Groups: []GroupView{},
	}
	v.Evidence = httpkit.Each(p.Evidence, func(e disclosure.Evidence) DemandView {
		shown := DemandView{Key: e.Key, Label: i18n.Text(language, "evidence_key."+e.Key), Kind: e.Kind, KindText: closed.Text(language, e.Kind), OfLeavers: e.OfLeavers, Unrecorded: e.Unrecorded}
		for _, choice := range e.Choices {
			shown.Choices = append(shown.Choices, ChoiceView{choice, i18n.Text(language, "evidence_choice."+choice)})
		}
		return shown
	})
	v.Outcomes = httpkit.Each(p.Outcomes(), func(o models.DisclosureOutcome) OutcomeView { return OutcomeView{o, closed.Text(language, o)} })
	if p.Consent != "" {
		v.ConsentText = closed.Text(language, p.Consent)
	}
	for _, g := range access.Groups {
		if level := access.LookAt(models.RoleHRAdmin, access.RelationNone, g, p.Purpose); level != access.NoLook {
			v.Groups = append(v.Groups, GroupView{g, closed.Text(language, g), level, closed.Text(language, level)})
		}
	}
	return v
}

// instead is what HR can do instead. Only HR passes messages on, and only HR learns here that it may.
func (s *server) instead(ctx context.Context, d models.Disclosure, language i18n.Language) ([]httpkit.Alternative, error) {
	possible := s.Mail && httpkit.ActorOf(ctx).Role == models.RoleHRAdmin
	if possible {
		why, err := message.Possible(s.DB.Read(ctx), d.EmployeeID)
		if err != nil {
			return nil, err
		}
		possible = why == ""
	}
	return alternatives(disclosure.InsteadOf(d, possible), language), nil
}

func alternatives(all []disclosure.Alternative, language i18n.Language) []httpkit.Alternative {
	return httpkit.Each(all, func(a disclosure.Alternative) httpkit.Alternative {
		return httpkit.Alternative{Alternative: string(a), Text: closed.Text(language, a)}
	})
}

// matterOf is the matter for which a look was refused, in words, and what can be said to who came with it.
func matterOf(d models.Disclosure, language i18n.Language) (matter, text string, reply *httpkit.Reply) {
	if d.Matter == "" {
		return "", "", nil
	}
	key := "disclosure_reply." + d.Matter
	return d.Matter, closed.Text(language, screening.Category(d.Matter)), &httpkit.Reply{Chinese: i18n.Text(i18n.Chinese, key), English: i18n.Text(i18n.English, key)}
}
