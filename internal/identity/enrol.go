package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/models"
)

// Enrolling is what an owner hands in to set the credentials: the login and both halves of the code
// in either order, one after the other in Code or the second one in Second.
type Enrolling struct {
	Login  string
	Code   string
	Second string
	Client Client
}

// BeginEnrolment sets the password and shows the secret of the second factor, once: a second call
// makes a new one. The user becomes active with the first code, in [Service.FinishEnrolment].
func (s *Service) BeginEnrolment(ctx context.Context, e Enrolling, password string) (secret TOTP, err error) {
	user, err := s.checkEnrolment(ctx, e)
	if err != nil {
		return TOTP{}, err
	}
	hash, err := s.newPassword(ctx, user, password)
	if err != nil {
		return TOTP{}, err
	}
	err = database.Run(ctx, s.db, func(tx *database.Tx) error {
		if err := s.lockEnrolment(tx, user.ID, e); err != nil {
			return err
		}
		entry, err := record(tx, models.Actor{EmployeeID: user.EmployeeID, Role: models.RoleEmployee}, "enrolment.begun", user, nil)
		if err != nil {
			return err
		}
		if err := setPassword(tx, user.ID, hash, entry); err != nil {
			return err
		}
		secret, err = s.BeginTOTP(tx, user.ID)
		return err
	})
	return secret, err
}

// FinishEnrolment confirms the second factor, makes the user active and gives out its recovery
// codes. From here on the credentials are the owner's alone (I21).
func (s *Service) FinishEnrolment(ctx context.Context, e Enrolling, code string) (recovery []string, err error) {
	seen, err := s.checkEnrolment(ctx, e)
	if err != nil {
		return nil, err
	}
	err = database.Run(ctx, s.db, func(tx *database.Tx) error {
		if err := s.lockEnrolment(tx, seen.ID, e); err != nil {
			return err
		}
		user, err := lockUser(tx, seen.ID)
		if err != nil {
			return err
		}
		if user.PasswordHash == nil {
			return ErrEnrolment
		}
		entry, err := record(tx, models.Actor{EmployeeID: user.EmployeeID, Role: models.RoleEmployee}, "user.enrolled", user, nil)
		if err != nil {
			return err
		}
		if recovery, err = s.confirm(tx, user, code, entry); err != nil {
			return err
		}
		err = database.UpdateOne(tx.DB().Model(&models.User{}).Where("id = ? AND state = ?", user.ID, models.UserEnrolling).
			Updates(map[string]any{"state": models.UserActive, "credentials_set_by": nil, "ledger_entry_id": entry}))
		if err != nil {
			return fmt.Errorf("making a user active: %w", err)
		}
		if err := tx.DB().Where("user_id = ?", user.ID).Delete(&models.Enrolment{}).Error; err != nil {
			return database.Wrap("using up an enrolment", err)
		}
		return nil
	})
	return recovery, err
}

// ChangePassword sets another password for the user of a session, who has just given the present
// one. The user's other sessions end.
func (s *Service) ChangePassword(ctx context.Context, by Bearer, password string) error {
	user, err := database.First[models.User](s.db.Read(ctx).Where("id = ?", by.UserID))
	if err != nil {
		return fmt.Errorf("finding a user: %w", err)
	}
	hash, err := s.newPassword(ctx, user, password)
	if err != nil {
		return err
	}
	return database.Run(ctx, s.db, func(tx *database.Tx) error {
		if _, err := lockUser(tx, user.ID); err != nil {
			return err
		}
		if err := RequireConfirmed(tx, by); err != nil {
			return err
		}
		entry, err := record(tx, by.Actor, "password.changed", user, nil)
		if err != nil {
			return err
		}
		if err := setPassword(tx, user.ID, hash, entry); err != nil {
			return err
		}
		return endOthers(tx, by)
	})
}

// newPassword judges a password for a user and hashes it.
func (s *Service) newPassword(ctx context.Context, user models.User, password string) (string, error) {
	person, err := database.First[models.Employee](s.db.Read(ctx).Select("id", "employee_no", "name").Where("id = ?", user.EmployeeID))
	if err != nil {
		return "", fmt.Errorf("finding the person of a user: %w", err)
	}
	if err := checkPassword(password, user.Login, person.Name, person.EmployeeNo); err != nil {
		return "", err
	}
	return s.hasher.hash(ctx, password)
}

func setPassword(tx *database.Tx, userID uuid.UUID, hash string, entry uuid.UUID) error {
	err := database.UpdateOne(tx.DB().Model(&models.User{}).Where("id = ?", userID).
		Updates(map[string]any{"password_hash": hash, "password_set_at": gorm.Expr("lethe_now()"), "ledger_entry_id": entry}))
	return database.Wrap("storing a password", err)
}

