package ledger

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// ErrNoWriter says that the database of a transaction has no writer attached: its process must not
// change anything that has to be recorded.
var ErrNoWriter = errors.New("no ledger writer is attached to the database")

// Writer appends entries for one process. It is safe for concurrent use.
type Writer struct {
	origin string
	key    WriterKey
	epoch  atomic.Int64
	// ahead is how far the database's clock is ahead of this machine's, in microseconds: in nanoseconds
	// a clock that a test moved by centuries would not fit.
	ahead atomic.Int64

	mu     sync.Mutex
	lastAt int64 // of the last id, in milliseconds
	count  uint16
}

// NewWriter writes to the ledger named origin.
func NewWriter(origin string, key WriterKey) *Writer {
	w := &Writer{origin: origin, key: key}
	w.epoch.Store(1)
	return w
}

// DefaultOrigin names the ledger of an installation that was not given a name.
func DefaultOrigin(installation uuid.UUID) string { return "lethe/" + installation.String() }

type attachment struct{}

// Attach gives the transactions on db their writer. It is called once at start-up.
func Attach(db *database.DB, w *Writer) { db.Attach(attachment{}, w) }

func writerOf(tx *database.Tx) (*Writer, error) {
	w, ok := tx.Attached(attachment{}).(*Writer)
	if !ok {
		return nil, ErrNoWriter
	}
	return w, nil
}

// Append records e in tx, in one round trip, and returns the entry's id. The entry is there if and
// only if tx commits. An error of the database makes the transaction fail: nothing that must be
// recorded happens unrecorded (I18).
func Append(tx *database.Tx, e Entry) (uuid.UUID, error) {
	return AppendWith(tx, e, "")
}

// AppendWith is [Append], and in the same round trip the rows that name the entry: insert is an INSERT
// that selects them FROM pending, whose entry_id is the entry's id, with a question mark for each of
// args, cast to its column's type.
func AppendWith(tx *database.Tx, e Entry, insert string, args ...any) (uuid.UUID, error) {
	w, err := writerOf(tx)
	if err != nil {
		return uuid.Nil, err
	}
	leaf, _, err := w.append(tx, e, insert, args)
	return leaf.ID, err
}

// appendSQL inserts the entry only if its time and epoch are right by the database; if not it says
// what is right, and the writer tries again. One insert draws from the other, so that a row that names
// the entry finds both when its trigger looks.
const appendSQL = `WITH truth AS MATERIALIZED (
		SELECT now, epoch, epoch = $5 AND now - $2::timestamptz BETWEEN '-1 s' AND '1 s' AS fits
		FROM (SELECT lethe_now() AS now, (SELECT epoch FROM ledger_head) AS epoch) AS reading
	), entry AS (
		INSERT INTO ledger_entries (id, at, kind, format, epoch, leaf, mac, mac_generation)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM truth WHERE fits RETURNING id
	), content AS (
		INSERT INTO ledger_content (entry_id, at, kind, action, actor_id, actor_role, authenticated, user_id, subject_id, object,
			requested_by, purpose, reason, result, rule, request_id, details, salts)
		SELECT $1, $2, $3, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23 FROM truth WHERE fits
	), pending AS (
		INSERT INTO ledger_pending (entry_id, at) SELECT id, $2 FROM entry RETURNING entry_id
	)`

const truthSQL = ` SELECT now, epoch, fits FROM truth`

// appendArgs is how many arguments appendSQL has.
const appendArgs = 23

// statement is appendSQL, with the rows that name the entry.
func statement(insert string) string {
	if insert == "" {
		return appendSQL + truthSQL
	}
	var b strings.Builder
	b.WriteString(appendSQL + ", fact AS (")
	parts := strings.Split(insert, "?")
	for i, part := range parts {
		b.WriteString(part)
		if i < len(parts)-1 {
			b.WriteString("$" + strconv.Itoa(appendArgs+i+1))
		}
	}
	b.WriteString(")" + truthSQL)
	return b.String()
}

// maxAppends bounds the tries: the second one fits unless the machine stands still for a second.
const maxAppends = 5

var errClock = errors.New("the entry's time never came within a second of the database's")

