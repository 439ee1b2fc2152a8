package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/failpoint"
	"lethe/internal/ledger"
	"lethe/models"
)

// Worker compares systems.
type Worker struct {
	DB      *database.DB
	Systems *connector.Registry
	Log     *slog.Logger
	// Shrink is the share of its accounts that a listing may lack against the last whole one, from 0 to 1.
	Shrink float64
	// NoSignIn is after how long without a sign-in somebody employed is asked about; 0: never.
	NoSignIn time.Duration
	// Pause comes before a system that failed is asked again.
	Pause time.Duration
}

const (
	// tries is how often a listing is asked for in one run.
	tries = 3
	// chunk is how many accounts are compared in one transaction.
	chunk = 2000
)

// comparison is one system in one run, while a worker is at it.
type comparison struct {
	*Worker
	run     models.Reconciliation
	row     models.ReconciliationSystem
	remote  connector.Connector
	listed  int
	started time.Time
	found   int // findings that are new
	still   int
}

// Compare compares one system. It may be repeated: what an attempt that died had written is written again.
func (w *Worker) Compare(ctx context.Context, id uuid.UUID, system string) error {
	c := comparison{Worker: w}
	err := c.compare(ctx, id, system)
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}

func (c *comparison) compare(ctx context.Context, id uuid.UUID, system string) error {
	began := time.Now()
	if going, err := c.begin(ctx, id, system); err != nil || !going {
		return err
	}
	connected, ok := c.Systems.Get(system)
	lister, lists := connected.Connector.(connector.Lister)
	if !ok || !lists {
		return c.alarm(ctx, string(connector.CodeUnavailable)) // this worker is not connected to it
	}
	c.remote = connected.Connector
	if err := c.list(ctx, lister); err != nil {
		if code := connector.CodeOf(err); code != "" && ctx.Err() == nil {
			return c.alarm(ctx, string(code))
		}
		return err
	}
	failpoint.Hit("reconcile.listed")
	if why := c.doubt(); why != "" {
		return c.alarm(ctx, why)
	}
	err := c.judgeAll(ctx)
	if err == nil {
		err = c.lookForGone(ctx)
	}
	if code := connector.CodeOf(err); code != "" && ctx.Err() == nil {
		return c.alarm(ctx, string(code)) // it stopped answering in the middle: what was seen is seen, nothing ended
	}
	if err != nil {
		return err
	}
	failpoint.Hit("reconcile.judged")
	if err := c.finish(ctx); err != nil {
		return err
	}
	comparedSeconds.Observe(time.Since(began).Seconds())
	return nil
}

// begin removes what an attempt before left. going is false if somebody finished it already.
func (c *comparison) begin(ctx context.Context, id uuid.UUID, system string) (going bool, err error) {
	err = held(ctx, c.DB, id, func(tx *database.Tx) error {
		if c.run, err = database.First[models.Reconciliation](tx.DB().Where("id = ?", id)); err != nil {
			return err
		}
		if c.row, err = database.First[models.ReconciliationSystem](tx.DB().Clauses(database.ForChange).Where("reconciliation_id = ? AND system = ?", id, system)); err != nil {
			return err
		}
		if going = c.row.Outcome == ""; !going {
			return nil
		}
		if c.started, err = tx.Now(); err != nil {
			return err
		}
		if c.row.Expected, err = expected(tx, system); err != nil {
			return err
		}
		if err := c.clear(tx); err != nil {
			return err
		}
		return database.Wrap("beginning a comparison", tx.DB().Model(&models.ReconciliationSystem{}).
			Where("reconciliation_id = ? AND system = ?", id, system).
			Updates(map[string]any{"started_at": c.started, "expected": c.row.Expected}).Error)
	})
	return going, err
}

func (c *comparison) clear(tx *database.Tx) error {
	err := tx.DB().Exec("DELETE FROM reconciliation_listing WHERE reconciliation_id = ? AND system = ?", c.run.ID, c.row.System).Error
	return database.Wrap("removing a listing", err)
}

// expected is how many accounts the last whole listing of a system had; before the first, how many that we know of are in use.
func expected(tx *database.Tx, system string) (int, error) {
	var n *int
	err := tx.DB().Raw(`SELECT listed FROM reconciliation_systems WHERE system = ? AND outcome = ? ORDER BY reconciliation_id DESC LIMIT 1`,
		system, models.ComparisonCompared).Scan(&n).Error
	if err != nil {
		return 0, database.Wrap("reading the last listing", err)
	}
	if n != nil {
		return *n, nil
	}
	var known int
	err = tx.DB().Raw(`SELECT count(DISTINCT external_id) FROM linked_accounts WHERE system = ? AND external_id IS NOT NULL AND seen_at IS NOT NULL AND state IN ?`,
		system, inUse).Scan(&known).Error
	return known, database.Wrap("counting accounts", err)
}

var inUse = []models.AccountState{models.AccountLinked, models.AccountRelinked}

