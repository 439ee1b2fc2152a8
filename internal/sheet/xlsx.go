package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds within a workbook. A workbook is XML in a ZIP (ECMA-376); neither is believed about its sizes.
const (
	maxParts   = 2000      // files in the ZIP
	maxDepth   = 64        // elements within elements
	maxShared  = 64 << 20  // bytes of the texts that cells share
	sharedMost = 4_000_000 // of these texts
	rowsMost   = 1 << 20   // of a sheet, empty ones too
	columnMost = 1 << 14
)

// workbook reads the first visible sheet of a workbook.
type workbook struct {
	parts    map[string]*zip.File
	left     int64 // bytes that may still be unpacked
	shared   []string
	dates    []bool // by style: numbers of cells that are days
	from1904 bool

	sheet *part
	row   int
}

func newWorkbook(file []byte, l Limits) (Reader, error) {
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil || len(archive.File) > maxParts {
		return nil, &Error{Fault: Damaged}
	}
	w := &workbook{parts: map[string]*zip.File{}, left: min(l.Unpacked, 1<<20+l.Ratio*int64(len(file)))}
	for _, f := range archive.File {
		w.parts[strings.TrimPrefix(f.Name, "/")] = f
	}
	name, err := w.firstSheet()
	if err == nil {
		err = w.readShared()
	}
	if err == nil {
		err = w.readStyles()
	}
	if err == nil {
		w.sheet, err = w.open(name)
	}
	if err != nil {
		return nil, err
	}
	return w, nil
}

// part is one XML file, read element by element.
type part struct {
	xml   *xml.Decoder
	meter *meter
	depth int
}

// unpacked counts what all parts unpack to.
type unpacked struct {
	from io.Reader
	w    *workbook
}

func (u unpacked) Read(p []byte) (int, error) {
	if u.w.left <= 0 {
		return 0, &Error{Fault: TooDense}
	}
	if int64(len(p)) > u.w.left {
		p = p[:u.w.left]
	}
	n, err := u.from.Read(p)
	u.w.left -= int64(n)
	return n, err
}

func (w *workbook) open(name string) (*part, error) {
	f, ok := w.parts[name]
	if !ok {
		return nil, &Error{Fault: NotATable}
	}
	unzipped, err := f.Open()
	if err != nil {
		return nil, &Error{Fault: Damaged}
	}
	m := &meter{from: unpacked{unzipped, w}, left: perRow, over: &Error{Fault: CellTooLong}}
	return &part{xml: xml.NewDecoder(m), meter: m}, nil
}

// next is the next beginning or end of an element, or text.
func (p *part) next() (xml.Token, error) {
	token, err := p.xml.RawToken()
	var own *Error
	switch {
	case errors.Is(err, io.EOF):
		if p.depth != 0 {
			return nil, &Error{Fault: Damaged}
		}
		return nil, io.EOF
	case errors.As(err, &own):
		return nil, own
	case err != nil:
		return nil, &Error{Fault: Damaged}
	}
	switch token.(type) {
	case xml.StartElement:
		if p.depth++; p.depth > maxDepth {
			return nil, &Error{Fault: Damaged}
		}
	case xml.EndElement:
		if p.depth--; p.depth < 0 {
			return nil, &Error{Fault: Damaged}
		}
	}
	return token, nil
}

