package evidence

import (
	_ "embed" // the fonts
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/signintech/gopdf"
)

//go:embed font/DroidSansFallbackFull.ttf
var chineseFont []byte

//go:embed font/Roboto-Regular.ttf
var latinFont []byte

const (
	latin   = "latin"
	chinese = "chinese"
	margin  = 50.0 // points
	lead    = 1.55 // line height in font sizes
)

// page writes text onto A4 pages, line after line. Chinese and Latin come from two fonts, since no
// free one that can be embedded has both; a line changes between them.
type page struct {
	pdf *gopdf.GoPdf
	y   float64
	err error
	// missing says that something was written that neither font has.
	missing bool
}

// missingGlyph stands for a character that neither font has.
const missingGlyph = '〓'

func newPage(title string) *page {
	p := &page{pdf: &gopdf.GoPdf{}}
	p.pdf.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
	p.pdf.SetInfo(gopdf.PdfInfo{Title: title, Producer: "Lethe"})
	// What neither font has is shown as a mark that printers use for a missing character.
	missing := gopdf.TtfOption{OnGlyphNotFoundSubstitute: func(rune) rune {
		p.missing = true
		return missingGlyph
	}}
	p.err = errors.Join(p.pdf.AddTTFFontDataWithOption(chinese, chineseFont, missing), p.pdf.AddTTFFontData(latin, latinFont))
	p.turn()
	return p
}

func (p *page) turn() {
	p.pdf.AddPage()
	p.y = margin
}

// run is a piece of a line in one font.
type run struct{ font, text string }

func fontOf(r rune) string {
	if unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic) && r < 0xff00 || r < 0x2100 && !unicode.IsLetter(r) && !unicode.IsMark(r) {
		return latin
	}
	return chinese
}

func runs(text string) []run {
	var all []run
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			r = ' '
		}
		if font := fontOf(r); len(all) == 0 || all[len(all)-1].font != font {
			all = append(all, run{font: font})
		}
		all[len(all)-1].text += string(r)
	}
	return all
}

// text writes a paragraph, broken where it has to be: between words, or anywhere in Chinese.
func (p *page) text(size float64, text string) {
	for _, paragraph := range strings.Split(text, "\n") {
		for _, line := range p.lines(size, paragraph) {
			p.line(size, line)
		}
	}
}

func (p *page) line(size float64, text string) {
	if p.y+size*lead > gopdf.PageSizeA4.H-margin {
		p.turn()
	}
	x := margin
	for _, r := range runs(text) {
		p.try(p.pdf.SetFont(r.font, "", size))
		p.pdf.SetXY(x, p.y)
		p.try(p.pdf.Text(r.text))
		x += p.width(size, r)
	}
	p.y += size * lead
}

func (p *page) space(points float64) { p.y += points }

func (p *page) width(size float64, r run) float64 {
	p.try(p.pdf.SetFont(r.font, "", size))
	w, err := p.pdf.MeasureTextWidth(r.text)
	p.try(err)
	return w
}

// lines breaks a paragraph so that each line fits.
func (p *page) lines(size float64, paragraph string) []string {
	var done []string
	line, width := "", 0.0
	for _, word := range words(paragraph) {
		w := 0.0
		for _, r := range runs(word) {
			w += p.width(size, r)
		}
		if width+w > gopdf.PageSizeA4.W-2*margin && line != "" {
			done = append(done, strings.TrimRight(line, " "))
			line, width = "", 0
		}
		line, width = line+word, width+w
	}
	return append(done, line)
}

// words cuts a text into what must stay on one line. What is longer than a line, a hash, is cut too.
func words(text string) []string {
	const longest = 48
	var all []string
	word := ""
	end := func() {
		if word != "" {
			all = append(all, word)
		}
		word = ""
	}
	for _, r := range text {
		switch {
		case r == ' ':
			word += " "
			end()
		case fontOf(r) == chinese:
			// Punctuation stays with the character before it.
			if strings.ContainsRune("，。；：、！？）》”", r) && len(all) > 0 && word == "" {
				all[len(all)-1] += string(r)
				continue
			}
			end()
			all = append(all, string(r))
		default:
			word += string(r)
			if len(word) >= longest {
				end()
			}
		}
	}
	end()
	return all
}

func (p *page) try(err error) {
	if p.err == nil {
		p.err = err
	}
}

// writeTo ends the document, and says where to read what it cannot show.
func (p *page) writeTo(w io.Writer) error {
	if p.missing {
		p.space(6)
		p.text(9, string(missingGlyph)+" 表示本摘要无法显示的字符，原文见 manifest.json 与 entries.jsonl")
		p.text(9, string(missingGlyph)+" stands for characters that this summary cannot show: manifest.json and entries.jsonl have them")
	}
	if p.err != nil {
		return fmt.Errorf("writing the summary: %w", p.err)
	}
	if _, err := p.pdf.WriteTo(w); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}
