package querylog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/ledger"
	"lethe/internal/textform"
)

// arguments numbers the values of one statement.
type arguments []any

func (a *arguments) add(value any) string {
	*a = append(*a, value)
	return fmt.Sprintf("$%d", len(*a))
}

// span is a stretch of the log in time and, within the first millisecond, by id: entries below
// before, and from at on. The first and the end of its months stand in the statement as they are: so
// the plan is made for these partitions alone, and is the same for everybody who looks at them.
type span struct {
	before     *uuid.UUID
	from       *time.Time
	to         *time.Time
	first, end *time.Time // of months
}

// where is the span's condition. The time is named too: it chooses the partitions.
func (s span) where(a *arguments) []string {
	var all []string
	if s.before != nil {
		all = append(all, earlier+a.add(s.before.String())+"::uuid")
	}
	if s.first != nil {
		all = append(all, "c.at >= "+literal(*s.first))
	}
	if s.end != nil {
		all = append(all, "c.at < "+literal(*s.end))
	}
	if s.from != nil {
		all = append(all, "c.at >= "+a.add(*s.from))
	}
	if s.to != nil {
		all = append(all, "c.at < "+a.add(*s.to))
	}
	return all
}

func literal(t time.Time) string {
	return "'" + t.UTC().Format("2006-01-02 15:04:05") + "+00'::timestamptz"
}

// where is the condition of everything in f but the query.
func (f Filter) where(a *arguments) []string {
	var all []string
	if f.Actor != nil {
		all = append(all, "c.actor_id = "+a.add(f.Actor.String())+"::uuid")
	}
	if f.Subject != nil {
		all = append(all, "c.subject_id = "+a.add(f.Subject.String())+"::uuid")
	}
	for _, column := range []struct{ name, value string }{
		{"kind", string(f.Kind)}, {"action", f.Action}, {"purpose", f.Purpose}, {"result", string(f.Result)},
	} {
		if column.value != "" {
			all = append(all, "c."+column.name+" = "+a.add(column.value))
		}
	}
	// What the indexes of these columns leave out.
	if f.Purpose != "" {
		all = append(all, "c.purpose <> ''")
	}
	if f.Result != "" && f.Result != ledger.Done {
		all = append(all, notDone)
	}
	return all
}

const (
	earlier  = "c.entry_id < "
	notDone  = "c.result <> '" + string(ledger.Done) + "'"
	hasWords = "(c.reason <> '' OR c.requested_by <> '')"
	theWords = "query_log_text(c.reason, c.requested_by)"
)

// condition is that an entry has the term somewhere. It is asked of each row; words is the column or
// expression that has the folded words.
func (t term) condition(a *arguments, words string) string {
	var any []string
	if t.purpose {
		any = append(any, "c.purpose = "+a.add(t.text)+" AND c.purpose <> ''")
	}
	if len(t.people) > 0 {
		people := " IN (SELECT unnest(" + a.add(t.people) + "::text[]::uuid[]))" // cast once, and hashed
		any = append(any, "c.actor_id"+people, "c.subject_id"+people)
	}
	for _, column := range t.codes() {
		any = append(any, "c."+column.name+" = ANY ("+a.add(column.codes)+"::text[])")
	}
	if t.id != uuid.Nil {
		id := a.add(t.id.String())
		any = append(any, "c.entry_id = "+id+"::uuid", "c.actor_id = "+id+"::uuid", "c.subject_id = "+id+"::uuid",
			"c.object <> '' AND right(c.object, 36) = "+a.add(t.id.String()))
	}
	any = append(any, hasWords+" AND strpos("+words+", "+a.add(t.text)+") > 0")
	return "(" + strings.Join(any, " OR ") + ")"
}

type codes struct {
	name  string
	codes []string
}

// codes are the columns in which the term stands for some values.
func (t term) codes() (found []codes) {
	for _, c := range []codes{{"action", t.actions}, {"kind", t.kinds}, {"result", t.results}} {
		if len(c.codes) > 0 {
			found = append(found, c)
		}
	}
	return found
}

// plain says that only the words of an entry can have the term.
func (t term) plain() bool {
	return !t.purpose && len(t.people) == 0 && len(t.codes()) == 0 && t.id == uuid.Nil
}

// arms are statements, each for one way in which an entry has the term and each by its own index,
// which together find all entries with it. rest are conditions that all must meet, others the
// terms that an entry must have too.
func (t term) arms(a *arguments, rest []string, others []term, limit int) []string {
	words, looked := slices.Clone(rest), slices.Clone(rest)
	wanted := t.words(a, &words)
	for _, other := range others {
		if other.plain() {
			wanted = append(wanted, other.words(a, &words)...)
		} else {
			words = append(words, other.condition(a, theWords))
		}
	}
	for i, condition := range words {
		if strings.HasPrefix(condition, earlier) { // that would read half a month's ids
			words[i] = "(" + condition + ") IS TRUE"
		}
	}
	words = append(words, hasWords, hasGrams(a, wanted))
	arms := []string{
		// Not newest first: that would walk by time and look at each entry's words.
		"SELECT entry_id FROM (SELECT c.entry_id FROM ledger_content c" + all(words) + " OFFSET 0) AS words",
	}
	if t.plain() {
		return arms
	}
	for _, other := range others {
		looked = append(looked, other.condition(a, theWords))
	}
	newest := func(conditions ...string) string {
		return "SELECT c.entry_id FROM ledger_content c" + all(append(conditions, looked...)) + newest(limit)
	}
	each := func(values string, conditions ...string) string {
		return "SELECT x.entry_id FROM unnest(" + values + ") AS v, LATERAL (" + newest(conditions...) + ") AS x"
	}
	if t.purpose {
		arms = append(arms, newest("c.purpose = "+a.add(t.text), "c.purpose <> ''"))
	}
	if len(t.people) > 0 {
		people := a.add(t.people) + "::text[]::uuid[]"
		arms = append(arms, each(people, "c.actor_id = v"), each(people, "c.subject_id = v"))
	}
	for _, column := range t.codes() {
		if column.name != "result" {
			arms = append(arms, each(a.add(column.codes)+"::text[]", "c."+column.name+" = v"))
			continue
		}
		arms = append(arms, each(a.add(column.codes)+"::text[]", "c.result = v", notDone))
		if slices.Contains(column.codes, string(ledger.Done)) {
			arms = append(arms, newest("c.result = '"+string(ledger.Done)+"'"))
		}
	}
	if t.id != uuid.Nil {
		id := a.add(t.id.String())
		for _, column := range []string{"entry_id", "actor_id", "subject_id"} {
			arms = append(arms, newest("c."+column+" = "+id+"::uuid"))
		}
		arms = append(arms, newest("right(c.object, 36) = "+a.add(t.id.String()), "c.object <> ''"))
	}
	return arms
}

func hasGrams(a *arguments, wanted []string) string {
	return "query_log_grams(c.reason, c.requested_by) @> " + a.add(wanted) + "::text[]"
}

// words are the grams of the term. What is longer than one has to be looked for once more.
func (t term) words(a *arguments, conditions *[]string) []string {
	if len([]rune(t.text)) > 2 {
		*conditions = append(*conditions, "strpos("+theWords+", "+a.add(t.text)+") > 0")
	}
	return textform.Grams(t.text)
}
