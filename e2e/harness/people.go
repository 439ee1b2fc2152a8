package harness

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
	"lethe/sandbox/control"
)

var discard = slog.New(slog.DiscardHandler)

// organisation is the departments that people are hired into, by jurisdiction.
type organisation map[string]uuid.UUID

// Staff are the tokens of the people who act in a test, each of a different person.
type Staff struct {
	HR, SecondHR, Reviewer, ITOps, Auditor string
	// HRPerson is who holds the token HR.
	HRPerson uuid.UUID
}

// Person is somebody who was hired into a stack.
type Person struct {
	No                       string
	EmployeeID, EmploymentID uuid.UUID
	// Accounts are the ids of the person's accounts, by system.
	Accounts map[string]string
}

// Hire says whom to hire. No is required.
type Hire struct {
	No           string
	Name         string            // by default made of the number
	Jurisdiction string            // DEMO by default, else CN
	Fields       map[string]string // by default one value for each of some sealed fields
	Systems      []string          // all by default
	// KnownIDs links the accounts by the systems' ids instead of leaving them to be looked up.
	KnownIDs bool
	// Unregistered plants the accounts and registers none of them.
	Unregistered bool
	// Account changes what is planted in a system.
	Account func(system string, p *control.Plant)
}

// found makes two legal entities and the staff.
func (s *Stack) found(ctx context.Context) error {
	s.organisation, s.people = organisation{}, map[models.Role]uuid.UUID{}
	for _, jurisdiction := range []string{models.DemoJurisdiction, "CN"} {
		if err := s.foundEntity(ctx, jurisdiction); err != nil {
			return err
		}
	}
	tokens := []struct {
		no    string
		role  models.Role
		token *string
	}{
		{"S-HR1", models.RoleHRAdmin, &s.Staff.HR}, {"S-HR2", models.RoleHRAdmin, &s.Staff.SecondHR},
		{"S-REV", models.RoleReviewer, &s.Staff.Reviewer}, {"S-OPS", models.RoleITOps, &s.Staff.ITOps},
		{"S-AUD", models.RoleAuditor, &s.Staff.Auditor},
	}
	for _, k := range tokens {
		person, err := s.Hire(ctx, Hire{No: k.no, Jurisdiction: "CN", Fields: map[string]string{}, Systems: []string{}})
		if err != nil {
			return err
		}
		if _, there := s.people[k.role]; !there {
			s.people[k.role] = person.EmployeeID
		}
		s.Staff.HRPerson = s.people[models.RoleHRAdmin]
		if *k.token, err = s.Token(ctx, person.EmployeeID, k.role); err != nil {
			return err
		}
	}
	return nil
}

// Token issues a token.
func (s *Stack) Token(ctx context.Context, employee uuid.UUID, role models.Role) (token string, err error) {
	err = database.Run(ctx, s.Facts, func(tx *database.Tx) error {
		if _, err := identity.GrantTo(tx, employee, role); err != nil {
			return err
		}
		// The clock may be moved by a day after this.
		token, _, err = identity.Issue(tx, employee, role, "test", 30*24*time.Hour, true)
		return err
	})
	return token, err
}

func (s *Stack) foundEntity(ctx context.Context, jurisdiction string) error {
	entity, department := uuid.New(), uuid.New()
	err := database.Run(ctx, s.Facts, func(tx *database.Tx) error {
		err := tx.DB().Create(&models.LegalEntity{
			ID: entity, Code: jurisdiction, NameZh: "测试" + jurisdiction, NameEn: "Test " + jurisdiction,
			Jurisdiction: jurisdiction, TimeZone: Zone, CutoffTime: "18:00:00",
		}).Error
		if err != nil {
			return err
		}
		return tx.DB().Create(&models.Department{
			ID: department, LegalEntityID: entity, Code: "D-" + jurisdiction, NameZh: "部门", NameEn: "Department",
		}).Error
	})
	if err != nil {
		return fmt.Errorf("founding the entity %s: %w", jurisdiction, err)
	}
	s.organisation[jurisdiction] = department
	return nil
}

func (h *Hire) complete() {
	if h.Name == "" {
		h.Name = "员工 " + h.No
	}
	if h.Jurisdiction == "" {
		h.Jurisdiction = models.DemoJurisdiction
	}
	if h.Systems == nil {
		h.Systems = SystemNames
	}
	if h.Fields == nil {
		h.Fields = map[string]string{
			"contract_no": "HT-" + h.No, "emergency_contact_phone": "13800000000", "id_number": "110101199003070003",
			"bank_account": "6222020000000000000", "social_insurance_no": "SI-" + h.No, "handover_note": "交接 " + h.No,
		}
	}
}

// Hire plants the person's accounts in the systems and puts the person with sealed fields and
// linked accounts into the archive.
func (s *Stack) Hire(ctx context.Context, h Hire) (Person, error) {
	h.complete()
	p := Person{No: h.No, Accounts: map[string]string{}}
	for _, system := range h.Systems {
		plant := control.Plant{
			EmployeeNo: h.No, Groups: []string{"staff", "team-" + system}, Sessions: 2, Tokens: 1,
		}
		if h.Account != nil {
			h.Account(system, &plant)
		}
		planted, err := s.System(system).Plant(ctx, plant)
		if err != nil {
			return p, err
		}
		p.Accounts[system] = planted[0].ID
	}
	err := database.Run(ctx, s.Facts, func(tx *database.Tx) (err error) {
		p.EmployeeID, p.EmploymentID, err = archive.Create(tx, s.vault, archive.NewEmployee{
			EmployeeNo: h.No, Name: h.Name, DepartmentID: s.organisation[h.Jurisdiction], Post: "工程师",
			HiredOn: clock.NewDate(2020, time.March, 1), Fields: h.Fields,
		})
		if err != nil {
			return err
		}
		for _, system := range h.Systems {
			if h.Unregistered {
				break
			}
			var id *string
			if h.KnownIDs {
				known := p.Accounts[system]
				id = &known
			}
			if _, err := account.Link(tx, p.EmploymentID, system, system, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("hiring %s: %w", h.No, err)
	}
	return p, nil
}
