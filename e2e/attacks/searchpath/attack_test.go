package main

import (
	"testing"

	"lethe/internal/database/databasetest"
)

// TestI1_I11_I18_NothingAnswersInPlaceOfOurTables runs the attack on a database of its own.
func TestI1_I11_I18_NothingAnswersInPlaceOfOurTables(t *testing.T) {
	failed, err := run(t.Context(), databasetest.New(t).FactsURL)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range failed {
		t.Error(f)
	}
}
