package operations

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/retention"
	"lethe/models"
)

// BasisChange is the command of [ChangeBasis].
type BasisChange struct {
	EmployeeID uuid.UUID     `json:"employee_id"`
	Patch      archive.Patch `json:"patch"`
}

func (d Deps) createEmployee() approval.Operation {
	return approval.Define(approval.Spec[archive.NewEmployee]{
		Judge: func(tx *database.Tx, n archive.NewEmployee) (approval.Review, error) {
			department, err := database.First[models.Department](tx.DB().Where("id = ?", n.DepartmentID))
			if err != nil {
				return approval.Review{}, gone(fmt.Errorf("reading a department: %w", err), database.ErrNotFound)
			}
			m := approval.Review{
				Targets: []approval.Target{{Kind: "department", ID: department.ID, Version: approval.Version(department.LegalEntityID)}},
				Changes: []approval.Change{
					shown("person", n.EmployeeNo+" "+n.Name), shown("department", department.NameZh+" "+department.NameEn),
					shown("post", n.Post), shown("hired_on", dayText(n.HiredOn)), count("sealed_fields", len(n.Fields)),
				},
			}
			// The number may be that of somebody who comes back: then it is about that person.
			known, err := archive.EmployeeByNo(tx.DB(), n.EmployeeNo)
			switch {
			case err == nil:
				m.Subjects = []uuid.UUID{known.ID}
				m.Targets = append(m.Targets, approval.Target{Kind: "employee", ID: known.ID, Version: approval.Version(known.Revision, known.Status)})
				m.Changes = append(m.Changes, word("stage", "status", string(known.Status), string(models.StatusActive)))
			case !errors.Is(err, database.ErrNotFound):
				return m, err
			}
			return m, nil
		},
		Check: func(tx *database.Tx, _ models.Actor, n archive.NewEmployee) error { return n.Check(tx) },
		Run: func(tx *database.Tx, _ approval.By, n archive.NewEmployee) (models.Ref, error) {
			id, _, err := archive.Create(tx, d.Vault, n)
			return models.Ref{Kind: models.RefEmployee, ID: id}, err
		},
	})
}

func (d Deps) changeBasis() approval.Operation {
	return approval.Define(approval.Spec[BasisChange]{
		Judge: func(tx *database.Tx, c BasisChange) (approval.Review, error) {
			if err := c.Patch.LockCopies(tx, c.EmployeeID); err != nil {
				return approval.Review{}, gone(err, database.ErrNotFound)
			}
			employee, employment, err := archive.LatestFile(tx, c.EmployeeID)
			if err != nil {
				return approval.Review{}, gone(err, database.ErrNotFound)
			}
			deadlines, rules, err := movedDeadlines(tx, c, employment)
			return approval.Review{
				Subjects: []uuid.UUID{employee.ID},
				Targets: []approval.Target{
					{Kind: "employee", ID: employee.ID, Version: approval.Version(employee.Revision, employee.Status)},
					employmentTarget(employment),
				},
				Changes: slices.Concat([]approval.Change{shown("person", employee.EmployeeNo+" "+employee.Name)},
					basisChanges(employee, employment, c.Patch), deadlines),
				Rules: rules,
			}, err
		},
		Check: func(tx *database.Tx, _ models.Actor, c BasisChange) error {
			_, _, err := prepareBasis(tx, c)
			return err
		},
		Run: func(tx *database.Tx, by approval.By, c BasisChange) (models.Ref, error) {
			file, deadlines, err := prepareBasis(tx, c)
			if err == nil {
				err = c.Patch.GainsNothing(tx, c.EmployeeID, by.Approver.EmployeeID)
			}
			if err == nil {
				err = file.Write(tx, d.Vault)
			}
			if err == nil {
				err = deadlines.Write(tx)
			}
			return models.Ref{Kind: models.RefEmployee, ID: c.EmployeeID}, err
		},
	})
}

// prepareBasis judges a change of what deadlines hang on, and how those that run would follow.
func prepareBasis(tx *database.Tx, c BasisChange) (file archive.Changing, deadlines retention.Following, err error) {
	if file, err = c.Patch.Prepare(tx, c.EmployeeID); err != nil {
		return file, deadlines, err
	}
	if err = departure.FitsHiring(tx, file.Employment); err != nil {
		return file, deadlines, err
	}
	deadlines, err = retention.PrepareFollowing(tx, file.Employment)
	return file, deadlines, err
}

// movedDeadlines says what the change would do to the deadlines that run (I6), and by which rules.
func movedDeadlines(tx *database.Tx, c BasisChange, employment models.Employment) (moved []approval.Change, versions []string, err error) {
	before, err := retention.RunningDeadlines(tx, employment.ID)
	if err != nil || len(before) == 0 {
		return nil, nil, err
	}
	file, deadlines, err := prepareBasis(tx, c)
	if err != nil {
		return nil, nil, err
	}
	after := maps.Clone(before)
	maps.Copy(after, deadlines.Moved)
	for _, category := range models.Categories {
		moved = append(moved, instant("category."+string(category), file.Employment.TimeZone, before[category], after[category]))
	}
	return differing(moved...), ruleVersions(deadlines.Rules), nil
}

// employmentTarget is an employment by what deadlines and dates hang on.
func employmentTarget(e models.Employment) approval.Target {
	return approval.Target{Kind: "employment", ID: e.ID, Version: approval.Version(e.LegalEntityID, e.Jurisdiction, e.TimeZone, e.HiredOn)}
}

func basisChanges(e models.Employee, m models.Employment, p archive.Patch) []approval.Change {
	changes := []approval.Change{
		text("jurisdiction", m.Jurisdiction, p.Jurisdiction), text("time_zone", m.TimeZone, p.TimeZone),
		text("name", e.Name, p.Name), text("post", m.Post, p.Post),
	}
	if p.LegalEntityID != nil {
		changes = append(changes, approval.Change{Field: "legal_entity", Before: m.LegalEntityID.String(), After: p.LegalEntityID.String()})
	}
	if p.DepartmentID != nil {
		changes = append(changes, approval.Change{Field: "department", Before: e.DepartmentID.String(), After: p.DepartmentID.String()})
	}
	if p.SiteID != nil || p.NoSite {
		changes = append(changes, approval.Change{Field: "site", Before: siteText(e.SiteID), After: siteText(p.SiteID)})
	}
	if p.HiredOn != nil {
		changes = append(changes, day("hired_on", m.HiredOn, *p.HiredOn))
	}
	if len(p.Fields) > 0 {
		changes = append(changes, count("sealed_fields", len(p.Fields)))
	}
	return differing(changes...)
}

func siteText(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}

func text(field, before string, after *string) approval.Change {
	c := approval.Change{Field: field, Before: before, After: before}
	if after != nil {
		c.After = *after
	}
	return c
}
