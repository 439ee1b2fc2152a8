package archive

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

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
func Named(ctx context.Context, db *database.DB, part string) (named clause.Expr, err error) {
	var folded string // by the database, so that both sides are folded alike
	if err := db.Read(ctx).Raw(`SELECT btrim(person_text(?, ''), E' \n')`, part).Scan(&folded).Error; err != nil {
		return named, fmt.Errorf("folding a search: %w", database.Hide(err))
	}
	grams := textform.Grams(folded)
	if len(grams) == 0 { // a single character
		grams = []string{folded}
	}
	sound := unspaced.Replace(folded)
	if sound == "" || strings.ContainsAny(sound, "0123456789") { // part of a number: no name sounds so
		return gorm.Expr("strpos(search_text, ?) > 0 AND person_grams(search_text) @> string_to_array(?, ?)",
			folded, strings.Join(grams, gramEnd), gramEnd), nil
	}
	sound = nameStart + sound
	// The indexes' conditions stand together and by themselves: else the grams of each row that they find are made anew
	// to check them, which takes longer than to find the rows.
	return gorm.Expr(`((person_grams(search_text) @> string_to_array(?, ?) OR person_grams(search_names) @> string_to_array(?, ?))
		AND (strpos(search_text, ?) > 0 OR strpos(search_names, ?) > 0))`,
		strings.Join(grams, gramEnd), gramEnd, strings.Join(textform.Grams(sound), gramEnd), gramEnd, folded, sound), nil
}
