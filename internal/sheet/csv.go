package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// text reads comma-separated values (RFC 4180), also separated by semicolons or tabs, in UTF-8, UTF-16 with a byte order
// mark, or GB18030.
type text struct {
	from  *csv.Reader
	meter *meter
	// inside counts the line breaks within cells so far: a spreadsheet counts such a row as one.
	inside int
}

func newText(file []byte, l Limits) (Reader, error) {
	decoded, err := decode(file)
	if err != nil {
		return nil, err
	}
	t := &text{meter: &meter{from: decoded, over: &Error{Fault: CellTooLong}}}
	t.from = csv.NewReader(t.meter)
	t.from.FieldsPerRecord, t.from.ReuseRecord = -1, true
	if t.from.Comma, err = separator(file); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *text) Next() (Row, error) {
	t.meter.left = perRow
	record, err := t.from.Read()
	var parse *csv.ParseError
	var own *Error
	switch {
	case errors.Is(err, io.EOF):
		return Row{}, io.EOF
	case errors.As(err, &own):
		return Row{}, own
	case errors.As(err, &parse):
		return Row{}, &Error{BrokenQuotes, parse.StartLine - t.inside}
	case err != nil:
		return Row{}, &Error{Fault: Unreadable}
	}
	line, _ := t.from.FieldPos(0)
	row := Row{Number: line - t.inside, Cells: record}
	for i, cell := range record {
		if strings.ContainsRune(cell, utf8.RuneError) {
			return Row{}, &Error{Unreadable, row.Number}
		}
		t.inside += strings.Count(cell, "\n")
		record[i] = quoted(cell)
	}
	return row, nil
}

// quoted undoes ="0123", with which programs keep spreadsheets from taking a text for a number.
func quoted(cell string) string {
	if rest, ok := strings.CutPrefix(cell, `="`); ok {
		if inner, ok := strings.CutSuffix(rest, `"`); ok && !strings.Contains(inner, `"`) {
			return inner
		}
	}
	return cell
}

// marks are byte order marks.
var marks = []struct {
	mark string
	as   encoding.Encoding
}{
	{"\xEF\xBB\xBF", nil},
	{"\xFF\xFE", unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)},
	{"\xFE\xFF", unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM)},
}

// decode finds the encoding. What is valid UTF-8 is that: hardly any text in GB18030 is by chance.
func decode(file []byte) (io.Reader, error) {
	for _, m := range marks {
		rest, found := bytes.CutPrefix(file, []byte(m.mark))
		switch {
		case !found:
			continue
		case m.as != nil:
			return m.as.NewDecoder().Reader(bytes.NewReader(file)), nil
		case utf8.Valid(rest):
			return bytes.NewReader(rest), nil
		}
		return nil, &Error{Fault: Unreadable}
	}
	switch {
	case bytes.IndexByte(file, 0) >= 0:
		return nil, &Error{Fault: NotATable}
	case utf8.Valid(file), mostlyUTF8(file): // the row is told that is not
		return bytes.NewReader(file), nil
	}
	return simplifiedchinese.GB18030.NewDecoder().Reader(bytes.NewReader(file)), nil
}

// mostlyUTF8 says whether at least as many lines have characters of three bytes in UTF-8 as are no UTF-8: somebody put rows of
// another encoding into such a file. Read as GB18030 all of its texts would become others.
func mostlyUTF8(file []byte) bool {
	are, others := 0, 0
	for line := range bytes.Lines(file) {
		switch {
		case !utf8.Valid(line):
			others++
		case bytes.ContainsFunc(line, func(r rune) bool { return r >= 0x800 }):
			are++
		}
	}
	return are > 0 && are >= others
}

// separator is what the first line has most of, outside of quotes.
func separator(file []byte) (rune, error) {
	decoded, err := decode(file)
	if err != nil {
		return 0, err
	}
	first := make([]byte, 64<<10)
	n, err := io.ReadFull(decoded, first)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, &Error{Fault: Unreadable}
	}
	seen, within := map[rune]int{}, false
	for _, r := range string(bytes.TrimLeft(first[:n], "\r\n")) {
		switch {
		case r == '"':
			within = !within
		case within:
		case r == '\n' || r == '\r':
			return most(seen), nil
		default:
			seen[r]++
		}
	}
	return most(seen), nil
}

func most(seen map[rune]int) rune {
	best := ','
	for _, r := range ";\t" {
		if seen[r] > seen[best] {
			best = r
		}
	}
	return best
}
