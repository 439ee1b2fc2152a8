package departure_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/departure"
	"lethe/internal/i18n"
)

// What a stream may tell, as the document of the API has it, has a text, and the other way round.
func TestEveryEventHasAText(t *testing.T) {
	texts := slices.DeleteFunc(i18n.Keys("event."), func(what string) bool {
		// A timeline shows these from rows of their own; a stream says that something changed.
		return slices.Contains([]string{"hold_placed", "hold_released", "purge_rejected"}, what)
	})
	if diff := cmp.Diff(texts, slices.Sorted(slices.Values(departure.Events))); diff != "" {
		t.Error(diff)
	}
}
