package retention

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/models"
)

// byHR is a context that HR stands behind.
func (w *world) byHR() context.Context {
	return models.WithCaller(context.Background(), models.Caller{Actor: w.hr, Authenticated: models.ByToken})
}

// attach receives a document for somebody's file.
func (w *world) attach(t failer, p person, field, content string) (archive.Received, error) {
	t.Helper()
	return archive.Receive(w.byHR(), w.env.Facts, w.vault, archive.Upload{EmployeeID: p.employee, FieldKey: field, Name: "王芳.pdf", Content: strings.NewReader(content)})
}

// TestI5_DocumentsAreDestroyedWithTheirCategory: the kept ones, and one that was being uploaded while the purge began.
func TestI5_DocumentsAreDestroyedWithTheirCategory(t *testing.T) {
	w := newWorld(t)
	p := w.hire(t, "DEMO")
	scan := "%PDF-1.7 " + strings.Repeat("x", 600_000)
	kept, err := w.attach(t, p, "contract_scan", scan)
	if err != nil {
		t.Fatal(err)
	}
	keep := func(r archive.Received) error {
		return database.Run(w.byHR(), w.env.Facts, func(tx *database.Tx) error { return r.Keep(tx, w.vault) })
	}
	if err := keep(kept); err != nil {
		t.Fatal(err)
	}
	going, err := w.attach(t, p, "id_document_scan", scan)
	if err != nil {
		t.Fatal(err)
	}
	p = w.depart(t, p, w.now(t))
	id := w.onePurge(t, p)
	if _, err := w.intent(id); err != nil {
		t.Fatal(err)
	}
	if _, err := w.attach(t, p, "contract_scan", scan); !errors.Is(err, archive.ErrPurged) {
		t.Errorf("a document is added to what is being destroyed: %v", err)
	}
	if err := keep(going); !errors.Is(err, archive.ErrPurged) {
		t.Errorf("an upload came to its end in what is being destroyed: %v", err)
	}
	for i, step := range w.steps(w.purger(), id) {
		if err := step(); err != nil {
			t.Fatal(err)
		}
		if i == 3 { // cleared, and not probed yet
			w.exec(t, `INSERT INTO attachment_chunks (attachment_id, n, category_id, content_sealed)
				VALUES (?, 7, ?, '\x4c534c31' || decode(repeat('00', 60), 'hex'))`, kept.ID, kept.CategoryID)
			if err := w.purger().Probe(t.Context(), id); !errors.Is(err, ErrNotDestroyed) {
				t.Errorf("a piece that is left is not found: %v", err)
			}
			w.exec(t, "DELETE FROM attachment_chunks")
		}
	}
	if n := query[int](t, w, "SELECT count(*) FROM attachment_chunks") + query[int](t, w, "SELECT count(*) FROM attachments WHERE name_sealed IS NOT NULL"); n != 0 {
		t.Errorf("%d pieces and names are left", n)
	}
	if _, err := archive.AttachmentOf(w.env.Facts.Read(t.Context()), kept.ID); !errors.Is(err, archive.ErrAttachmentNotFound) {
		t.Errorf("it can still be asked for: %v", err)
	}
	counted := query[int](t, w, `SELECT (c -> 'destroyed' ->> 'attachments')::int FROM destruction_certificates, jsonb_array_elements(statement -> 'categories') c
		WHERE c ->> 'category' = 'contract'`)
	if counted != 1 {
		t.Errorf("the certificate counts %d documents", counted)
	}
}

// TestEachDestroyedCategoryNamesItsCertificate.
func TestEachDestroyedCategoryNamesItsCertificate(t *testing.T) {
	w := newWorld(t)
	p, kept := w.departedNow(t, "DEMO"), w.departedNow(t, "CN")
	if err := w.carryOut(w.onePurge(t, p)); err != nil {
		t.Fatal(err)
	}
	proof := query[string](t, w, "SELECT id FROM destruction_certificates WHERE departure_id = ?", p.departure)
	views, err := DeadlinesOf(t.Context(), w.env.Facts, []uuid.UUID{p.departure, kept.departure})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range views[p.departure] {
		if v.CertificateID == nil || v.CertificateID.String() != proof {
			t.Errorf("%s names %v", v.Category, v.CertificateID)
		}
	}
	for _, v := range views[kept.departure] {
		if v.CertificateID != nil {
			t.Errorf("%s, which is kept, names a certificate", v.Category)
		}
	}
	if len(views[p.departure]) == 0 || len(views[kept.departure]) == 0 {
		t.Error("no deadlines")
	}
}
