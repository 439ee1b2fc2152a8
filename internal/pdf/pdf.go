// Package pdf writes documents for people: A4 pages with headings, paragraphs and tables that go on over pages, in Chinese
// and Latin letters. A character that its fonts do not have stands as its code, and the page says so: nothing is lost
// without a trace. What describes the file (its metadata) is a title of the program's own, never a value.
package pdf

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/signintech/gopdf"
)

// In points.
const (
	margin    = 50.0
	lead      = 1.5  // line height in font sizes
	gap       = 8.0  // between the columns of a table
	rowSpace  = 3.0  // above and below a row
	footAt    = 24.0 // the number of the page, from below
	unseenAt  = 44.0 // what a code in brackets means, from below
	footLines = 9.0
	thin      = 0.4
)

// The sizes of text.
const (
	SizeTitle   = 18.0
	SizeHeading = 12.0
	SizeText    = 10.0
	SizeSmall   = 8.0
	sizeFoot    = 7.0
)

// About is what a document says of itself.
type About struct {
	// Title describes the file: a text of the program, without any value.
	Title string
	// Unseen says, in at most two lines, what a code in brackets stands for; each page that has one says it.
	Unseen []string
}

// Document is one that is being written, from its first line to its last.
type Document struct {
	pdf    *gopdf.GoPdf
	about  About
	y      float64
	err    error
	fonts  map[rune]string  // which font writes a character
	widths map[rune]float64 // of a character, in font sizes
	unseen bool
	// unseenOn are the pages with a code in brackets.
	unseenOn map[int]bool
}

// New begins a document.
func New(about About) *Document {
	d := &Document{pdf: &gopdf.GoPdf{}, about: about, fonts: map[rune]string{}, widths: map[rune]float64{}, unseenOn: map[int]bool{}}
	d.pdf.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
	d.pdf.SetInfo(gopdf.PdfInfo{Title: about.Title, Producer: "Lethe"})
	d.try(d.pdf.AddTTFFontData(chinese, chineseFont))
	d.try(d.pdf.AddTTFFontData(latin, latinFont))
	d.turn()
	return d
}

// Unseen says whether a character was met that no font has.
func (d *Document) Unseen() bool { return d.unseen }

func (d *Document) turn() {
	d.pdf.AddPage()
	d.pdf.SetLineWidth(thin)
	d.y = margin
}

const (
	bodyWidth  = 595.28 - 2*margin // A4
	bodyBottom = 841.89 - margin
)

func height(size float64) float64 { return size * lead }

// room turns the page unless so much is left of it.
func (d *Document) room(points float64) (turned bool) {
	if d.y+points <= bodyBottom || d.y == margin {
		return false
	}
	d.turn()
	return true
}

// Title is the first line.
func (d *Document) Title(text string) { d.paragraph(SizeTitle, text, false) }

// Heading begins a part; it does not stand alone at the end of a page.
func (d *Document) Heading(text string) {
	if d.y > margin {
		d.y += SizeHeading * 0.8
	}
	d.room(height(SizeHeading) + 3*height(SizeText))
	d.paragraph(SizeHeading, text, false)
	d.y += 2
}

// Text is a paragraph, or several, in one of the sizes.
func (d *Document) Text(size float64, text string) { d.paragraph(size, text, false) }

// Faint is a paragraph that explains.
func (d *Document) Faint(size float64, text string) { d.paragraph(size, text, true) }

// Space leaves room.
func (d *Document) Space(points float64) { d.y += points }

func (d *Document) paragraph(size float64, text string, faint bool) {
	for _, line := range d.lines(size, text, bodyWidth) {
		d.room(height(size))
		d.body(margin, size, line, faint)
		d.y += height(size)
	}
}

// body writes a line of a page's text.
func (d *Document) body(x, size float64, line string, faint bool) {
	if strings.Contains(line, "[U+") {
		d.unseenOn[d.pdf.GetNumberOfPages()] = true
	}
	d.write(x, d.y, size, line, faint)
}

