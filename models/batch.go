package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/closed"
)

// BatchKind is what a batch does with its file.
type BatchKind string

// BatchImport enters and changes people.
const BatchImport BatchKind = "import"

// BatchKinds lists them all.
var BatchKinds = closed.Of("", BatchImport)

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
	BatchDone             BatchState = "done"
	BatchCancelled        BatchState = "cancelled"
	// BatchExpired: nobody ran it while there was a file.
	BatchExpired BatchState = "expired"
)

// BatchStates say what may follow each.
var BatchStates = closed.States("batches.state", "batch_state", [][]BatchState{
	{BatchMapping, BatchChecking, BatchCancelled, BatchExpired},
	{BatchChecking, BatchChecked, BatchCancelled, BatchExpired},
	{BatchChecked, BatchChecking, BatchAwaitingApproval, BatchRunning, BatchCancelled, BatchExpired},
	{BatchAwaitingApproval, BatchChecked, BatchRunning, BatchCancelled, BatchExpired},
	{BatchRunning, BatchDone, BatchCancelled, BatchExpired},
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
	// Leaving is about the part's people who left, as the dry run says; nil: there are none.
	Leaving *BatchLeaving `gorm:"serializer:json"`
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
