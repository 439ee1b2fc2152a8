package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
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
var Roles = closed.Of("role", RoleHRAdmin, RoleDepartmentHead, RoleEmployee, RoleReviewer, RoleAuditor, RoleITOps)

// UserState is whether an account can be used.
type UserState string

// The states of a user.
const (
	UserEnrolling UserState = "enrolling" // waits for its owner to set the credentials
	UserActive    UserState = "active"
	UserSuspended UserState = "suspended" // by an emergency cut, which gives it back when it is lifted
	UserDisabled  UserState = "disabled"
)

// UserStates say what may follow each.
var UserStates = closed.States("users.state", "user_state", [][]UserState{
	{UserEnrolling, UserActive, UserDisabled}, {UserActive, UserEnrolling, UserSuspended, UserDisabled}, {UserSuspended, UserActive, UserDisabled}, {UserDisabled, UserEnrolling},
})

// User is an account of a person here.
type User struct {
	ID            uuid.UUID
	EmployeeID    uuid.UUID
	Login         string // in lower case
	State         UserState
	PasswordHash  *string // a PHC string; without one there is no login by password
	PasswordSetAt *time.Time
	// TOTPSealed is the secret in force; TOTPPendingSealed waits for its first code.
	TOTPSealed        Sealed `gorm:"column:totp_sealed"`
	TOTPPendingSealed Sealed `gorm:"column:totp_pending_sealed"`
	TOTPLastStep      int64  `gorm:"column:totp_last_step"`
	CreatedBy         *uuid.UUID
	// CredentialsSetBy is who created the user or reset it last, until its owner has enrolled.
	CredentialsSetBy *uuid.UUID
	// AccessEndedAt is when the user was disabled or reset last: what it asked for before has ended.
	AccessEndedAt *time.Time
	CreatedAt     time.Time `gorm:"->"`
	// LedgerEntryID names the entry of the last change of what the user may be used for, as that of each row
	// below does.
	LedgerEntryID *uuid.UUID
}

// UserRole is a role that a user holds, or held until it was revoked.
type UserRole struct {
	ID            uuid.UUID
	UserID        uuid.UUID
	Role          Role
	GrantedBy     *uuid.UUID
	GrantedAt     time.Time `gorm:"->"`
	RevokedBy     *uuid.UUID
	RevokedAt     *time.Time
	LedgerEntryID *uuid.UUID
}

// Enrolment waits for an owner to set the credentials of a user. Whoever made or reset the user is
// First, the second pair of eyes is Second; each is given one half of the code.
type Enrolment struct {
	UserID        uuid.UUID `gorm:"primaryKey"`
	FirstBy       *uuid.UUID
	FirstHash     []byte
	SecondBy      *uuid.UUID
	SecondHash    []byte
	ExpiresAt     time.Time
	LedgerEntryID *uuid.UUID
}

// IdentityDocument is what somebody showed in person: the kind alone is kept, never a number or a copy.
type IdentityDocument string

// The kinds of documents.
const (
	DocumentIdentityCard    IdentityDocument = "identity_card"
	DocumentPassport        IdentityDocument = "passport"
	DocumentTravelPermit    IdentityDocument = "travel_permit"
	DocumentResidencePermit IdentityDocument = "residence_permit"
	DocumentDrivingLicence  IdentityDocument = "driving_licence"
)

// IdentityDocuments lists them all.
var IdentityDocuments = closed.Of("identity_document", DocumentIdentityCard, DocumentPassport, DocumentTravelPermit, DocumentResidencePermit, DocumentDrivingLicence)

// EnrolmentHalf is that somebody was given a half of the code by which a user's owner enrolled.
// ConfirmedAt is when the owner showed to be there.
type EnrolmentHalf struct {
	ID            uuid.UUID
	UserID        uuid.UUID
	GivenTo       uuid.UUID
	GivenAt       time.Time `gorm:"->"`
	ConfirmedAt   *time.Time
	LedgerEntryID *uuid.UUID
}

// RecoveryCode stands in for a TOTP code, once.
type RecoveryCode struct {
	ID            uuid.UUID
	UserID        uuid.UUID
	CodeHash      []byte
	UsedAt        *time.Time
	LedgerEntryID *uuid.UUID
}

// Session is a login.
type Session struct {
	ID            uuid.UUID
	TokenHash     *string
	Data          []byte
	UserID        uuid.UUID
	Role          Role
	Authenticated Authentication
	SteppedUpAt   *time.Time
	BreakGlass    bool
	Address       string
	Agent         string
	CreatedAt     time.Time `gorm:"->"`
	SeenAt        time.Time `gorm:"->"`
	IdleExpiresAt time.Time
	ExpiresAt     time.Time
	RevokedAt     *time.Time
	LedgerEntryID *uuid.UUID
}

// BreakGlass is one pair of the sealed codes for the day on which nobody can log in.
type BreakGlass struct {
	ID            uuid.UUID
	FirstHash     []byte
	SecondHash    []byte
	CreatedAt     time.Time `gorm:"->"`
	SupersededAt  *time.Time
	UsedAt        *time.Time
	UsedBy        *uuid.UUID
	LedgerEntryID *uuid.UUID
}

// TableName keeps GORM from writing break_glasses.
func (BreakGlass) TableName() string { return "break_glass" }

// Notice is something that everybody must get to know.
type Notice struct {
	ID     uuid.UUID
	Kind   string
	UserID *uuid.UUID // whom it is about
	// Roles are who is told: whoever holds one of them, but whom it is about; none: everybody.
	Roles     Names     `gorm:"type:text[]"`
	CreatedAt time.Time `gorm:"->"`
}

// APIToken binds its bearer to one user and one role of it. Scopes, if any, narrow what it may do.
type APIToken struct {
	ID         uuid.UUID
	Prefix     string
	SecretHash []byte
	UserID     uuid.UUID
	EmployeeID uuid.UUID
	Role       Role
	Scopes     string // separated by spaces, as in RFC 6749, 3.3
	Label      string
	// OnHost says that an administrator of the host issued it, not its owner.
	OnHost        bool
	CreatedAt     time.Time `gorm:"->"`
	ExpiresAt     time.Time
	RevokedAt     *time.Time
	LedgerEntryID *uuid.UUID
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

// AccessLink is a one-time link by which somebody who has left reaches the own data. LoginSealed is for whom it was asked
// for, until a worker has looked whose that is; nobody's has no user.
type AccessLink struct {
	ID            uuid.UUID
	LoginSealed   Sealed
	AskedAt       time.Time
	ResolvedAt    *time.Time
	UserID        *uuid.UUID
	MessageID     *uuid.UUID
	CodeHash      []byte
	ExpiresAt     *time.Time
	Tries         int
	UsedAt        *time.Time
	LedgerEntryID uuid.UUID
}
