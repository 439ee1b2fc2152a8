package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/models"
)

// What can be wrong with an order to link a login.
var (
	ErrNotLinked     = errors.New("the provider's login is not linked with a user here")
	ErrSubject       = errors.New("a subject has 1 to 255 characters and no line breaks")
	ErrSubjectTaken  = errors.New("the provider's login is linked with a user already")
	ErrAlreadyLinked = errors.New("the user is linked with another login of this provider")
	ErrNoSuchLink    = errors.New("there is no such link")
	// ErrLoginUnconfirmed refuses a session opened by a login that the user's owner never confirmed.
	ErrLoginUnconfirmed = errors.New("this needs a login that the account's owner has confirmed")
)

// LinkLogin lets the provider's login of that subject open a user's sessions. Whoever orders it
// could link a login of their own, so it needs two people, who decide before; and until the owner
// has confirmed the link, the user cannot approve what its linker requests (I21).
func LinkLogin(tx *database.Tx, userID uuid.UUID, issuer, subject string, by models.Actor) (models.OIDCLink, error) {
	user, err := Linkable(tx, userID, issuer, subject)
	if err != nil {
		return models.OIDCLink{}, err
	}
	link := models.OIDCLink{UserID: userID, Issuer: issuer, Subject: subject, LinkedBy: by.ID()}
	link.ID = models.NewID()
	details, err := linkDetails(tx, link)
	if err != nil {
		return link, err
	}
	entry, err := record(tx, by, "login.linked", user, details)
	if err != nil {
		return link, err
	}
	link.LedgerEntryID = &entry
	err = database.Hide(tx.DB().Create(&link).Error)
	switch {
	case database.Violates(err, "oidc_links_login"):
		return link, ErrSubjectTaken
	case err != nil:
		return link, fmt.Errorf("storing a link: %w", err)
	}
	return link, nil
}

// Linkable locks a user with whom a provider's login can be linked.
func Linkable(tx *database.Tx, userID uuid.UUID, issuer, subject string) (user models.User, err error) {
	if issuer == "" {
		return user, ErrNoProvider
	}
	if !validSubject(subject) {
		return user, ErrSubject
	}
	if user, err = lockEnabled(tx, userID); err != nil {
		return user, err
	}
	var links []models.OIDCLink
	err = tx.DB().Where("issuer = ? AND (subject = ? OR user_id = ?) AND unlinked_at IS NULL", issuer, subject, userID).Find(&links).Error
	switch {
	case err != nil:
		return user, fmt.Errorf("looking for links: %w", database.Hide(err))
	case slices.ContainsFunc(links, func(l models.OIDCLink) bool { return l.Subject == subject }):
		return user, ErrSubjectTaken
	case len(links) > 0:
		return user, ErrAlreadyLinked
	}
	return user, nil
}

