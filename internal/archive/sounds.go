package archive

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/mozillazg/go-pinyin"
	"golang.org/x/text/unicode/norm"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/models"
)

// Bounds of what a name is found by.
const (
	mostUnits    = 12 // characters and words of a name
	mostReadings = 4  // of a character
	mostVariants = 8  // of a name
)

// nameStart stands before each text that a name is found by: who looks for it begins at a syllable, not within one.
const nameStart = "\n"

// FoundBy is what people are found by beside name and number: how the name sounds in pinyin, whole and in initials,
// from each of its syllables on, and the former names, which are folded as the database does, likewise. A character
// that is read in several ways is found by each.
func FoundBy(name string, former ...string) string {
	var all []string
	for i, n := range append([]string{name}, former...) {
		units := unitsOf(n)
		if i > 0 {
			for at := range units {
				all = append(all, joined(units[at:], func(u unit) string { return u.text }))
			}
		}
		if slices.ContainsFunc(units, func(u unit) bool { return u.readings != nil }) {
			all = append(all, sounds(units)...)
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return nameStart + strings.Join(slices.Compact(all), nameStart)
}

// unit is a Chinese character with its readings, or a word in letters.
type unit struct {
	text     string
	readings []string // of a character
}

func unitsOf(name string) (units []unit) {
	word := false
	for _, r := range strings.ToLower(norm.NFKC.String(name)) {
		switch {
		case unicode.Is(unicode.Han, r):
			units, word = append(units, unit{string(r), readings(r)}), false
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
			word = false
		case word:
			units[len(units)-1].text += string(r)
		default:
			units, word = append(units, unit{text: string(r)}), true
		}
		if len(units) > mostUnits {
			return units[:mostUnits]
		}
	}
	return units
}

var toneless = func() pinyin.Args {
	args := pinyin.NewArgs()
	args.Style, args.Heteronym = pinyin.Normal, true
	return args
}()

// readings are how a character sounds, the most common way first; ü is written v, or u.
func readings(r rune) (all []string) {
	for _, sound := range pinyin.SinglePinyin(r, toneless) {
		if sound == "" || sound[0] < 'a' || sound[0] > 'z' {
			continue
		}
		for _, s := range []string{sound, strings.ReplaceAll(sound, "v", "u")} {
			if !slices.Contains(all, s) && len(all) < mostReadings {
				all = append(all, s)
			}
		}
	}
	return all
}

// sounds are the ways in which a name is read, whole and in initials, from each of its units on.
func sounds(units []unit) (all []string) {
	variants := [][]unit{nil}
	for _, u := range units {
		ways := u.readings
		if len(ways) == 0 {
			ways = []string{u.text}
		}
		if len(variants)*len(ways) > mostVariants {
			ways = ways[:1]
		}
		var next [][]unit
		for _, v := range variants {
			for _, way := range ways {
				next = append(next, append(slices.Clone(v), unit{text: way}))
			}
		}
		variants = next
	}
	for _, v := range variants {
		for at := range v {
			all = append(all, joined(v[at:], func(u unit) string { return u.text }), joined(v[at:], func(u unit) string {
				_, long := utf8.DecodeRuneInString(u.text)
				return u.text[:long]
			}))
		}
	}
	return all
}

func joined(units []unit, of func(unit) string) string {
	var b strings.Builder
	for _, u := range units {
		b.WriteString(of(u))
	}
	return b.String()
}

// hear writes what people are found by, of those whom the query chooses, and returns their ids.
func hear(tx *database.Tx, people *gorm.DB) ([]string, error) {
	var rows []struct {
		ID     uuid.UUID
		Name   string
		Former models.Names `gorm:"type:text[]"`
	}
	err := people.Table("employees").Select(`id, name,
		ARRAY(SELECT btrim(person_text(f, ''), E' \n') FROM unnest(former_names) f) AS former`).Scan(&rows).Error
	if err != nil {
		return nil, database.Wrap("reading names", err)
	}
	ids, found := make([]string, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		ids[i], found[i] = r.ID.String(), FoundBy(r.Name, r.Former...)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	err = tx.DB().Exec(`UPDATE employees e SET search_names = n.found FROM unnest(?::uuid[], ?::text[]) n (id, found) WHERE e.id = n.id`,
		models.Names(ids), models.Names(found)).Error
	return ids, database.Wrap("writing what people are found by", err)
}

// namesAtOnce is how many people one transaction of HearNames writes.
const namesAtOnce = 2000

// HearNames writes what people are found by where that was not written yet: those of former versions. It may be
// repeated, stopped, and run beside everything else.
func HearNames(ctx context.Context, db *database.DB) error {
	last := uuid.Nil.String()
	for last != "" {
		err := database.Run(ctx, db, func(tx *database.Tx) error {
			ids, err := hear(tx, tx.DB().Where("search_names IS NULL AND id > ?", last).Order("id").Limit(namesAtOnce).Clauses(database.ForChange))
			if last = ""; len(ids) == namesAtOnce {
				last = ids[len(ids)-1]
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
