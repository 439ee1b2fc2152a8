package leavers

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/operations"
	"lethe/models"
)

// What is something out of the ordinary about somebody's leaving.
type What string

// What it may be.
const (
	Waived   What = "waiver"    // two people accepted an account that is not off
	ByHand   What = "by_hand"   // somebody says that they solved it; it was read back all the same
	Approved What = "approval"  // a step that took two people
	Cut      What = "cut"       // an emergency cut, of which the person was told
	Entered  What = "entered"   // the departure was entered after its cutoff
	FromFile What = "from_file" // a file brought somebody who had left before
	OnAgain  What = "on_again"  // an account was found on after it had been read back as off
)

// Whats lists them all.
var Whats = closed.Of("leavers_exception", Waived, ByHand, Approved, Cut, Entered, FromFile, OnAgain)

// Exception is something out of the ordinary, with both people where there are two.
type Exception struct {
	What         What
	At           time.Time
	By, Second   *uuid.UUID
	System, Kind string         // of the account
	Operation    string         // of an approval
	After        *time.Duration `gorm:"-"` // how long after the cutoff it was entered
}

// Row is one ended employment in full.
type Row struct {
	Listed
	Departure  models.Departure
	Employment models.Employment
	Accounts   []account.View
	Exceptions []Exception
}

// Rows reads what a report shows of ended employments, in their order, with as many queries however many they are.
func Rows(ctx context.Context, db *database.DB, listed []Listed) ([]Row, error) {
	if len(listed) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(listed))
	for i, l := range listed {
		ids[i] = l.ID
	}
	departures, err := database.Find[models.Departure](db.Read(ctx), "departures", "id IN ?", ids)
	if err != nil {
		return nil, err
	}
	of := make(map[uuid.UUID]models.Departure, len(departures))
	periods := make([]uuid.UUID, len(departures))
	for i, d := range departures {
		of[d.ID], periods[i] = d, d.EmploymentID
	}
	employments, err := database.Find[models.Employment](db.Read(ctx), "employments", "id IN ?", periods)
	if err != nil {
		return nil, err
	}
	period := make(map[uuid.UUID]models.Employment, len(employments))
	for _, m := range employments {
		period[m.ID] = m
	}
	accounts, err := account.Accounts(ctx, db, periods)
	if err != nil {
		return nil, err
	}
	exceptions, err := exceptionsOf(ctx, db, ids)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(listed))
	for i, l := range listed {
		d := of[l.ID]
		shown := slices.DeleteFunc(account.AsBefore(accounts[d.EmploymentID]), func(a account.View) bool { return a.CalledOff })
		rows[i] = Row{Listed: l, Departure: d, Employment: period[d.EmploymentID], Accounts: shown, Exceptions: append(entered(d), exceptions[d.ID]...)}
	}
	return rows, nil
}

// Open says that an account is not off, and that nobody accepted that: one that was detached can still be used.
func (r Row) Open(a account.View) bool {
	if a.State != models.AccountDetached {
		return !a.State.Settled()
	}
	return !slices.ContainsFunc(r.Exceptions, func(e Exception) bool { return e.Operation == operations.Detach })
}

// entered says that somebody's departure was entered only after access had to be off.
func entered(d models.Departure) []Exception {
	switch {
	case d.BatchID != nil:
		return []Exception{{What: FromFile, At: d.CreatedAt, By: d.CreatedBy}}
	case isEnteredLate(d):
		after := d.CreatedAt.Sub(d.AccessCutoffAt)
		return []Exception{{What: Entered, At: d.CreatedAt, By: d.CreatedBy, After: &after}}
	}
	return nil
}

// isEnteredLate is [enteredLate].
func isEnteredLate(d models.Departure) bool {
	return d.BatchID == nil && d.CreatedAt.Sub(d.AccessCutoffAt) > time.Minute
}

// EnteredLate says that the departure was entered only after access had to be off.
func (r Row) EnteredLate() bool { return isEnteredLate(r.Departure) }

// Took is how long after it was due the account was read back as off; nil: before that, or it is not, or a file brought the
// person and nobody can say.
func (r Row) Took(a account.View) *time.Duration {
	off := a.State == models.AccountDisabled || a.State == models.AccountNotFound
	if r.Departure.BatchID != nil || a.LookUp || !off || a.ConfirmedAt == nil {
		return nil
	}
	due := r.Departure.AccessCutoffAt
	if r.EnteredLate() {
		due = r.Departure.CreatedAt
	}
	took := a.ConfirmedAt.Sub(due)
	if took <= 0 {
		return nil
	}
	return &took
}

