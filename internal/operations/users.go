package operations

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/message"
	"lethe/models"
)

// RoleGrant is the command of [GrantRole] and of [RevokeRole].
type RoleGrant struct {
	UserID uuid.UUID   `json:"user_id"`
	Role   models.Role `json:"role"`
}

// UserReset is the command of [ResetUser] and of [DisableUser].
type UserReset struct {
	UserID uuid.UUID `json:"user_id"`
}

// LoginLink is the command of [LinkLogin].
type LoginLink struct {
	UserID  uuid.UUID `json:"user_id"`
	Issuer  string    `json:"issuer"`
	Subject string    `json:"subject"`
}

func (d Deps) createUser() approval.Operation {
	return approval.Define(approval.Spec[identity.NewUser]{
		Judge: func(tx *database.Tx, n identity.NewUser) (approval.Review, error) {
			employee, err := database.First[models.Employee](tx.DB().Select("id", "employee_no", "name", "status").Where("id = ?", n.EmployeeID))
			if err != nil {
				return approval.Review{}, gone(fmt.Errorf("reading a person: %w", err), database.ErrNotFound)
			}
			return approval.Review{
				Subjects: []uuid.UUID{employee.ID},
				Targets:  []approval.Target{{Kind: "employee", ID: employee.ID, Version: approval.Version(employee.Status)}},
				Changes: []approval.Change{
					shown("person", employee.EmployeeNo+" "+employee.Name), shown("login", n.Login), word("roles", "role", "", roleTexts(n.Roles)),
				},
			}, nil
		},
		Check: func(tx *database.Tx, _ models.Actor, n identity.NewUser) error { return n.Check(tx) },
		Run: func(tx *database.Tx, by approval.By, n identity.NewUser) (models.Ref, error) {
			user, err := identity.CreateUser(tx, by.Requester, n)
			return models.Ref{Kind: models.RefUser, ID: user.ID}, err
		},
	})
}

func (d Deps) grantRole() approval.Operation {
	return approval.Define(approval.Spec[RoleGrant]{
		Judge: func(tx *database.Tx, c RoleGrant) (approval.Review, error) {
			return userReview(tx, c.UserID, func(roles []models.Role) []approval.Change {
				after := roles
				if !slices.Contains(roles, c.Role) {
					after = append(slices.Clone(roles), c.Role)
				}
				return []approval.Change{word("roles", "role", roleTexts(roles), roleTexts(after))}
			})
		},
		Check: func(tx *database.Tx, _ models.Actor, c RoleGrant) error {
			return refusal(identity.Grantable(tx, c.UserID, c.Role))
		},
		Run: func(tx *database.Tx, by approval.By, c RoleGrant) (models.Ref, error) {
			return models.Ref{Kind: models.RefUser, ID: c.UserID}, identity.Grant(tx, c.UserID, c.Role, by.Requester)
		},
	})
}

func (d Deps) resetUser() approval.Operation {
	return approval.Define(approval.Spec[UserReset]{
		Judge: func(tx *database.Tx, c UserReset) (approval.Review, error) {
			return userReview(tx, c.UserID, func([]models.Role) []approval.Change {
				return []approval.Change{word("credentials", "approval.credentials", "", "reset")}
			})
		},
		Check: func(tx *database.Tx, _ models.Actor, c UserReset) error {
			return refusal(identity.Resettable(tx, c.UserID))
		},
		Run: func(tx *database.Tx, by approval.By, c UserReset) (models.Ref, error) {
			_, err := d.Identity.Reset(tx, by.Requester, c.UserID)
			return models.Ref{Kind: models.RefUser, ID: c.UserID}, err
		},
	})
}

// exists is all that a reset and a disabling ask of a user.
func exists(tx *database.Tx, _ models.Actor, c UserReset) error {
	_, _, err := identity.LockUser(tx, c.UserID)
	return err
}

// disableUser ends the access of a head or an administrator at once, which one person could use to get rid
// of those who watch; anybody else's ends on one person's word.
func (d Deps) disableUser() approval.Operation {
	return approval.Define(approval.Spec[UserReset]{
		Judge: func(tx *database.Tx, c UserReset) (approval.Review, error) {
			return userReview(tx, c.UserID, func([]models.Role) []approval.Change {
				return []approval.Change{word("credentials", "approval.credentials", "", "disabled")}
			})
		},
		Check: exists,
		Run: func(tx *database.Tx, by approval.By, c UserReset) (models.Ref, error) {
			return models.Ref{Kind: models.RefUser, ID: c.UserID}, identity.Disable(tx, c.UserID, by.Requester)
		},
	})
}

