package api

import (
	"encoding/base64"

	"github.com/google/uuid"
)

// Page is one page of a list.
type Page[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor" doc:"Give it as cursor to get the next page; null: this is the last one"`
}

// Paging is how a list is walked.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Rows of a page"`
}

// position is the id behind the cursor: the last row of the page before.
func (p Paging) position() (*uuid.UUID, error) {
	if p.Cursor == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil {
		return nil, invalidCursor()
	}
	id, err := uuid.FromBytes(raw)
	if err != nil {
		return nil, invalidCursor()
	}
	return &id, nil
}

func invalidCursor() error {
	return problem(codeInvalidCursor, FieldError{Location: "query.cursor", Code: codeInvalidCursor})
}

func cursorOf(id uuid.UUID) *string {
	c := base64.RawURLEncoding.EncodeToString(id[:])
	return &c
}

// cut takes the rows of one page from what was read, one more than limit at most.
func cut[R any](rows []R, limit int, id func(R) uuid.UUID) ([]R, *string) {
	if len(rows) <= limit {
		return rows, nil
	}
	rows = rows[:limit]
	return rows, cursorOf(id(rows[limit-1]))
}
