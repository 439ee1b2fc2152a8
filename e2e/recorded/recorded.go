// Package recorded compares the facts with the ledger: every fact has exactly one entry, every entry
// of a fact is of exactly one transition, and each says the same.
package recorded

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// Records are the facts and the entries of one database, at rest.
type Records struct {
	Entries      []Entry
	Departures   []models.Departure
	Events       []models.DepartureEvent
	Accounts     []models.LinkedAccount
	Operations   []models.AccountOperation
	Evidence     []models.AccountEvidence
	Cases        []models.SupportCase
	Retentions   []models.Retention
	Deadlines    []models.RetentionDeadline
	Holds        []Hold
	Purges       []models.Purge
	Certificates []models.DestructionCertificate
	Rejections   []models.PurgeRejection
	Employments  []models.Employment
}

// Entry is what a check needs of a ledger entry.
type Entry struct {
	ID        uuid.UUID
	Kind      string
	Action    string
	Object    string
	SubjectID *uuid.UUID
	Details   map[string]string
	// Leaf says whether the entry that the content belongs to is there.
	Leaf bool
}

// Hold is a legal hold without what a check does not need.
type Hold struct {
	ID                            uuid.UUID
	Released                      bool
	LedgerEntryID, ReleaseEntryID *uuid.UUID
}

// Collect reads a database.
func Collect(ctx context.Context, db *database.DB) (Records, error) {
	var r Records
	for _, table := range []any{
		&r.Departures, &r.Events, &r.Accounts, &r.Operations, &r.Evidence, &r.Cases, &r.Retentions, &r.Deadlines, &r.Purges,
		&r.Certificates, &r.Rejections, &r.Employments,
	} {
		if err := db.Read(ctx).Find(table).Error; err != nil {
			return r, fmt.Errorf("reading the facts: %w", database.Hide(err))
		}
	}
	err := db.Read(ctx).Raw("SELECT id, released_at IS NOT NULL AS released, ledger_entry_id, release_entry_id FROM holds").Scan(&r.Holds).Error
	if err != nil {
		return r, fmt.Errorf("reading the holds: %w", database.Hide(err))
	}
	var rows []struct {
		EntryID, SubjectID           *uuid.UUID
		Kind, Action, Object, Detail string
		Leaf                         bool
	}
	err = db.Read(ctx).Raw(`SELECT coalesce(c.entry_id, e.id) AS entry_id, coalesce(c.kind, e.kind) AS kind, coalesce(c.action, '') AS action,
		coalesce(c.object, '') AS object, c.subject_id, coalesce(c.details, '{}')::text AS detail, e.id IS NOT NULL AS leaf
		FROM ledger_content c FULL JOIN ledger_entries e ON e.id = c.entry_id AND e.at = c.at`).Scan(&rows).Error
	if err != nil {
		return r, fmt.Errorf("reading the ledger: %w", database.Hide(err))
	}
	for _, row := range rows {
		e := Entry{ID: *row.EntryID, Kind: row.Kind, Action: row.Action, Object: row.Object, SubjectID: row.SubjectID, Leaf: row.Leaf}
		if err := json.Unmarshal([]byte(row.Detail), &e.Details); err != nil {
			return r, fmt.Errorf("reading the details of an entry: %w", err)
		}
		r.Entries = append(r.Entries, e)
	}
	slices.SortFunc(r.Evidence, func(a, b models.AccountEvidence) int { return int(a.ID - b.ID) })
	return r, nil
}
