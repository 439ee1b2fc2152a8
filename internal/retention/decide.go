package retention

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

// MaxExtension is how far ahead the end of an extension may lie where no ceiling is nearer.
const MaxExtension = 10 // years

// Decide records a reviewer's decision about a purge in review. Approved, it goes on at once. Rejected,
// it stays as it is until two others approve it after all ([Overrule]), two people extend the period
// ([Extend]), or a hold takes it over: it never goes on by that nobody decides, and who rejected it counts
// for every later purge of what it claims. Who ordered the
// departure, and the person whose data it is, cannot decide. The same decision by the same person again
// changes nothing.
func Decide(tx *database.Tx, purgeID uuid.UUID, by models.Actor, decision models.Decision) error {
	c, err := lockUndecided(tx, purgeID, by, decision)
	if err != nil || c.purge.Decision == decision {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	entry, err := recordPurge(tx, actionPurgeDecided, purgeID, c.departure, by, map[string]string{"decision": string(decision)})
	if err != nil {
		return err
	}
	columns := map[string]any{"decision": decision, "decided_by": by.EmployeeID, "decided_at": now, "decision_entry_id": entry}
	if decision == models.DecisionRejected {
		columns["state"], columns["rejected_by"], columns["rejected_at"] = models.PurgeRejected, by.EmployeeID, now
		columns["escalations"], columns["escalated_at"] = 0, nil
		if err := c.reject(tx, by, entry); err != nil {
			return err
		}
	}
	if err := c.update(tx, columns); err != nil {
		return err
	}
	return tx.Touch(models.DrivenPurge, purgeID)
}

// MayDecide is why [Decide] would refuse, if it would.
func MayDecide(tx *database.Tx, purgeID uuid.UUID, by models.Actor, decision models.Decision) error {
	_, err := lockUndecided(tx, purgeID, by, decision)
	return err
}

// lockUndecided locks a purge about which somebody may decide so, or has.
func lockUndecided(tx *database.Tx, purgeID uuid.UUID, by models.Actor, decision models.Decision) (c claimed, err error) {
	if decision != models.DecisionApproved && decision != models.DecisionRejected {
		return c, ErrUnknownDecision
	}
	if c, err = lockPurge(tx, purgeID); err != nil {
		return c, err
	}
	if err := c.mayDecide(by); err != nil {
		return c, err
	}
	switch {
	case c.purge.Decision == decision && c.purge.DecidedBy != nil && *c.purge.DecidedBy == by.EmployeeID:
	case c.purge.State == models.PurgeRejected && decision == models.DecisionApproved:
		err = ErrRejected
	case c.purge.State != models.PurgeInReview || c.purge.Decision == models.DecisionApproved:
		err = ErrNotInReview
	}
	return c, err
}

// mayDecide says whether somebody may decide about the purge at all.
func (c *claimed) mayDecide(by models.Actor) error {
	switch {
	case by.Role != models.RoleReviewer:
		return ErrRoleMayNot
	case by.EmployeeID == c.departure.EmployeeID:
		return ErrSubject
	case c.departure.CreatedBy != nil && by.EmployeeID == *c.departure.CreatedBy:
		return ErrSamePerson
	}
	return nil
}

// agreedBy is the approval that the transaction carries out, without which the database takes no two
// people's word.
func agreedBy(tx *database.Tx) *uuid.UUID {
	if id := models.CallerOf(tx.Context()).ApprovalID; id != uuid.Nil {
		return &id
	}
	return nil
}

// MayOverrule says whether somebody may be one of the two people who approve a rejected purge after
// all: a reviewer who rejected neither it nor an earlier one of what it claims. One that is not rejected
// is ErrNotRejected.
func MayOverrule(tx *database.Tx, purgeID uuid.UUID, by models.Actor) error {
	_, err := lockRejected(tx, purgeID, by)
	return err
}

func lockRejected(tx *database.Tx, purgeID uuid.UUID, actors ...models.Actor) (claimed, error) {
	c, err := lockPurge(tx, purgeID)
	if err != nil {
		return c, err
	}
	if c.purge.State != models.PurgeRejected {
		return c, ErrNotRejected
	}
	rejecters, err := c.rejecters(tx)
	if err != nil {
		return c, err
	}
	for _, actor := range actors {
		if err := c.mayDecide(actor); err != nil {
			return c, err
		}
		if slices.Contains(rejecters, actor.EmployeeID) {
			return c, ErrRejecter
		}
	}
	return c, nil
}

// Overrule approves a rejected purge on the word of two people, neither of whom rejected it.
func Overrule(tx *database.Tx, purgeID uuid.UUID, first, second models.Actor) error {
	c, err := lockRejected(tx, purgeID, first, second)
	if err != nil {
		return err
	}
	if first.EmployeeID == second.EmployeeID {
		return ErrSamePerson
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	entry, err := recordPurge(tx, actionPurgeOverruled, purgeID, c.departure, second,
		map[string]string{"decision": string(models.DecisionApproved), "asked_by": first.EmployeeID.String()})
	if err != nil {
		return err
	}
	err = c.update(tx, map[string]any{
		"state": models.PurgeInReview, "decision": models.DecisionApproved,
		"decided_by": first.EmployeeID, "confirmed_by": second.EmployeeID, "decided_at": now,
		"decision_entry_id": entry, "decided_with": agreedBy(tx),
	})
	if err != nil {
		return err
	}
	return tx.Touch(models.DrivenPurge, purgeID)
}

// MayExtend says whether somebody may be one of the two people who extend a rejected purge to a day.
func MayExtend(tx *database.Tx, purgeID uuid.UUID, by models.Actor, until clock.Date) error {
	_, _, err := lockExtensible(tx, purgeID, until, by)
	return err
}

func lockExtensible(tx *database.Tx, purgeID uuid.UUID, until clock.Date, actors ...models.Actor) (claimed, []Extension, error) {
	c, err := lockRejected(tx, purgeID)
	if err != nil {
		return c, nil, err
	}
	for _, actor := range actors {
		if err := c.mayDecide(actor); err != nil {
			return c, nil, err
		}
	}
	list, _, err := c.extensions(tx, until)
	return c, list, err
}

// Claim is a category that a purge claims, with since when it is due and by which rule.
type Claim struct {
	Category models.Category
	Deadline time.Time
	Rule     models.RetentionRule
}

// Claims are what a purge claims, in the order of the categories' codes.
func Claims(tx *database.Tx, purgeID uuid.UUID) ([]Claim, error) {
	c, err := lockPurge(tx, purgeID)
	if err != nil {
		return nil, err
	}
	rules, err := rulesOf(tx, c.deadlines)
	if err != nil {
		return nil, err
	}
	claims := make([]Claim, len(c.deadlines))
	for i, l := range c.deadlines {
		at := slices.IndexFunc(rules, func(r models.RetentionRule) bool { return r.ID == l.RuleID })
		claims[i] = Claim{l.Category, l.Deadline, rules[at]}
	}
	slices.SortFunc(claims, func(a, b Claim) int { return strings.Compare(string(a.Category), string(b.Category)) })
	return claims, nil
}

func rulesOf(tx *database.Tx, deadlines []models.RetentionDeadline) ([]models.RetentionRule, error) {
	ids := make([]uuid.UUID, len(deadlines))
	for i, l := range deadlines {
		ids[i] = l.RuleID
	}
	return database.Find[models.RetentionRule](tx.DB(), "the rules", "id IN ?", ids)
}

// Extension is what an extension of a rejected purge would do to one category's deadline.
type Extension struct {
	Category      models.Category
	Before, After time.Time
}

// Extensions says what keeping everything that a rejected purge claims to the end of a day, in the
// departure's zone, would do, and by which rules. A day that is no extension is ErrUntilPast, one above
// a rule's ceiling, or more than MaxExtension years ahead, ErrAboveCeiling.
func Extensions(tx *database.Tx, purgeID uuid.UUID, until clock.Date) ([]Extension, []models.RetentionRule, error) {
	c, err := lockRejected(tx, purgeID)
	if err != nil {
		return nil, nil, err
	}
	return c.extensions(tx, until)
}

func (c *claimed) extensions(tx *database.Tx, until clock.Date) ([]Extension, []models.RetentionRule, error) {
	now, err := tx.Now()
	if err != nil {
		return nil, nil, err
	}
	loc, err := clock.LoadZone(c.departure.TimeZone)
	if err != nil {
		return nil, nil, fmt.Errorf("loading the departure's zone: %w", err)
	}
	today := clock.Today(now, loc)
	if until.After(clock.NewDate(today.Year+MaxExtension, today.Month, today.Day)) {
		return nil, nil, ErrAboveCeiling
	}
	end := clock.EndOfDay(until, loc).UTC()
	rules, err := rulesOf(tx, c.deadlines)
	if err != nil {
		return nil, nil, err
	}
	list := make([]Extension, len(c.deadlines))
	for i, l := range c.deadlines {
		at := slices.IndexFunc(rules, func(r models.RetentionRule) bool { return r.ID == l.RuleID })
		ceiling, err := Ceiling(rules[at], l.EventAt, loc)
		switch {
		case err != nil:
			return nil, nil, err
		case !ceiling.IsZero() && end.After(ceiling):
			return nil, nil, ErrAboveCeiling
		case !end.After(now), !end.After(l.Deadline):
			return nil, nil, ErrUntilPast
		}
		list[i] = Extension{Category: l.Category, Before: l.Deadline.UTC(), After: end}
	}
	return list, rules, nil
}

// Extend ends a rejected purge by keeping what it claims to the end of a day, on the word of two
// people. Then it falls due again, still as something that somebody rejected.
func Extend(tx *database.Tx, purgeID uuid.UUID, first, second models.Actor, until clock.Date) error {
	c, list, err := lockExtensible(tx, purgeID, until, first, second)
	if err != nil {
		return err
	}
	if first.EmployeeID == second.EmployeeID {
		return ErrSamePerson
	}
	if len(list) == 0 {
		return ErrNotRejected // everything left the claim; the next look ends it
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	details := map[string]string{"decision": string(models.DecisionExtended), "until": until.String(), "asked_by": first.EmployeeID.String(), "categories": categoryList(c.categories())}
	entry, err := recordPurge(tx, actionPurgeExtended, purgeID, c.departure, second, details)
	if err != nil {
		return err
	}
	err = tx.DB().Exec(`UPDATE retention_deadlines SET deadline = ?, extended_until = ?, ledger_entry_id = ?, updated_at = lethe_now()
		WHERE departure_id = ? AND category IN ? AND deadline < ?`,
		list[0].After, list[0].After, entry, c.departure.ID, c.categories(), list[0].After).Error
	if err != nil {
		return database.Wrap("extending deadlines", err)
	}
	gone := c.categories()
	c.deadlines = nil
	if err := c.letGo(tx, gone); err != nil {
		return err
	}
	err = database.UpdateOne(tx.DB().Model(&models.Purge{}).Where("id = ?", purgeID).Updates(map[string]any{
		"decision": models.DecisionExtended, "decided_by": first.EmployeeID, "confirmed_by": second.EmployeeID, "decided_at": now,
		"decision_entry_id": entry, "decided_with": agreedBy(tx),
		"extended_until": until,
	}))
	if err != nil {
		return fmt.Errorf("recording an extension: %w", err)
	}
	return tx.Touch(models.DrivenPurge, purgeID)
}
