// Package leavers reports on everybody whose employment ended within a period, and not on a sample: whether each of their
// accounts is off, since when, and who accepted what is not. It only reads.
package leavers

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/access"
	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/operations"
	"lethe/models"
)

// Basis is what has to lie in the period.
type Basis string

// The bases.
const (
	// ByEnd: the last day of the employment, which is a day of the employment's own calendar and the same in every zone.
	ByEnd Basis = "end"
	// ByCutoff: the instant at which access had to be off, of which the day is that in the report's zone.
	ByCutoff Basis = "cutoff"
)

// Bases lists them all.
var Bases = closed.Of("leavers_basis", ByEnd, ByCutoff)

// Outcome is what the accounts of an ended employment came to.
type Outcome string

// The outcomes, the worst first. Nobody about whom nothing is known counts as settled.
const (
	// Open: an account is not off, or a system that was asked has not answered.
	Open Outcome = "open"
	// NotLooked: no account is known, and no system was asked for one.
	NotLooked Outcome = "not_looked"
	// Accepted: two people accepted an account that is not off, or detached it and let it be used.
	Accepted Outcome = "accepted"
	// Late: all are off, and the last one was read back as off later than allowed after access was due.
	Late Outcome = "late"
	// TakenIn: all are off; a file brought the person as one who had left before, so that nobody can say since when.
	TakenIn Outcome = "taken_in"
	// InTime: all were read back as off in time.
	InTime Outcome = "in_time"
	// NoneFound: the systems were asked, and there was no account.
	NoneFound Outcome = "none_found"
)

// Outcomes lists them all, in the order in which a report has them: but for the first two, the longest delay comes first.
var Outcomes = closed.Of("leavers_outcome", Open, NotLooked, Accepted, Late, TakenIn, InTime, NoneFound)

// Filter says who is in a report.
type Filter struct {
	// Reader is whose report it is. Of the own employments nobody reads here.
	Reader   models.Actor
	Basis    Basis
	From, To clock.Date // both included
	// Zone is that in which cutoffs have a day.
	Zone *time.Location
	// Zero values do not filter. The department and the legal entity are those of the employment that ended.
	LegalEntityID, DepartmentID, SiteID uuid.UUID
	// LateAfter is how long after its cutoff an account may be read back as off and be in time: to end access at the cutoff,
	// and to ask whether it ended, takes a while.
	LateAfter time.Duration
}

// Position is a place in the list of a report.
type Position struct {
	ID   uuid.UUID
	Sort int64
}

// Listed is one ended employment by its departure, and what its accounts came to.
type Listed struct {
	Position
	Outcome Outcome
	// Delay is from when access was due until the last account was read back as off; nil: before that, or not all are, or unknown.
	Delay *time.Duration
}

// Totals are about everybody of a report.
type Totals struct {
	Leavers                                                     int
	Open, NotLooked, Accepted, Late, TakenIn, InTime, NoneFound int
	// Of those whose accounts were all read back as off, in time or late, in seconds; nil: nobody.
	Median, Longest *float64
	// EnteredLate are those of which the departure was entered only after the cutoff, whatever came of their accounts.
	EnteredLate int
	// Own are employments of the reader, which are not in the report.
	Own int
}