// write writes a line whose characters the fonts have, with its upper edge at y.
func (d *Document) write(x, y, size float64, line string, faint bool) {
	d.pdf.SetTextColor(0, 0, 0)
	if faint {
		d.pdf.SetTextColor(90, 90, 90)
	}
	for _, r := range d.runs(line) {
		d.try(d.pdf.SetFont(r.font, "", size))
		d.pdf.SetXY(x, y+size) // the base line
		d.try(d.pdf.Text(r.text))
		x += d.width(size, r.text)
	}
}

// Column is a column of a table.
type Column struct {
	Title string
	// Share is how much of the width it has, beside the others.
	Share float64
	Faint bool
}

// Table is what goes into columns. Without titles it is facts and what they are.
type Table struct {
	Columns []Column
	Rows    [][]string
}

// Facts are a table of two columns.
func Facts(rows ...[]string) Table {
	return Table{[]Column{{Share: 1, Faint: true}, {Share: 2.4}}, rows}
}

// Table writes a table; its titles stand on each page that it goes on to.
func (d *Document) Table(t Table) {
	total := 0.0
	for _, c := range t.Columns {
		total += c.Share
	}
	widths := make([]float64, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = (bodyWidth - gap*float64(len(t.Columns)-1)) * c.Share / total
	}
	titles, heads := make([]string, len(t.Columns)), make([]Column, len(t.Columns))
	for i, c := range t.Columns {
		titles[i], heads[i] = c.Title, Column{Faint: true}
	}
	head := func() {
		if strings.Join(titles, "") != "" {
			d.row(heads, widths, SizeSmall, titles, func() {})
		}
	}
	d.room(height(SizeSmall) + 3*height(SizeText))
	head()
	for _, r := range t.Rows {
		d.row(t.Columns, widths, sizeOfCells(t), r, head)
	}
	d.y += rowSpace
}

// sizeOfCells is smaller the more columns there are.
func sizeOfCells(t Table) float64 {
	if len(t.Columns) > 2 {
		return SizeSmall + 0.5
	}
	return SizeText
}

// row writes a row. One that does not fit onto what is left of the page begins on the next one; what is longer than a page
// goes on there.
func (d *Document) row(columns []Column, widths []float64, size float64, cells []string, head func()) {
	lines := make([][]string, len(columns))
	most := 1
	for i := range columns {
		if i < len(cells) {
			lines[i] = d.lines(size, cells[i], widths[i])
		}
		most = max(most, len(lines[i]))
	}
	if d.room(min(float64(most)*height(size)+2*rowSpace, (bodyBottom-margin)/2)) {
		head()
	}
	d.y += rowSpace
	for n := range most {
		if d.room(height(size) + rowSpace) {
			head()
			d.y += rowSpace
		}
		x := margin
		for i := range columns {
			if n < len(lines[i]) {
				d.body(x, size, lines[i][n], columns[i].Faint)
			}
			x += widths[i] + gap
		}
		d.y += height(size)
	}
	d.y += rowSpace
	d.pdf.SetStrokeColor(190, 190, 190)
	d.pdf.Line(margin, d.y, margin+bodyWidth, d.y)
}

func (d *Document) try(err error) {
	if d.err == nil {
		d.err = err
	}
}

// feet write the number of each page, and what a code in brackets means.
func (d *Document) feet() {
	pages := d.pdf.GetNumberOfPages()
	for n := 1; n <= pages; n++ {
		d.try(d.pdf.SetPage(n))
		number := strconv.Itoa(n) + " / " + strconv.Itoa(pages)
		d.write(margin+bodyWidth-d.width(SizeSmall, number), bodyBottom+margin-footAt, SizeSmall, number, true)
		if !d.unseenOn[n] {
			continue
		}
		for i, line := range d.about.Unseen {
			d.write(margin, bodyBottom+margin-unseenAt+float64(i)*footLines, sizeFoot, line, true)
		}
	}
}

// Bytes ends the document.
func (d *Document) Bytes() ([]byte, error) {
	d.feet()
	var out bytes.Buffer
	if d.err == nil {
		_, d.err = d.pdf.WriteTo(&out)
	}
	if d.err != nil {
		return nil, fmt.Errorf("writing a document: %w", d.err)
	}
	return out.Bytes(), nil
}
