package querylog_test

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

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/querylog"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/models"
)

func sequence(f *apitest.Fixture) {
	f.T.Helper()
	if err := f.Env.NewSequencer(f.T).Drain(context.Background()); err != nil {
		f.T.Fatal(err)
	}
}

func TestQueryLog_FindsByWordsAndPages(t *testing.T) {
	f := apitest.New(t)
	ids := f.Logged(7)
	query := "/api/v1/query-log?q=" + url.QueryEscape("仲裁") + "&limit=3&employee_id=" + f.People[models.RoleEmployee].String()
	var seen []uuid.UUID
	for address := query; address != ""; {
		var page querylog.LogPage
		f.Ask(models.RoleAuditor, "GET", address, "", "Accept-Language", "zh").Into(t, &page)
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
	f := apitest.New(t)
	for query, want := range map[string]struct {
		status int
		code   string
	}{
		"q=" + url.QueryEscape("张"):                                     {422, "search_too_short"},
		"q=" + strings.Repeat("a", 10_000):                              {422, "search_too_long"},
		"q=" + url.QueryEscape("aa bb cc dd ee ff"):                     {422, "search_too_many_terms"},
		"q=" + url.QueryEscape("a\x00b"):                                {422, "validation_failed"},
		"q=" + url.QueryEscape("ab\u202ecd"):                            {422, "validation_failed"},
		"q=" + url.QueryEscape("%_") + "&result=done":                   {200, ""},
		"q=" + url.QueryEscape(`"'; DROP TABLE employees; --`):          {200, ""},
		"from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z":             {422, "range_reversed"},
		"from=yesterday":                                                {422, "validation_failed"},
		"limit=1000000000":                                              {422, "validation_failed"},
		"limit=-1":                                                      {422, "validation_failed"},
		"cursor=nonsense":                                               {422, "invalid_cursor"},
		"cursor=" + base64.RawURLEncoding.EncodeToString([]byte("abc")): {422, "invalid_cursor"},
		"result=perhaps":                                                {422, "validation_failed"},
		"actor=somebody":                                                {422, "validation_failed"},
		"page=2":                                                        {422, "unknown_query_parameter"},
		"kind=" + strings.Repeat("k", 65):                               {422, "validation_failed"},
		"kind=cases":                                                    {422, "validation_failed"},
		"action=departure.began":                                        {422, "validation_failed"},
		"kind=departure&action=departure.started":                       {200, ""},
	} {
		got := f.Ask(models.RoleAuditor, "GET", "/api/v1/query-log?"+query, "", "Accept-Language", "zh")
		if got.Status != want.status && !(want.code == "unknown_query_parameter" && got.Problem.Code == want.code) || got.Problem.Code != want.code {
			t.Errorf("%.60s: %d %s, want %d %s", query, got.Status, got.Problem.Code, want.status, want.code)
		}
		if strings.HasPrefix(query, "q=") && want.code == "validation_failed" &&
			!slices.ContainsFunc(got.Problem.Errors, func(e httpkit.FieldError) bool { return e.Location == "query.q" && e.Code == httpkit.FieldNotText }) {
			t.Errorf("%.60s: errors are %+v", query, got.Problem.Errors)
		}
		if want.status == http.StatusUnprocessableEntity && (got.Problem.Title == "" || strings.HasPrefix(got.Problem.Title, "problem.")) {
			t.Errorf("%.60s: no text: %+v", query, got.Problem)
		}
	}
}

// TestQueryLog_DetailsAreInWords: in the reader's language, what is called something elsewhere as it is called there.
func TestQueryLog_DetailsAreInWords(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	f.Resign(person)
	f.StuckCase(person)
	said := map[string]string{}
	var page querylog.LogPage
	f.Ask(models.RoleAuditor, "GET", "/api/v1/query-log?employee_id="+person.String(), "", "Accept-Language", "zh").Into(t, &page)
	for _, item := range page.Items {
		if len(item.Details) != len(item.DetailsText) {
			t.Errorf("%s has the details %v, and in words %v", item.Action, item.Details, item.DetailsText)
		}
		for _, d := range item.DetailsText {
			said[d.Label] = d.Value
		}
	}
	for label, want := range map[string]string{"离职类型": "辞职", "发起方": "员工", "即时离职": "否", "方式": "停用账号"} {
		if said[label] != want {
			t.Errorf("%s: %q, want %q: %v", label, said[label], want, said)
		}
	}
}

// With the log out of reach, a search shows nothing.
func TestI18_QueryLogWithoutALogSaysSo(t *testing.T) {
	f := apitest.New(t)
	f.Logged(3)
	f.Exec("ALTER TABLE ledger_pending RENAME TO elsewhere")
	got := f.Ask(models.RoleAuditor, "GET", "/api/v1/query-log", "")
	if got.Status < 500 || bytes.Contains(got.Body, []byte("hold.placed")) {
		t.Errorf("answered %d %s", got.Status, got.Body)
	}
}

func TestLedger_ProvesEntries(t *testing.T) {
	f := apitest.New(t)
	sequence(f)
	id := f.Logged(1)[0]
	address := "/api/v1/ledger/entries/" + id.String() + "/proof"
	waiting := f.Ask(models.RoleAuditor, "GET", address, "")
	if waiting.Status != http.StatusAccepted || waiting.Header.Get("Retry-After") == "" {
		t.Fatalf("before it is sequenced: %d %v", waiting.Status, waiting.Header)
	}
	sequence(f)
	var proof querylog.ProofView
	f.Ask(models.RoleAuditor, "GET", address, "").Into(t, &proof)
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
	if absent := f.Ask(models.RoleAuditor, "GET", "/api/v1/ledger/entries/"+uuid.NewString()+"/proof", ""); absent.Status != http.StatusNotFound {
		t.Errorf("no such entry: %d", absent.Status)
	}
	var checkpoint querylog.CheckpointView
	f.Ask(models.RoleEmployee, "GET", "/api/v1/ledger/checkpoint", "").Into(t, &checkpoint)
	if checkpoint.Size != head.Size || checkpoint.Root != head.Root.String() || checkpoint.Origin != head.Origin {
		t.Errorf("the checkpoint %+v, the proof's %+v", checkpoint, head)
	}
}

func TestExports_AreMadeFollowedAndDownloaded(t *testing.T) {
	f := apitest.New(t)
	f.Logged(6)
	body := `{"filters": {"q": "仲裁", "employee_id": "` + f.People[models.RoleEmployee].String() + `"}, "reason": "法院要求", "formats": ["csv"]}`
	asked := f.Ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", body, "Idempotency-Key", "k1")
	var view querylog.ExportView
	asked.Into(t, &view)
	address := asked.Header.Get("Location")
	if asked.Status != http.StatusAccepted || address != "/api/v1/query-log/exports/"+view.ID.String() || view.State != "queued" {
		t.Fatalf("%d %s %+v", asked.Status, address, view)
	}
	if again := f.Ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", body, "Idempotency-Key", "k1"); again.Header.Get("Location") != address {
		t.Errorf("repeated: %s, want %s", again.Header.Get("Location"), address)
	}
	if early := f.Ask(models.RoleAuditor, "GET", address+"/file", ""); early.Status != http.StatusConflict || early.Problem.Code != "export_not_ready" {
		t.Errorf("before it is made: %d %s", early.Status, early.Problem.Code)
	}
	sequence(f)
	if made, err := f.Exports.Once(t.Context()); err != nil || !made {
		t.Fatalf("Once: %v, %v", made, err)
	}
	f.Ask(models.RoleAuditor, "GET", address, "").Into(t, &view)
	if view.State != "done" || view.Written != 6 || view.File != address+"/file" || view.ExpiresAt == nil {
		t.Fatalf("%+v", view)
	}
	events := f.Ask(models.RoleAuditor, "GET", address+"/events", "")
	if events.Status != http.StatusOK || !bytes.HasPrefix(events.Body, []byte("event: snapshot\ndata: {")) {
		t.Errorf("events: %d %s", events.Status, events.Body)
	}
	file := f.Ask(models.RoleAuditor, "GET", address+"/file", "")
	archive, err := zip.NewReader(bytes.NewReader(file.Body), int64(len(file.Body)))
	if err != nil || len(archive.File) != 8 || file.Header.Get("Content-Type") != "application/zip" || int64(len(file.Body)) != *view.Bytes {
		t.Errorf("the file: %d bytes of %d, %v, %v", len(file.Body), *view.Bytes, file.Header, err)
	}
	if other := f.Ask(models.RoleHRAdmin, "GET", address+"/file", ""); other.Status != http.StatusForbidden {
		t.Errorf("another role: %d", other.Status)
	}
}