// judged is every ended employment of a report, once, with what its accounts came to and its place in the list. It is the
// one place that says so: pages, totals and files follow from it.
//
// An employment has ended also where the departure has not been carried out yet though its time has come: that one is
// looked for above all. Whatever its accounts say, nothing is settled before the departure asked the systems (I29);
// relinked is what its track says once a later order took the accounts over, and then they say it themselves.
//
// Access is due off at the cutoff, or with the entry of a departure that was entered only after it: nobody could end access
// before. That it was entered late is an exception of its own, and counted as such.
//
// An account that was detached can still be used: like a waived one it is accepted where two people agreed, and open else.
// @before has the accounts that are seen as before an emergency cut of which the person was not told (I27).
const judged = `WITH counted AS (
	SELECT d.id, d.employee_id = @reader AS own, d.access_cutoff_at AS cutoff, ` + enteredLate + ` AS entered_late,
		CASE WHEN ` + enteredLate + ` THEN d.created_at ELSE d.access_cutoff_at END AS due, d.batch_id IS NOT NULL AS taken_in, d.accounts_state IN ('settled', 'relinked') AS ended,
		count(a.id) FILTER (WHERE NOT a.look_up) AS accounts,
		count(a.id) FILTER (WHERE a.state NOT IN ('disabled', 'not_found', 'waived')) AS open,
		count(a.id) FILTER (WHERE a.state = 'waived') AS waived,
		count(a.id) FILTER (WHERE a.look_up AND a.state IN ('disabled', 'not_found')) AS looked,
		max(a.confirmed_at) FILTER (WHERE NOT a.look_up AND a.state IN ('disabled', 'not_found')) AS off_at
	FROM departures d JOIN employments m ON m.id = d.employment_id
	LEFT JOIN (
		SELECT a.id, a.employment_id, a.confirmed_at, a.look_up,
			CASE WHEN a.state <> 'detached' THEN a.state WHEN EXISTS (SELECT 1 FROM ` + detachings + `) THEN 'waived' ELSE a.state END AS state
		FROM (
			SELECT a.id, a.employment_id, a.system, coalesce(b.state, a.state) AS state, CASE WHEN b.id IS NULL THEN a.confirmed_at ELSE b.confirmed_at END AS confirmed_at,
				coalesce(b.look_up, NOT a.registered AND a.external_id IS NULL AND a.finding <> 'found') AS look_up, coalesce(b.called_off, false) AS called_off
			FROM linked_accounts a
			LEFT JOIN jsonb_to_recordset(CAST(@before AS jsonb)) b(id uuid, state text, confirmed_at timestamptz, look_up boolean, called_off boolean) ON b.id = a.id
		) a WHERE NOT a.called_off AND NOT (a.look_up AND a.state IN ('linked', 'relinked'))
	) a ON a.employment_id = d.employment_id
	WHERE (d.stage IN ('departed', 'purging', 'purged') OR d.stage = 'pending_departure' AND d.employment_ended_at <= (SELECT lethe_now()))
		AND @@scope@@
	GROUP BY d.id
), weighed AS (
	SELECT c.*, CASE
			WHEN open > 0 THEN 'open'
			WHEN accounts + waived + looked = 0 THEN 'not_looked'
			WHEN NOT ended THEN 'open'
			WHEN waived > 0 THEN 'accepted'
			WHEN accounts = 0 THEN 'none_found'
			WHEN taken_in THEN 'taken_in'
			WHEN off_at > due + make_interval(secs => @late) THEN 'late'
			ELSE 'in_time' END AS outcome,
		CASE WHEN off_at > due AND NOT taken_in THEN extract(epoch FROM off_at - due) END AS took
	FROM counted c
), judged AS MATERIALIZED (
	SELECT id, own, entered_late, outcome, CASE WHEN outcome IN ('late', 'in_time', 'accepted') THEN took END AS took,
		CASE outcome WHEN 'open' THEN 0 WHEN 'not_looked' THEN 1 ELSE 2 END * 1000000000000000
		+ CASE WHEN outcome IN ('open', 'not_looked') THEN CAST(extract(epoch FROM cutoff) * 1000 AS bigint)
			ELSE 500000000000000 - CASE WHEN outcome IN ('late', 'in_time', 'accepted') THEN coalesce(CAST(took * 1000 AS bigint), 0) ELSE -1 END END AS sort
	FROM weighed
)`

// enteredLate says of a departure d that it was entered only after access had to be off; of an immediate one both are now.
// [Row.EnteredLate] says the same.
const enteredLate = `(d.batch_id IS NULL AND d.created_at > d.access_cutoff_at + interval '1 minute')`

// detachings are the steps by which two people let the account a stay as it is; of a question: by which they let that stay
// which was found.
const detachings = `approvals p JOIN account_steps s ON s.operation_id = ` + ledTo + ` JOIN linked_accounts x ON x.id = s.account_id
	WHERE p.state = 'approved' AND p.operation = '` + operations.Detach + `' AND p.subject_ids && ARRAY[(SELECT m.employee_id FROM employments m WHERE m.id = a.employment_id)]
		AND (x.id = a.id OR a.look_up AND x.system = a.system)`

// ledTo is what the approval p led to.
const ledTo = `CAST(substring(p.result_location from '[0-9a-f-]{36}$') AS uuid)`

// seenAs is an account that is seen otherwise than it is.
type seenAs struct {
	ID          uuid.UUID           `json:"id"`
	State       models.AccountState `json:"state"`
	ConfirmedAt *time.Time          `json:"confirmed_at"`
	LookUp      bool                `json:"look_up"`
	CalledOff   bool                `json:"called_off"`
}

// seenBefore are the accounts that are seen as before an emergency cut of which the person was not told.
func seenBefore(db *gorm.DB) (string, error) {
	views, err := account.SeenOtherwise(db)
	if err != nil {
		return "", err
	}
	seen := make([]seenAs, len(views))
	for i, v := range views {
		seen[i] = seenAs{v.ID, v.Before.State, v.Before.ConfirmedAt, v.Before.LookUp, v.Before.CalledOff}
	}
	text, err := json.Marshal(seen)
	return string(text), err
}

