package identity

import (
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/models"
)

// Present is a bearer as it is now, not as it was when the request came in: a transaction that waited for
// a lock looks again before it writes. It locks the bearer's user, and those of the others named, in the
// order of their ids, and the session or token, all to the end of the transaction: whoever disables one
// of these users, resets it, takes a role from it or ends the session comes before or after.
//
// A session that has ended meanwhile, or whose user or role has, is ErrSessionUnknown; a token is refused
// as [Authenticate] does.
func Present(tx *database.Tx, b Bearer, others ...uuid.UUID) (Bearer, error) {
	if err := lockUsers(tx, append(others, b.UserID)); err != nil {
		return Bearer{}, err
	}
	table, id := "api_tokens", b.TokenID
	if b.SessionID != uuid.Nil {
		table, id = "sessions", b.SessionID
	}
	if err := tx.DB().Exec("SELECT FROM "+table+" WHERE id = ? FOR SHARE", id).Error; err != nil {
		return Bearer{}, database.Wrap("locking what somebody is known by", err)
	}
	// A statement of its own: its snapshot is of after the locks.
	if b.SessionID != uuid.Nil {
		return sessionBearer(tx.DB().Where("s.id = ?", b.SessionID))
	}
	return bearer(tx.DB().Where("t.id = ?", b.TokenID))
}

// Dangerous is [Present] for what only a person may do who has just shown to be there (I22), in a session
// that neither the sealed codes nor a login opened that the user's owner never confirmed (I21).
func Dangerous(tx *database.Tx, b Bearer) (Bearer, error) {
	if b.SessionID == uuid.Nil {
		return b, ErrSessionRequired
	}
	if _, err := lockUser(tx, b.UserID); err != nil { // most of it changes the user
		return b, err
	}
	b, err := Present(tx, b)
	if err != nil {
		return b, err
	}
	now, err := tx.Now()
	switch {
	case err != nil:
		return b, err
	case !Fresh(b, now):
		return b, ErrStepUpRequired
	case b.BreakGlass: // it never steps up; should it
		return b, ErrBreakGlassMayNot
	}
	return b, RequireConfirmed(tx, b)
}

// PresentCaller is [Present] for whoever is behind the context of the transaction, and nothing where
// that is the system, the host or a test without a session.
func PresentCaller(tx *database.Tx) error {
	c := models.CallerOf(tx.Context())
	if c.SessionID == uuid.Nil && c.TokenID == uuid.Nil {
		return nil
	}
	_, err := Present(tx, Bearer{UserID: c.UserID, SessionID: c.SessionID, TokenID: c.TokenID})
	return err
}

func lockUsers(tx *database.Tx, ids []uuid.UUID) error {
	var found []uuid.UUID
	err := tx.DB().Model(&models.User{}).Clauses(database.ForShare).Where("id IN ?", ids).
		Order(database.ByID).Pluck("id", &found).Error
	return database.Wrap("locking users", err)
}

// Stands says whether who asked for something, as a user in a role, could still ask for it: the user is in
// use and holds the role, without a break since. The user is locked by [Present].
func Stands(tx *database.Tx, userID *uuid.UUID, by models.Actor, since time.Time) (bool, error) {
	var stands bool
	err := tx.DB().Raw("SELECT public.lethe_requester_stands(?, ?, ?, ?)", userID, by.EmployeeID, string(by.Role), since).Scan(&stands).Error
	return stands, database.Wrap("looking whether a requester still could ask", err)
}

// What a session lacks for a dangerous step.
var (
	ErrStepUpRequired   = errors.New("this needs a re-authentication that is not older than five minutes")
	ErrBreakGlassMayNot = errors.New("a session opened with the sealed codes may not do this")
)

// What can be wrong with an order to confirm an owner.
var (
	// ErrNotEnrolled says that there is no owner yet who could be confirmed.
	ErrNotEnrolled = errors.New("the account's owner has not enrolled")
	// ErrOwnerConfirms says that somebody would confirm themselves.
	ErrOwnerConfirms = errors.New("an account's owner is confirmed by two other people")
)

// keepHalf notes who was given a half of a user's code, for as long as the owner is not confirmed and
// after.
func keepHalf(tx *database.Tx, userID, to, entry uuid.UUID) error {
	id := models.NewID()
	half := models.EnrolmentHalf{ID: id, UserID: userID, GivenTo: to, LedgerEntryID: &entry}
	return database.Wrap("noting who holds a half of a code", tx.DB().Create(&half).Error)
}