// SetCredentials gives a user a password and a second factor without asking anybody, and returns
// the latter's secret: for the demo company and for tests, whose databases are marked dev.
func (s *Service) SetCredentials(ctx context.Context, userID uuid.UUID, password string) (secret string, err error) {
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	err = database.Run(ctx, s.db, func(tx *database.Tx) error {
		if err := inDevelopment(tx); err != nil {
			return err
		}
		made, err := s.BeginTOTP(tx, userID)
		if err != nil {
			return err
		}
		secret = made.Secret
		user, err := lockUser(tx, userID)
		if err != nil {
			return err
		}
		entry, err := record(tx, models.System, "user.enrolled", user, map[string]string{"how": "development"})
		if err != nil {
			return err
		}
		err = database.UpdateOne(tx.DB().Model(&models.User{}).Where("id = ?", userID).Updates(map[string]any{
			"totp_sealed": user.TOTPPendingSealed, "totp_pending_sealed": models.Sealed{}, "totp_last_step": 0, "ledger_entry_id": entry,
		}))
		if err != nil {
			return fmt.Errorf("storing a second factor: %w", err)
		}
		return setPassword(tx, userID, hash, entry)
	})
	return secret, err
}

// checkEnrolment finds the user whose code it is. Tries are counted by address, and wrong ones are
// recorded; codes have at least 80 random bits.
func (s *Service) checkEnrolment(ctx context.Context, e Enrolling) (models.User, error) {
	user, err := s.enrolling(ctx, e)
	if errors.Is(err, ErrEnrolment) {
		err = s.refuse(ctx, "enrolment.refused", normalLogin(e.Login), user, user.ID != uuid.Nil, err)
	}
	return user, err
}

func (s *Service) enrolling(ctx context.Context, e Enrolling) (models.User, error) {
	if err := s.tryCode(ctx, e.Client); err != nil {
		return models.User{}, err
	}
	user, known, err := s.userByLogin(ctx, normalLogin(e.Login))
	if err != nil {
		return user, err
	}
	if !known || user.State != models.UserEnrolling {
		return user, ErrEnrolment
	}
	row, err := database.First[models.Enrolment](s.db.Read(ctx).Where("user_id = ? AND expires_at > lethe_now()", user.ID))
	if err != nil {
		return user, database.Found("reading an enrolment", err, ErrEnrolment)
	}
	if !e.opens(row) {
		return user, ErrEnrolment
	}
	return user, nil
}

// lockEnrolment looks again, for the transaction that uses the code.
func (s *Service) lockEnrolment(tx *database.Tx, userID uuid.UUID, e Enrolling) error {
	row, err := database.First[models.Enrolment](tx.DB().Clauses(database.ForChange).Where("user_id = ? AND expires_at > lethe_now()", userID))
	if errors.Is(err, database.ErrNotFound) || err == nil && !e.opens(row) {
		return ErrEnrolment
	}
	if err != nil {
		return fmt.Errorf("locking an enrolment: %w", err)
	}
	return nil
}

// opens compares hashes: what could be learned from the time it takes is of the hash alone.
func (e Enrolling) opens(row models.Enrolment) bool {
	one, two := e.Code, e.Second
	if joined := bareCode(one); two == "" && len(joined) == 2*halfLength {
		one, two = joined[:halfLength], joined[halfLength:]
	}
	if row.FirstHash == nil {
		return false
	}
	if row.SecondBy == nil {
		return bytes.Equal(codeHash(one+two), row.FirstHash)
	}
	if row.SecondHash == nil {
		return false
	}
	match := func(first, second string) bool {
		return bytes.Equal(codeHash(first), row.FirstHash) && bytes.Equal(codeHash(second), row.SecondHash)
	}
	return match(one, two) || match(two, one)
}

// tryCode counts a try of a one-time code from an address.
func (s *Service) tryCode(ctx context.Context, p Client) error {
	if err := s.flood.allow(p); err != nil {
		return err
	}
	if p.Address == (netip.Addr{}) {
		return nil
	}
	return take(ctx, s.db, []rateLimit{{limitCode, []string{network(p)}, 20, 30 * time.Second}})
}

// inDevelopment refuses a database that is not marked dev.
func inDevelopment(tx *database.Tx) error {
	in, err := database.First[database.Installation](tx.DB().Table("installation").Select("id", "mode"))
	if err != nil {
		return fmt.Errorf("reading the installation: %w", err)
	}
	if in.Mode != database.ModeDev {
		return ErrWrongMode
	}
	return nil
}
