package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// StepUpLasts is how long a re-authentication counts for dangerous steps (I22).
const StepUpLasts = 5 * time.Minute

// What can be wrong with a step-up.
var (
	ErrStepUpFailed    = errors.New("the password or the code is not right")
	ErrStepUpForm      = errors.New("a step-up takes a password or a code, one of both")
	ErrSessionRequired = errors.New("a token cannot do what needs a person who is there")
)

// Fresh says that the person behind a session has proved again who they are, within the last five
// minutes. A token never has, whatever it carries (I22).
func Fresh(b Bearer, now time.Time) bool {
	return b.SessionID != uuid.Nil && b.TokenID == uuid.Nil && b.SteppedUpAt != nil &&
		!b.SteppedUpAt.After(now) && now.Sub(*b.SteppedUpAt) < StepUpLasts
}

// Reauthenticate steps a session up by password or TOTP code, and gives it a new token. Tries are
// counted before anything is compared; a wrong one is recorded, and so is a right one. Whoever tries
// too often has taken over somebody's browser rather than forgotten a password: the session ends.
func (s *Service) Reauthenticate(ctx context.Context, b Bearer, password, code string) (token string, err error) {
	switch {
	case b.SessionID == uuid.Nil:
		return "", ErrSessionRequired
	case (password == "") == (code == ""):
		return "", ErrStepUpForm
	}
	limits := b.limits()
	if err := take(ctx, s.db, limits); err != nil {
		return "", s.givenUp(ctx, b, err)
	}
	how, check := models.ByTOTP, s.codeCheck(code)
	if password != "" {
		if check, err = s.passwordCheck(ctx, b.UserID, password); err != nil {
			return "", err
		}
		how = models.ByPassword
	}
	err = database.Run(ctx, s.db, func(tx *database.Tx) error {
		user, err := lockUser(tx, b.UserID)
		if err != nil {
			return err
		}
		if _, err := sessionBearer(tx.DB().Where("s.id = ?", b.SessionID)); err != nil {
			return err
		}
		if err := check(tx, user); err != nil {
			return err
		}
		if err := giveBack(tx, limits); err != nil {
			return err
		}
		token, _, err = s.steppedUp(tx, b, how)
		return err
	})
	if errors.Is(err, ErrStepUpFailed) {
		return "", errors.Join(err, database.Run(ctx, s.db, func(tx *database.Tx) error {
			_, err := recordStepUp(tx, b, how, ledger.Failed)
			return err
		}))
	}
	return token, err
}

// proofCheck looks at what somebody gave, with the user locked. ErrStepUpFailed: it is wrong.
type proofCheck func(tx *database.Tx, user models.User) error

// passwordCheck compares the password, which takes its time, before anything is locked. It is
// refused still if the password was changed meanwhile.
func (s *Service) passwordCheck(ctx context.Context, userID uuid.UUID, password string) (proofCheck, error) {
	user, err := database.First[models.User](s.db.Read(ctx).Where("id = ?", userID))
	if err != nil {
		return nil, fmt.Errorf("finding the user of a session: %w", err)
	}
	right, _, err := s.hasher.verify(ctx, user.PasswordHash, password)
	if err != nil {
		return nil, err
	}
	return func(_ *database.Tx, locked models.User) error {
		if !right || locked.PasswordHash == nil || *locked.PasswordHash != *user.PasswordHash {
			return ErrStepUpFailed
		}
		return nil
	}, nil
}

// codeCheck compares a code of the second factor and uses it up.
func (s *Service) codeCheck(code string) proofCheck {
	return func(tx *database.Tx, user models.User) error {
		err := s.CheckTOTP(tx, user, code)
		if errors.Is(err, ErrCode) {
			return ErrStepUpFailed
		}
		return err
	}
}

// givenUp ends a session on which too much was tried.
func (s *Service) givenUp(ctx context.Context, b Bearer, err error) error {
	var throttled *ThrottledError
	if !errors.As(err, &throttled) {
		return err
	}
	ended := database.Run(ctx, s.db, func(tx *database.Tx) error { return s.endSession(tx, b, b.SessionID, "session.revoked") })
	if errors.Is(ended, database.ErrNotFound) {
		ended = nil
	}
	return errors.Join(err, ended)
}

// steppedUp is the end of every step-up: the ledger says so, the session is fresh and has a new token.
func (s *Service) steppedUp(tx *database.Tx, b Bearer, how models.Authentication) (token string, entry uuid.UUID, err error) {
	if entry, err = recordStepUp(tx, b, how, ledger.Done); err != nil {
		return "", entry, err
	}
	token, err = s.StepUp(tx, b.SessionID, entry)
	return token, entry, err
}

func recordStepUp(tx *database.Tx, b Bearer, how models.Authentication, result ledger.Result) (uuid.UUID, error) {
	action := "session.stepped_up"
	if result != ledger.Done {
		action = "session.step_up_refused"
	}
	return ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindSession, Action: action, Actor: &b.Actor, Subject: b.Actor.ID(), Object: "session/" + b.SessionID.String(),
		Result: result, Details: map[string]string{"authenticated": string(how)},
	})
}
