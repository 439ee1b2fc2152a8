package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
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
	op := operation(http.MethodPut, "/me/password", "Identity", "Change the own password; other sessions end")
	op.DefaultStatus = http.StatusNoContent
	huma.Register(s.api, op, s.changePassword)
	op = operation(http.MethodPost, "/totp", "Identity", "Begin with a new authenticator")
	op.Description = "The former one works until the new one is confirmed. Needs a step-up."
	huma.Register(s.api, op, s.beginTOTP)
	op = operation(http.MethodPost, "/totp/confirmation", "Identity", "Confirm the new authenticator; other sessions end")
	huma.Register(s.api, op, s.confirmTOTP)
	op = operation(http.MethodPost, "/recovery-codes", "Identity", "New recovery codes; the former ones are void")
	huma.Register(s.api, op, s.renewRecoveryCodes)
	op = operation(http.MethodPost, "/notices/{id}/acknowledgement", "Identity", "Say that a notice was read")
	op.DefaultStatus = http.StatusNoContent
	huma.Register(s.api, op, s.acknowledge)
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
