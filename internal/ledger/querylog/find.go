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
	looked bool // at the newest entries one by one
}

// recentRows is how many of the newest entries are looked at one by one, which finds a page of what
// is common; what is rare is found by the indexes. Neither alone is fast for both.
var recentRows = 2000

// find gives the ids of the newest entries below before (nil: of all), the newest first. It goes back
// in steps, the last two months first and then twice as many each time: most pages need one step,
// and a step costs what the months in it cost, if only to plan it.
func (s *search) find(before *uuid.UUID) ([]uuid.UUID, error) {
	whole := span{before: before, from: s.filter.From, to: s.filter.To}
	if before != nil {
		// The partition of an entry follows from its id.
		if end := ledger.TimeOf(*before).Add(time.Millisecond); whole.to == nil || end.Before(*whole.to) {
			whole.to = &end
		}
	}
	now, earliest, err := s.reach()
	if err != nil {
		return nil, err
	}
	if whole.to != nil && whole.to.Before(now) {
		now = *whole.to
	}
	var found []uuid.UUID
	end := whole.to
	start := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	for months := 2; ; months *= 2 {
		step := span{before: before, from: &start, to: end}
		// What is older than the earliest month, if anything, is in the partition for the rest.
		rest := end != nil && !end.After(earliest)
		if rest {
			step.from = nil
		} else if start.Before(earliest) {
			start = earliest
		}
		last := rest
		if whole.from != nil && (step.from == nil || !whole.from.Before(start)) {
			step.from, last = whole.from, true
		}
		more, err := s.step(step, s.limit-len(found))
		if err != nil {
			return nil, err
		}
		if found = append(found, more...); last || len(found) >= s.limit {
			return found, nil
		}
		reached := start
		end, start = &reached, start.AddDate(0, -months, 0)
	}
}

// reach is now, and when the earliest month begins that has a partition.
func (s *search) reach() (now, earliest time.Time, err error) {
	err = s.db.QueryRowContext(s.ctx, `SELECT lethe_now(), coalesce((SELECT min(to_timestamp(substring(c.relname FROM '[0-9]{4}_[0-9]{2}$') || 'Z', 'YYYY_MM"Z"'))
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'ledger_content'::regclass), lethe_now())`).Scan(&now, &earliest)
	if err != nil {
		return now, earliest, fmt.Errorf("reading when the log begins: %w", database.Hide(err))
	}
	return now.UTC(), earliest.UTC(), nil
}

// step finds within a span of time.
func (s *search) step(within span, limit int) ([]uuid.UUID, error) {
	if len(s.terms) == 0 {
		a := &arguments{}
		return s.ids(a, "SELECT c.entry_id FROM ledger_content c"+all(append(within.where(a), s.filter.where(a)...))+newest(limit))
	}
	if s.looked {
		return s.within(within, limit)
	}
	s.looked = true
	found, oldest, err := s.recent(within, limit)
	if err != nil || len(found) >= limit || oldest == nil {
		return found, err
	}
	within.before = oldest
	more, err := s.within(within, limit-len(found))
	return append(found, more...), err
}

// recent looks at the newest entries of a span. oldest is the last one that was looked at; nil: there
// are no more.
func (s *search) recent(whole span, limit int) (found []uuid.UUID, oldest *uuid.UUID, err error) {
	a := &arguments{}
	window := "SELECT * FROM ledger_content c" + all(whole.where(a)) + fmt.Sprintf(" ORDER BY c.entry_id DESC LIMIT %d", recentRows)
	conditions := s.filter.where(a)
	for _, t := range s.terms {
		conditions = append(conditions, t.condition(a))
	}
	rows, err := s.db.QueryContext(s.ctx, `WITH recent AS MATERIALIZED (`+window+`), met AS (
			SELECT c.entry_id FROM recent c`+all(conditions)+newest(limit)+`)
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

func newest(limit int) string { return fmt.Sprintf(" ORDER BY c.entry_id DESC LIMIT %d", limit) }

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
