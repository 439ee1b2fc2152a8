package verify

import (
	"bytes"
	"cmp"
	"context"
	"slices"
)

// snapshot is a ledger in memory, as a source reads it once. Tests change it; evidence packs could
// be read into one.
type snapshot struct {
	rest        small
	placeRows   []placeRow
	entryRows   []entryRow
	contentRows []contentRow
}

// load reads a source to its end.
func load(ctx context.Context, s source) (*snapshot, error) {
	rest, err := s.small(ctx)
	if err != nil {
		return nil, err
	}
	out := &snapshot{rest: rest}
	for _, read := range []func() (int, error){
		func() (int, error) {
			rows, err := s.places(ctx)
			out.placeRows = append(out.placeRows, rows...)
			return len(rows), err
		},
		func() (int, error) {
			rows, err := s.entries(ctx)
			out.entryRows = append(out.entryRows, rows...)
			return len(rows), err
		},
		func() (int, error) {
			rows, err := s.contents(ctx)
			out.contentRows = append(out.contentRows, rows...)
			return len(rows), err
		},
	} {
		for {
			n, err := read()
			if err != nil {
				return nil, err
			}
			if n == 0 {
				break
			}
		}
	}
	return out, nil
}

// reader gives the rows in the order in which a database gives them, whatever was done to them.
func (s *snapshot) reader() source {
	slices.SortStableFunc(s.placeRows, func(a, b placeRow) int {
		return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.index, b.index))
	})
	slices.SortStableFunc(s.entryRows, func(a, b entryRow) int { return bytes.Compare(a.id[:], b.id[:]) })
	slices.SortStableFunc(s.contentRows, func(a, b contentRow) int { return bytes.Compare(a.id[:], b.id[:]) })
	return &memoryReader{s: s}
}

type memoryReader struct {
	s                       *snapshot
	place, entry, contentAt bool
}

func (m *memoryReader) small(context.Context) (small, error) { return m.s.rest, nil }

func once[T any](done *bool, rows []T) ([]T, error) {
	if *done {
		return nil, nil
	}
	*done = true
	return rows, nil
}

func (m *memoryReader) places(context.Context) ([]placeRow, error) {
	return once(&m.place, m.s.placeRows)
}
func (m *memoryReader) entries(context.Context) ([]entryRow, error) {
	return once(&m.entry, m.s.entryRows)
}
func (m *memoryReader) contents(context.Context) ([]contentRow, error) {
	return once(&m.contentAt, m.s.contentRows)
}
