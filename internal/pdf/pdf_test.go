package pdf_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"lethe/internal/pdf"
	"lethe/internal/pdf/pdftest"
)

var about = pdf.About{Title: "副本", Unseen: []string{"带框的代码是字体中没有的字符", "a code stands for a character"}}

func written(t *testing.T, d *pdf.Document) []byte {
	t.Helper()
	out, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestWhatNoFontHasIsMarkedAndSaid: it stands as its code, also beyond the first plane, and each page with one says so.
func TestWhatNoFontHasIsMarkedAndSaid(t *testing.T) {
	for text, want := range map[string]string{
		"年度审计 Prüfung, причина":             "年度审计 Prüfung, причина",
		"㐂 é ı İ ş ß Đặng ひらがな 〓 “引号”…（括号）": "㐂 é ı İ ş ß Đặng ひらがな 〓 “引号”…（括号）",
		"e\u0301":        "é",
		"𠮷田":             "[U+20BB7]田",
		"سبب":            "[U+0633][U+0628][U+0628]",
		"ไทย":            "[U+0E44][U+0E17][U+0E22]",
		"王\u200b芳\u202e": "王[U+200B]芳[U+202E]",
		"葛\U000E0100":    "葛[U+E0100]",
		"😀":              "[U+1F600]",
		"a\tb\x07":       "a b[U+0007]",
	} {
		d := pdf.New(about)
		d.Text(pdf.SizeText, text)
		missing := strings.Contains(want, "[U+")
		if d.Unseen() != missing {
			t.Errorf("%q: unseen %v", text, d.Unseen())
		}
		lines := strings.Split(pdftest.Text(t, written(t, d)), "\n")
		if lines[0] != want || missing != (len(lines) == 4) {
			t.Errorf("%q is written as %q", text, lines)
		}
	}
}

// TestEachCharacterIsWrittenOrSaid, here one in seven of the first plane and some beyond.
func TestEachCharacterIsWrittenOrSaid(t *testing.T) {
	d := pdf.New(about)
	var all, after []rune
	for r := rune(0x21); r < 0x11000; r += 7 {
		switch {
		case r >= 0xD800 && r < 0xE000, r >= 0x1100 && r < 0x1200, r == 0x34f: // halves; what composes
		case r >= 0x3000 && r < 0x3040, r >= 0xF900 && r < 0xFB00:
		default:
			all = append(all, r, ' ')
		}
	}
	d.Text(pdf.SizeSmall, string(all))
	for _, r := range pdftest.Text(t, written(t, d)) {
		after = append(after, r)
	}
	if len(after) < len(all) {
		t.Errorf("%d characters of %d are left", len(after), len(all))
	}
}

// TestATableGoesOnOverPages: with its titles on each, no row lost, none alone below a heading, and the pages numbered.
func TestATableGoesOnOverPages(t *testing.T) {
	d := pdf.New(about)
	d.Title("个人信息副本")
	table := pdf.Table{Columns: []pdf.Column{{Title: "时间", Share: 1}, {Title: "内容", Share: 3}, {Title: "结果", Share: 1}}}
	for i := range 120 {
		table.Rows = append(table.Rows, []string{fmt.Sprintf("R%03d", i), strings.Repeat("紧急联系人电话、", 1+i%12), "已查阅"})
	}
	d.Table(table)
	d.Heading("一页之外")
	d.Table(pdf.Facts([]string{"原因", strings.Repeat("衡山路2号，", 2000)}, []string{"最后", "完"}))
	pages := pdftest.Pages(t, written(t, d))
	if len(pages) < 8 {
		t.Fatalf("%d pages", len(pages))
	}
	rows, roads := 0, 0
	for i, p := range pages {
		for n := range 120 {
			rows += strings.Count(p, fmt.Sprintf("R%03d", n))
		}
		roads += strings.Count(strings.ReplaceAll(p, "\n", ""), "山")
		if strings.Contains(p, "R") != strings.Contains(p, "时间内容结果") {
			t.Errorf("page %d has rows or titles alone:\n%s", i+1, p)
		}
		if !strings.HasSuffix(p, fmt.Sprintf("%d / %d", i+1, len(pages))) {
			t.Errorf("page %d ends with %q", i+1, p[max(0, len(p)-20):])
		}
		if strings.HasSuffix(strings.TrimSuffix(p, fmt.Sprintf("\n%d / %d", i+1, len(pages))), "一页之外") {
			t.Errorf("the heading stands alone on page %d", i+1)
		}
	}
	if rows != 120 || roads != 2000 || !strings.Contains(pages[len(pages)-1], "最后完") {
		t.Errorf("%d rows, %d of 2000 pieces of a long value", rows, roads)
	}
}

// TestALineFits: what has no blank, a hash, is cut; a full stop does not begin a line.
func TestALineFits(t *testing.T) {
	d := pdf.New(about)
	hash := strings.Repeat("0123456789abcdef", 20)
	d.Table(pdf.Facts([]string{"SHA-256", hash}))
	d.Text(pdf.SizeText, strings.Repeat("销毁，", 100))
	lines := strings.Split(pdftest.Text(t, written(t, d)), "\n")
	joined := ""
	for _, l := range lines {
		joined += strings.TrimPrefix(l, "SHA-256")
		if strings.HasPrefix(l, "，") {
			t.Errorf("a line begins with a comma: %q", l)
		}
		if n := len([]rune(l)); n > 75 {
			t.Errorf("%d characters on a line: %q", n, l)
		}
	}
	if !strings.Contains(joined, hash) {
		t.Error("the hash is not whole")
	}
}

// TestAFileIsSmallAndSaysNothingOfItself beyond its title.
func TestAFileIsSmallAndSaysNothingOfItself(t *testing.T) {
	d := pdf.New(about)
	d.Text(pdf.SizeText, "110101199003071234")
	out := written(t, d)
	if len(out) > 60_000 || !bytes.Contains(out, []byte("/BaseFont /LETHEC+DroidSansFallback")) {
		t.Errorf("%d bytes", len(out))
	}
	_, info, _ := bytes.Cut(out, []byte("/Info <<"))
	info, _, _ = bytes.Cut(info, []byte(">>\n"))
	if got := strings.Join(strings.Fields(string(info)), " "); got != "/Title <FEFF526F672C> /Producer <FEFF004C0065007400680065> " && got != "/Title <FEFF526F672C> /Producer <FEFF004C0065007400680065>" {
		t.Errorf("the file says of itself %q", got)
	}
}
