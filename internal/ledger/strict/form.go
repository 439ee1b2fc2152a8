package strict

import (
	"slices"

	"github.com/google/uuid"
)

// Form reads values that must have one form. Wrong is the first that has not.
type Form struct{ Wrong string }

// Fail notes that something is not what it should be.
func (f *Form) Fail(what string) {
	if f.Wrong == "" {
		f.Wrong = what
	}
}

// Object wants an object with all the needed names and perhaps the optional ones, and no others.
func (f *Form) Object(v Value, what string, needed []string, optional ...string) Value {
	found := 0
	for i := range v.Members {
		switch name := v.Members[i].Name; {
		case slices.Contains(needed, name):
			found++
		case !slices.Contains(optional, name):
			f.Fail(what)
		}
	}
	if v.Kind != Object || found != len(needed) {
		f.Fail(what)
	}
	return v
}

// Member is a value by its name; absent ones are null.
func (v Value) Member(name string) Value {
	found, _ := v.member(name)
	return found
}

// Has says whether an object has a name.
func (v Value) Has(name string) bool {
	_, has := v.member(name)
	return has
}

// Texts wants an object whose values are all texts.
func (f *Form) Texts(v Value, what string) map[string]string {
	out := make(map[string]string, len(v.Members))
	for _, m := range v.Members {
		out[m.Name] = f.Text(m.Value, what)
	}
	if v.Kind != Object {
		f.Fail(what)
	}
	return out
}

// Array wants an array.
func (f *Form) Array(v Value, what string) []Value {
	if v.Kind != Array {
		f.Fail(what)
	}
	return v.Array
}

// Text wants a text.
func (f *Form) Text(v Value, what string) string {
	if v.Kind != Text {
		f.Fail(what)
	}
	return v.Text
}

// Integer wants an integer of a range, written as [Decimal] reads it.
func (f *Form) Integer(v Value, what string, least, most int64) int64 {
	n, ok := Decimal(v.Text)
	if v.Kind != Number || !ok || n < least || n > most {
		f.Fail(what)
	}
	return n
}

// IntegerOrNull wants an integer from 0 on, or null.
func (f *Form) IntegerOrNull(v Value, what string) *int64 {
	if v.Kind == Null {
		return nil
	}
	n := f.Integer(v, what, 0, Largest)
	return &n
}

// Bytes wants base64 of n bytes.
func (f *Form) Bytes(v Value, what string, n int) []byte {
	b, ok := Base64(v.Text)
	if v.Kind != Text || !ok || len(b) != n {
		f.Fail(what)
	}
	return b
}

// UUID wants a UUID's 36 characters.
func (f *Form) UUID(v Value, what string) uuid.UUID {
	id, ok := UUID(v.Text)
	if v.Kind != Text || !ok {
		f.Fail(what)
	}
	return id
}

// EntryID wants the id of an entry.
func (f *Form) EntryID(v Value, what string) uuid.UUID {
	id := f.UUID(v, what)
	if !IsEntryID(id) {
		f.Fail(what)
	}
	return id
}
