package database

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Former is what a table kept in plain in a version before, which the upgrade seals.
type Former struct {
	Table   string
	Columns []FormerColumn
	// Mark is the constraint that refuses plain text for good. It says that the upgrade is through.
	Mark string
	// Seal seals what one row has in plain and empties it.
	Seal func(tx *Tx, id uuid.UUID) error
}

// FormerColumn is a column, its type and what it holds when it is empty, as SQL.
type FormerColumn struct{ Name, Type, Empty string }

// formerBatch is how many rows are looked for at once.
const formerBatch = 500

// SealFormer carries over what a version before kept in plain: each row in a transaction of its own, so
// that it goes on where it was interrupted, and beside processes that serve. Then the table is rewritten
// with nothing but its living rows, so that no dead one keeps a text, and refuses plain ones from then on.
// ready is called before the first row is sealed. It is the owner's, and does nothing the second time.
func SealFormer(ctx context.Context, db *DB, f Former, ready func() error) error {
	var through bool
	err := db.Read(ctx).Raw("SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = ? AND conrelid = ?::regclass)", f.Mark, "public."+f.Table).
		Scan(&through).Error
	if err != nil {
		return fmt.Errorf("looking for plain text in %s: %w", f.Table, Hide(err))
	}
	for !through {
		var ids []uuid.UUID
		err := f.plain(db.Read(ctx)).Order(ByID).Limit(formerBatch).Pluck("id", &ids).Error
		if err != nil {
			return fmt.Errorf("listing plain text in %s: %w", f.Table, Hide(err))
		}
		if len(ids) == 0 {
			if through, err = f.rewrite(ctx, db); err != nil {
				return err
			}
			continue
		}
		if err := ready(); err != nil {
			return err
		}
		for _, id := range ids {
			if err := Run(ctx, db, func(tx *Tx) error { return f.Seal(tx, id) }); err != nil {
				return fmt.Errorf("sealing plain text in %s: %w", f.Table, err)
			}
		}
	}
	return nil
}

func (f Former) plain(g *gorm.DB) *gorm.DB {
	return g.Table("public." + f.Table).Where("NOT (" + f.empty() + ")")
}

// empty holds for rows without plain text.
func (f Former) empty() string {
	parts := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		parts[i] = c.Name + " = " + c.Empty
	}
	return strings.Join(parts, " AND ")
}

// rewrite writes the table anew and puts the mark on it; false: there is plain text again. A column that
// is computed anew makes Postgres copy what is visible, and nothing else: VACUUM FULL would keep the dead
// rows that somebody's old snapshot could still see.
func (f Former) rewrite(ctx context.Context, db *DB) (done bool, err error) {
	err = Run(ctx, db, func(tx *Tx) error {
		if err := tx.DB().Exec("LOCK TABLE public." + f.Table + " IN ACCESS EXCLUSIVE MODE").Error; err != nil {
			return fmt.Errorf("locking %s: %w", f.Table, Hide(err))
		}
		var plain int64
		if err := f.plain(tx.DB()).Count(&plain).Error; err != nil {
			return fmt.Errorf("counting plain text in %s: %w", f.Table, Hide(err))
		}
		if plain > 0 {
			return nil
		}
		parts := make([]string, len(f.Columns))
		for i, c := range f.Columns {
			parts[i] = fmt.Sprintf("ALTER COLUMN %s TYPE %s USING %s::%s", c.Name, c.Type, c.Empty, c.Type)
		}
		err := tx.DB().Exec("ALTER TABLE public." + f.Table + " " + strings.Join(parts, ", ") +
			", ADD CONSTRAINT " + f.Mark + " CHECK (" + f.empty() + ")").Error
		if err != nil {
			return fmt.Errorf("rewriting %s: %w", f.Table, Hide(err))
		}
		done = true
		return nil
	})
	return done, err
}
