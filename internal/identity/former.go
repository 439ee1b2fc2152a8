package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
	"lethe/models"
)

// ErrCodeMissing: neither a code of the authenticator nor a recovery code was given.
var ErrCodeMissing = errors.New("a code of the authenticator or a recovery code is missing")

// ErrFormer is the one answer to a link that does not exist, was used or is over, and to a wrong code of the second factor.
var ErrFormer = errors.New("the link or the code is wrong, was used, or its time is over")

const (
	// LinkLasts is how long a link works after its mail was handed over.
	LinkLasts = 30 * time.Minute
	// FormerLasts is how long a session lives that a link opened.
	FormerLasts = time.Hour
	// linkTries is how many wrong codes end a link.
	linkTries = 5
	// linksKept is how long it is kept that a link was asked for, beside the log.
	linksKept = 30 * 24 * time.Hour
)

const limitLink = "link" // links that are asked for, for one login

func linkCell(id uuid.UUID) string { return reasons.Cell("access_links.login_sealed", id) }

// AskLink notes that somebody who has left, or nobody, wants a link. Each login gets the same answer after the same work:
// whose it is, and whether there is anywhere to send a link to, a worker finds out afterwards.
func (s *Service) AskLink(ctx context.Context, login string, p Client) error {
	login = normalLogin(login)
	if err := s.flood.allow(p); err != nil {
		return err
	}
	limits := []rateLimit{{limitLink, []string{login}, 3, 20 * time.Minute}, {limitAddress, []string{network(p)}, 50, 10 * time.Second}}
	if err := take(ctx, s.db, limits); err != nil {
		return err
	}
	return database.Run(ctx, s.db, func(tx *database.Tx) error {
		id := models.NewID()
		now, err := tx.Now()
		if err != nil {
			return err
		}
		row := models.AccessLink{ID: id, AskedAt: now}
		if row.LoginSealed, err = reasons.Seal(tx, linkCell(id), login); err != nil {
			return err
		}
		row.LedgerEntryID, err = ledger.Append(tx, ledger.Entry{Kind: ledger.KindSession, Action: "former_access.asked", Object: "login/" + s.loginDigest(login)})
		if err != nil {
			return err
		}
		return database.Wrap("noting that a link is wanted", tx.DB().Create(&row).Error)
	})
}

// AskedLinks locks some of the links that were asked for and nobody has looked at, and removes a few that are long over.
func AskedLinks(tx *database.Tx, limit int) (rows []models.AccessLink, err error) {
	gone := tx.DB().Exec(`DELETE FROM access_links WHERE id IN (SELECT id FROM access_links WHERE resolved_at IS NOT NULL
		AND asked_at < lethe_now() - make_interval(secs => ?) LIMIT 20 FOR UPDATE SKIP LOCKED)`, linksKept.Seconds()).Error
	if gone != nil {
		return nil, database.Wrap("removing old links", gone)
	}
	err = tx.DB().Raw("SELECT * FROM access_links WHERE resolved_at IS NULL ORDER BY asked_at LIMIT ? FOR NO KEY UPDATE SKIP LOCKED", limit).Scan(&rows).Error
	return rows, database.Wrap("looking for links that were asked for", err)
}

// LinkOwner is who a link may be made for; false: nobody. It has to be somebody who has left, with a second factor, or with
// the code by which another one is enrolled.
func LinkOwner(tx *database.Tx, row models.AccessLink) (user models.User, ok bool, err error) {
	opened, err := reasons.Open(tx.Context(), tx, reasons.Text{Cell: linkCell(row.ID), Sealed: row.LoginSealed})
	if err != nil {
		return user, false, err
	}
	user, err = database.First[models.User](tx.DB().Where("login = ?", opened[0]))
	if errors.Is(err, database.ErrNotFound) {
		return user, false, nil
	}
	if err != nil {
		return user, false, fmt.Errorf("finding a user: %w", err)
	}
	if ok, err = former(tx.DB(), user); err == nil && ok && user.TOTPSealed.IsNull() {
		ok, err = awaitsFactor(tx.DB(), user.ID)
	}
	return user, ok, err
}

// former says whether a user is that of somebody who has left, alive, and whose data is still kept: in the name of the dead
// nobody logs in.
func former(g *gorm.DB, user models.User) (bool, error) {
	if user.State != models.UserDisabled {
		return false, nil
	}
	var status models.EmployeeStatus
	err := g.Raw(`SELECT status FROM employees e WHERE id = ? AND NOT EXISTS (SELECT FROM departures d WHERE d.employee_id = e.id AND d.kind = ? AND d.stage NOT IN ?)`,
		user.EmployeeID, models.KindDeath, []models.Stage{models.StageWithdrawn, models.StageAnnulled}).Scan(&status).Error
	return status == models.StatusDeparted, database.Wrap("reading whether somebody has left", err)
}

// ResolveLink notes what became of one that was asked for: the mail that brings it, or nil.
func ResolveLink(tx *database.Tx, id uuid.UUID, user, mail *uuid.UUID) error {
	return database.Wrap("resolving a link", database.UpdateOne(tx.DB().Model(&models.AccessLink{}).Where("id = ? AND resolved_at IS NULL", id).
		Updates(map[string]any{"resolved_at": gorm.Expr("lethe_now()"), "login_sealed": nil, "user_id": user, "message_id": mail})))
}

