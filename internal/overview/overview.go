// Package overview counts: what waits, and how the last twelve months went. It is for roles that see the rows of everybody
// in the lists of the same things, so that no number tells more than they may see; what is one's own is left out as the
// lists leave it out.
package overview

import (
	"context"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/retention"
	"lethe/internal/screening"
)

const (
	// Ahead is how far deletions are counted: 30 times 24 hours, in lists too.
	Ahead = 30 * 24 * time.Hour
	// most is how far something is counted: who has more to do does not need to know how much.
	most = 1000
	// months are looked back.
	months = 12
)

// Waiting is what waits. No number is above 1000: that means at least as many.
type Waiting struct {
	LeavingToday, LeavingWeek, Cases, Approvals, Deletions, Looks, Requests, RequestsOverdue, Cuts, Drift, DriftGrave int
}

// Asker is who counts: what is theirs to decide, and which looks they see.
type Asker struct {
	Person uuid.UUID
	// Today is the day where they are.
	Today clock.Date
	// Decides are the operations that their role agrees to.
	Decides []string
	// Confirms: their role confirms emergency cuts.
	Confirms bool
}

// Count is what waits, in one statement.
func Count(ctx context.Context, db *database.DB, a Asker) (w Waiting, err error) {
	err = db.Read(ctx).Raw(`SELECT
		(SELECT count(*) FROM (SELECT FROM departures WHERE last_working_day = @today AND stage NOT IN ('withdrawn', 'annulled') LIMIT @most) x) AS leaving_today,
		(SELECT count(*) FROM (SELECT FROM departures WHERE last_working_day >= @today AND last_working_day <= @until
			AND stage NOT IN ('withdrawn', 'annulled') LIMIT @most) x) AS leaving_week,
		(SELECT count(*) FROM (SELECT FROM support_cases WHERE state IN ('open', 'waiver_requested') LIMIT @most) x) AS cases,
		(SELECT count(*) FROM (SELECT FROM approvals WHERE state = 'pending' AND expires_at > (SELECT lethe_now()) AND requester_id <> @person
			AND NOT @person = ANY (subject_ids) AND operation IN @decides LIMIT @most) x) AS approvals,
		(SELECT count(*) FROM (SELECT FROM retention_deadlines WHERE state IN ('scheduled', 'held') AND deadline < (SELECT lethe_now()) + make_interval(secs => @ahead) AND `+retention.Destroyable+`
			AND NOT (EXISTS (SELECT FROM holds WHERE released_at IS NULL) AND lethe_held(employment_id, category)) LIMIT @most) x) AS deletions,
		(SELECT count(*) FROM (SELECT FROM disclosures WHERE review_due_at IS NOT NULL AND reviewed_at IS NULL
			AND employee_id <> @person AND actor_id <> @person LIMIT @most) x) AS looks,
		(SELECT count(*) FROM (SELECT FROM subject_requests WHERE state = 'open' AND employee_id <> @person LIMIT @most) x) AS requests,
		(SELECT count(*) FROM (SELECT FROM subject_requests WHERE state = 'open' AND employee_id <> @person
			AND answer_due_at <= (SELECT lethe_now()) LIMIT @most) x) AS requests_overdue,
		(SELECT count(*) FROM (SELECT FROM access_cuts WHERE @confirms AND state = 'unconfirmed' AND employee_id <> @person AND ordered_by <> @person LIMIT @most) x) AS cuts,
		(SELECT count(*) FROM (SELECT FROM account_drift WHERE ended_at IS NULL AND employee_id IS DISTINCT FROM @person LIMIT @most) x) AS drift,
		(SELECT count(*) FROM (SELECT FROM account_drift WHERE ended_at IS NULL AND kind IN ('switched_on', 'active_after_cutoff')
			AND employee_id IS DISTINCT FROM @person LIMIT @most) x) AS drift_grave`, map[string]any{
		"today": a.Today, "until": a.Today.AddDays(6), "person": a.Person, "decides": append([]string{""}, a.Decides...), "ahead": Ahead.Seconds(), "most": most, "confirms": a.Confirms,
	}).Scan(&w).Error
	return w, database.Wrap("counting what waits", err)
}

// Month is how a month went, by the last day of the employment.
type Month struct {
	// Month is its first day.
	Month   clock.Date
	Leavers int
	// Settled: every account of theirs was off; Open: the cutoff has passed, and not every one is.
	Settled, Open int
	// Quartiles of the time from the cutoff, or from the entry of a departure that began later, until the last account was off,
	// in seconds. People whom a file brought as leavers are not among them.
	Q1, Q2, Q3 *float64
}

// Months are the last twelve, oldest first, the one of today among them.
func Months(ctx context.Context, db *database.DB, today clock.Date) ([]Month, error) {
	first := clock.NewDate(today.Year, today.Month-months+1, 1)
	var rows []Month
	// Month by month, each from its part of the index, and the clock asked once: to sort all rows by month first, or to ask
	// the clock for each, takes longer than to count them.
	err := db.Read(ctx).Raw(`SELECT CAST(m.month AS date) AS month, leavers, settled, open, q[1] AS q1, q[2] AS q2, q[3] AS q3
		FROM generate_series(CAST(@first AS timestamp), CAST(@today AS timestamp), '1 month') AS m (month), LATERAL (
			SELECT count(*) AS leavers,
				count(*) FILTER (WHERE batch_id IS NULL AND accounts_settled_at IS NOT NULL) AS settled,
				count(*) FILTER (WHERE batch_id IS NULL AND accounts_settled_at IS NULL AND access_cutoff_at <= (SELECT lethe_now())) AS open,
				percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY greatest(0, date_part('epoch', accounts_settled_at - greatest(access_cutoff_at, created_at))))
					FILTER (WHERE batch_id IS NULL AND accounts_settled_at IS NOT NULL) AS q
			FROM departures WHERE stage IN ('departed', 'purging', 'purged')
				AND employment_end_date >= m.month AND employment_end_date < m.month + interval '1 month' AND employment_end_date <= @today
		) counted ORDER BY 1`, map[string]any{"first": first, "today": today}).Scan(&rows).Error
	if err != nil {
		return nil, database.Wrap("counting who left", err)
	}
	return rows, nil
}

// Refusal is for what looks were refused, or pleas registered that nothing was asked for.
type Refusal struct {
	Rule   disclosure.Rule
	Matter screening.Category // of a text; empty: the rule alone decided
	Times  int
}

// Refusals are those of the last twelve months, most frequent first, without those about one's own data.
func Refusals(ctx context.Context, db *database.DB, person uuid.UUID, today clock.Date) (rows []Refusal, err error) {
	first := clock.NewDate(today.Year, today.Month-months+1, 1)
	err = db.Read(ctx).Raw(`SELECT rule, matter, count(*) AS times FROM disclosures
		WHERE state = 'refused' AND asked_at >= ? AND employee_id <> ? GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`, first, person).Scan(&rows).Error
	return rows, database.Wrap("counting refusals", err)
}
