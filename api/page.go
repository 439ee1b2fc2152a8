package api

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
)

// Page is one page of a list.
type Page[T any] struct {
	Items      []T     `json:"items" nullable:"false"`
	NextCursor *string `json:"next_cursor" doc:"Give it as cursor to get the next page, of the same list with the same filters; null: this is the last one"`
}

// Paging is how a list is walked. The cursor names the last row of the page before, and the list, the
// filters and the person that it was made for: with others it is refused.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Rows of a page"`

	list listMark
}

// listMark is what a cursor is good for.
type listMark [12]byte

// Resolve notes which list is walked.
func (p *Paging) Resolve(ctx huma.Context) []error {
	address := ctx.URL()
	filters := address.Query()
	filters.Del("cursor")
	filters.Del("limit")
	actor := actorOf(ctx.Context())
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s", address.Path, filters.Encode(), actor.EmployeeID, actor.Role))
	copy(p.list[:], sum[:])
	return nil
}

// position is the id behind the cursor: the last row of the page before; nil: there is none.
func (p Paging) position() (*uuid.UUID, error) {
	if p.Cursor == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil || len(raw) != len(p.list)+len(uuid.UUID{}) || listMark(raw[:len(p.list)]) != p.list {
		return nil, problem(codeInvalidCursor, FieldError{Location: "query.cursor", Code: codeInvalidCursor})
	}
	id := uuid.UUID(raw[len(p.list):])
	return &id, nil
}

// after is position for lists that begin after the smallest id.
func (p Paging) after() (uuid.UUID, error) {
	id, err := p.position()
	if err != nil || id == nil {
		return uuid.Nil, err
	}
	return *id, nil
}

// cursor continues the list after a row.
func (p Paging) cursor(id uuid.UUID) *string {
	c := base64.RawURLEncoding.EncodeToString(append(p.list[:], id[:]...))
	return &c
}

// next continues the list after the last of rows, if there are more.
func next[R any](p Paging, rows []R, more bool, id func(R) uuid.UUID) *string {
	if !more {
		return nil
	}
	return p.cursor(id(rows[len(rows)-1]))
}

// cut takes the rows of one page from what was read, one more than the limit at most.
func cut[R any](p Paging, rows []R, id func(R) uuid.UUID) ([]R, *string) {
	more := len(rows) > p.Limit
	rows = rows[:min(len(rows), p.Limit)]
	return rows, next(p, rows, more, id)
}
