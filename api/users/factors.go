package users

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"lethe/api/httpkit"
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
	r := s.Resource("Identity", "")
	httpkit.Handle(r, httpkit.Route{
		At: "PUT /me/password", Summary: "Change the own password; other sessions end", To: httpkit.Everyone, Status: http.StatusNoContent,
		Problems: []int{http.StatusTooManyRequests},
	}, s.changePassword)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /totp", Summary: "Begin with a new authenticator", To: httpkit.Everyone,
		More: "The former one works until the new one is confirmed. Needs a step-up.",
	}, s.beginTOTP)
	httpkit.Handle(r, httpkit.Route{At: "POST /totp/confirmation", Summary: "Confirm the new authenticator; other sessions end", To: httpkit.Everyone}, s.confirmTOTP)
	httpkit.Handle(r, httpkit.Route{At: "POST /recovery-codes", Summary: "New recovery codes; the former ones are void", To: httpkit.Everyone}, s.renewRecoveryCodes)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /notices/{id}/acknowledgement", Summary: "Say that a notice was read", To: httpkit.Everyone,
		Status: http.StatusNoContent, Session: true,
	}, s.acknowledge)
}

func (s *server) changePassword(ctx context.Context, in *struct{ Body PasswordBody }) (*struct{}, error) {
	by := httpkit.BearerOf(ctx)
	if err := s.Identity.CheckPassword(ctx, by, in.Body.CurrentPassword); err != nil {
		return nil, err
	}
	return nil, s.Identity.ChangePassword(ctx, by, in.Body.NewPassword)
}

func (s *server) beginTOTP(ctx context.Context, _ *struct{}) (*httpkit.Answer[SecondFactor], error) {
	var made identity.TOTP
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		if _, err := identity.Dangerous(tx, httpkit.BearerOf(ctx)); err != nil {
			return err
		}
		made, err = s.Identity.BeginTOTP(tx, httpkit.BearerOf(ctx).UserID)
		return err
	})
	return &httpkit.Answer[SecondFactor]{Body: secondFactor(made)}, err
}

func (s *server) confirmTOTP(ctx context.Context, in *struct{ Body CodeBody }) (*httpkit.Answer[RecoveryCodes], error) {
	return s.recoveryCodes(ctx, func(tx *database.Tx) ([]string, error) {
		return s.Identity.ConfirmTOTP(tx, httpkit.BearerOf(ctx), in.Body.TOTP)
	})
}

func (s *server) renewRecoveryCodes(ctx context.Context, _ *struct{}) (*httpkit.Answer[RecoveryCodes], error) {
	return s.recoveryCodes(ctx, func(tx *database.Tx) ([]string, error) {
		return s.Identity.RenewRecoveryCodes(tx, httpkit.BearerOf(ctx))
	})
}

func (s *server) recoveryCodes(ctx context.Context, renew func(tx *database.Tx) ([]string, error)) (*httpkit.Answer[RecoveryCodes], error) {
	var codes []string
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		if _, err := identity.Dangerous(tx, httpkit.BearerOf(ctx)); err != nil {
			return err
		}
		codes, err = renew(tx)
		return err
	})
	return &httpkit.Answer[RecoveryCodes]{Body: RecoveryCodes{codes}}, err
}

func (s *server) acknowledge(ctx context.Context, in *struct {
	ID uuid.UUID `path:"id" doc:"The notice's id"`
}) (*struct{}, error) {
	return nil, database.Run(ctx, s.DB, func(tx *database.Tx) error { return identity.Acknowledge(tx, httpkit.BearerOf(ctx).UserID, in.ID) })
}