// A download that a slow client draws out ends with its token.
func TestI23_DownloadEndsWithItsToken(t *testing.T) {
	f := apitest.New(t)
	defer func(r httpkit.Rhythm) { httpkit.NormalRhythm = r }(httpkit.NormalRhythm)
	httpkit.NormalRhythm.Recheck = 100 * time.Millisecond
	f.Logged(3)
	var view querylog.ExportView
	f.Ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", `{"filters": {"action": "hold.placed"}, "reason": "r", "formats": ["csv"]}`).Into(t, &view)
	sequence(f)
	if made, err := f.Exports.Once(t.Context()); err != nil || !made {
		t.Fatalf("Once: %v, %v", made, err)
	}
	const size = 256 << 20 // more than the sockets hold
	e, err := evidence.Get(t.Context(), f.Env.Facts, view.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(f.Exports.Path(e), size); err != nil {
		t.Fatal(err)
	}
	f.Exec("UPDATE query_log_exports SET bytes = ? WHERE id = ?", size, view.ID)
	r, err := http.NewRequestWithContext(t.Context(), "GET", f.HTTP.URL+httpkit.AddressOf(models.RefExport, view.ID)+"/file", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+f.Tokens[models.RoleAuditor])
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK || response.ContentLength != size {
		t.Fatalf("%d, %d bytes", response.StatusCode, response.ContentLength)
	}
	f.Exec("UPDATE api_tokens SET revoked_at = lethe_now(), ledger_entry_id = @entry WHERE id = ?", f.TokenIDs[models.RoleAuditor])
	time.Sleep(10 * httpkit.NormalRhythm.Recheck)
	if n, err := io.Copy(io.Discard, response.Body); err == nil || n == size {
		t.Errorf("%d bytes came with a token that was revoked", n)
	}
}

func TestI21_ManyEntriesNeedTwoPeople(t *testing.T) {
	f := apitest.New(t)
	f.Logged(apitest.ExportLimit + 1)
	got := f.Ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", `{"filters": {"action": "hold.placed"}, "reason": "r"}`)
	var waits approvals.ApprovalView
	got.Into(t, &waits)
	if got.Status != http.StatusAccepted || waits.Operation != "query_log.export" || waits.State != models.ApprovalPending {
		t.Fatalf("%d %+v", got.Status, waits)
	}
	var exports int64
	if err := f.Env.Facts.Read(t.Context()).Table("query_log_exports").Count(&exports).Error; err != nil || exports != 0 {
		t.Errorf("%d exports before the approval, %v", exports, err)
	}
	if text := i18n.Text(i18n.Chinese, "approval.operation.query_log.export"); strings.Contains(text, ".") {
		t.Errorf("no text: %s", text)
	}
}

// Many small packs are no way around the limit, in whatever slices; what two people agreed to does not
// count.
func TestI21_SmallExportsAddUp(t *testing.T) {
	f := apitest.New(t)
	f.Logged(apitest.ExportLimit)
	sequence(f)
	export := func(first, end int) string {
		got := f.Ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports",
			fmt.Sprintf(`{"range": {"first_index": %d, "end_index": %d}, "reason": "r"}`, first, end))
		if got.Status != http.StatusAccepted {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		return got.Header.Get("Location")
	}
	for _, alone := range []string{export(0, apitest.ExportLimit-5), export(apitest.ExportLimit-5, apitest.ExportLimit)} {
		if !strings.Contains(alone, "/query-log/exports/") {
			t.Errorf("up to the limit one person exports alone: %s", alone)
		}
	}
	waits := export(0, 1)
	if !strings.Contains(waits, "/approvals/") {
		t.Fatalf("above the limit in slices: %s", waits)
	}
	f.Session(models.RoleReviewer).Ask("POST", waits+"/decision", `{"decision": "approved"}`)
	var agreed evidence.Export
	if err := f.Env.Facts.Read(t.Context()).Table("query_log_exports").First(&agreed, "approval_id IS NOT NULL").Error; err != nil {
		t.Fatal(err)
	}
	if agreed.RequestedBy != f.People[models.RoleAuditor] || agreed.Authenticated != string(models.ByToken) {
		t.Errorf("the export says that %s asked, authenticated %q", agreed.RequestedBy, agreed.Authenticated)
	}
	f.Env.Advance(t, 25*time.Hour)
	if tomorrow := export(0, apitest.ExportLimit); !strings.Contains(tomorrow, "/query-log/exports/") {
		t.Errorf("a day later: %s", tomorrow)
	}
}

// TestKindsOfEntriesAreThoseOfTheLedger: the closed set that filters and exports accept is the catalogue's.
func TestKindsOfEntriesAreThoseOfTheLedger(t *testing.T) {
	f := apitest.New(t)
	for _, got := range []apitest.Reply{
		f.Ask(models.RoleAuditor, "GET", "/api/v1/query-log?kind=cases", ""),
		f.Ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", `{"filters": {"kind": "cases"}, "reason": "r"}`),
	} {
		if len(got.Problem.Errors) != 1 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		kinds := slices.Sorted(slices.Values(got.Problem.Errors[0].Allowed))
		if want := i18n.Keys("ledger.kind."); !slices.Equal(kinds, want) {
			t.Errorf("%v, want %v", kinds, want)
		}
	}
}

func TestExports_RefuseBadInput(t *testing.T) {
	f := apitest.New(t)
	for body, code := range map[string]string{
		`{"reason": ""}`:                                                                             "validation_failed",
		`{"filters": {"q": "x"}, "reason": "r"}`:                                                     "search_too_short",
		`{"filters": {"result": "perhaps"}, "reason": "r"}`:                                          "validation_failed",
		`{"filters": {"kind": "cases"}, "reason": "r"}`:                                              "validation_failed",
		`{"filters": {"action": "departure.began"}, "reason": "r"}`:                                  "validation_failed",
		`{"range": {"first_index": 5, "end_index": 2}, "reason": "r"}`:                               "export_range",
		`{"range": {"first_index": 0, "end_index": 1000000000}, "reason": "r"}`:                      "export_range",
		`{"range": {"epoch": 7, "first_index": 0, "end_index": 1}, "reason": "r"}`:                   "export_range",
		`{"formats": ["docx"], "reason": "r"}`:                                                       "validation_failed",
		`{"filters": {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "reason": "r"}`: "range_reversed",
		`{"filters": {"kind": "query"}, "range": {"first_index": 0, "end_index": 1}, "reason": "r"}`: "export_filters_and_range",
	} {
		if got := f.Ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", body); got.Problem.Code != code || got.Status != 422 {
			t.Errorf("%s: %d %s, want %s", body, got.Status, got.Problem.Code, code)
		}
	}
}

// TestAPackHasBothTablesUnlessSomethingIsSaid: none is something else than nothing said.
func TestAPackHasBothTablesUnlessSomethingIsSaid(t *testing.T) {
	f := apitest.New(t)
	for said, want := range map[string][]string{"": {"csv", "xlsx"}, `, "formats": []`: {}, `, "formats": ["xlsx"]`: {"xlsx"}} {
		var view querylog.ExportView
		f.Ask(models.RoleAuditor, "POST", "/api/v1/query-log/exports", `{"filters": {"action": "hold.placed"}, "reason": "r"`+said+`}`).Into(t, &view)
		if !slices.Equal(view.Formats, want) {
			t.Errorf("%q makes %v", said, view.Formats)
		}
	}
}
