package disclosures_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/disclosures"
	"lethe/api/employees"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/retention"
	"lethe/models"
)

// document is a PDF of a size, whose pieces differ.
func document(size int) string {
	var b strings.Builder
	b.WriteString("%PDF-1.7\n")
	for i := 0; b.Len() < size; i++ {
		b.WriteString(strings.Repeat(string(rune('a'+i%26)), 1000))
	}
	return b.String()[:size]
}

const pdfOf = "application/pdf"

func (w *world) attachTo(person uuid.UUID, field string) string {
	return "/api/v1/employees/" + person.String() + "/attachments?field=" + field
}

// attach adds a document to somebody's file.
func (w *world) attach(person uuid.UUID, content string, headers ...string) (v employees.AttachmentView) {
	w.T.Helper()
	got := w.hr.Ask("POST", w.attachTo(person, "id_document_scan"), content, append([]string{"Content-Type", pdfOf, "Content-Disposition", `attachment; filename*=UTF-8''%E7%8E%8B%E8%8A%B3.pdf`}, headers...)...)
	if got.Status != 201 {
		w.T.Fatalf("attaching: %d %s", got.Status, got.Body)
	}
	got.Into(w.T, &v)
	return v
}

// hold keeps somebody's data as they are.
func (w *world) hold(person uuid.UUID) {
	w.T.Helper()
	w.Run(func(tx *database.Tx) error {
		_, _, err := retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: person, Matter: "M-1", By: models.System})
		return err
	})
}

// lookAtScan asks for the documents of a field.
func (w *world) lookAtScan(by *apitest.Visitor, person uuid.UUID) disclosures.LookAnswer {
	w.T.Helper()
	var v disclosures.LookAnswer
	w.own().with("fields", []string{"id_document_scan"}).ask(w, by, person).Into(w.T, &v)
	return v
}

func (b body) ask(w *world, by *apitest.Visitor, person uuid.UUID) apitest.Reply {
	w.T.Helper()
	return by.Ask("POST", w.path(person), b.String())
}

