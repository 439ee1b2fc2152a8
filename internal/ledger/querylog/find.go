package querylog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/textform"
)

// search is one search under way.
type search struct {
	ctx    context.Context
	db     reader
	filter Filter
	terms  []term
	limit  int
	now    time.Time // the database's
	begins time.Time // the earliest month that has a partition
}

// recentRows is how many of the newest entries are looked at one by one, which finds a page of what
// is common; what is rare is found by the indexes. Neither alone is fast for both.
var recentRows = 2000

// find gives the ids of the newest entries below before (nil: of all), the newest first. It goes back
// month by month, each with a statement of its own: that reads one partition, and most pages need no
// second one.
func (s *search) find(before *uuid.UUID) (found []uuid.UUID, err error) {
	whole := span{before: before, from: s.filter.From, to: s.filter.To}
	newest := s.now
	if before != nil {
		// The partition of an entry follows from its id.
		if end := ledger.TimeOf(*before).Add(time.Millisecond); whole.to == nil || end.Before(*whole.to) {
			whole.to = &end
		}
	}
	if whole.to != nil && whole.to.Before(newest) {
		newest = *whole.to
	}
	first := time.Date(newest.Year(), newest.Month(), 1, 0, 0, 0, 0, time.UTC)
	step := whole
	if len(s.terms) > 0 {
		two := first.AddDate(0, -1, 0)
		step.first = &two
		looked, err := s.recent(step)
		if err != nil {
			return nil, err
		}
		if found = looked.found; len(found) >= s.limit {
			return found, nil
		}
		if looked.oldest == nil { // everything of the two months was looked at
			first, step.end = two.AddDate(0, -1, 0), &two
		} else {
			step.before = looked.oldest
		}
	}
	for {
		// What is older than the earliest month, if anything, is in the partition for the rest.
		last := step.end != nil && !step.end.After(s.begins)
		if step.first = &first; last {
			step.first = nil
		}
		if step.end != nil && whole.from != nil && !whole.from.Before(*step.end) {
			return found, nil
		}
		more, err := s.month(step)
		if err != nil {
			return nil, err
		}
		// The limit of a statement is that of the page: it is the same statement for every page.
		found = append(found, more[:min(len(more), s.limit-len(found))]...)
		if last || len(found) >= s.limit {
			return found, nil
		}
		end := first
		step.end, first = &end, first.AddDate(0, -1, 0)
	}
}

// prepare sets how this transaction plans, and reads where the log begins. A statement for a month is
// planned once for a connection, while the month may still be empty: none of the plans may be to read
// the whole of it, and workers would start for longer than they work.
func (s *search) prepare() error {
	err := s.db.QueryRowContext(s.ctx, `SELECT lethe_now(), coalesce((SELECT min(to_timestamp(substring(c.relname FROM '[0-9]{4}_[0-9]{2}$') || 'Z', 'YYYY_MM"Z"'))
			FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'ledger_content'::regclass), lethe_now())
		FROM (SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
			set_config('max_parallel_workers_per_gather', '0', true)) AS plans`).Scan(&s.now, &s.begins)
	if err != nil {
		return database.Wrap("reading when the log begins", err)
	}
	s.now, s.begins = s.now.UTC(), s.begins.UTC()
	return nil
}

// month finds within a span of time.
func (s *search) month(within span) ([]uuid.UUID, error) {
	a := &arguments{}
	conditions := append(within.where(a), s.filter.where(a)...)
	if len(s.terms) == 0 {
		return s.ids(a, "SELECT c.entry_id FROM ledger_content c"+all(conditions)+newest(s.limit))
	}
	leader, err := s.leader(within)
	if err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(slices.Clone(s.terms), func(t term) bool { return t.text == leader.text })
	arms := leader.arms(a, conditions, others, s.limit)
	return s.ids(a, "SELECT DISTINCT c.entry_id FROM (("+strings.Join(arms, ") UNION ALL (")+")) AS c"+newest(s.limit))
}

// commonWords is how many entries of a month have words that are common there.
const commonWords = 500

