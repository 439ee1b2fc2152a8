// Package closed holds the closed sets: types that have a few values only, each declared once, beside its type.
// What the API lists as allowed, what the database is compared with, the texts and docs/states.md follow from it.
package closed

import (
	"iter"
	"maps"
	"reflect"
	"slices"

	"lethe/internal/i18n"
)

// Set is a closed set. A state machine also has a column and says what may follow each state.
type Set struct {
	Type   reflect.Type
	Texts  string // the texts of stage are stage.pending_departure and so on; empty: nobody is shown one
	Values []string
	Column string              // of a state machine: departures.stage
	Next   map[string][]string // of a state machine
}

var sets = map[reflect.Type]Set{}

// Of declares a closed set, in the order in which its values are shown, and returns them.
func Of[T ~string](texts string, values ...T) []T {
	declare[T](Set{Texts: texts, Values: words(values)})
	return values
}

// Machine is what may follow each state.
type Machine[T ~string] map[T][]T

// States declares a state machine. Each row is a state, and then what may follow it; a state stays what it is, too.
func States[T ~string](column, texts string, rows [][]T) Machine[T] {
	m, s := Machine[T]{}, Set{Texts: texts, Column: column, Next: map[string][]string{}}
	for _, row := range rows {
		m[row[0]] = row[1:]
		s.Values = append(s.Values, string(row[0]))
		s.Next[string(row[0])] = words(row[1:])
	}
	declare[T](s)
	return m
}

// Allows says whether one state may follow another.
func (m Machine[T]) Allows(from, to T) bool { return from == to || slices.Contains(m[from], to) }

func declare[T ~string](s Set) {
	s.Type = reflect.TypeFor[T]()
	if _, twice := sets[s.Type]; twice {
		panic(s.Type.String() + " is declared twice")
	}
	sets[s.Type] = s
}

func words[T ~string](values []T) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return texts
}

// All are the sets of the packages that the program is made of, in no order.
func All() iter.Seq[Set] { return maps.Values(sets) }

// SetOf is the set of a type. Asking for one that nobody declared is a fault of the program.
func SetOf[T ~string]() Set {
	s, ok := sets[reflect.TypeFor[T]()]
	if !ok {
		panic(reflect.TypeFor[T]().String() + " is no closed set")
	}
	return s
}

// Texts are values in a reader's language, in their order.
func Texts[T ~string](l i18n.Language, values []T) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = Text(l, v)
	}
	return texts
}

// Text is a value in a reader's language.
func Text[T ~string](l i18n.Language, value T) string {
	return i18n.Text(l, SetOf[T]().Texts+"."+string(value))
}
