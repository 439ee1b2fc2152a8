// Package cut takes somebody's access away at once, without a departure or before one: the own users here first, then
// the accounts in every connected system, read back. A second person says afterwards that it is right; opening again
// takes two. It is told to nobody but those who act on it until somebody enters that the person was told.
//
// Cuts are made one after the other. Locks are then taken in the order of package account: employments, the cut, users,
// operations, accounts.
package cut

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
	"lethe/internal/textform"
	"lethe/models"
)

// The ways in which a command about a cut is refused.
var (
	ErrNotFound = errors.New("no such emergency cut")
	ErrOwn      = errors.New("nobody cuts the own access, or decides about the own cut")
	// ErrNothing: the person has left, and nothing is linked any more.
	ErrNothing = errors.New("the person has left, and nothing is linked any more")
	// ErrPurged: the person's data is deleted.
	ErrPurged = errors.New("the person's data is deleted")
	// ErrHolderADay: one person cuts one head, administrator or reviewer within a day.
	ErrHolderADay = errors.New("the same person cut a head, an administrator or a reviewer within 24 hours")
	// ErrSamePerson: who ordered a cut, or could be the second person's user, does not confirm it.
	ErrSamePerson = errors.New("a cut is confirmed by a different person")
	// ErrLifted: it is open again.
	ErrLifted = errors.New("the cut was lifted")
	// ErrEnded: the employment, or its access, has ended meanwhile.
	ErrEnded = errors.New("the employment or its access has ended: nothing is opened again")
	// ErrReason: why is missing, or too long.
	ErrReason = errors.New("the reason is missing or cannot be kept")
)

// StandsError says that the person's access is cut already.
type StandsError struct{ ID uuid.UUID }

func (e *StandsError) Error() string { return "the person's access is cut already" }

// LastError says of which role fewer than two persons would be left.
type LastError struct{ Role models.Role }

func (e *LastError) Error() string { return "fewer than two would be left of " + string(e.Role) }

const (
	// ConfirmWithin is how long a second person has to confirm a cut before it is shown that nobody does.
	ConfirmWithin = 4 * time.Hour
	// AgainAfter is when that is shown again. Nothing opens by itself.
	AgainAfter = 72 * time.Hour
	// aDay is within which one person cuts one holder of a protected role.
	aDay      = 24 * time.Hour
	maxReason = 500
	// left is how many have to be left of the roles without which nobody could undo it.
	left = 2
)

const (
	actionOrdered   = "access_cut.ordered"
	actionTold      = "access_cut.told"
	actionConfirmed = "access_cut.confirmed"
	actionEscalated = "access_cut.escalated"
	actionLifted    = "access_cut.lifted"
	actionRead      = "access_cut.read"
)

// protected are the roles whose holders are not cut as quietly and as often as everybody else.
var protected = []models.Role{models.RoleDepartmentHead, models.RoleHRAdmin, models.RoleITOps, models.RoleReviewer}

// kept are those of which two have to be left.
var kept = []models.Role{models.RoleHRAdmin, models.RoleReviewer}

// Confirmers are the roles whose holders confirm a cut.
var Confirmers = []models.Role{models.RoleHRAdmin, models.RoleReviewer}

func reasonCell(id uuid.UUID) string { return reasons.Cell("access_cuts.reason_sealed", id) }

// Order is an emergency cut.
type Order struct {
	EmployeeID uuid.UUID
	Systems    []string // nil: all
	Reason     string
	Told       bool
}

