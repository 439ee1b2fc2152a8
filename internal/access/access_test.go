package access_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"lethe/internal/access"
	"lethe/models"
)

// TestDecisions is the whole table: every role, relation and sensitivity.
func TestDecisions(t *testing.T) {
	type shown struct{ Basic, Sensitive access.Access }
	var (
		all     = shown{access.Value, access.Masked}
		basics  = shown{access.Value, access.Hidden}
		nothing = shown{access.Hidden, access.Hidden}
	)
	want := map[models.Role]map[access.Relation]shown{
		models.RoleHRAdmin:        {access.RelationNone: all, access.RelationOwnDepartment: all, access.RelationReached: all, access.RelationSelf: all},
		models.RoleDepartmentHead: {access.RelationNone: nothing, access.RelationOwnDepartment: basics, access.RelationReached: basics, access.RelationSelf: all},
		models.RoleEmployee:       {access.RelationNone: nothing, access.RelationOwnDepartment: nothing, access.RelationReached: nothing, access.RelationSelf: all},
		models.RoleReviewer:       {access.RelationNone: basics, access.RelationOwnDepartment: basics, access.RelationReached: basics, access.RelationSelf: all},
		models.RoleAuditor:        {access.RelationNone: basics, access.RelationOwnDepartment: basics, access.RelationReached: basics, access.RelationSelf: all},
		models.RoleITOps:          {access.RelationNone: basics, access.RelationOwnDepartment: basics, access.RelationReached: basics, access.RelationSelf: all},
		models.RoleSystem:         {access.RelationNone: nothing, access.RelationOwnDepartment: nothing, access.RelationReached: nothing, access.RelationSelf: nothing},
	}
	got := map[models.Role]map[access.Relation]shown{}
	for _, role := range append([]models.Role{models.RoleSystem}, models.Roles...) {
		actor := models.Actor{EmployeeID: uuid.New(), Role: role}
		got[role] = map[access.Relation]shown{}
		for _, relation := range access.Relations {
			got[role][relation] = shown{
				Basic:     access.FieldAccess(actor, relation, access.Basic),
				Sensitive: access.FieldAccess(actor, relation, access.Sensitive),
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFieldAccess_NeverShowsWhatIsNotBasic covers roles, relations and sensitivities that nobody
// has thought of.
func TestFieldAccess_NeverShowsWhatIsNotBasic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		role := models.Role(rapid.OneOf(rapid.String(), rapid.Map(rapid.SampledFrom(models.Roles), func(r models.Role) string { return string(r) })).Draw(t, "role"))
		relation := access.Relation(rapid.OneOf(rapid.String(), rapid.Map(rapid.SampledFrom(access.Relations), func(r access.Relation) string { return string(r) })).Draw(t, "relation"))
		sensitivity := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{access.Basic, access.Sensitive})).Draw(t, "sensitivity")
		got := access.FieldAccess(models.Actor{Role: role}, relation, sensitivity)
		if got == access.Value && sensitivity != access.Basic {
			t.Fatalf("a field of sensitivity %q is shown", sensitivity)
		}
		if got != access.Hidden && !access.MaySee(role, relation) {
			t.Fatal("a field of a person is shown to whom the person is not")
		}
		known := false
		for _, r := range models.Roles {
			known = known || r == role
		}
		if got != access.Hidden && !known {
			t.Fatalf("the unknown role %q sees a field", role)
		}
	})
}