// leader is the term by whose indexes a month is read; the others are looked for in what it finds.
// What only words can have leads, all such terms together, unless it is common there and another term
// is not of that kind: then the rarest of the others does.
func (s *search) leader(within span) (term, error) {
	rarest := func(x, y term) int { return cmp.Or(cmp.Compare(x.seen, y.seen), cmp.Compare(x.weight(), y.weight())) }
	var plain, others []term
	for _, t := range s.terms {
		if t.plain() {
			plain = append(plain, t)
		} else {
			others = append(others, t)
		}
	}
	if len(others) == 0 {
		return slices.MinFunc(plain, rarest), nil
	}
	if len(plain) == 0 {
		return slices.MinFunc(others, rarest), nil
	}
	a := &arguments{}
	wanted := []string{}
	for _, t := range plain {
		wanted = append(wanted, textform.Grams(t.text)...)
	}
	conditions := append(span{first: within.first, end: within.end}.where(a), hasWords, hasGrams(a, wanted))
	var found int
	err := s.db.QueryRowContext(s.ctx, "SELECT count(*) FROM (SELECT FROM ledger_content c"+all(conditions)+fmt.Sprintf(" OFFSET 0 LIMIT %d) AS words", commonWords), *a...).Scan(&found)
	if err != nil {
		return term{}, database.Wrap("searching the log", err)
	}
	if found < commonWords {
		return slices.MinFunc(plain, rarest), nil
	}
	return slices.MinFunc(others, rarest), nil
}

// looked is what the newest entries of a span have.
type looked struct {
	found  []uuid.UUID
	oldest *uuid.UUID // the last one that was looked at; nil: there are no more
}

// recent looks at the newest entries of a span one by one, and counts how many have each term.
func (s *search) recent(whole span) (looked, error) {
	a := &arguments{}
	window := "SELECT c.entry_id, c.actor_id, c.subject_id, c.kind, c.action, c.purpose, c.result, c.object, c.reason, c.requested_by, CASE WHEN " + hasWords + " THEN " + theWords + " END AS words FROM ledger_content c" + all(whole.where(a)) + newest(recentRows)
	columns, met, counts := "", append(s.filter.where(a), "true"), ""
	for i := range s.terms {
		column := fmt.Sprintf("has_%d", i)
		columns += ", " + s.terms[i].condition(a, "c.words") + " AS " + column
		met = append(met, column)
		counts += ", count(*) FILTER (WHERE " + column + ")"
	}
	var found *string
	var oldest *string
	var rows int
	targets := []any{&found, &oldest, &rows}
	for i := range s.terms {
		targets = append(targets, &s.terms[i].seen)
	}
	err := s.db.QueryRowContext(s.ctx, `WITH recent AS MATERIALIZED (`+window+`), judged AS MATERIALIZED (SELECT c.*`+columns+` FROM recent c)
		SELECT string_agg(c.entry_id::text, ',' ORDER BY c.entry_id DESC) FILTER (WHERE `+strings.Join(met, " AND ")+`),
			(SELECT r.entry_id::text FROM recent r ORDER BY r.entry_id LIMIT 1), count(*)`+counts+` FROM judged c`, *a...).Scan(targets...)
	if err != nil {
		return looked{}, database.Wrap("looking at the newest entries", err)
	}
	var l looked
	if found != nil {
		for _, text := range strings.Split(*found, ",") {
			l.found = append(l.found, uuid.MustParse(text)) // Postgres wrote it
		}
		l.found = l.found[:min(len(l.found), s.limit)]
	}
	if rows == recentRows {
		id := uuid.MustParse(*oldest)
		l.oldest = &id
	}
	return l, nil
}

// weight guesses how common a term is that is not among the newest entries: words for actions fit
// many entries, a long word few.
func (t term) weight() int {
	return 1000*(len(t.actions)+len(t.kinds)+len(t.results)) + 10*len(t.people) - min(len(t.text), 9)
}

func newest(limit int) string { return fmt.Sprintf(" ORDER BY c.entry_id DESC LIMIT %d", limit) }

func (s *search) ids(a *arguments, statement string) ([]uuid.UUID, error) {
	rows, err := s.db.QueryContext(s.ctx, statement, *a...)
	if err != nil {
		return nil, database.Wrap("searching the log", err)
	}
	defer func() { _ = rows.Close() }()
	var found []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, database.Wrap("searching the log", err)
		}
		found = append(found, id)
	}
	if err := rows.Err(); err != nil {
		return nil, database.Wrap("searching the log", err)
	}
	return found, nil
}

func all(conditions []string) string {
	if len(conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}