func validSubject(subject string) bool {
	return subject != "" && utf8.ValidString(subject) && utf8.RuneCountInString(subject) <= maxSubject &&
		!strings.ContainsFunc(subject, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// UnlinkLogin ends a link, and with it the sessions that were opened by the provider (I23). If the owner
// never confirmed it, whoever holds that login may have issued tokens: those go as well.
func UnlinkLogin(tx *database.Tx, userID, linkID uuid.UUID, by models.Actor) error {
	user, err := lockUser(tx, userID)
	if err != nil {
		return err
	}
	link, err := database.First[models.OIDCLink](tx.DB().Where("id = ? AND user_id = ? AND unlinked_at IS NULL", linkID, userID))
	if err != nil {
		return database.Found("finding a link", err, ErrNoSuchLink)
	}
	if err := endSessions(tx, "user_id = ? AND authenticated = ?", userID, models.ByOIDC); err != nil {
		return err
	}
	entry, err := endLink(tx, user, link, by)
	if err != nil || link.ConfirmedAt != nil {
		return err
	}
	return endTokens(tx, entry, "user_id = ? AND created_at >= ?", userID, link.LinkedAt)
}

// endLinks ends every link of a user who is disabled, or whose credentials are reset: a login that
// somebody linked is one of them.
func endLinks(tx *database.Tx, user models.User, by models.Actor) error {
	var links []models.OIDCLink
	if err := tx.DB().Where("user_id = ? AND unlinked_at IS NULL", user.ID).Find(&links).Error; err != nil {
		return database.Wrap("finding a user's links", err)
	}
	for _, link := range links {
		if _, err := endLink(tx, user, link, by); err != nil {
			return err
		}
	}
	return nil
}

func endLink(tx *database.Tx, user models.User, link models.OIDCLink, by models.Actor) (entry uuid.UUID, err error) {
	details, err := linkDetails(tx, link)
	if err != nil {
		return entry, err
	}
	if entry, err = record(tx, by, "login.unlinked", user, details); err != nil {
		return entry, err
	}
	err = database.UpdateOne(tx.DB().Model(&models.OIDCLink{}).Where("id = ? AND unlinked_at IS NULL", link.ID).
		Updates(map[string]any{"unlinked_at": gorm.Expr("lethe_now()"), "unlinked_by": by.ID(), "ledger_entry_id": entry}))
	return entry, database.Wrap("ending a link", err)
}

// Links are the logins that open a user, the oldest first.
func Links(ctx context.Context, db *database.DB, userID uuid.UUID) ([]models.OIDCLink, error) {
	return database.Find[models.OIDCLink](db.Read(ctx), "a user's links", "user_id = ? AND unlinked_at IS NULL", userID)
}

// linkedBy says that a person linked a login with a user and the user's owner has not confirmed it.
func linkedBy(tx *database.Tx, person, userID uuid.UUID) (bool, error) {
	var n int64
	err := tx.DB().Model(&models.OIDCLink{}).
		Where("user_id = ? AND linked_by = ? AND confirmed_at IS NULL AND unlinked_at IS NULL", userID, person).Count(&n).Error
	return n > 0, database.Wrap("looking for unconfirmed links", err)
}

// Unconfirmed says that a session was opened by a login that the user's owner never confirmed: whoever
// linked it may be the one who is there (I21).
func Unconfirmed(tx *database.Tx, b Bearer) (bool, error) {
	if b.Authenticated != models.ByOIDC {
		return false, nil
	}
	var n int64
	err := tx.DB().Model(&models.OIDCLink{}).
		Where("user_id = ? AND confirmed_at IS NULL AND unlinked_at IS NULL", b.UserID).Count(&n).Error
	return n > 0, database.Wrap("looking for unconfirmed links", err)
}

// RequireConfirmed is ErrLoginUnconfirmed for a session that [Unconfirmed] is about: whoever linked the
// login must neither decide as the owner nor make credentials that outlive the link.
func RequireConfirmed(tx *database.Tx, b Bearer) error {
	unconfirmed, err := Unconfirmed(tx, b)
	if err == nil && unconfirmed {
		err = ErrLoginUnconfirmed
	}
	return err
}

// MayHaveActedAs says that a person had linked a login with a user before some moment, and the user's
// owner never confirmed it: whoever acted as that user then may have been the linker, also if the link
// is gone by now (I21).
func MayHaveActedAs(tx *database.Tx, linker, userID uuid.UUID, at time.Time) (bool, error) {
	var n int64
	err := tx.DB().Model(&models.OIDCLink{}).
		Where("user_id = ? AND linked_by = ? AND linked_at <= ? AND confirmed_at IS NULL", userID, linker, at).Count(&n).Error
	return n > 0, database.Wrap("looking for former links", err)
}

// confirmLink notes that the owner, who had logged in by password, holds the provider's login too: the
// entry is of the step-up that shows it.
func confirmLink(tx *database.Tx, link models.OIDCLink, entry uuid.UUID) error {
	err := tx.DB().Model(&models.OIDCLink{}).Where("id = ? AND confirmed_at IS NULL", link.ID).
		Updates(map[string]any{"confirmed_at": gorm.Expr("lethe_now()"), "ledger_entry_id": entry}).Error
	return database.Wrap("confirming a link", err)
}

// linkDetails name the login by a keyed digest: some providers use addresses as subjects.
func linkDetails(tx *database.Tx, link models.OIDCLink) (map[string]string, error) {
	subject, err := subjectDigest(tx, link.Issuer, link.Subject)
	return map[string]string{"link": link.ID.String(), "issuer": link.Issuer, "subject_mac": subject}, err
}

func subjectDigest(tx *database.Tx, issuer, subject string) (string, error) {
	return keyed.Text(tx.Context(), tx, keyed.Subjects, issuer, subject)
}
