package models

import (
	"time"

	"github.com/google/uuid"
)

// Role is what a bearer may do.
type Role string

// The roles.
const (
	RoleHRAdmin        Role = "hr_admin"
	RoleDepartmentHead Role = "department_head"
	RoleEmployee       Role = "employee"
	RoleReviewer       Role = "reviewer"
	RoleAuditor        Role = "auditor"
	RoleITOps          Role = "it_ops"
)

// Roles lists them all.
var Roles = []Role{RoleHRAdmin, RoleDepartmentHead, RoleEmployee, RoleReviewer, RoleAuditor, RoleITOps}

// APIToken binds its bearer to one person and one role.
type APIToken struct {
	ID         uuid.UUID
	Prefix     string
	SecretHash []byte
	EmployeeID uuid.UUID
	Role       Role
	Label      string
	CreatedAt  time.Time `gorm:"->"`
	ExpiresAt  time.Time
	RevokedAt  *time.Time
}

// TableName keeps GORM from writing a_p_i_tokens.
func (APIToken) TableName() string { return "api_tokens" }

// IdempotencyKey is what a repeated request is answered with.
type IdempotencyKey struct {
	EmployeeID  uuid.UUID `gorm:"primaryKey"`
	KeyHash     []byte    `gorm:"primaryKey"`
	Route       string
	RequestHash []byte
	Status      int
	Location    string
	CreatedAt   time.Time `gorm:"->"`
	ExpiresAt   time.Time
}

// Actor is who does something: a person in a role, or the system itself.
type Actor struct {
	EmployeeID uuid.UUID
	Role       Role
}

// RoleSystem acts where no person does: timers, activities, the relay.
const RoleSystem Role = "system"

// System is the actor of everything that time or a workflow does.
var System = Actor{Role: RoleSystem}

// ID is the person, nil for the system: what actor columns store.
func (a Actor) ID() *uuid.UUID {
	if a.EmployeeID == uuid.Nil {
		return nil
	}
	id := a.EmployeeID
	return &id
}
