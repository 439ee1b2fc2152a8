package pdf

import (
	_ "embed" // the fonts
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

//go:embed font/DroidSansFallbackFull.ttf
var chineseFont []byte

//go:embed font/Roboto-Regular.ttf
var latinFont []byte

// The fonts. No free one that can be embedded has both Chinese and Latin; a line changes between them. The tag before the
// name says that a document has a part of the font (ISO 32000-1, 9.6.4): readers take no installed one of that name instead.
const (
	latin   = "LETHEL Roboto"
	chinese = "LETHEC DroidSansFallback"
)

// lastOfPlane is the last character that the library writes so that readers can copy it again.
const lastOfPlane = 0xffff

// run is a piece of a line in one font.
type run struct{ font, text string }

// fontOf says which font writes a character; none: neither has it.
func (d *Document) fontOf(r rune) string {
	font, known := d.fonts[r]
	if known {
		return font
	}
	first, second := chinese, latin
	if r < 0x2100 && !unicode.IsLetter(r) && !unicode.IsMark(r) || unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic) && r < 0xff00 {
		first, second = latin, chinese
	}
	switch {
	case d.has(first, r):
		font = first
	case d.has(second, r):
		font = second
	}
	d.fonts[r] = font
	return font
}

func (d *Document) has(font string, r rune) bool {
	if r > lastOfPlane || r < ' ' || unicode.Is(unicode.Cf, r) || unicode.IsControl(r) {
		return false
	}
	d.try(d.pdf.SetFont(font, "", SizeSmall))
	has, err := d.pdf.IsCurrFontContainGlyph(r)
	d.try(err)
	return has
}

// shown is a text as it can be written: a character that no font has, or that nobody would see, is its code in brackets.
func (d *Document) shown(text string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(text) {
		switch {
		case r == '\n':
			b.WriteRune(r)
		case r == '\t':
			b.WriteRune(' ')
		case d.fontOf(r) != "":
			b.WriteRune(r)
		default:
			d.unseen = true
			fmt.Fprintf(&b, "[U+%04X]", r)
		}
	}
	return b.String()
}

// runs cuts a text that can be written by its fonts.
func (d *Document) runs(text string) []run {
	var all []run
	for _, r := range text {
		if font := d.fontOf(r); len(all) == 0 || all[len(all)-1].font != font {
			all = append(all, run{font: font})
		}
		all[len(all)-1].text += string(r)
	}
	return all
}
