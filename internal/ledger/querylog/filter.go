// Package querylog searches the ledger's entries for people: by words, by who, about whom, what,
// when and with what result. Each search is recorded in the ledger in the transaction that reads,
// and each row that is shown is checked against its commitments.
package querylog

import (
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/ledger"
	"lethe/internal/textform"
)

// What a search may not ask for.
var (
	ErrTermTooShort  = errors.New("a search term needs two characters at least")
	ErrTermTooLong   = errors.New("a search is longer than 100 characters")
	ErrTooManyTerms  = errors.New("a search has more than five terms")
	ErrNotText       = errors.New("a search has characters that show nothing or turn the writing around")
	ErrTooBroad      = errors.New("a search term fits more than 500 people")
	ErrRangeReversed = errors.New("the range ends before it begins")
	ErrLimit         = errors.New("a page has 1 to 200 rows")
)

// The limits of a search.
const (
	maxQuery  = 100 // characters
	maxTerms  = 5
	maxPeople = 500 // whom one term fits
	MaxLimit  = 200 // rows of a page
)

// Filter chooses entries. Zero values choose all.
type Filter struct { // the names are those of the API's parameters: evidence packs show them
	// Query is words, separated by blanks, of two characters at least. An entry is found if each of
	// them is part of its reason or of who asked for it, of the name or number of its actor or its
	// subject, of its action, kind or result as people call it in either language, or is its purpose
	// or an id in it. Case and width do not matter.
	Query   string        `json:"q,omitempty"`
	Actor   *uuid.UUID    `json:"actor,omitempty"`       // who did it: an employee
	Subject *uuid.UUID    `json:"employee_id,omitempty"` // about whom: an employee
	Kind    ledger.Kind   `json:"kind,omitempty"`
	Action  string        `json:"action,omitempty"`
	Purpose string        `json:"purpose,omitempty"`
	Result  ledger.Result `json:"result,omitempty"`
	From    *time.Time    `json:"from,omitempty"` // at or after, to the millisecond
	To      *time.Time    `json:"to,omitempty"`   // before
}

// check says what is wrong with f, and gives the terms of its query.
func (f Filter) check() ([]string, error) {
	if f.From != nil && f.To != nil && !f.From.Before(*f.To) {
		return nil, ErrRangeReversed
	}
	if f.Query == "" {
		return nil, nil
	}
	query, fault := textform.Line(f.Query, maxQuery)
	switch fault {
	case textform.TooLong:
		return nil, ErrTermTooLong
	case textform.Unreadable:
		return nil, ErrNotText
	case textform.Empty:
		return nil, ErrTermTooShort
	}
	terms := strings.Fields(query)
	if len(terms) > maxTerms {
		return nil, ErrTooManyTerms
	}
	return terms, nil
}