// each calls do with each element that begins, until the part ends.
func (p *part) each(do func(e xml.StartElement) error) error {
	for {
		token, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok {
			p.meter.left = perRow
			if err := do(e); err != nil {
				return err
			}
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (w *workbook) firstSheet() (string, error) {
	const folder = "xl"
	relations, err := w.open(folder + "/_rels/workbook.xml.rels")
	if err != nil {
		return "", err
	}
	targets := map[string]string{}
	err = relations.each(func(e xml.StartElement) error {
		if e.Name.Local == "Relationship" {
			target := attribute(e, "Target")
			if rest, ok := strings.CutPrefix(target, "/"); ok {
				target = rest
			} else {
				target = path.Join(folder, target)
			}
			targets[attribute(e, "Id")] = target
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	book, err := w.open(folder + "/workbook.xml")
	if err != nil {
		return "", err
	}
	first := ""
	err = book.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			w.from1904 = truth(attribute(e, "date1904"))
		case "sheet":
			if state := attribute(e, "state"); first == "" && (state == "" || state == "visible") {
				for _, a := range e.Attr {
					if a.Name.Local == "id" { // r:id; sheetId is another
						first = targets[a.Value]
					}
				}
			}
		}
		return nil
	})
	if err == nil && first == "" {
		err = &Error{Fault: NotATable}
	}
	return first, err
}

func truth(s string) bool { return s == "1" || s == "true" }

func (w *workbook) readShared() error {
	const name = "xl/sharedStrings.xml"
	if _, there := w.parts[name]; !there {
		return nil
	}
	p, err := w.open(name)
	if err != nil {
		return err
	}
	size := 0
	return p.each(func(e xml.StartElement) error {
		if e.Name.Local != "si" {
			return nil
		}
		text, err := p.text("si")
		if size += len(text); err == nil && (size > maxShared || len(w.shared) >= sharedMost) {
			err = &Error{Fault: TooDense}
		}
		w.shared = append(w.shared, text)
		return err
	})
}

// text is what the element that has begun shows: its t elements, without readings (rPh).
func (p *part) text(end string) (string, error) {
	var b strings.Builder
	within, reading := false, false
	for {
		token, err := p.next()
		if err != nil {
			return "", unexpected(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			within = t.Name.Local == "t" && !reading
			reading = reading || t.Name.Local == "rPh"
		case xml.EndElement:
			switch within = false; t.Name.Local {
			case end:
				return escaped(b.String()), nil
			case "rPh":
				reading = false
			}
		case xml.CharData:
			if within {
				b.Write(t)
			}
		}
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return &Error{Fault: Damaged}
	}
	return err
}

// escaped reads how a workbook writes characters that XML cannot hold: _x000D_ (ECMA-376, ST_Xstring).
func escaped(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for {
		at := strings.Index(s, "_x")
		if at < 0 || len(s) < at+7 {
			return b.String() + s
		}
		b.WriteString(s[:at])
		code, err := strconv.ParseUint(s[at+2:at+6], 16, 16)
		if err != nil || s[at+6] != '_' || !utf8.ValidRune(rune(code)) {
			b.WriteString("_x")
			s = s[at+2:]
			continue
		}
		b.WriteRune(rune(code))
		s = s[at+7:]
	}
}

func (w *workbook) readStyles() error {
	const name = "xl/styles.xml"
	if _, there := w.parts[name]; !there {
		return nil
	}
	p, err := w.open(name)
	if err != nil {
		return err
	}
	own, cells := map[string]bool{}, false
	return p.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "numFmt":
			own[attribute(e, "numFmtId")] = dateFormat(attribute(e, "formatCode"))
		case "cellStyleXfs", "cellXfs", "cellStyles", "dxfs":
			cells = e.Name.Local == "cellXfs"
		case "xf":
			if !cells {
				return nil
			}
			id := attribute(e, "numFmtId")
			isDate, given := own[id]
			if !given {
				isDate = builtinDate(id)
			}
			if len(w.dates) >= 1<<16 {
				return &Error{Fault: Damaged}
			}
			w.dates = append(w.dates, isDate)
		}
		return nil
	})
}

// Next reads a row.
func (w *workbook) Next() (Row, error) {
	for {
		w.sheet.meter.left = perRow
		token, err := w.sheet.next()
		if err != nil {
			return Row{}, err
		}
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local != "row" {
			continue
		}
		if w.row++; w.row > rowsMost {
			return Row{}, &Error{Fault: TooManyRows}
		}
		if n, err := strconv.Atoi(attribute(e, "r")); err == nil && n >= w.row {
			w.row = n
		}
		return w.cells()
	}
}

func (w *workbook) cells() (Row, error) {
	row := Row{Number: w.row}
	for {
		token, err := w.sheet.next()
		if err != nil {
			return Row{}, unexpected(err)
		}
		switch t := token.(type) {
		case xml.EndElement:
			if t.Name.Local == "row" {
				return row, nil
			}
		case xml.StartElement:
			if t.Name.Local != "c" {
				continue
			}
			at := column(attribute(t, "r"), len(row.Cells))
			if at < 0 || at >= columnMost {
				return Row{}, &Error{TooManyColumns, row.Number}
			}
			cell, lost, err := w.cell(t)
			if err != nil {
				return Row{}, err
			}
			if cell == "" {
				continue
			}
			for len(row.Cells) <= at {
				row.Cells = append(row.Cells, "")
			}
			row.Cells[at] = cell
			if lost {
				row.Lost = append(row.Lost, at)
			}
		}
	}
}

// column is the place of a cell from its address, such as AB7; without one it is the next.
func column(address string, next int) int {
	at := 0
	for i := 0; i < len(address) && address[i] >= 'A' && address[i] <= 'Z'; i++ {
		if at = at*26 + int(address[i]-'A') + 1; at > columnMost {
			return -1
		}
	}
	if at == 0 {
		return next
	}
	return at - 1
}

// cell reads the cell that has begun. Formulas are not read, but what they came to.
func (w *workbook) cell(e xml.StartElement) (text string, lost bool, err error) {
	kind, style := attribute(e, "t"), attribute(e, "s")
	var value strings.Builder
	within := false
	for {
		token, err := w.sheet.next()
		if err != nil {
			return "", false, unexpected(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local == "is" {
				inline, err := w.sheet.text("is")
				if err != nil {
					return "", false, err
				}
				value.WriteString(inline)
			}
			within = t.Name.Local == "v"
		case xml.CharData:
			if within {
				value.Write(t)
			}
		case xml.EndElement:
			within = false
			if t.Name.Local == "c" {
				return w.shown(kind, style, value.String())
			}
		}
	}
}

// shown is a cell's value as text.
func (w *workbook) shown(kind, style, value string) (text string, lost bool, err error) {
	switch kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || i < 0 || i >= len(w.shared) {
			return "", false, &Error{Damaged, w.row}
		}
		return w.shared[i], false, nil
	case "", "n":
		if value == "" {
			return "", false, nil
		}
		at, _ := strconv.Atoi(style)
		text, lost = number(value, at >= 0 && at < len(w.dates) && w.dates[at], w.from1904)
		return text, lost, nil
	case "b":
		return map[bool]string{true: "TRUE", false: "FALSE"}[truth(value)], false, nil
	case "str":
		return escaped(value), false, nil
	}
	return value, false, nil
}