// IssueLink makes the code of the link that a mail brings. A mail that is handed over again brings another one.
func IssueLink(tx *database.Tx, mail uuid.UUID) (code string, err error) {
	code = newCode(20)
	err = database.UpdateOne(tx.DB().Model(&models.AccessLink{}).Where("message_id = ? AND used_at IS NULL", mail).Updates(map[string]any{
		"code_hash": codeHash(code), "tries": 0, "expires_at": gorm.Expr("lethe_now() + make_interval(secs => ?)", LinkLasts.Seconds()),
	}))
	return code, database.Wrap("making a link", err)
}

// FormerOrder is somebody with a link and the second factor.
type FormerOrder struct {
	Code, TOTP, RecoveryCode string
	Client                   Client
}

// OpenFormer opens a session for the own data of somebody who has left. The link is used up by it; of two who use it at
// once one is refused. Wrong codes count, and end the link.
func (s *Service) OpenFormer(ctx context.Context, o FormerOrder) (opened Opened, err error) {
	if o.TOTP == "" && o.RecoveryCode == "" { // nothing was tried
		return Opened{}, ErrCodeMissing
	}
	err = s.withLink(ctx, o.Code, o.Client, func(tx *database.Tx, user models.User, use func() error) error {
		if _, err := s.secondFactor(tx, user, o.TOTP, o.RecoveryCode); err != nil {
			return err
		}
		if err := use(); err != nil {
			return err
		}
		opened, err = s.openFormer(tx, user, o.Client)
		return err
	})
	if err != nil {
		return Opened{}, err
	}
	formerSessions.Inc()
	return opened, nil
}

func (s *Service) openFormer(tx *database.Tx, user models.User, client Client) (opened Opened, err error) {
	opened.Token, opened.Session, err = s.Open(tx, Opening{User: user, Role: models.RoleEmployee, Authenticated: models.ByLink, Client: client, SteppedUp: true})
	return opened, err
}

// withLink does what somebody who has left asks for with a link, for the user that it was mailed to. A code that do finds
// wrong, before it has written anything, counts, and has the one answer of a link that does not exist.
func (s *Service) withLink(ctx context.Context, code string, client Client, do func(tx *database.Tx, user models.User, use func() error) error) error {
	if err := s.tryCode(ctx, client); err != nil {
		return err
	}
	refused := false
	err := database.Run(ctx, s.db, func(tx *database.Tx) error {
		refused = false
		link, err := database.First[models.AccessLink](tx.DB().Clauses(database.ForChange).
			Where("code_hash = ? AND used_at IS NULL AND expires_at > lethe_now() AND tries < ?", codeHash(code), linkTries))
		if errors.Is(err, database.ErrNotFound) {
			refused = true
			return refuseFormer(tx, nil)
		}
		if err != nil {
			return fmt.Errorf("finding a link: %w", err)
		}
		user, err := lockUser(tx, *link.UserID)
		if err != nil {
			return err
		}
		ok, err := former(tx.DB(), user)
		if err == nil && ok {
			err = do(tx, user, func() error {
				return database.Wrap("using a link up", database.UpdateOne(tx.DB().Model(&models.AccessLink{}).
					Where("id = ? AND used_at IS NULL", link.ID).Update("used_at", gorm.Expr("lethe_now()"))))
			})
		}
		if !ok && err == nil || errors.Is(err, ErrCode) || errors.Is(err, ErrEnrolment) {
			refused = true
			if err := refuseFormer(tx, &user); err != nil {
				return err
			}
			return database.Wrap("counting a wrong code", tx.DB().Exec("UPDATE access_links SET tries = tries + 1 WHERE id = ?", link.ID).Error)
		}
		return err
	})
	if err == nil && refused {
		err = ErrFormer
	}
	return err
}

func refuseFormer(tx *database.Tx, user *models.User) error {
	e := ledger.Entry{Kind: ledger.KindSession, Action: "former_access.refused", Result: ledger.Refused, Rule: "credentials", Object: "access_link"}
	if user != nil {
		e.Subject, e.Object = &user.EmployeeID, "user/"+user.ID.String()
	}
	_, err := ledger.Append(tx, e)
	return err
}

// EndFormer ends the links and the sessions of somebody who has left, and the code by which another second factor is
// enrolled: the private address changed, to which a link went.
func EndFormer(tx *database.Tx, employeeID uuid.UUID) error {
	links := tx.DB().Exec(`UPDATE access_links SET expires_at = lethe_now() WHERE user_id IN (SELECT id FROM users WHERE employee_id = ?)
		AND used_at IS NULL AND expires_at > lethe_now()`, employeeID).Error
	if links != nil {
		return database.Wrap("ending links", links)
	}
	codes := tx.DB().Exec("DELETE FROM enrolments WHERE user_id IN (SELECT id FROM users WHERE employee_id = ? AND state = ?)", employeeID, models.UserDisabled).Error
	if codes != nil {
		return database.Wrap("ending a code", codes)
	}
	return endSessions(tx, "user_id IN (SELECT id FROM users WHERE employee_id = ?) AND authenticated = ?", employeeID, models.ByLink)
}