// doubt is why a whole listing is not believed; empty: it is.
func (c *comparison) doubt() string {
	switch {
	case c.listed == 0 && c.row.Expected > 0:
		return AlarmEmpty
	case float64(c.listed) < float64(c.row.Expected)*(1-c.Shrink) && !c.run.AcceptSmaller:
		return AlarmShrunk
	}
	return ""
}

// list reads the whole listing into the database, where its accounts are compared part by part.
func (c *comparison) list(ctx context.Context, lister connector.Lister) error {
	for try := 1; ; try++ {
		n, err := lister.List(ctx, func(page []connector.Listed) error { return c.keep(ctx, page) })
		if err == nil {
			c.listed = n
			return nil
		}
		if connector.CodeOf(err) == "" || try == tries {
			return err
		}
		c.Log.Warn("a system could not be listed; it is tried again", "system", c.row.System, "code", string(connector.CodeOf(err)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(c.Pause):
		}
		if err := held(ctx, c.DB, c.run.ID, c.clear); err != nil {
			return err
		}
	}
}

func (c *comparison) keep(ctx context.Context, page []connector.Listed) error {
	err := held(ctx, c.DB, c.run.ID, func(tx *database.Tx) error {
		ids, numbers, on, last := make(models.Names, len(page)), make(models.Names, len(page)), make(models.Names, len(page)), make(models.Names, len(page))
		for i, a := range page {
			ids[i], numbers[i], on[i] = clean(a.ExternalID), clean(a.EmployeeNo), strconv.FormatBool(a.Active)
			if a.LastSignInAt != nil {
				last[i] = a.LastSignInAt.UTC().Format(time.RFC3339)
			}
		}
		return tx.DB().Exec(`INSERT INTO reconciliation_listing (reconciliation_id, system, external_id, employee_no, active, last_sign_in_at)
			SELECT ?, ?, a.id, a.no, a.active, CAST(nullif(a.at, '') AS timestamptz)
			FROM unnest(CAST(? AS text[]), CAST(? AS text[]), CAST(? AS boolean[]), CAST(? AS text[])) AS a (id, no, active, at)`,
			c.run.ID, c.row.System, ids, numbers, on, last).Error
	})
	if database.Violates(database.Hide(err), "reconciliation_listing_pkey") {
		return &connector.Error{Code: connector.CodeIncompleteList, Temporary: true} // twice
	}
	return err
}

// alarm ends the comparison without concluding anything.
func (c *comparison) alarm(ctx context.Context, why string) error {
	alarms.WithLabelValues(why).Inc()
	return c.close(ctx, func(tx *database.Tx, now time.Time) (map[string]any, string, error) {
		since := now
		var before []models.ReconciliationSystem
		err := tx.DB().Where("system = ? AND reconciliation_id < ? AND outcome IN ?", c.row.System, c.run.ID,
			[]models.ComparisonOutcome{models.ComparisonAlarm, models.ComparisonCompared}).Order("reconciliation_id DESC").Limit(1).Find(&before).Error
		if err != nil {
			return nil, "", database.Wrap("reading the run before", err)
		}
		if len(before) > 0 && before[0].AlarmSince != nil {
			since = *before[0].AlarmSince
		}
		columns := map[string]any{"outcome": models.ComparisonAlarm, "alarm": why, "alarm_since": since, "found": c.found, "still": c.still}
		if c.listed > 0 || why == AlarmEmpty {
			columns["listed"] = c.listed
		}
		return columns, actionAlarm, nil
	})
}

// finish ends what was not seen any more, and the comparison.
func (c *comparison) finish(ctx context.Context) error {
	return c.close(ctx, func(tx *database.Tx, now time.Time) (map[string]any, string, error) {
		r := tx.DB().Exec(`UPDATE account_drift SET ended_at = ?, external_id = NULL WHERE system = ? AND ended_at IS NULL AND last_run_id <> ?`,
			now, c.row.System, c.run.ID)
		if r.Error != nil {
			return nil, "", database.Wrap("ending drift", r.Error)
		}
		return map[string]any{
			"outcome": models.ComparisonCompared, "listed": c.listed, "found": c.found, "still": c.still, "ended": r.RowsAffected,
		}, actionCompared, nil
	})
}

func (c *comparison) close(ctx context.Context, what func(tx *database.Tx, now time.Time) (map[string]any, string, error)) error {
	return held(ctx, c.DB, c.run.ID, func(tx *database.Tx) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		columns, action, err := what(tx, now)
		if err != nil {
			return err
		}
		details := map[string]string{"system": c.row.System}
		for column, detail := range map[string]string{"listed": "accounts_listed", "found": "drift_found", "still": "drift_still", "ended": "drift_ended", "alarm": "alarm"} {
			switch v := columns[column].(type) {
			case int:
				details[detail] = strconv.Itoa(v)
			case int64:
				details[detail] = strconv.FormatInt(v, 10)
			case string:
				details[detail] = v
			}
		}
		entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindAccount, Action: action, Object: object(c.run.ID), Details: details}.As(tx.Context(), models.System))
		if err != nil {
			return err
		}
		if err := c.clear(tx); err != nil {
			return err
		}
		columns["ended_at"], columns["ledger_entry_id"] = now, entry
		err = database.UpdateOne(tx.DB().Model(&models.ReconciliationSystem{}).
			Where("reconciliation_id = ? AND system = ? AND outcome = ''", c.run.ID, c.row.System).Updates(columns))
		if err != nil {
			return database.Wrap("ending a comparison", err)
		}
		return tx.Touch(models.DrivenReconciliation, c.run.ID)
	})
}

