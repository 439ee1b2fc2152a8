package evidence

import (
	"archive/zip"
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/ledger/querylog"
)

// blockSize is how many entries are in memory together, a few times over.
const blockSize = 2000

// block is some neighbouring entries with the people in them.
type block struct {
	entries []entry
	people  map[uuid.UUID]querylog.Person
}

// sink writes blocks into one member, in order.
type sink struct {
	blocks chan *block
	done   chan error
}

// start runs write for each block, and end after the last one, beside the other members.
func start(write func(*block) error, end func() error) sink {
	s := sink{make(chan *block, 1), make(chan error, 1)}
	go func() {
		var err error
		for b := range s.blocks {
			if err == nil {
				err = write(b)
			}
		}
		if err == nil {
			err = end()
		}
		s.done <- err
	}()
	return s
}

// write makes the members with entries in one pass over the log.
func (p *pack) write(ctx context.Context) error {
	sinks, err := p.sinks()
	if err == nil {
		err = p.read(ctx, sinks)
	}
	for _, s := range sinks {
		close(s.blocks)
	}
	for _, s := range sinks {
		err = errors.Join(err, <-s.done)
	}
	return err
}

func (p *pack) sinks() ([]sink, error) {
	lines, err := p.begin(linesName, zip.Deflate)
	if err != nil {
		return nil, err
	}
	var buffer []byte
	sinks := []sink{start(func(b *block) error {
		buffer = buffer[:0]
		for i := range b.entries {
			buffer = appendLine(buffer, &b.entries[i])
		}
		_, err := lines.Write(buffer)
		return err
	}, lines.finish)}
	for _, format := range strings.Split(p.export.Formats, ",") {
		var s sink
		switch format {
		case FormatCSV:
			s, err = p.csv()
		case FormatXLSX:
			s, err = p.xlsx()
		default:
			continue
		}
		if err != nil {
			return sinks, err
		}
		sinks = append(sinks, s)
	}
	return sinks, nil
}

func (p *pack) csv() (sink, error) {
	member, err := p.begin(csvName, zip.Deflate)
	if err != nil {
		return sink{}, err
	}
	table, err := newCSVTable(member)
	if err != nil {
		return sink{}, err
	}
	return start(func(b *block) error {
		for i := range b.entries {
			table.row(b.entries[i].cells(b.people))
		}
		return table.flush()
	}, member.finish), nil
}

func (p *pack) xlsx() (sink, error) {
	member, err := p.begin(xlsxName, zip.Store)
	if err != nil {
		return sink{}, err
	}
	table, err := newXLSXTable()
	if err != nil {
		return sink{}, err
	}
	write := func(b *block) error {
		for i := range b.entries {
			if err := table.row(b.entries[i].cells(b.people)); err != nil {
				return err
			}
		}
		return nil
	}
	return start(write, func() error {
		defer table.close()
		return errors.Join(table.writeTo(member), member.finish())
	}), nil
}

// read walks over the chosen places and hands their entries to the sinks.
func (p *pack) read(ctx context.Context, sinks []sink) (err error) {
	if p.leaves, err = os.OpenFile(filepath.Join(p.folder, "leaves"), os.O_CREATE|os.O_RDWR, fileMode); err != nil {
		return fmt.Errorf("creating a file of a pack: %w", err)
	}
	leaves := bufio.NewWriter(p.leaves)
	places, err := p.places(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = places.Close() }()
	ctx, cancel := context.WithCancel(ctx)
	coming := p.ahead(ctx, places)
	defer func() {
		cancel()
		for next := range coming {
			<-next
		}
	}()
	beat := time.Time{}
	for next := range coming {
		read := <-next
		b, err := read.block, read.err
		if err != nil {
			return err
		}
		if len(b.entries) == 0 {
			return leaves.Flush()
		}
		for i := range b.entries {
			if err := p.note(&b.entries[i]); err != nil {
				return err
			}
			_, _ = leaves.Write(b.entries[i].leafHash) // Flush tells
		}
		for _, s := range sinks {
			s.blocks <- b
		}
		if time.Since(beat) > time.Second {
			beat = time.Now()
			if err := p.maker.beat(ctx, p.export, p.total(), p.manifest.Count); err != nil {
				return err
			}
		}
	}
	return context.Cause(ctx)
}

// fetched is a block that was read, an empty one at the end.
type fetched struct {
	block *block
	err   error
}

