package employees

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// SiteView is a place of work.
type SiteView struct {
	ID     uuid.UUID `json:"id"`
	Code   string    `json:"code"`
	Name   string    `json:"name" doc:"In the caller's language"`
	NameZh string    `json:"name_zh"`
	NameEn string    `json:"name_en"`
}

// NewSite is the body of a site to be entered.
type NewSite struct {
	Code   string `json:"code" minLength:"1" maxLength:"64" doc:"Letters, digits, dot, dash and underscore" example:"SZ2"`
	NameZh string `json:"name_zh" minLength:"1" maxLength:"200"`
	NameEn string `json:"name_en" minLength:"1" maxLength:"200"`
}

// SitePatch is the body of a change; what is left out stays.
type SitePatch struct {
	NameZh *string `json:"name_zh,omitempty" minLength:"1" maxLength:"200"`
	NameEn *string `json:"name_en,omitempty" minLength:"1" maxLength:"200"`
}

func (s *server) registerSites() {
	r := s.Resource("Organisation", identity.ScopePeople)
	hr := httpkit.Roles{httpkit.HR}
	httpkit.Handle(r, httpkit.Route{
		At: "GET /sites", Summary: "List the places of work",
		To: httpkit.Roles{httpkit.HR, httpkit.Head, httpkit.Reviewer, httpkit.Auditor, httpkit.IT},
	}, s.listSites)
	httpkit.Handle(r, httpkit.Route{At: "POST /sites", Summary: "Enter a place of work", To: hr, Status: http.StatusCreated}, s.createSite)
	httpkit.Handle(r, httpkit.Route{At: "PATCH /sites/{id}", Summary: "Change the names of a place of work", To: hr}, s.changeSite)
}

func siteView(e models.Site, language i18n.Language) SiteView {
	return SiteView{ID: e.ID, Code: e.Code, Name: language.Of(e.NameZh, e.NameEn), NameZh: e.NameZh, NameEn: e.NameEn}
}

func (s *server) site(ctx context.Context, id uuid.UUID, language i18n.Language) (SiteView, error) {
	row, err := database.First[models.Site](s.DB.Read(ctx).Where("id = ?", id))
	return siteView(row, language), err
}

func (s *server) listSites(ctx context.Context, in *organisationInput) (*httpkit.Answer[httpkit.Page[SiteView]], error) {
	return httpkit.List(in.Paging, func(v SiteView) uuid.UUID { return v.ID }, func(after uuid.UUID) ([]SiteView, bool, error) {
		rows, more, err := archive.Sites(ctx, s.DB, after, in.Limit)
		return httpkit.Each(rows, func(e models.Site) SiteView { return siteView(e, in.Language()) }), more, err
	})
}

func (s *server) createSite(ctx context.Context, in *struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewSite
}) (*httpkit.CreatedAnswer[SiteView], error) {
	made, err := s.Create(ctx, in.Key, "POST /sites", in.Body, func(tx *database.Tx) (httpkit.Creation, error) {
		id, err := archive.CreateSite(tx, archive.NewSite(in.Body))
		return httpkit.Created(models.Ref{Kind: models.RefSite, ID: id}), err
	})
	if err != nil {
		return nil, err
	}
	view, err := s.site(ctx, made.ID, in.Language())
	return httpkit.CreatedOf(made, view, err)
}

func (s *server) changeSite(ctx context.Context, in *struct {
	httpkit.ByID
	Body SitePatch
}) (*httpkit.Answer[SiteView], error) {
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error { return archive.ChangeSite(tx, in.ID, archive.SitePatch(in.Body)) })
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(s.site(ctx, in.ID, in.Language()))
}
