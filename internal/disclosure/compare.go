package disclosure

import (
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/textform"
	"lethe/internal/vault"
	"lethe/models"
)

// maxTries is how often a day the number of one field of one person may be compared, by whomever.
const maxTries = 3

// CodeNotComparable says that a field is no number that could be compared.
const CodeNotComparable = "not_comparable"

// checkCompared says what is malformed about the number that is to be compared.
func (r *Request) checkCompared() (found []invalid.Value) {
	if r.Compare == nil {
		return nil
	}
	text, fault := textform.Line(*r.Compare, maxEvidence)
	if code := invalid.Text(fault); code != "" {
		found = append(found, invalid.Value{Location: "value", Code: code})
	}
	if len(r.Fields) > 1 {
		found = append(found, invalid.Value{Location: "fields", Code: invalid.TooLong})
	}
	r.Compare = &text
	return found
}

// compare opens the field and says whether the number is the one in the file; the value goes nowhere. A file that has
// none has another one.
func (l *Look) compare(tx *database.Tx, opener vault.Opener, a Asked) error {
	f := a.judged.fields[0]
	value, ok, err := archive.OpenField(tx, opener, f)
	if err != nil {
		return err
	}
	same := ok && archive.SameNumber(f.FieldDefinition, value, *a.request.Compare)
	l.State, l.Matched = models.LookCompared, &same
	l.ShownAt, l.ShownTimes, l.OpenUntil = nil, 0, nil
	return nil
}
