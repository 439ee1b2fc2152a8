package journey

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lethe/e2e/harness"
)

// One request, and everything else happens by itself.
func TestImmediateDepartureGoesAllTheWay(t *testing.T) {
	j := here(t, harness.Hire{KnownIDs: true})
	began := time.Now()
	id := j.depart(immediately)
	d := j.untilPurged(id)
	t.Logf("purged after %s", time.Since(began).Round(time.Second))

	j.wantActive(false)
	want := map[string]string{"mail": "disabled", "finance": "disabled", "attendance": "disabled"}
	if diff := cmp.Diff(want, d.AccountStates()); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	wantEvents(t, d, "departure_started", "departed", "purging_began", "category_purged", "purged")
	wantEvents(t, d, "departure_started", "unlinking_started", "accounts_settled")
	if len(d.Retention) != 7 {
		t.Errorf("%d categories with a deadline, want 7", len(d.Retention))
	}
	for _, r := range d.Retention {
		if r.State != "purged" {
			t.Errorf("%s is %s", r.Category, r.State)
		}
	}
	j.wantCertificates(id, 7)
	j.wantNoResidue()
}

// wantCertificates checks that the certificates name each category once (I3).
func (j *journey) wantCertificates(id string, categories int) {
	j.Helper()
	all, err := j.hr.Certificates(j.ctx, id)
	if err != nil {
		j.Fatal(err)
	}
	seen := map[string]int{}
	for _, raw := range all {
		for _, category := range categoriesIn(j, raw) {
			seen[category]++
		}
	}
	if len(seen) != categories {
		j.Errorf("%d certificates name %d categories, want %d: %v", len(all), len(seen), categories, seen)
	}
	for category, n := range seen {
		if n != 1 {
			j.Errorf("%d certificates say that %s was destroyed", n, category)
		}
	}
}

// categoriesIn reads the categories that a certificate names, wherever it does.
func categoriesIn(j *journey, raw json.RawMessage) []string {
	j.Helper()
	var c struct {
		Statement struct {
			Categories []struct {
				Category string `json:"category"`
			} `json:"categories"`
		} `json:"statement"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		j.Fatalf("reading a certificate: %v\n%s", err, raw)
	}
	var out []string
	for _, k := range c.Statement.Categories {
		out = append(out, k.Category)
	}
	return out
}

// wantNoResidue checks that no session, token or group is left in any system.
func (j *journey) wantNoResidue() {
	j.Helper()
	for system, id := range j.person.Accounts {
		a, err := j.stack.System(system).Account(j.ctx, id)
		if err != nil {
			j.Fatal(err)
		}
		if a.Sessions+a.Tokens+len(a.Groups) > 0 {
			j.Errorf("%s: %d sessions, %d tokens, %d groups are left", system, a.Sessions, a.Tokens, len(a.Groups))
		}
	}
}
