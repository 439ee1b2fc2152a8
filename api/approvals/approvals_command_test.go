package approvals_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/internal/vault"
	"lethe/models"
)

// TestI25_TheCommandOfARequestThatEndedWithoutTheKeys: who has a copy of its row cannot open it for long. What
// waits still, and what is about to be committed, keeps its key.
func TestI25_TheCommandOfARequestThatEndedWithoutTheKeys(t *testing.T) {
	f := apitest.New(t)
	s := f.Session(models.RoleHRAdmin)
	type request struct{ address, place string }
	ask := func(no string) (request, models.Sealed) {
		w := s.Ask("POST", "/api/v1/employees", f.Newcomer(no, f.A, `"tax_no": "TAX-1"`))
		r := request{address: w.Header.Get("Location")}
		id := r.address[strings.LastIndexByte(r.address, '/')+1:]
		r.place = "approvals.command_sealed/" + id
		var box []byte
		if err := f.Env.Facts.Read(t.Context()).Raw("SELECT command_sealed::bytea FROM approvals WHERE id = ?", id).Row().Scan(&box); err != nil {
			t.Fatal(err)
		}
		return r, models.NewSealed(box)
	}
	keys := f.Env.Keys.Read(t.Context())
	exec := func(sql string) {
		t.Helper()
		if err := keys.Exec(sql).Error; err != nil {
			t.Fatal(err)
		}
	}
	ended, endedBox := ask("N1")
	waiting, waitingBox := ask("N2")
	exec("ALTER TABLE loose_keys RENAME TO away")
	if got := s.Ask("POST", ended.address+"/withdrawal", ""); got.Status != http.StatusOK {
		t.Fatalf("withdrawn: %d %s", got.Status, got.Body)
	}
	exec("ALTER TABLE away RENAME TO loose_keys")
	failed := "approvals.command_sealed/" + uuid.NewString()
	failedBox, err := f.Vault.SealLoose(t.Context(), failed, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	opens := func(place string, box models.Sealed, want bool) {
		t.Helper()
		if _, err := f.Vault.OpenLoose(t.Context(), place, box); (err == nil) != want || err != nil && !errors.Is(err, vault.ErrPurged) {
			t.Errorf("%s opens: %v, want %v", place, err, want)
		}
	}
	for _, old := range []bool{false, true} {
		if old {
			exec("ALTER TABLE loose_keys DISABLE TRIGGER USER; UPDATE loose_keys SET created_at = created_at - interval '25 hours'; ALTER TABLE loose_keys ENABLE TRIGGER USER")
		}
		if err := f.Vault.Housekeep(t.Context(), f.Env.Facts); err != nil {
			t.Fatal(err)
		}
		opens(waiting.place, waitingBox, true)
		opens(ended.place, endedBox, !old)
		opens(failed, failedBox, !old)
	}
}
