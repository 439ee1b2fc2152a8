package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/closed"
)

// BatchKind is what a batch does with its file.
type BatchKind string

// The kinds of batches.
const (
	// BatchImport enters and changes people.
	BatchImport BatchKind = "import"
	// BatchDepartures begins departures.
	BatchDepartures BatchKind = "departures"
)

// BatchKinds lists them all.
var BatchKinds = closed.Of("", BatchImport, BatchDepartures)

// Ref is what batches of a kind are named as.
func (k BatchKind) Ref() string {
	if k == BatchDepartures {
		return RefDepartures
	}
	return RefImport
}

// BatchState is the life of a batch.
type BatchState string

// The states of a batch.
const (
	// BatchMapping: people have to say which column is which field.
	BatchMapping BatchState = "mapping"
	// BatchChecking: the dry run is under way.
	BatchChecking         BatchState = "checking"
	BatchChecked          BatchState = "checked"
	BatchAwaitingApproval BatchState = "awaiting_approval"
	BatchRunning          BatchState = "running"
	// BatchPaused: somebody stopped the run for now.
	BatchPaused    BatchState = "paused"
	BatchDone      BatchState = "done"
	BatchCancelled BatchState = "cancelled"
	// BatchExpired: nobody ran it while there was a file.
	BatchExpired BatchState = "expired"
)

// BatchStates say what may follow each.
var BatchStates = closed.States("batches.state", "batch_state", [][]BatchState{
	{BatchMapping, BatchChecking, BatchCancelled, BatchExpired},
	{BatchChecking, BatchChecked, BatchCancelled, BatchExpired},
	{BatchChecked, BatchChecking, BatchAwaitingApproval, BatchRunning, BatchCancelled, BatchExpired},
	{BatchAwaitingApproval, BatchChecked, BatchRunning, BatchCancelled, BatchExpired},
	{BatchRunning, BatchPaused, BatchDone, BatchCancelled, BatchExpired},
	{BatchPaused, BatchRunning, BatchCancelled, BatchExpired},
	{BatchDone}, {BatchCancelled}, {BatchExpired},
})

// Ended says whether nothing more happens but that the file goes.
func (s BatchState) Ended() bool { return s == BatchDone || s == BatchCancelled || s == BatchExpired }

// BatchEnd is why a batch ended before it was done.
type BatchEnd string

// The ends.
const (
	// BatchEndPerson: somebody cancelled it.
	BatchEndPerson BatchEnd = "person"
	// BatchEndUploaderGone: whose file it is could not ask for it any more.
	BatchEndUploaderGone BatchEnd = "uploader_gone"
)

// BatchEnds lists them all.
var BatchEnds = closed.Of("batch_end", BatchEndPerson, BatchEndUploaderGone)

// Batch is a file that is walked in parts.
type Batch struct {
	ID    uuid.UUID
	Kind  BatchKind
	State BatchState
	Driven
	// ActorID, ActorRole and UserID are whose file it is, Authenticated how they were known.
	ActorID       uuid.UUID
	ActorRole     Role
	UserID        uuid.UUID
	Authenticated Authentication
	Format        string
	Bytes         int64
	// Mapping is which field each column is; empty: none.
	Mapping       Names `gorm:"type:text[]"`
	HeadersSealed Sealed
	Rows          int
	// Checked and Ran are how many rows the dry run and the run have behind them.
	Checked, Ran int
	// What the run would do, as the dry run says, and what it did.
	ToCreate, ToChange, Same, Faulty     int
	Created, Changed, Unchanged, Refused int
	// Departed are those of Created who had left before.
	Departed int
	// ApprovalID and ApproverID are by whose agreement it runs; nil: one person was enough.
	ApprovalID, ApproverID *uuid.UUID
	EndedBy                BatchEnd
	CreatedAt              time.Time `gorm:"->"`
	EndedAt                *time.Time
	// ContentUntil is when the file goes at the latest, ContentEndedAt when it went.
	ContentUntil   time.Time
	ContentEndedAt *time.Time
	LedgerEntryID  uuid.UUID
}

// Actor is whose file it is.
func (b Batch) Actor() Actor { return Actor{EmployeeID: b.ActorID, Role: b.ActorRole} }

