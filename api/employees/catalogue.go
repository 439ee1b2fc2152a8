package employees

import (
	"context"
	"slices"
	"time"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/i18n"
	"lethe/internal/operations"
	"lethe/models"
)

// CatalogueView is what files have.
type CatalogueView struct {
	httpkit.Page[archive.CatalogueField]
	Sections []archive.CatalogueSection `json:"sections" doc:"The parts of a file, those without a field too"`
	Own      *OwnCatalogue              `json:"own,omitempty" doc:"What the company added, as it is edited; for HR, reviewers and auditors"`
	Offers   *FieldOffers               `json:"offers,omitempty" doc:"What an own field may have; beside own"`
}

// FieldOffers are the values that may be chosen for an own field.
type FieldOffers struct {
	Types      []render.Word `json:"types"`
	Categories []render.Word `json:"categories"`
	Purposes   []render.Word `json:"purposes"`
}

// OwnCatalogue is a version of what the company added.
type OwnCatalogue struct {
	Version    int                `json:"version" doc:"0: nothing was added yet"`
	ChangedAt  *time.Time         `json:"changed_at,omitempty"`
	ChangedBy  *render.PersonView `json:"changed_by,omitempty"`
	ApprovedBy *render.PersonView `json:"approved_by,omitempty"`
	OwnDraft
}

// OwnDraft is the part of it that people edit.
type OwnDraft struct {
	Sections []OwnSection `json:"sections" maxItems:"30" doc:"In the order in which they are shown"`
	Fields   []OwnField   `json:"fields" maxItems:"200" doc:"In the order in which they are shown"`
	Notices  []OwnNotice  `json:"notices" maxItems:"200" doc:"What the company says of the program's fields: in the place of their notice, after it at emergency contacts. Left out, the program's text stands"`
}

// OwnSection is a part of the file.
type OwnSection struct {
	Key     string `json:"key" maxLength:"60" doc:"custom_ and small letters, digits, underscores; it stays, and is a group of the permissions" example:"custom_housing"`
	LabelZh string `json:"label_zh" minLength:"1" maxLength:"60"`
	LabelEn string `json:"label_en" minLength:"1" maxLength:"60"`
}

// OwnField is a sensitive field.
type OwnField struct {
	Key      string           `json:"key" maxLength:"60" doc:"custom_ and small letters, digits, underscores; it stays" example:"custom_room"`
	Section  string           `json:"section" maxLength:"60" doc:"One of sections; it stays"`
	Category models.Category  `json:"category" doc:"By which its values are kept and deleted; it stays"`
	Type     models.FieldType `json:"type" doc:"It stays"`
	LabelZh  string           `json:"label_zh" minLength:"1" maxLength:"60"`
	LabelEn  string           `json:"label_en" minLength:"1" maxLength:"60"`
	NoticeZh string           `json:"notice_zh" minLength:"1" maxLength:"300" doc:"What it may be used for; shown with each value"`
	NoticeEn string           `json:"notice_en" minLength:"1" maxLength:"300"`
	BasisZh  string           `json:"basis_zh" minLength:"1" maxLength:"300" doc:"The legal basis on which it is kept"`
	BasisEn  string           `json:"basis_en" minLength:"1" maxLength:"300"`
	Purposes []access.Purpose `json:"purposes" minItems:"1" maxItems:"20" doc:"For what it is opened, where the permissions grant it for the section"`
	Choices  []OwnOption      `json:"choices,omitempty" maxItems:"100" doc:"Of a choice: what may be written. What is left out later is written no more, and values that hold it keep its text"`
	Retired  bool             `json:"retired,omitempty" doc:"It takes no new values; those that there are stay until they are deleted"`
}

// OwnOption is a value that may be chosen.
type OwnOption struct {
	Code   string `json:"code" minLength:"1" maxLength:"40" doc:"Small letters, digits, underscores"`
	TextZh string `json:"text_zh" minLength:"1" maxLength:"100"`
	TextEn string `json:"text_en" minLength:"1" maxLength:"100"`
}

// OwnNotice is what the company says of one of the program's fields.
type OwnNotice struct {
	Field  string `json:"field" minLength:"1" maxLength:"60" example:"home_address"`
	TextZh string `json:"text_zh" minLength:"1" maxLength:"300"`
	TextEn string `json:"text_en" minLength:"1" maxLength:"300"`
}

