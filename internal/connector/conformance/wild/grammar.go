// Package wild is a SCIM server generated from a grammar: each seed is one that
// presents attributes, understands forms of PATCH, filters, pages and fails in a way of
// its own, as the servers of this world do. What it says and what really is are kept
// apart, so that a test can compare what a connector concluded with what is.
package wild

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Grammar is how one server behaves. Each field is one of the words beside it.
type Grammar struct {
	Match  string // SystemConfig.Match
	Number string // same, lower, swapped, list, object: how the number is kept

	Active string // bool, string, missing, null, word, number
	Groups string // full, empty, missing, null, partly, refs, bare, odd
	Access string // numbers, strings, missing, odd
	Names  string // same, lower, upper: attribute names

	UserFilter  string // works, exact, ignored, refused, empty, loose
	GroupFilter string // works, ignored, refused, empty
	Members     string // shown, single: only in the group itself
	Page        int    // entries on a page at most
	Paging      string // honest, short, repeated, moving, no_total, text_total

	// By form (path, pathless; filter, value, account): what it is answered and whether it
	// has its effect.
	ActiveForms [2]Form
	LeaveForms  [3]Form
	Revoke      Form

	BuiltIn bool   // the leaver's first group refuses every change
	Noise   int    // calls that meet somebody else first
	Stray   string // what they get: html_404, json_404, html_200, html_502, cut
}

// Form is what becomes of one way to write a change.
type Form struct {
	Status   int // 0: the connection is cut
	ScimType string
	Foreign  bool // answered with a page for people
	Effect   bool
	// Everybody: a remove of members with a value takes everybody out.
	Everybody bool
}

func (f Form) String() string {
	return fmt.Sprintf("%d %s effect=%v foreign=%v everybody=%v", f.Status, f.ScimType, f.Effect, f.Foreign, f.Everybody)
}

// Customs is a path outside the standard's attributes that carries the number.
const Customs = "urn:example:params:scim:schemas:hr:2.0:User:staffNumber"

func draw(r *rand.Rand) Grammar {
	g := Grammar{
		Match:       pick(r, "employeeNumber", "employeeNumber", "externalId", "userName", Customs),
		Number:      pick(r, "same", "same", "lower", "swapped", "list", "object"),
		Active:      pick(r, "bool", "bool", "bool", "bool", "string", "string", "missing", "null", "word", "number"),
		Groups:      pick(r, "full", "full", "empty", "missing", "null", "partly", "refs", "bare", "odd"),
		Access:      pick(r, "numbers", "numbers", "strings", "missing", "missing", "odd"),
		Names:       pick(r, "same", "same", "same", "lower", "upper"),
		UserFilter:  pick(r, "works", "works", "exact", "ignored", "refused", "empty", "loose"),
		GroupFilter: pick(r, "works", "works", "ignored", "refused", "empty"),
		Members:     pick(r, "shown", "shown", "single"),
		Page:        1 + r.IntN(12),
		Paging:      pick(r, "honest", "honest", "honest", "honest", "short", "repeated", "moving", "no_total", "text_total"),
		BuiltIn:     r.IntN(4) == 0,
		Stray:       pick(r, "html_404", "json_404", "html_200", "html_502", "cut"),
	}
	if g.Match == "userName" && (g.Number == "list" || g.Number == "object") {
		g.Number = "lower"
	}
	if r.IntN(3) == 0 {
		g.Noise = 1 + r.IntN(2)
	}
	for i := range g.ActiveForms {
		g.ActiveForms[i] = form(r)
	}
	if r.IntN(3) > 0 { // most servers know one of them
		g.ActiveForms[r.IntN(2)] = Form{Status: pick(r, 200, 204), Effect: true}
	}
	for i := range g.LeaveForms {
		g.LeaveForms[i] = form(r)
	}
	g.LeaveForms[1].Everybody = r.IntN(2) == 0
	if r.IntN(3) > 0 {
		g.LeaveForms[0] = Form{Status: pick(r, 200, 204), Effect: true}
	}
	g.Revoke = form(r)
	if r.IntN(2) == 0 {
		g.Revoke = Form{Status: 204, Effect: true}
	}
	return g
}

// form is any answer, with the effect that it should have or another one.
func form(r *rand.Rand) Form {
	f := Form{
		Status:   pick(r, 200, 204, 204, 400, 400, 403, 404, 405, 409, 500, 501, 503, 0),
		ScimType: pick(r, "", "invalidPath", "invalidSyntax", "invalidValue", "mutability", "noTarget"),
		Foreign:  r.IntN(5) == 0,
	}
	switch f.Status {
	case 200, 204:
		f.Effect = r.IntN(3) > 0 // and else it is ignored
	default:
		f.Effect = r.IntN(10) == 0 // refused, and done all the same
	}
	return f
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func swapped(s string) string {
	upper := strings.ToUpper(s)
	var b strings.Builder
	for i, c := range s {
		if i%2 == 0 {
			b.WriteString(strings.ToLower(string(c)))
		} else {
			b.WriteByte(upper[i])
		}
	}
	return b.String()
}

// kept is how the server writes a number.
func (g Grammar) kept(number string) string {
	switch {
	case g.Match == "externalId": // caseExact: another case is another number
		return number
	case g.Number == "lower":
		return strings.ToLower(number)
	case g.Number == "swapped":
		return swapped(number)
	}
	return number
}
