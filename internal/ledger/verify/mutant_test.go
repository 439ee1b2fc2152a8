package verify

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/ledger"
)

// mutant is a ledger that somebody has been at.
type mutant struct {
	t testing.TB
	w *world
	r *rand.Rand
	s *snapshot
	// insider has the keys of the log and of the writers, and the folder: only the witness and those
	// who hold receipts are out of reach.
	insider bool
	forged  []byte // the checkpoint in the folder, by an insider
	// covered is how many entries the witness has cosigned; receipted are those with a held receipt.
	covered   int
	receipted map[uuid.UUID]bool
}

// clone can be changed without changing s, as long as bytes are replaced and not written to.
func (s *snapshot) clone() *snapshot {
	c := &snapshot{
		rest: s.rest, placeRows: slices.Clone(s.placeRows), entryRows: slices.Clone(s.entryRows), contentRows: slices.Clone(s.contentRows),
	}
	c.rest.heads, c.rest.epochs, c.rest.pending = slices.Clone(s.rest.heads), slices.Clone(s.rest.epochs), slices.Clone(s.rest.pending)
	return c
}

func (s *snapshot) same(o *snapshot) bool {
	return reflect.DeepEqual(s.placeRows, o.placeRows) && reflect.DeepEqual(s.entryRows, o.entryRows) &&
		reflect.DeepEqual(s.contentRows, o.contentRows) && reflect.DeepEqual(s.rest, o.rest)
}

// another is bytes that differ: a bit flipped, something cut off or put on.
func (m *mutant) another(b []byte) []byte {
	b = bytes.Clone(b)
	switch n := m.r.IntN(8); {
	case n == 0 && len(b) > 0:
		return b[:m.r.IntN(len(b))]
	case n == 1 || len(b) == 0:
		return append(b, byte(m.r.IntN(256)))
	}
	b[m.r.IntN(len(b))] ^= 1 << m.r.IntN(8)
	return b
}

func (m *mutant) entryOf(id uuid.UUID) int {
	return slices.IndexFunc(m.s.entryRows, func(e entryRow) bool { return e.id == id })
}

func (m *mutant) contentOf(id uuid.UUID) int {
	return slices.IndexFunc(m.s.contentRows, func(c contentRow) bool { return c.id == id })
}

func (m *mutant) dropEntry(id uuid.UUID) {
	m.s.entryRows = slices.DeleteFunc(m.s.entryRows, func(e entryRow) bool { return e.id == id })
}

func (m *mutant) dropContent(id uuid.UUID) {
	m.s.contentRows = slices.DeleteFunc(m.s.contentRows, func(c contentRow) bool { return c.id == id })
}

func (m *mutant) dropPending(id uuid.UUID) {
	m.s.rest.pending = slices.DeleteFunc(m.s.rest.pending, func(p pendingRow) bool { return p.entry == id })
}

// place is a random place, of those that the witness covers if that is all that can be noticed.
func (m *mutant) place() int {
	n := len(m.s.placeRows)
	if m.insider {
		n = min(n, m.covered)
	}
	if n == 0 {
		return -1
	}
	return m.r.IntN(n)
}

// sequenced is a random entry with a place, with its content; nil if an earlier change took one.
func (m *mutant) sequenced() (*entryRow, *contentRow) {
	p := m.place()
	if p < 0 {
		return nil, nil
	}
	return m.both(m.s.placeRows[p].entry)
}

func (m *mutant) both(id uuid.UUID) (*entryRow, *contentRow) {
	e, c := m.entryOf(id), m.contentOf(id)
	if e < 0 || c < 0 {
		return nil, nil
	}
	return &m.s.entryRows[e], &m.s.contentRows[c]
}

// waiting is a random entry without a place.
func (m *mutant) waitingEntry(receipted bool) (uuid.UUID, bool) {
	var ids []uuid.UUID
	for _, p := range m.s.rest.pending {
		if !receipted || m.receipted[p.entry] {
			ids = append(ids, p.entry)
		}
	}
	if len(ids) == 0 {
		return uuid.Nil, false
	}
	return ids[m.r.IntN(len(ids))], true
}

// changeField changes what an entry says.
func (m *mutant) changeField(c *contentRow) {
	i := m.r.IntN(fields)
	switch {
	case i == fieldDetails:
		details := parseDetails(c.values[i])
		if details == nil {
			details = map[string]string{}
		}
		if _, has := details["stage"]; has && m.r.IntN(2) == 0 {
			delete(details, "stage")
		} else {
			details["stage"] += "x"
		}
		c.values[i] = canonical(details)
	case idFields[i] && c.values[i] != nil && m.r.IntN(2) == 0:
		c.values[i] = nil
	case idFields[i]:
		c.values[i] = []byte(uuid.New().String())
	default:
		c.values[i] = []byte(string(c.values[i]) + string(rune('a'+m.r.IntN(26))))
	}
}

// fresh is an entry that nobody wrote, dated now or then.
func (m *mutant) fresh(at time.Time) (entryRow, contentRow) {
	like := m.s.entryRows[m.r.IntN(len(m.s.entryRows))]
	said := m.s.contentRows[m.r.IntN(len(m.s.contentRows))]
	id := dated(uuid.New(), at)
	c := contentRow{id: id, at: timeOf(id), kind: like.kind, values: said.values, salts: make([]byte, fields*ledger.SaltSize), partition: said.partition}
	e := like
	e.id, e.at, e.mac = id, timeOf(id), m.another(like.mac)
	m.reseal(&e, &c)
	return e, c
}

// dated is an id of version 7 with another time.
func dated(id uuid.UUID, at time.Time) uuid.UUID {
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[8] = 0x70|id[6]&0x0f, 0x80|id[8]&0x3f
	return id
}

func (m *mutant) someTime() time.Time {
	at := timeOf(m.s.entryRows[m.r.IntN(len(m.s.entryRows))].id)
	return at.Add(time.Duration(m.r.IntN(2000)-1000) * time.Hour)
}
