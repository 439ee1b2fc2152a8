package querylog

import (
	"context"
	"database/sql"

	"lethe/internal/database"
)

// Empty says that f chooses everything.
func (f Filter) Empty() bool { return f == Filter{} }

// Check says what is wrong with f, as Search would.
func (f Filter) Check(ctx context.Context, db reader) error {
	words, err := f.check()
	if err != nil {
		return err
	}
	_, err = compile(ctx, db, words)
	return err
}

// Places are index, id and leaf hash of the sequenced entries of an epoch that fit f, of those with
// an index below end, in ascending order. Entries that lost their content fit no filter.
func (f Filter) Places(ctx context.Context, db reader, epoch int, end int64) (*sql.Rows, error) {
	a := &arguments{}
	from, err := f.sequenced(ctx, db, a)
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, "SELECT s.index, s.entry_id, s.leaf_hash"+from+" AND s.epoch = "+a.add(epoch)+" AND s.index < "+a.add(end)+
		" ORDER BY s.index", *a...)
	if err != nil {
		return nil, database.Wrap("choosing entries", err)
	}
	return rows, nil
}

// CountElsewhere counts the entries that fit f and are in another epoch.
func (f Filter) CountElsewhere(ctx context.Context, db reader, epoch int) (n int64, err error) {
	a := &arguments{}
	from, err := f.sequenced(ctx, db, a)
	if err != nil {
		return 0, err
	}
	if err := db.QueryRowContext(ctx, "SELECT count(*)"+from+" AND s.epoch <> "+a.add(epoch), *a...).Scan(&n); err != nil {
		return 0, database.Wrap("counting entries", err)
	}
	return n, nil
}

// CountUpTo counts the entries that fit f, but not beyond most.
func (f Filter) CountUpTo(ctx context.Context, db reader, most int64) (n int64, err error) {
	a := &arguments{}
	conditions, err := f.conditions(ctx, db, a)
	if err != nil {
		return 0, err
	}
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT FROM ledger_content c"+all(conditions)+" LIMIT "+a.add(most)+") AS chosen", *a...).Scan(&n)
	if err != nil {
		return 0, database.Wrap("counting entries", err)
	}
	return n, nil
}

func (f Filter) sequenced(ctx context.Context, db reader, a *arguments) (string, error) {
	conditions, err := f.conditions(ctx, db, a)
	return " FROM ledger_content c JOIN ledger_sequence s ON s.entry_id = c.entry_id" + all(append(conditions, "true")), err
}

func (f Filter) conditions(ctx context.Context, db reader, a *arguments) ([]string, error) {
	words, err := f.check()
	if err != nil {
		return nil, err
	}
	terms, err := compile(ctx, db, words)
	if err != nil {
		return nil, err
	}
	conditions := append(span{from: f.From, to: f.To}.where(a), f.where(a)...)
	for _, t := range terms {
		conditions = append(conditions, t.condition(a, theWords))
	}
	return conditions, nil
}
