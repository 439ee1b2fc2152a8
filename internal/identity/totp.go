package identity

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"lethe/internal/database"
	"lethe/models"
)

// ErrCode says that a code of the second factor is wrong, or was used before.
var ErrCode = errors.New("the code is wrong or was used before")

// RFC 6238 as authenticator apps implement it: SHA-1, six digits, steps of 30 seconds, one step of
// clock difference to either side.
const (
	totpStep   = 30 // seconds
	totpSkew   = 1  // steps
	totpIssuer = "Lethe"
)

var totpOptions = totp.ValidateOpts{Period: totpStep, Skew: 0, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}

// TOTP is a new second factor as its owner sees it, once.
type TOTP struct {
	Secret string // base32, to type in
	URL    string // otpauth://…, to scan
	PNG    string // the URL as a QR code, base64
}

func totpPlace(user uuid.UUID) string { return "users.totp_sealed/" + user.String() }

// BeginTOTP makes a new secret for a user. The former one holds until the new one is confirmed.
func (s *Service) BeginTOTP(tx *database.Tx, userID uuid.UUID) (TOTP, error) {
	user, err := lockUser(tx, userID)
	if err != nil {
		return TOTP{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: totpIssuer, AccountName: user.Login, Rand: rand.Reader})
	if err != nil {
		return TOTP{}, fmt.Errorf("making a TOTP secret: %w", err)
	}
	sealed, err := s.secrets.SealLoose(tx.Context(), totpPlace(user.ID), []byte(key.Secret()))
	if err != nil {
		return TOTP{}, fmt.Errorf("sealing a TOTP secret: %w", err)
	}
	err = database.UpdateOne(tx.DB().Model(&models.User{}).Where("id = ?", user.ID).Update("totp_pending_sealed", sealed))
	if err != nil {
		return TOTP{}, fmt.Errorf("storing a TOTP secret: %w", err)
	}
	image, err := key.Image(256, 256)
	if err != nil {
		return TOTP{}, fmt.Errorf("drawing a QR code: %w", err)
	}
	var drawn bytes.Buffer
	if err := png.Encode(&drawn, image); err != nil {
		return TOTP{}, fmt.Errorf("drawing a QR code: %w", err)
	}
	return TOTP{Secret: key.Secret(), URL: key.URL(), PNG: base64.StdEncoding.EncodeToString(drawn.Bytes())}, nil
}

// ConfirmTOTP puts the new secret in force with its first code, and gives out new recovery codes.
// The user's other sessions end: whoever had the old factor has nothing any more.
func (s *Service) ConfirmTOTP(tx *database.Tx, by Bearer, code string) (recovery []string, err error) {
	user, err := lockUser(tx, by.UserID)
	if err != nil {
		return nil, err
	}
	if err := RequireConfirmed(tx, by); err != nil {
		return nil, err
	}
	entry, err := record(tx, by.Actor, "totp.enrolled", user, nil)
	if err != nil {
		return nil, err
	}
	if recovery, err = s.confirm(tx, user, code, entry); err != nil {
		return nil, err
	}
	return recovery, endOthers(tx, by)
}

// confirm swaps the secrets if the code is one of the pending secret's.
func (s *Service) confirm(tx *database.Tx, user models.User, code string, entry uuid.UUID) ([]string, error) {
	if user.TOTPPendingSealed.IsNull() {
		return nil, ErrCode
	}
	step, err := s.matchingStep(tx, user, user.TOTPPendingSealed, code)
	if err != nil {
		return nil, err
	}
	return putInForce(tx, user, step, entry)
}

// putInForce swaps the secrets of a user, whose code of that step was right, and gives out recovery codes.
func putInForce(tx *database.Tx, user models.User, step int64, entry uuid.UUID) ([]string, error) {
	err := database.UpdateOne(tx.DB().Model(&models.User{}).Where("id = ?", user.ID).Updates(map[string]any{
		"totp_sealed": user.TOTPPendingSealed, "totp_pending_sealed": models.Sealed{}, "totp_last_step": step,
		"ledger_entry_id": entry,
	}))
	if err != nil {
		return nil, fmt.Errorf("putting a TOTP secret in force: %w", err)
	}
	return newRecoveryCodes(tx, user, entry)
}

