package reports

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/holders"
	"lethe/internal/i18n"
	"lethe/models"
)

var (
	codeDayToCome   = httpkit.Code("report_day_to_come", http.StatusUnprocessableEntity)
	codeDayTooEarly = httpkit.Code("report_day_too_early", http.StatusUnprocessableEntity)
)

func (s *server) registerAccess(r httpkit.Resource) {
	httpkit.Describe[holders.What](s.API)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /reports/access", Summary: "Who could see what at the end of a past day", To: httpkit.Roles{httpkit.Auditor, httpkit.Reviewer},
		More: "Each role that somebody held with a user in use, and by the permissions in force then which groups of fields it let them look at. " +
			"Of today it is of now. What is not kept day by day is not guessed: `gaps` says in sentences what that is.",
	}, s.readAccess)
	s.registerAccessExport(r)
}

// AccessDay is the day of a report.
type AccessDay struct {
	On   string `query:"on" json:"on" required:"true" format:"date" doc:"The day"`
	Zone string `query:"zone" json:"zone,omitempty" maxLength:"64" doc:"By whose clock it ends: IANA name. Left out: the company's, that is, its first legal entity's" example:"Asia/Shanghai"`
}

// day is the day, and what held at its end; place is where a fault in it is, "query.".
func (s *server) day(ctx context.Context, d AccessDay, place string) (state holders.State, now time.Time, err error) {
	on, err := clock.ParseDate(d.On)
	if err != nil {
		return state, now, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: place + "on", Code: httpkit.FieldNotAllowed})
	}
	var zone *time.Location
	if d.Zone != "" {
		if zone, err = clock.LoadZone(d.Zone); err != nil {
			return state, now, httpkit.NewProblem(httpkit.CodeUnknownZone, httpkit.FieldError{Location: place + "zone", Code: httpkit.CodeUnknownZone})
		}
	}
	if now, err = s.DB.Now(ctx); err != nil {
		return state, now, err
	}
	day, err := holders.DayOf(ctx, s.DB, on, zone, now)
	for fault, code := range map[error]string{holders.ErrFuture: codeDayToCome, holders.ErrBefore: codeDayTooEarly} {
		if errors.Is(err, fault) {
			err = httpkit.NewProblem(code, httpkit.FieldError{Location: place + "on", Code: code})
		}
	}
	if err != nil {
		return state, now, err
	}
	state, err = holders.On(ctx, s.DB, day)
	return state, now, err
}

// AccessPage is one page of who held roles, with what the roles let them see.
type AccessPage struct {
	httpkit.Page[HolderView]
	Summary AccessSummary `json:"summary" doc:"About everybody of the report, whichever the page is limited to"`
}

// AccessSummary is what held at the end of the day, in whomever's hands.
type AccessSummary struct {
	On             clock.Date          `json:"on"`
	Zone           string              `json:"zone" doc:"By whose clock the day ends"`
	Until          time.Time           `json:"until" doc:"The report is of right before then: the end of the day; of today: now"`
	Today          bool                `json:"today"`
	Text           string              `json:"text" doc:"The same in sentences"`
	People         int                 `json:"people" doc:"Who held a role"`
	Version        int                 `json:"version" doc:"Of the permissions in force; 0: the program's own"`
	VersionText    string              `json:"version_text"`
	ChangedAt      *time.Time          `json:"changed_at,omitempty"`
	ChangedBy      *render.PersonView  `json:"changed_by,omitempty"`
	ApprovedBy     *render.PersonView  `json:"approved_by,omitempty"`
	LimitsText     string              `json:"limits_text" doc:"How often somebody looked before a reviewer was asked"`
	Tiers          []AccessTier        `json:"tiers" nullable:"false"`
	Protected      []render.PersonView `json:"protected" nullable:"false" doc:"People of whom less was granted"`
	Configurers    []render.PersonView `json:"configurers" nullable:"false" doc:"Who could ask for other permissions"`
	Changes        []AccessChange      `json:"changes" nullable:"false" doc:"In the course of the day, oldest first, 200 at most"`
	ChangesInTotal int                 `json:"changes_in_total"`
	Gaps           []string            `json:"gaps" nullable:"false" doc:"What is not kept day by day, or is told otherwise than one may think"`
}

