package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// ErrBreakGlass says that the sealed codes are wrong, were used, or were replaced.
var ErrBreakGlass = errors.New("the sealed codes are wrong or were used")

// NoticeBreakGlass tells everybody that a session was opened with the sealed codes.
const NoticeBreakGlass = "break_glass"

// SealBreakGlass makes the two codes for the day on which nobody can log in, to be printed, put into
// two envelopes and kept by two people. The former pair is void. They are shown once.
func SealBreakGlass(tx *database.Tx) (first, second string, err error) {
	err = tx.DB().Model(&models.BreakGlass{}).Where("superseded_at IS NULL AND used_at IS NULL").
		Update("superseded_at", gorm.Expr("lethe_now()")).Error
	if err != nil {
		return "", "", database.Wrap("voiding the former codes", err)
	}
	id := models.NewID()
	entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindIdentity, Action: "break_glass.sealed", Object: "break_glass/" + id.String()})
	if err != nil {
		return "", "", err
	}
	first, second = newCode(20), newCode(20)
	pair := models.BreakGlass{ID: id, FirstHash: codeHash(first), SecondHash: codeHash(second), LedgerEntryID: &entry}
	if err := tx.DB().Create(&pair).Error; err != nil {
		return "", "", database.Wrap("storing the sealed codes", err)
	}
	return first, second, nil
}

// BreakGlassOrder opens a session with both sealed codes for an existing user.
type BreakGlassOrder struct {
	Login, First, Second string
	Role                 models.Role
	Client               Client
}

// BreakGlass opens a session of one hour for an active user, without password and second factor. It
// can neither disclose nor purge nor approve; every user is told, and the codes are used up.
func (s *Service) BreakGlass(ctx context.Context, o BreakGlassOrder) (Opened, error) {
	if err := s.tryCode(ctx, o.Client); err != nil {
		return Opened{}, err
	}
	user, known, err := s.userByLogin(ctx, normalLogin(o.Login))
	if err != nil {
		return Opened{}, err
	}
	var opened Opened
	err = database.Run(ctx, s.db, func(tx *database.Tx) error {
		pair, err := database.First[models.BreakGlass](tx.DB().Clauses(database.ForChange).Where("superseded_at IS NULL AND used_at IS NULL"))
		if errors.Is(err, database.ErrNotFound) {
			return ErrBreakGlass
		}
		if err != nil {
			return fmt.Errorf("reading the sealed codes: %w", err)
		}
		if !known || user.State != models.UserActive || !bothCodes(pair, o.First, o.Second) {
			return ErrBreakGlass
		}
		err = database.UpdateOne(tx.DB().Model(&models.BreakGlass{}).Where("id = ? AND used_at IS NULL", pair.ID).
			Updates(map[string]any{"used_at": gorm.Expr("lethe_now()"), "used_by": user.ID}))
		if err != nil {
			return fmt.Errorf("using up the sealed codes: %w", err)
		}
		if err := notify(tx, NoticeBreakGlass, user.ID); err != nil {
			return err
		}
		opened.Token, opened.Session, err = s.Open(tx, Opening{
			User: user, Role: o.Role, Authenticated: models.ByBreakGlass, Client: o.Client,
			Details: map[string]string{"break_glass_id": pair.ID.String()},
		})
		return err
	})
	if errors.Is(err, ErrBreakGlass) {
		slog.ErrorContext(ctx, "break-glass refused")
		if failed := s.failed(ctx, normalLogin(o.Login), user, known); !errors.Is(failed, ErrLoginFailed) {
			return Opened{}, failed
		}
		return Opened{}, err
	}
	if err != nil {
		return Opened{}, err
	}
	breakGlassUsed.Inc()
	slog.ErrorContext(ctx, "break-glass: a session was opened with the sealed codes", "user_id", user.ID.String(), "session_id", opened.Session.ID.String())
	return opened, nil
}

// bothCodes accepts the two codes in either order. What the time of a comparison could tell is of
// hashes of 160 random bits.
func bothCodes(pair models.BreakGlass, first, second string) bool {
	one, two := codeHash(first), codeHash(second)
	return bytes.Equal(one, pair.FirstHash) && bytes.Equal(two, pair.SecondHash) ||
		bytes.Equal(two, pair.FirstHash) && bytes.Equal(one, pair.SecondHash)
}

// notify tells every user something, or whoever holds one of some roles but the one whom it is about, until each says
// that it was read.
func notify(tx *database.Tx, kind string, about uuid.UUID, roles ...models.Role) error {
	id := models.NewID()
	return database.Wrap("notifying everybody", tx.DB().Create(&models.Notice{ID: id, Kind: kind, UserID: &about, Roles: models.NamesOf(roles)}).Error)
}

// noticeLasts bounds how far back a new user is told.
const noticeLasts = 365 * 24 * time.Hour

// Notices are those that a user has not acknowledged, the oldest first. What is for those who hold a role is for those who
// held it when it was made, and that somebody's access was cut ends with the lifting.
func Notices(ctx context.Context, db *database.DB, userID uuid.UUID) ([]models.Notice, error) {
	var rows []models.Notice
	err := db.Read(ctx).Where("created_at > lethe_now() - make_interval(secs => ?)", noticeLasts.Seconds()).
		Where("(roles = '{}' OR user_id <> ? AND EXISTS (SELECT FROM user_roles r WHERE r.user_id = ? AND r.revoked_at IS NULL AND r.role = ANY (roles) AND r.granted_at <= notices.created_at))", userID, userID).
		Where("NOT (kind = ? AND EXISTS (SELECT FROM access_cuts c JOIN users u ON u.employee_id = c.employee_id WHERE u.id = notices.user_id AND c.lifted_at >= notices.created_at))", NoticeAccessCut).
		Where("NOT EXISTS (SELECT FROM notice_acknowledgements a WHERE a.notice_id = notices.id AND a.user_id = ?)", userID).
		Order(database.ByID).Limit(50).Find(&rows).Error
	return rows, database.Wrap("reading notices", err)
}

// Acknowledge notes that a user has read a notice.
func Acknowledge(tx *database.Tx, userID, noticeID uuid.UUID) error {
	if _, err := database.First[models.Notice](tx.DB().Where("id = ?", noticeID)); err != nil {
		return err
	}
	return database.Wrap("acknowledging a notice",
		tx.DB().Exec("INSERT INTO notice_acknowledgements (notice_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING", noticeID, userID).Error)
}
