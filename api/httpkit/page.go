package httpkit

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

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
	actor := ActorOf(ctx.Context())
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s", address.Path, filters.Encode(), actor.EmployeeID, actor.Role))
	copy(p.list[:], sum[:])
	return nil
}

// Position is the id behind the cursor: the last row of the page before; nil: there is none.
func (p Paging) Position() (*uuid.UUID, error) {
	id, _, err := p.Sorted()
	return id, err
}

// Sorted is position with the value that the row was sorted by when it was shown, as sortedCursor has it.
func (p Paging) Sorted() (*uuid.UUID, time.Time, error) {
	if p.Cursor == "" {
		return nil, time.Time{}, nil
	}
	var at time.Time
	raw, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	end := len(p.list) + len(uuid.UUID{})
	if err == nil && len(raw) > end {
		err = at.UnmarshalBinary(raw[end:])
	}
	if err != nil || len(raw) < end || listMark(raw[:len(p.list)]) != p.list {
		return nil, at, NewProblem(codeInvalidCursor, FieldError{Location: "query.cursor", Code: codeInvalidCursor})
	}
	id := uuid.UUID(raw[len(p.list):end])
	return &id, at, nil
}

// After is position for lists that begin after the smallest id.
func (p Paging) After() (uuid.UUID, error) {
	id, err := p.Position()
	if err != nil || id == nil {
		return uuid.Nil, err
	}
	return *id, nil
}

// CursorAfter continues the list after a row.
func (p Paging) CursorAfter(id uuid.UUID) *string {
	c := base64.RawURLEncoding.EncodeToString(append(p.list[:], id[:]...))
	return &c
}

// SortedCursor continues a list after a row that was sorted by an instant, or a day's beginning in UTC.
func (p Paging) SortedCursor(id uuid.UUID, at time.Time) *string {
	value, err := at.UTC().MarshalBinary()
	if err != nil {
		panic("writing an instant: " + err.Error()) // UTC has no odd offset
	}
	c := base64.RawURLEncoding.EncodeToString(slices.Concat(p.list[:], id[:], value))
	return &c
}

// List answers with one page: the rows that read finds after the id that the cursor names, and whether there are more.
func List[V any](p Paging, id func(V) uuid.UUID, read func(after uuid.UUID) (views []V, more bool, err error)) (*Answer[Page[V]], error) {
	after, err := p.After()
	if err != nil {
		return nil, err
	}
	views, more, err := read(after)
	if err != nil {
		return nil, err
	}
	return AnswerOf(PageOf(views, Next(p, views, more, id)), nil)
}

// Each shows each row.
func Each[R, V any](rows []R, view func(R) V) []V {
	views := make([]V, len(rows))
	for i, row := range rows {
		views[i] = view(row)
	}
	return views
}

// PageOf is a page of a list, of which next continues it, or the whole of a short one.
func PageOf[V any](views []V, next *string) Page[V] {
	return Page[V]{Items: append([]V{}, views...), NextCursor: next}
}

// Next continues the list after the last of rows, if there are more.
func Next[R any](p Paging, rows []R, more bool, id func(R) uuid.UUID) *string {
	if !more {
		return nil
	}
	return p.CursorAfter(id(rows[len(rows)-1]))
}

// Cut takes the rows of one page from what was read, one more than the limit at most.
func Cut[R any](p Paging, rows []R, id func(R) uuid.UUID) ([]R, *string) {
	more := len(rows) > p.Limit
	rows = rows[:min(len(rows), p.Limit)]
	return rows, Next(p, rows, more, id)
}

// Given is nil for an id that was left out.
func Given(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// Instant is nil for an instant that was left out.
func Instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// YesNo is a filter with three answers: what is so, what is not, or, left out, both. Its values are true and false.
type YesNo string

// Bool is nil if the filter was left out.
func (y YesNo) Bool() *bool {
	if y == "" {
		return nil
	}
	yes := y == "true"
	return &yes
}