func draftOf(c archive.OwnCatalogue) OwnDraft {
	return OwnDraft{
		Sections: httpkit.Each(c.Sections, func(s archive.OwnSection) OwnSection { return OwnSection(s) }),
		Fields: httpkit.Each(c.Fields, func(f archive.OwnField) OwnField {
			own := OwnField{
				f.Key, f.Section, f.Category, f.Type, f.LabelZh, f.LabelEn, f.NoticeZh, f.NoticeEn, f.BasisZh, f.BasisEn, f.Purposes, nil, f.Retired,
			}
			for _, o := range f.Choices {
				if !o.Retired {
					own.Choices = append(own.Choices, OwnOption{o.Code, o.Zh, o.En})
				}
			}
			return own
		}),
		Notices: httpkit.Each(c.Notices, func(n archive.OwnNotice) OwnNotice { return OwnNotice{n.Field, n.Zh, n.En} }),
	}
}

func (d OwnDraft) catalogue(version int) archive.OwnCatalogue {
	return archive.OwnCatalogue{
		Version:  version,
		Sections: httpkit.Each(d.Sections, func(s OwnSection) archive.OwnSection { return archive.OwnSection(s) }),
		Fields: httpkit.Each(d.Fields, func(f OwnField) archive.OwnField {
			return archive.OwnField{
				Key: f.Key, Section: f.Section, Category: f.Category, Type: f.Type, LabelZh: f.LabelZh, LabelEn: f.LabelEn, NoticeZh: f.NoticeZh, NoticeEn: f.NoticeEn,
				BasisZh: f.BasisZh, BasisEn: f.BasisEn, Purposes: f.Purposes, Retired: f.Retired,
				Choices: httpkit.Each(f.Choices, func(o OwnOption) models.FieldOption {
					return models.FieldOption{Code: o.Code, Zh: o.TextZh, En: o.TextEn}
				}),
			}
		}),
		Notices: httpkit.Each(d.Notices, func(n OwnNotice) archive.OwnNotice {
			return archive.OwnNotice{Field: n.Field, Zh: n.TextZh, En: n.TextEn}
		}),
	}
}

// editors read what is edited, and who changed it.
var editors = httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor}

func (s *server) catalogue(ctx context.Context, in *struct {
	httpkit.Speaking
	Version int `query:"version" default:"-1" minimum:"-1" maximum:"1000000000" doc:"Of own; left out: the version in force"`
}) (*httpkit.Answer[CatalogueView], error) {
	g, language := s.DB.Read(ctx), in.Language()
	fields, err := archive.Catalogue(ctx, s.DB, language)
	if err != nil {
		return nil, err
	}
	own, err := archive.OwnNow(g)
	if err != nil {
		return nil, err
	}
	view := CatalogueView{Page: httpkit.Page[archive.CatalogueField]{Items: fields}, Sections: own.AllSections(language)}
	if !slices.Contains(editors, httpkit.ActorOf(ctx).Role) {
		return httpkit.AnswerOf(view, nil)
	}
	if in.Version >= 0 {
		if own, err = archive.OwnAt(g, in.Version); err != nil {
			return nil, err
		}
	}
	view.Offers = &FieldOffers{render.Words(language, models.FieldTypes), render.Words(language, archive.OwnCategories), render.Words(language, access.Purposes)}
	view.Own, err = s.ownCatalogue(ctx, own, language)
	return httpkit.AnswerOf(view, err)
}

func (s *server) ownCatalogue(ctx context.Context, v archive.CatalogueVersion, language i18n.Language) (*OwnCatalogue, error) {
	people, err := s.PeopleInLog(ctx, language, render.GivenOf(v.ChangedBy, v.ApprovedBy))
	if err != nil {
		return nil, err
	}
	return &OwnCatalogue{
		Version: v.Version, ChangedAt: render.UTC(v.ChangedAt), ChangedBy: people.Of(v.ChangedBy), ApprovedBy: people.Of(v.ApprovedBy), OwnDraft: draftOf(v.OwnCatalogue),
	}, nil
}

func (s *server) changeCatalogue(ctx context.Context, in *struct {
	httpkit.Speaking
	Body struct {
		BaseVersion int `json:"base_version" minimum:"0" doc:"The version that it was made from"`
		OwnDraft
		approvals.ApprovalFields
	}
}) (*approvals.Outcome[approvals.ApprovalView], error) {
	return s.Ask(ctx, in.Language(), approvals.Step{
		Operation: operations.FieldCatalogue, Command: in.Body.catalogue(in.Body.BaseVersion), Reason: in.Body.ApprovalReason,
	})
}
