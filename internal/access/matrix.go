package access

import (
	"slices"
	"sync"

	"github.com/google/uuid"

	"lethe/internal/closed"
	"lethe/models"
)

// Scope is whose files a tier reaches.
type Scope string

// The scopes.
const (
	ScopeAll        Scope = "all"
	ScopeEntity     Scope = "legal_entity"   // those of the own legal entity
	ScopeSite       Scope = "site"           // those who work where somebody works
	ScopeDepartment Scope = "own_department" // those of the departments that somebody heads
	ScopeBelow      Scope = "own_department_and_below"
)

// Scopes lists them all.
var Scopes = closed.Of("permission_scope", ScopeAll, ScopeEntity, ScopeSite, ScopeDepartment, ScopeBelow)

// Tier is a number of people with the same permissions.
type Tier struct {
	Key    string      `json:"key"`
	NameZh string      `json:"name_zh"`
	NameEn string      `json:"name_en"`
	Role   models.Role `json:"role"`
	Scope  Scope       `json:"scope"`
	// Default: it holds for everybody in the role who is in no tier of it.
	Default bool        `json:"default,omitempty"`
	Members []uuid.UUID `json:"members,omitempty"`
}

// Grant is a cell: how far a tier looks at a group of fields for a purpose, and how far at people who are protected.
type Grant struct {
	Tier      string  `json:"tier"`
	Group     Group   `json:"group"`
	Purpose   Purpose `json:"purpose"`
	Level     Level   `json:"level"`
	Protected Level   `json:"protected"`
}

// Matrix is who may look at what for which purpose. What it does not grant nobody has.
type Matrix struct {
	// Version counts the changes; 0 is the program's own.
	Version int     `json:"version"`
	Tiers   []Tier  `json:"tiers"`
	Grants  []Grant `json:"grants"`
	// Protected are people of whom less is granted: senior managers, HR itself.
	Protected []uuid.UUID `json:"protected,omitempty"`
	// Configurers are the HR administrators who may ask for another matrix.
	Configurers []uuid.UUID `json:"configurers,omitempty"`
	// Limits are where frequency asks for a reviewer; nil: [DefaultLimits].
	Limits *Limits `json:"limits,omitempty"`
	// Patterns are the legal entities of whose lookers patterns are shown to reviewers, or not, other than by default.
	Patterns []PatternSwitch `json:"patterns,omitempty"`
}

// PatternSwitch says of a legal entity whether reviewers are shown what is noticeable about how its people look.
type PatternSwitch struct {
	LegalEntity uuid.UUID `json:"legal_entity"`
	Shown       bool      `json:"shown"`
}

// PatternsByDefault says whether patterns are shown where nobody has decided: not where a works council decides first
// (DE: BetrVG § 87(1) no. 6).
func PatternsByDefault(jurisdiction string) bool { return jurisdiction != "DE" }

// ShowsPatterns says whether reviewers are shown what is noticeable about the looks of a legal entity's people.
func (m *Matrix) ShowsPatterns(entity uuid.UUID, jurisdiction string) bool {
	for _, s := range m.Patterns {
		if s.LegalEntity == entity {
			return s.Shown
		}
	}
	return PatternsByDefault(jurisdiction)
}

// Limits are how often somebody looks before a reviewer is asked.
type Limits struct {
	// PeoplePerDay are how many others somebody looks at within 24 hours, LooksPerWeek how often at one person in seven days.
	PeoplePerDay int `json:"people_per_day"`
	LooksPerWeek int `json:"looks_per_week"`
}

// The limits that hold if nothing else was agreed to, and how far they may be raised.
var (
	DefaultLimits = Limits{PeoplePerDay: 20, LooksPerWeek: 5}
	MaxLimits     = Limits{PeoplePerDay: 100, LooksPerWeek: 30}
)

// Frequency are the limits that hold.
func (m *Matrix) Frequency() Limits {
	if m == nil || m.Limits == nil {
		return DefaultLimits
	}
	return *m.Limits
}

