package imports

import (
	"slices"
	"strings"

	"github.com/google/uuid"
)

// called are legal entities, departments or sites by what a row may call them: their code and names, folded.
type called map[string][]organised

type organised struct {
	id, entity uuid.UUID
	code       string
}

func (c called) add(id, entity uuid.UUID, code, zh, en string) {
	texts := []string{folded(code), folded(zh), folded(en)}
	slices.Sort(texts)
	for _, text := range slices.Compact(texts) {
		c[text] = append(c[text], organised{id, entity, code})
	}
}

// meant are those that a row means, within a legal entity if it names one: one alone, unless the text is the name of several. A
// code goes before a name, and as it is written before another that differs by its case.
func (c called) meant(text string, within uuid.UUID) []uuid.UUID {
	var byText, byCode, asWritten []uuid.UUID
	for _, o := range c[folded(text)] {
		if within != uuid.Nil && o.entity != within {
			continue
		}
		byText = append(byText, o.id)
		if folded(o.code) == folded(text) {
			byCode = append(byCode, o.id)
		}
		if o.code == strings.TrimSpace(text) {
			asWritten = append(asWritten, o.id)
		}
	}
	for _, found := range [][]uuid.UUID{asWritten, byCode} {
		if len(found) == 1 {
			return found
		}
	}
	return byText
}
