package access_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"lethe/internal/access"
	"lethe/models"
)

// TestTheBuiltinMatrixIsWhatLookAtGrants: an installation without a matrix of its own grants what the table says.
func TestTheBuiltinMatrixIsWhatLookAtGrants(t *testing.T) {
	m := access.Builtin()
	asker, target := uuid.New(), access.Target{ID: uuid.New()}
	for _, role := range models.Roles {
		for _, g := range access.Groups {
			for _, p := range access.Purposes {
				got, _ := m.Look(access.Asker{ID: asker, Role: role}, target, g, p)
				if want := access.LookAt(role, access.RelationNone, g, p); got != want {
					t.Errorf("%s, %s, %s: %s, not %s", role, g, p, got, want)
				}
			}
		}
	}
}

// TestI27_AMatrixByHand: scope, membership, the union of tiers and protection, each with the tier that gave it.
func TestI27_AMatrixByHand(t *testing.T) {
	pay, all, boss, head, leaver := uuid.New(), uuid.New(), uuid.New(), uuid.New(), uuid.New()
	m := &access.Matrix{
		Tiers: []access.Tier{
			{Key: "rest", Role: models.RoleHRAdmin, Scope: access.ScopeAll, Default: true},
			{Key: "pay", Role: models.RoleHRAdmin, Scope: access.ScopeEntity, Members: []uuid.UUID{pay, all}},
			{Key: "care", Role: models.RoleHRAdmin, Scope: access.ScopeAll, Members: []uuid.UUID{all}},
			{Key: "heads", Role: models.RoleDepartmentHead, Scope: access.ScopeDepartment, Default: true},
			{Key: "division", Role: models.RoleDepartmentHead, Scope: access.ScopeBelow, Members: []uuid.UUID{boss}},
		},
		Grants: []access.Grant{
			{Tier: "pay", Group: access.GroupPayBank, Purpose: access.Payroll, Level: access.Look, Protected: access.NoLook},
			{Tier: "care", Group: access.GroupPayBank, Purpose: access.Payroll, Level: access.LookAfterReview, Protected: access.Look},
			{Tier: "division", Group: access.GroupEmergencyContact, Purpose: access.MedicalEmergency, Level: access.Look, Protected: access.Look},
			{Tier: "heads", Group: access.GroupEmergencyContact, Purpose: access.MedicalEmergency, Level: access.Look, Protected: access.LookAfterReview},
		},
		Protected: []uuid.UUID{boss},
	}
	hr, dh := models.RoleHRAdmin, models.RoleDepartmentHead
	for _, c := range []struct {
		what    string
		asker   access.Asker
		target  access.Target
		group   access.Group
		purpose access.Purpose
		want    access.Level
		by      []access.Source
	}{
		{"no tier grants it", access.Asker{ID: head, Role: hr}, access.Target{ID: leaver, SameEntity: true}, access.GroupPayBank, access.Payroll, access.NoLook,
			[]access.Source{{Tier: "rest", InScope: true, Level: access.NoLook}}},
		{"in scope", access.Asker{ID: pay, Role: hr}, access.Target{ID: leaver, SameEntity: true}, access.GroupPayBank, access.Payroll, access.Look,
			[]access.Source{{Tier: "pay", InScope: true, Level: access.Look}}},
		{"another entity", access.Asker{ID: pay, Role: hr}, access.Target{ID: leaver}, access.GroupPayBank, access.Payroll, access.NoLook,
			[]access.Source{{Tier: "pay", Level: access.NoLook}}},
		{"the union", access.Asker{ID: all, Role: hr}, access.Target{ID: leaver}, access.GroupPayBank, access.Payroll, access.LookAfterReview,
			[]access.Source{{Tier: "pay", Level: access.NoLook}, {Tier: "care", InScope: true, Level: access.LookAfterReview}}},
		{"protected never reaches further", access.Asker{ID: all, Role: hr}, access.Target{ID: boss, SameEntity: true}, access.GroupPayBank, access.Payroll, access.LookAfterReview,
			[]access.Source{{Tier: "pay", InScope: true, Level: access.NoLook, Protected: true}, {Tier: "care", InScope: true, Level: access.LookAfterReview, Protected: true}}},
		{"the own department", access.Asker{ID: head, Role: dh}, access.Target{ID: leaver, OwnDepartment: true}, access.GroupEmergencyContact, access.MedicalEmergency, access.Look,
			[]access.Source{{Tier: "heads", InScope: true, Level: access.Look}}},
		{"a department below", access.Asker{ID: head, Role: dh}, access.Target{ID: leaver, BelowDepartment: true}, access.GroupEmergencyContact, access.MedicalEmergency, access.NoLook,
			[]access.Source{{Tier: "heads", Level: access.NoLook}}},
		{"a department below, by a tier that reaches there", access.Asker{ID: boss, Role: dh}, access.Target{ID: leaver, BelowDepartment: true}, access.GroupEmergencyContact, access.MedicalEmergency, access.Look,
			[]access.Source{{Tier: "division", InScope: true, Level: access.Look}}},
		{"neither own nor below", access.Asker{ID: boss, Role: dh}, access.Target{ID: leaver, SameEntity: true}, access.GroupEmergencyContact, access.MedicalEmergency, access.NoLook,
			[]access.Source{{Tier: "division", Level: access.NoLook}}},
		{"in another role", access.Asker{ID: pay, Role: dh}, access.Target{ID: leaver, SameEntity: true}, access.GroupPayBank, access.Payroll, access.NoLook,
			[]access.Source{{Tier: "heads", Level: access.NoLook}}},
		{"the own file", access.Asker{ID: pay, Role: hr}, access.Target{ID: pay, SameEntity: true}, access.GroupPayBank, access.Payroll, access.NoLook, nil},
		{"no such role", access.Asker{ID: pay, Role: models.RoleAuditor}, access.Target{ID: leaver, SameEntity: true}, access.GroupPayBank, access.Payroll, access.NoLook, nil},
	} {
		got, by := m.Look(c.asker, c.target, c.group, c.purpose)
		if diff := cmp.Diff(c.by, by); got != c.want || diff != "" {
			t.Errorf("%s: %s, not %s %s", c.what, got, c.want, diff)
		}
	}
	if m.Shows(access.Asker{ID: pay, Role: hr}, access.Target{ID: leaver, SameEntity: true}, access.GroupIdentity, access.Purposes) != access.Hidden ||
		m.Shows(access.Asker{ID: pay, Role: hr}, access.Target{ID: leaver, SameEntity: true}, access.GroupPayBank, access.Purposes) != access.Masked ||
		m.Shows(access.Asker{ID: pay, Role: hr}, access.Target{ID: pay}, access.GroupIdentity, nil) != access.Masked {
		t.Error("a group is shown that no purpose opens, or hidden that one opens")
	}
}

