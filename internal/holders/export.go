package holders

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/leavers"
	"lethe/internal/ledger"
)

// ActionExported is the action of the entry that a file of the report leaves, as [leavers.ActionExported] is of another one.
const ActionExported = "report.access_exported"

// FileName is what a file of the report is called, without what its format adds.
func FileName(on string) string { return "access-" + on }

// Record records that somebody takes files of a report away: of which day, by which permissions, how many rows, and what the
// files are. The files leave only after tx has committed.
func Record(tx *database.Tx, s State, asOf time.Time, rows int, digests map[leavers.Format][]byte) (entry uuid.UUID, receipt string, err error) {
	details := map[string]string{
		"on": s.On.String(), "time_zone": s.Zone.String(), "version": strconv.Itoa(s.Permissions.Matrix.Version),
		"rows": strconv.Itoa(rows), "as_of": asOf.UTC().Format(time.RFC3339),
	}
	for format, digest := range digests {
		details[leavers.DigestOf(format)] = hex.EncodeToString(digest)
	}
	return ledger.AppendWithReceipt(tx, ledger.Entry{Kind: ledger.KindExport, Action: ActionExported, Details: details}, "")
}
