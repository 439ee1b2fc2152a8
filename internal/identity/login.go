package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// ErrLoginFailed is the one answer to an unknown login, a wrong password, a wrong or missing second
// factor, and a user that cannot log in.
var ErrLoginFailed = errors.New("login, password or code is wrong")

// LoginOrder is somebody who wants a session. TOTP or RecoveryCode is required with the password.
type LoginOrder struct {
	Login, Password    string
	TOTP, RecoveryCode string
	Role               models.Role // empty: the user's usual one
	Client             Client
	// Current is the session that the browser has before, which ends with the login.
	Current Bearer
}

// Opened is a session that was opened, with what goes into the browser's cookies.
type Opened struct {
	Token, Device string
	Session       models.Session
}

// Login opens a session for whoever has both factors. Unknown users and wrong passwords are
// answered alike and after the same work. Too many tries are a [ThrottledError].
func (s *Service) Login(ctx context.Context, o LoginOrder) (Opened, error) {
	o.Login = normalLogin(o.Login)
	if err := s.flood.allow(o.Client); err != nil {
		return Opened{}, err
	}
	user, known, err := s.userByLogin(ctx, o.Login)
	if err != nil {
		return Opened{}, err
	}
	device, address, err := s.familiar(ctx, user, o.Client)
	if err != nil {
		return Opened{}, err
	}
	limits := limitsFor(o.Login, o.Client, device, address)
	if err := take(ctx, s.db, limits); err != nil {
		loginThrottled(ctx, user)
		return Opened{}, err
	}
	right, weaker, err := s.hasher.verify(ctx, user.PasswordHash, o.Password)
	if err != nil {
		return Opened{}, err
	}
	if !right || user.State != models.UserActive {
		return Opened{}, s.failed(ctx, o.Login, user, known)
	}
	opened, err := s.loggedIn(ctx, o, user, limits, weaker)
	if errors.Is(err, ErrCode) || errors.Is(err, ErrUserEnded) {
		return Opened{}, s.failed(ctx, o.Login, user, known)
	}
	if errors.Is(err, ErrRoleNotGranted) {
		if recorded := s.failed(ctx, o.Login, user, known); !errors.Is(recorded, ErrLoginFailed) {
			return Opened{}, recorded
		}
	}
	return opened, err
}

// loggedIn checks the second factor and opens the session, in one transaction.
func (s *Service) loggedIn(ctx context.Context, o LoginOrder, seen models.User, limits []rateLimit, weaker bool) (Opened, error) {
	var rehashed string
	if weaker {
		var err error
		if rehashed, err = s.hasher.hash(ctx, o.Password); err != nil {
			return Opened{}, err
		}
	}
	if len(bareCode(o.Client.Device)) != deviceLength {
		o.Client.Device = newCode(20) // none, or none of ours: it would be easy to guess
	}
	opened := Opened{Device: o.Client.Device}
	err := database.Run(ctx, s.db, func(tx *database.Tx) error {
		user, err := lockUser(tx, seen.ID)
		if err != nil {
			return err
		}
		if user.PasswordHash == nil || *user.PasswordHash != *seen.PasswordHash {
			return ErrUserEnded // reset while the password was being looked at
		}
		how, err := s.secondFactor(tx, user, o.TOTP, o.RecoveryCode)
		if err != nil {
			return err
		}
		if err := errors.Join(giveBack(tx, limits), remember(tx, user, o.Client), s.leave(tx, o.Current)); err != nil {
			return err
		}
		opened.Token, opened.Session, err = s.Open(tx, Opening{User: user, Role: o.Role, Authenticated: how, Client: o.Client})
		if err != nil || rehashed == "" {
			return err
		}
		err = database.UpdateOne(tx.DB().Model(&models.User{}).Where("id = ?", user.ID).
			Updates(map[string]any{"password_hash": rehashed, "ledger_entry_id": opened.Session.LedgerEntryID}))
		if err != nil {
			return fmt.Errorf("raising a password hash: %w", err)
		}
		return nil
	})
	return opened, err
}

// failed records a failed login and is ErrLoginFailed; one that cannot be recorded is told as that.
func (s *Service) failed(ctx context.Context, login string, user models.User, known bool) error {
	return s.refuse(ctx, "session.refused", login, user, known, ErrLoginFailed)
}

// refuse records that somebody tried to be a user without the credentials, and is refusal.
func (s *Service) refuse(ctx context.Context, action, login string, user models.User, known bool, refusal error) error {
	err := database.Run(ctx, s.db, func(tx *database.Tx) error {
		entry := ledger.Entry{Kind: ledger.KindSession, Action: action, Result: ledger.Refused, Rule: "credentials"}
		if known {
			entry.Subject, entry.Object = &user.EmployeeID, "user/"+user.ID.String()
		} else {
			entry.Object = "login/" + s.loginDigest(login)
		}
		_, err := ledger.Append(tx, entry)
		return err
	})
	if err != nil {
		return err
	}
	return refusal
}

// loginDigest stands for a login that nobody has, which may be a mistyped password.
func (s *Service) loginDigest(login string) string {
	mac := hmac.New(sha256.New, s.loginKey)
	mac.Write([]byte(login))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

func (s *Service) userByLogin(ctx context.Context, login string) (models.User, bool, error) {
	user, err := database.First[models.User](s.db.Read(ctx).Where("login = ?", login))
	if errors.Is(err, database.ErrNotFound) {
		return models.User{}, false, nil
	}
	if err != nil {
		return models.User{}, false, fmt.Errorf("finding a user: %w", err)
	}
	return user, true, nil
}

// CheckPassword says whether a password is the user's; a wrong one is recorded, and ErrLoginFailed. It
// counts the try in a limit of the session, since whoever asks has one; too many end it, as those of a
// step-up do.
func (s *Service) CheckPassword(ctx context.Context, by Bearer, password string) error {
	limits := by.limits()
	if err := take(ctx, s.db, limits); err != nil {
		return s.givenUp(ctx, by, err)
	}
	user, err := database.First[models.User](s.db.Read(ctx).Where("id = ?", by.UserID))
	if err != nil {
		return fmt.Errorf("finding a user: %w", err)
	}
	right, _, err := s.hasher.verify(ctx, user.PasswordHash, password)
	if err != nil {
		return err
	}
	if !right {
		return s.refuse(ctx, "password.change_refused", user.Login, user, true, ErrLoginFailed)
	}
	return database.Run(ctx, s.db, func(tx *database.Tx) error { return giveBack(tx, limits) })
}

// limits are those of tries within a session.
func (b Bearer) limits() []rateLimit {
	return []rateLimit{{limitSession, []string{b.UserID.String(), b.SessionID.String()}, 10, limitSessionEvery}}
}

func loginThrottled(ctx context.Context, user models.User) {
	throttled.Inc()
	slog.WarnContext(ctx, "login throttled", "user_id", user.ID.String())
}
