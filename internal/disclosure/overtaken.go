package disclosure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// overtaken says how a look that waits for a reviewer ends by itself, since nobody could open it any more: refused, by which
// rule; or lapsed, since the person's status is another one. One that still waits stays [models.LookWaiting].
func overtaken(tx *database.Tx, d models.Disclosure) (models.DisclosureState, Rule, error) {
	permitted, err := stillPermitted(tx, d)
	if err != nil || !permitted {
		return models.LookRefused, RulePurposeNotForField, err
	}
	fields, err := archive.LookFields(tx, d.EmploymentID, d.Fields)
	if err != nil {
		return "", "", err
	}
	if slices.ContainsFunc(fields, func(f archive.LookField) bool { return f.State != models.CategoryOpen }) {
		return models.LookRefused, RuleDestroyed, nil
	}
	agreed, err := (&Look{Disclosure: d}).stillAgreed(tx)
	if err != nil || !agreed {
		return models.LookRefused, RuleNoConsent, err
	}
	person, err := database.First[models.Employee](tx.DB().Where("id = ?", d.EmployeeID))
	if err != nil {
		return "", "", fmt.Errorf("reading whose data it is: %w", err)
	}
	if closed, err := answered(tx, d); err != nil || closed {
		return models.LookLapsed, "", err
	}
	if person.Status != d.Status {
		return models.LookLapsed, "", nil
	}
	return models.LookWaiting, "", nil
}

// answered says whether the request is closed for which a copy was to be printed.
func answered(tx *database.Tx, d models.Disclosure) (closed bool, err error) {
	if d.SubjectRequestID == nil {
		return false, nil
	}
	err = tx.DB().Raw("SELECT state <> ? FROM subject_requests WHERE id = ?", models.SubjectOpen, d.SubjectRequestID).Row().Scan(&closed)
	return closed, database.Wrap("looking whether a request is closed", err)
}

// endOvertaken ends a look that waits and is overtaken, and says whether it was.
func endOvertaken(tx *database.Tx, d *models.Disclosure) (bool, error) {
	state, rule, err := overtaken(tx, *d)
	switch {
	case err != nil || state == models.LookWaiting:
		return false, err
	case state == models.LookLapsed:
		return true, change(tx, d, actionLapsed, nil, map[string]any{"state": state})
	}
	d.State, d.Rule = state, string(rule)
	entry := entryOf(*d, actionRefused, map[string]string{"fields": strings.Join(d.Fields, ",")})
	entry.Actor = &models.System // nobody did it: what it rested on is gone
	if d.LedgerEntryID, err = ledger.Append(tx, entry); err != nil {
		return false, err
	}
	err = database.UpdateOne(tx.DB().Model(&models.Disclosure{}).Where("id = ?", d.ID).
		Updates(map[string]any{"state": state, "rule": d.Rule, "ledger_entry_id": d.LedgerEntryID}))
	if err != nil {
		return false, fmt.Errorf("ending a look that is permitted no more: %w", err)
	}
	return true, nil
}

// EndOvertaken ends the looks that wait for a reviewer and could not be opened any more: the permissions, who stands how to
// whom, consent or the data changed since they were asked for. Whoever has just changed such a thing calls it, and so does each
// sweep. The request for a decision ends after its look.
func EndOvertaken(ctx context.Context, db *database.DB) (n int, err error) {
	after := uuid.Nil
	for {
		var ids []uuid.UUID
		err := db.Read(ctx).Model(&models.Disclosure{}).Where("state = ? AND id > ?", models.LookWaiting, after).
			Order(database.ByID).Limit(sweepBatch).Pluck("id", &ids).Error
		if err != nil || len(ids) == 0 {
			return n, database.Wrap("looking for looks that wait", err)
		}
		ended, err := changeEach(ctx, db, ids, "state = 'waiting'", endOvertaken)
		if n += ended; err != nil {
			return n, err
		}
		after = ids[len(ids)-1]
	}
}
