package permissions

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/permission"
	"lethe/models"
)

// Preview is what somebody would see of somebody's sensitive fields.
type Preview struct {
	Groups []PreviewGroup `json:"groups"`
}

// PreviewGroup is a group of fields, and for which purposes they would be opened.
type PreviewGroup struct {
	Group     string           `json:"group"`
	GroupText string           `json:"group_text"`
	Shown     access.Access    `json:"shown" enum:"masked,hidden" doc:"How its fields stand in the file"`
	Fields    []PreviewField   `json:"fields,omitempty" doc:"Of a section that the company added: how each of its fields stands, by the purposes of its own"`
	Purposes  []PreviewPurpose `json:"purposes"`
}

// PreviewField is how a field of the company's own stands.
type PreviewField struct {
	Key   string        `json:"key"`
	Label string        `json:"label"`
	Shown access.Access `json:"shown" enum:"masked,hidden"`
}

// PreviewPurpose is how far somebody would look for a purpose, and by which tiers.
type PreviewPurpose struct {
	Purpose     access.Purpose  `json:"purpose"`
	PurposeText string          `json:"purpose_text"`
	Level       access.Level    `json:"level"`
	LevelText   string          `json:"level_text"`
	Because     []PreviewSource `json:"because" doc:"The tiers that were asked; none: no tier of the role holds for the person, or it is the own file"`
}

// PreviewSource is a tier with what it gives.
type PreviewSource struct {
	access.Source
	TierText  string `json:"tier_text"`
	LevelText string `json:"level_text"`
}

type previewInput struct {
	httpkit.Speaking
	Body struct {
		LookerID   uuid.UUID   `json:"looker_id" doc:"Who would look"`
		Role       models.Role `json:"role" enum:"hr_admin,department_head" doc:"In which role"`
		EmployeeID uuid.UUID   `json:"employee_id" doc:"At whom"`
		Draft      *Draft      `json:"draft,omitempty" doc:"Left out: by the version in force"`
	}
}

func (s *server) preview(ctx context.Context, in *previewInput) (*httpkit.Answer[Preview], error) {
	b, g, language := in.Body, s.DB.Read(ctx), in.Language()
	matrix, err := permission.Current(g)
	if err != nil {
		return nil, err
	}
	if b.Draft != nil {
		draft := b.Draft.matrix(matrix.Version)
		matrix = &draft
	}
	for field, id := range map[string]uuid.UUID{"looker_id": b.LookerID, "employee_id": b.EmployeeID} {
		if err := s.Visible(ctx, httpkit.ActorOf(ctx), id); err != nil {
			if errors.Is(err, database.ErrNotFound) {
				err = httpkit.AtField(field, httpkit.CodeEmployeeNotFound)
			}
			return nil, err
		}
	}
	employment, err := archive.LatestEmployment(g, b.EmployeeID)
	if err != nil {
		return nil, err
	}
	target, err := archive.StandsTo(g, b.LookerID, b.EmployeeID, employment.ID)
	if err != nil {
		return nil, err
	}
	own, err := archive.OwnNow(g)
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(previewOf(matrix, own.OwnCatalogue, access.Asker{ID: b.LookerID, Role: b.Role}, target, language), nil)
}

func previewOf(m *access.Matrix, own archive.OwnCatalogue, a access.Asker, t access.Target, language i18n.Language) Preview {
	names := map[string]string{}
	for _, tier := range m.Tiers {
		names[tier.Key] = language.Of(tier.NameZh, tier.NameEn)
	}
	return Preview{httpkit.Each(render.Groups(language, own), func(w render.Word) PreviewGroup {
		g := access.Group(w.Value)
		shown := PreviewGroup{Group: w.Value, GroupText: w.Text, Shown: m.Shows(a, t, g, access.Purposes)}
		for _, f := range own.Fields {
			if f.Section == w.Value {
				shown.Fields = append(shown.Fields, PreviewField{f.Key, language.Of(f.LabelZh, f.LabelEn), m.Shows(a, t, g, f.Purposes)})
			}
		}
		shown.Purposes = httpkit.Each(access.Purposes, func(p access.Purpose) PreviewPurpose {
			level, by := m.Look(a, t, g, p)
			return PreviewPurpose{
				Purpose: p, PurposeText: closed.Text(language, p), Level: level, LevelText: closed.Text(language, level),
				Because: httpkit.Each(by, func(s access.Source) PreviewSource {
					return PreviewSource{s, names[s.Tier], closed.Text(language, s.Level)}
				}),
			}
		})
		return shown
	})}
}
