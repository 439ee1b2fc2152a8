// Package permissions serves the matrix of who may look at which sensitive fields for which purpose.
package permissions

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/internal/permission"
	"lethe/models"
)

type server struct{ *approvals.Desk }

// Register serves the resources.
func Register(desk *approvals.Desk) {
	httpkit.Describe[access.Scope](desk.API)
	s := &server{desk}
	readers := httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor}
	r := s.Resource("Permissions", identity.ScopeDisclosures)
	httpkit.Handle(r, httpkit.Route{At: "GET /permissions", Summary: "Read who may look at which sensitive fields for which purpose", To: readers}, s.get)
	httpkit.Handle(r, httpkit.Route{At: "PUT /permissions", Summary: "Ask for other permissions; a second person decides, and neither gains by it", To: httpkit.Roles{httpkit.HR}, Status: http.StatusAccepted}, s.put)
	httpkit.Handle(r, httpkit.Route{At: "POST /permissions/preview", Summary: "Say what somebody would see of somebody, and why; by a draft, if one is given", To: readers}, s.preview)
}

// Draft is the part of the permissions that people edit.
type Draft struct {
	Tiers       []Tier          `json:"tiers" maxItems:"30" doc:"The tiers. Each role has a default one, for whoever is in no other"`
	Grants      []Grant         `json:"grants" maxItems:"2500" doc:"The cells. What is not there is not granted"`
	Protected   []uuid.UUID     `json:"protected" maxItems:"2000" doc:"People of whom less is granted: senior managers, HR itself"`
	Configurers []uuid.UUID     `json:"configurers" maxItems:"100" doc:"HR administrators who may ask for other permissions"`
	Limits      *Limits         `json:"limits,omitempty" doc:"How often somebody looks before a reviewer is asked. Left out: 20 people a day, 5 looks a week at one person"`
	Patterns    []PatternSwitch `json:"patterns,omitempty" maxItems:"200" doc:"For which legal entities reviewers are shown what is noticeable about how its people look (GET /disclosure-patterns), other than by default: everywhere but in DE, where a works council decides first. Left out: as it is"`
}

// mostEntities are as many as a draft switches the patterns of.
const mostEntities = 200

// PatternSwitch says of a legal entity whether patterns are shown.
type PatternSwitch struct {
	LegalEntityID uuid.UUID `json:"legal_entity_id"`
	Shown         bool      `json:"shown"`
}

// Limits are how often somebody looks before a reviewer is asked.
type Limits struct {
	PeoplePerDay int `json:"people_per_day" minimum:"1" maximum:"100" doc:"How many others within 24 hours"`
	LooksPerWeek int `json:"looks_per_week" minimum:"1" maximum:"30" doc:"How often at one person within seven days"`
}

// Tier is a number of people with the same permissions.
type Tier struct {
	Key     string       `json:"key" minLength:"1" maxLength:"60" doc:"Stable, for programs"`
	NameZh  string       `json:"name_zh" minLength:"1" maxLength:"60"`
	NameEn  string       `json:"name_en" minLength:"1" maxLength:"60"`
	Role    models.Role  `json:"role" enum:"hr_admin,department_head"`
	Scope   access.Scope `json:"scope" doc:"Whose files it reaches"`
	Default bool         `json:"default,omitempty" doc:"It holds for everybody in the role who is in no tier of it"`
	Members []uuid.UUID  `json:"members" maxItems:"2000"`
}

// Grant is a cell.
type Grant struct {
	Tier      string         `json:"tier"`
	Group     string         `json:"group" maxLength:"60" doc:"One of groups: the program's, and each section that the company added to the file" example:"identity"`
	Purpose   access.Purpose `json:"purpose"`
	Level     access.Level   `json:"level"`
	Protected access.Level   `json:"protected" doc:"The level for people who are protected; never further than the other"`
}

// Permissions is a version with what an editor shows.
type Permissions struct {
	Version    int                `json:"version" doc:"0: the program's own"`
	ChangedAt  *time.Time         `json:"changed_at,omitempty"`
	ChangedBy  *render.PersonView `json:"changed_by,omitempty"`
	ApprovedBy *render.PersonView `json:"approved_by,omitempty"`
	Draft
	People   []render.PersonView `json:"people" doc:"Everybody whom it names"`
	Groups   []render.Word       `json:"groups" doc:"The columns, in words"`
	Purposes []render.Word       `json:"purposes"`
	Levels   []render.Word       `json:"levels"`
	Scopes   []render.Word       `json:"scopes"`
	Roles    []render.Word       `json:"roles"`
	Entities []Entity            `json:"legal_entities" doc:"Those that patterns can be switched for"`
}

// Entity is a legal entity, with what holds where nobody has switched its patterns.
type Entity struct {
	ID             uuid.UUID `json:"id"`
	Name           string    `json:"name"`
	ShownByDefault bool      `json:"patterns_by_default"`
}

