package operations

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"lethe/internal/approval"
	"lethe/internal/database"
	"lethe/internal/ledger/evidence"
	"lethe/models"
)

// exportLog exports more entries of the query log than one person may take away alone. The limit is
// a setting; what stays below it is no dangerous step and does not come here.
func (d Deps) exportLog() approval.Operation {
	return approval.Define(approval.Spec[evidence.Request]{
		Judge: func(tx *database.Tx, r evidence.Request) (approval.Review, error) {
			count, err := r.Count(tx, mostCounted)
			if err != nil {
				return approval.Review{}, fmt.Errorf("counting what would be exported: %w", err)
			}
			entries := strconv.FormatInt(count, 10)
			if count == mostCounted {
				entries = "≥ " + entries
			}
			return approval.Review{Changes: []approval.Change{
				shown("export_selection", selection(r)), shown("export_entries", entries), shown("export_reason", r.Reason),
			}}, nil
		},
		Check: func(tx *database.Tx, _ models.Actor, r evidence.Request) error { return r.Check(tx) },
		Run: func(tx *database.Tx, by approval.By, r evidence.Request) (models.Ref, error) {
			id, err := evidence.OrderAgreed(tx, by.Requester, by.Authenticated, by.Approval, r)
			return models.Ref{Kind: models.RefExport, ID: id}, err
		},
	})
}

// mostCounted bounds the time for the count that an approver sees.
const mostCounted = 1_000_000

func selection(r evidence.Request) string {
	if r.Range != nil {
		return fmt.Sprintf("%d: %d … %d", r.Range.Epoch, r.Range.First, r.Range.End-1)
	}
	filters := r.Filter.Describe()
	parts := make([]string, 0, len(filters))
	for _, key := range slices.Sorted(maps.Keys(filters)) {
		parts = append(parts, key+" = "+filters[key])
	}
	if len(parts) == 0 {
		return "*"
	}
	return strings.Join(parts, ", ")
}