// HeldHalf says that a person was given a half of the code by which a user was enrolled, and the user's
// owner was not confirmed since: whoever came to hold the other half as well is the user (I21).
func HeldHalf(tx *database.Tx, person, userID uuid.UUID) (bool, error) {
	var n int64
	err := tx.DB().Model(&models.EnrolmentHalf{}).
		Where("user_id = ? AND given_to = ? AND confirmed_at IS NULL", userID, person).Count(&n).Error
	return n > 0, database.Wrap("looking who held a half of a code", err)
}

// confirmOwnerBy notes that the owner, who had logged in by password, holds a login at the provider as
// well. It says nothing about halves that the link's own maker held, who may have linked a login of theirs.
func confirmOwnerBy(tx *database.Tx, by models.Actor, user models.User, link models.OIDCLink) error {
	linker := uuid.Nil // nobody's id
	if link.LinkedBy != nil {
		linker = *link.LinkedBy
	}
	return confirmHalves(tx, by, user, map[string]string{"how": "oidc", "link": link.ID.String()}, linker)
}

// confirmHalves notes that a user's owner showed to be there, for every half that somebody else than
// except holds; without one it changes and records nothing. The user is locked.
func confirmHalves(tx *database.Tx, by models.Actor, user models.User, details map[string]string, except uuid.UUID) error {
	const open = "user_id = ? AND given_to <> ? AND confirmed_at IS NULL"
	var n int64
	if err := tx.DB().Model(&models.EnrolmentHalf{}).Where(open, user.ID, except).Count(&n).Error; err != nil {
		return database.Wrap("looking who held a half of a code", err)
	}
	if n == 0 {
		return nil
	}
	entry, err := record(tx, by, "user.owner_confirmed", user, details)
	if err != nil {
		return err
	}
	err = tx.DB().Model(&models.EnrolmentHalf{}).Where(open, user.ID, except).
		Updates(map[string]any{"confirmed_at": clause.Expr{SQL: "lethe_now()"}, "ledger_entry_id": entry}).Error
	return database.Wrap("confirming an owner", err)
}

// ConfirmOwner is the word of two people, who both have just logged in on the host, that a user's owner is
// who enrolled. Neither is the owner, and neither made or could have made the other's user.
func ConfirmOwner(tx *database.Tx, login string, by [2]Bearer) (models.User, error) {
	user, err := database.First[models.User](tx.DB().Where("login = ?", normalLogin(login)))
	if err != nil {
		return user, database.Found("finding a user", err, ErrNoSuchUser)
	}
	if err := lockUsers(tx, []uuid.UUID{user.ID, by[0].UserID, by[1].UserID}); err != nil {
		return user, err
	}
	if user, err = lockUser(tx, user.ID); err != nil {
		return user, err
	}
	switch {
	case user.State != models.UserActive:
		return user, ErrNotEnrolled
	case user.EmployeeID == by[0].Actor.EmployeeID, user.EmployeeID == by[1].Actor.EmployeeID:
		return user, ErrOwnerConfirms
	}
	if err := TwoPeople(tx, by); err != nil {
		return user, err
	}
	return user, confirmHalves(tx, by[1].Actor, user, map[string]string{
		"how": "host", "confirmed_with": by[0].Actor.EmployeeID.String(),
	}, uuid.Nil)
}

// ErrNotTwoPeople says that two logins are one person's, or may be.
var ErrNotTwoPeople = errors.New("two people are needed, of whom neither created or reset the other's user or held a half of its code")

// TwoPeople is ErrNotTwoPeople unless two logins are two persons', neither of whom could have the other's
// credentials (I21).
func TwoPeople(tx *database.Tx, by [2]Bearer) error {
	if by[0].Actor.EmployeeID == by[1].Actor.EmployeeID {
		return ErrNotTwoPeople
	}
	for i := range by {
		made, err := CreatedOrReset(tx, by[i].Actor.EmployeeID, by[1-i].UserID)
		if err != nil {
			return err
		}
		held, err := HeldHalf(tx, by[i].Actor.EmployeeID, by[1-i].UserID)
		if err != nil {
			return err
		}
		if made || held {
			return ErrNotTwoPeople
		}
	}
	return nil
}
