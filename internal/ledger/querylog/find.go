package querylog

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
)

// search is one search under way.
type search struct {
	ctx    context.Context
	db     reader
	filter Filter
	terms  []term
	limit  int
}

// recentRows is how many of the newest entries are looked at one by one, which finds a page of what
// is common; what is rare is found by the indexes. Neither alone is fast for both.
var recentRows = 2000

// find gives the ids of the newest entries below before (nil: of all), the newest first.
func (s *search) find(before *uuid.UUID) ([]uuid.UUID, error) {
	whole := span{before: before, from: s.filter.From, to: s.filter.To}
	if before != nil {
		// The partition of an entry follows from its id.
		if end := ledger.TimeOf(*before).Add(time.Millisecond); whole.to == nil || end.Before(*whole.to) {
			whole.to = &end
		}
	}
	if len(s.terms) == 0 {
		a := &arguments{}
		return s.ids(a, "SELECT c.entry_id FROM ledger_content c"+all(append(whole.where(a), s.filter.where(a)...))+s.newest("c.entry_id"))
	}
	found, oldest, err := s.recent(whole)
	if err != nil || len(found) >= s.limit || oldest == nil {
		return found, err
	}
	return s.byIndex(found, whole, *oldest)
}

// recent looks at the newest entries of a span. oldest is the last one that was looked at; nil: there
// are no more.
func (s *search) recent(whole span) (found []uuid.UUID, oldest *uuid.UUID, err error) {
	a := &arguments{}
	window := "SELECT * FROM ledger_content c" + all(whole.where(a)) + fmt.Sprintf(" ORDER BY c.entry_id DESC LIMIT %d", recentRows)
	conditions := s.filter.where(a)
	for _, t := range s.terms {
		conditions = append(conditions, t.condition(a))
	}
	rows, err := s.db.QueryContext(s.ctx, `WITH recent AS MATERIALIZED (`+window+`), met AS (
			SELECT c.entry_id FROM recent c`+all(conditions)+s.newest("c.entry_id")+`)
		SELECT entry_id, false FROM met UNION ALL
		(SELECT entry_id, true FROM recent ORDER BY entry_id LIMIT 1)
		UNION ALL SELECT NULL, count(*) = `+fmt.Sprint(recentRows)+` FROM recent`, *a...)
	if err != nil {
		return nil, nil, fmt.Errorf("looking at the newest entries: %w", database.Hide(err))
	}
	defer func() { _ = rows.Close() }()
	ended := true
	for rows.Next() {
		var id *uuid.UUID
		var mark bool
		if err := rows.Scan(&id, &mark); err != nil {
			return nil, nil, fmt.Errorf("looking at the newest entries: %w", database.Hide(err))
		}
		switch {
		case id == nil:
			ended = !mark // fewer than asked for: that was all
		case mark:
			oldest = id
		default:
			found = append(found, *id)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("looking at the newest entries: %w", database.Hide(err))
	}
	slices.SortFunc(found, newestFirst)
	if ended {
		oldest = nil
	}
	return found, oldest, nil
}

func newestFirst(a, b uuid.UUID) int { return bytes.Compare(b[:], a[:]) }

// byIndex goes on below oldest, month by month and then in longer steps, so that a common word is
// not gathered over all the years for one page.
func (s *search) byIndex(found []uuid.UUID, whole span, oldest uuid.UUID) ([]uuid.UUID, error) {
	begin, err := s.beginning()
	if err != nil {
		return nil, err
	}
	if whole.from != nil && whole.from.After(begin) {
		begin = *whole.from
	}
	end := ledger.TimeOf(oldest).Add(time.Millisecond)
	for months := 1; end.After(begin) && len(found) < s.limit; months *= 2 {
		start := time.Date(end.Year(), end.Month()+1-time.Month(months), 1, 0, 0, 0, 0, time.UTC)
		if !start.Before(end) {
			start = start.AddDate(0, -1, 0)
		}
		if start.Before(begin) {
			start = begin
		}
		more, err := s.within(span{before: &oldest, from: &start, to: &end}, s.limit-len(found))
		if err != nil {
			return nil, err
		}
		found, end = append(found, more...), start
	}
	return found, nil
}

// beginning is the time of the oldest entry that is left.
func (s *search) beginning() (time.Time, error) {
	var at time.Time
	err := s.db.QueryRowContext(s.ctx, "SELECT coalesce(min(at), lethe_now()) FROM (SELECT at FROM ledger_content ORDER BY entry_id LIMIT 1) AS oldest").Scan(&at)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading when the log begins: %w", database.Hide(err))
	}
	return at.UTC(), nil
}

// within finds by the indexes. The rarest term leads; the others are looked for in what it finds.
func (s *search) within(window span, limit int) ([]uuid.UUID, error) {
	leader := 0
	for i, t := range s.terms {
		if t.weight() < s.terms[leader].weight() {
			leader = i
		}
	}
	a := &arguments{}
	rest := append(window.where(a), s.filter.where(a)...)
	for i, t := range s.terms {
		if i != leader {
			rest = append(rest, t.condition(a))
		}
	}
	arms := s.terms[leader].arms(a, rest, limit)
	return s.ids(a, "SELECT DISTINCT c.entry_id FROM (("+strings.Join(arms, ") UNION ALL (")+")) AS c"+fmt.Sprintf(" ORDER BY c.entry_id DESC LIMIT %d", limit))
}

// weight guesses how common a term is: words for actions fit many entries, a long word few.
func (t term) weight() int {
	return 1000*(len(t.actions)+len(t.kinds)+len(t.results)) + 10*len(t.people) - min(len(t.text), 9)
}

func (s *search) newest(column string) string {
	return fmt.Sprintf(" ORDER BY %s DESC LIMIT %d", column, s.limit)
}

func (s *search) ids(a *arguments, statement string) ([]uuid.UUID, error) {
	rows, err := s.db.QueryContext(s.ctx, statement, *a...)
	if err != nil {
		return nil, fmt.Errorf("searching the log: %w", database.Hide(err))
	}
	defer func() { _ = rows.Close() }()
	var found []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("searching the log: %w", database.Hide(err))
		}
		found = append(found, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("searching the log: %w", database.Hide(err))
	}
	return found, nil
}

func all(conditions []string) string {
	if len(conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}
