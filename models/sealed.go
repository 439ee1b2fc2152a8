package models

import (
	"database/sql/driver"
	"errors"
	"fmt"
)

// Sealed is an encrypted column. It has no way to a string, is never logged or marshalled, and
// only the vault looks inside. The zero value is NULL: nothing there, or destroyed.
type Sealed struct{ box []byte }

// NewSealed wraps what the vault sealed.
func NewSealed(box []byte) Sealed { return Sealed{box: box} }

// Box gives the vault the sealed bytes back.
func (s Sealed) Box() []byte { return s.box }

// IsNull says whether there is nothing there.
func (s Sealed) IsNull() bool { return len(s.box) == 0 }

// Value stores the sealed bytes; the database's check refuses anything that is not sealed.
func (s Sealed) Value() (driver.Value, error) {
	if s.IsNull() {
		return nil, nil
	}
	return s.box, nil
}

// Scan reads a sealed column.
func (s *Sealed) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		s.box = nil
	case []byte:
		s.box = append([]byte(nil), v...)
	default:
		return fmt.Errorf("a sealed column cannot be read from %T", src)
	}
	return nil
}

// GormDataType names the column type.
func (Sealed) GormDataType() string { return "sealed" }

// Format prints a constant for every verb, so that a stray %v shows nothing.
func (s Sealed) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[sealed]")) }

// MarshalJSON refuses: sealed bytes never leave in an answer.
func (s Sealed) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a sealed column is never marshalled")
}
