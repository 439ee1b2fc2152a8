package querylog

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/ledger"
)

// State says whether what the database shows of an entry is what was written.
type State string

// The states of a row.
const (
	// Intact: a process with the writer key wrote the leaf, every field fits its commitment, and the
	// leaf is the one in the tree, if it is there yet.
	Intact State = "intact"
	// Tampered: somebody changed what is in the database. What it shows proves nothing.
	Tampered State = "tampered"
	// Dropped: the content is gone after its ten years, and only the leaf is left.
	Dropped State = "dropped"
)

// States lists them all.
var States = closed.Of("query_log.state", Intact, Tampered, Dropped)

// Row is one entry as the database has it.
type Row struct {
	ledger.Row
	Epoch int
	// Content is what the row says; nil: dropped, or not readable.
	Content  *ledger.Content
	Index    *int64 // nil: not sequenced yet
	LeafHash []byte // of the sequence; nil: not sequenced yet
	State    State
}

const rowColumns = `e.id, e.at, e.epoch, e.kind, e.leaf, e.mac, e.mac_generation, c.at, c.kind, c.action, c.actor_id, c.actor_role, c.authenticated, c.user_id,
	c.subject_id, c.object, c.requested_by, c.purpose, c.reason, c.result, c.rule, c.request_id, c.details, c.salts, s.index, s.leaf_hash,
	e.at < (SELECT lethe_now()) - interval '10 years'`

// Entries that are close together in time are in one or two partitions, which are read side by side.
// For those that are not, the partition of each is chosen by the time in its id.
const (
	together   = 40 * 24 * time.Hour
	neighbours = `SELECT ` + rowColumns + ` FROM ledger_entries e
		LEFT JOIN ledger_content c ON c.entry_id = e.id AND c.at BETWEEN $2 AND $3
		LEFT JOIN ledger_sequence s ON s.entry_id = e.id
		WHERE e.id = ANY ($1::text[]::uuid[]) AND e.at BETWEEN $2 AND $3`
	scattered = `SELECT ` + rowColumns + ` FROM unnest($1::text[]::uuid[], $2::timestamptz[]) AS u (id, at)
		JOIN LATERAL (SELECT * FROM ledger_entries WHERE id = u.id AND at = u.at OFFSET 0) e ON true
		LEFT JOIN LATERAL (SELECT * FROM ledger_content WHERE entry_id = u.id AND at = u.at OFFSET 0) c ON true
		LEFT JOIN ledger_sequence s ON s.entry_id = u.id`
)

// Fetch reads entries by their ids and checks each, with the writer keys that wrote knows. What is
// missing is left out: the caller knows what it asked for.
func Fetch(ctx context.Context, db reader, wrote ledger.Wrote, ids []uuid.UUID) (map[uuid.UUID]Row, error) {
	found := make(map[uuid.UUID]Row, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	names, times := make([]string, len(ids)), make([]time.Time, len(ids))
	for i, id := range ids {
		names[i], times[i] = id.String(), ledger.TimeOf(id)
	}
	statement, args := scattered, []any{names, times}
	if first, last := slices.MinFunc(times, time.Time.Compare), slices.MaxFunc(times, time.Time.Compare); last.Sub(first) < together {
		statement, args = neighbours, []any{names, first, last}
	}
	rows, err := db.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, database.Wrap("reading entries", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		r, err := scan(rows, wrote)
		if err != nil {
			return nil, err
		}
		found[r.ID] = r
	}
	if err := rows.Err(); err != nil {
		return nil, database.Wrap("reading entries", err)
	}
	return found, nil
}

// scan reads one row and checks it.
func scan(rows *sql.Rows, wrote ledger.Wrote) (Row, error) {
	var r Row
	var c content
	var m mac
	var old bool
	targets := append([]any{&r.ID, &r.At, &r.Epoch, &r.Kind, &r.Leaf, &m.value, &m.generation}, c.targets(&r)...)
	if err := rows.Scan(append(targets, &r.Index, &r.LeafHash, &old)...); err != nil {
		return Row{}, database.Wrap("reading an entry", err)
	}
	r.At = r.At.UTC()
	r.State = r.check(c, m, wrote, old)
	return r, nil
}

// mac is what the writer put beside a leaf.
type mac struct {
	value      []byte
	generation int
}

// content is the columns of ledger_content that are null where there is none.
type content struct {
	at                                   *time.Time
	kind                                 *string
	action, actorRole, authenticated     *string
	object, requestedBy, purpose, reason *string
	result, rule, requestID              *string
}

func (c *content) targets(r *Row) []any {
	return []any{&c.at, &c.kind, &c.action, &r.ActorID, &c.actorRole, &c.authenticated, &r.UserID, &r.SubjectID, &c.object,
		&c.requestedBy, &c.purpose, &c.reason, &c.result, &c.rule, &c.requestID, &r.Details, &r.Salts}
}

// check compares the leaf with the writer's MAC, which the owner of the database cannot make anew, the
// row with its leaf, and the leaf with its place in the tree. Only an old entry may have lost its content.
func (r *Row) check(c content, m mac, wrote ledger.Wrote, old bool) State {
	if !wrote(m.generation, r.Leaf, m.value) {
		return Tampered
	}
	if c.at == nil {
		leaf, err := ledger.ParseLeaf(r.Leaf)
		if err != nil || !leaf.At().Equal(r.At) || leaf.ID != r.ID || leaf.Kind != r.Kind || leaf.Epoch != r.Epoch || !r.inTree() || !old {
			return Tampered
		}
		return Dropped
	}
	r.Action, r.ActorRole, r.Authenticated, r.Object = *c.action, *c.actorRole, *c.authenticated, *c.object
	r.RequestedBy, r.Purpose, r.Reason, r.Result = *c.requestedBy, *c.purpose, *c.reason, *c.result
	r.Rule, r.RequestID = *c.rule, *c.requestID
	said, err := r.Row.Content()
	if err != nil {
		return Tampered
	}
	r.Content = &said
	if ledger.Recompute(r.Row, said) != nil || !c.at.Equal(r.At) || *c.kind != string(r.Kind) || !r.inTree() {
		return Tampered
	}
	return Intact
}

// inTree says that the leaf is the one that was sequenced, if it was.
func (r *Row) inTree() bool {
	hash := ledger.LeafHash(r.Leaf)
	return r.LeafHash == nil || bytes.Equal(hash[:], r.LeafHash)
}
