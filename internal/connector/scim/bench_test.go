package scim_test

import (
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"lethe/internal/connector/scim"
	"lethe/sandbox"
	"lethe/sandbox/control"
)

// BenchmarkUnlinking is what one account costs both sides when the sandbox answers
// at once: snapshot, disable, revoke, read back and residue.
func BenchmarkUnlinking(b *testing.B) {
	sys, err := sandbox.New(sandbox.Options{
		Name: "mail", Kind: "mail", Token: "t", ControlToken: "c", StatePath: filepath.Join(b.TempDir(), "mail.json"),
	})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(sys.Handler())
	ctl := control.NewClient(server.URL, "c")
	c, err := scim.New(scim.Options{BaseURL: server.URL + "/scim/v2", Token: "t", Timeout: 5 * time.Second})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close(); ctl.Close(); server.Close(); _ = sys.Close() })
	plants := make([]control.Plant, b.N)
	for i := range plants {
		plants[i] = control.Plant{EmployeeNo: "E-1", Groups: []string{"all-staff"}, Sessions: 1}
	}
	accounts, err := ctl.Plant(b.Context(), plants...)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for i := range b.N {
		ctx, id := b.Context(), accounts[i].ID
		if _, err := c.Snapshot(ctx, id, true); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Disable(ctx, id); err != nil {
			b.Fatal(err)
		}
		if _, err := c.RevokeSessions(ctx, id); err != nil {
			b.Fatal(err)
		}
		if _, err := c.LeaveGroups(ctx, id); err != nil {
			b.Fatal(err)
		}
		if left, err := c.Residue(ctx, id); err != nil || len(left) > 0 {
			b.Fatal(left, err)
		}
	}
}
