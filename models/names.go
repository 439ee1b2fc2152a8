package models

import (
	"database/sql/driver"
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"
)

// Names is a text[] column; nil is NULL, and not the empty list.
type Names []string

// NamesOf are values of a closed set as names, never nil.
func NamesOf[T ~string](values []T) Names {
	names := make(Names, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return names
}

// Value is the array as Postgres reads it.
func (n Names) Value() (driver.Value, error) {
	if n == nil {
		return nil, nil
	}
	text, err := pgtype.NewMap().Encode(pgtype.TextArrayOID, pgtype.TextFormatCode, []string(n), nil)
	if err != nil {
		return nil, fmt.Errorf("writing names: %w", err)
	}
	return string(text), nil
}

// Scan reads what Postgres sends.
func (n *Names) Scan(src any) error {
	if err := pgtype.NewMap().SQLScanner((*[]string)(n)).Scan(src); err != nil {
		return fmt.Errorf("reading names: %w", err)
	}
	return nil
}
