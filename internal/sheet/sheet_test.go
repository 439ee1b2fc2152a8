package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

func all(file []byte, l Limits) (rows []Row, format Format, err error) {
	r, format, err := Open(file, l)
	for err == nil {
		var row Row
		if row, err = r.Next(); err == nil {
			row.Cells = slices.Clone(row.Cells)
			rows = append(rows, row)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return rows, format, err
}

func encoded(t *testing.T, s string, as interface{ String(string) (string, error) }) string {
	t.Helper()
	out, err := as.String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTextIsReadInEveryEncodingAndForm(t *testing.T) {
	want := []Row{{Number: 1, Cells: []string{"工号", "姓名", "电话"}}, {Number: 2, Cells: []string{"0012", "张伟", "+86 138"}}}
	const plain = "工号,姓名,电话\r\n0012,张伟,+86 138\r\n"
	for name, file := range map[string]string{
		"UTF-8": plain, "with a mark": "\uFEFF" + plain, "GB18030": encoded(t, plain, simplifiedchinese.GB18030.NewEncoder()),
		"UTF-16": encoded(t, plain, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder()),
		"lines":  strings.ReplaceAll(plain, "\r\n", "\n"), "no end": strings.TrimSuffix(plain, "\r\n"),
		"semicolons": strings.ReplaceAll(plain, ",", ";"), "tabs": strings.ReplaceAll(plain, ",", "\t"),
		"quoted": "\"工号\",\"姓名\",电话\n\"=\"\"0012\"\"\",\"张伟\",'+86 138\n", "blanks": "工号, 姓名\u3000,电话,,\n0012 ,张伟,+86 138,\n,,\n",
	} {
		rows, format, err := all([]byte(file), Bounds)
		if diff := cmp.Diff(want, rows); diff != "" || err != nil || format != CSV {
			t.Errorf("%s: %v %s %s", name, err, format, diff)
		}
	}
}

// Rows are counted as a spreadsheet program counts them: a cell with a line break is one row, an empty line is one too.
func TestRowsAreCountedAsPeopleSeeThem(t *testing.T) {
	rows, _, err := all([]byte("a,b\n\n1,\"x\ny\nz\"\n\n2,w\n"), Bounds)
	want := []Row{{Number: 1, Cells: []string{"a", "b"}}, {Number: 3, Cells: []string{"1", "x\ny\nz"}}, {Number: 5, Cells: []string{"2", "w"}}}
	if diff := cmp.Diff(want, rows); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestAWorkbookIsReadAsTextAndDays(t *testing.T) {
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	style := func(s excelize.Style) int {
		id, err := f.NewStyle(&s)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	own := `yyyy"年"m"月"d"日"`
	for cell, v := range map[string]any{
		"A1": "0012", "B1": "110101199003070038", "C1": "+86 138", "D1": 43831, "E1": 43831, "F1": 13800138000.0, "G1": 0.1 + 0.2,
		"H1": 110101199003070038.0, "I1": true, "A3": "张伟", "AB3": "far", "C4": 43831.5,
	} {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	for cell, id := range map[string]int{"D1": style(excelize.Style{NumFmt: 14}), "E1": style(excelize.Style{CustomNumFmt: &own}), "C4": style(excelize.Style{NumFmt: 22})} {
		if err := f.SetCellStyle("Sheet1", cell, cell, id); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SetCellFormula("Sheet1", "J1", "=1+1"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.NewSheet("Other"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	rows, format, err := all(b.Bytes(), Bounds)
	third := make([]string, 28)
	third[0], third[27] = "张伟", "far"
	want := []Row{
		{Number: 1, Cells: []string{"0012", "110101199003070038", "+86 138", "2020-01-01", "2020-01-01", "13800138000", "0.3", "110101199003070032", "TRUE"}, Lost: []int{7}},
		{Number: 3, Cells: third}, {Number: 4, Cells: []string{"", "", "2020-01-01 12:00:00"}},
	}
	if diff := cmp.Diff(want, rows); diff != "" || err != nil || format != XLSX {
		t.Error(err, format, diff)
	}
}

func TestDaysOfAWorkbook(t *testing.T) {
	for serial, want := range map[float64]string{1: "1900-01-01", 59: "1900-02-28", 61: "1900-03-01", 43890: "2020-02-29", 45000.25: "2023-03-15 06:00:00"} {
		if got, _ := number(strconv.FormatFloat(serial, 'f', -1, 64), true, false); got != want {
			t.Errorf("%v is %s, want %s", serial, got, want)
		}
	}
	if got, _ := number("42369", true, true); got != "2020-01-01" {
		t.Errorf("counted from 1904 it is %s", got)
	}
	for code, is := range map[string]bool{"yyyy-mm-dd": true, "General": false, "0.00": false, "[Red]0": false, `"day"0`: false, "h:mm": false, "[$-804]d": true} {
		if dateFormat(code) != is {
			t.Errorf("%s shows a day: %t", code, !is)
		}
	}
}

// zipped is a ZIP of the parts, each a name and its content.
func zipped(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i+1 < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err == nil {
			_, err = io.WriteString(w, parts[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func book(t testing.TB, sheet string, more ...string) []byte {
	t.Helper()
	return zipped(t, append([]string{
		"xl/workbook.xml", `<workbook><sheets><sheet name="a" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml", sheet,
	}, more...)...)
}

func TestWhatIsRefused(t *testing.T) {
	small := Limits{Unpacked: 4 << 20, Ratio: 20, Rows: 3, Columns: 3, Cell: 100}
	const head, tail = `<worksheet><sheetData>`, `</sheetData></worksheet>`
	cell := func(s string) string { return `<row><c t="inlineStr"><is><t>` + s + `</t></is></c></row>` }
	for name, c := range map[string]struct {
		file []byte
		want Error
	}{
		"nothing":                     {nil, Error{Fault: Empty}},
		"blanks":                      {[]byte(" \r\n\n"), Error{Fault: Empty}},
		"an old workbook":             {[]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1rest"), Error{Fault: FormerFormat}},
		"a picture":                   {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00"), Error{Fault: NotATable}},
		"half a workbook":             {book(t, head+tail)[:200], Error{Fault: Damaged}},
		"another ZIP":                 {zipped(t, "a.txt", "b"), Error{Fault: NotATable}},
		"a sheet that is cut off":     {book(t, head+cell("x")), Error{Fault: Damaged}},
		"no XML":                      {book(t, "x < y"), Error{Fault: Damaged}},
		"a text that is not there":    {book(t, head+`<row><c t="s"><v>7</v></c></row>`+tail), Error{Damaged, 1}},
		"an open quote":               {[]byte("a,b\n\"c,d\n"), Error{BrokenQuotes, 2}},
		"too many rows":               {[]byte("h\n1\n2\n3\n4\n"), Error{Fault: TooManyRows}},
		"too many rows of a workbook": {book(t, head+strings.Repeat(cell("x"), 5)+tail), Error{Fault: TooManyRows}},
		"too many columns":            {[]byte("a,b,c,d\n"), Error{TooManyColumns, 1}},
		"a column beyond all":         {book(t, head+`<row><c r="ZZZZZZ1"><v>1</v></c></row>`+tail), Error{TooManyColumns, 1}},
		"a long cell":                 {[]byte("a\n" + strings.Repeat("x", 101) + "\n"), Error{CellTooLong, 2}},
		"a cell without end":          {[]byte("a\n\"" + strings.Repeat("x\n", 3<<20)), Error{Fault: CellTooLong}},
		"a long cell of a workbook":   {book(t, head+cell(strings.Repeat("x", 101))+tail), Error{CellTooLong, 1}},
		"a bomb of rows":              {book(t, head+strings.Repeat("<row/>", 2<<20)+tail), Error{Fault: TooDense}},
		"a bomb of one cell":          {book(t, head+cell(strings.Repeat("x", 10<<20))+tail), Error{Fault: TooDense}},
		"a bomb of shared texts":      {book(t, head+tail, "xl/sharedStrings.xml", "<sst>"+strings.Repeat("<si><t>x</t></si>", 1<<20)+"</sst>"), Error{Fault: TooDense}},
		"a bomb of styles":            {book(t, head+tail, "xl/styles.xml", "<styleSheet><cellXfs>"+strings.Repeat("<xf/>", 1<<20)+"</cellXfs></styleSheet>"), Error{Fault: Damaged}},
		"elements within elements":    {book(t, head+strings.Repeat("<a>", 100000)+tail), Error{Fault: Damaged}},
		"an entity of entities":       {book(t, `<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>`+head+cell("&b;")+tail), Error{Fault: Damaged}},
		"bytes of no encoding":        {[]byte("a\n\xff\xff\xff\n"), Error{Unreadable, 2}},
		"GB18030 within UTF-8":        {[]byte("工号,姓名\n1,\xb4\xc7\xd6\xb0\n"), Error{Unreadable, 2}},
		"GB18030 below ASCII headers": {[]byte("no,name\n1,张伟\n2,\xb4\xc7\xd6\xb0\n"), Error{Unreadable, 3}},
		"a mark and no UTF-8":         {[]byte("\xEF\xBB\xBFa\n\xff\n"), Error{Fault: Unreadable}},
	} {
		_, _, err := all(c.file, small)
		var got *Error
		if !errors.As(err, &got) || *got != c.want {
			t.Errorf("%s: %v, want %+v", name, err, c.want)
		}
	}
}

// A workbook that a program wrote, of many like rows, is no bomb.
func TestADenseWorkbookOfPeopleIsRead(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, XLSX)
	for i := 0; err == nil && i < 20000; i++ {
		err = w.Write([]string{"E1", "张伟", "技术部", "工程师", "2020-01-01", "", "110101199003070038"})
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if rows, _, err := all(b.Bytes(), Bounds); err != nil || len(rows) != 20000 {
		t.Errorf("%d rows, %v, of %d bytes", len(rows), err, b.Len())
	}
}

// What is written is read again, in both formats and by a program of others.
func TestWhatIsWrittenIsRead(t *testing.T) {
	alphabet := []rune("a1é张\"',;\t\n=+-@_x0041 <>&\u00a0😀|")
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.Custom(func(t *rapid.T) string {
			s := strings.TrimFunc(string(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 12).Draw(t, "runes")), blank)
			for Restore(s) != s { // what looks like a text that was made harmless is read as what it was
				s = strings.TrimFunc(Restore(s), blank)
			}
			return s
		})
		var want []Row
		for i, cells := range rapid.SliceOfN(rapid.SliceOfN(cell, 1, 5), 1, 6).Draw(t, "rows") {
			cells[0] = "x" // no row is empty
			for cells[len(cells)-1] == "" {
				cells = cells[:len(cells)-1]
			}
			want = append(want, Row{Number: i + 1, Cells: cells})
		}
		for _, format := range Formats {
			var b bytes.Buffer
			w, err := NewWriter(&b, format)
			for i := 0; err == nil && i < len(want); i++ {
				err = w.Write(want[i].Cells)
			}
			if err == nil {
				err = w.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			got, as, err := all(b.Bytes(), Bounds)
			if diff := cmp.Diff(want, got); diff != "" || err != nil || as != format {
				t.Fatalf("%s: %v %s %s", format, err, as, diff)
			}
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("a,b\n1,\"x\ny\"\n"))
	f.Add([]byte("\xFF\xFEa\x00"))
	f.Add(book(f, `<worksheet><sheetData><row r="2"><c r="B2" t="s"><v>0</v></c></row></sheetData></worksheet>`, "xl/sharedStrings.xml", "<sst><si><t>x</t></si></sst>"))
	small := Limits{Unpacked: 1 << 20, Ratio: 20, Rows: 50, Columns: 8, Cell: 200}
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, _, err := all(file, small)
		var fault *Error
		if err != nil && !errors.As(err, &fault) {
			t.Fatalf("an error that says more than a fault: %T", err)
		}
		if len(rows) > small.Rows+1 {
			t.Fatalf("%d rows", len(rows))
		}
		last := 0
		for _, r := range rows {
			if r.Number <= last || len(r.Cells) == 0 || len(r.Cells) > small.Columns {
				t.Fatalf("row %d with %d cells after %d", r.Number, len(r.Cells), last)
			}
			last = r.Number
		}
	})
}
