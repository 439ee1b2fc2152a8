package reconcile

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/ledger"
	"lethe/models"
)

// write notes what was seen: once for as long as it lasts. What is grave becomes a matter for people, each in a transaction
// of its own, since it locks an employment.
func (c *comparison) write(ctx context.Context, found []seen) error {
	grave := slices.DeleteFunc(slices.Clone(found), func(s seen) bool { return !s.Grave() })
	rest := slices.DeleteFunc(found, func(s seen) bool { return s.Grave() })
	for _, s := range grave {
		if err := c.commit(ctx, []seen{s}); err != nil {
			return err
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return c.commit(ctx, rest)
}

func (c *comparison) commit(ctx context.Context, found []seen) error {
	var added, still int
	err := held(ctx, c.DB, c.run.ID, func(tx *database.Tx) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		fresh, again, before, err := c.known(tx, found, now)
		if err != nil {
			return err
		}
		added, still = len(fresh)+again, before
		return c.add(tx, fresh, now)
	})
	if err == nil {
		c.found, c.still = c.found+added, c.still+still
	}
	return err
}

// known notes that open drift was seen again, and returns what is new. What this run itself had found before it was
// interrupted counts as new again.
func (c *comparison) known(tx *database.Tx, found []seen, now time.Time) (fresh []seen, again, still int, err error) {
	ids := make([]string, len(found))
	for i, s := range found {
		ids[i] = s.ExternalID
	}
	open, err := database.Find[models.AccountDrift](tx.DB().Clauses(database.ForChange), "drift", "system = ? AND ended_at IS NULL AND external_id IN ?", c.row.System, ids)
	if err != nil {
		return nil, 0, 0, err
	}
	for _, s := range found {
		i := slices.IndexFunc(open, func(d models.AccountDrift) bool { return d.Kind == s.Kind && *d.ExternalID == s.ExternalID })
		if i >= 0 && !samePerson(open[i].EmployeeID, s.EmployeeID) { // it carries another's number by now
			err := database.UpdateOne(tx.DB().Model(&models.AccountDrift{}).Where("id = ?", open[i].ID).Updates(map[string]any{"ended_at": now, "external_id": nil}))
			if err != nil {
				return nil, 0, 0, database.Wrap("ending drift", err)
			}
			i = -1
		}
		if i < 0 {
			fresh = append(fresh, s)
			continue
		}
		if open[i].FirstRunID == c.run.ID {
			again++
		} else {
			still++
		}
		about, err := c.stillReported(tx, s, open[i])
		if err != nil {
			return nil, 0, 0, err
		}
		err = database.UpdateOne(tx.DB().Model(&models.AccountDrift{}).Where("id = ?", open[i].ID).
			Updates(map[string]any{"last_seen_at": now, "last_run_id": c.run.ID, "active": s.Active, "last_sign_in_at": s.LastSignInAt, "support_case_id": about}))
		if err != nil {
			return nil, 0, 0, database.Wrap("noting drift again", err)
		}
	}
	return fresh, again, still, nil
}

func samePerson(a, b *uuid.UUID) bool { return a == b || a != nil && b != nil && *a == *b }

// stillReported is the support case about a finding that goes on. One that is closed did not end it, as where an account was
// switched on again after the retry; and while an order was under way there was none to open.
func (c *comparison) stillReported(tx *database.Tx, s seen, d models.AccountDrift) (*uuid.UUID, error) {
	if !s.Grave() || s.EmployeeID == nil {
		return d.SupportCaseID, nil
	}
	if d.SupportCaseID != nil {
		about, err := database.First[models.SupportCase](tx.DB().Where("id = ?", *d.SupportCaseID))
		if err != nil || about.State != models.CaseClosed {
			return d.SupportCaseID, database.Wrap("reading a support case", err)
		}
	}
	id, err := c.report(tx, s)
	if id == nil {
		id = d.SupportCaseID
	}
	return id, err
}

// add writes what is new: an entry for each person concerned, and one for the accounts of nobody known.
func (c *comparison) add(tx *database.Tx, fresh []seen, now time.Time) error {
	strangers := len(slices.DeleteFunc(slices.Clone(fresh), func(s seen) bool { return s.EmployeeID != nil }))
	var theirs uuid.UUID
	for _, s := range fresh {
		row := models.AccountDrift{
			ID: models.NewID(), System: c.row.System, SystemKind: c.row.Kind, Kind: s.Kind, ExternalID: &s.ExternalID, EmployeeID: s.EmployeeID, AccountID: s.AccountID,
			Active: s.Active, LastSignInAt: s.LastSignInAt, FirstSeenAt: now, LastSeenAt: now, FirstRunID: c.run.ID, LastRunID: c.run.ID, LedgerEntryID: theirs,
		}
		var err error
		switch {
		case s.EmployeeID != nil:
			if s.Grave() {
				row.SupportCaseID, err = c.report(tx, s)
			}
			if err == nil {
				row.LedgerEntryID, err = c.record(tx, row, "drift/"+row.ID.String(), 1)
			}
		case theirs == uuid.Nil:
			theirs, err = c.record(tx, row, object(c.run.ID), strangers)
			row.LedgerEntryID = theirs
		}
		if err == nil {
			err = tx.DB().Create(&row).Error
		}
		if err != nil {
			return database.Wrap("noting drift", err)
		}
		drifted.WithLabelValues(string(s.Kind)).Inc()
	}
	return nil
}

func (c *comparison) record(tx *database.Tx, row models.AccountDrift, about string, accounts int) (uuid.UUID, error) {
	details := map[string]string{"system": row.System, "drift_kind": string(row.Kind), "run": c.run.ID.String(), "drift_found": strconv.Itoa(accounts)}
	if row.SupportCaseID != nil {
		details["support_case"] = row.SupportCaseID.String()
	}
	return ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindAccount, Action: actionFound, Subject: row.EmployeeID, Object: about, Details: details,
	}.As(tx.Context(), models.System))
}

// report makes it a matter for people that somebody gets in whose access was taken away.
func (c *comparison) report(tx *database.Tx, s seen) (*uuid.UUID, error) {
	return account.ReportInUse(tx, account.InUse{
		EmployeeID: *s.EmployeeID, AccountID: s.AccountID, System: c.row.System, SystemKind: c.row.Kind, ExternalID: s.ExternalID,
	}, departure.OperationChanged)
}

// clean is a text of another system as the database can hold it.
func clean(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\uFFFD"), "\uFFFD")
}

func joined(names []string) string { return strings.Join(names, ",") }
