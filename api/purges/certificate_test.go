package purges_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/internal/database/databasetest"
	"lethe/internal/pdf/pdftest"
	"lethe/models"
)

// proof is a certificate's statement in canonical form.
func proof(purge, departure, employment uuid.UUID) string {
	return `{"categories":[{"category":"identity","category_id":"018f0000-0000-7000-8000-000000000001","data_key_id":null,"deadline":"2026-11-01T16:00:00Z",` +
		`"destroyed":{"account_snapshots":0,"attachments":2,"field_values":1},"purging_at":"2026-11-02T00:00:00Z",` +
		`"rule":{"basis_en":"PIPL Art. 47","basis_zh":"《个人信息保护法》第四十七条","jurisdiction":"CN","period":"P1Y","version":3}}],` +
		`"certificate_id":"018f0000-0000-7000-8000-000000000002","departure_id":"` + departure.String() + `","employment_id":"` + employment.String() + `",` +
		`"fields_cleared_at":"2026-11-02T00:00:02Z","format":"lethe-destruction-certificate/1","issued_at":"2026-11-02T00:00:04Z","keys_destroyed_at":"2026-11-02T00:00:01Z",` +
		`"probed_at":"2026-11-02T00:00:03Z","purge_id":"` + purge.String() + `","tombstoned_at":"2026-11-02T00:00:00Z","unrecoverable_from_backups_after":"2026-12-02"}`
}

// TestACertificateAsPages: what its statement says, in the reader's language, for who sees the departure; one that does not
// fit its fingerprint says so.
func TestACertificateAsPages(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.B)
	d := f.Resign(person)
	purge := f.PurgeInReview(d)
	id := uuid.MustParse("018f0000-0000-7000-8000-000000000002")
	statement := proof(purge, d.ID, f.Employment(person))
	sum := sha256.Sum256([]byte(statement))
	f.Exec(`INSERT INTO destruction_certificates (id, purge_id, departure_id, statement, statement_sha256, unrecoverable_after, issued_at, ledger_entry_id)
		VALUES (?, ?, ?, CAST(? AS jsonb), ?, '2026-12-02', '2026-11-02T00:00:04Z', @entry)`, id, purge, d.ID, statement, sum[:])
	address := httpkit.AddressOf(models.RefDeparture, d.ID) + "/destruction-certificates/" + id.String()

	var view purges.CertificateView
	f.Ask(models.RoleAuditor, "GET", address, "").Into(t, &view)
	if view.ID != id || view.PurgeID != purge {
		t.Errorf("as JSON: %+v", view)
	}
	for language, words := range map[string][]string{
		"zh-CN": {"数据销毁证明", "身份信息", "1 项信息、2 份附件", "第四十七条", "此日之后，旧备份也无法恢复2026-12-02"},
		"en":    {"Certificate of destruction", "1 value, 2 documents", "PIPL Art. 47", "CN/identity/3 (P1Y)", "Keys destroyed2026-11-02 00:00:01 UTC"},
	} {
		got := f.Ask(models.RoleHRAdmin, "GET", address+"?format=pdf", "", "Accept-Language", language)
		if got.Status != 200 || got.Header.Get("Content-Type") != "application/pdf" || got.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %d %v", language, got.Status, got.Header)
		}
		text := pdftest.Text(t, got.Body)
		for _, want := range append(words, hex.EncodeToString(sum[:]), id.String(), d.ID.String(), "2026-11-02 00:00:03 UTC") {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", language, want, text)
			}
		}
		if strings.Contains(text, "不可采信") || strings.Contains(text, "WARNING") || strings.Contains(text, "E1") {
			t.Errorf("%s:\n%s", language, text)
		}
	}

	for who, got := range map[string]apitest.Reply{
		"a head of another department": f.Ask(models.RoleDepartmentHead, "GET", address+"?format=pdf", ""),
		"somebody else":                f.Ask(models.RoleEmployee, "GET", address+"?format=pdf", ""),
		"by another departure":         f.Ask(models.RoleHRAdmin, "GET", httpkit.AddressOf(models.RefDeparture, f.Resign(f.Hire("E2", f.A)).ID)+"/destruction-certificates/"+id.String(), ""),
		"one that is not there":        f.Ask(models.RoleHRAdmin, "GET", strings.Replace(address, id.String(), uuid.NewString(), 1)+"?format=pdf", ""),
	} {
		if got.Status != 404 {
			t.Errorf("%s: %d", who, got.Status)
		}
	}

	err := databasetest.Unguarded(f.Env.Facts, "destruction_certificates", "destruction_certificates_append_only",
		`UPDATE destruction_certificates SET statement = jsonb_set(statement, '{categories,0,destroyed,attachments}', '9')`)
	if err != nil {
		t.Fatal(err)
	}
	text := pdftest.Text(t, f.Ask(models.RoleHRAdmin, "GET", address+"?format=pdf", "").Body)
	if !strings.Contains(text, "WARNING: the content does not fit its fingerprint") {
		t.Errorf("altered:\n%s", text)
	}
}
