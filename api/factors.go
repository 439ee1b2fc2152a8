package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/identity"
)

// PasswordBody replaces the own password.
type PasswordBody struct {
	CurrentPassword string `json:"current_password" minLength:"1" maxLength:"1000"`
	NewPassword     string `json:"new_password" minLength:"1" maxLength:"1000" doc:"12 to 128 characters of any kind"`
}

// CodeBody is a code of an authenticator.
type CodeBody struct {
	TOTP string `json:"totp" minLength:"6" maxLength:"20"`
}

func (s *server) registerFactors() {
	r := s.resource("Identity", "")
	handle(r, route{at: "PUT /me/password", summary: "Change the own password; other sessions end", to: everyone, status: http.StatusNoContent}, s.changePassword)
	handle(r, route{
		at: "POST /totp", summary: "Begin with a new authenticator", to: everyone,
		more: "The former one works until the new one is confirmed. Needs a step-up.",
	}, s.beginTOTP)
	handle(r, route{at: "POST /totp/confirmation", summary: "Confirm the new authenticator; other sessions end", to: everyone}, s.confirmTOTP)
	handle(r, route{at: "POST /recovery-codes", summary: "New recovery codes; the former ones are void", to: everyone}, s.renewRecoveryCodes)
	handle(r, route{
		at: "POST /notices/{id}/acknowledgement", summary: "Say that a notice was read", to: everyone,
		status: http.StatusNoContent, session: true,
	}, s.acknowledge)
}

func (s *server) changePassword(ctx context.Context, in *struct{ Body PasswordBody }) (*struct{}, error) {
	by := bearerOf(ctx)
	if err := s.Identity.CheckPassword(ctx, by, in.Body.CurrentPassword); err != nil {
		return nil, err
	}
	return nil, s.Identity.ChangePassword(ctx, by, in.Body.NewPassword)
}

func (s *server) beginTOTP(ctx context.Context, _ *struct{}) (*answer[SecondFactor], error) {
	var made identity.TOTP
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		if _, err := identity.Dangerous(tx, bearerOf(ctx)); err != nil {
			return err
		}
		made, err = s.Identity.BeginTOTP(tx, bearerOf(ctx).UserID)
		return err
	})
	return &answer[SecondFactor]{secondFactor(made)}, err
}

func (s *server) confirmTOTP(ctx context.Context, in *struct{ Body CodeBody }) (*answer[RecoveryCodes], error) {
	return s.recoveryCodes(ctx, func(tx *database.Tx) ([]string, error) {
		return s.Identity.ConfirmTOTP(tx, bearerOf(ctx), in.Body.TOTP)
	})
}

func (s *server) renewRecoveryCodes(ctx context.Context, _ *struct{}) (*answer[RecoveryCodes], error) {
	return s.recoveryCodes(ctx, func(tx *database.Tx) ([]string, error) {
		return s.Identity.RenewRecoveryCodes(tx, bearerOf(ctx))
	})
}

func (s *server) recoveryCodes(ctx context.Context, renew func(tx *database.Tx) ([]string, error)) (*answer[RecoveryCodes], error) {
	var codes []string
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		if _, err := identity.Dangerous(tx, bearerOf(ctx)); err != nil {
			return err
		}
		codes, err = renew(tx)
		return err
	})
	return &answer[RecoveryCodes]{RecoveryCodes{codes}}, err
}

func (s *server) acknowledge(ctx context.Context, in *struct {
	ID uuid.UUID `path:"id"`
}) (*struct{}, error) {
	return nil, database.Run(ctx, s.DB, func(tx *database.Tx) error { return identity.Acknowledge(tx, bearerOf(ctx).UserID, in.ID) })
}
