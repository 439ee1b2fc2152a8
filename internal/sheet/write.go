package sheet

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Writer writes rows, every cell as text, and never keeps more than one. Close ends the file.
type Writer interface {
	Write(cells []string) error
	Close() error
}

// NewWriter begins a file of a format.
func NewWriter(w io.Writer, f Format) (Writer, error) {
	if f == XLSX {
		return newXLSXWriter(w)
	}
	out := &csvWriter{bufio.NewWriter(w)}
	_, err := out.to.WriteString("\uFEFF")
	return out, err
}

// csvWriter writes RFC 4180 in UTF-8 with a byte order mark, by which spreadsheet programs know the encoding.
type csvWriter struct{ to *bufio.Writer }

func (c *csvWriter) Write(cells []string) error {
	for i, cell := range cells {
		if i > 0 {
			_ = c.to.WriteByte(',')
		}
		if cell = Defuse(cell); strings.ContainsAny(cell, ",;\t\"\r\n") {
			cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		_, _ = c.to.WriteString(cell)
	}
	_, err := c.to.WriteString("\r\n") // a bufio.Writer keeps its first error
	return err
}

func (c *csvWriter) Close() error { return c.to.Flush() }

// xlsxWriter writes a workbook of one sheet. It needs no file beside: what people send is never on a disk in clear.
type xlsxWriter struct {
	archive *zip.Writer
	sheet   *bufio.Writer
	rows    int
}

const (
	xmlHead  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	mainNS   = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	relsType = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
)

var workbookParts = []struct{ name, content string }{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`},
	{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + relsType + `officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/workbook.xml", `<workbook ` + mainNS + ` xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + relsType + `worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="` + relsType + `styles" Target="styles.xml"/></Relationships>`},
	// Style 1 is text (format 49): what somebody types into such a cell stays as typed.
	{"xl/styles.xml", `<styleSheet ` + mainNS + `><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>` +
		`<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="49" applyNumberFormat="1"/></cellXfs></styleSheet>`},
}

func newXLSXWriter(w io.Writer) (*xlsxWriter, error) {
	x := &xlsxWriter{archive: zip.NewWriter(w)}
	for _, part := range workbookParts {
		to, err := x.archive.Create(part.name)
		if err == nil {
			_, err = io.WriteString(to, xmlHead+part.content)
		}
		if err != nil {
			return nil, fmt.Errorf("beginning a workbook: %w", err)
		}
	}
	to, err := x.archive.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return nil, fmt.Errorf("beginning a sheet: %w", err)
	}
	x.sheet = bufio.NewWriter(to)
	_, err = x.sheet.WriteString(xmlHead + `<worksheet ` + mainNS + `><sheetData>`)
	return x, err
}

func (x *xlsxWriter) Write(cells []string) error {
	x.rows++
	_, _ = x.sheet.WriteString(`<row r="` + strconv.Itoa(x.rows) + `">`)
	for i, cell := range cells {
		if cell == "" {
			continue
		}
		_, _ = x.sheet.WriteString(`<c r="` + columnName(i) + strconv.Itoa(x.rows) + `" s="1" t="inlineStr"><is><t xml:space="preserve">`)
		_ = xml.EscapeText(x.sheet, []byte(literal(cell)))
		_, _ = x.sheet.WriteString(`</t></is></c>`)
	}
	_, err := x.sheet.WriteString("</row>")
	return err
}

func (x *xlsxWriter) Close() error {
	if _, err := x.sheet.WriteString(`</sheetData></worksheet>`); err != nil {
		return err
	}
	if err := x.sheet.Flush(); err != nil {
		return err
	}
	return x.archive.Close()
}

func columnName(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	return name
}

// literal writes what XML cannot hold, and what looks like it was written so, as ST_Xstring has it.
func literal(cell string) string {
	var b strings.Builder
	for i, r := range cell {
		switch {
		case r == '_' && strings.HasPrefix(cell[i:], "_x"), r < ' ' && r != '\t' && r != '\n', r == 0xFFFE, r == 0xFFFF:
			_, _ = fmt.Fprintf(&b, "_x%04X_", utf16.Encode([]rune{r})[0])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
