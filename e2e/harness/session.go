package harness

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

// Login is what a person types to log in.
type Login struct {
	Role                    models.Role
	Login, Password, Secret string // Secret is the authenticator's
}

// password is everybody's in a stack.
const password = "five-blue-otters-run-home"

// Session logs the person of the staff who holds the role in, over HTTP, and steps up at once: what
// the client does then is done by somebody who has just proved who they are. The first hr_admin is
// the bearer of Staff.HR.
func (s *Stack) Session(ctx context.Context, role models.Role) (*Client, error) {
	return s.SessionOf(ctx, s.people[role], role)
}

// SessionOf is Session for any person; it grants them the role if they do not hold it.
func (s *Stack) SessionOf(ctx context.Context, employee uuid.UUID, role models.Role) (*Client, error) {
	l, err := s.Credentials(ctx, employee, role)
	if err != nil {
		return nil, err
	}
	return s.LogIn(ctx, l)
}

// Credentials gives a person a user with the role, a password and an authenticator, anew at each call.
func (s *Stack) Credentials(ctx context.Context, employee uuid.UUID, role models.Role) (Login, error) {
	var user models.User
	err := database.Run(ctx, s.Facts, func(tx *database.Tx) (err error) {
		user, err = identity.GrantTo(tx, employee, role)
		return err
	})
	if err != nil {
		return Login{}, fmt.Errorf("granting %s: %w", role, err)
	}
	secret, err := identity.New(s.Facts, s.vault, identity.Options{Insecure: true}).SetCredentials(ctx, user.ID, password)
	if err != nil {
		return Login{}, fmt.Errorf("setting credentials: %w", err)
	}
	return Login{Role: role, Login: user.Login, Password: password, Secret: secret}, nil
}

// Try posts the login and returns the client with whatever cookies it got, and what the API said.
func (s *Stack) Try(ctx context.Context, l Login) (*Client, Answer, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, Answer{}, err
	}
	now, err := s.Facts.Now(ctx) // the clock that the server checks codes by
	if err != nil {
		return nil, Answer{}, err
	}
	code, err := totp.GenerateCode(l.Secret, now)
	if err != nil {
		return nil, Answer{}, fmt.Errorf("making a code: %w", err)
	}
	c := &Client{base: s.API, http: &http.Client{Timeout: 15 * time.Second, Jar: jar}}
	a, err := c.Do(ctx, http.MethodPost, "/api/v1/sessions",
		map[string]any{"login": l.Login, "password": l.Password, "totp": code, "role": l.Role})
	return c, a, err
}

// LogIn logs in and steps up, by the password, since each code counts once.
func (s *Stack) LogIn(ctx context.Context, l Login) (*Client, error) {
	c, a, err := s.Try(ctx, l)
	if err != nil {
		return nil, err
	}
	if a.Status/100 != 2 {
		return nil, fmt.Errorf("logging in as %s: %d %s", l.Role, a.Status, a.Body)
	}
	return c, c.StepUp(ctx, l)
}

// StepUp proves again who is there, for dangerous steps within the next five minutes.
func (c *Client) StepUp(ctx context.Context, l Login) error {
	_, err := c.call(ctx, http.MethodPost, "/api/v1/step-ups", map[string]any{"password": l.Password}, nil)
	return err
}
