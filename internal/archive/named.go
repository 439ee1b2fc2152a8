package archive

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/internal/textform"
)

// unspaced leaves out what stands between syllables: zhang wei, xi'an.
var unspaced = strings.NewReplacer(" ", "", "'", "", "’", "", "-", "", "·", "")

// gramEnd stands between grams on their way to the database; no text has it.
const gramEnd = "\x1f"

// Named is the condition that a row's person has a name or number that holds the text, whatever the width,
// the case or the form of its characters, traditional or simplified; or one that sounds so in pinyin, whole or in
// initials, from one of its syllables on; or a former name that holds it. The row is of a table with the columns
// search_text and search_names, as of employees.
func Named(ctx context.Context, db *database.DB, part string) (named database.Condition, err error) {
	var folded string // by the database, so that both sides are folded alike
	if err := db.Read(ctx).Raw(`SELECT btrim(person_text(?, ''), E' \n')`, part).Scan(&folded).Error; err != nil {
		return named, fmt.Errorf("folding a search: %w", database.Hide(err))
	}
	grams := textform.Grams(folded)
	if len(grams) == 0 { // a single character
		grams = []string{folded}
	}
	holds := gorm.Expr("strpos(search_text, ?) > 0", folded)
	has := gorm.Expr("person_grams(search_text) @> string_to_array(?, ?)", strings.Join(grams, gramEnd), gramEnd)
	sound := unspaced.Replace(folded)
	switch {
	case sound != "" && !strings.ContainsAny(sound, "0123456789"):
	case len(grams) == 1 && grams[0] == folded: // who has the gram holds the text
		return database.Condition{Row: holds, Index: has}, nil
	default: // part of a number: no name sounds so
		return database.Condition{Row: holds, Index: gorm.Expr("? AND ?", holds, has)}, nil
	}
	sound = nameStart + sound
	holds = gorm.Expr("(? OR strpos(search_names, ?) > 0)", holds, sound)
	// The indexes' conditions stand together and by themselves: else the grams of each row that they find are made anew
	// to check them, which takes longer than to find the rows.
	has = gorm.Expr("(? OR person_grams(search_names) @> string_to_array(?, ?))", has, strings.Join(textform.Grams(sound), gramEnd), gramEnd)
	return database.Condition{Row: holds, Index: gorm.Expr("(? AND ?)", has, holds)}, nil
}
