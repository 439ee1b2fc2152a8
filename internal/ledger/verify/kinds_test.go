package verify

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// kind is one way of changing a ledger. do says whether it changed anything.
type kind struct {
	name string
	do   func(m *mutant) bool
	// insider: noticed also if an insider does it, who fits everything that keys and folder allow.
	insider bool
	// keyed: noticed only with the writer's keys, since it is about what no tree covers.
	keyed bool
}

var kinds = []kind{
	{name: "edit a content", insider: true, do: withContent(func(m *mutant, c *contentRow) { m.changeField(c) })},
	{name: "edit a salt", insider: true, do: withContent(func(m *mutant, c *contentRow) { c.salts = m.another(c.salts) })},
	{name: "re-date a content", insider: true, do: withContent(func(m *mutant, c *contentRow) { c.at = c.at.Add(m.step()) })},
	{name: "another kind of a content", insider: true, do: withContent(func(_ *mutant, c *contentRow) { c.kind += "x" })},
	{name: "edit a leaf", insider: true, do: withEntry(func(m *mutant, e *entryRow) { e.leaf = m.another(e.leaf) })},
	{name: "re-date an entry", insider: true, do: withEntry(func(m *mutant, e *entryRow) { e.at = e.at.Add(m.step()) })},
	{name: "another kind of an entry", insider: true, do: withEntry(func(_ *mutant, e *entryRow) { e.kind += "x" })},
	{name: "another epoch of an entry", insider: true, do: withEntry(func(m *mutant, e *entryRow) { e.epoch += 1 + m.r.IntN(3) })},
	{name: "another format of an entry", insider: true, do: withEntry(func(_ *mutant, e *entryRow) { e.format++ })},
	{name: "edit a MAC", keyed: true, insider: true, do: withEntry(func(m *mutant, e *entryRow) { e.mac = m.another(e.mac) })},
	{name: "another writer key", keyed: true, insider: true, do: withEntry(func(m *mutant, e *entryRow) { e.generation++ })},
	{name: "edit a leaf hash", insider: true, do: withPlace(func(m *mutant, p *placeRow) { p.leaf = m.another(p.leaf) })},
	{name: "another index", insider: true, do: withPlace(func(m *mutant, p *placeRow) { p.index += 1 + m.r.Int64N(100) })},
	{name: "another tree", insider: true, do: withPlace(func(_ *mutant, p *placeRow) { p.epoch++ })},
	{name: "another entry at a place", insider: true, do: withPlace(func(_ *mutant, p *placeRow) { p.entry = uuid.New() })},

	{name: "delete an entry", insider: true, do: withEntry(func(m *mutant, e *entryRow) { m.dropEntry(e.id) })},
	{name: "delete a content", insider: true, do: withEntry(func(m *mutant, e *entryRow) { m.dropContent(e.id) })},
	{name: "delete entry and content", insider: true, do: withEntry(func(m *mutant, e *entryRow) {
		id := e.id
		m.dropEntry(id)
		m.dropContent(id)
	})},
	{name: "delete a place", insider: true, do: withPlace(func(m *mutant, p *placeRow) {
		entry := p.entry
		m.s.placeRows = slices.DeleteFunc(m.s.placeRows, func(o placeRow) bool { return o.entry == entry })
	})},
	{name: "delete everything of an entry, and close the gap", insider: true, do: withEntry(func(m *mutant, e *entryRow) {
		m.remove(e.id)
		m.rebuild()
	})},

	{name: "insert without a place", do: func(m *mutant) bool { return m.insert(false, false) }},
	{name: "insert into the queue", keyed: true, do: func(m *mutant) bool { return m.insert(true, false) }},
	{name: "insert into the tree", insider: true, do: func(m *mutant) bool { return m.insert(false, true) }},
	{name: "insert a content", insider: true, do: func(m *mutant) bool {
		_, c := m.fresh(m.someTime())
		m.s.contentRows = append(m.s.contentRows, c)
		return true
	}},

	{name: "swap contents", insider: true, do: withTwo(func(_ *mutant, _, _ *entryRow, c, d *contentRow) {
		c.values, d.values, c.salts, d.salts = d.values, c.values, d.salts, c.salts
	})},
	{name: "swap entries", insider: true, do: withTwo(func(_ *mutant, e, f *entryRow, _, _ *contentRow) {
		e.leaf, f.leaf, e.mac, f.mac = f.leaf, e.leaf, f.mac, e.mac
	})},
	{name: "swap what two entries say, and fit everything", insider: true, do: withTwo(func(m *mutant, e, f *entryRow, c, d *contentRow) {
		c.values, d.values = d.values, c.values
		m.reseal(e, c)
		m.reseal(f, d)
		m.rebuild()
	})},
	{name: "swap places", insider: true, do: withTwo(func(m *mutant, e, f *entryRow, _, _ *contentRow) { m.swapPlaces(e.id, f.id) })},
	{name: "swap places, and fit everything", insider: true, do: withTwo(func(m *mutant, e, f *entryRow, _, _ *contentRow) {
		m.swapPlaces(e.id, f.id)
		m.rebuild()
	})},

	{name: "re-date, and fit everything", insider: true, do: func(m *mutant) bool {
		e, c := m.sequenced()
		if e == nil {
			return false
		}
		old, id := e.id, dated(e.id, e.at.Add(m.step()))
		e.id, c.id, e.at, c.at = id, id, timeOf(id), timeOf(id)
		for i := range m.s.placeRows {
			if m.s.placeRows[i].entry == old {
				m.s.placeRows[i].entry = id
			}
		}
		m.reseal(e, c)
		m.rebuild()
		return true
	}},
	{name: "edit, and fit everything", insider: true, do: func(m *mutant) bool {
		e, c := m.sequenced()
		if e == nil {
			return false
		}
		m.changeField(c)
		m.reseal(e, c)
		m.rebuild()
		return true
	}},
	{name: "write everything anew with other salts", insider: true, do: func(m *mutant) bool {
		done := false
		for i := range m.s.entryRows {
			if e, c := m.both(m.s.entryRows[i].id); e != nil {
				c.salts, done = m.another(make([]byte, len(c.salts))), true
				c.salts = append(c.salts, make([]byte, len(c.salts)+fields*16)...)[:fields*16]
				m.reseal(e, c)
			}
		}
		m.rebuild()
		return done
	}},

	{name: "truncate the tail", insider: true, do: func(m *mutant) bool {
		least := 1
		if m.insider { // what no witness has seen yet is theirs
			least = len(m.s.placeRows) - m.covered + 1
		}
		if least < 1 || least > len(m.s.placeRows) {
			return false
		}
		cut := len(m.s.placeRows) - least - m.r.IntN(len(m.s.placeRows)-least+1)
		for _, p := range slices.Clone(m.s.placeRows[cut:]) {
			m.dropEntry(p.entry)
			m.dropContent(p.entry)
		}
		m.s.placeRows = m.s.placeRows[:cut]
		m.rebuild()
		return true
	}},
	{name: "truncate a partition", insider: true, do: func(m *mutant) bool { return m.truncatePartition(false) }},
	{name: "truncate a partition, and fit everything", insider: true, do: func(m *mutant) bool { return m.truncatePartition(true) }},

	{name: "edit before it is sequenced", keyed: true, do: withPending(func(m *mutant, e *entryRow, c *contentRow) {
		m.changeField(c)
		m.reseal(e, c)
	})},
	{name: "edit only the content before it is sequenced", do: withPending(func(m *mutant, _ *entryRow, c *contentRow) { m.changeField(c) })},
	{name: "edit only the leaf before it is sequenced", do: withPending(func(m *mutant, e *entryRow, _ *contentRow) { e.leaf = m.another(e.leaf) })},
	{name: "delete before it is sequenced, with a receipt about", insider: true, do: func(m *mutant) bool {
		id, ok := m.waitingEntry(true)
		if !ok {
			return false
		}
		m.remove(id)
		return true
	}},
	{name: "take out of the queue", insider: true, do: func(m *mutant) bool {
		id, ok := m.waitingEntry(false)
		m.dropPending(id)
		return ok
	}},
	{name: "put back into the queue", insider: true, do: withEntry(func(m *mutant, e *entryRow) {
		m.s.rest.pending = append(m.s.rest.pending, pendingRow{e.id, e.at})
	})},
	{name: "re-date in the queue", insider: true, do: func(m *mutant) bool {
		if len(m.s.rest.pending) == 0 {
			return false
		}
		m.s.rest.pending[0].at = m.s.rest.pending[0].at.Add(time.Second)
		return true
	}},

	{name: "edit the head", do: func(m *mutant) bool {
		if len(m.s.rest.heads) == 0 {
			return false
		}
		h := &m.s.rest.heads[0]
		switch m.r.IntN(4) {
		case 0:
			h.size += 1 + m.r.Int64N(5)
		case 1:
			h.root = m.another(h.root)
		case 2:
			h.frontier = m.another(h.frontier)
		default:
			h.epoch++
		}
		return true
	}},
	{name: "delete the head", do: func(m *mutant) bool {
		m.s.rest.heads = nil
		return true
	}},
	{name: "begin an epoch without its entry", insider: true, do: func(m *mutant) bool {
		size := m.r.Int64N(50)
		m.s.rest.epochs = append(m.s.rest.epochs, epochRow{len(m.s.rest.epochs) + 1, uuid.New(), &size, make([]byte, 32), &size})
		return true
	}},
	{name: "forget the epoch", insider: true, do: func(m *mutant) bool {
		m.s.rest.epochs = nil
		return true
	}},
}