// judgeAll goes through the listing in parts.
func (c *comparison) judgeAll(ctx context.Context) error {
	for after := ""; ; {
		var rows []listing
		err := c.DB.Read(ctx).Raw(`SELECT external_id, employee_no, active, last_sign_in_at FROM reconciliation_listing
			WHERE reconciliation_id = ? AND system = ? AND external_id > ? ORDER BY external_id LIMIT ?`, c.run.ID, c.row.System, after, chunk).Scan(&rows).Error
		if err != nil {
			return database.Wrap("reading a listing", err)
		}
		if len(rows) == 0 {
			return nil
		}
		after = rows[len(rows)-1].ExternalID
		if err := c.judge(ctx, rows); err != nil {
			return err
		}
	}
}

type listing struct {
	ExternalID   string
	EmployeeNo   string
	Active       bool
	LastSignInAt *time.Time
}

// seen is a finding with the account that it is about.
type seen struct {
	Finding
	listing
}

func (c *comparison) judge(ctx context.Context, rows []listing) error {
	facts, err := c.facts(ctx, rows)
	if err != nil {
		return err
	}
	var found []seen
	for _, row := range rows {
		for _, f := range Judge(connector.Listed(row), facts(row)) {
			if f.Grave() {
				if still, err := c.stillSo(ctx, f, row); err != nil {
					return err
				} else if !still {
					continue
				}
			}
			found = append(found, seen{f, row})
		}
	}
	return c.write(ctx, found)
}

// stillSo reads an account back, and then the facts: the listing is older than either.
func (c *comparison) stillSo(ctx context.Context, f Finding, row listing) (bool, error) {
	state, err := c.remote.ReadBack(ctx, row.ExternalID)
	unclear := connector.CodeOf(err) == connector.CodeBadAnswer && state.Exists // it does not say whether it is off
	switch {
	case connector.CodeOf(err) == connector.CodeNotFound:
		return false, nil
	case err != nil && !unclear:
		return false, err
	case !state.Active && !unclear:
		return false, nil
	}
	facts, err := c.facts(ctx, []listing{row})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(Judge(connector.Listed(row), facts(row)), func(now Finding) bool { return now.Kind == f.Kind }), nil
}

// lookForGone looks for accounts of people who are employed that are not listed, and reads each back.
func (c *comparison) lookForGone(ctx context.Context) error {
	type row struct {
		ID, EmployeeID uuid.UUID
		ExternalID     string
	}
	for after := uuid.Nil; ; {
		var rows []row
		err := c.DB.Read(ctx).Raw(`SELECT a.id, a.external_id, m.employee_id FROM linked_accounts a JOIN employments m ON m.id = a.employment_id
			WHERE a.system = @system AND a.external_id IS NOT NULL AND a.id > @after AND a.state IN @used AND a.created_at < @started AND `+goesOn+`
			ORDER BY a.id LIMIT @chunk`, map[string]any{"system": c.row.System, "after": after, "used": inUse, "started": c.started, "chunk": chunk}).Scan(&rows).Error
		if err != nil {
			return database.Wrap("looking for accounts that are gone", err)
		}
		if len(rows) == 0 {
			return nil
		}
		after = rows[len(rows)-1].ID
		ids := make(models.Names, len(rows))
		for i, r := range rows {
			ids[i] = r.ExternalID
		}
		// Not in one statement: nobody counted the rows of a table that was filled a moment ago, and it is joined badly.
		var there []string
		err = c.DB.Read(ctx).Raw(`SELECT external_id FROM reconciliation_listing WHERE reconciliation_id = ? AND system = ? AND external_id = ANY (?)`,
			c.run.ID, c.row.System, ids).Scan(&there).Error
		if err != nil {
			return database.Wrap("looking for accounts in a listing", err)
		}
		slices.Sort(there)
		rows = slices.DeleteFunc(rows, func(r row) bool { _, ok := slices.BinarySearch(there, r.ExternalID); return ok })
		var found []seen
		for _, r := range rows {
			_, err := c.remote.ReadBack(ctx, r.ExternalID)
			switch connector.CodeOf(err) {
			case connector.CodeNotFound:
				found = append(found, seen{Finding{Kind: models.DriftGone, EmployeeID: &r.EmployeeID, AccountID: &r.ID}, listing{ExternalID: r.ExternalID}})
			case "", connector.CodeBadAnswer: // it is there, or nobody can tell
				if err != nil && connector.CodeOf(err) == "" {
					return err
				}
			default:
				return err
			}
		}
		if err := c.write(ctx, found); err != nil {
			return err
		}
	}
}