func (w *Writer) append(tx *database.Tx, e Entry, insert string, args []any) (Leaf, []byte, error) {
	content, err := contentOf(models.CallerOf(tx.Context()), e)
	if err != nil {
		return Leaf{}, nil, err
	}
	details, err := json.Marshal(content.Details)
	if err != nil {
		return Leaf{}, nil, fmt.Errorf("writing the details of an entry: %w", err)
	}
	committed, sql := content.values(), statement(insert)
	for range maxAppends {
		sent := time.Now()
		leaf, salts := w.leaf(sent, e.Kind, committed)
		data := leaf.Marshal()
		var now time.Time
		var epoch int64
		var fits bool
		values := append([]any{
			leaf.ID, leaf.At(), string(e.Kind), Format, leaf.Epoch, data, macOf(w.key.mac, data), w.key.generation,
			content.Action, content.ActorID, content.ActorRole, content.Authenticated, content.UserID, content.SubjectID, content.Object,
			content.RequestedBy, content.Purpose, content.Reason, content.Result, content.Rule, content.RequestID, string(details), salts,
		}, args...)
		err := tx.DB().Statement.ConnPool.QueryRowContext(tx.Context(), sql, values...).Scan(&now, &epoch, &fits)
		if err != nil {
			return Leaf{}, nil, database.Wrap("recording "+e.Action, err)
		}
		w.learn(sent, time.Now(), now, epoch)
		if fits {
			return leaf, data, nil
		}
	}
	return Leaf{}, nil, fmt.Errorf("recording %s: %w", e.Action, errClock)
}

// leaf makes an id, fresh salts and the commitments.
func (w *Writer) leaf(now time.Time, kind Kind, values [fieldCount][]byte) (Leaf, []byte) {
	var random [16 + fieldCount*SaltSize]byte
	_, _ = rand.Read(random[:]) // never fails
	at, count := w.tick((now.UnixMicro() + w.ahead.Load()) / 1000)
	l := Leaf{Origin: w.origin, Epoch: int(w.epoch.Load()), Kind: kind, ID: uuid.UUID(random[:16])}
	binary.BigEndian.PutUint64(l.ID[:8], uint64(at)<<16|0x7000|uint64(count)) // version 7
	l.ID[8] = 0x80 | l.ID[8]&0x3f                                             // the RFC 9562 variant
	salts := random[16:]
	for i, value := range values {
		l.Commitments[i] = commit(i, salts[i*SaltSize:(i+1)*SaltSize], value)
	}
	return l, salts
}

// maxLag is how far the clock may be set back, in milliseconds, before ids follow it.
const maxLag = 500

// tick makes the ids of one process ascend, as RFC 9562, section 6.2, method 1 has it: what happened
// one after the other stands so in the tree. The count has 12 bits.
func (w *Writer) tick(at int64) (ms int64, count uint16) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case at > w.lastAt || at < w.lastAt-maxLag:
		w.lastAt, w.count = at, 0
	case w.count < 1<<12-1:
		w.count++
	default:
		w.lastAt, w.count = w.lastAt+1, 0
	}
	return w.lastAt, w.count
}

// learn keeps the estimate of the database's clock between what is possible: the database read it
// after the statement was sent and before its answer came.
func (w *Writer) learn(sent, received, now time.Time, epoch int64) {
	w.epoch.Store(epoch)
	ahead, least, most := w.ahead.Load(), now.UnixMicro()-received.UnixMicro(), now.UnixMicro()-sent.UnixMicro()
	if ahead < least || ahead > most {
		w.ahead.Store(least + (most-least)/2)
	}
}

// contentOf adds who is behind the context.
func contentOf(caller models.Caller, e Entry) (Content, error) {
	if e.Kind == "" || e.Action == "" {
		return Content{}, errors.New("an entry has a kind and an action")
	}
	actor, details := caller.Actor, map[string]string{}
	if e.Actor != nil {
		actor = *e.Actor
	}
	switch {
	case actor == caller.Actor:
	case caller.Requester != nil && caller.Requester.Actor == actor:
		// The approver's session is told by the entry of the approval.
		details[DetailApprovedBy] = caller.Actor.EmployeeID.String()
		caller.Authenticated, caller.UserID, caller.SessionID, caller.TokenID = caller.Requester.Authenticated, caller.Requester.UserID, uuid.Nil, uuid.Nil
	case actor == models.System:
		caller.Authenticated, caller.UserID = models.ByNothing, uuid.Nil
	}
	if e.Authenticated != "" {
		caller.Authenticated = e.Authenticated
	}
	if e.UserID != uuid.Nil {
		caller.UserID = e.UserID
	}
	if e.Result == "" {
		e.Result = Done
	}
	c := Content{
		Action: e.Action, ActorID: actor.ID(), ActorRole: string(actor.Role), Authenticated: string(caller.Authenticated),
		SubjectID: e.Subject, Object: e.Object, RequestedBy: e.RequestedBy, Purpose: e.Purpose, Reason: e.Reason,
		Result: string(e.Result), Rule: e.Rule, RequestID: caller.RequestID,
	}
	if caller.UserID != uuid.Nil {
		c.UserID = &caller.UserID
	}
	c.Details = details
	maps.Copy(c.Details, e.Details)
	for key, id := range map[string]uuid.UUID{"session_id": caller.SessionID, "token_id": caller.TokenID, "approval_id": caller.ApprovalID} {
		if id != uuid.Nil && c.Details[key] == "" {
			c.Details[key] = id.String()
		}
	}
	c.clean()
	return c, nil
}
