package reports_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/leavers"
	"lethe/internal/ledger"
	"lethe/internal/pdf/pdftest"
	"lethe/internal/sheet"
	"lethe/models"
)

// members are the files of a zip file.
func members(t *testing.T, content []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, f := range z.File {
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if all[f.Name], err = io.ReadAll(from); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestI18_AReportLeavesWithItsDigestInTheLedger: each file is what the entry says, has everybody, and no formula.
func TestI18_AReportLeavesWithItsDigestInTheLedger(t *testing.T) {
	f := apitest.New(t)
	evil := f.LeftLongAgo(f.Hire("E1", f.A), -5, false)
	rewrite(f, "UPDATE employees SET name = '=1+1' WHERE id = ?", evil.EmployeeID)
	late := left(f, "E2", f.B, -5)
	off(f, late, 3*time.Hour)
	for _, language := range []string{"zh", "en"} {
		got := f.Session(httpkit.Auditor).Ask("POST", "/api/v1/reports/leavers/exports", fmt.Sprintf(`{"from": %q, "to": %q, "zone": "Asia/Shanghai"}`, f.Day(-10), f.Day(0)), "Accept-Language", language)
		if got.Status != http.StatusOK || got.Header.Get("Content-Type") != "application/zip" {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		files := members(t, got.Body)
		name := "leavers-" + f.Day(-10) + "-" + f.Day(0)
		details := lastDetails(t, f)
		if details["rows"] != "2" || details["from"] != f.Day(-10) || details["time_zone"] != "Asia/Shanghai" || details["basis"] != "end" {
			t.Errorf("the entry says %v", details)
		}
		for _, format := range leavers.Formats {
			sum := sha256.Sum256(files[name+"."+string(format)])
			if len(files[name+"."+string(format)]) == 0 || details[leavers.DigestOf(format)] != hex.EncodeToString(sum[:]) || !bytes.Contains(files["README.txt"], []byte(hex.EncodeToString(sum[:]))) {
				t.Errorf("%s %s: %d bytes, the entry has %s", language, format, len(files[name+"."+string(format)]), details[leavers.DigestOf(format)])
			}
		}
		if action := i18n.Text(i18n.Language(language), "ledger.action."+leavers.ActionExported); !bytes.Contains(files["README.txt"], []byte(action)) || bytes.Contains(files["README.txt"], []byte("%!")) {
			t.Errorf("the log says %q, the README %q", action, files["README.txt"])
		}
		if !strings.Contains(string(files["receipt.txt"]), "/receipt\n") || !bytes.HasPrefix(files[name+".pdf"], []byte("%PDF-")) {
			t.Errorf("no receipt or no pages: %q", files["receipt.txt"])
		}
		lines := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(files[name+".csv"], []byte("\uFEFF"))))
		lines.Comment = '#'
		records, err := lines.ReadAll()
		if err != nil || len(records) < 3 {
			t.Fatalf("%v: %q", err, records)
		}
		wantLines(t, f, records[1:], evil, late)
		rows, _, err := sheet.Open(files[name+".xlsx"], sheet.Bounds)
		if err != nil {
			t.Fatal(err)
		}
		for i := range headLines {
			if row, err := rows.Next(); err != nil || !strings.HasPrefix(row.Cells[0], "# ") {
				t.Errorf("line %d of the workbook: %v %q", i, err, row.Cells)
			}
		}
		for i := range records {
			row, err := rows.Next()
			if err != nil || i > 0 && row.Cells[2] != records[i][2] && row.Cells[2] != sheet.Restore(records[i][2]) {
				t.Errorf("row %d of the workbook: %v %q", i, err, row.Cells)
			}
		}
	}
	f.WantEntries(leavers.ActionExported, 2)
	one := f.Session(httpkit.Auditor).Ask("POST", "/api/v1/reports/leavers/exports", fmt.Sprintf(`{"from": %q, "to": %q, "outcomes": ["open"], "formats": ["csv"], "department_id": %q}`, f.Day(-10), f.Day(0), f.A), "Accept-Language", "en")
	files := members(t, one.Body)
	only := string(files["leavers-part-"+f.Day(-10)+"-"+f.Day(0)+".csv"])
	if len(files) != 3 || strings.Count(only, "\r\n") != headLines+1+accountsOf(t, f, evil) || strings.Count(only, "\r\n# ") != headLines-1 {
		t.Errorf("open ones of a department: %d files, %s", len(files), only)
	}
	var code string
	if err := f.Env.Facts.Read(t.Context()).Raw("SELECT code FROM departments WHERE id = ?", f.A).Scan(&code).Error; err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{"(a part)", f.Day(-10) + " – " + f.Day(0), "UTC", "As of", "only", code + " ("} {
		if head := strings.ToLower(only); !strings.Contains(head, strings.ToLower(said)) {
			t.Errorf("%q is not in %s", said, only)
		}
	}
	if details := lastDetails(t, f); details["outcomes"] != "open" || details["department_id"] != f.A.String() || details["rows"] != "1" || details["pdf_sha256"] != "" {
		t.Errorf("the entry says %v", details)
	}
	for _, role := range slices.Concat(httpkit.Roles{httpkit.Head, httpkit.Employee, httpkit.IT, httpkit.Reviewer}) {
		if got := f.Ask(role, "POST", "/api/v1/reports/leavers/exports", fmt.Sprintf(`{"from": %q, "to": %q}`, f.Day(-10), f.Day(0))); got.Status != http.StatusForbidden {
			t.Errorf("%s: %d", role, got.Status)
		}
	}
}

// wantLines: each account of a person has a line of its own, and the first cell counts people.
func wantLines(t *testing.T, f *apitest.Fixture, lines [][]string, evil, late models.Departure) {
	t.Helper()
	of := map[string][][]string{}
	for _, line := range lines {
		of[line[0]] = append(of[line[0]], line)
	}
	if len(of) != 2 || len(of["1"]) != accountsOf(t, f, evil) || len(of["2"]) != accountsOf(t, f, late) || len(of["2"]) < 2 {
		t.Fatalf("%q", lines)
	}
	for no, want := range map[string]string{"1": "'=1+1", "2": "Person E2"} {
		for _, line := range of[no] {
			if line[2] != want || line[12] == "" || strings.Contains(line[12]+line[13], "\n") || (line[8] != "") != (no == "1") {
				t.Errorf("%q", line)
			}
		}
	}
	if one := of["2"][0]; one[1] != "E2" || one[11] != "10800" || one[15] != "10800" || one[14] == "" {
		t.Errorf("all off after three hours: %q", one)
	}
}

// accountsOf are the accounts of somebody who left, and the questions for some.
func accountsOf(t *testing.T, f *apitest.Fixture, dep models.Departure) int {
	t.Helper()
	row := rowOf(t, report(t, f, httpkit.Auditor, -10, 0, ""), dep.ID)
	return len(row.Accounts)
}

// entries is how many entries of exports there are.
func entries(t *testing.T, f *apitest.Fixture) int {
	t.Helper()
	rows, err := database.Find[ledger.Row](ledger.Rows(f.Env.Facts.Read(t.Context())), "entries", "c.action = ?", leavers.ActionExported)
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

// TestTheEndOfADayReadsAsTheDay: nobody takes who left on the thirtieth for somebody who left on the first.
func TestTheEndOfADayReadsAsTheDay(t *testing.T) {
	f := apitest.New(t)
	shanghai, err := clock.LoadZone("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	day, noon := left(f, "day", f.A, -5), left(f, "noon", f.A, -5)
	rewrite(f, "UPDATE departures SET access_cutoff_at = ? WHERE id = ?", clock.EndOfDay(day.EmploymentEndDate, shanghai), day.ID)
	rewrite(f, "UPDATE departures SET access_cutoff_at = ? WHERE id = ?", clock.StartOfDay(noon.EmploymentEndDate, shanghai).Add(12*time.Hour), noon.ID)
	got := f.Session(httpkit.Auditor).Ask("POST", "/api/v1/reports/leavers/exports", fmt.Sprintf(`{"from": %q, "to": %q, "zone": "Asia/Shanghai", "formats": ["pdf"]}`, f.Day(-10), f.Day(0)), "Accept-Language", "en")
	said := strings.Join(strings.Fields(pdftest.Text(t, members(t, got.Body)["leavers-"+f.Day(-10)+"-"+f.Day(0)+".pdf"])), " ")
	for text, want := range map[string]bool{f.Day(-5) + ", end of day": true, f.Day(-4) + " 00:00:00": false, f.Day(-5) + " 12:00:00": true} {
		if strings.Contains(said, text) != want {
			t.Errorf("%q: %t, in %s", text, !want, said)
		}
	}
}

// headLines of a table are before its titles.
const headLines = 8

// TestAReportOfWhatDoesNotExistIsRefused: it would read as if nobody had left.
func TestAReportOfWhatDoesNotExistIsRefused(t *testing.T) {
	f := apitest.New(t)
	auditor := f.Session(httpkit.Auditor)
	for _, unit := range []string{"legal_entity_id", "department_id", "site_id"} {
		for _, got := range []apitest.Reply{
			auditor.Ask("POST", "/api/v1/reports/leavers/exports", fmt.Sprintf(`{"from": %q, "to": %q, %q: %q}`, f.Day(-10), f.Day(0), unit, uuid.New())),
			auditor.Ask("GET", "/api/v1/reports/leavers?from="+f.Day(-10)+"&to="+f.Day(0)+"&"+unit+"="+uuid.NewString(), ""),
		} {
			if got.Status != http.StatusUnprocessableEntity || got.Problem.Code != "report_unit_unknown" || !strings.HasSuffix(got.Problem.Errors[0].Location, "."+unit) {
				t.Errorf("%s: %d %s", unit, got.Status, got.Body)
			}
		}
	}
	for _, got := range []apitest.Reply{
		auditor.Ask("POST", "/api/v1/reports/leavers/exports", fmt.Sprintf(`{"from": "0001-01-01", "to": %q}`, f.Day(0))),
		auditor.Ask("GET", "/api/v1/reports/leavers?from=0001-01-01&to="+f.Day(0), ""),
	} {
		if got.Status != http.StatusUnprocessableEntity || len(got.Problem.Errors) != 1 || got.Problem.Errors[0].Code != httpkit.FieldTooEarly {
			t.Errorf("from the first day of all: %d %s", got.Status, got.Body)
		}
	}
	for _, twice := range []string{`"formats": ["csv", "csv"]`, `"outcomes": ["open", "open"]`} {
		if got := auditor.Ask("POST", "/api/v1/reports/leavers/exports", fmt.Sprintf(`{"from": %q, "to": %q, %s}`, f.Day(-10), f.Day(0), twice)); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", twice, got.Status)
		}
	}
	if n := entries(t, f); n != 0 {
		t.Errorf("%d entries", n)
	}
}

// lastDetails are those of the newest entry of an export.
func lastDetails(t *testing.T, f *apitest.Fixture) map[string]string {
	t.Helper()
	return lastDetailsOf(t, f, leavers.ActionExported)
}

func lastDetailsOf(t *testing.T, f *apitest.Fixture, action string) map[string]string {
	t.Helper()
	rows, err := database.Find[ledger.Row](ledger.Rows(f.Env.Facts.Read(t.Context())), "entries", "c.action = ?", action)
	if err != nil || len(rows) == 0 {
		t.Fatalf("%v, %d entries", err, len(rows))
	}
	slices.SortFunc(rows, func(a, b ledger.Row) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	content, err := rows[len(rows)-1].Content()
	if err != nil {
		t.Fatal(err)
	}
	return content.Details
}
