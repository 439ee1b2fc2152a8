package evidence

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger/querylog"
	"lethe/internal/reasons"
)

// The sealed columns of what people write for an export: their names are part of what they are sealed for.
const (
	columnReason  = "reason_sealed"
	columnFilters = "filters_sealed"
)

func (e Export) place(column string) string { return reasons.Cell("query_log_exports."+column, e.ID) }

// Written is what somebody wrote for an export.
type Written struct {
	Reason  string
	Filters []byte // JSON; nil once it has ended with the log
}

// Open opens what somebody wrote for an export. What ended with the log is empty.
func (e Export) Open(ctx context.Context, c reasons.Carrier) (Written, error) {
	opened, err := reasons.Open(ctx, c, reasons.Text{Cell: e.place(columnReason), Sealed: e.ReasonSealed},
		reasons.Text{Cell: e.place(columnFilters), Sealed: e.FiltersSealed})
	if err != nil {
		return Written{}, err
	}
	w := Written{Reason: opened[0] + e.PlainReason, Filters: []byte(opened[1])}
	if e.FiltersSealed.IsNull() {
		w.Filters = e.PlainFilters
	}
	return w, nil
}

// Filter is what the export was asked for.
func (w Written) Filter() (f querylog.Filter, err error) {
	if err := json.Unmarshal(w.Filters, &f); err != nil {
		return f, fmt.Errorf("reading the filters of an export: %w", err)
	}
	return f, nil
}

// SealPlain carries what people wrote for exports in version 0.2 over; see [database.SealFormer].
func SealPlain(ctx context.Context, db *database.DB, ready func() error) error {
	return database.SealFormer(ctx, db, database.Former{
		Table: "query_log_exports", Mark: "query_log_exports_reasons_sealed",
		Columns: []database.FormerColumn{{Name: "reason", Type: "text", Empty: "''"}, {Name: "filters", Type: "jsonb", Empty: "'{}'"}},
		Seal:    sealPlain,
	}, ready)
}

func sealPlain(tx *database.Tx, id uuid.UUID) error {
	e, err := database.Lock[Export](tx, "an export", id)
	if err != nil {
		return err
	}
	columns := map[string]any{"reason": "", "filters": "{}"}
	for column, text := range map[string]string{columnReason: e.PlainReason, columnFilters: string(e.PlainFilters)} {
		if text == "" || text == "{}" {
			continue
		}
		if columns[column], err = reasons.SealAt(tx.Context(), tx, e.CreatedAt, e.place(column), text); err != nil {
			return err
		}
	}
	return database.UpdateOne(tx.DB().Table("query_log_exports").Where("id = ?", id).Updates(columns))
}
