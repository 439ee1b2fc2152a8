package evidence

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"regexp"
	"strconv"
	"testing"
)

// A text that looks like an escape of the workbook's format was read as the character that it means.
func TestATextOfAWorkbookIsReadAsItWasWritten(t *testing.T) {
	for _, text := range []string{"_x0041_", "_x0041_x", "a_x0041_x0042_b", "_x00_x0041_", "_xD83D_", "__x0041_", "_x005F_", "_x005f_x0041_", "_x0041__x0042_", "a_x000D_b", "_x005F_x0041_", "_x0041", "_X0041_", "__x0041__", "_x00e4_ä", "_xGGGG_"} {
		table, err := newXLSXTable()
		if err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(columns))
		row[0] = text
		var out bytes.Buffer
		if err := table.row(row); err != nil {
			t.Fatal(err)
		}
		if err := table.writeTo(&out); err != nil {
			t.Fatal(err)
		}
		if got := secondRow(t, out.Bytes()); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}

// secondRow reads the first cell of the second row as the format says (ECMA-376, ST_Xstring): the library
// that wrote it undoes no escapes of texts that stand in their cells.
func secondRow(t *testing.T, workbook []byte) string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(workbook), int64(len(workbook)))
	if err != nil {
		t.Fatal(err)
	}
	file, err := archive.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var sheet struct {
		Rows []struct {
			Cells []struct {
				Text  string   `xml:"is>t"`
				Texts []string `xml:"is>r>t"`
			} `xml:"c"`
		} `xml:"sheetData>row"`
	}
	if err := xml.NewDecoder(file).Decode(&sheet); err != nil || len(sheet.Rows) != 2 {
		t.Fatalf("%d rows: %v", len(sheet.Rows), err)
	}
	text := sheet.Rows[1].Cells[0].Text
	for _, piece := range sheet.Rows[1].Cells[0].Texts {
		text += unescaped(t, piece)
	}
	return text
}

func unescaped(t *testing.T, text string) string {
	return regexp.MustCompile(`_x([0-9A-Fa-f]{4})_`).ReplaceAllStringFunc(text, func(s string) string {
		code, err := strconv.ParseUint(s[2:6], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		return string(rune(code))
	})
}