// TestI18_ADocumentIsSealedAndOpenedByALook: its name and content are nowhere but in the answers of the look.
func TestI18_ADocumentIsSealedAndOpenedByALook(t *testing.T) {
	w := newWorld(t)
	for _, size := range []int{9, 262_144, 262_145, 524_288, 700_001} { // a piece has 262,144 bytes
		content := document(size)
		added := w.attach(w.person, content)
		if added.Type != models.AttachmentPDF || added.Size != int64(size) {
			t.Fatalf("%d bytes were added as %+v", size, added)
		}
		look := w.lookAtScan(w.hr, w.person)
		shown := look.Shown[0].Attachments
		if last := shown[len(shown)-1]; last.Name != "王芳.pdf" || last.ID != added.ID {
			t.Fatalf("shown as %+v", last)
		}
		got := w.hr.Ask("GET", shown[len(shown)-1].Content, "")
		if got.Status != 200 || string(got.Body) != content || got.Header.Get("Content-Type") != pdfOf || got.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d bytes came back as %d, %d bytes, %v", size, got.Status, len(got.Body), got.Header)
		}
	}
	w.WantEntries("attachment.added", 5)
	w.WantEntries("disclosure.attachment_sent", 5)
	var plain int64
	err := w.Env.Facts.Read(t.Context()).Raw("SELECT count(*) FROM attachment_chunks WHERE position('%PDF'::bytea IN content_sealed::bytea) > 0").Scan(&plain).Error
	if err != nil || plain > 0 {
		t.Errorf("%d pieces are plain, %v", plain, err)
	}
	for _, path := range []string{"/api/v1/employees/" + w.person.String() + "/attachments", "/api/v1/employees/" + w.person.String()} {
		if got := w.hr.Ask("GET", path, ""); got.Status != 200 || bytes.Contains(got.Body, []byte("王芳")) {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
}

// TestWhatIsRefusedAsADocumentLeavesNothing.
func TestWhatIsRefusedAsADocumentLeavesNothing(t *testing.T) {
	w := newWorld(t)
	held, gone := w.Hire("H1", w.A), w.Hire("G1", w.A)
	w.hold(held)
	w.fill(gone)
	w.purging(gone)
	before := w.Rows()
	for _, c := range []struct {
		what, path, content string
		headers             []string
		status              int
		code                string
	}{
		{"a page that says it is a PDF", w.attachTo(w.person, "contract_scan"), "<html><script>", nil, 415, "attachment_type"},
		{"a picture that says it is a PDF", w.attachTo(w.person, "contract_scan"), "\x89PNG\r\n\x1a\n....", nil, 422, "attachment_type_differs"},
		{"nothing", w.attachTo(w.person, "contract_scan"), "", nil, 422, "attachment_empty"},
		{"too much", w.attachTo(w.person, "contract_scan"), document(archive.MaxAttachment + 1), nil, 413, "body_too_large"},
		{"a field of text", w.attachTo(w.person, "id_number"), document(9), nil, 422, "field_without_attachments"},
		{"an unknown field", w.attachTo(w.person, "diploma"), document(9), nil, 422, "field_without_attachments"},
		{"no field", "/api/v1/employees/" + w.person.String() + "/attachments", document(9), nil, 422, "validation_failed"},
		{"nobody", w.attachTo(uuid.New(), "contract_scan"), document(9), nil, 404, "employee_not_found"},
		{"the own file", w.attachTo(w.People[models.RoleHRAdmin], "contract_scan"), document(9), nil, 403, "own_matter"},
		{"under a hold", w.attachTo(held, "contract_scan"), document(9), nil, 409, "under_hold"},
		{"being destroyed", w.attachTo(gone, "contract_scan"), document(9), nil, 409, "data_destroyed"},
		{"a name that turns the writing around", w.attachTo(w.person, "contract_scan"), document(9), []string{"Content-Disposition", `attachment; filename*=UTF-8''x%E2%80%AEfdp.exe`}, 422, "validation_failed"},
	} {
		got := w.hr.Ask("POST", c.path, c.content, append([]string{"Content-Type", pdfOf}, c.headers...)...)
		nothingShown(t, c.what, got, c.status, c.code)
	}
	for _, role := range []models.Role{models.RoleDepartmentHead, models.RoleEmployee, models.RoleReviewer, models.RoleAuditor, models.RoleITOps} {
		nothingShown(t, string(role), w.Ask(role, "POST", w.attachTo(w.person, "contract_scan"), document(9), "Content-Type", pdfOf), 403, "role_not_allowed")
	}
	got := w.Ask(models.RoleHRAdmin, "PATCH", "/api/v1/employees/"+w.person.String(), `{"fields": {"contract_scan": "x"}}`)
	nothingShown(t, "written as text", got, 422, "validation_failed")
	if diff := cmp.Diff(before, w.Rows()); diff != "" {
		t.Errorf("something was written: %s", diff)
	}
}

// TestAnUploadThatBreaksOffLeavesNothing, and one that nobody discarded is removed an hour later.
func TestAnUploadThatBreaksOffLeavesNothing(t *testing.T) {
	w := newWorld(t)
	from, to := io.Pipe()
	go func() {
		_, _ = io.WriteString(to, document(600_000))
		_ = to.CloseWithError(io.ErrUnexpectedEOF)
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.HTTP.URL+w.attachTo(w.person, "contract_scan"), from)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", pdfOf)
	r.Header.Set("Authorization", "Bearer "+w.Tokens[models.RoleHRAdmin])
	if response, err := http.DefaultClient.Do(r); err == nil {
		_ = response.Body.Close()
		t.Fatalf("it was answered %d", response.StatusCode)
	}
	time.Sleep(time.Second) // the server may keep a piece after the sender has gone
	for began := time.Now(); w.Count("attachment_chunks") > 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 15*time.Second {
			t.Fatal("pieces of a broken upload stay")
		}
	}
	kept := w.attach(w.person, document(300_000))
	w.Exec(`INSERT INTO attachment_chunks (attachment_id, n, category_id, content_sealed) SELECT gen_random_uuid(), n, category_id, content_sealed FROM attachment_chunks WHERE n = 0`)
	for _, c := range []struct {
		after time.Duration
		want  int64
	}{{59 * time.Minute, 3}, {2 * time.Minute, 2}} {
		if err := databasetest.MoveClock(t.Context(), w.Env.Facts, c.after); err != nil {
			t.Fatal(err)
		}
		if err := archive.DiscardAbandoned(t.Context(), w.Env.Facts); err != nil {
			t.Fatal(err)
		}
		if n := w.Count("attachment_chunks"); n != c.want {
			t.Errorf("%d pieces after another %v, want %d", n, c.after, c.want)
		}
	}
	if got := w.Ask(models.RoleHRAdmin, "GET", "/api/v1/attachments/"+kept.ID.String(), ""); got.Status != 200 {
		t.Errorf("the one that is whole: %d %s", got.Status, got.Body)
	}
}

