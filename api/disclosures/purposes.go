package disclosures

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/message"
	"lethe/internal/permission"
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
	Groups      []GroupView    `json:"groups" doc:"The groups of fields that it opens for HR as the program comes; with employee_id, those of this person that it opens for you as the permissions are, with the sections that the company added"`
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
	Group     string       `json:"group"`
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
	httpkit.Handle(r, httpkit.Route{At: "GET /disclosure-purposes", Summary: "Read what sensitive fields are opened for, and what for never", More: "For whoever looks, or judges looks.", To: httpkit.Roles{httpkit.HR, httpkit.Head, httpkit.Reviewer, httpkit.Auditor}, Problems: []int{http.StatusNotFound}}, s.getPurposes)
}

type purposesInput struct {
	httpkit.Speaking
	EmployeeID uuid.UUID `query:"employee_id" doc:"Whom a look would be at: each purpose then says what of this person it opens for you"`
}

func (s *server) getPurposes(ctx context.Context, in *purposesInput) (*httpkit.Answer[Catalogue], error) {
	language := in.Language()
	groups, levels := render.Words(language, access.Groups), func(g access.Group, p access.Purpose) access.Level {
		return access.LookAt(models.RoleHRAdmin, access.RelationNone, g, p)
	}
	if in.EmployeeID != uuid.Nil {
		var err error
		if groups, levels, err = s.openTo(ctx, language, in.EmployeeID); err != nil {
			return nil, err
		}
	}
	c := Catalogue{Purposes: httpkit.Each(disclosure.Purposes(), func(p disclosure.Purpose) PurposeView { return purposeView(p, language, groups, levels) })}
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

// openTo says what the permissions open to the caller of a person.
func (s *server) openTo(ctx context.Context, language i18n.Language, person uuid.UUID) ([]render.Word, func(access.Group, access.Purpose) access.Level, error) {
	actor, g := httpkit.ActorOf(ctx), s.DB.Read(ctx)
	seen, err := archive.SeenBy(g, actor)
	if err != nil {
		return nil, nil, err
	}
	if _, err := database.First[models.Employee](g.Scopes(seen).Where("employees.id = ?", person)); errors.Is(err, database.ErrNotFound) {
		return nil, nil, httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
	} else if err != nil {
		return nil, nil, err
	}
	matrix, err := permission.Current(g)
	if err != nil {
		return nil, nil, err
	}
	employment, err := archive.LatestEmployment(g, person)
	if err != nil {
		return nil, nil, err
	}
	target, err := archive.StandsTo(g, actor.EmployeeID, person, employment.ID)
	if err != nil {
		return nil, nil, err
	}
	own, err := archive.OwnNow(g)
	return render.Groups(language, own.OwnCatalogue), func(group access.Group, p access.Purpose) access.Level {
		level, _ := matrix.Look(access.Asker{ID: actor.EmployeeID, Role: actor.Role}, target, group, p)
		if level != access.NoLook && actor.Role != models.RoleHRAdmin {
			return access.Look // that a reviewer comes first would tell others than HR who is protected
		}
		return level
	}, err
}

func purposeView(p disclosure.Purpose, language i18n.Language, groups []render.Word, levels func(access.Group, access.Purpose) access.Level) PurposeView {
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
	for _, g := range groups {
		if level := levels(access.Group(g.Value), p.Purpose); level != access.NoLook {
			v.Groups = append(v.Groups, GroupView{g.Value, g.Text, level, closed.Text(language, level)})
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