// AccessTier is a tier of the permissions of that day, and what it let look at.
type AccessTier struct {
	Key       string        `json:"key"`
	Name      string        `json:"name"`
	Role      models.Role   `json:"role"`
	RoleText  string        `json:"role_text"`
	Scope     access.Scope  `json:"scope"`
	ScopeText string        `json:"scope_text" doc:"Whose files it reached"`
	Default   bool          `json:"default" doc:"It held for everybody in the role who was named in no tier of it"`
	Holders   int           `json:"holders"`
	Groups    []AccessGroup `json:"groups" nullable:"false"`
}

// AccessGroup is a group of sensitive fields as a tier saw it.
type AccessGroup struct {
	Group     string          `json:"group"`
	GroupText string          `json:"group_text"`
	Shown     access.Access   `json:"shown" enum:"masked,hidden" doc:"How its fields stood in a file"`
	ShownText string          `json:"shown_text"`
	Purposes  []AccessPurpose `json:"purposes" nullable:"false" doc:"For which it was opened; for all others it was not"`
}

// AccessPurpose is how far a tier looked for a purpose.
type AccessPurpose struct {
	Purpose       access.Purpose `json:"purpose"`
	PurposeText   string         `json:"purpose_text"`
	Level         access.Level   `json:"level"`
	LevelText     string         `json:"level_text"`
	Protected     access.Level   `json:"protected" doc:"At people on the protected list"`
	ProtectedText string         `json:"protected_text"`
}

// HolderView is somebody in a role.
type HolderView struct {
	ID       uuid.UUID          `json:"id"`
	Person   render.PersonView  `json:"person" doc:"Name and department are today's"`
	Role     models.Role        `json:"role"`
	RoleText string             `json:"role_text"`
	Since    time.Time          `json:"since"`
	GivenBy  *render.PersonView `json:"given_by,omitempty" doc:"Left out: the installation"`
	AgreedBy *render.PersonView `json:"agreed_by,omitempty"`
	Tiers    []HolderTier       `json:"tiers" nullable:"false" doc:"Of the permissions; none: they are not about the role"`
	Sees     string             `json:"sees" doc:"What the role lets see besides, in words"`
}

// HolderTier is a tier that somebody was in.
type HolderTier struct {
	Key       string `json:"key"`
	Name      string `json:"name"`
	ScopeText string `json:"scope_text"`
	Named     bool   `json:"named" doc:"The tier names the person; else it is the role's default"`
}

// AccessChange is what changed in the course of the day.
type AccessChange struct {
	At       time.Time          `json:"at"`
	What     holders.What       `json:"what"`
	WhatText string             `json:"what_text"`
	Person   *render.PersonView `json:"person,omitempty"`
	RoleText string             `json:"role_text,omitempty"`
	By       *render.PersonView `json:"by,omitempty"`
	Second   *render.PersonView `json:"second,omitempty"`
}

type readAccessInput struct {
	httpkit.Paging
	httpkit.Speaking
	AccessDay
	Role     models.Role `query:"role" doc:"Only who held this role"`
	Employee uuid.UUID   `query:"employee_id" doc:"Only this person"`
}

// maxChanges of a day are told one by one.
const maxChanges = 200

