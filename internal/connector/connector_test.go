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