// BatchPart is some rows of a file.
type BatchPart struct {
	ID         uuid.UUID
	BatchID    uuid.UUID
	Position   int
	Rows       int
	RowsSealed Sealed
	People     IDs `gorm:"type:uuid[]"`
	// Leaving is about the part's people who left, or would leave, as the dry run says; nil: there are none.
	Leaving *BatchLeaving `gorm:"serializer:json"`
	// Planned are the rows of departures: what the dry run said of each, and what became of it.
	Planned []BatchRow `gorm:"serializer:json"`
	// Problems are rows, columns (from 1; 0 is the row itself) and codes.
	Problems []BatchProblem `gorm:"serializer:json"`
	Checked  bool
	Ran      bool
	// Removed: data of somebody in it was deleted, and the part with it.
	Removed bool
	// WalkedAt is when it was checked or run last.
	WalkedAt *time.Time
}

// BatchLeaving is about people of a file who left.
type BatchLeaving struct {
	People int `json:"people"`
	// First and Last are the days between which their employments ended.
	First clock.Date `json:"first"`
	Last  clock.Date `json:"last"`
	// Due are how many of them have data in a category that would be due at once.
	Due map[Category]int `json:"due,omitempty"`
	// DuePeople are how many have any.
	DuePeople int `json:"due_people"`
	// Of departures that would begin: those whose access ends as they begin, those of heads and administrators, those of them
	// that take effect within a day, and those whose last working day is over.
	AtOnce    int `json:"at_once,omitempty"`
	Protected int `json:"protected,omitempty"`
	Sudden    int `json:"sudden,omitempty"`
	Past      int `json:"past,omitempty"`
}

// Add counts others in.
func (l *BatchLeaving) Add(o BatchLeaving) {
	if l.People == 0 || o.First.Before(l.First) {
		l.First = o.First
	}
	if l.People == 0 || o.Last.After(l.Last) {
		l.Last = o.Last
	}
	l.People, l.DuePeople = l.People+o.People, l.DuePeople+o.DuePeople
	l.AtOnce += o.AtOnce
	l.Protected, l.Sudden, l.Past = l.Protected+o.Protected, l.Sudden+o.Sudden, l.Past+o.Past
	for category, n := range o.Due {
		if l.Due == nil {
			l.Due = map[Category]int{}
		}
		l.Due[category] += n
	}
}

// BatchProblem is what is wrong with a cell. It never holds the value.
type BatchProblem struct {
	Row    int    `json:"r"`
	Column int    `json:"c"`
	Code   string `json:"p"`
}

// BatchOutcome is what becomes, or became, of a row of departures.
type BatchOutcome string

// The outcomes.
const (
	// OutcomeBegins: the run would begin a departure.
	OutcomeBegins BatchOutcome = "begins"
	// OutcomeNothing: a departure says the same already.
	OutcomeNothing BatchOutcome = "nothing_to_do"
	// OutcomeRefused: something is wrong with the row.
	OutcomeRefused BatchOutcome = "refused"
	OutcomeBegun   BatchOutcome = "begun"
	// OutcomeChanged: it would have been otherwise than the dry run said, and was left alone.
	OutcomeChanged BatchOutcome = "changed_since"
)

// BatchOutcomes lists them all.
var BatchOutcomes = closed.Of("batch_outcome", OutcomeBegins, OutcomeNothing, OutcomeRefused, OutcomeBegun, OutcomeChanged)

// BatchRow is a row of departures.
type BatchRow struct {
	Row     int          `json:"r"`
	Outcome BatchOutcome `json:"x"`
	// Employee and Employment are whose row it is; nil: nobody's who is known.
	Employee   uuid.UUID `json:"e"`
	Employment uuid.UUID `json:"m"`
	// Kind is how the row says that the person leaves.
	Kind DepartureKind `json:"k,omitempty"`
	// LastDay, Cutoff and End are the dates that the departure would have; AtOnce: access ends when it begins.
	LastDay *clock.Date `json:"l,omitempty"`
	Cutoff  *time.Time  `json:"c,omitempty"`
	End     *time.Time  `json:"t,omitempty"`
	AtOnce  bool        `json:"n,omitempty"`
	// Protected: of a head or an administrator; Sudden: it would take effect within a day; Past: the last day is over.
	Protected bool `json:"p,omitempty"`
	Sudden    bool `json:"s,omitempty"`
	Past      bool `json:"o,omitempty"`
	// Departure is what was begun.
	Departure *uuid.UUID `json:"d,omitempty"`
}