// ahead reads the next blocks while others are written: the database, the check of the commitments
// and the members work side by side. The blocks come in order.
func (p *pack) ahead(ctx context.Context, places *sql.Rows) <-chan chan fetched {
	coming := make(chan chan fetched, 1)
	go func() {
		defer close(coming)
		for {
			chosen, err := choose(places)
			next := make(chan fetched, 1)
			select {
			case coming <- next:
			case <-ctx.Done():
				return
			}
			if err != nil || len(chosen) == 0 {
				next <- fetched{&block{}, err}
				return
			}
			go func() {
				b, err := p.block(ctx, chosen)
				next <- fetched{b, err}
			}()
		}
	}()
	return coming
}

// total is how many there will be, if that is known.
func (p *pack) total() *int64 {
	if !p.whole() {
		return nil
	}
	n := p.end - p.first
	return &n
}

func (p *pack) places(ctx context.Context) (*sql.Rows, error) {
	db := p.maker.o.DB.SQL()
	if !p.whole() {
		return p.filter.Places(ctx, db, p.epoch, p.end)
	}
	rows, err := db.QueryContext(ctx, "SELECT index, entry_id, leaf_hash FROM ledger_sequence WHERE epoch = $1 AND index >= $2 AND index < $3 ORDER BY index",
		p.epoch, p.first, p.end)
	if err != nil {
		return nil, database.Wrap("choosing entries", err)
	}
	return rows, nil
}

// choose reads the next places.
func choose(places *sql.Rows) ([]querylog.Leaf, error) {
	chosen := make([]querylog.Leaf, 0, blockSize)
	for len(chosen) < blockSize && places.Next() {
		var place querylog.Leaf
		if err := places.Scan(&place.Index, &place.ID, &place.LeafHash); err != nil {
			return nil, database.Wrap("choosing entries", err)
		}
		chosen = append(chosen, place)
	}
	if err := places.Err(); err != nil {
		return nil, database.Wrap("choosing entries", err)
	}
	return chosen, nil
}

// block reads the entries of places.
func (p *pack) block(ctx context.Context, chosen []querylog.Leaf) (*block, error) {
	rows, err := p.fetch(ctx, chosen)
	if err != nil {
		return nil, err
	}
	b := &block{entries: make([]entry, 0, len(chosen))}
	shown := make([]querylog.Row, 0, len(chosen))
	for _, place := range chosen {
		row, there := rows[place.ID]
		if !there {
			row = querylog.Row{Row: ledger.Row{ID: place.ID}, State: querylog.Tampered, Epoch: p.epoch}
		}
		b.entries = append(b.entries, entry{index: place.Index, leafHash: place.LeafHash, row: row})
		shown = append(shown, row)
	}
	if p.export.Formats == "" {
		return b, nil // only tables for people have names
	}
	if b.people, err = querylog.PeopleOf(ctx, p.maker.o.DB.SQL(), shown); err != nil {
		return nil, err
	}
	for id, person := range b.people {
		if person.Purged {
			continue
		}
		if p.named == nil {
			p.named = map[uuid.UUID]bool{}
		}
		p.named[id] = true
	}
	return b, nil
}

func (p *pack) fetch(ctx context.Context, chosen []querylog.Leaf) (map[uuid.UUID]querylog.Row, error) {
	wrote, err := ledger.WroteBy(p.maker.o.DB)
	if err != nil {
		return nil, err
	}
	if p.whole() {
		return querylog.FetchRun(ctx, p.maker.o.DB.SQL(), wrote, chosen)
	}
	ids := make([]uuid.UUID, len(chosen))
	for i, place := range chosen {
		ids[i] = place.ID
	}
	return querylog.Fetch(ctx, p.maker.o.DB.SQL(), wrote, ids)
}

// maxTamperedListed bounds the list in the manifest; the count is of all.
const maxTamperedListed = 1000

// note counts an entry.
func (p *pack) note(e *entry) error {
	m := &p.manifest
	if m.Count == 0 {
		first := e.index
		m.FirstIndex = &first
	}
	last := e.index
	m.LastIndex = &last
	if p.whole() && e.index != p.first+m.Count {
		return &brokenError{FailureGap, fmt.Errorf("index %d is missing: %w", p.first+m.Count, ledger.ErrInconsistent)}
	}
	m.Count++
	switch e.row.State {
	case querylog.Dropped:
		m.Dropped++
	case querylog.Tampered:
		m.TamperedCount++
		if len(m.Tampered) < maxTamperedListed {
			m.Tampered = append(m.Tampered, e.index)
		}
	}
	if err := p.included.Add(e.index); err != nil {
		return &brokenError{FailureInconsistent, err}
	}
	return nil
}
