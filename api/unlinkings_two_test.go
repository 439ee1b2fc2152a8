package api

import (
	"net/http"
	"testing"

	"lethe/models"
)

// TestI29_UnlinkingAHeadByTwoAsksEverySystem: as one person's unlinking and the cutoff do, also those where
// nobody registered an account; for a head of one of two headed departments with an account, and for one
// without any.
func TestI29_UnlinkingAHeadByTwoAsksEverySystem(t *testing.T) {
	f := newFixture(t)
	with, without := f.hire("H1", f.a), f.hire("H2", f.b)
	f.exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", with, f.a)
	f.exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", without, f.b)
	f.exec("DELETE FROM linked_accounts WHERE employment_id = ?", f.employment(without))
	for name, c := range map[string]struct {
		body string
		want string
	}{
		"an account in one": {`{"employee_id": "` + with.String() + `"}`, "{finance,mail}"},
		"no account":        {`{"employee_id": "` + without.String() + `", "systems": ["finance"]}`, "{finance}"},
	} {
		waits := f.session(models.RoleITOps).ask("POST", "/api/v1/account-unlinkings", c.body)
		if waits.status != http.StatusAccepted || waits.header.Get("Location") == "" {
			t.Fatalf("%s: %d %s", name, waits.status, waits.body)
		}
		if got := f.session(models.RoleReviewer).ask("POST", waits.header.Get("Location")+"/decision", `{"decision": "approved"}`); got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", name, got.status, got.body)
		}
		var asked string
		err := f.env.Facts.Read(t.Context()).Raw("SELECT asked::text FROM account_operations ORDER BY id DESC LIMIT 1").Scan(&asked).Error
		if err != nil || asked != c.want {
			t.Errorf("%s: %s are asked, want %s: %v", name, asked, c.want, err)
		}
	}
}
