package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSecretsAreNotShown: what is shown is a list written by hand, so that another setting does not come to be shown unseen.
func TestSecretsAreNotShown(t *testing.T) {
	c, err := Load("serve", complete("LETHE_SESSION_IDLE=15m", "LETHE_EXPORT_LIMIT=10000", "LETHE_APPROVALS_REQUIRED=purge.decide",
		"LETHE_PUBLIC_URL=https://somebody:s3cret@lethe.example.com"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Shown{
		{"export_keep", 168 * time.Hour, true}, {"export_limit", 10000, true}, {"public_url", "https://lethe.example.com", false},
		{"session_idle", 15 * time.Minute, false}, {"session_absolute", 12 * time.Hour, true}, {"oidc_issuer", "", true},
		{"emergency_contacts_told", "on_request", true}, {"smtp_host", "", true}, {"smtp_from", "", true}, {"batch_limit", 20, true}, {"batch_company_share", 5, true}, {"batch_department_share", 50, true},
		{"reconcile_every", 24 * time.Hour, true}, {"approvals_required", []string{"purge.decide"}, false}, {"approval_expiry", 72 * time.Hour, true},
	}
	if diff := cmp.Diff(want, c.Shown()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}
