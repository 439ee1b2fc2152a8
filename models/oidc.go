package models

import (
	"time"

	"github.com/google/uuid"
)

// OIDCLink says that a login of the company's OpenID provider is a user's. Issuer and subject
// together name the login; nothing else does.
type OIDCLink struct {
	ID            uuid.UUID
	UserID        uuid.UUID
	Issuer        string
	Subject       string
	LinkedBy      *uuid.UUID
	LinkedAt      time.Time `gorm:"->"`
	ConfirmedAt   *time.Time
	UnlinkedBy    *uuid.UUID
	UnlinkedAt    *time.Time
	LedgerEntryID *uuid.UUID
}

// TableName keeps GORM from writing o_id_c_links.
func (OIDCLink) TableName() string { return "oidc_links" }

// OIDCFlow is a browser that was sent to the provider and has not come back yet.
type OIDCFlow struct {
	ID          uuid.UUID
	StateHash   []byte
	BrowserHash []byte
	Role        Role
	SessionID   *uuid.UUID
	CreatedAt   time.Time `gorm:"->"`
	ExpiresAt   time.Time
}

// TableName keeps GORM from writing o_id_c_flows.
func (OIDCFlow) TableName() string { return "oidc_flows" }