// looksAtAll says whether somebody in a role may look at anything of anybody.
func (m *Matrix) looksAtAll(a Asker) bool {
	for _, t := range m.TiersOf(a.ID, a.Role) {
		if slices.ContainsFunc(m.Grants, func(g Grant) bool { return g.Tier == t.Key && g.Level != NoLook }) {
			return true
		}
	}
	return false
}

// Builtin is the matrix of an installation whose people have agreed to no other: HR administrators look at everybody,
// nobody else at anybody. It is shared, and never changed.
var Builtin = sync.OnceValue(func() *Matrix {
	m := &Matrix{Tiers: []Tier{
		{Key: "hr_admin", NameZh: "人事管理员", NameEn: "HR administrators", Role: models.RoleHRAdmin, Scope: ScopeAll, Default: true},
		{Key: "department_head", NameZh: "部门负责人", NameEn: "Department heads", Role: models.RoleDepartmentHead, Scope: ScopeDepartment, Default: true},
	}}
	for _, g := range Groups {
		for _, p := range Purposes {
			if level, granted := looks[g][p]; granted {
				m.Grants = append(m.Grants, Grant{Tier: "hr_admin", Group: g, Purpose: p, Level: level, Protected: LookAfterReview})
			}
		}
	}
	return m
})

// LookRoles are the roles that a tier may belong to.
var LookRoles = []models.Role{models.RoleHRAdmin, models.RoleDepartmentHead}

// Asker is who wants to look.
type Asker struct {
	ID   uuid.UUID
	Role models.Role
}

// Target is whose file it is, as it stands to the asker.
type Target struct {
	ID            uuid.UUID
	SameEntity    bool // both work for one legal entity, or did last
	SameSite      bool // both are at one site
	OwnDepartment bool // the asker heads its department
	// BelowDepartment: the asker heads its department or one above it.
	BelowDepartment bool
}

// Source is a tier that was consulted for a look.
type Source struct {
	Tier    string `json:"tier"`
	InScope bool   `json:"in_scope"`
	Level   Level  `json:"level"`
	// Protected: the level is that for people who are protected.
	Protected bool `json:"protected,omitempty"`
}

// reach orders the levels.
func (l Level) reach() int { return slices.Index(Levels, l) }

// further is the level that reaches further; what is none of them reaches nowhere.
func further(a, b Level) Level {
	if b.reach() > a.reach() {
		return b
	}
	return a
}

// TiersOf are the tiers of somebody in a role: those that name the person, else the role's default.
func (m *Matrix) TiersOf(id uuid.UUID, role models.Role) (tiers []Tier) {
	for _, t := range m.Tiers {
		if t.Role == role && slices.Contains(t.Members, id) {
			tiers = append(tiers, t)
		}
	}
	if tiers != nil {
		return tiers
	}
	for _, t := range m.Tiers {
		if t.Role == role && t.Default {
			tiers = append(tiers, t)
		}
	}
	return tiers
}

// HasScope says whether any tier has a scope.
func (m *Matrix) HasScope(s Scope) bool {
	return slices.ContainsFunc(m.Tiers, func(t Tier) bool { return t.Scope == s })
}

// ReachesBy says whether somebody who holds roles reaches people by a scope.
func (m *Matrix) ReachesBy(s Scope, id uuid.UUID, roles []models.Role) bool {
	return slices.ContainsFunc(roles, func(role models.Role) bool {
		return slices.ContainsFunc(m.TiersOf(id, role), func(t Tier) bool { return t.Scope == s })
	})
}

func (t Tier) reaches(target Target) bool {
	switch t.Scope {
	case ScopeAll:
		return true
	case ScopeEntity:
		return target.SameEntity
	case ScopeSite:
		return target.SameSite
	case ScopeDepartment:
		return target.OwnDepartment
	case ScopeBelow:
		return target.OwnDepartment || target.BelowDepartment
	}
	return false
}

// Reach is a scope in which somebody may look at something.
type Reach struct {
	Scope Scope
	// Protected: at people who are protected, too.
	Protected bool
}

