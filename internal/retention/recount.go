package retention

import (
	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// Recount lets the deadlines of a departure that still run count from its dates as they are now, earlier
// ones too: two people agreed to that, and what comes forward wants the review. It is part of the
// transaction that changed the departure, which the caller has locked with its employment. Before
// anything was scheduled it changes nothing.
func Recount(tx *database.Tx, dep models.Departure, by models.Actor) error {
	rows, err := database.LockAll[models.RetentionDeadline](tx, "deadlines", "departure_id = ? AND state IN ?", dep.ID,
		[]models.DeadlineState{models.DeadlineScheduled, models.DeadlineHeld, models.DeadlineInReview})
	if err != nil || len(rows) == 0 {
		return err
	}
	byRule := map[uuid.UUID][]running{}
	for _, l := range rows {
		byRule[l.RuleID] = append(byRule[l.RuleID], running{
			ID: l.ID, EventAt: dep.EventAt(), Deadline: l.Deadline, FloorAt: l.FloorAt,
			ExtendedUntil: l.ExtendedUntil, Advanced: l.Advanced, TimeZone: dep.TimeZone,
		})
	}
	details := map[string]string{"event_at": instant(dep.EventAt()), "event_at_before": instant(rows[0].EventAt)}
	rules, err := database.Find[models.RetentionRule](tx.DB(), "the rules of deadlines",
		"id IN (SELECT rule_id FROM retention_deadlines WHERE departure_id = ?)", dep.ID)
	if err != nil {
		return err
	}
	for _, rule := range rules {
		for i := range byRule[rule.ID] {
			r := &byRule[rule.ID][i]
			before := r.Deadline
			if err := r.obey(rule); err != nil {
				return err
			}
			details[string(rule.Category)] = instant(r.Deadline) + " instead of " + instant(before)
		}
	}
	entry, err := appendEntry(tx, ledger.KindRetention, actionRecounted, "retention/"+dep.ID.String(), dep.EmployeeID, by, details, "")
	if err != nil {
		return err
	}
	for _, rule := range rules {
		if len(byRule[rule.ID]) == 0 {
			continue
		}
		if err := write(tx, rule, byRule[rule.ID], entry); err != nil {
			return err
		}
	}
	return resume(tx, dep.EmploymentID)
}
