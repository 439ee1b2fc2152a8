// Package access decides who may see what of whom. Its functions are pure: the same question gets
// the same answer, and what is not listed is refused.
package access

import "lethe/models"

// Relation is how an actor stands to the person whose file it is.
type Relation string

// The relations. Self counts before own department: heads see their own file as anyone does.
const (
	RelationNone          Relation = "none"
	RelationSelf          Relation = "self"
	RelationOwnDepartment Relation = "own_department"
	// RelationReached: a tier of the permissions lets the actor look at something in the file.
	RelationReached Relation = "reached"
)

// Relations lists them all.
var Relations = []Relation{RelationNone, RelationSelf, RelationOwnDepartment, RelationReached}

// Access is how a field is shown.
type Access string

// The ways to show a field. A masked one can be opened by a disclosure; a hidden one is left out.
const (
	Value  Access = "value"
	Masked Access = "masked"
	Hidden Access = "hidden"
)

// Sensitivities of a field, as in the field catalogue.
const (
	Basic     = "basic"
	Sensitive = "sensitive"
)

// MaySee says whether a role sees a person at all, that is, the basic fields: name, number,
// department, post, dates. The system itself has no views.
func MaySee(role models.Role, relation Relation) bool {
	switch role {
	case models.RoleHRAdmin, models.RoleReviewer, models.RoleAuditor, models.RoleITOps:
		return true
	case models.RoleDepartmentHead:
		return relation == RelationOwnDepartment || relation == RelationReached || relation == RelationSelf
	case models.RoleEmployee:
		return relation == RelationSelf
	}
	return false
}

// FieldAccess says how a field is shown. A sensitive value is never shown by a view: at most it is
// masked, for HR and for the person, who can ask for its disclosure. Everybody else does not even
// learn that the field exists. An unknown sensitivity counts as sensitive.
func FieldAccess(actor models.Actor, relation Relation, sensitivity string) Access {
	if !MaySee(actor.Role, relation) {
		return Hidden
	}
	if sensitivity == Basic {
		return Value
	}
	if actor.Role == models.RoleHRAdmin || relation == RelationSelf {
		return Masked
	}
	return Hidden
}
