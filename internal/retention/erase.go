package retention

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// Kept is why a category stays although the person asked for its erasure.
type Kept string

// Why something stays.
const (
	// KeptEmployed: nothing of a present employment is deleted.
	KeptEmployed Kept = "employed"
	// KeptHeld: a hold keeps it.
	KeptHeld Kept = "held"
	// KeptByLaw: the law wants it kept as long as the deadline says.
	KeptByLaw Kept = "law"
	// KeptExtended: two people kept it longer.
	KeptExtended Kept = "extended"
	// KeptGoing: its deletion is due already, or done.
	KeptGoing Kept = "going"
)

// KeptReasons lists them all.
var KeptReasons = closed.Of("erasure_kept", KeptEmployed, KeptHeld, KeptByLaw, KeptExtended, KeptGoing)

// Erasable is what the person's request may do to one category of one employment.
type Erasable struct {
	EmploymentID uuid.UUID
	Category     models.Category
	Deadline     time.Time
	// Earliest is to when the deadline may be brought forward: what the law wants kept it keeps (I6).
	Earliest time.Time
	Rule     models.RetentionRule
	Kept     Kept   // empty: it may be brought forward
	Zone     string // the departure's

	deadline models.RetentionDeadline
}

// KeptError says what stays.
type KeptError struct {
	Category models.Category
	Kept     Kept
	// Until and Rule are of what a law or people keep.
	Until time.Time
	Rule  models.RetentionRule
}

func (e *KeptError) Error() string { return fmt.Sprintf("%s is kept: %s", e.Category, e.Kept) }

// erasable judges one deadline. It is pure.
func erasable(l models.RetentionDeadline, held bool, now time.Time) (earliest time.Time, kept Kept) {
	earliest = l.FloorAt
	if now.After(earliest) {
		earliest = now
	}
	why := KeptByLaw
	if l.ExtendedUntil != nil && l.ExtendedUntil.After(earliest) {
		earliest, why = *l.ExtendedUntil, KeptExtended
	}
	switch {
	case l.State == models.DeadlineHeld || held:
		return earliest, KeptHeld
	case l.State != models.DeadlineScheduled || !l.Deadline.After(now):
		return earliest, KeptGoing
	case !earliest.Before(l.Deadline):
		return earliest, why
	}
	return earliest, ""
}

// Erasables are all categories of a person's former employments, as they are now. Nothing is locked.
func Erasables(tx *database.Tx, person uuid.UUID) (all []Erasable, err error) {
	now, err := tx.Now()
	if err != nil {
		return nil, err
	}
	var rows []struct {
		models.RetentionDeadline
		Held     bool
		TimeZone string
	}
	err = tx.DB().Raw(`SELECT l.*, lethe_held(l.employment_id, l.category) AS held, d.time_zone FROM retention_deadlines l JOIN departures d ON d.id = l.departure_id
		WHERE d.employee_id = ? AND l.state <> 'cancelled' ORDER BY l.id`, person).Scan(&rows).Error
	if err != nil {
		return nil, database.Wrap("reading a person's deadlines", err)
	}
	deadlines := make([]models.RetentionDeadline, len(rows))
	for i, r := range rows {
		deadlines[i] = r.RetentionDeadline
	}
	rules, err := rulesOf(tx, deadlines)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		e := Erasable{EmploymentID: r.EmploymentID, Category: r.Category, Deadline: r.Deadline, deadline: deadlines[i], Zone: r.TimeZone}
		for _, rule := range rules {
			if rule.ID == r.RuleID {
				e.Rule = rule
			}
		}
		e.Earliest, e.Kept = erasable(deadlines[i], r.Held, now)
		all = append(all, e)
	}
	return all, nil
}

// erased are those of the named categories that come forward: each of them has to, as far as anything of it is there.
func erased(all []Erasable, categories []models.Category) (chosen []Erasable, err error) {
	for _, category := range categories {
		found := false
		refused := &KeptError{Category: category, Kept: KeptEmployed}
		for _, e := range all {
			switch {
			case e.Category != category:
			case e.Kept == "":
				chosen, found = append(chosen, e), true
			case e.Kept == KeptHeld:
				return nil, &KeptError{category, e.Kept, e.Deadline, e.Rule}
			default:
				refused = &KeptError{category, e.Kept, e.Deadline, e.Rule}
			}
		}
		if !found {
			return nil, refused
		}
	}
	return chosen, nil
}

// PrepareErasure locks a person's employments and departures and says which deadlines come forward, and to when. What
// stays is a *[KeptError].
func PrepareErasure(tx *database.Tx, person uuid.UUID, categories []models.Category) ([]Erasable, error) {
	if err := tx.LockHoldsShared(); err != nil {
		return nil, err
	}
	if _, err := archive.LockEmployments(tx, person); err != nil {
		return nil, err
	}
	if _, err := database.LockAll[models.Departure](tx, "a person's departures", "employee_id = ?", person); err != nil {
		return nil, err
	}
	if _, err := database.LockAll[models.RetentionDeadline](tx, "deadlines", "employment_id IN (SELECT id FROM employments WHERE employee_id = ?)", person); err != nil {
		return nil, err
	}
	all, err := Erasables(tx, person)
	if err != nil {
		return nil, err
	}
	return erased(all, categories)
}

// Erase brings the deadlines forward, as far as the law lets it: two people agreed. Nothing is deleted by it: the purge
// that follows is reviewed, and asks for holds.
func Erase(tx *database.Tx, by models.Actor, person uuid.UUID, request string, categories []models.Category) error {
	chosen, err := PrepareErasure(tx, person, categories)
	if err != nil || len(chosen) == 0 {
		return err
	}
	employments := map[uuid.UUID]bool{}
	for _, e := range chosen {
		l := e.deadline
		entry, err := appendEntry(tx, ledger.KindRetention, actionErasure, "retention/"+l.DepartureID.String(), person, by,
			map[string]string{string(e.Category): instant(e.Earliest) + " instead of " + instant(e.Deadline), "subject_request": request}, "")
		if err != nil {
			return err
		}
		row := running{ID: l.ID, EventAt: l.EventAt, Deadline: e.Earliest, FloorAt: l.FloorAt, Advanced: true}
		if err := write(tx, e.Rule, []running{row}, entry); err != nil {
			return err
		}
		employments[e.EmploymentID] = true
	}
	for id := range employments {
		if err := resume(tx, id); err != nil {
			return err
		}
	}
	return nil
}
