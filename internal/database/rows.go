package database

import (
	"errors"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// How rows are locked, to the end of the transaction.
var (
	ForChange = clause.Locking{Strength: "NO KEY UPDATE"} // others may still insert rows that refer to it
	ForUpdate = clause.Locking{Strength: "UPDATE"}        // they may not
	ForShare  = clause.Locking{Strength: "SHARE"}         // nobody changes it, many may hold it
)

// How rows are ordered. Ids ascend with time.
var (
	ByID   = clause.OrderByColumn{Column: clause.Column{Name: "id"}}
	Newest = clause.OrderByColumn{Column: clause.Column{Name: "id"}, Desc: true}
)

// ErrNotFound says that a row that was asked for does not exist.
var ErrNotFound = errors.New("not found")

// First reads one row; no row is ErrNotFound.
func First[T any](g *gorm.DB) (T, error) {
	var row T
	err := g.Limit(1).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, ErrNotFound
	}
	return row, Hide(err)
}

// Find reads what is there of some rows, by id.
func Find[T any](g *gorm.DB, what, where string, args ...any) ([]T, error) {
	var rows []T
	err := g.Where(where, args...).Order(ByID).Find(&rows).Error
	return rows, Wrap("reading "+what, err)
}

// Lock locks the row with an id for a change and reads it; no row is ErrNotFound.
func Lock[T any](tx *Tx, what string, id uuid.UUID) (T, error) {
	row, err := First[T](tx.gorm.Clauses(ForChange).Where("id = ?", id))
	return row, Wrap("locking "+what, err)
}

// LockAll is [Find], and locks the rows for a change, in the order of their ids.
func LockAll[T any](tx *Tx, what, where string, args ...any) ([]T, error) {
	var rows []T
	err := tx.gorm.Clauses(ForChange).Where(where, args...).Order(ByID).Find(&rows).Error
	return rows, Wrap("locking "+what, err)
}

// ErrChanged says that a row was not in the state that an update expected.
var ErrChanged = errors.New("the row changed in between")

// UpdateOne checks that an update met exactly one row; none is ErrChanged.
func UpdateOne(r *gorm.DB) error {
	if r.Error != nil {
		return hide(r.Error)
	}
	if r.RowsAffected != 1 {
		return ErrChanged
	}
	return nil
}

// Exec runs a statement with arguments as the driver takes them ($1, …; slices are arrays): rows by the hundred come as
// columns, FROM unnest. It says how many rows it met.
func Exec(tx *Tx, doing, sql string, args ...any) (int64, error) {
	r, err := tx.gorm.Statement.ConnPool.ExecContext(tx.ctx, sql, args...)
	if err != nil {
		return 0, Wrap(doing, err)
	}
	n, err := r.RowsAffected()
	return n, Wrap(doing, err)
}