func (s *server) readAccess(ctx context.Context, in *readAccessInput) (*httpkit.Answer[AccessPage], error) {
	position, at, err := in.Sorted()
	if err != nil {
		return nil, err
	}
	state, _, err := s.day(ctx, in.AccessDay, "query.")
	if err != nil {
		return nil, err
	}
	rows := slices.DeleteFunc(slices.Clone(state.Holders), func(h holders.Holder) bool {
		return in.Role != "" && h.Role != in.Role || in.Employee != uuid.Nil && h.Employee != in.Employee
	})
	matching := len(rows)
	if position != nil { // after that one; if it is gone, from where it was
		i := slices.IndexFunc(rows, func(h holders.Holder) bool { return h.ID == *position })
		if i < 0 {
			i = int(at.UnixMilli()) - 2
		}
		rows = rows[min(max(i+1, 0), len(rows)):]
	}
	before := matching - len(rows)
	page, next := httpkit.Cut(in.Paging, rows[:min(len(rows), in.Limit+1)], func(h holders.Holder) uuid.UUID { return h.ID })
	if next != nil {
		next = in.SortedCursor(page[len(page)-1].ID, time.UnixMilli(int64(before+len(page))))
	}
	told, err := s.tell(ctx, in.Language(), state, page)
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(AccessPage{httpkit.PageOf(httpkit.Each(page, told.holder), next), told.summary()}, nil)
}

// told is a state as people read it.
type told struct {
	holders.State
	language i18n.Language
	named    render.Named
	counts   map[string]int // holders by tier
}

// tell names the people of a state: all of the summary, and those of some rows.
func (s *server) tell(ctx context.Context, language i18n.Language, state holders.State, rows []holders.Holder) (told, error) {
	ids := slices.Concat(state.Permissions.Protected, state.Permissions.Configurers, render.GivenOf(state.Permissions.ChangedBy, state.Permissions.ApprovedBy))
	for _, h := range rows {
		ids = append(append(ids, h.Employee), render.GivenOf(h.GivenBy, h.AgreedBy)...)
	}
	for _, c := range state.Changes[:min(len(state.Changes), maxChanges)] {
		ids = append(ids, render.GivenOf(c.Employee, c.By, c.Second)...)
	}
	named, err := s.PeopleInLog(ctx, language, unique(ids))
	t := told{state, language, named, map[string]int{}}
	for _, h := range state.Holders {
		for _, tier := range state.TiersOf(h) {
			t.counts[tier.Key]++
		}
	}
	return t, err
}

func (t told) text(key string) string { return i18n.Text(t.language, "access_report."+key) }

func (t told) holder(h holders.Holder) HolderView {
	v := HolderView{
		ID: h.ID, Person: t.named[h.Employee], Role: h.Role, RoleText: closed.Text(t.language, h.Role), Since: h.Since.UTC(),
		GivenBy: t.named.Of(h.GivenBy), AgreedBy: t.named.Of(h.AgreedBy), Sees: t.text("sees." + string(h.Role)), Tiers: []HolderTier{},
	}
	for _, tier := range t.TiersOf(h) {
		v.Tiers = append(v.Tiers, HolderTier{tier.Key, t.language.Of(tier.NameZh, tier.NameEn), closed.Text(t.language, tier.Scope), slices.Contains(tier.Members, h.Employee)})
	}
	return v
}

func (t told) tiers() []AccessTier {
	return httpkit.Each(t.Permissions.Tiers, func(tier access.Tier) AccessTier {
		return AccessTier{
			Key: tier.Key, Name: t.language.Of(tier.NameZh, tier.NameEn), Role: tier.Role, RoleText: closed.Text(t.language, tier.Role),
			Scope: tier.Scope, ScopeText: closed.Text(t.language, tier.Scope), Default: tier.Default, Holders: t.counts[tier.Key],
			Groups: httpkit.Each(t.Groups(), func(g access.Group) AccessGroup { return t.group(tier, g) }),
		}
	})
}

func (t told) group(tier access.Tier, g access.Group) AccessGroup {
	v := AccessGroup{Group: string(g), GroupText: t.groupText(g), Shown: access.Hidden, Purposes: []AccessPurpose{}}
	for _, c := range t.Cells(tier, g) {
		v.Shown = access.Masked
		v.Purposes = append(v.Purposes, AccessPurpose{
			c.Purpose, closed.Text(t.language, c.Purpose), c.Level, closed.Text(t.language, c.Level), c.Protected, closed.Text(t.language, c.Protected),
		})
	}
	v.ShownText = t.text("shown." + string(v.Shown))
	return v
}

