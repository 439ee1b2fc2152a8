package evidence

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/ledger/querylog"
	"lethe/internal/reasons"
	"lethe/internal/textform"
	"lethe/models"
)

// Why an export is not accepted.
var (
	ErrReason     = errors.New("an export needs a reason of 1 to 1,000 characters")
	ErrUnknown    = errors.New("a format that there is not")
	ErrRange      = errors.New("the range of indexes is reversed, empty or beyond the tree")
	ErrBothChosen = errors.New("an export has filters or a range, not both")
	ErrEpoch      = errors.New("there is no such epoch")
	ErrNotReady   = errors.New("the pack is not made yet")
	ErrExpired    = errors.New("the pack was removed after its time")
	ErrPurged     = errors.New("the pack shows somebody who was purged since, and ended with that")
	ErrMissing    = errors.New("the pack's file is not in this process's folder")
)

// The formats that an export may have beside those that every pack has.
const (
	FormatCSV  = "csv"
	FormatXLSX = "xlsx"
)

// Formats are what a pack has if nothing is said.
var Formats = []string{FormatCSV, FormatXLSX}

// The actions of the entries that exports leave.
const (
	ActionRequested  = "query_log.export_requested"
	ActionMade       = "query_log.export_made"
	ActionFailed     = "query_log.export_failed"
	ActionDownloaded = "query_log.export_downloaded"
	ActionPurged     = "query_log.export_purged"
)

// Request is what somebody wants exported: what fits the filters, or, with Range, everything in a
// range of indexes of one epoch. Neither means everything so far of the newest epoch, which is a range.
type Request struct {
	Filter  querylog.Filter `json:"filter"`
	Range   *Range          `json:"range,omitempty"`
	Formats []string        `json:"formats,omitempty"`
	Reason  string          `json:"reason"`
}

// Range is the entries of an epoch from First up to, and without, End.
type Range struct {
	Epoch int   `json:"epoch"`
	First int64 `json:"first_index"`
	End   int64 `json:"end_index"`
}

// Export is one pack, asked for or made.
type Export struct {
	ID            uuid.UUID
	EntryID       uuid.UUID
	RequestedBy   uuid.UUID
	Role          string
	Authenticated string
	ApprovalID    *uuid.UUID // what two people agreed to
	// What people wrote; [Export.Open] opens it. The plain ones are of version 0.2, until the upgrade has
	// sealed them.
	ReasonSealed  models.Sealed
	FiltersSealed models.Sealed
	PlainReason   string `gorm:"column:reason;->"`
	PlainFilters  []byte `gorm:"column:filters;type:jsonb;->"`
	Formats       string // separated by commas
	Epoch         *int
	FirstIndex    *int64
	EndIndex      *int64
	State         ExportState
	Attempt       int
	ClaimedUntil  *time.Time
	Total         *int64
	Written       int64
	Failure       Failure
	File          string
	Bytes         *int64
	SHA256        []byte `gorm:"column:sha256"`
	// People are those whom the pack shows by name; nil: not known, of a pack of version 0.2.
	People     models.IDs `gorm:"type:uuid[]"`
	Tampered   *int64
	CreatedAt  time.Time `gorm:"->"`
	FinishedAt *time.Time
	ExpiresAt  *time.Time
}

// TableName is GORM's way to the table.
func (Export) TableName() string { return "query_log_exports" }

// ExportState is where an export stands.
type ExportState string

// The states of an export.
const (
	Queued  ExportState = "queued"
	Running ExportState = "running"
	Done    ExportState = "done"
	Failed  ExportState = "failed"
	Expired ExportState = "expired"
	Purged  ExportState = "purged" // it showed somebody who is purged since
)

// ExportStates say what may follow each.
var ExportStates = closed.States("query_log_exports.state", "export_state", [][]ExportState{
	{Queued, Running}, {Running, Done, Failed}, {Done, Expired, Purged}, {Failed}, {Expired}, {Purged},
})

// Failure is why an export failed.
type Failure string

// The failures. No further attempt mends them.
const (
	FailureInconsistent Failure = "ledger_inconsistent"
	FailureGap          Failure = "ledger_gap"
	FailureGivenUp      Failure = "given_up"
)

// Failures lists them all.
var Failures = closed.Of("export_failure", FailureInconsistent, FailureGap, FailureGivenUp)

// Over says that nothing more will happen but that the file goes.
func (e Export) Over() bool {
	return e.State == Done || e.State == Failed || e.State == Expired || e.State == Purged
}

// Contiguous says that the export is everything in a range.
func (e Export) Contiguous() bool { return e.FirstIndex != nil }

// maxReason is in characters.
const maxReason = 1000

// Check says what is wrong with r. It is asked before anybody has to approve it.
func (r Request) Check(tx *database.Tx) error {
	if _, fault := textform.Paragraphs(r.Reason, maxReason); fault != "" {
		return ErrReason
	}
	for i, f := range r.Formats {
		if f != FormatCSV && f != FormatXLSX {
			return fmt.Errorf("format %d: %w", i, ErrUnknown)
		}
	}
	if r.Range == nil {
		return r.Filter.Check(tx.Context(), tx.DB().Statement.ConnPool)
	}
	if !r.Filter.Empty() {
		return ErrBothChosen
	}
	if r.Range.First < 0 || r.Range.End <= r.Range.First {
		return ErrRange
	}
	var size *int64
	err := tx.DB().Raw("SELECT max(index) + 1 FROM ledger_sequence WHERE epoch = ?", r.Range.Epoch).Scan(&size).Error
	if err != nil {
		return database.Wrap("reading the size of an epoch", err)
	}
	if size == nil {
		return ErrEpoch
	}
	if r.Range.End > *size {
		return ErrRange
	}
	return nil
}

