package textform

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestANameIsStoredAsItIsSeen(t *testing.T) {
	for _, k := range []struct {
		name, written, stored string
		fault                 Fault
	}{
		{"plain", "张伟", "张伟", ""},
		{"a zero-width space within", "张\u200b伟", "张伟", ""},
		{"a soft hyphen, a word joiner, a byte order mark", "Mül\u00adler\u2060\ufeff", "Müller", ""},
		{"decomposed", "Mu\u0308ller", "Müller", ""},
		{"blanks", "\u3000 Anna \u00a0 Maria\u2003", "Anna Maria", ""},
		{"a joiner that Persian needs", "علی\u200cرضا", "علی\u200cرضا", ""},
		{"a joiner in a word of Latin", "An\u200dna", "Anna", ""},
		{"a joiner between Han", "张\u200d伟", "张伟", ""},
		{"full width stays as written", "ＡＢＣ", "ＡＢＣ", ""},
		{"traditional stays as written", "張偉", "張偉", ""},
		{"nothing", "", "", Empty},
		{"a zero-width space alone", "\u200b", "", Empty},
		{"blanks alone", " \u3000\u00a0", "", Empty},
		{"a Hangul filler alone", "\u3164", "\u3164", Empty},
		{"an empty braille cell", "\u2800", "\u2800", Empty},
		{"an accent alone", "\u0301", "\u0301", Empty},
		{"variation selectors alone", "\ufe00\ufe01", "", Empty},
		{"a line end", "张\n伟", "", Unreadable},
		{"a line separator", "张\u2028伟", "", Unreadable},
		{"turned around", "\u202etxt", "", Unreadable},
		{"isolated", "a\u2066b", "", Unreadable},
		{"hidden tags", "a\U000e0041", "", Unreadable},
		{"no text", "\xff", "", Unreadable},
		{"the mark of unreadable bytes", "\ufffd", "", Unreadable},
		{"a noncharacter", "a\ufdd0", "", Unreadable},
		{"too long", strings.Repeat("长", 11), strings.Repeat("长", 11), TooLong},
		{"long only as it is written", strings.Repeat("e\u0301", 10), strings.Repeat("é", 10), ""},
	} {
		stored, fault := Line(k.written, 10)
		if fault != k.fault || fault != Unreadable && stored != k.stored {
			t.Errorf("%s: %q, %q", k.name, stored, fault)
		}
	}
	if got, fault := Paragraphs("一\n\t二\r\n", 100); got != "一\n\t二\r\n" || fault != "" {
		t.Errorf("lines: %q %q", got, fault)
	}
	if _, fault := Paragraphs("a\u0007", 100); fault != Unreadable {
		t.Error("a bell is readable")
	}
}

// What was stored is stored the same again, shows something, and is readable.
func TestNormalisingOnceIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		written := rapid.String().Draw(t, "written")
		stored, fault := Line(written, 1000)
		if fault != "" {
			return
		}
		if again, fault := Line(stored, 1000); again != stored || fault != "" {
			t.Fatalf("%q became %q and then %q %q", written, stored, again, fault)
		}
		if !utf8.ValidString(stored) || strings.TrimSpace(stored) == "" {
			t.Fatalf("%q became %q", written, stored)
		}
	})
}