// TestI26_ARepeatedUploadIsKeptOnce: another document with the same key is refused.
func TestI26_ARepeatedUploadIsKeptOnce(t *testing.T) {
	w := newWorld(t)
	first := w.attach(w.person, document(300_000), "Idempotency-Key", "k")
	if again := w.attach(w.person, document(300_000), "Idempotency-Key", "k"); again.ID != first.ID {
		t.Error("it was kept twice")
	}
	got := w.hr.Ask("POST", w.attachTo(w.person, "id_document_scan"), document(300_001), "Content-Type", pdfOf, "Idempotency-Key", "k")
	nothingShown(t, "another document", got, 422, "idempotency_key_reused")
	if n := w.Count("attachment_chunks"); n != 2 {
		t.Errorf("%d pieces", n)
	}
	w.WantEntries("attachment.added", 1)
}

// TestADocumentIsSentToTheLookerWhileTheLookMayBeShown, and not once it is removed or its destruction has begun.
func TestADocumentIsSentToTheLookerWhileTheLookMayBeShown(t *testing.T) {
	w := newWorld(t)
	first, second := w.attach(w.person, document(100)), w.attach(w.person, document(200))
	contract := w.hr.Ask("POST", w.attachTo(w.person, "contract_scan"), document(50), "Content-Type", pdfOf)
	var other employees.AttachmentView
	contract.Into(t, &other)
	look := w.lookAtScan(w.hr, w.person)
	at := func(id uuid.UUID) string {
		return "/api/v1/disclosures/" + look.ID.String() + "/attachments/" + id.String()
	}
	colleague := w.FreshSession(w.Hire("HR2", w.B), models.RoleHRAdmin)
	nothingShown(t, "to a colleague", colleague.Ask("GET", at(first.ID), ""), 403, "disclosure_of_another")
	nothingShown(t, "of another field", w.hr.Ask("GET", at(other.ID), ""), 404, "not_found")
	nothingShown(t, "of nobody", w.hr.Ask("GET", at(uuid.New()), ""), 404, "not_found")
	if got := w.hr.Ask("DELETE", "/api/v1/attachments/"+first.ID.String(), ""); got.Status != 204 {
		t.Fatalf("removing: %d %s", got.Status, got.Body)
	}
	nothingShown(t, "removed", w.hr.Ask("GET", at(first.ID), ""), 404, "not_found")
	nothingShown(t, "removed twice", w.hr.Ask("DELETE", "/api/v1/attachments/"+first.ID.String(), ""), 404, "not_found")
	w.hold(w.person)
	nothingShown(t, "removed under a hold", w.hr.Ask("DELETE", "/api/v1/attachments/"+second.ID.String(), ""), 409, "under_hold")
	if got := w.hr.Ask("GET", at(second.ID), ""); got.Status != 200 || len(got.Body) != 200 {
		t.Errorf("the other one: %d %s", got.Status, got.Body)
	}
	w.purging(w.person)
	nothingShown(t, "being destroyed", w.hr.Ask("GET", at(second.ID), ""), 404, "not_found")
	w.WantEntries("disclosure.attachment_sent", 1)
	w.WantEntries("attachment.removed", 1)
}

