package sandbox

import (
	"slices"

	"lethe/sandbox/control"
)

// change is what one call wants of one account. It is data, so that it can wait
// in the state file when it was accepted for later.
type change struct {
	Active      *bool     `json:"active,omitempty"`
	UserName    *string   `json:"user_name,omitempty"`
	ExternalID  *string   `json:"external_id,omitempty"`
	EmployeeNo  *string   `json:"employee_no,omitempty"`
	Emails      *[]string `json:"emails,omitempty"`
	AddGroup    string    `json:"add_group,omitempty"`
	RemoveGroup string    `json:"remove_group,omitempty"`
	Revoke      bool      `json:"revoke,omitempty"`
	Delete      bool      `json:"delete,omitempty"`
}

// target is a change to one account, under the name of the operation.
type target struct {
	AccountID string `json:"account_id"`
	Op        string `json:"op"`
	Change    change `json:"change"`
}

// patchOp names a PATCH of a user by what it does to access.
func patchOp(c change) string {
	switch {
	case c.Active != nil && !*c.Active:
		return control.OpDisable
	case c.Active != nil:
		return control.OpEnable
	default:
		return control.OpModify
	}
}

// applied returns a changed copy of the account and whether anything changed.
// With residue, something of what should go stays.
func (c change) applied(a *account, residue bool) (*account, bool) {
	b := *a
	changed := false
	set(&b.Active, c.Active, &changed)
	set(&b.UserName, c.UserName, &changed)
	set(&b.ExternalID, c.ExternalID, &changed)
	set(&b.EmployeeNo, c.EmployeeNo, &changed)
	if c.Emails != nil && !slices.Equal(*c.Emails, b.Emails) {
		b.Emails, changed = *c.Emails, true
	}
	if c.AddGroup != "" && !slices.Contains(b.Groups, c.AddGroup) {
		b.Groups = append(slices.Clone(b.Groups), c.AddGroup)
		slices.Sort(b.Groups)
		changed = true
	}
	if i := slices.Index(b.Groups, c.RemoveGroup); i >= 0 && !residue {
		b.Groups = slices.Delete(slices.Clone(b.Groups), i, i+1)
		changed = true
	}
	if c.Revoke {
		left := 0
		if residue {
			left = 1
		}
		changed = changed || b.Sessions != left || b.Tokens != 0
		b.Sessions, b.Tokens = left, 0
	}
	return &b, changed || c.Delete
}

func set[T comparable](field *T, want *T, changed *bool) {
	if want != nil && *want != *field {
		*field, *changed = *want, true
	}
}