// Make takes the access away, if it has not been taken yet. It wants somebody who has just shown to be there.
func Make(tx *database.Tx, by identity.Bearer, connected *connector.Registry, o Order) (c models.AccessCut, err error) {
	reason, fault := textform.Paragraphs(o.Reason, maxReason)
	if fault != "" {
		return c, ErrReason
	}
	if o.Systems != nil {
		o.Systems = slices.Compact(slices.Sorted(slices.Values(o.Systems)))
	}
	if err := oneByOne(tx); err != nil {
		return c, err
	}
	if by, err = identity.Dangerous(tx, by); err != nil {
		return c, err
	}
	employments, holder, err := cuttable(tx, by.Actor, o.EmployeeID)
	if err != nil {
		return c, err
	}
	now, err := tx.Now()
	if err != nil {
		return c, err
	}
	c = models.AccessCut{
		ID: models.NewID(), EmployeeID: o.EmployeeID, State: models.CutUnconfirmed, Systems: o.Systems, HolderOf: models.NamesOf(holder),
		OrderedBy: by.Actor.EmployeeID, OrderedRole: by.Actor.Role, OrderedAt: now, ConfirmDueAt: now.Add(ConfirmWithin),
	}
	if o.Told {
		c.ToldAt, c.ToldBy = &now, by.Actor.ID()
	}
	if c.ReasonSealed, err = reasons.Seal(tx, reasonCell(c.ID), reason); err != nil {
		return c, err
	}
	details := map[string]string{"told": strconv.FormatBool(o.Told)}
	if o.Systems != nil {
		details["systems"] = strings.Join(o.Systems, ",")
	}
	if len(holder) > 0 {
		details["roles"] = strings.Join(c.HolderOf, ",")
	}
	if c.LedgerEntryID, err = record(tx, c, actionOrdered, by.Actor, details); err != nil {
		return c, err
	}
	if err := tx.DB().Create(&c).Error; err != nil {
		return c, database.Wrap("keeping an emergency cut", err)
	}
	users, err := identity.Suspend(tx, o.EmployeeID, by.Actor)
	if err != nil {
		return c, err
	}
	ordered, err := takeAway(tx, c, by.Actor, employments, connected)
	if err != nil {
		return c, err
	}
	if users+ordered == 0 && !slices.ContainsFunc(employments, current) {
		return c, ErrNothing
	}
	if len(holder) > 0 {
		err = identity.TellHolders(tx, o.EmployeeID, holder)
	}
	return c, err
}

func current(m models.Employment) bool { return m.EndedAt == nil }

// oneByOne has cuts wait for each other: of two who cut each other one is refused, and nobody counts past another.
func oneByOne(tx *database.Tx) error {
	return database.Wrap("waiting for other cuts", tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended('access cuts', 0))").Error)
}

// cuttable locks a person's employments, refuses what may not be cut, and says which protected roles the person holds.
func cuttable(tx *database.Tx, by models.Actor, employeeID uuid.UUID) ([]models.Employment, []models.Role, error) {
	if by.EmployeeID == employeeID {
		return nil, nil, ErrOwn
	}
	employments, err := archive.LockEmployments(tx, employeeID)
	if err != nil {
		return nil, nil, err
	}
	person, err := database.First[models.Employee](tx.DB().Select("id", "status").Where("id = ?", employeeID))
	if err != nil {
		return nil, nil, fmt.Errorf("reading whose access is cut: %w", err)
	}
	if person.Status == models.StatusPurged {
		return nil, nil, ErrPurged
	}
	stands, err := database.First[models.AccessCut](tx.DB().Where("employee_id = ? AND state IN ?", employeeID, models.StandingCuts))
	if err == nil {
		return nil, nil, &StandsError{stands.ID}
	}
	if !errors.Is(err, database.ErrNotFound) {
		return nil, nil, fmt.Errorf("looking for another cut: %w", err)
	}
	holder, err := holding(tx, employeeID)
	if err == nil && len(holder) > 0 {
		err = mayCutHolder(tx, by, employeeID, holder)
	}
	return employments, holder, err
}

// holding are the protected roles that somebody holds here; who heads a department is a head, with a user or without.
func holding(tx *database.Tx, employeeID uuid.UUID) ([]models.Role, error) {
	held, err := identity.HeldRoles(tx, employeeID)
	if err != nil {
		return nil, err
	}
	held = slices.DeleteFunc(held, func(r models.Role) bool { return !slices.Contains(protected, r) })
	var heads bool
	err = tx.DB().Raw("SELECT EXISTS (SELECT FROM departments WHERE head_employee_id = ?)", employeeID).Scan(&heads).Error
	if heads && !slices.Contains(held, models.RoleDepartmentHead) {
		held = append(held, models.RoleDepartmentHead)
	}
	return held, database.Wrap("looking whether somebody heads a department", err)
}