// Count is how many entries r would export now, but not beyond most.
func (r Request) Count(tx *database.Tx, most int64) (int64, error) {
	if r.Range != nil {
		return min(r.Range.End-r.Range.First, most), nil
	}
	return r.Filter.CountUpTo(tx.Context(), tx.DB().Statement.ConnPool, most)
}

// Order accepts r: the pack is made in the background. by is who asked, and the entry of the request
// is where the export ends: what is recorded later is not in it.
func Order(tx *database.Tx, by models.Actor, r Request) (uuid.UUID, error) {
	return order(tx, by, models.CallerOf(tx.Context()).Authenticated, nil, r)
}

// OrderAgreed is [Order] for what two people agreed to: by asked for it, authenticated as it says, and
// it is the second person who acts now.
func OrderAgreed(tx *database.Tx, by models.Actor, authenticated models.Authentication, approval uuid.UUID, r Request) (uuid.UUID, error) {
	return order(tx, by, authenticated, &approval, r)
}

func order(tx *database.Tx, by models.Actor, authenticated models.Authentication, approval *uuid.UUID, r Request) (uuid.UUID, error) {
	if err := r.Check(tx); err != nil {
		return uuid.Nil, err
	}
	id := models.NewID()
	e := Export{
		ID: id, RequestedBy: by.EmployeeID, Role: string(by.Role), Authenticated: string(authenticated),
		ApprovalID: approval, State: Queued, Formats: joined(r.Formats),
	}
	filters, err := json.Marshal(r.Filter)
	if err != nil {
		return uuid.Nil, fmt.Errorf("keeping the filters of an export: %w", err)
	}
	if e.ReasonSealed, err = reasons.Seal(tx, e.place(columnReason), r.Reason); err != nil {
		return uuid.Nil, err
	}
	if e.FiltersSealed, err = reasons.Seal(tx, e.place(columnFilters), string(filters)); err != nil {
		return uuid.Nil, err
	}
	details, err := r.Filter.Record(tx)
	if err != nil {
		return uuid.Nil, err
	}
	details["formats"] = e.Formats
	if r.Range != nil {
		e.Epoch, e.FirstIndex, e.EndIndex = &r.Range.Epoch, &r.Range.First, &r.Range.End
		details["epoch"], details["first_index"], details["end_index"] = fmt.Sprint(r.Range.Epoch), fmt.Sprint(r.Range.First), fmt.Sprint(r.Range.End)
	}
	// The row refers to the entry, and nothing comes after the entry.
	if e.EntryID, err = ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindExport, Action: ActionRequested, Actor: &by, Authenticated: authenticated, Subject: r.Filter.Subject, Object: Object(id), Reason: r.Reason, Details: details,
	}); err != nil {
		return uuid.Nil, err
	}
	err = tx.DB().Omit("CreatedAt").Create(&e).Error
	return id, database.Wrap("keeping an export", err)
}

// Assess is why one person may not order r: it holds more entries than limit, with what was ordered alone within
// a day counted, so that many small packs are no way around. Else it counts the entries.
func Assess(tx *database.Tx, by models.Actor, r Request, limit int64) (causes []models.Cause, entries int64, err error) {
	if err := r.Check(tx); err != nil {
		return nil, 0, err
	}
	taken, err := takenAlone(tx, by)
	if err != nil {
		return nil, 0, err
	}
	left := max(limit-taken, 0)
	entries, err = r.Count(tx, left+1)
	if err == nil && entries > left {
		causes = []models.Cause{models.CauseMany}
	}
	return causes, entries, err
}

// OrderAlone is [Order] for one person, to whose count of the day the entries are added.
func OrderAlone(tx *database.Tx, by models.Actor, r Request, entries int64) (uuid.UUID, error) {
	id, err := Order(tx, by, r)
	if err != nil {
		return uuid.Nil, err
	}
	err = database.UpdateOne(tx.DB().Model(&Export{}).Where("id = ?", id).Update("total", entries))
	return id, database.Wrap("keeping the size of an export", err)
}

// takenAlone is how many entries a person ordered alone within a day, whom it locks to the end of the
// transaction: requests side by side are counted one after the other.
func takenAlone(tx *database.Tx, by models.Actor) (taken int64, err error) {
	key := int64(binary.BigEndian.Uint64(by.EmployeeID[8:])) // any bits will do
	if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(?)", key).Error; err != nil {
		return 0, database.Wrap("locking whoever exports", err)
	}
	err = tx.DB().Raw(`SELECT coalesce(sum(total), 0)::bigint FROM query_log_exports
		WHERE requested_by = ? AND approval_id IS NULL AND state <> ? AND created_at > lethe_now() - interval '24 hours'`,
		by.EmployeeID, Failed).Scan(&taken).Error
	return taken, database.Wrap("counting what was exported", err)
}

// Object is how entries name an export.
func Object(id uuid.UUID) string { return "query_log_export/" + id.String() }

func joined(formats []string) string {
	if formats == nil {
		formats = Formats
	}
	out := ""
	for _, f := range Formats {
		for _, wanted := range formats {
			if f == wanted {
				if out != "" {
					out += ","
				}
				out += f
				break
			}
		}
	}
	return out
}