// exceptionsOf are those of departures, by departure, in their order. What two people ordered of accounts counts for the
// employment that has them; other approvals and cuts that name no departure for that which was the person's last one when
// they happened. Of a cut only what the person was told of is told, nor what was decided in it: a report goes from hand to
// hand (I27).
func exceptionsOf(ctx context.Context, db *database.DB, ids []uuid.UUID) (map[uuid.UUID][]Exception, error) {
	var found []struct {
		DepartureID uuid.UUID
		Exception   `gorm:"embedded"`
	}
	err := db.Read(ctx).Raw(`WITH d AS MATERIALIZED (
			SELECT d.id, d.employee_id, d.employment_id, d.advanced_by, d.access_cutoff_at, m.hired_on, (SELECT min(n.hired_on) FROM employments n WHERE n.employee_id = m.employee_id AND n.hired_on > m.hired_on) AS again
			FROM departures d JOIN employments m ON m.id = d.employment_id WHERE d.id IN @ids
		)
		SELECT d.id AS departure_id, CASE c.resolution WHEN 'waive' THEN 'waiver' ELSE 'by_hand' END AS what, c.closed_at AS at, c.asked_by AS by, c.confirmed_by AS second,
			a.system, a.kind, '' AS operation
		FROM d JOIN linked_accounts a ON a.employment_id = d.employment_id JOIN support_cases c ON c.account_id = a.id
			JOIN account_operations o ON o.id = c.operation_id LEFT JOIN access_cuts k ON k.id = o.cut_id
		WHERE (o.cut_id IS NULL OR k.told_at IS NOT NULL) AND c.state = 'closed' AND c.resolution IN ('waive', 'resolved_by_hand')
		UNION ALL
		SELECT d.id, 'approval', p.ended_at, p.requester_id, p.decided_by, '', '', p.operation
		FROM d CROSS JOIN LATERAL (
			SELECT p.* FROM approvals p LEFT JOIN account_operations o ON o.id = `+ledTo+`
			WHERE p.subject_ids && ARRAY[d.employee_id] AND p.state = 'approved' AND p.operation IN @operations
				AND (jsonb_contains(p.targets, jsonb_build_array(jsonb_build_object('kind', 'departure', 'id', d.id)))
					OR NOT jsonb_contains(p.targets, '[{"kind": "departure"}]')
						AND coalesce(o.employment_id = d.employment_id, p.ended_at >= d.hired_on AND (d.again IS NULL OR p.ended_at < d.again)))
				AND NOT EXISTS (SELECT 1 FROM access_cuts k WHERE k.employee_id = d.employee_id AND k.told_at IS NULL
					AND jsonb_contains(p.targets, jsonb_build_array(jsonb_build_object('kind', 'access_cut', 'id', k.id))))
			UNION SELECT p.* FROM (SELECT l.*, NOT registered AND external_id IS NULL AND finding <> 'found' AS look_up
				FROM linked_accounts l WHERE l.employment_id = d.employment_id AND l.state = 'detached') a, `+detachings+`
			UNION SELECT * FROM approvals WHERE id = d.advanced_by AND state = 'approved'
		) p
		UNION ALL
		SELECT d.id, 'cut', c.ordered_at, c.ordered_by, c.confirmed_by, '', '', ''
		FROM d JOIN access_cuts c ON c.employee_id = d.employee_id
		WHERE c.told_at IS NOT NULL AND c.ordered_at >= d.hired_on AND (d.again IS NULL OR c.ordered_at < d.again)
		UNION ALL
		SELECT d.id, 'on_again', x.first_seen_at, NULL, NULL, x.system, x.system_kind, ''
		FROM d JOIN account_drift x ON x.employee_id = d.employee_id
		WHERE x.kind = 'switched_on' AND x.first_seen_at >= d.access_cutoff_at AND (d.again IS NULL OR x.first_seen_at < d.again)
		ORDER BY 3`, map[string]any{"ids": ids, "operations": operationsTold}).Scan(&found).Error
	if err != nil {
		return nil, database.Wrap("reading exceptions", err)
	}
	of := make(map[uuid.UUID][]Exception, len(found))
	for _, one := range found {
		of[one.DepartureID] = append(of[one.DepartureID], one.Exception)
	}
	return of, nil
}

// operationsTold are the steps of two people that a report tells of: those about when somebody leaves, and about their
// access. A waiver is told of by its case.
var operationsTold = []string{
	operations.BeginImmediately, operations.BringForward, operations.EarlierDates, operations.Detach, operations.Unlink, operations.Relink, operations.LiftCut,
}