func mayCutHolder(tx *database.Tx, by models.Actor, employeeID uuid.UUID, roles []models.Role) error {
	for _, role := range kept {
		if !slices.Contains(roles, role) {
			continue
		}
		n, err := identity.OthersIn(tx, role, employeeID)
		if err != nil {
			return err
		}
		if n < left {
			return &LastError{role}
		}
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	var before bool
	err = tx.DB().Raw("SELECT EXISTS (SELECT FROM access_cuts WHERE ordered_by = ? AND holder_of <> '{}' AND ordered_at > ?)", by.EmployeeID, now.Add(-aDay)).Scan(&before).Error
	if err == nil && before {
		return ErrHolderADay
	}
	return database.Wrap("counting the cuts of a day", err)
}

// takeAway orders the unlinkings: of the latest employment also where nobody registered an account, of former ones what is
// linked still. It says how many it ordered.
func takeAway(tx *database.Tx, c models.AccessCut, by models.Actor, employments []models.Employment, connected *connector.Registry) (n int, err error) {
	for _, m := range employments {
		o := account.UnlinkOrder{
			EmployeeID: c.EmployeeID, EmploymentID: m.ID, Mode: models.ModeDisable, Origin: models.OriginStandalone, Systems: c.Systems,
			Cut: &c.ID, By: by, Superseded: departure.OperationChanged,
		}
		if current(m) {
			o.Connected = connected
		}
		_, ordered, err := account.OrderUnlink(tx, o)
		if err != nil {
			return n, fmt.Errorf("ordering the unlinking of a cut: %w", err)
		}
		if ordered {
			n++
		}
	}
	return n, nil
}

func record(tx *database.Tx, c models.AccessCut, action string, by models.Actor, details map[string]string) (uuid.UUID, error) {
	return ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindAccount, Action: action, Subject: &c.EmployeeID, Object: "access_cut/" + c.ID.String(), Details: details,
	}.As(tx.Context(), by))
}

// change writes columns of a cut with the entry that says so.
func change(tx *database.Tx, c *models.AccessCut, action string, by models.Actor, details map[string]string, columns map[string]any) (err error) {
	if c.LedgerEntryID, err = record(tx, *c, action, by, details); err != nil {
		return err
	}
	columns["ledger_entry_id"] = c.LedgerEntryID
	return database.Wrap("changing a cut", database.UpdateOne(tx.DB().Model(&models.AccessCut{}).Where("id = ?", c.ID).Updates(columns)))
}

func lock(tx *database.Tx, id uuid.UUID) (models.AccessCut, error) {
	c, err := database.Lock[models.AccessCut](tx, "an emergency cut", id)
	return c, database.Found("locking an emergency cut", err, ErrNotFound)
}

// Tell enters that the person was told, from when on it is shown to whoever sees the person. The same again changes nothing.
func Tell(tx *database.Tx, by identity.Bearer, id uuid.UUID) (models.AccessCut, error) {
	by, err := identity.Dangerous(tx, by)
	if err != nil {
		return models.AccessCut{}, err
	}
	c, err := lock(tx, id)
	switch {
	case err != nil:
		return c, err
	case c.EmployeeID == by.Actor.EmployeeID:
		return c, ErrOwn
	case c.ToldAt != nil:
		return c, nil
	}
	now, err := tx.Now()
	if err != nil {
		return c, err
	}
	c.ToldAt, c.ToldBy = &now, by.Actor.ID()
	return c, change(tx, &c, actionTold, by.Actor, nil, map[string]any{"told_at": now, "told_by": by.Actor.ID()})
}

// Confirm is the second person's word that a cut is right: neither who ordered it nor the person, and nobody whose user
// one of them could have. The same again changes nothing.
func Confirm(tx *database.Tx, by identity.Bearer, id uuid.UUID) (models.AccessCut, error) {
	by, err := identity.Dangerous(tx, by)
	if err != nil {
		return models.AccessCut{}, err
	}
	c, err := lock(tx, id)
	switch {
	case err != nil:
		return c, err
	case c.EmployeeID == by.Actor.EmployeeID:
		return c, ErrOwn
	case c.OrderedBy == by.Actor.EmployeeID:
		return c, ErrSamePerson
	case c.State == models.CutLifted:
		return c, ErrLifted
	case c.State == models.CutEnded:
		return c, ErrEnded
	case c.State == models.CutConfirmed:
		return c, nil
	}
	made, err := identity.CreatedOrReset(tx, c.OrderedBy, by.UserID)
	if err != nil {
		return c, err
	}
	held, err := identity.HeldHalf(tx, c.OrderedBy, by.UserID)
	if err != nil {
		return c, err
	}
	if made || held {
		return c, ErrSamePerson
	}
	now, err := tx.Now()
	if err != nil {
		return c, err
	}
	c.State, c.ConfirmedAt, c.ConfirmedBy = models.CutConfirmed, &now, by.Actor.ID()
	return c, change(tx, &c, actionConfirmed, by.Actor, nil, map[string]any{"state": c.State, "confirmed_at": now, "confirmed_by": by.Actor.ID()})
}