// scoped is judged for a filter, and what it is asked with.
func (f Filter) scoped(db *gorm.DB, before string) (string, map[string]any) {
	args := map[string]any{
		"before": before,
		"reader": f.Reader.EmployeeID, "late": f.LateAfter.Seconds(), "from": f.From, "to": f.To,
		"begin": clock.StartOfDay(f.From, f.Zone), "end": clock.EndOfDay(f.To, f.Zone),
		"entity": f.LegalEntityID, "department": f.DepartmentID, "site": f.SiteID,
	}
	scope := []string{"d.employment_end_date BETWEEN @from AND @to"}
	if f.Basis == ByCutoff {
		scope[0] = "d.access_cutoff_at >= @begin AND d.access_cutoff_at < @end"
	}
	for condition, given := range map[string]uuid.UUID{
		"m.legal_entity_id = @entity": f.LegalEntityID, "m.department_id = @department": f.DepartmentID,
		"d.employee_id IN (SELECT id FROM employees WHERE site_id = @site )": f.SiteID,
	} {
		if given != uuid.Nil {
			scope = append(scope, condition)
		}
	}
	if !access.MaySee(f.Reader.Role, access.RelationNone) {
		scope = append(scope, "d.employee_id IN (@visible)")
		args["visible"] = db.Session(&gorm.Session{NewDB: true}).Model(&models.Employee{}).Select("employees.id").Scopes(archive.VisibleTo(f.Reader))
	}
	return strings.Replace(judged, "@@scope@@", strings.Join(scope, " AND "), 1), args
}

// Page reads the totals of a report, and those of its rows with one of the outcomes (none: any) that come after a position,
// one more than limit at most: the extra one says that another page follows. Both are of one statement, and so of one instant.
func Page(db *gorm.DB, f Filter, outcomes []Outcome, after *Position, limit int) ([]Listed, Totals, error) {
	before, err := seenBefore(db)
	if err != nil {
		return nil, Totals{}, err
	}
	sql, args := f.scoped(db, before)
	rows := "NOT own"
	if len(outcomes) > 0 {
		rows += " AND outcome IN @outcomes"
		args["outcomes"] = outcomes
	}
	if after != nil {
		rows += " AND (sort, id) > (@sort, @id)"
		args["sort"], args["id"] = after.Sort, after.ID
	}
	args["limit"] = limit + 1
	var found struct {
		Totals `gorm:"embedded"`
		Rows   string
	}
	err = db.Raw(sql+` SELECT t.*, (SELECT coalesce(string_agg(concat_ws(' ', id, sort, outcome, took), ',' ORDER BY sort, id), '')
			FROM (SELECT * FROM judged WHERE `+rows+` ORDER BY sort, id LIMIT @limit ) page) AS rows
		FROM (SELECT count(*) FILTER (WHERE NOT own) AS leavers,
			count(*) FILTER (WHERE outcome = 'open' AND NOT own) AS open, count(*) FILTER (WHERE outcome = 'not_looked' AND NOT own) AS not_looked,
			count(*) FILTER (WHERE outcome = 'accepted' AND NOT own) AS accepted, count(*) FILTER (WHERE outcome = 'late' AND NOT own) AS late,
			count(*) FILTER (WHERE outcome = 'taken_in' AND NOT own) AS taken_in, count(*) FILTER (WHERE outcome = 'in_time' AND NOT own) AS in_time,
			count(*) FILTER (WHERE outcome = 'none_found' AND NOT own) AS none_found, count(*) FILTER (WHERE entered_late AND NOT own) AS entered_late, count(*) FILTER (WHERE own) AS own,
			percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(took, 0)) FILTER (WHERE outcome IN ('late', 'in_time') AND NOT own) AS median,
			max(coalesce(took, 0)) FILTER (WHERE outcome IN ('late', 'in_time') AND NOT own) AS longest
		FROM judged) t`, args).Scan(&found).Error
	if err != nil {
		return nil, Totals{}, database.Wrap("reporting on leavers", err)
	}
	listed, err := parse(found.Rows)
	return listed, found.Totals, err
}

// parse reads what a page's statement says of its rows.
func parse(text string) ([]Listed, error) {
	if text == "" {
		return nil, nil
	}
	var rows []Listed
	for one := range strings.SplitSeq(text, ",") {
		words := strings.Fields(one)
		id, err := uuid.Parse(words[0])
		if err != nil {
			return nil, database.Wrap("reading a leaver's id", err)
		}
		row := Listed{Position: Position{ID: id}, Outcome: Outcome(words[2])}
		if row.Sort, err = strconv.ParseInt(words[1], 10, 64); err != nil {
			return nil, database.Wrap("reading a leaver's place", err)
		}
		if len(words) > 3 {
			seconds, err := strconv.ParseFloat(words[3], 64)
			if err != nil {
				return nil, database.Wrap("reading a leaver's delay", err)
			}
			delay := time.Duration(seconds * float64(time.Second))
			row.Delay = &delay
		}
		rows = append(rows, row)
	}
	return rows, nil
}
