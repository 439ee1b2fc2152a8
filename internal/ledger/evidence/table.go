package evidence

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"

	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/internal/ledger/querylog"
	"lethe/internal/sheet"
)

// columns are the heads of the tables for people, in both languages.
var columns = []string{
	"Index 序号", "Time (UTC) 时间", "Kind 类别", "Action 动作", "Action (code) 动作代码", "Actor 操作人", "Actor no. 操作人工号",
	"Role 角色", "Role (code) 角色代码", "Authenticated by 认证方式", "Authenticated by (code) 认证方式代码", "Subject 当事人", "Subject no. 当事人工号", "Object 对象", "Requested by 求助人",
	"Purpose 用途", "Reason 原因", "Result 结果", "Result (code) 结果代码", "Rule 规则", "Details 详情", "Entry 记录编号", "Actor id 操作人编号",
	"Subject id 当事人编号", "Request 请求编号", "Check 校验",
}

// cells are e as a row of the tables.
func (e *entry) cells(people map[uuid.UUID]querylog.Person) []string {
	c := e.row.Content
	if c == nil {
		c = &ledger.Content{}
	}
	actor, actorNo := nameOf(c.ActorID, people)
	subject, subjectNo := nameOf(c.SubjectID, people)
	return []string{
		strconv.FormatInt(e.index, 10), rfc3339(ledger.TimeOf(e.row.ID)), both("ledger.kind." + string(e.row.Kind)), both("ledger.action." + c.Action), c.Action,
		actor, actorNo, both("role." + c.ActorRole), c.ActorRole, both("authenticated." + c.Authenticated), c.Authenticated, subject, subjectNo,
		c.Object, c.RequestedBy, c.Purpose, c.Reason, both("ledger.result." + c.Result), c.Result, c.Rule,
		string(appendDetails(nil, c.Details)), e.row.ID.String(), idText(c.ActorID), idText(c.SubjectID), c.RequestID,
		both("query_log.state." + string(e.row.State)),
	}
}

// both is a text in both languages; a code without texts stands for itself.
func both(key string) string {
	if text, ok := bothTexts[key]; ok {
		return text
	}
	return key[strings.LastIndexByte(key, '.')+1:]
}

// bothTexts are looked up once: a row needs several.
var bothTexts = func() map[string]string {
	texts := map[string]string{}
	for _, prefix := range []string{"ledger.action.", "ledger.kind.", "ledger.result.", "query_log.state.", "role.", "authenticated."} {
		for _, code := range i18n.Keys(prefix) {
			texts[prefix+code] = i18n.Text(i18n.English, prefix+code) + " " + i18n.Text(i18n.Chinese, prefix+code)
		}
	}
	return texts
}()

func nameOf(id *uuid.UUID, people map[uuid.UUID]querylog.Person) (name, number string) {
	if id == nil {
		return "", ""
	}
	p, known := people[*id]
	if known && p.Purged {
		return both("query_log.purged_person") + " " + p.Pseudonym(), ""
	}
	return p.Name, p.EmployeeNo
}

func idText(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}

// csvTable is comma-separated values (RFC 4180) in UTF-8 with a byte order mark, by which spreadsheet
// programs know the encoding.
type csvTable struct {
	w      io.Writer
	buffer []byte
}

func newCSVTable(w io.Writer) (*csvTable, error) {
	t := &csvTable{w: w, buffer: []byte("\uFEFF")}
	t.row(columns)
	return t, t.flush()
}

func (t *csvTable) row(cells []string) {
	for i, cell := range cells {
		if i > 0 {
			t.buffer = append(t.buffer, ',')
		}
		if cell = sheet.Defuse(cell); strings.ContainsAny(cell, "\",\r\n") {
			t.buffer = append(t.buffer, '"')
			t.buffer = append(t.buffer, strings.ReplaceAll(cell, `"`, `""`)...)
			t.buffer = append(t.buffer, '"')
			continue
		}
		t.buffer = append(t.buffer, cell...)
	}
	t.buffer = append(t.buffer, '\r', '\n')
}

func (t *csvTable) flush() error {
	_, err := t.w.Write(t.buffer)
	t.buffer = t.buffer[:0]
	return err
}

// The limits of a sheet and of a cell in XLSX.
const (
	sheetRows = 1_000_000 // of 1,048,576
	cellRunes = 32_000    // of 32,767 UTF-16 units, of which a rune is two at most
)

// xlsxTable is a workbook; what does not fit into one sheet goes on in the next.
type xlsxTable struct {
	file   *excelize.File
	sheet  *excelize.StreamWriter
	sheets int
	rows   int
}

func newXLSXTable() (*xlsxTable, error) {
	t := &xlsxTable{file: excelize.NewFile()}
	return t, t.nextSheet()
}

func (t *xlsxTable) nextSheet() (err error) {
	if t.sheet != nil {
		if err = t.sheet.Flush(); err != nil {
			return fmt.Errorf("ending a sheet: %w", err)
		}
	}
	t.sheets++
	name := "Log " + strconv.Itoa(t.sheets)
	if t.sheets == 1 {
		err = t.file.SetSheetName("Sheet1", name)
	} else {
		_, err = t.file.NewSheet(name)
	}
	if err != nil {
		return fmt.Errorf("beginning a sheet: %w", err)
	}
	if t.sheet, err = t.file.NewStreamWriter(name); err != nil {
		return fmt.Errorf("beginning a sheet: %w", err)
	}
	t.rows = 0
	return t.row(columns)
}

func (t *xlsxTable) row(cells []string) error {
	if t.rows == sheetRows+1 {
		if err := t.nextSheet(); err != nil {
			return err
		}
	}
	t.rows++
	values := make([]any, len(cells))
	for i, cell := range cells {
		values[i] = literal(fit(sheet.Defuse(cell)))
	}
	if err := t.sheet.SetRow("A"+strconv.Itoa(t.rows), values); err != nil {
		return fmt.Errorf("writing a row: %w", err)
	}
	return nil
}

// escape is how a workbook writes a character that XML cannot hold (ECMA-376, ST_Xstring).
var escape = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// literal keeps a text that looks like such an escape from being read as the character: it is cut into
// runs of which none looks like one, which a reader puts together again. The library escapes most such
// texts by itself, but not those that overlap or name half of a pair.
func literal(cell string) any {
	if !escape.MatchString(cell) {
		return cell
	}
	var pieces []excelize.RichTextRun
	for _, piece := range strings.SplitAfter(cell, "_") {
		if piece != "" {
			pieces = append(pieces, excelize.RichTextRun{Text: piece})
		}
	}
	return pieces
}

// fit shortens what no cell can hold, and says so: the whole text is in entries.jsonl.
func fit(cell string) string {
	const note = " …… [cut: see entries.jsonl 已截断，全文见 entries.jsonl]"
	if len(cell) <= cellRunes/2 {
		return cell
	}
	runes := []rune(cell)
	units := 0
	for i, r := range runes {
		if units++; r > 0xFFFF {
			units++
		}
		if units > cellRunes {
			return string(slices.Clip(runes[:i])) + note
		}
	}
	return cell
}

func (t *xlsxTable) writeTo(w io.Writer) error {
	if err := t.sheet.Flush(); err != nil {
		return fmt.Errorf("ending a sheet: %w", err)
	}
	if err := t.file.Write(w); err != nil {
		return fmt.Errorf("writing the workbook: %w", err)
	}
	return nil
}

func (t *xlsxTable) close() { _ = t.file.Close() }