func (m *mutant) step() time.Duration {
	d := time.Duration(1+m.r.IntN(100_000)) * time.Millisecond * time.Duration(1+m.r.IntN(1000))
	if m.r.IntN(2) == 0 {
		return -d
	}
	return d
}

func (m *mutant) remove(id uuid.UUID) {
	m.dropEntry(id)
	m.dropContent(id)
	m.dropPending(id)
	m.s.placeRows = slices.DeleteFunc(m.s.placeRows, func(p placeRow) bool { return p.entry == id })
}

func (m *mutant) insert(queued, placed bool) bool {
	if len(m.s.entryRows) == 0 || len(m.s.contentRows) == 0 {
		return false
	}
	e, c := m.fresh(m.someTime())
	m.s.entryRows, m.s.contentRows = append(m.s.entryRows, e), append(m.s.contentRows, c)
	if queued {
		m.s.rest.pending = append(m.s.rest.pending, pendingRow{e.id, e.at})
	}
	if placed {
		at := m.place()
		if at < 0 {
			return false
		}
		m.s.placeRows = slices.Insert(m.s.placeRows, at, placeRow{epoch: 1, entry: e.id})
		m.rebuild()
	}
	return true
}

func (m *mutant) swapPlaces(a, b uuid.UUID) {
	for i := range m.s.placeRows {
		switch m.s.placeRows[i].entry {
		case a:
			m.s.placeRows[i].entry = b
		case b:
			m.s.placeRows[i].entry = a
		}
	}
}

