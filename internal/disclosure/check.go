package disclosure

import (
	"slices"
	"time"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/consent"
	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/textform"
	"lethe/models"
)

const (
	maxReason   = 2000
	maxEvidence = 200
)

// check says what of a request is malformed, before anybody is looked up: it is the same for who exists and who does not.
func (r *Request) check() (Purpose, error) {
	var found []invalid.Value
	add := func(location, code string, allowed ...string) {
		found = append(found, invalid.Value{Location: location, Code: code, Allowed: allowed})
	}
	purpose, known := purposeOf(r.Purpose)
	if !known {
		add("purpose", invalid.Unknown, purposeKeys()...)
	}
	switch {
	case r.Copy != nil:
	case len(r.Fields) == 0:
		add("fields", invalid.Required)
	case len(r.Fields) > maxFields:
		add("fields", invalid.TooLong)
	}
	if len(slices.Compact(slices.Sorted(slices.Values(r.Fields)))) < len(r.Fields) {
		add("fields", invalid.Repeated)
	}
	text, fault := textform.Paragraphs(r.Reason, maxReason)
	if code := invalid.Text(fault); code != "" {
		add("reason", code)
	}
	r.Reason = text
	if who := &r.RequestedBy; who.Description != "" {
		if who.EmployeeID != nil {
			add("requested_by", invalid.OneOfTwo)
		}
		text, fault := textform.Line(who.Description, maxEvidence)
		if code := invalid.Text(fault); code != "" {
			add("requested_by.description", code)
		}
		who.Description = text
	}
	if known {
		found = append(found, r.checkForms(purpose)...)
	}
	if found = append(found, r.checkCompared()...); len(found) > 0 {
		return purpose, &invalid.ValuesError{Problems: found}
	}
	return purpose, nil
}

func purposeKeys() []string {
	keys := make([]string, len(access.Purposes))
	for i, p := range access.Purposes {
		keys[i] = string(p)
	}
	return keys
}

// checkForms judges the evidence by its form. What is demanded of leavers only, or without a recorded consent, may be
// left out here.
func (r *Request) checkForms(purpose Purpose) (found []invalid.Value) {
	for key := range r.Evidence {
		if !slices.ContainsFunc(purpose.Evidence, func(e Evidence) bool { return e.Key == key }) {
			keys := make([]string, len(purpose.Evidence))
			for i, e := range purpose.Evidence {
				keys[i] = e.Key
			}
			found = append(found, invalid.Value{Location: "evidence", Code: invalid.NotWanted, Allowed: keys}) // the key is the caller's text
		}
	}
	for _, e := range purpose.Evidence {
		value, given := r.Evidence[e.Key]
		text, fault := textform.Line(value, maxEvidence)
		code, allowed := invalid.Text(fault), []string(nil)
		switch {
		case (!given || fault == textform.Empty) && (e.OfLeavers || e.Unrecorded):
			delete(r.Evidence, e.Key) // blanks are nothing
			continue
		case code != "":
		case e.Kind == Choice && !slices.Contains(e.Choices, text):
			code, allowed = invalid.NotAllowed, e.Choices
		case e.Kind == Instant || e.Kind == Date:
			if _, _, ok := e.span(text); !ok {
				code = invalid.Malformed
			}
		}
		if code != "" {
			found = append(found, invalid.Value{Location: "evidence." + e.Key, Code: code, Allowed: allowed})
			continue
		}
		r.Evidence[e.Key] = text
	}
	return found
}

// span is between when and when something was, by a piece of evidence. A date begins and ends where it does so first and
// last: who writes it may be in another zone than the person.
func (e Evidence) span(text string) (from, to time.Time, ok bool) {
	if e.Kind == Instant {
		at, err := time.Parse(time.RFC3339, text)
		return at, at, err == nil
	}
	d, err := clock.ParseDate(text)
	if err != nil {
		return from, to, false
	}
	return clock.StartOfDay(d, time.UTC).Add(-14 * time.Hour), clock.EndOfDay(d, time.UTC).Add(12 * time.Hour), true
}

// tolerance is how far ahead a clock may be on which somebody read a time.
const tolerance = 5 * time.Minute

// judgeEvidence holds evidence against the facts: nothing lies in the future, and of who has left what leavers need is
// there. It says whether something was long ago.
func (r Request) judgeEvidence(purpose Purpose, j judged) (longAgo bool, err error) {
	var found []invalid.Value
	for _, e := range purpose.Evidence {
		value := r.Evidence[e.Key]
		if value == "" {
			if e.OfLeavers && !j.facts.employed() || e.Unrecorded && j.facts.Consent != consent.Given && !j.facts.Consent.Refuses() {
				found = append(found, invalid.Value{Location: "evidence." + e.Key, Code: invalid.Required})
			}
			continue
		}
		if e.Kind != Instant && e.Kind != Date {
			continue
		}
		from, to, _ := e.span(value)
		switch {
		case from.After(j.now.Add(tolerance)):
			found = append(found, invalid.Value{Location: "evidence." + e.Key, Code: invalid.InFuture})
		case e.Fresh > 0 && j.now.Sub(to) > e.Fresh:
			longAgo = true
		}
	}
	if len(found) > 0 {
		return false, &invalid.ValuesError{Problems: found}
	}
	return longAgo, nil
}

// knowsAsker refuses a colleague who does not exist.
func (r Request) knowsAsker(tx *database.Tx, by models.Actor) error {
	if r.RequestedBy.EmployeeID == nil {
		return nil
	}
	seen, err := archive.SeenBy(tx.DB(), by)
	if err != nil {
		return err
	}
	var n int64
	err = tx.DB().Table("employees").Scopes(seen).Where("employees.id = ?", *r.RequestedBy.EmployeeID).Count(&n).Error
	if err == nil && n == 0 {
		return invalid.At("requested_by.employee_id", invalid.Unknown)
	}
	return database.Wrap("looking for who asked", err)
}
