package leavers

import (
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/ledger"
)

// Format is what a file of a report is.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
	PDF  Format = "pdf"
)

// Formats lists them all.
var Formats = closed.Of("", CSV, XLSX, PDF)

// ActionExported is the action of the entry that a file of a report leaves; its details hold the file's digest as
// [DigestOf] names it.
const ActionExported = "report.leavers_exported"

// DigestOf is the detail with the digest of a file.
func DigestOf(f Format) string { return string(f) + "_sha256" }

// FileName is what a file of a report is called, without what its format adds: part says that it is narrowed to units or
// outcomes, and does not have everybody of the period.
func FileName(from, to string, part bool) string {
	if part {
		return "leavers-part-" + from + "-" + to
	}
	return "leavers-" + from + "-" + to
}

// MaxRows is how many rows a file has at most.
const MaxRows = 300_000

// ErrTooLong is a report that no file is made of.
var ErrTooLong = errors.New("the report has too many rows for a file")

// Made are the files of a report, by their digests.
type Made struct {
	Filter   Filter
	Outcomes []Outcome
	Rows     int
	AsOf     time.Time
	Digests  map[Format][]byte
}

// Record records that somebody takes files of a report away: who in which period, by which filters, how many rows, and what
// the files are. The files leave only after tx has committed.
func Record(tx *database.Tx, m Made) (entry uuid.UUID, receipt string, err error) {
	details := map[string]string{
		"from": m.Filter.From.String(), "to": m.Filter.To.String(), "basis": string(m.Filter.Basis), "time_zone": m.Filter.Zone.String(),
		"late_after_minutes": strconv.Itoa(int(m.Filter.LateAfter / time.Minute)), "rows": strconv.Itoa(m.Rows), "as_of": m.AsOf.UTC().Format(time.RFC3339),
	}
	for name, id := range map[string]uuid.UUID{"legal_entity_id": m.Filter.LegalEntityID, "department_id": m.Filter.DepartmentID, "site_id": m.Filter.SiteID} {
		if id != uuid.Nil {
			details[name] = id.String()
		}
	}
	if len(m.Outcomes) > 0 {
		names := make([]string, len(m.Outcomes))
		for i, o := range m.Outcomes {
			names[i] = string(o)
		}
		slices.Sort(names)
		details["outcomes"] = strings.Join(names, ",")
	}
	for format, digest := range m.Digests {
		details[DigestOf(format)] = hex.EncodeToString(digest)
	}
	return ledger.AppendWithReceipt(tx, ledger.Entry{Kind: ledger.KindExport, Action: ActionExported, Details: details}, "")
}