// revokeRole takes a role from a head or an administrator.
func (d Deps) revokeRole() approval.Operation {
	return approval.Define(approval.Spec[RoleGrant]{
		Judge: func(tx *database.Tx, c RoleGrant) (approval.Review, error) {
			return userReview(tx, c.UserID, func(roles []models.Role) []approval.Change {
				after := slices.DeleteFunc(slices.Clone(roles), func(r models.Role) bool { return r == c.Role })
				return []approval.Change{word("roles", "role", roleTexts(roles), roleTexts(after))}
			})
		},
		Check: func(tx *database.Tx, _ models.Actor, c RoleGrant) error {
			return refusal(identity.Revocable(tx, c.UserID, c.Role))
		},
		Run: func(tx *database.Tx, by approval.By, c RoleGrant) (models.Ref, error) {
			return models.Ref{Kind: models.RefUser, ID: c.UserID}, identity.RevokeRole(tx, c.UserID, c.Role, by.Requester)
		},
	})
}

func (d Deps) linkLogin() approval.Operation {
	return approval.Define(approval.Spec[LoginLink]{
		Judge: func(tx *database.Tx, c LoginLink) (approval.Review, error) {
			return userReview(tx, c.UserID, func([]models.Role) []approval.Change {
				return []approval.Change{shown("login_provider", c.Issuer), shown("login_subject", c.Subject)}
			})
		},
		Check: func(tx *database.Tx, _ models.Actor, c LoginLink) error {
			return refusal(identity.Linkable(tx, c.UserID, c.Issuer, c.Subject))
		},
		Run: func(tx *database.Tx, by approval.By, c LoginLink) (models.Ref, error) {
			_, err := identity.LinkLogin(tx, c.UserID, c.Issuer, c.Subject, by.Requester)
			return models.Ref{Kind: models.RefUser, ID: c.UserID}, err
		},
	})
}

// ErrNoAddress: there is nowhere to send the link to that somebody who has left enrols with.
var ErrNoAddress = errors.New("the file holds no private address")

// enrolFormer lets somebody who has left enrol another second factor. Whoever agrees has checked the document, too.
func (d Deps) enrolFormer() approval.Operation {
	return approval.Define(approval.Spec[identity.NewFactor]{
		Judge: func(tx *database.Tx, n identity.NewFactor) (approval.Review, error) {
			user, err := n.Account(tx)
			if err != nil {
				return approval.Review{}, gone(err, identity.ErrNoSuchPerson, identity.ErrPersonPurged, identity.ErrNotLeft)
			}
			since, _, err := message.Addressed(tx.DB(), n.EmployeeID)
			if err != nil {
				return approval.Review{}, err
			}
			employment, err := archive.LatestEmployment(tx.DB(), n.EmployeeID)
			if err != nil {
				return approval.Review{}, err
			}
			who, err := person(tx, n.EmployeeID)
			return approval.Review{
				Subjects: []uuid.UUID{n.EmployeeID},
				Targets:  []approval.Target{{Kind: "employee", ID: n.EmployeeID, Version: approval.Version(user.ID, user.Login, since)}},
				Changes: []approval.Change{
					who, shown("login", user.Login), word("identity_document", "identity_document", "", string(n.Document)),
					instant("private_address_since", employment.TimeZone, time.Time{}, since),
				},
			}, err
		},
		Check: func(tx *database.Tx, _ models.Actor, n identity.NewFactor) error {
			if _, err := n.Account(tx); err != nil {
				return err
			}
			return addressed(tx, n.EmployeeID)
		},
		Run: func(tx *database.Tx, by approval.By, n identity.NewFactor) (models.Ref, error) {
			user, err := d.Identity.HandOver(tx, by.Requester, n)
			if err == nil {
				err = addressed(tx, n.EmployeeID)
			}
			return models.Ref{Kind: models.RefUser, ID: user.ID}, err
		},
	})
}

func addressed(tx *database.Tx, person uuid.UUID) error {
	_, there, err := message.Addressed(tx.DB(), person)
	if err == nil && !there {
		err = ErrNoAddress
	}
	return err
}

// userReview is a user that would be changed: the matter of the person that it belongs to.
func userReview(tx *database.Tx, id uuid.UUID, changes func(roles []models.Role) []approval.Change) (approval.Review, error) {
	user, roles, err := identity.LockUser(tx, id)
	if err != nil {
		return approval.Review{}, gone(err, identity.ErrNoSuchUser)
	}
	who, err := person(tx, user.EmployeeID)
	if err != nil {
		return approval.Review{}, fmt.Errorf("naming whose user it is: %w", err)
	}
	set := ""
	if user.CredentialsSetBy != nil {
		set = user.CredentialsSetBy.String()
	}
	return approval.Review{
		Subjects: []uuid.UUID{user.EmployeeID},
		Targets:  []approval.Target{{Kind: "user", ID: user.ID, Version: approval.Version(user.State, roleTexts(roles), set)}},
		Changes:  append([]approval.Change{who, shown("login", user.Login)}, changes(roles)...),
	}, nil
}