func (t told) groupText(g access.Group) string {
	if slices.Contains(access.Groups, g) {
		return closed.Text(t.language, g)
	}
	if label, ok := t.Catalogue.GroupLabel(g); ok {
		return label(t.language)
	}
	return t.text("removed_section")
}

func (t told) people(ids []uuid.UUID) []render.PersonView {
	all := []render.PersonView{}
	for _, id := range ids {
		if p, known := t.named[id]; known {
			all = append(all, p)
		}
	}
	return all
}

func (t told) changes() []AccessChange {
	return httpkit.Each(t.Changes[:min(len(t.Changes), maxChanges)], func(c holders.Change) AccessChange {
		v := AccessChange{
			At: c.At.UTC(), What: c.What, WhatText: closed.Text(t.language, c.What), Person: t.named.Of(c.Employee), By: t.named.Of(c.By), Second: t.named.Of(c.Second),
		}
		if c.Role != "" {
			v.RoleText = closed.Text(t.language, c.Role)
		}
		if c.Version != "" {
			v.WhatText += t.language.Of("（第 "+c.Version+" 版）", " (version "+c.Version+")")
		}
		return v
	})
}

func (t told) summary() AccessSummary {
	p, limits := t.Permissions, t.Permissions.Frequency()
	v := AccessSummary{
		On: t.On, Zone: t.Zone.String(), Until: t.End.UTC(), Today: t.Today, Version: p.Matrix.Version, ChangedAt: render.UTC(p.ChangedAt),
		ChangedBy: t.named.Of(p.ChangedBy), ApprovedBy: t.named.Of(p.ApprovedBy), Tiers: t.tiers(), Protected: t.people(p.Protected), Configurers: t.people(p.Configurers),
		LimitsText: fmt.Sprintf(t.text("limits"), limits.PeoplePerDay, limits.LooksPerWeek), Changes: t.changes(), ChangesInTotal: len(t.Changes),
		Gaps: t.gaps(),
	}
	v.VersionText = t.text("version.own")
	if p.ChangedAt != nil {
		v.VersionText = fmt.Sprintf(t.text("version"), p.Matrix.Version, t.language.Minute(p.ChangedAt.In(t.Zone)))
	}
	roles, people := map[models.Role]int{}, map[uuid.UUID]bool{}
	for _, h := range t.Holders {
		roles[h.Role]++
		people[h.Employee] = true
	}
	v.People = len(people)
	var parts []string
	for _, role := range models.Roles {
		if n := roles[role]; n > 0 {
			parts = append(parts, fmt.Sprintf(t.text("counted"), closed.Text(t.language, role), n))
		}
	}
	v.Text = fmt.Sprintf(i18n.Plural(t.language, "access_report.all", v.People), t.when(), v.People, strings.Join(parts, t.language.Of("、", ", ")))
	if v.People == 0 {
		v.Text = fmt.Sprintf(t.text("nobody"), t.when())
	}
	if n := len(t.Changes); n > 0 {
		v.Text += t.language.Of("", " ") + fmt.Sprintf(i18n.Plural(t.language, "access_report.changed", n), n)
	}
	return v
}

// when is what the report is of, in words.
func (t told) when() string {
	if t.Today {
		return fmt.Sprintf(t.text("now"), t.On, t.End.In(t.Zone).Format("15:04"), t.Zone)
	}
	return fmt.Sprintf(t.text("end_of"), t.On, t.Zone)
}

// gaps say what is not kept, in the report itself: whoever reads it has nothing else.
func (t told) gaps() []string {
	all := []string{}
	if t.Waiting > 0 {
		all = append(all, fmt.Sprintf(i18n.Plural(t.language, "access_report.waiting", t.Waiting), t.Waiting))
	}
	for _, name := range []string{"heads", "names", "singles", "agreed", "roles", "cuts", "looks"} {
		all = append(all, t.text("gap."+name))
	}
	return all
}
