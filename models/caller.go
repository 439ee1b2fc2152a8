package models

import (
	"context"

	"github.com/google/uuid"

	"lethe/internal/closed"
)

// Authentication is how somebody proved who they are, as the ledger records it.
type Authentication string

// The ways.
const (
	// ByNothing is the system's own doing: timers, activities, the relay.
	ByNothing    Authentication = "none"
	ByToken      Authentication = "token"
	ByPassword   Authentication = "password"
	ByTOTP       Authentication = "password_totp"
	ByRecovery   Authentication = "password_recovery_code"
	ByOIDC       Authentication = "oidc"
	ByBreakGlass Authentication = "break_glass"
	// ByLink is a one-time link by mail and the second factor: of somebody who has left, for the own data alone.
	ByLink Authentication = "link_totp"
	// ByHost is a command run on the host by whoever administers it.
	ByHost Authentication = "host"
)

// Authentications lists them all.
var Authentications = closed.Of("authenticated", ByNothing, ByToken, ByPassword, ByTOTP, ByRecovery, ByOIDC, ByBreakGlass, ByLink, ByHost)

// Caller is who is behind a request, beyond the [Actor] that the domain decides by. It travels in
// the context, so that the ledger can record it with whatever the request changes.
type Caller struct {
	Actor         Actor
	UserID        uuid.UUID // the account that was used; a person may have several
	SessionID     uuid.UUID // Nil unless a session
	TokenID       uuid.UUID // Nil unless a token
	Authenticated Authentication
	RequestID     string
	// ApprovalID is what is being carried out: nothing that the caller does in this transaction was
	// decided by the caller alone. Nil without one.
	ApprovalID uuid.UUID
	// Requester is who asked for what is being carried out; nil unless something is.
	Requester *Requester
}

// Requester is who asked for what a second person agreed to, and how they proved who they were then.
type Requester struct {
	Actor         Actor
	UserID        uuid.UUID // Nil if the user is not known any more
	Authenticated Authentication
}

type callerKey struct{}

// WithCaller puts the caller into a context.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf is who is behind a context; without one it is the system.
func CallerOf(ctx context.Context) Caller {
	c, ok := ctx.Value(callerKey{}).(Caller)
	if !ok {
		return Caller{Actor: System, Authenticated: ByNothing}
	}
	return c
}