// ReachOf is in which scopes somebody may look at something, each once. A tier without a grant reaches nobody.
func (m *Matrix) ReachOf(a Asker) (all []Reach) {
	for _, t := range m.TiersOf(a.ID, a.Role) {
		for _, protected := range []bool{false, true} {
			r := Reach{t.Scope, protected}
			if !slices.Contains(all, r) && slices.ContainsFunc(m.Grants, func(g Grant) bool {
				return g.Tier == t.Key && m.granted(t.Key, g.Group, g.Purpose, protected) != NoLook
			}) {
				all = append(all, r)
			}
		}
	}
	return all
}

// Look is how far somebody may look at a group for a purpose: the furthest of what the tiers grant, each of which is
// named. The own file is nobody's to open this way. It is pure.
func (m *Matrix) Look(a Asker, target Target, group Group, purpose Purpose) (level Level, by []Source) {
	level = NoLook
	if a.ID == target.ID {
		return level, nil
	}
	protected := slices.Contains(m.Protected, target.ID)
	for _, t := range m.TiersOf(a.ID, a.Role) {
		s := Source{Tier: t.Key, InScope: t.reaches(target), Level: NoLook, Protected: protected}
		if s.InScope {
			s.Level = m.granted(t.Key, group, purpose, protected)
		}
		by = append(by, s)
		level = further(level, s.Level)
	}
	return level, by
}

func (m *Matrix) granted(tier string, group Group, purpose Purpose, protected bool) Level {
	for _, g := range m.Grants {
		if g.Tier != tier || g.Group != group || g.Purpose != purpose {
			continue
		}
		if protected && g.Protected.reach() < g.Level.reach() {
			return g.Protected
		}
		return g.Level
	}
	return NoLook
}

// Shows is how fields of a group that are opened for some purposes stand in somebody's view of a file: masked if there is
// a purpose for which they could be looked at, and for the person; else hidden.
func (m *Matrix) Shows(a Asker, target Target, group Group, purposes []Purpose) Access {
	if a.ID == target.ID {
		return Masked
	}
	for _, p := range purposes {
		if level, _ := m.Look(a, target, group, p); level != NoLook {
			return Masked
		}
	}
	return Hidden
}

// Gains says whether somebody who holds roles could look further by another matrix than by this one, at whomever.
func (m *Matrix) Gains(other *Matrix, id uuid.UUID, roles []models.Role) bool {
	if slices.Contains(other.Configurers, id) && !slices.Contains(m.Configurers, id) {
		return true
	}
	// People who stand to the person in every way, protected by either, by both and by none.
	strangers := []uuid.UUID{{}}
	for _, p := range append(slices.Clone(m.Protected), other.Protected...) {
		if p != id {
			strangers = append(strangers, p)
		}
	}
	for _, role := range roles {
		a := Asker{id, role}
		was, is := m.Frequency(), other.Frequency()
		if (is.PeoplePerDay > was.PeoplePerDay || is.LooksPerWeek > was.LooksPerWeek) && other.looksAtAll(a) {
			return true
		}
		for _, who := range strangers {
			for _, t := range standing(who) {
				if m.lessThan(other, a, t) {
					return true
				}
			}
		}
	}
	return false
}

// Named are all groups, the program's own and those besides that a matrix names.
func Named(matrices ...*Matrix) []Group {
	all := slices.Clone(Groups)
	for _, m := range matrices {
		for _, g := range m.Grants {
			if !slices.Contains(all, g.Group) {
				all = append(all, g.Group)
			}
		}
	}
	return all
}

// standing is somebody in every way in which people stand to who asks.
func standing(who uuid.UUID) (all []Target) {
	for _, entity := range []bool{false, true} {
		for _, site := range []bool{false, true} {
			for _, t := range []Target{{}, {BelowDepartment: true}, {OwnDepartment: true, BelowDepartment: true}} {
				t.ID, t.SameEntity, t.SameSite = who, entity, site
				all = append(all, t)
			}
		}
	}
	return all
}

func (m *Matrix) lessThan(other *Matrix, a Asker, t Target) bool {
	for _, g := range Named(m, other) {
		for _, p := range Purposes {
			before, _ := m.Look(a, t, g, p)
			after, _ := other.Look(a, t, g, p)
			if after.reach() > before.reach() {
				return true
			}
		}
	}
	return false
}
