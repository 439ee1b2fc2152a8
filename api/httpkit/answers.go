package httpkit

import (
	"github.com/google/uuid"

	"lethe/internal/i18n"
)

// ByID names a resource in the path.
type ByID struct {
	Speaking
	ID uuid.UUID `path:"id" doc:"The id of what the path names"`
}

// CreatedAnswer is a response with the address of what was made.
type CreatedAnswer[T any] struct {
	Status   int
	Location string `header:"Location"`
	Body     T
}

// Speaking is the language of a request.
type Speaking struct {
	AcceptLanguage string `header:"Accept-Language" doc:"zh or en"`
}

// Language is the caller's.
func (s Speaking) Language() i18n.Language { return i18n.Negotiate(s.AcceptLanguage) }

// Answer is a response with a body.
type Answer[T any] struct{ Body T }

// AnswerOf answers with what was found.
func AnswerOf[T any](body T, err error) (*Answer[T], error) { return &Answer[T]{body}, err }

// CreatedOf answers with what was made, as a person may see it.
func CreatedOf[T any](made Creation, view T, err error) (*CreatedAnswer[T], error) {
	return &CreatedAnswer[T]{made.Status, made.Location, view}, err
}

// One is the only view of one row.
func One[V any](views []V, err error) (view V, _ error) {
	if err != nil {
		return view, err
	}
	return views[0], nil
}
