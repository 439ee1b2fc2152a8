package operations

import (
	"errors"
	"strconv"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/permission"
	"lethe/models"
)

// PermissionsChange is the command of [Permissions].
type PermissionsChange struct {
	// Matrix is the wished one; its version is that which it was made from.
	Matrix access.Matrix `json:"matrix"`
}

// permissions puts another matrix into force. Neither who asks nor who agrees gains by it.
func (d Deps) permissions() approval.Operation {
	return approval.Define(approval.Spec[PermissionsChange]{
		Judge: func(tx *database.Tx, c PermissionsChange) (approval.Review, error) {
			before, err := permission.Current(tx.DB())
			if err != nil {
				return approval.Review{}, err
			}
			if c.Matrix.Version != before.Version {
				return approval.Review{}, errors.Join(approval.ErrGone, permission.ErrChanged)
			}
			changes, err := permissionChanges(tx, before, &c.Matrix)
			return approval.Review{
				Targets: []approval.Target{{Kind: models.RefPermission, ID: permission.ID, Version: strconv.Itoa(before.Version)}}, Changes: changes,
			}, err
		},
		Check: func(tx *database.Tx, by models.Actor, c PermissionsChange) error {
			own, err := archive.OwnNow(tx.DB())
			if err != nil {
				return err
			}
			return refusal(permission.Prepare(tx, by, c.Matrix, own.Groups()))
		},
		Run: func(tx *database.Tx, by approval.By, c PermissionsChange) (models.Ref, error) {
			own, err := archive.OwnNow(tx.DB())
			if err != nil {
				return models.Ref{}, err
			}
			return models.Ref{Kind: models.RefPermission, ID: permission.ID}, permission.Set(tx, by.Requester, by.Approver, c.Matrix, own.Groups())
		},
	})
}

// permissionChanges says for whom what changes.
func permissionChanges(tx *database.Tx, before, after *access.Matrix) ([]approval.Change, error) {
	all := permission.Changes(before, after)
	names, err := numbered(tx, all)
	if err != nil {
		return nil, err
	}
	own, err := archive.OwnNow(tx.DB())
	if err != nil {
		return nil, err
	}
	tiers := map[string]string{}
	for _, m := range []*access.Matrix{before, after} {
		for _, t := range m.Tiers {
			tiers[t.Key] = i18n.Both(t.NameZh, t.NameEn)
		}
	}
	changes := make([]approval.Change, len(all))
	for i, c := range all {
		changed := approval.Change{Field: "permission_" + c.What, Before: c.Before, After: c.After}
		switch c.What {
		case "grant", "grant_protected":
			changed.Words, changed.About = "look_level", []string{tiers[c.Tier], groupText(own.OwnCatalogue, c.Group), "purpose." + string(c.Purpose)}
		case "scope":
			changed.Words, changed.About = "permission_scope", []string{tiers[c.Tier]}
		case permission.LimitPeople, permission.LimitLooks:
		case permission.PatternsShown:
			entity, err := database.First[models.LegalEntity](tx.DB().Where("id = ?", c.Entity))
			if err != nil {
				return nil, database.Wrap("naming a legal entity", err)
			}
			changed.Words, changed.About = "patterns_shown", []string{i18n.Both(entity.NameZh, entity.NameEn)}
		case "tier":
			changed.Words, changed.About = "yes_no", []string{tiers[c.Tier]}
		default:
			changed.Words, changed.About = "yes_no", []string{names[c.Person]}
			if c.Tier != "" {
				changed.About = []string{tiers[c.Tier], names[c.Person]}
			}
		}
		changes[i] = changed
	}
	return changes, nil
}

// groupText is a group for [approval.Change.About]: a key of the catalogues, or the label of a section of the company's own.
func groupText(own archive.OwnCatalogue, g access.Group) string {
	if label, ok := own.GroupLabel(g); ok {
		return i18n.Both(label(i18n.Chinese), label(i18n.English))
	}
	return "field_group." + string(g)
}

// numbered names people by number and name.
func numbered(tx *database.Tx, all []permission.Change) (map[uuid.UUID]string, error) {
	var ids models.IDs
	for _, c := range all {
		if c.Person != uuid.Nil {
			ids = append(ids, c.Person)
		}
	}
	names := map[uuid.UUID]string{}
	if len(ids) == 0 {
		return names, nil
	}
	var rows []models.Employee
	if err := tx.DB().Select("id", "employee_no", "name").Where("id = ANY (?)", ids).Find(&rows).Error; err != nil {
		return nil, database.Wrap("naming people", err)
	}
	for _, e := range rows {
		names[e.ID] = e.EmployeeNo + " " + e.Name
	}
	return names, nil
}