// drawMatrix is any matrix on a few people.
func drawMatrix(t *rapid.T, people []uuid.UUID, label string) *access.Matrix {
	m := &access.Matrix{}
	some := func(what string) []uuid.UUID {
		return rapid.SliceOfN(rapid.SampledFrom(people), 0, 3).Draw(t, label+what)
	}
	for i := range rapid.IntRange(1, 3).Draw(t, label+" tiers") {
		m.Tiers = append(m.Tiers, access.Tier{
			Key: string(rune('a' + i)), Role: rapid.SampledFrom(access.LookRoles).Draw(t, label+" role"), Scope: rapid.SampledFrom(access.Scopes).Draw(t, label+" scope"),
			Default: rapid.Bool().Draw(t, label+" default"), Members: some(" members"),
		})
	}
	for range rapid.IntRange(0, 4).Draw(t, label+" grants") {
		m.Grants = append(m.Grants, access.Grant{
			Tier: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, label+" tier"), Group: rapid.SampledFrom(access.Groups[:2]).Draw(t, label+" group"),
			Purpose: rapid.SampledFrom(access.Purposes[:2]).Draw(t, label+" purpose"), Level: rapid.SampledFrom(access.Levels).Draw(t, label+" level"),
			Protected: rapid.SampledFrom(access.Levels).Draw(t, label+" protected"),
		})
	}
	m.Protected, m.Configurers = some(" protected people"), some(" configurers")
	return m
}

// TestI21_WhoLooksGainsByHigherLimits, in a role that looks at anything; lower ones are nobody's gain.
func TestI21_WhoLooksGainsByHigherLimits(t *testing.T) {
	me, hr := uuid.New(), []models.Role{models.RoleHRAdmin}
	with := func(people, looks int) *access.Matrix {
		m := *access.Builtin()
		m.Limits = &access.Limits{PeoplePerDay: people, LooksPerWeek: looks}
		return &m
	}
	before := access.Builtin()
	for _, c := range []struct {
		people, looks int
		roles         []models.Role
		want          bool
	}{
		{21, 5, hr, true}, {20, 6, hr, true}, {20, 5, hr, false}, {19, 4, hr, false}, {30, 9, []models.Role{models.RoleReviewer}, false},
		{30, 9, []models.Role{models.RoleDepartmentHead}, false},
	} {
		if got := before.Gains(with(c.people, c.looks), me, c.roles); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if f := before.Frequency(); f != access.DefaultLimits || f != (access.Limits{PeoplePerDay: 20, LooksPerWeek: 5}) {
		t.Errorf("at first: %+v", f)
	}
}

// TestI21_GainsFindsEveryGain: whoever gains nothing can, at every person and in every role, look no further than before.
func TestI21_GainsFindsEveryGain(t *testing.T) {
	people := []uuid.UUID{uuid.New(), uuid.New(), uuid.New(), uuid.New()}
	rapid.Check(t, func(t *rapid.T) {
		before, after := drawMatrix(t, people, "before"), drawMatrix(t, people, "after")
		me := people[0]
		if before.Gains(before, me, access.LookRoles) {
			t.Fatal("what stays as it is gains somebody something")
		}
		gains := before.Gains(after, me, access.LookRoles)
		found := slices.Contains(after.Configurers, me) && !slices.Contains(before.Configurers, me)
		for _, role := range access.LookRoles {
			for _, who := range people {
				for _, target := range []access.Target{{ID: who}, {ID: who, SameEntity: true}, {ID: who, OwnDepartment: true}, {ID: who, BelowDepartment: true}, {ID: who, SameEntity: true, BelowDepartment: true}, {ID: who, SameEntity: true, OwnDepartment: true}} {
					for _, g := range access.Groups[:2] {
						for _, p := range access.Purposes[:2] {
							was, _ := before.Look(access.Asker{ID: me, Role: role}, target, g, p)
							is, _ := after.Look(access.Asker{ID: me, Role: role}, target, g, p)
							found = found || slices.Index(access.Levels, is) > slices.Index(access.Levels, was)
						}
					}
				}
			}
		}
		if found && !gains {
			t.Fatal("somebody gains and is not found to")
		}
	})
}