func (m *mutant) truncatePartition(fit bool) bool {
	e, _ := m.sequenced()
	if e == nil {
		return false
	}
	partition := e.partition
	contents := m.r.IntN(2) == 0 || fit
	for _, e := range slices.Clone(m.s.entryRows) {
		if e.partition != partition {
			continue
		}
		if m.dropEntry(e.id); contents {
			m.dropContent(e.id)
		}
		if fit {
			m.remove(e.id)
		}
	}
	if fit {
		m.rebuild()
	}
	return true
}

func withContent(change func(m *mutant, c *contentRow)) func(m *mutant) bool {
	return func(m *mutant) bool {
		_, c := m.sequenced()
		if c == nil {
			return false
		}
		change(m, c)
		return true
	}
}

func withEntry(change func(m *mutant, e *entryRow)) func(m *mutant) bool {
	return func(m *mutant) bool {
		e, _ := m.sequenced()
		if e == nil {
			return false
		}
		change(m, e)
		return true
	}
}

func withPlace(change func(m *mutant, p *placeRow)) func(m *mutant) bool {
	return func(m *mutant) bool {
		i := m.place()
		if i < 0 {
			return false
		}
		change(m, &m.s.placeRows[i])
		return true
	}
}

func withPending(change func(m *mutant, e *entryRow, c *contentRow)) func(m *mutant) bool {
	return func(m *mutant) bool {
		id, ok := m.waitingEntry(false)
		if !ok {
			return false
		}
		e, c := m.both(id)
		if e == nil {
			return false
		}
		change(m, e, c)
		return true
	}
}

func withTwo(change func(m *mutant, e, f *entryRow, c, d *contentRow)) func(m *mutant) bool {
	return func(m *mutant) bool {
		e, c := m.sequenced()
		f, d := m.sequenced()
		if e == nil || f == nil || e.id == f.id {
			return false
		}
		change(m, e, f, c, d)
		return true
	}
}
