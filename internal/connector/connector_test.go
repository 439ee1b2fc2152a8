package connector_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"lethe/internal/connector"
)

func TestErrorsAreKnownByTheirCode(t *testing.T) {
	err := fmt.Errorf("reading back: %w", &connector.Error{Code: connector.CodeNotFound, Temporary: true})
	if !errors.Is(err, connector.ErrNotFound) {
		t.Error("a wrapped not found is not ErrNotFound")
	}
	if errors.Is(&connector.Error{Code: connector.CodeConflict}, connector.ErrNotFound) {
		t.Error("a conflict is ErrNotFound")
	}
	if connector.CodeOf(err) != connector.CodeNotFound || connector.CodeOf(errors.New("x")) != "" || connector.CodeOf(nil) != "" {
		t.Error("CodeOf does not tell the code")
	}
}

func TestI13FenceStopsTheCall(t *testing.T) {
	if err := connector.CheckFence(t.Context()); err != nil {
		t.Errorf("without a fence: %v", err)
	}
	stale := errors.New("stale")
	ctx := connector.WithFence(t.Context(), func(context.Context) error { return stale })
	if err := connector.CheckFence(ctx); !errors.Is(err, stale) {
		t.Errorf("got %v, want the fence's error", err)
	}
}

// accounts is a system in memory: ids by employee number.
type accounts map[string][]string

func (a accounts) Find(_ context.Context, employeeNo string) ([]string, error) {
	if employeeNo == "broken" {
		return nil, &connector.Error{Code: connector.CodeIncompleteList}
	}
	return a[employeeNo], nil
}

func (a accounts) ReadBack(_ context.Context, id string) (connector.State, error) {
	for _, ids := range a {
		for _, known := range ids {
			if known == id {
				return connector.State{Exists: true}, nil
			}
		}
	}
	if id == "down" {
		return connector.State{}, &connector.Error{Code: connector.CodeUnavailable, Temporary: true}
	}
	return connector.State{}, connector.ErrNotFound
}

func (accounts) Residue(context.Context, string) ([]connector.Residue, error) { return nil, nil }
func (accounts) Snapshot(context.Context, string, bool) (connector.Snapshot, error) {
	return connector.Snapshot{}, nil
}

func TestI14ResolveWantsACompleteLookup(t *testing.T) {
	system := accounts{"E-1": {"a"}, "E-2": {"b", "c"}}
	for _, c := range []struct {
		ref  connector.AccountRef
		want string
		code connector.Code
	}{
		{connector.AccountRef{ExternalID: "a", EmployeeNo: "E-1"}, "a", ""},
		{connector.AccountRef{EmployeeNo: "E-1"}, "a", ""},
		{connector.AccountRef{ExternalID: "old", EmployeeNo: "E-1"}, "a", ""}, // recreated under a new id
		{connector.AccountRef{ExternalID: "old", EmployeeNo: "E-3"}, "", connector.CodeNotFound},
		{connector.AccountRef{ExternalID: "old"}, "", connector.CodeNotFound},
		{connector.AccountRef{EmployeeNo: "E-2"}, "", connector.CodeAmbiguous},
		{connector.AccountRef{ExternalID: "old", EmployeeNo: "broken"}, "", connector.CodeIncompleteList},
		{connector.AccountRef{ExternalID: "down", EmployeeNo: "E-3"}, "", connector.CodeUnavailable},
	} {
		got, err := connector.Resolve(t.Context(), system, c.ref)
		if got != c.want || connector.CodeOf(err) != c.code {
			t.Errorf("%+v: got %q, %v", c.ref, got, err)
		}
	}
}
