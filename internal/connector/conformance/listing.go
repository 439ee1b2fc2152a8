package conformance

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/connector"
)

// testI30Listing is for connectors that can list everybody.
func testI30Listing(t *testing.T, h Harness) {
	lister, ok := h.Connector.(connector.Lister)
	if !ok {
		t.Log("it lists nobody")
		return
	}
	ctx := ctxOf(t)
	read := func() (accounts []connector.Listed, total int, err error) {
		total, err = lister.List(ctx, func(page []connector.Listed) error {
			accounts = append(accounts, page...)
			return nil
		})
		return accounts, total, err
	}
	if got, total, err := read(); err != nil || total != 0 || len(got) != 0 {
		t.Fatalf("a system without accounts: %v, %d, %v", got, total, err)
	}
	last := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	want := []connector.Listed{
		{ExternalID: h.Plant(t, Account{EmployeeNo: "E-1", LastSignIn: &last}), EmployeeNo: "E-1", Active: true, LastSignInAt: &last},
		{ExternalID: h.Plant(t, Account{EmployeeNo: "E-2", Inactive: true}), EmployeeNo: "E-2"},
		{ExternalID: h.Plant(t, Account{}), Active: true},
	}
	for range 2*h.PageSize + 1 {
		want = append(want, connector.Listed{ExternalID: h.Plant(t, Account{EmployeeNo: "E-3"}), EmployeeNo: "E-3", Active: true})
	}
	got, total, err := read()
	if err != nil || total != len(want) {
		t.Fatalf("%d listed, %v; want %d", total, err, len(want))
	}
	byID := func(a, b connector.Listed) int {
		if a.ExternalID < b.ExternalID {
			return -1
		}
		return 1
	}
	slices.SortFunc(want, byID)
	slices.SortFunc(got, byID)
	if got[0].LastSignInAt == nil && !slices.ContainsFunc(got, func(a connector.Listed) bool { return a.LastSignInAt != nil }) {
		for i := range want {
			want[i].LastSignInAt = nil // this system does not tell
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("listed (-want +got):\n%s", diff)
	}

	stop := errors.New("enough")
	if _, err := lister.List(ctx, func([]connector.Listed) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("whoever looks has enough: %v", err)
	}
	h.Fault(t, Fault{Kind: CutList, On: Lookup})
	if got, total, err := read(); connector.CodeOf(err) != connector.CodeIncompleteList {
		t.Errorf("a list that lacks entries: %d of %d, %v", len(got), total, err)
	}
	h.Fault(t, Fault{Kind: Foreign, On: Lookup})
	if _, _, err := read(); err == nil || connector.CodeOf(err) == connector.CodeNotFound {
		t.Errorf("a stranger's not-found: %v", err)
	}
	h.Fault(t, Fault{Kind: Status, On: Lookup, Meaning: connector.CodeUnauthorized})
	if _, _, err := read(); connector.CodeOf(err) != connector.CodeUnauthorized {
		t.Errorf("refused: %v", err)
	}
	h.Clear(t)
}
