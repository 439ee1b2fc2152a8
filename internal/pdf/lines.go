package pdf

import (
	"strings"
	"unicode"
)

// closing does not begin a line, opening does not end one.
const (
	closing = "，。；：、！？）》”’】」』〉…％"
	opening = "（《“‘【「『〈"
)

// lines breaks a text so that each line fits into a width: between words, or anywhere in Chinese.
func (d *Document) lines(size float64, text string, width float64) []string {
	var all []string
	for _, paragraph := range strings.Split(d.shown(text), "\n") {
		line, used := "", 0.0
		for _, word := range d.words(paragraph) {
			for _, piece := range d.fitting(size, word, width) {
				w := d.width(size, strings.TrimRight(piece, " "))
				if used+w > width && line != "" {
					all = append(all, strings.TrimRight(line, " "))
					line, used = "", 0
				}
				line, used = line+piece, used+d.width(size, piece)
			}
		}
		all = append(all, strings.TrimRight(line, " "))
	}
	return all
}

// words cuts a text into what should stay on one line.
func (d *Document) words(text string) []string {
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
		case strings.ContainsRune(closing, r) && word == "" && len(all) > 0:
			all[len(all)-1] += string(r)
		case strings.ContainsRune(closing, r):
			word += string(r)
			end()
		case strings.ContainsRune(opening, r):
			end()
			word = string(r)
		case d.fontOf(r) == chinese && !unicode.In(r, unicode.Hangul):
			if word != "" && strings.ContainsRune(opening, []rune(word)[0]) {
				word += string(r)
			} else {
				end()
				word = string(r)
			}
			end()
		default:
			word += string(r)
		}
	}
	end()
	return all
}

// fitting cuts a word that is wider than a line, a hash for one.
func (d *Document) fitting(size float64, word string, width float64) []string {
	if d.width(size, strings.TrimRight(word, " ")) <= width {
		return []string{word}
	}
	var all []string
	piece, used := "", 0.0
	for _, r := range word {
		w := d.width(size, string(r))
		if used+w > width && piece != "" {
			all = append(all, piece)
			piece, used = "", 0
		}
		piece, used = piece+string(r), used+w
	}
	return append(all, piece)
}

// width is how wide a text that can be written is.
func (d *Document) width(size float64, text string) float64 {
	sum := 0.0
	for _, r := range text {
		at, known := d.widths[r]
		if !known {
			const size = 100
			d.try(d.pdf.SetFont(d.fontOf(r), "", size))
			w, err := d.pdf.MeasureTextWidth(string(r))
			d.try(err)
			at = w / size
			d.widths[r] = at
		}
		sum += at * size
	}
	return sum
}
