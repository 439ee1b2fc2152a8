package retention

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// Calendar is by which rules deadlines of many are computed. The rules of a jurisdiction are read once.
type Calendar struct {
	tx    *database.Tx
	rules map[string][]models.RetentionRule // nil: it has not all of them
}

// NewCalendar reads as it is asked, within a transaction.
func NewCalendar(tx *database.Tx) *Calendar {
	return &Calendar{tx: tx, rules: map[string][]models.RetentionRule{}}
}

// Due are the categories of an employment that ended at an instant whose deadlines are over by another one. A
// jurisdiction without rules is *MissingRulesError.
func (c *Calendar) Due(jurisdiction, zone string, endedAt, by time.Time) (due []models.Category, err error) {
	rules, err := c.of(jurisdiction)
	if err != nil {
		return nil, err
	}
	loc, err := clock.LoadZone(zone)
	if err != nil {
		return nil, fmt.Errorf("loading a zone: %w", err)
	}
	for _, rule := range rules {
		deadline, _, err := Deadline(rule, endedAt, loc)
		if err != nil {
			return nil, err
		}
		if !deadline.After(by) {
			due = append(due, rule.Category)
		}
	}
	return due, nil
}

// Ruled says whether a jurisdiction has a rule for every category.
func (c *Calendar) Ruled(jurisdiction string) (bool, error) {
	_, err := c.of(jurisdiction)
	if missing := (*MissingRulesError)(nil); errors.As(err, &missing) {
		return false, nil
	}
	return err == nil, err
}

func (c *Calendar) of(jurisdiction string) ([]models.RetentionRule, error) {
	rules, known := c.rules[jurisdiction]
	if !known {
		var err error
		rules, err = Rules(c.tx, jurisdiction)
		if missing := (*MissingRulesError)(nil); err != nil && !errors.As(err, &missing) {
			return nil, err
		}
		c.rules[jurisdiction] = rules
	}
	if rules == nil {
		return nil, &MissingRulesError{jurisdiction, models.Categories}
	}
	return rules, nil
}

// Entered is a departure that took effect in the transaction in which it was entered.
type Entered struct {
	models.Departure
	Jurisdiction string
	// LookAt is when Retention looks at it first, if nothing happens before.
	LookAt time.Time
}

// ScheduleAll is [Schedule] for people who came in as departed, whose employments nobody else has seen yet. Nobody is
// nudged: the relay finds each at its LookAt.
func ScheduleAll(tx *database.Tx, all []Entered) error {
	if err := tx.DB().Exec("LOCK TABLE retention_rules IN ROW EXCLUSIVE MODE").Error; err != nil {
		return database.Wrap("locking the retention rules", err)
	}
	ids, employments := make(models.IDs, len(all)), make(models.IDs, len(all))
	for i, e := range all {
		ids[i], employments[i] = e.ID, e.EmploymentID
	}
	var categories []models.EmploymentCategory
	if err := tx.DB().Where("employment_id = ANY (?)", employments).Find(&categories).Error; err != nil {
		return database.Wrap("reading the categories", err)
	}
	of := make(map[uuid.UUID][]models.EmploymentCategory, len(all))
	for _, c := range categories {
		of[c.EmploymentID] = append(of[c.EmploymentID], c)
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	var rows []models.RetentionDeadline
	entries, deadlines := make([]ledger.Entry, len(all)), make([]int, len(all))
	calendar := NewCalendar(tx)
	for i, e := range all {
		rules, err := calendar.of(e.Jurisdiction)
		if err != nil {
			return err
		}
		own, err := deadlinesOf(e.Departure, of[e.EmploymentID], rules, now)
		if err != nil {
			return err
		}
		rows, deadlines[i] = append(rows, own...), len(own)
		entries[i] = ledger.Entry{
			Kind: ledger.KindRetention, Action: actionScheduled, Subject: &e.EmployeeID, Object: "retention/" + e.ID.String(),
			Details: scheduled(e.Departure, e.Jurisdiction, own, rules),
		}
	}
	recorded, err := ledger.AppendAll(tx, entries)
	if err != nil {
		return err
	}
	next := 0
	for i, n := range deadlines {
		for range n {
			rows[next].LedgerEntryID = &recorded[i]
			next++
		}
	}
	return beginAll(tx, all, ids, employments, recorded, rows)
}

// deadlinesAtOnce bounds one INSERT: a statement takes 65,535 arguments.
const deadlinesAtOnce = 2000

func beginAll(tx *database.Tx, all []Entered, ids, employments models.IDs, recorded []uuid.UUID, rows []models.RetentionDeadline) error {
	looks := make([]time.Time, len(all))
	for i, e := range all {
		looks[i] = e.LookAt
	}
	_, err := database.Exec(tx, "beginning retentions", `INSERT INTO retentions (id, employment_id, ledger_entry_id, revision, seen_revision, wake_at)
		SELECT id, employment, entry, 1, 1, look FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[]) n (id, employment, entry, look)`,
		[]uuid.UUID(ids), []uuid.UUID(employments), recorded, looks)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(rows, deadlinesAtOnce) {
		if err := tx.DB().Create(&part).Error; err != nil {
			return database.Wrap("creating the deadlines", err)
		}
	}
	err = tx.DB().Exec(`UPDATE retention_deadlines SET state = ?, updated_at = lethe_now()
		WHERE departure_id = ANY (?) AND state = ? AND EXISTS (SELECT FROM holds WHERE released_at IS NULL) AND lethe_held(employment_id, category)`,
		models.DeadlineHeld, ids, models.DeadlineScheduled).Error
	return database.Wrap("holding deadlines", err)
}