func draftOf(m *access.Matrix) Draft {
	limits := Limits(m.Frequency())
	return Draft{
		Limits:   &limits,
		Patterns: httpkit.Each(m.Patterns, func(s access.PatternSwitch) PatternSwitch { return PatternSwitch{s.LegalEntity, s.Shown} }),
		Tiers: httpkit.Each(m.Tiers, func(t access.Tier) Tier {
			return Tier{t.Key, t.NameZh, t.NameEn, t.Role, t.Scope, t.Default, append([]uuid.UUID{}, t.Members...)}
		}),
		Grants: httpkit.Each(m.Grants, func(g access.Grant) Grant {
			return Grant{g.Tier, string(g.Group), g.Purpose, g.Level, g.Protected}
		}),
		Protected: append([]uuid.UUID{}, m.Protected...), Configurers: append([]uuid.UUID{}, m.Configurers...),
	}
}

func (d Draft) matrix(version int) access.Matrix {
	if d.Limits != nil && access.Limits(*d.Limits) == access.DefaultLimits {
		d.Limits = nil // as it is kept
	}
	var patterns []access.PatternSwitch
	for _, p := range d.Patterns {
		patterns = append(patterns, access.PatternSwitch{LegalEntity: p.LegalEntityID, Shown: p.Shown})
	}
	return access.Matrix{
		Patterns: patterns,
		Version:  version, Protected: d.Protected, Configurers: d.Configurers, Limits: (*access.Limits)(d.Limits),
		Tiers: httpkit.Each(d.Tiers, func(t Tier) access.Tier {
			return access.Tier{Key: t.Key, NameZh: t.NameZh, NameEn: t.NameEn, Role: t.Role, Scope: t.Scope, Default: t.Default, Members: t.Members}
		}),
		Grants: httpkit.Each(d.Grants, func(g Grant) access.Grant {
			return access.Grant{Tier: g.Tier, Group: access.Group(g.Group), Purpose: g.Purpose, Level: g.Level, Protected: g.Protected}
		}),
	}
}

type getInput struct {
	httpkit.Speaking
	Version int `query:"version" default:"-1" minimum:"-1" maximum:"1000000000" doc:"Left out: the version in force"`
}

func (s *server) get(ctx context.Context, in *getInput) (*httpkit.Answer[Permissions], error) {
	g, language := s.DB.Read(ctx), in.Language()
	if in.Version < 0 {
		current, err := permission.Current(g)
		if err != nil {
			return nil, err
		}
		in.Version = current.Version
	}
	v, err := permission.Read(g, in.Version)
	if err != nil {
		return nil, err
	}
	ids := append(append([]uuid.UUID{}, v.Protected...), v.Configurers...)
	for _, t := range v.Tiers {
		ids = append(ids, t.Members...)
	}
	people, err := s.People(ctx, language, append(ids, render.GivenOf(v.ChangedBy, v.ApprovedBy)...))
	if err != nil {
		return nil, err
	}
	own, err := archive.OwnNow(g)
	if err != nil {
		return nil, err
	}
	entities, _, err := archive.LegalEntities(ctx, s.DB, uuid.Nil, mostEntities)
	if err != nil {
		return nil, err
	}
	p := Permissions{
		Entities: httpkit.Each(entities, func(e models.LegalEntity) Entity {
			return Entity{e.ID, language.Of(e.NameZh, e.NameEn), access.PatternsByDefault(e.Jurisdiction)}
		}),
		Version: v.Version, ChangedAt: render.UTC(v.ChangedAt), ChangedBy: people.Of(v.ChangedBy), ApprovedBy: people.Of(v.ApprovedBy), Draft: draftOf(v.Matrix),
		People: []render.PersonView{}, Groups: render.Groups(language, own.OwnCatalogue), Purposes: render.Words(language, access.Purposes), Levels: render.Words(language, access.Levels),
		Scopes: render.Words(language, access.Scopes), Roles: render.Words(language, access.LookRoles),
	}
	seen := map[uuid.UUID]bool{}
	for _, id := range ids {
		if person, known := people[id]; known && !seen[id] {
			seen[id] = true
			p.People = append(p.People, person)
		}
	}
	return httpkit.AnswerOf(p, nil)
}

type putInput struct {
	httpkit.Speaking
	Body struct {
		BaseVersion int `json:"base_version" minimum:"0" doc:"The version that it was made from"`
		Draft
		approvals.ApprovalFields
	}
}

func (s *server) put(ctx context.Context, in *putInput) (*approvals.Outcome[approvals.ApprovalView], error) {
	matrix := in.Body.matrix(in.Body.BaseVersion)
	if in.Body.Patterns == nil {
		current, err := permission.Current(s.DB.Read(ctx))
		if err != nil {
			return nil, err
		}
		matrix.Patterns = current.Patterns
	}
	return s.Ask(ctx, in.Language(), approvals.Step{
		Operation: operations.Permissions, Command: operations.PermissionsChange{Matrix: matrix}, Reason: in.Body.ApprovalReason,
	})
}
