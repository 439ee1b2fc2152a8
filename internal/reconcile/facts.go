package reconcile

import (
	"context"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/database"
	"lethe/models"
)

// goesOn is so of an employment m whose access to @system nobody ended: no departure, and no emergency cut that stands.
const goesOn = `m.ended_at IS NULL AND NOT EXISTS (SELECT FROM departures d WHERE d.employment_id = m.id
	AND d.stage NOT IN ('withdrawn', 'annulled') AND d.accounts_state <> 'linked')
	AND NOT EXISTS (SELECT FROM access_cuts k WHERE k.employee_id = m.employee_id AND k.state IN ('unconfirmed', 'confirmed')
		AND (k.systems IS NULL OR @system = ANY (k.systems)))`

// facts reads what is known about some listed accounts.
func (c *comparison) facts(ctx context.Context, rows []listing) (func(listing) Facts, error) {
	ids, numbers := make(models.Names, len(rows)), make(models.Names, len(rows))
	for i, r := range rows {
		ids[i], numbers[i] = r.ExternalID, r.EmployeeNo
	}
	var links []Link
	err := c.DB.Read(ctx).Raw(`SELECT a.external_id, a.id AS account_id, a.state, m.employee_id, (`+goesOn+`) AS current,
			EXISTS (SELECT FROM support_cases c WHERE c.account_id = a.id AND c.state <> 'closed' AND c.reason = @switched ) AS reported
		FROM linked_accounts a JOIN employments m ON m.id = a.employment_id
		WHERE a.system = @system AND a.external_id = ANY (@ids) ORDER BY a.id`,
		map[string]any{"switched": account.ReasonSwitchedOn, "system": c.row.System, "ids": ids}).Scan(&links).Error
	if err != nil {
		return nil, database.Wrap("reading links", err)
	}
	people := map[uuid.UUID]Person{}
	linkedTo := models.IDs{uuid.Nil}
	byID := map[string][]Link{}
	for _, l := range links {
		byID[l.ExternalID] = append(byID[l.ExternalID], l)
		linkedTo = append(linkedTo, l.EmployeeID)
	}
	var found []struct {
		Person
		Listed string
	}
	err = c.DB.Read(ctx).Raw(`WITH asked AS (
			SELECT n AS listed, e.id FROM unnest(CAST(@numbers AS text[])) n JOIN employees e ON e.employee_no_key = lower(n) WHERE n <> ''
			UNION SELECT '', id FROM employees WHERE id = ANY (@linked))
		SELECT asked.listed, e.id, e.employee_no,
			EXISTS (SELECT FROM employments m WHERE m.employee_id = e.id AND `+goesOn+`) AS employed,
			EXISTS (SELECT FROM departures d WHERE d.employee_id = e.id AND d.accounts_state IN ('unlinking', 'relinking')) AS busy,
			EXISTS (SELECT FROM departures d WHERE d.employee_id = e.id AND d.stage = 'pending_departure') AS leaving,
			EXISTS (SELECT FROM linked_accounts a JOIN employments m ON m.id = a.employment_id WHERE m.employee_id = e.id AND a.system = @system
				AND a.external_id IS NULL AND a.state IN ('waived', 'detached')) AS accepted,
			(SELECT greatest(max(m.created_at), max(CAST(m.hired_on AS timestamptz))) FROM employments m WHERE m.employee_id = e.id AND `+goesOn+`) AS since
		FROM asked JOIN employees e ON e.id = asked.id`, map[string]any{"numbers": numbers, "linked": linkedTo, "system": c.row.System}).Scan(&found).Error
	if err != nil {
		return nil, database.Wrap("reading people", err)
	}
	owners := map[string]Person{}
	for _, p := range found {
		people[p.ID] = p.Person
		if p.Listed != "" {
			owners[p.Listed] = p.Person
		}
	}
	return func(r listing) Facts {
		f := Facts{Links: byID[r.ExternalID], People: people, Now: c.started, NoSignIn: c.NoSignIn}
		if owner, ok := owners[r.EmployeeNo]; ok {
			f.Owner = &owner
		}
		return f
	}, nil
}