// CheckTOTP accepts a code of the user's second factor once: the step it belongs to is written in
// the statement that compares it, so that of two who use the same code one is refused.
func (s *Service) CheckTOTP(tx *database.Tx, user models.User, code string) error {
	if user.TOTPSealed.IsNull() {
		return ErrCode
	}
	step, err := s.matchingStep(tx, user, user.TOTPSealed, code)
	if err != nil {
		return err
	}
	err = database.UpdateOne(tx.DB().Model(&models.User{}).Where("id = ? AND totp_last_step < ?", user.ID, step).
		Update("totp_last_step", step))
	if errors.Is(err, database.ErrChanged) {
		return ErrCode
	}
	if err != nil {
		return fmt.Errorf("noting a used code: %w", err)
	}
	return nil
}

// matchingStep is the time step by the database's clock that a code belongs to.
func (s *Service) matchingStep(tx *database.Tx, user models.User, sealed models.Sealed, code string) (int64, error) {
	now, err := tx.Now()
	if err != nil {
		return 0, err
	}
	secret, err := s.secrets.OpenLoose(tx.Context(), totpPlace(user.ID), sealed)
	if err != nil {
		return 0, fmt.Errorf("opening a TOTP secret: %w", err)
	}
	defer clear(secret)
	current := now.Unix() / totpStep
	for _, step := range []int64{current, current - totpSkew, current + totpSkew} {
		right, err := totp.ValidateCustom(strings.TrimSpace(code), string(secret), time.Unix(step*totpStep, 0), totpOptions)
		if right && err == nil {
			return step, nil
		}
	}
	return 0, ErrCode
}

// recoveryCodes is how many a user gets.
const recoveryCodes = 10

// RenewRecoveryCodes gives a user new recovery codes; the former ones are void.
func (s *Service) RenewRecoveryCodes(tx *database.Tx, by Bearer) ([]string, error) {
	user, err := lockUser(tx, by.UserID)
	if err != nil {
		return nil, err
	}
	if err := RequireConfirmed(tx, by); err != nil {
		return nil, err
	}
	entry, err := record(tx, by.Actor, "recovery_codes.renewed", user, nil)
	if err != nil {
		return nil, err
	}
	return newRecoveryCodes(tx, user, entry)
}

func newRecoveryCodes(tx *database.Tx, user models.User, entry uuid.UUID) ([]string, error) {
	if err := tx.DB().Where("user_id = ?", user.ID).Delete(&models.RecoveryCode{}).Error; err != nil {
		return nil, database.Wrap("voiding recovery codes", err)
	}
	codes := make([]string, recoveryCodes)
	rows := make([]models.RecoveryCode, recoveryCodes)
	for i := range codes {
		codes[i] = newCode(10)
		id := models.NewID()
		rows[i] = models.RecoveryCode{ID: id, UserID: user.ID, CodeHash: codeHash(codes[i]), LedgerEntryID: &entry}
	}
	if err := tx.DB().Create(&rows).Error; err != nil {
		return nil, database.Wrap("storing recovery codes", err)
	}
	return codes, nil
}

// useRecoveryCode accepts a recovery code, once.
func useRecoveryCode(tx *database.Tx, user models.User, code string) error {
	r := tx.DB().Exec("UPDATE recovery_codes SET used_at = lethe_now() WHERE user_id = ? AND code_hash = ? AND used_at IS NULL",
		user.ID, codeHash(code))
	if r.Error != nil {
		return database.Wrap("using a recovery code", r.Error)
	}
	if r.RowsAffected != 1 {
		return ErrCode
	}
	return nil
}

// newCode is a random code of so many bytes, in groups of four letters and digits that cannot be
// mistaken for each other. They are random enough for a plain hash.
func newCode(n int) string {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(randomBytes(n))
	var groups []string
	for ; len(text) > 4; text = text[4:] {
		groups = append(groups, text[:4])
	}
	return strings.Join(append(groups, text), "-")
}

// halfLength is how many letters and digits half an enrolment code has.
const halfLength = 16

// bareCode forgives case, spaces and hyphens.
func bareCode(code string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(code))
}

func codeHash(code string) []byte {
	sum := sha256.Sum256([]byte(bareCode(code)))
	return sum[:]
}

// endOthers ends the sessions of a user but the one that asks.
func endOthers(tx *database.Tx, by Bearer) error {
	return endSessions(tx, "user_id = ? AND id <> ?", by.UserID, by.SessionID)
}

// secondFactor checks whichever was given.
func (s *Service) secondFactor(tx *database.Tx, user models.User, code, recovery string) (models.Authentication, error) {
	if recovery != "" {
		return models.ByRecovery, useRecoveryCode(tx, user, recovery)
	}
	return models.ByTOTP, s.CheckTOTP(tx, user, code)
}
