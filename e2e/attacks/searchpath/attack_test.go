package main

import (
	"testing"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/retention"
)

// TestI1_I11_I18_NothingAnswersInPlaceOfOurTables runs the attack on a database of its own.
func TestI1_I11_I18_NothingAnswersInPlaceOfOurTables(t *testing.T) {
	env := databasetest.New(t)
	err := database.Run(t.Context(), env.Facts, func(tx *database.Tx) error { return retention.InstallRules(tx, true) })
	if err != nil {
		t.Fatal(err)
	}
	failed, err := run(t.Context(), env.FactsURL)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range failed {
		t.Error(f)
	}
}
