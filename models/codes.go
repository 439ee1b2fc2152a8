package models

import (
	"database/sql/driver"
	"fmt"
	"strings"
)

// Codes is a column of the type text[] whose values are codes: letters, digits, dots and underscores.
type Codes []string

// Value writes Postgres' form of an array.
func (c Codes) Value() (driver.Value, error) { return "{" + strings.Join(c, ",") + "}", nil }

// Scan reads it; NULL is nil.
func (c *Codes) Scan(src any) error {
	*c = nil
	if src == nil {
		return nil
	}
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("an array of codes cannot be read from %T", src)
	}
	if text = strings.Trim(text, "{}"); text != "" {
		*c = strings.Split(text, ",")
	}
	return nil
}
