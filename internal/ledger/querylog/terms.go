package querylog

import (
	"context"
	"database/sql"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/textform"
)

// reader is a transaction or a pool.
type reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// term is one word of a search with everything of an entry that it may stand for.
type term struct {
	text    string    // folded as the database folds what it searches
	person  string    // folded as it folds names and numbers
	purpose bool      // it is the purpose of some entry
	id      uuid.UUID // the word is an id
	people  []string  // ids of those whose name or number it is part of
	actions []string
	kinds   []string
	results []string
	seen    int // how many of the newest entries have it
}

// compile finds out what each word may stand for.
func compile(ctx context.Context, db reader, words []string) ([]term, error) {
	terms := make([]term, len(words))
	for i, word := range words {
		t := &terms[i]
		if err := t.fold(ctx, db, word); err != nil {
			return nil, err
		}
		if len([]rune(t.text)) < 2 {
			return nil, ErrTermTooShort
		}
		t.id, _ = uuid.Parse(t.text)
		t.actions = meaning("ledger.action.", t.text)
		t.kinds = meaning("ledger.kind.", t.text)
		t.results = meaning("ledger.result.", t.text)
		if err := t.findPurpose(ctx, db); err != nil {
			return nil, err
		}
		if err := t.findPeople(ctx, db); err != nil {
			return nil, err
		}
	}
	return terms, nil
}

// fold is the database's own folding, so that both sides are folded alike.
func (t *term) fold(ctx context.Context, db reader, word string) error {
	err := db.QueryRowContext(ctx, "SELECT query_log_text($1, ''), person_text($1, '')", word).Scan(&t.text, &t.person)
	if err != nil {
		return database.Wrap("folding a search term", err)
	}
	t.text, t.person = strings.TrimSpace(t.text), strings.TrimSpace(t.person)
	return nil
}

// findPurpose asks whether an entry has the term as its purpose: few words are one, and those that
// are none need not be looked for there.
func (t *term) findPurpose(ctx context.Context, db reader) error {
	if !code(t.text) {
		return nil
	}
	err := db.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM ledger_content WHERE purpose = $1 AND purpose <> '')", t.text).Scan(&t.purpose)
	if err != nil {
		return database.Wrap("looking for a purpose", err)
	}
	return nil
}

// findPeople finds whose name or number holds the term. Whoever is purged is not found by name: the
// views show a pseudonym instead.
func (t *term) findPeople(ctx context.Context, db reader) error {
	rows, err := db.QueryContext(ctx, `SELECT id FROM employees
		WHERE person_grams(search_text) @> $1::text[] AND strpos(search_text, $2) > 0
			AND status <> 'purged' LIMIT $3`, textform.Grams(t.person), t.person, maxPeople+1)
	if err != nil {
		return database.Wrap("finding people", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return database.Wrap("finding people", err)
		}
		t.people = append(t.people, id)
	}
	if err := rows.Err(); err != nil {
		return database.Wrap("finding people", err)
	}
	if len(t.people) > maxPeople {
		return ErrTooBroad
	}
	return nil
}

// meaning is the codes that the term is part of, or of their names in either language.
func meaning(prefix, text string) []string {
	codes := []string{}
	for _, code := range i18n.Keys(prefix) {
		found := strings.Contains(code, text)
		for _, language := range i18n.Languages {
			found = found || strings.Contains(strings.ToLower(i18n.Text(language, prefix+code)), text)
		}
		if found {
			codes = append(codes, code)
		}
	}
	return codes
}
