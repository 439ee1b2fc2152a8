// Package sheet reads the tables that people send, CSV and XLSX, row by row and within bounds, and writes them. It
// knows nothing of what they say. Text stays text: 0123, a number of 18 digits, +86.
package sheet

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"lethe/internal/closed"
)

// Limits bound a file. None of them is taken from what the file says of itself.
type Limits struct {
	Unpacked int64 // bytes that a workbook may unpack to, all parts together
	Ratio    int64 // how many times the size of the file that may be, above a megabyte
	Rows     int   // with something in them, besides the header
	Columns  int
	Cell     int // bytes of one cell
}

// Bounds are those for people.
var Bounds = Limits{Unpacked: 1 << 30, Ratio: 200, Rows: 200_000, Columns: 200, Cell: 8 << 10}

// MaxBytes is the largest file.
const MaxBytes = 64 << 20

// Format is what a file is.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// Formats lists them all.
var Formats = closed.Of("sheet_format", CSV, XLSX)

// Fault is why a file cannot be read.
type Fault string

// The faults.
const (
	NotATable      Fault = "not_a_table"     // neither text nor a workbook
	FormerFormat   Fault = "former_format"   // .xls, or a workbook with a password
	Empty          Fault = "no_rows"         // nothing, or a header and nothing below it
	Damaged        Fault = "damaged"         // cut off, or not well-formed
	BrokenQuotes   Fault = "broken_quotes"   // a quote that nothing closes, or within a cell
	Unreadable     Fault = "unreadable_text" // in no encoding that is known
	TooDense       Fault = "too_dense"       // unpacks to more than a file of its size may
	TooManyRows    Fault = "too_many_rows"
	TooManyColumns Fault = "too_many_columns"
	CellTooLong    Fault = "cell_too_long"
)

// Faults lists them all.
var Faults = closed.Of("field", NotATable, FormerFormat, Empty, Damaged, BrokenQuotes, Unreadable, TooDense,
	TooManyRows, TooManyColumns, CellTooLong)

// Error is a fault, in a row if it is not the file's (1 is the first). It repeats nothing of the file.
type Error struct {
	Fault Fault
	Row   int
}

func (e *Error) Error() string {
	return fmt.Sprintf("the table cannot be read: %s, row %d", e.Fault, e.Row)
}

// Row is a row with something in it. Cells have no blanks at their ends, and there are none behind the last one with
// something in it.
type Row struct {
	Number int // as a spreadsheet program counts
	Cells  []string
	// Lost are the columns, from 0, of numbers that were stored with fewer digits than they have.
	Lost []int
}

// Reader reads rows, the header among them.
type Reader interface {
	// Next is the next row with something in it; io.EOF after the last one, or an [Error].
	Next() (Row, error)
}

// otherKinds are how files begin that could pass for text.
var otherKinds = []string{"%PDF-", "{\\rtf", "<!DOCTYPE", "<!doctype", "<html", "<?xml", "\x89PNG", "\xFF\xD8\xFF"}

// Open finds out what a file is and reads it. The bytes are not changed, and are read until the last row was.
func Open(file []byte, l Limits) (Reader, Format, error) {
	var r Reader
	var err error
	format := CSV
	switch {
	case len(bytes.TrimSpace(file)) == 0:
		return nil, "", &Error{Fault: Empty}
	case bytes.HasPrefix(file, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")): // OLE2
		return nil, "", &Error{Fault: FormerFormat}
	case slices.ContainsFunc(otherKinds, func(mark string) bool { return bytes.HasPrefix(file, []byte(mark)) }):
		return nil, "", &Error{Fault: NotATable}
	case bytes.HasPrefix(file, []byte("PK\x03\x04")):
		format = XLSX
		r, err = newWorkbook(file, l)
	default:
		r, err = newText(file, l)
	}
	if err != nil {
		return nil, "", err
	}
	return &bounded{from: r, limits: l}, format, nil
}

// bounded applies what holds of rows in either format.
type bounded struct {
	from   Reader
	limits Limits
	rows   int
}

func (b *bounded) Next() (Row, error) {
	for {
		row, err := b.from.Next()
		if err != nil {
			return Row{}, err
		}
		for i, cell := range row.Cells {
			if len(cell) > b.limits.Cell {
				return Row{}, &Error{CellTooLong, row.Number}
			}
			row.Cells[i] = Restore(strings.TrimFunc(cell, blank))
		}
		for len(row.Cells) > 0 && row.Cells[len(row.Cells)-1] == "" {
			row.Cells = row.Cells[:len(row.Cells)-1]
		}
		switch {
		case len(row.Cells) == 0:
			continue
		case len(row.Cells) > b.limits.Columns:
			return Row{}, &Error{TooManyColumns, row.Number}
		case b.rows > b.limits.Rows: // the header is one more
			return Row{}, &Error{Fault: TooManyRows}
		}
		b.rows++
		return row, nil
	}
}

func blank(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' || r == '\u200B' }

// meter fails where one row, or one part of a workbook, is read for longer than it may be: what reads on in search of
// an end would keep all of it.
type meter struct {
	from io.Reader
	left int64
	over error
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, m.over
	}
	if int64(len(p)) > m.left {
		p = p[:m.left]
	}
	n, err := m.from.Read(p)
	m.left -= int64(n)
	return n, err
}

// perRow is how much of a file one row may be, with what stands around its cells.
const perRow = 4 << 20
