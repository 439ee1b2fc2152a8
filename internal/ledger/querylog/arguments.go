package querylog

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// arguments numbers the values of one statement.
type arguments []any

func (a *arguments) add(value any) string {
	*a = append(*a, value)
	return fmt.Sprintf("$%d", len(*a))
}

// span is a stretch of the log in time and, within the first millisecond, by id: entries below
// before, and from at on.
type span struct {
	before *uuid.UUID
	from   *time.Time
	to     *time.Time
}

// where is the span's condition. The time is named too: it chooses the partitions.
func (s span) where(a *arguments) []string {
	var all []string
	if s.before != nil {
		all = append(all, "c.entry_id < "+a.add(s.before.String())+"::uuid")
	}
	if s.from != nil {
		all = append(all, "c.at >= "+a.add(*s.from))
	}
	if s.to != nil {
		all = append(all, "c.at < "+a.add(*s.to))
	}
	return all
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
	for column, value := range map[string]string{
		"kind": string(f.Kind), "action": f.Action, "purpose": f.Purpose, "result": string(f.Result),
	} {
		if value != "" {
			all = append(all, "c."+column+" = "+a.add(value))
		}
	}
	return all
}

// condition is that an entry has the term somewhere.
func (t term) condition(a *arguments) string {
	any := []string{
		"c.purpose = " + a.add(t.text),
		"(c.reason <> '' OR c.requested_by <> '') AND strpos(query_log_text(c.reason, c.requested_by), " + a.add(t.text) + ") > 0",
	}
	if len(t.people) > 0 {
		people := a.add(t.people) + "::text[]::uuid[]"
		any = append(any, "c.actor_id = ANY ("+people+")", "c.subject_id = ANY ("+people+")")
	}
	for column, codes := range t.codes() {
		if len(codes) > 0 {
			any = append(any, "c."+column+" = ANY ("+a.add(codes)+"::text[])")
		}
	}
	if t.id != uuid.Nil {
		id := a.add(t.id.String())
		any = append(any, "c.entry_id = "+id+"::uuid", "c.actor_id = "+id+"::uuid", "c.subject_id = "+id+"::uuid",
			"c.object <> '' AND right(c.object, 36) = "+a.add(t.id.String()))
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

func (t term) codes() map[string][]string {
	return map[string][]string{"action": t.actions, "kind": t.kinds, "result": t.results}
}

// arms are statements, each for one way in which an entry has the term and each by its own index,
// which together find all entries with it. rest are conditions that all must meet.
func (t term) arms(a *arguments, rest []string, limit int) []string {
	newest := func(join string, conditions ...string) string {
		return "SELECT c.entry_id FROM ledger_content c" + join + " WHERE " + strings.Join(append(conditions, rest...), " AND ") +
			fmt.Sprintf(" ORDER BY c.entry_id DESC LIMIT %d", limit)
	}
	each := func(values, condition string) string {
		return "SELECT x.entry_id FROM unnest(" + values + ") AS v, LATERAL (" + newest("", condition) + ") AS x"
	}
	words := []string{"(c.reason <> '' OR c.requested_by <> '')", "query_log_grams(c.reason, c.requested_by) @> " + a.add(grams(t.text)) + "::text[]"}
	if len([]rune(t.text)) > 2 {
		words = append(words, "strpos(query_log_text(c.reason, c.requested_by), "+a.add(t.text)+") > 0")
	}
	arms := []string{
		// Not newest first: that would walk by time and look at each entry's words.
		"SELECT entry_id FROM (SELECT c.entry_id FROM ledger_content c WHERE " + strings.Join(append(words, rest...), " AND ") + " OFFSET 0) AS words",
	}
	if code(t.text) {
		arms = append(arms, newest("", "c.purpose = "+a.add(t.text), "c.purpose <> ''"))
	}
	if len(t.people) > 0 {
		people := a.add(t.people) + "::text[]::uuid[]"
		arms = append(arms, each(people, "c.actor_id = v"), each(people, "c.subject_id = v"))
	}
	for column, codes := range t.codes() {
		if len(codes) > 0 {
			arms = append(arms, each(a.add(codes)+"::text[]", "c."+column+" = v"))
		}
	}
	if t.id != uuid.Nil {
		id := a.add(t.id.String())
		for _, column := range []string{"entry_id", "actor_id", "subject_id"} {
			arms = append(arms, newest("", "c."+column+" = "+id+"::uuid"))
		}
		arms = append(arms, newest("", "right(c.object, 36) = "+a.add(t.id.String()), "c.object <> ''"))
	}
	return arms
}
