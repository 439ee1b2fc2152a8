package api

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/models"
)

// logged appends entries about the employee.
func (f *fixture) logged(entries int) (ids []uuid.UUID) {
	f.t.Helper()
	subject := f.people[models.RoleEmployee]
	f.run(func(tx *database.Tx) error {
		for i := range entries {
			id, err := ledger.Append(tx, ledger.Entry{
				Kind: ledger.KindRetention, Action: "hold.placed", Subject: &subject, Reason: fmt.Sprintf("劳动仲裁 case %d", i),
			})
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	return ids
}

func (f *fixture) sequence() {
	f.t.Helper()
	if err := f.env.NewSequencer(f.t).Drain(context.Background()); err != nil {
		f.t.Fatal(err)
	}
}

func TestQueryLog_FindsByWordsAndPages(t *testing.T) {
	f := newFixture(t)
	ids := f.logged(7)
	query := "/api/v1/query-log?q=" + url.QueryEscape("仲裁") + "&limit=3&employee_id=" + f.people[models.RoleEmployee].String()
	var seen []uuid.UUID
	for address := query; address != ""; {
		var page LogPage
		f.ask(models.RoleAuditor, "GET", address, "", "Accept-Language", "zh").into(t, &page)
		if page.LedgerEntryID == uuid.Nil || page.Receipt == "" || page.Tampered != 0 {
			t.Errorf("the search's own record: %+v", page)
		}
		for _, item := range page.Items {
			if item.State != "intact" || item.StateText != "完好" || item.Subject == nil || item.Subject.Name == "" {
				t.Errorf("%+v", item)
			}
			seen = append(seen, item.ID)
		}
		if address = ""; page.NextCursor != nil {
			address = query + "&cursor=" + *page.NextCursor
		}
	}
	if len(seen) != len(ids) || seen[0] != ids[6] || seen[6] != ids[0] {
		t.Errorf("seen %v, want %v from the end", seen, ids)
	}
}

func TestQueryLog_AnswersBadInput(t *testing.T) {
	f := newFixture(t)
	for query, want := range map[string]struct {
		status int
		code   string
	}{
		"q=" + url.QueryEscape("张"):                                     {422, codeSearchTooShort},
		"q=" + strings.Repeat("a", 10_000):                              {422, codeSearchTooLong},
		"q=" + url.QueryEscape("aa bb cc dd ee ff"):                     {422, codeSearchTerms},
		"q=" + url.QueryEscape("a\x00b"):                                {422, codeValidationFailed},
		"q=" + url.QueryEscape("ab\u202ecd"):                            {422, codeValidationFailed},
		"q=" + url.QueryEscape("%_") + "&result=done":                   {200, ""},
		"q=" + url.QueryEscape(`"'; DROP TABLE employees; --`):          {200, ""},
		"from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z":             {422, codeRangeReversed},
		"from=yesterday":                                                {422, codeValidationFailed},
		"limit=1000000000":                                              {422, codeValidationFailed},
		"limit=-1":                                                      {422, codeValidationFailed},
		"cursor=nonsense":                                               {422, codeInvalidCursor},
		"cursor=" + base64.RawURLEncoding.EncodeToString([]byte("abc")): {422, codeInvalidCursor},
		"result=perhaps":                                                {422, codeValidationFailed},
		"actor=somebody":                                                {422, codeValidationFailed},
		"page=2":                                                        {422, codeUnknownQuery},
		"kind=" + strings.Repeat("k", 65):                               {422, codeValidationFailed},
		"kind=cases":                                                    {422, codeValidationFailed},
		"action=departure.began":                                        {422, codeValidationFailed},
		"kind=departure&action=departure.started":                       {200, ""},
	} {
		got := f.ask(models.RoleAuditor, "GET", "/api/v1/query-log?"+query, "", "Accept-Language", "zh")
		if got.status != want.status && !(want.code == codeUnknownQuery && got.problem.Code == want.code) || got.problem.Code != want.code {
			t.Errorf("%.60s: %d %s, want %d %s", query, got.status, got.problem.Code, want.status, want.code)
		}
		if strings.HasPrefix(query, "q=") && want.code == codeValidationFailed &&
			!slices.ContainsFunc(got.problem.Errors, func(e FieldError) bool { return e.Location == "query.q" && e.Code == fieldNotText }) {
			t.Errorf("%.60s: errors are %+v", query, got.problem.Errors)
		}
		if want.status == http.StatusUnprocessableEntity && (got.problem.Title == "" || strings.HasPrefix(got.problem.Title, "problem.")) {
			t.Errorf("%.60s: no text: %+v", query, got.problem)
		}
	}
}

// With the log out of reach, a search shows nothing.
func TestI18_QueryLogWithoutALogSaysSo(t *testing.T) {
	f := newFixture(t)
	f.logged(3)
	f.exec("ALTER TABLE ledger_pending RENAME TO elsewhere")
	got := f.ask(models.RoleAuditor, "GET", "/api/v1/query-log", "")
	if got.status < 500 || bytes.Contains(got.body, []byte("hold.placed")) {
		t.Errorf("answered %d %s", got.status, got.body)
	}
}

func TestLedger_ProvesEntries(t *testing.T) {
	f := newFixture(t)
	f.sequence()
	id := f.logged(1)[0]
	address := "/api/v1/ledger/entries/" + id.String() + "/proof"
	waiting := f.ask(models.RoleAuditor, "GET", address, "")
	if waiting.status != http.StatusAccepted || waiting.header.Get("Retry-After") == "" {
		t.Fatalf("before it is sequenced: %d %v", waiting.status, waiting.header)
	}
	f.sequence()
	var proof ProofView
	f.ask(models.RoleAuditor, "GET", address, "").into(t, &proof)
	head, err := ledger.HeadOf([]byte(proof.Checkpoint))
	if err != nil {
		t.Fatal(err)
	}
	hashes := make(tlog.RecordProof, len(proof.Hashes))
	for i := range hashes {
		hashes[i] = tlog.Hash(proof.Hashes[i])
	}
	if err := tlog.CheckRecord(hashes, head.Size, head.Root, *proof.Index, ledger.LeafHash(proof.Leaf)); err != nil {
		t.Errorf("the proof: %v", err)
	}
	if absent := f.ask(models.RoleAuditor, "GET", "/api/v1/ledger/entries/"+uuid.NewString()+"/proof", ""); absent.status != http.StatusNotFound {
		t.Errorf("no such entry: %d", absent.status)
	}
	var checkpoint CheckpointView
	f.ask(models.RoleEmployee, "GET", "/api/v1/ledger/checkpoint", "").into(t, &checkpoint)
	if checkpoint.Size != head.Size || checkpoint.Root != head.Root.String() || checkpoint.Origin != head.Origin {
		t.Errorf("the checkpoint %+v, the proof's %+v", checkpoint, head)
	}
}

func TestExports_AreMadeFollowedAndDownloaded(t *testing.T) {
	f := newFixture(t)
	f.logged(6)
	body := `{"filters": {"q": "仲裁", "employee_id": "` + f.people[models.RoleEmployee].String() + `"}, "reason": "法院要求", "formats": ["csv"]}`
	asked := f.ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", body, "Idempotency-Key", "k1")
	var view ExportView
	asked.into(t, &view)
	address := asked.header.Get("Location")
	if asked.status != http.StatusAccepted || address != "/api/v1/query-log/exports/"+view.ID.String() || view.State != "queued" {
		t.Fatalf("%d %s %+v", asked.status, address, view)
	}
	if again := f.ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", body, "Idempotency-Key", "k1"); again.header.Get("Location") != address {
		t.Errorf("repeated: %s, want %s", again.header.Get("Location"), address)
	}
	if early := f.ask(models.RoleAuditor, "GET", address+"/file", ""); early.status != http.StatusConflict || early.problem.Code != codeExportNotReady {
		t.Errorf("before it is made: %d %s", early.status, early.problem.Code)
	}
	f.sequence()
	if made, err := f.exports.Once(t.Context()); err != nil || !made {
		t.Fatalf("Once: %v, %v", made, err)
	}
	f.ask(models.RoleAuditor, "GET", address, "").into(t, &view)
	if view.State != "done" || view.Written != 6 || view.File != address+"/file" || view.ExpiresAt == nil {
		t.Fatalf("%+v", view)
	}
	events := f.ask(models.RoleAuditor, "GET", address+"/events", "")
	if events.status != http.StatusOK || !bytes.HasPrefix(events.body, []byte("event: snapshot\ndata: {")) {
		t.Errorf("events: %d %s", events.status, events.body)
	}
	file := f.ask(models.RoleAuditor, "GET", address+"/file", "")
	archive, err := zip.NewReader(bytes.NewReader(file.body), int64(len(file.body)))
	if err != nil || len(archive.File) != 8 || file.header.Get("Content-Type") != "application/zip" || int64(len(file.body)) != *view.Bytes {
		t.Errorf("the file: %d bytes of %d, %v, %v", len(file.body), *view.Bytes, file.header, err)
	}
	if other := f.ask(models.RoleHRAdmin, "GET", address+"/file", ""); other.status != http.StatusForbidden {
		t.Errorf("another role: %d", other.status)
	}
}

// A download that a slow client draws out ends with its token.
func TestI23_DownloadEndsWithItsToken(t *testing.T) {
	f := newFixture(t)
	defer func(r rhythm) { normalRhythm = r }(normalRhythm)
	normalRhythm.recheck = 100 * time.Millisecond
	f.logged(3)
	var view ExportView
	f.ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", `{"filters": {"action": "hold.placed"}, "reason": "r", "formats": ["csv"]}`).into(t, &view)
	f.sequence()
	if made, err := f.exports.Once(t.Context()); err != nil || !made {
		t.Fatalf("Once: %v, %v", made, err)
	}
	const size = 256 << 20 // more than the sockets hold
	e, err := evidence.Get(t.Context(), f.env.Facts, view.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(f.exports.Path(e), size); err != nil {
		t.Fatal(err)
	}
	f.exec("UPDATE query_log_exports SET bytes = ? WHERE id = ?", size, view.ID)
	r, err := http.NewRequestWithContext(t.Context(), "GET", f.http.URL+addressOf(models.RefExport, view.ID)+"/file", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+f.tokens[models.RoleAuditor])
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK || response.ContentLength != size {
		t.Fatalf("%d, %d bytes", response.StatusCode, response.ContentLength)
	}
	f.exec("UPDATE api_tokens SET revoked_at = lethe_now(), ledger_entry_id = @entry WHERE id = ?", f.tokenIDs[models.RoleAuditor])
	time.Sleep(10 * normalRhythm.recheck)
	if n, err := io.Copy(io.Discard, response.Body); err == nil || n == size {
		t.Errorf("%d bytes came with a token that was revoked", n)
	}
}

func TestI21_ManyEntriesNeedTwoPeople(t *testing.T) {
	f := newFixture(t)
	f.logged(exportLimit + 1)
	got := f.ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", `{"filters": {"action": "hold.placed"}, "reason": "r"}`)
	var waits ApprovalView
	got.into(t, &waits)
	if got.status != http.StatusAccepted || waits.Operation != "query_log.export" || waits.State != models.ApprovalPending {
		t.Fatalf("%d %+v", got.status, waits)
	}
	var exports int64
	if err := f.env.Facts.Read(t.Context()).Table("query_log_exports").Count(&exports).Error; err != nil || exports != 0 {
		t.Errorf("%d exports before the approval, %v", exports, err)
	}
	if text := i18n.Text(i18n.Chinese, "approval.operation.query_log.export"); strings.Contains(text, ".") {
		t.Errorf("no text: %s", text)
	}
}

// Many small packs are no way around the limit, in whatever slices; what two people agreed to does not
// count.
func TestI21_SmallExportsAddUp(t *testing.T) {
	f := newFixture(t)
	f.logged(exportLimit)
	f.sequence()
	export := func(first, end int) string {
		got := f.ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports",
			fmt.Sprintf(`{"range": {"first_index": %d, "end_index": %d}, "reason": "r"}`, first, end))
		if got.status != http.StatusAccepted {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return got.header.Get("Location")
	}
	for _, alone := range []string{export(0, exportLimit-5), export(exportLimit-5, exportLimit)} {
		if !strings.Contains(alone, "/query-log/exports/") {
			t.Errorf("up to the limit one person exports alone: %s", alone)
		}
	}
	waits := export(0, 1)
	if !strings.Contains(waits, "/approvals/") {
		t.Fatalf("above the limit in slices: %s", waits)
	}
	f.session(models.RoleReviewer).ask("POST", waits+"/decision", `{"decision": "approved"}`)
	var agreed evidence.Export
	if err := f.env.Facts.Read(t.Context()).Table("query_log_exports").First(&agreed, "approval_id IS NOT NULL").Error; err != nil {
		t.Fatal(err)
	}
	if agreed.RequestedBy != f.people[models.RoleAuditor] || agreed.Authenticated != string(models.ByToken) {
		t.Errorf("the export says that %s asked, authenticated %q", agreed.RequestedBy, agreed.Authenticated)
	}
	f.env.Advance(t, 25*time.Hour)
	if tomorrow := export(0, exportLimit); !strings.Contains(tomorrow, "/query-log/exports/") {
		t.Errorf("a day later: %s", tomorrow)
	}
}

// TestKindsOfEntriesAreThoseOfTheLedger: the closed set that filters and exports accept is the catalogue's.
func TestKindsOfEntriesAreThoseOfTheLedger(t *testing.T) {
	f := newFixture(t)
	for _, got := range []reply{
		f.ask(models.RoleAuditor, "GET", "/api/v1/query-log?kind=cases", ""),
		f.ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", `{"filters": {"kind": "cases"}, "reason": "r"}`),
	} {
		if len(got.problem.Errors) != 1 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		kinds := slices.Sorted(slices.Values(got.problem.Errors[0].Allowed))
		if want := i18n.Keys("ledger.kind."); !slices.Equal(kinds, want) {
			t.Errorf("%v, want %v", kinds, want)
		}
	}
}

func TestExports_RefuseBadInput(t *testing.T) {
	f := newFixture(t)
	for body, code := range map[string]string{
		`{"reason": ""}`:                                                                             codeValidationFailed,
		`{"filters": {"q": "x"}, "reason": "r"}`:                                                     codeSearchTooShort,
		`{"filters": {"result": "perhaps"}, "reason": "r"}`:                                          codeValidationFailed,
		`{"filters": {"kind": "cases"}, "reason": "r"}`:                                              codeValidationFailed,
		`{"filters": {"action": "departure.began"}, "reason": "r"}`:                                  codeValidationFailed,
		`{"range": {"first_index": 5, "end_index": 2}, "reason": "r"}`:                               codeExportRange,
		`{"range": {"first_index": 0, "end_index": 1000000000}, "reason": "r"}`:                      codeExportRange,
		`{"range": {"epoch": 7, "first_index": 0, "end_index": 1}, "reason": "r"}`:                   codeExportRange,
		`{"formats": ["docx"], "reason": "r"}`:                                                       codeValidationFailed,
		`{"filters": {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "reason": "r"}`: codeRangeReversed,
		`{"filters": {"kind": "query"}, "range": {"first_index": 0, "end_index": 1}, "reason": "r"}`: codeExportBoth,
	} {
		if got := f.ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", body); got.problem.Code != code || got.status != 422 {
			t.Errorf("%s: %d %s, want %s", body, got.status, got.problem.Code, code)
		}
	}
}