// TestADocumentThatWasCutOrMovedDoesNotOpen: pieces are sealed for their place, and the last one as the last.
func TestADocumentThatWasCutOrMovedDoesNotOpen(t *testing.T) {
	w := newWorld(t)
	for what, harm := range map[string]string{
		"cut":       "UPDATE attachments SET chunks = 2, size = 524288 WHERE id = @id",
		"exchanged": "UPDATE attachment_chunks SET n = 7 - n WHERE attachment_id = @id; UPDATE attachment_chunks SET n = CASE n WHEN 7 THEN 1 WHEN 6 THEN 0 ELSE 2 END WHERE attachment_id = @id",
	} {
		added := w.attach(w.person, document(700_000))
		look := w.lookAtScan(w.hr, w.person)
		for _, sql := range strings.Split(harm, ";") {
			w.Exec(strings.ReplaceAll(sql, "@id", "'"+added.ID.String()+"'"))
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.HTTP.URL+"/api/v1/disclosures/"+look.ID.String()+"/attachments/"+added.ID.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", "lethe="+w.hr.Token)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(response.Body); err == nil {
			t.Errorf("%s: it was sent whole", what)
		}
		_ = response.Body.Close()
	}
}

// TestI8_ADocumentBelongsToTheEmploymentOfItsTime: who is hired again has another file.
func TestI8_ADocumentBelongsToTheEmploymentOfItsTime(t *testing.T) {
	w := newWorld(t)
	former := w.attach(w.person, document(100))
	w.Exec("UPDATE employments SET ended_at = '2020-02-01', basis_entry_id = @entry WHERE employee_id = ?", w.person)
	for _, status := range []models.EmployeeStatus{models.StatusPendingDeparture, models.StatusDeparted} {
		w.Exec("UPDATE employees SET status = ? WHERE id = ?", status, w.person)
	}
	w.Hire("E1", w.B)
	newer := w.attach(w.person, document(200))
	if former.EmploymentID == newer.EmploymentID {
		t.Fatal("it is the same employment")
	}
	if shown := w.lookAtScan(w.hr, w.person).Shown[0].Attachments; len(shown) != 1 || shown[0].ID != newer.ID {
		t.Errorf("the latest employment has %+v", shown)
	}
	var view archive.EmployeeView
	w.Ask(models.RoleHRAdmin, "GET", "/api/v1/employees/"+w.person.String(), "").Into(t, &view)
	for _, f := range view.Fields {
		if want := map[string]int{"id_document_scan": 1}[f.Key]; f.Attachments != want {
			t.Errorf("%s has %d documents", f.Key, f.Attachments)
		}
	}
}

// TestAFieldIsFullAtTwentyDocuments: one more is refused, and leaves nothing.
func TestAFieldIsFullAtTwentyDocuments(t *testing.T) {
	w := newWorld(t)
	for range 20 {
		w.attach(w.person, document(20))
	}
	got := w.hr.Ask("POST", w.attachTo(w.person, "id_document_scan"), document(20), "Content-Type", pdfOf)
	nothingShown(t, "one more", got, 409, "attachments_full")
	if n := w.Count("attachment_chunks"); n != 20 {
		t.Errorf("%d pieces", n)
	}
}

// TestI23_WhoIsDisabledDuringAnUploadAddsNothing.
func TestI23_WhoIsDisabledDuringAnUploadAddsNothing(t *testing.T) {
	w := newWorld(t)
	from, to := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.HTTP.URL+w.attachTo(w.person, "contract_scan"), from)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", pdfOf)
	r.Header.Set("Cookie", "lethe="+w.hr.Token)
	go func() {
		_, _ = io.WriteString(to, document(300_000))
		w.Run(func(tx *database.Tx) error { return identity.Disable(tx, w.hr.UserID, models.System) })
		_, _ = io.WriteString(to, document(300_000))
		_ = to.Close()
	}()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != 401 || w.Count("attachments") != 0 || w.Count("attachment_chunks") != 0 {
		t.Errorf("answered %d; %d documents, %d pieces", response.StatusCode, w.Count("attachments"), w.Count("attachment_chunks"))
	}
}
